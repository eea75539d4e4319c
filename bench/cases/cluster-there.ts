/** Chunks of 256 KiB to hosts of a cluster, of which 4 KiB come back. Beside it BullMQ on Redis, which a user of Node would take, and workers of one machine. */
import type { Case } from '../harness/case.js'
import { answerOf, clusterContenders, type Load } from '../work/cluster-loads.js'
import { BEGINNING } from '../work/tasks.js'

const clusterCase: Case<Load> = {
  name: 'cluster-there',
  title: 'chunks of 256 KiB to hosts of a cluster, and 4 KiB back',
  unit: { name: 'MB/s', digits: 0, better: 'more' },
  prepare(scale) {
    const load: Load = { items: Math.ceil(1_000 * scale), bytes: 256 * 1_024, back: BEGINNING, depth: 32 }
    return {
      parameters: load,
      answer: answerOf(load),
      about: `${load.items.toLocaleString('en')} chunks, ${load.depth} under way`,
    }
  },
  contenders: clusterContenders(({ items, bytes = 0 }, time) => (items * bytes) / 1_000 / time),
  goals: [
    { ours: 'millrace', measure: 'figure', atLeast: 150 },
    { ours: 'millrace', against: 'bullmq', measure: 'advantage', atLeast: 1 },
  ],
}

export default clusterCase
