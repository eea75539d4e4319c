/** poolifier: the fixed pool, with as many threads as cores; the rest is as it comes. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { FixedThreadPool } from 'poolifier'
import type { Peer } from './peer.js'

export function open(): Peer {
  const script = fileURLToPath(new URL('./poolifier-worker.js', import.meta.url))
  const pool = new FixedThreadPool<unknown, unknown>(availableParallelism(), script)
  return {
    // What it is given for a function is what the function returns.
    run: (name, argument) => pool.execute(argument, name) as Promise<never>,
    close: () => pool.destroy(),
  }
}
