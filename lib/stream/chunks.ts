/** The results of a stream as arrays: what `Stream.chunks()` gives. */
import type { Batch } from '../codec/batch.js'

/** An iterator of arrays, which also `await using` closes. */
export type Chunks<R> = AsyncIterableIterator<R[], undefined, unknown> & AsyncDisposable

/** Makes the iterator of what gives batches until it gives none, and of what ends it early. */
export function chunksOf<R>(nextBatch: () => Promise<Batch | undefined>, end: () => Promise<unknown>): Chunks<R> {
  return {
    async next() {
      const batch = await nextBatch()
      return batch === undefined ? { value: undefined, done: true } : { value: batch.values() as R[], done: false }
    },
    async return() {
      await end()
      return { value: undefined, done: true }
    },
    async [Symbol.asyncDispose]() {
      await end()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
