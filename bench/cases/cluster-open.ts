/** A connection that is opened for one call of `apply()`, and closed. Beside it BullMQ on Redis, which a user of Node would take, and workers of one machine. */
import type { Case } from '../harness/case.js'
import { answerOf, clusterContenders, type Load } from '../work/cluster-loads.js'

const clusterCase: Case<Load> = {
  name: 'cluster-open',
  title: 'a connection of its own for each call of apply() on a cluster',
  unit: { name: 'ms', digits: 1, better: 'less' },
  prepare() {
    const load: Load = { items: 1, bytes: 1, depth: 1, opens: true }
    return {
      parameters: load,
      answer: answerOf(load),
      about: 'a connection, one byte there and back, and the end of the connection',
    }
  },
  contenders: clusterContenders((_, time) => time),
  goals: [
    { ours: 'millrace', measure: 'figure', atMost: 40 },
    { ours: 'millrace', against: 'bullmq', measure: 'advantage', atLeast: 1 },
  ],
}

export default clusterCase
