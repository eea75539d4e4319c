/** How a command line goes on where an earlier one was stopped: what it needs for that, and what it says. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Diagnostics } from '../../index.js'
import { CheckpointError } from '../../errors.js'
import { CheckpointFile } from '../../resume/checkpoint-file.js'
import type { ResumeOptions } from '../../resume/options.js'
import { isDevicePath } from '../../sinks/device.js'
import { outputNames } from '../../sinks/output-names.js'
import { integer } from '../../progress/text.js'
import { checkpointOf, type CommandPlan } from '../plan.js'
import { escaped } from '../escaped.js'
import { UsageError } from '../usage-error.js'
import { changeText } from './same-command.js'

const CHANNEL = 'millrace:run:resume'
/** How many changes of inputs are told. */
const MAX_REMARKS = 3

/** For `write()`, or for `reduce()`. Undefined: the run begins at its start. */
export function resumeOf(plan: CommandPlan): (ResumeOptions & { readonly checkpoint: string }) | undefined {
  const checkpoint = checkpointOf(plan)
  return checkpoint === undefined ? undefined : { checkpoint, allowChangedCode: plan.resume.allowsChangedCode }
}

/** What can be known before anything is read. @throws UsageError */
export async function assertResumable(plan: CommandPlan, inputs: readonly string[]): Promise<void> {
  if (!plan.resume.isOn) return
  const { target } = plan.output
  if (target !== undefined && plan.reduce === undefined && (await isDevicePath(target))) {
    throw new UsageError(`--resume needs a file as the output, and '${target}' is a device or a pipe: write to a file`)
  }
  const other = inputs.find((path) => !statSync(path).isFile())
  if (other === undefined) return
  throw new UsageError(`--resume needs files, and '${other}' is a device or a pipe: write it to a file first`)
}

/**
 * Whether a path is that of a file which an earlier run of this command has made: a glob may match it. Such files are
 * unfinished. Only a run that was stopped behind its last item has whole ones.
 */
export async function ownFiles(plan: CommandPlan): Promise<(path: string) => boolean> {
  const checkpoint = checkpointOf(plan)
  if (checkpoint === undefined) return () => false
  const { target, partition } = plan.output
  const { rejects } = plan.faults
  const outputs = [
    ...(target === undefined ? [] : [outputNames(target, partition !== undefined)]),
    ...(rejects === undefined ? [] : [outputNames(rejects, false)]),
  ]
  const lock = resolve(`${target ?? checkpoint}.lock`)
  // A checkpoint that was named may be a file of data by mistake.
  const own = [lock, ...(plan.resume.checkpoint === undefined ? [resolve(checkpoint)] : [])]
  const starts = [lock, resolve(checkpoint)].map((start) => `${start}.`)
  const areWhole = await isComplete(checkpoint)
  return (path) => {
    const whole = resolve(path)
    if (own.includes(whole) || starts.some((start) => whole.startsWith(start))) return true
    const found = outputs.map((nameOf) => nameOf(whole))
    return found.includes('part') || (areWhole && found.includes('whole'))
  }
}

/** Whether an earlier run has written all. A checkpoint that cannot be read is told of later. */
async function isComplete(checkpoint: string): Promise<boolean> {
  const stored = await new CheckpointFile(checkpoint).read().catch(() => undefined)
  return stored?.state === 'complete'
}

/** What a person reads of an error that such a run alone has; undefined for other errors. */
export function resumeFaultText(error: unknown, plan: CommandPlan): string | undefined {
  const checkpoint = checkpointOf(plan)
  const text = checkpoint === undefined ? undefined : changeText(error, checkpoint)
  return text === undefined ? undefined : escaped(text)
}

/** What to do after a run that has ended before its end. Undefined: there is no checkpoint. */
export function howToGoOn(plan: CommandPlan): string | undefined {
  const checkpoint = checkpointOf(plan)
  if (checkpoint === undefined || !existsSync(checkpoint)) return undefined
  return 'run the same command again to go on'
}

/** What earlier runs have done, where this one goes on. It tells so, and what has changed since. */
export class EarlierRuns implements Disposable {
  /** How many items have failed in them. */
  failed = 0
  readonly #tell: (text: string) => void
  readonly #isShown: boolean
  readonly #isQuiet: boolean

  /** @param isShown Whether there is a summary in the end: then it is also told where the run begins. */
  constructor({ tell: { isQuiet } }: CommandPlan, isShown: boolean, tell: (text: string) => void) {
    this.#isQuiet = isQuiet
    this.#isShown = isShown
    this.#tell = tell
    subscribe(CHANNEL, this.#note)
  }

  readonly #note = (message: unknown): void => {
    const { checkpoint, items, failed, remarks } = message as Diagnostics[typeof CHANNEL]
    this.failed = failed
    if (this.#isQuiet) return
    if (this.#isShown) this.#tell(escaped(`goes on from '${checkpoint}', after ${integer(items)} items`))
    for (const remark of remarks.slice(0, MAX_REMARKS)) this.#tell(escaped(remark))
    const others = remarks.length - MAX_REMARKS
    if (others > 0) this.#tell(`and so for ${integer(others)} other inputs`)
  };

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#note)
  }
}

/** For a plan that is shown. */
export async function resumeText(plan: CommandPlan): Promise<string | undefined> {
  const checkpoint = checkpointOf(plan)
  if (checkpoint === undefined) return undefined
  try {
    const stored = await new CheckpointFile(checkpoint).read()
    if (stored === undefined) return `from the start, with checkpoints in ${checkpoint}`
    if (stored.state === 'complete') return `from ${checkpoint}: all items are done`
    const { read = 0 } = stored.counts as { readonly read?: number }
    return `from ${checkpoint}: ${integer(read)} items are done`
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    return error.message
  }
}
