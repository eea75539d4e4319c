/** Iterating over the items of a channel. */
import type { Channel } from './channel.js'
import { fromBytes } from './item.js'
import { FOREVER } from './waiting.js'

/** Items until the end. */
export function itemsOf<T>(channel: Channel): AsyncIterableIterator<T> {
  const stop = new AbortController()
  const iterator: AsyncIterableIterator<T> = {
    next: async () => {
      const got = stop.signal.aborted ? 'ended' : await channel.get(FOREVER, stop.signal)
      if (typeof got === 'string') return { done: true, value: undefined }
      return { done: false, value: fromBytes(got) as T }
    },
    // Also of a `next()` that waits, so that it takes no item any more.
    return: () => {
      stop.abort()
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
