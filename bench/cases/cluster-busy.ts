/** Items of 20 ms on two hosts with four slots: slots busy. Beside it BullMQ on Redis, which a user of Node would take, and workers of one machine. */
import type { Case } from '../harness/case.js'
import { answerOf, clusterContenders, HOSTS, SLOTS, type Load } from '../work/cluster-loads.js'

const clusterCase: Case<Load> = {
  name: 'cluster-busy',
  title: 'items of 20 ms on two hosts with four slots: slots busy',
  unit: { name: '%', digits: 1, better: 'more' },
  prepare(scale) {
    const load: Load = { items: Math.ceil(2_000 * scale), wait: 20, depth: 32 }
    return {
      parameters: load,
      answer: answerOf(load),
      about: `${load.items.toLocaleString('en')} chunks, ${load.depth} under way`,
    }
  },
  contenders: clusterContenders(({ items, wait = 0 }, time) => (100 * items * wait) / (HOSTS * SLOTS * time)),
  goals: [
    { ours: 'millrace', measure: 'figure', atLeast: 90 },
    { ours: 'millrace', against: 'bullmq', measure: 'advantage', atLeast: 1 },
  ],
}

export default clusterCase
