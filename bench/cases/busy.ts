/** Items of a millisecond, one per chunk: do workers wait for anything? The time is taken inside the tasks. */
import { availableParallelism } from 'node:os'
import type { Case, Contender, Measured } from '../harness/case.js'
import { inOrder } from '../peers/bounded.js'
import { openPeer, PEERS, type PeerName } from '../peers/peer.js'
import { busyPercent, type Interval } from '../work/interval.js'
import { numbers } from '../work/numbers.js'
import { pooled } from '../work/pooled.js'
import { millisecond } from '../work/tasks.js'

const ITEMS = 6_000

interface Work {
  readonly items: number
}

async function measured(stream: AsyncIterable<Interval>): Promise<Measured> {
  const intervals: Interval[] = []
  for await (const interval of stream) intervals.push(interval)
  return { figure: busyPercent(intervals, availableParallelism()), answer: intervals.length }
}

const millrace: Contender<Work> = {
  name: 'millrace',
  open: ({ items }) => pooled((pool) => () => measured(pool.imap(millisecond, numbers(items), { chunksize: 1 }))),
}

function pool(name: PeerName): Contender<Work> {
  return {
    name,
    open: async ({ items }) => {
      const peer = await openPeer(name)
      return {
        run: () => measured(inOrder(numbers(items), () => peer.run('millisecond', undefined))),
        close: () => peer.close(),
      }
    },
  }
}

const busyCase: Case<Work> = {
  name: 'busy',
  title: 'workers busy, items of 1 ms, chunksize 1',
  unit: { name: '%', digits: 1, better: 'more' },
  prepare(scale) {
    const items = Math.max(100, Math.ceil(ITEMS * scale))
    return { parameters: { items }, answer: items, about: `${items.toLocaleString('en')} items, in order` }
  },
  contenders: [millrace, ...PEERS.map(pool)],
  goals: [{ ours: 'millrace', measure: 'figure', atLeast: 96 }],
}

export default busyCase
