/** One call of `apply()` after the other, while the connection is open. Beside it BullMQ on Redis, which a user of Node would take, and workers of one machine. */
import type { Case } from '../harness/case.js'
import { answerOf, clusterContenders, type Load } from '../work/cluster-loads.js'

const clusterCase: Case<Load> = {
  name: 'cluster-apply',
  title: 'one call of apply() on a cluster after the other',
  unit: { name: 'ms', digits: 2, better: 'less' },
  prepare(scale) {
    const load: Load = { items: Math.ceil(1_000 * scale), bytes: 1, depth: 1 }
    return {
      parameters: load,
      answer: answerOf(load),
      about: `${load.items.toLocaleString('en')} times, one byte there and back`,
    }
  },
  contenders: clusterContenders(({ items }, time) => time / items),
  goals: [
    { ours: 'millrace', measure: 'figure', atMost: 2.5 },
    { ours: 'millrace', against: 'bullmq', measure: 'advantage', atLeast: 1 },
  ],
}

export default clusterCase
