/** Waits for a source to close, with a time limit: a generator that hangs never answers `return()`. */
import type { PipelineEnd, Reader } from './source.js'

const CLOSE_TIMEOUT_MS = 1000

/** Closes a reader and waits until it has closed, at most a second. Rejects as its `close` does. */
export async function closeWithTimeout(reader: Pick<Reader<unknown>, 'close'>, end?: PipelineEnd): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  })
  try {
    await Promise.race([reader.close(end), limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Closes a reader where there is another error to tell: an error of closing is not told. */
export async function closeQuietly(reader: Pick<Reader<unknown>, 'close'>, end?: PipelineEnd): Promise<void> {
  try {
    await reader.close(end)
  } catch {
    // Caught, as an unhandled rejection would end the process.
  }
}
