/** Items that each take 20 µs of a processor: how much of all cores does a stream of them use? */
import { spinFloor } from '../floor/contenders.js'
import { SECONDS, timed, type Case, type Contender } from '../harness/case.js'
import { inOrder } from '../peers/bounded.js'
import { openPeer, PEERS, type PeerName } from '../peers/peer.js'
import { batches } from '../work/batches.js'
import { pooled } from '../work/pooled.js'
import { calibrate, digest, spin, spins } from '../work/spin.js'
import * as tasks from '../work/tasks.js'

const MICROSECONDS = 20
const ITEMS = 50_000
/** Two milliseconds of work. */
const BATCH = 100

interface Work {
  readonly steps: number
  readonly items: number
}

const millrace: Contender<Work> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ steps, items }) =>
    pooled((pool) =>
      timed(async () => {
        let digested = 0
        for await (const result of pool.imap(tasks.spin, spins(steps, items))) digested = digest(digested, result)
        return digested
      }),
    ),
}

function loop({ steps, items }: Work): number {
  let digested = 0
  for (const item of spins(steps, items)) digested = digest(digested, spin(item))
  return digested
}

function batched(name: PeerName): Contender<Work> {
  return {
    name: `${name}, batches of ${BATCH}`,
    open: async ({ steps, items }) => {
      const peer = await openPeer(name)
      return {
        run: timed(async () => {
          let digested = 0
          const parts = inOrder(batches(spins(steps, items), BATCH), (batch) => peer.run('spinAll', batch))
          for await (const part of parts) for (const result of part) digested = digest(digested, result)
          return digested
        }),
        close: () => peer.close(),
      }
    },
  }
}

/** As it is used without batches. */
function oneByOne(name: PeerName): Contender<Work> {
  return {
    name: `${name}, item by item`,
    open: async ({ steps, items }) => {
      const peer = await openPeer(name)
      return {
        run: timed(async () => {
          let digested = 0
          const results = inOrder(spins(steps, items), (item) => peer.run('spin', item), 64)
          for await (const result of results) digested = digest(digested, result)
          return digested
        }),
        close: () => peer.close(),
      }
    },
  }
}

const cpuCase: Case<Work> = {
  name: 'cpu',
  title: `${MICROSECONDS} µs of CPU per item`,
  unit: SECONDS,
  prepare(scale) {
    const work = { steps: calibrate(MICROSECONDS), items: Math.ceil(ITEMS * scale) }
    const about = `${work.items.toLocaleString('en')} items of ${work.steps.toLocaleString('en')} steps of xorshift, in order`
    return { parameters: work, answer: loop(work), about }
  },
  contenders: [
    millrace,
    spinFloor,
    { name: 'loop', kind: 'loop', open: (work) => ({ run: timed(() => loop(work)) }) },
    ...PEERS.map(batched),
    oneByOne('piscina'),
  ],
  goals: [{ ours: 'millrace', against: 'loop', measure: 'advantage', atLeast: 1.85 }],
}

export default cpuCase
