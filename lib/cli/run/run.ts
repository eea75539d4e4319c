/** Runs a command line that has been read: the stages over the inputs, to the output. */
import { constants } from 'node:os'
import { write, type Source, type WriteResult } from '../../index.js'
import { keepStandardOutput } from '../../io/standard-output.js'
import type { HeldFailures } from '../../stream/failure-target.js'
import { failedItemsOf } from '../../stream/origin.js'
import { heldFoldOf, type HeldFold } from '../../verbs/held-fold.js'
import type { Sink } from '../../verbs/reduce.js'
import { CheckpointError } from '../../errors.js'
import { print } from '../print.js'
import { UsageError } from '../usage-error.js'
import { checkpointOf, type CommandPlan, type PlannedReport } from '../plan.js'
import { planText } from './dry-run.js'
import { withEntries } from './entries.js'
import { FailureCount } from './failures.js'
import { DONE, exitCodeOf, faultText, INCOMPLETE } from './faults.js'
import { foldExport, type FoldExport } from './fold-export.js'
import { formatHint, isOfAbsent } from './format-hint.js'
import { assertResumable, EarlierRuns, howToGoOn, ownFiles, resumeFaultText, resumeText } from './going-on.js'
import { assertNoInputs, findInputs, openInputs, type Inputs } from './inputs.js'
import { Interruption } from './interruption.js'
import { isShown, progressOf, showFold, targetOf, writeOptions } from './output.js'
import type { PassData } from './pass-data.js'
import { passesOf } from './passes.js'
import { isPrinted, printed } from './printed.js'
import { isSmall } from './small.js'
import { costLines, Status } from './status.js'
import { someOf } from './some-of.js'
import { assertWritable } from './writable.js'
import { ThisThread, Workers, type Place } from './workers.js'

/**
 * @param command The arguments, as they were given.
 * @returns The exit code.
 * @throws UsageError if it cannot be done. Nothing was read then.
 */
export async function run(plan: CommandPlan, command: readonly string[]): Promise<number> {
  chooseColor(plan.tell)
  keepStandardOutput()
  // Messages may go to a reader that leaves, as in `2>&1 | head`.
  process.stderr.on('error', passOver)
  const whole = passesOf(plan, isPrinted(plan.output))
  assertOnePass(plan, whole)
  const inputs = await findInputs(plan.input, await ownFiles(plan))
  assertNoInputs(inputs.paths, [
    ['--output', plan.output.target],
    ['--rejects', plan.faults.rejects],
    ['--report', plan.tell.report],
    ['--checkpoint', checkpointOf(plan)],
  ])
  await assertResumable(plan, inputs.paths)
  if (!plan.run.isDry) {
    if (plan.tell.report !== undefined) assertWritable('--report', plan.tell.report)
    return await new CommandLine(plan, whole, inputs).run()
  }
  const text = planText(plan, command, inputs, whole, isSmall(plan, inputs), await resumeText(plan))
  if (plan.input.head === undefined) {
    await print(text)
    return DONE
  }
  process.stderr.write(text)
  const trial = withoutFiles(plan)
  return await new CommandLine(trial, passesOf(trial, isPrinted(trial.output)), inputs).run()
}

/** @throws UsageError if there are several passes, and something needs all stages in one. */
function assertOnePass({ output, faults }: CommandPlan, passes: readonly PassData[]): void {
  if (passes.length === 1) return
  const needs = [
    [faults.rejects !== undefined, '--rejects'],
    [faults.maxErrors !== undefined, '--max-errors'],
    [/\{(?:name|dir|index)\}/.test(output.target ?? ''), 'a template as the output'],
  ] as const
  const [, option] = needs.find(([isUsed]) => isUsed) ?? []
  if (option === undefined) return
  throw new UsageError(`${option} cannot be used with 'i' in a stage after the first one, or with --head and --reduce`)
}

/** A trial writes no files, and prints text. */
function withoutFiles(plan: CommandPlan): CommandPlan {
  const { target, compress, partition, rotate, format, ...rest } = plan.output
  const output = format === undefined || format === 'parquet' ? rest : { ...rest, format }
  const { rejects, ...faults } = plan.faults
  const { report, ...tell } = plan.tell
  const skipErrors = faults.skipErrors || rejects !== undefined
  return { ...plan, output, faults: { ...faults, skipErrors }, resume: { ...plan.resume, isOn: false }, tell }
}

