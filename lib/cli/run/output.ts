/** Where the results of a command line go, and how they are written. */
import { Writable } from 'node:stream'
import { progress, type Source, type WriteOptions, type WriteTarget } from '../../index.js'
import { formatOfName } from '../../io/suffixes.js'
import type { CommandPlan, PlannedOutput, PlannedReport } from '../plan.js'
import { compileExpression } from './expression.js'
import { importForExpressions } from './modules.js'
import type { PassData } from './pass.js'

/** Whether results are printed without a format: strings as they are, other values as JSON. */
export function isPrinted({ target, format, partition }: PlannedOutput): boolean {
  return format === undefined && partition === undefined && (target === undefined || formatOfName(target) === undefined)
}

export function targetOf({ target }: PlannedOutput): WriteTarget {
  return target ?? process.stdout
}

/** Whether progress is shown, and whether there is a summary at the end. They would disturb results on the same terminal. */
export function isShown({ isQuiet }: PlannedReport): boolean {
  return !isQuiet && process.stderr.isTTY && !process.stdout.isTTY
}

export function progressOf(tell: PlannedReport): true | 'plain' | 'json' | undefined {
  if (tell.progress === 'plain' || tell.progress === 'json') return tell.progress
  if (tell.progress === 'always') return process.stderr.isTTY ? true : 'plain'
  return tell.progress === 'auto' && isShown(tell) ? true : undefined
}

/** @param modules The modules that expressions see. @throws UsageError */
export async function writeOptions(
  { output, tell, reduce }: CommandPlan,
  modules: PassData['modules'],
  signal: AbortSignal | undefined,
): Promise<WriteOptions> {
  const format = isPrinted(output) ? 'text' : output.format
  const progress = progressOf(tell)
  // Of a fold, it is not the writing that takes long.
  const shown =
    reduce === undefined
      ? { ...(progress !== undefined && { progress }), ...(tell.report !== undefined && { report: tell.report }) }
      : {}
  return {
    ...(format !== undefined && { format }),
    ...(output.compress !== undefined && { compress: output.compress }),
    ...(output.partition !== undefined && { partition: await partitionOf(output.partition, modules) }),
    ...shown,
    ...(signal !== undefined && { signal }),
  }
}

/** Shows how far the input of a fold is read. */
export function showFold(source: Source<unknown>, tell: PlannedReport): void {
  const shown = progressOf(tell)
  const { report } = tell
  if (shown === undefined && report === undefined) return
  progress(source, {
    offTerminal: shown === true ? undefined : shown,
    output: shown === undefined ? new Writable({ write: ignore }) : process.stderr,
    report,
  })
}

/** For a report alone. */
function ignore(_chunk: unknown, _encoding: string, done: () => void): void {
  done()
}

type Partition = NonNullable<PlannedOutput['partition']>

/** Expressions run on this thread. */
async function partitionOf(
  given: Partition,
  modules: PassData['modules'],
): Promise<NonNullable<WriteOptions['partition']>> {
  if ('column' in given) return given.column
  const loaded = new Map<string, unknown>()
  for (const [name, url] of modules) loaded.set(name, await importForExpressions(name, url))
  const evaluate = compileExpression(given.expression, loaded)
  return (record: unknown) => String(evaluate(record, NOWHERE))
}

const NOWHERE = { index: -1, file: undefined, record: undefined }
