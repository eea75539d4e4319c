/** Iterates over the items of a channel. */
import type { Channel, Got } from './channel.js'
import { fromBytes } from './item-bytes.js'
import { Limits } from './limits.js'

/** The items of a channel until its end. */
export function itemsOf<T>(channel: Channel): AsyncIterableIterator<T> {
  const stop = new AbortController()
  const limits = new Limits(Infinity, stop.signal)
  const next = async (): Promise<Got> => {
    try {
      return stop.signal.aborted ? 'ended' : await channel.get(limits)
    } catch (error) {
      if (stop.signal.aborted && error === stop.signal.reason) return 'ended'
      throw error
    }
  }
  const iterator: AsyncIterableIterator<T> = {
    next: async () => {
      const got = await next()
      if (typeof got === 'string') return { done: true, value: undefined }
      return { done: false, value: fromBytes(got) as T }
    },
    // It also ends each `next()` that waits, so that it does not take an item any more.
    return: () => {
      stop.abort()
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
