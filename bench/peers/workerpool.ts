/** workerpool: as many threads as cores, where its own default is one less; the rest is as it comes. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import workerpool from 'workerpool'
import type { Peer } from './peer.js'

export function open(): Peer {
  const script = fileURLToPath(new URL('./workerpool-worker.js', import.meta.url))
  const pool = workerpool.pool(script, {
    minWorkers: 'max',
    maxWorkers: availableParallelism(),
    workerType: 'thread',
  })
  return {
    // It does not know what its functions return.
    run: async (name, argument) => (await pool.exec(name, [argument])) as never,
    close: async () => {
      await pool.terminate()
    },
  }
}
