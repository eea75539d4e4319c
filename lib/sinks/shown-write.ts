/** A writing that shows its progress, is recorded for a report, or both. */
import { ObservedRun, type ShownRun } from '../progress/observed-run.js'
import { originOf } from '../stream/origin.js'
import type { WrittenFile } from './outputs.js'

interface Written {
  readonly duration: number
  readonly files: readonly WrittenFile[]
  readonly closedEarly?: true
}

/** @param write Reads the source, and writes. Errors come as they are. */
export async function showWriting<R extends Written>(
  shown: ShownRun,
  source: object,
  write: () => Promise<R>,
): Promise<R> {
  const run = new ObservedRun(originOf(source), shown)
  try {
    const result = await write()
    const { duration, files, closedEarly } = result
    await run.end({ how: closedEarly === true ? 'left' : 'done' }, { duration, outputs: files })
    return result
  } catch (error) {
    await run.end({ how: 'failed', error })
    throw error
  }
}
