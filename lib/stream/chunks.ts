/** The results of a stream as arrays: what `Stream.chunks()` gives. */

/** An iterator of arrays, which also `await using` closes. */
export type Chunks<R> = AsyncIterableIterator<R[], undefined, unknown> & AsyncDisposable

/**
 * Makes the iterator of what gives the next array, and of what ends it early. The promises are passed on as they are: calls of
 * `next()` of the stream and of this iterator settle in the order in which they were made.
 */
export function chunksOf<R>(
  next: () => Promise<IteratorResult<R[], undefined>>,
  end: () => Promise<unknown>,
): Chunks<R> {
  return {
    next,
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
