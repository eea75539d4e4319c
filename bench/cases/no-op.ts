/** Tasks that do nothing, one per chunk: the cost of the way to a worker and back. */
import { messagesFloor } from '../floor/contenders.js'
import type { Case, Contender, Entry } from '../harness/case.js'
import { inAnyOrder } from '../peers/bounded.js'
import { openPeer, PEERS, type PeerName } from '../peers/peer.js'
import { numbers } from '../work/numbers.js'
import { pooled } from '../work/pooled.js'
import { noOp } from '../work/tasks.js'

const TASKS = 40_000
/** The same for all contenders. It is enough that workers never wait for the main thread. */
const UNDER_WAY = 64

interface Work {
  readonly tasks: number
  readonly atOnce: number
}

const millrace: Contender<Work> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ tasks }) =>
    pooled((pool) =>
      perSecond(tasks, async () => {
        let sum = 0
        for await (const n of pool.imap(noOp, numbers(tasks), { chunksize: 1, window: UNDER_WAY })) sum += n
        return sum
      }),
    ),
}

function pool(name: PeerName): Contender<Work> {
  return {
    name,
    open: async ({ tasks }) => {
      const peer = await openPeer(name)
      return {
        run: perSecond(tasks, async () => {
          let sum = 0
          await inAnyOrder(
            numbers(tasks),
            (n) => peer.run('noOp', n),
            UNDER_WAY,
            (n) => (sum += n),
          )
          return sum
        }),
        close: () => peer.close(),
      }
    },
  }
}

function perSecond(tasks: number, work: () => Promise<number>): Entry['run'] {
  return async () => {
    const start = performance.now()
    const answer = await work()
    return { figure: (tasks * 1_000) / (performance.now() - start), answer }
  }
}

const noOpCase: Case<Work> = {
  name: 'no-op',
  title: 'tasks that do nothing, chunksize 1',
  unit: { name: 'tasks/s', digits: 0, better: 'more' },
  prepare(scale) {
    const work = { tasks: Math.ceil(TASKS * scale), atOnce: UNDER_WAY }
    const answer = (work.tasks * (work.tasks - 1)) / 2
    return { parameters: work, answer, about: `${work.tasks.toLocaleString('en')} tasks, ${UNDER_WAY} under way` }
  },
  contenders: [millrace, messagesFloor, ...PEERS.map(pool), pool('piscina-tuned')],
  goals: [
    { ours: 'millrace', against: 'piscina', measure: 'advantage', atLeast: 3 },
    { ours: 'millrace', against: 'piscina-tuned', measure: 'advantage', atLeast: 2 },
    { ours: 'millrace', against: 'poolifier', measure: 'advantage', atLeast: 1.5 },
  ],
}

export default noOpCase
