/** The results of a stream as arrays: what `Stream.chunks()` gives. */

/** An iterator of arrays, which also `await using` closes. */
export type Chunks<R> = AsyncIterableIterator<R[], undefined, unknown> & AsyncDisposable

/**
 * Makes the iterator of what gives the next array, of what ends it early, and of what throws where nothing is left to read. The promises are passed on as they are: calls of
 * `next()` of the stream and of this iterator settle in the order in which they were made.
 */
export function chunksOf<R>(
  next: () => Promise<IteratorResult<R[], undefined>>,
  end: () => Promise<unknown>,
  assertUnread: () => void,
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
      assertUnread()
      return this
    },
  }
}
