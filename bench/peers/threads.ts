/** The pool of the `threads` package, with as many threads as cores. All else is its default. */
import { availableParallelism } from 'node:os'
import { Pool, spawn, Worker } from 'threads'
import type * as Functions from './functions.js'
import type { Peer } from './peer.js'

export function open(): Peer {
  const pool = Pool(() => spawn<typeof Functions>(new Worker('./threads-worker.js')), availableParallelism())
  return {
    run: async (name, argument) =>
      await pool.queue((worker) => worker[name](argument as never) as unknown as Promise<never>),
    close: () => pool.terminate(),
  }
}
