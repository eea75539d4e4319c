/** The fixed pool of poolifier, with as many threads as cores. All else is its default. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { FixedThreadPool } from 'poolifier'
import type { Peer } from './peer.js'

export function open(): Peer {
  const script = fileURLToPath(new URL('./poolifier-worker.js', import.meta.url))
  const pool = new FixedThreadPool<unknown, unknown>(availableParallelism(), script)
  return {
    // Its result type is what the function returns.
    run: (name, argument) => pool.execute(argument, name) as Promise<never>,
    close: () => pool.destroy(),
  }
}
