/** A writing that shows its progress, is recorded for a report, or both. */
import { ObservedRun, type ShownRun } from '../progress/observed-run.js'
import { originOf } from '../stream/origin.js'
import type { WrittenFile } from './outputs.js'

interface Written {
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
  // The duration of the result has that of earlier runs in it, where this one goes on.
  const began = performance.now()
  try {
    const result = await write()
    const { files, closedEarly } = result
    const duration = performance.now() - began
    await run.end({ how: closedEarly === true ? 'left' : 'done' }, { duration, outputs: files })
    return result
  } catch (error) {
    await run.end({ how: 'failed', error })
    throw error
  }
}
