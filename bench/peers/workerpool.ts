/** workerpool with as many threads as cores, because its default is one less. All else is its default. */
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
    // Its types do not say what functions return.
    run: async (name, argument) => (await pool.exec(name, [argument])) as never,
    close: async () => {
      await pool.terminate()
    },
  }
}
