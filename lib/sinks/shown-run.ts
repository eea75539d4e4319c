/** A sink that shows its progress, is recorded for a report, or both. */
import type { OptionReader } from '../options.js'
import { ObservedRun, type ShownRun } from '../progress/observed-run.js'
import { isReportPath, REPORT_PATH } from '../progress/report/report.js'
import { originOf } from '../stream/origin.js'
import type { WrittenFile } from './outputs.js'

/** The options of sinks for this. */
interface ShownOptions {
  readonly progress?: boolean | 'plain' | 'json'
  readonly report?: string
}

/** Undefined: neither. */
export function readShown(read: OptionReader<ShownOptions>): ShownRun | undefined {
  const progress = read.oneOf('progress', [true, false, 'plain', 'json']) ?? false
  const report = read.value('report', REPORT_PATH, isReportPath)
  if (progress === false && report === undefined) return undefined
  return { isShown: progress !== false, offTerminal: typeof progress === 'string' ? progress : undefined, report }
}

/** What a sink has done. */
interface Done {
  readonly resumed: boolean
  readonly files?: readonly WrittenFile[]
  readonly closedEarly?: true
}

/** @param run Reads the source to its end. Errors come as they are. @param shown Undefined: it does nothing else. */
export async function showRun<R extends Done>(
  shown: ShownRun | undefined,
  source: object,
  run: () => Promise<R>,
): Promise<R> {
  if (shown === undefined) return await run()
  const observed = new ObservedRun(originOf(source), shown)
  // The duration of the result has that of earlier runs in it, where this one goes on.
  const began = performance.now()
  try {
    const result = await run()
    const { files = [], closedEarly } = result
    const duration = performance.now() - began
    await observed.end({ how: closedEarly === true ? 'left' : 'done' }, { duration, outputs: files })
    return result
  } catch (error) {
    await observed.end({ how: 'failed', error })
    throw error
  }
}
