/** Folds the items of a chunk into one result, for `reduce`. */
import { cloned, cursorOf } from '../codec/codec.js'
import { isCancelled, markAwaiting } from './cells.js'
import { ItemContext, type RunningChunk } from './chunk.js'
import { isThenable } from '../thenable.js'
import { noAccumulatorError } from './expand.js'
import { takesContext, type TaskFunction } from './load.js'
import type { Poster } from './poster.js'

/** Folds all items, or those before a cancel. The result goes with the last item that did not fail. */
export async function fold(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> {
  const { slot, seq, begin } = chunk
  const { kind, stopOnError, initial } = chunk.job
  const { cells } = chunk.host
  const { length, next, skip } = cursorOf(chunk.data)
  const withContext = takesContext(kind, fn)
  let accumulator: unknown = cloned(initial)
  let last: number | undefined
  markAwaiting(cells, false)
  for (let chunkOffset = 0; chunkOffset < length && !isCancelled(cells, slot, seq); chunkOffset++) {
    let error = chunk.settled?.get(chunkOffset)
    try {
      if (error !== undefined) skip()
      else {
        begin(cells, chunkOffset)
        const item = next()
        let result = withContext
          ? fn(accumulator, item, new ItemContext(chunk, chunk.first + chunkOffset))
          : fn(accumulator, item)
        if (isThenable(result)) {
          markAwaiting(cells, true)
          result = await result
          markAwaiting(cells, false)
        }
        if (result === undefined && initial !== undefined) throw noAccumulatorError()
        accumulator = result
        last = chunkOffset
        continue
      }
    } catch (thrown) {
      error = chunk.encodeError(thrown, chunkOffset)
    }
    poster.outbox.skipTo(chunkOffset)
    poster.outbox.fail(error)
    if (stopOnError) break
  }
  if (last === length - 1 && poster.outbox.errors === undefined) {
    poster.outbox.putFolded(length, accumulator)
    return
  }
  // After an error that ends the stream, the outcomes of the others are not needed.
  poster.outbox.skipTo(length)
  if (last !== undefined) poster.outbox.insert(last, accumulator)
}
