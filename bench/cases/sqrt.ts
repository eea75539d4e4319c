/** Five million square roots. The work of an item is almost nothing, so this measures the cost of the stream itself. */
import { rootChunksFloor, rootsFloor } from '../floor/contenders.js'
import { SECONDS, timed, type Case, type Contender } from '../harness/case.js'
import { inOrder } from '../peers/bounded.js'
import { openPeer, PEERS, type PeerName } from '../peers/peer.js'
import { batches } from '../work/batches.js'
import { numbers } from '../work/numbers.js'
import { pooled } from '../work/pooled.js'
import { root } from '../work/tasks.js'

const COUNT = 5_000_000
/** The chunksize of Python, too. */
const BATCH = 1_000

interface Work {
  readonly count: number
}

const millrace: Contender<Work> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ count }) =>
    pooled((pool) =>
      timed(async () => {
        let sum = 0
        for await (const y of pool.imap(root, numbers(count))) sum += y
        return sum
      }),
    ),
}

const millraceChunks: Contender<Work> = {
  name: 'millrace chunks()',
  kind: 'millrace',
  open: ({ count }) =>
    pooled((pool) =>
      timed(async () => {
        let sum = 0
        for await (const chunk of pool.imap(root, numbers(count)).chunks()) for (const y of chunk) sum += y
        return sum
      }),
    ),
}

// eslint-disable-next-line @typescript-eslint/require-await -- asynchronous, as the stream is that it stands beside
async function* roots(count: number): AsyncGenerator<number> {
  for (const x of numbers(count)) yield Math.sqrt(x)
}

const forAwait: Contender<Work> = {
  name: 'for await on one thread',
  kind: 'loop',
  open: ({ count }) => ({
    run: timed(async () => {
      let sum = 0
      for await (const y of roots(count)) sum += y
      return sum
    }),
  }),
}

function plainLoop({ count }: Work): number {
  let sum = 0
  for (const x of numbers(count)) sum += Math.sqrt(x)
  return sum
}

function pool(name: PeerName): Contender<Work> {
  return {
    name: `${name}, batches of ${BATCH}`,
    open: async ({ count }) => {
      const peer = await openPeer(name)
      return {
        run: timed(async () => {
          let sum = 0
          const parts = inOrder(batches(numbers(count), BATCH), (batch) => peer.run('rootAll', batch))
          for await (const part of parts) for (const y of part) sum += y
          return sum
        }),
        close: () => peer.close(),
      }
    },
  }
}

const sqrtCase: Case<Work> = {
  name: 'sqrt',
  title: 'square roots of numbers',
  unit: SECONDS,
  prepare(scale) {
    const work = { count: Math.ceil(COUNT * scale) }
    // It is added up in the same order, so it must be equal to the last bit.
    return { parameters: work, answer: plainLoop(work), about: `${work.count.toLocaleString('en')} numbers, in order` }
  },
  contenders: [
    millrace,
    millraceChunks,
    rootsFloor,
    rootChunksFloor,
    forAwait,
    { name: 'plain loop', kind: 'loop', open: (work) => ({ run: timed(() => plainLoop(work)) }) },
    ...PEERS.map(pool),
    { name: 'Python Pool.imap', python: 'roots' },
  ],
  goals: [
    { ours: 'millrace', against: 'Python Pool.imap', measure: 'advantage', atLeast: 1.5 },
    { ours: 'millrace chunks()', against: 'Python Pool.imap', measure: 'advantage', atLeast: 4 },
    { ours: 'millrace', against: 'for await on one thread', measure: 'advantage', atLeast: 1 },
  ],
}

export default sqrtCase
