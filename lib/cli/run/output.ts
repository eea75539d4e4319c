/** Where the results of a command line go, and how they are written. */
import { Writable } from 'node:stream'
import { progress, type Source, type WriteOptions, type WriteTarget } from '../../index.js'
import { standardOutput } from '../../io/standard-output.js'
import type { CommandPlan, PlannedOutput, PlannedReport } from '../plan.js'
import { UsageError } from '../usage-error.js'
import { awaits, compileExpression } from './expression.js'
import { isPrinted } from './printed.js'

export function targetOf({ target }: PlannedOutput): WriteTarget {
  return target === undefined || target === '/dev/stdout' ? standardOutput() : target
}

/** Whether progress is shown, and whether there is a summary at the end. They would disturb results on the same terminal. */
export function isShown({ isQuiet }: PlannedReport): boolean {
  return !isQuiet && process.stderr.isTTY && !standardOutput().isTTY
}

export function progressOf(tell: PlannedReport): true | 'plain' | 'json' | undefined {
  if (tell.progress === 'plain' || tell.progress === 'json') return tell.progress
  if (tell.progress === 'always') return process.stderr.isTTY ? true : 'plain'
  return tell.progress === 'auto' && isShown(tell) ? true : undefined
}

/** @throws UsageError */
export function writeOptions({ output, tell, reduce }: CommandPlan, signal: AbortSignal): WriteOptions {
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
    ...(output.partition !== undefined && { partition: partitionOf(output.partition) }),
    ...shown,
    signal,
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

/** The expression runs on this thread. @throws UsageError */
function partitionOf(given: Partition): NonNullable<WriteOptions['partition']> {
  if ('column' in given) return given.column
  if (awaits(given.expression)) throw new UsageError('--partition cannot await: compute the key in a stage before it')
  const evaluate = compileExpression(given.expression, new Map())
  return (record: unknown) => String(evaluate(record, NOWHERE))
}

const NOWHERE = { index: -1, file: undefined, record: undefined }
