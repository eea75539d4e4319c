/** Where the results of a command line go, and how they are written. */
import { Writable } from 'node:stream'
import { progress, type Source, type WriteOptions, type WriteTarget } from '../../index.js'
import { standardOutput } from '../../io/standard-output.js'
import { offerContent } from '../../resume/code.js'
import type { CommandPlan, PlannedOutput } from '../plan.js'
import { UsageError } from '../usage-error.js'
import { partitionBy } from './partition-expression.js'
import { resumeOf } from './going-on.js'
import { isPrinted } from './printed.js'

export function targetOf({ target }: PlannedOutput): WriteTarget {
  return target === undefined || target === '/dev/stdout' ? standardOutput() : target
}

/** Whether progress is shown, and whether there is a summary at the end. They would disturb results on the same terminal. */
export function isShown({ tell, output }: CommandPlan): boolean {
  const isResultThere = output.target === undefined && standardOutput().isTTY
  return !tell.isQuiet && process.stderr.isTTY && !isResultThere
}

export function progressOf(plan: CommandPlan): true | 'plain' | 'json' | undefined {
  const { tell } = plan
  if (tell.progress === 'plain' || tell.progress === 'json') return tell.progress
  if (tell.progress === 'always') return process.stderr.isTTY ? true : 'plain'
  return tell.progress === 'auto' && isShown(plan) ? true : undefined
}

/** @throws UsageError */
export function writeOptions(plan: CommandPlan, signal: AbortSignal): WriteOptions {
  const { output, tell, reduce, modules } = plan
  const format = isPrinted(output) ? 'text' : output.format
  if (format === 'parquet' && output.target === undefined && standardOutput().isTTY) {
    throw new UsageError('Parquet is not text, and cannot go to a terminal: add -o FILE, or pipe it on')
  }
  const progress = progressOf(plan)
  const resume = resumeOf(plan)
  // Of a fold, it is not the writing that takes long.
  const ofStream =
    reduce === undefined
      ? {
          ...(progress !== undefined && { progress }),
          ...(tell.report !== undefined && { report: tell.report }),
          ...(resume !== undefined && { resume }),
        }
      : {}
  return {
    ...(format !== undefined && { format }),
    ...(output.compress !== undefined && { compress: output.compress }),
    ...(output.rotate !== undefined && { rotate: output.rotate }),
    ...(output.partition !== undefined && {
      partition: partitionOf(
        output.partition,
        modules.map(({ name }) => name),
      ),
    }),
    ...ofStream,
    signal,
  }
}

/** Shows how far the input of a fold is read. */
export function showFold(source: Source<unknown>, plan: CommandPlan): void {
  const shown = progressOf(plan)
  const { report } = plan.tell
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

function partitionOf(given: Partition, modules: readonly string[]): NonNullable<WriteOptions['partition']> {
  if ('column' in given) return given.column
  const { expression } = given
  const partition = partitionBy(expression, modules)
  offerContent(partition, { plan: expression, code: () => Promise.resolve({}) })
  return partition
}