function passOver(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

function chooseColor({ color }: PlannedReport): void {
  if (color === 'auto') return
  // Node asks these.
  delete process.env.NO_COLOR
  delete process.env.FORCE_COLOR
  process.env[color === 'never' ? 'NO_COLOR' : 'FORCE_COLOR'] = '1'
}

class CommandLine {
  readonly #plan: CommandPlan
  readonly #inputs: Inputs
  readonly #place: Place
  readonly #interruption: Interruption
  readonly #failures = new FailureCount()
  #status: Status | undefined
  /** What knows the item that has failed: the stream, or the promise of a fold. */
  #of: object | undefined
  /** Those of a fold: they are seen after its result. */
  #failedItems: HeldFailures | undefined
  /** The checkpoint of a fold: it stays until its result is written. */
  #heldFold: HeldFold | undefined
  readonly #earlier: EarlierRuns

  constructor(plan: CommandPlan, passes: readonly PassData[], inputs: Inputs) {
    const isHere = isSmall(plan, inputs)
    this.#plan = plan
    this.#inputs = inputs
    this.#place = isHere ? new ThisThread(plan, passes) : new Workers(plan, passes, inputs.size)
    this.#interruption = new Interruption(isHere, this.#tellStatus, plan.resume.isOn)
    this.#earlier = new EarlierRuns(plan, plan.tell.isVerbose || isShown(plan), this.#tell)
  }

  async run(): Promise<number> {
    const started = performance.now()
    try {
      const result = await this.#interruption.bound(this.#write())
      if (result.closedEarly === true) return DONE
      await this.#place.close()
      if (this.#interruption.caught !== undefined) return this.#endBy(this.#interruption.caught, true)
      this.#tellEnd(performance.now() - started)
      if (result.read > 0 && result.written === 0) await this.#tellFormat()
      // A stream counts those whose turn has come. A fold tells of none.
      const ofFold = this.#failures.count + this.#earlier.failed
      const failed = this.#plan.reduce === undefined ? result.skipped + result.rejected : ofFold
      return failed > 0 ? INCOMPLETE : DONE
    } catch (error) {
      await this.#heldFold?.discard()
      await this.#failedItems?.discard()
      if (this.#interruption.caught !== undefined) return this.#endBy(this.#interruption.caught, false)
      if (error instanceof UsageError) throw error
      this.#tell(resumeFaultText(error, this.#plan) ?? faultText(error, this.#of, this.#plan.tell.isVerbose))
      this.#tellHow(error)
      if (isOfAbsent(error)) await this.#tellFormat()
      await this.#place.close()
      return exitCodeOf(error)
    } finally {
      this.#interruption[Symbol.dispose]()
      this.#failures[Symbol.dispose]()
      this.#earlier[Symbol.dispose]()
    }
  }

  async #write(): Promise<WriteResult> {
    const { input, output, reduce } = this.#plan
    const { signal } = this.#interruption
    this.#place.start(signal)
    const options = writeOptions(this.#plan, signal)
    const sink = checked(() => write(targetOf(output), options))
    const source = checked(() => someOf(openInputs(this.#inputs, input), input))
    const fold = reduce && (await foldExport(reduce))
    await this.#place.prepare()
    return fold === undefined ? await this.#writeStream(source, sink) : await this.#writeFold(source, fold, sink)
  }

  #writeStream(source: Source<unknown>, sink: Sink<unknown, WriteResult>): Promise<WriteResult> {
    const stream = checked(() => this.#place.stream(source))
    this.#of = stream
    this.#status = new Status(stream)
    return sink(stream)
  }

  async #writeFold(source: Source<unknown>, fold: FoldExport, sink: Sink<unknown, WriteResult>): Promise<WriteResult> {
    this.#status = new Status(source)
    showFold(source, this.#plan)
    const folding = checked(() => this.#place.fold(source, fold, this.#interruption.signal))
    this.#of = folding
    this.#heldFold = heldFoldOf(folding)
    this.#heldFold?.hold()
    this.#failedItems = failedItemsOf(folding)
    this.#failedItems?.hold()
    const folded = await folding
    const value = withEntries(fold.finish === undefined ? folded : await fold.finish(folded))
    const result = await sink(value === undefined ? [] : [isPrinted(this.#plan.output) ? printed(value) : value])
    await this.#heldFold?.release()
    await this.#failedItems?.release()
    return result
  }

  readonly #tellStatus = (): void => {
    process.stderr.write(`millrace: ${this.#status?.now ?? 'starting'}\n`)
  }

  #tellEnd(elapsed: number): void {
    const { tell } = this.#plan
    if (tell.isQuiet || !(tell.isVerbose || isShown(this.#plan))) return
    // Progress has said the same on its last line.
    const figures =
      progressOf(this.#plan) === undefined && this.#status !== undefined ? [this.#status.end(elapsed)] : []
    for (const line of [...figures, ...costLines(this.#failures)]) process.stderr.write(`${line}\n`)
  }

  /** Where items do not have what was asked for. */
  async #tellFormat(): Promise<void> {
    const hint = await formatHint(this.#plan, this.#inputs)
    if (hint !== undefined) this.#tell(hint)
  }

  /** What to do after an error, where a later run can go on. One that says that it cannot go on says that, too. */
  #tellHow(error: unknown): void {
    const how = error instanceof CheckpointError || this.#plan.tell.isQuiet ? undefined : howToGoOn(this.#plan)
    if (how !== undefined) this.#tell(`${how}, with --allow-changed-code if you change a module`)
  }

  readonly #tell = (text: string): void => {
    process.stderr.write(`millrace: ${text}\n`)
  }

  /** Ends this process by the signal that was caught, so that its parent sees what has happened. */
  #endBy(signal: NodeJS.Signals, isDone: boolean): number {
    const { output, tell } = this.#plan
    const loss = output.target === undefined ? undefined : 'nothing was published'
    const rest = isDone ? undefined : (howToGoOn(this.#plan) ?? loss)
    if (!tell.isQuiet) this.#tell([`ended by ${signal}`, rest].filter((part) => part !== undefined).join('; '))
    process.kill(process.pid, signal)
    return 128 + constants.signals[signal]
  }
}

/** What the library refuses at a call is wrong usage, and so is what needs a package that is not there. */
function checked<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const { code } = Object(error) as { code?: unknown }
    const isWrong = String(code).startsWith('ERR_INVALID_') || code === 'ERR_MISSING_PACKAGE'
    throw isWrong ? new UsageError((error as Error).message, { cause: error }) : error
  }
}
