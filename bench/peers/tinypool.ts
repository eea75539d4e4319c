/** tinypool with as many threads as cores. All else is its default. */
import { availableParallelism } from 'node:os'
import { Tinypool } from 'tinypool'
import type { Peer } from './peer.js'

export function open(): Peer {
  const threads = availableParallelism()
  const filename = new URL('./functions.js', import.meta.url).href
  const pool = new Tinypool({ filename, minThreads: threads, maxThreads: threads })
  return {
    run: (name, argument) => pool.run(argument, { name }),
    close: () => pool.destroy(),
  }
}
