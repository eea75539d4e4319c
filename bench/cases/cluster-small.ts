/** Chunks of 1 KB to hosts of a cluster and back. Beside it BullMQ on Redis, which a user of Node would take, and workers of one machine. */
import type { Case } from '../harness/case.js'
import { answerOf, clusterContenders, type Load } from '../work/cluster-loads.js'

const clusterCase: Case<Load> = {
  name: 'cluster-small',
  title: 'chunks of 1 KB to hosts of a cluster and back',
  unit: { name: 'chunks/s', digits: 0, better: 'more' },
  prepare(scale) {
    const load: Load = { items: Math.ceil(10_000 * scale), bytes: 1_024, depth: 128 }
    return {
      parameters: load,
      answer: answerOf(load),
      about: `${load.items.toLocaleString('en')} chunks, ${load.depth} under way`,
    }
  },
  contenders: clusterContenders(({ items }, time) => (items * 1_000) / time),
  goals: [
    { ours: 'millrace', measure: 'figure', atLeast: 2_500 },
    { ours: 'millrace', against: 'bullmq', measure: 'advantage', atLeast: 1 },
  ],
}

export default clusterCase
