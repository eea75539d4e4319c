/**
 * An ordered run over many items during which workers are ended at random moments:
 * `npm run stress -- kill --times 100 --items 1000000`. Half of the ends are `Worker.terminate()` from outside, half
 * are `process.exit()` of an item. Results and order must not change. At most as many items may fail as there were
 * ends.
 */
import { parseArgs } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { Pool, WorkerCrashError } from 'millrace'
import { deed, map } from '../fixtures/faults.js'
import { randomOf } from './model.js'

const { values } = parseArgs({
  options: { times: { type: 'string' }, items: { type: 'string' }, seed: { type: 'string' } },
})
const times = Number(values.times ?? 100)
const items = Number(values.items ?? 1_000_000)
const random = randomOf(Number(values.seed ?? 1))
const exits = new Set(Array.from({ length: times >> 1 }, () => Math.floor(random() * items)))
const kills = Array.from({ length: times - exits.size }, () => Math.floor(random() * items)).sort((a, b) => a - b)

const living = new Set<Worker>()
process.on('worker', (worker) => {
  living.add(worker)
  worker.once('exit', () => living.delete(worker))
})

function* source(): Generator<string, void, void> {
  for (let n = 0; n < items; n++) {
    // While the source is read, the workers run earlier chunks.
    while (kills[0] !== undefined && kills[0] <= n) {
      kills.shift()
      const worker = [...living][Math.floor(random() * living.size)]
      void worker?.terminate()
    }
    yield deed(n, exits.has(n) ? 'exit' : 'go')
  }
}

const started = performance.now()
const pool = new Pool({ workers: 2 })
let next = 0
let failed = 0
for await (const outcome of pool.imap(map, source(), { errors: 'settle' })) {
  const n = next++
  if (outcome.index !== n) throw new Error(`outcome ${n} is that of item ${outcome.index}`)
  if (outcome.status === 'fulfilled') {
    if (outcome.value !== n || exits.has(n)) throw new Error(`item ${n} gave ${String(outcome.value)}`)
    continue
  }
  failed++
  if (!(outcome.reason instanceof WorkerCrashError)) throw outcome.reason
}
if (next !== items) throw new Error(`${next} outcomes instead of ${items}`)
const { crashes } = pool.stats()
if (failed > crashes || failed < exits.size) throw new Error(`${failed} items failed of ${crashes} deaths`)
await pool.close()
const seconds = ((performance.now() - started) / 1_000).toFixed(1)
console.log(
  `${items} items in order, ${crashes} deaths, ${failed} items failed of them (${exits.size} exits), ${seconds} s`,
)
