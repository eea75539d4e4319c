/** An access log to a few sums. The workers fold their lines, so records need not be sent back. */
import { lines } from 'millrace'
import { reduceFloor } from '../floor/contenders.js'
import { SECONDS, timed, type Case, type Contender } from '../harness/case.js'
import { inOrder } from '../peers/bounded.js'
import { openPeer, PEERS, type PeerName } from '../peers/peer.js'
import { lineBatches } from '../work/batches.js'
import { eachLine } from '../work/expert.js'
import { accessLog, type Log } from '../work/log.js'
import { parse } from '../work/parse.js'
import { pooled } from '../work/pooled.js'
import { tally } from '../work/tasks.js'
import { merge, none, add } from '../work/totals.js'

const LINES = 1_000_000
const BATCH = 1_000

const millrace: Contender<Log> = {
  name: 'millrace reduce',
  kind: 'millrace',
  open: ({ path }) => pooled((pool) => timed(() => pool.reduce(tally, lines(path), { initial: none(), merge }))),
}

const loop: Contender<Log> = {
  name: "expert's loop",
  kind: 'loop',
  open: ({ path }) => ({
    run: timed(() => {
      const totals = none()
      eachLine(path, (line) => add(totals, parse(line)))
      return totals
    }),
  }),
}

/** Each batch returns its sums. */
function pool(name: PeerName): Contender<Log> {
  return {
    name: `${name}, batches of ${BATCH}`,
    open: async ({ path }) => {
      const peer = await openPeer(name)
      return {
        run: timed(async () => {
          const totals = none()
          const parts = inOrder(lineBatches(path, BATCH), (batch) => peer.run('tallyAll', batch))
          for await (const part of parts) merge(totals, part)
          return totals
        }),
        close: () => peer.close(),
      }
    },
  }
}

const accessLogReduceCase: Case<Log> = {
  name: 'access-log-reduce',
  title: 'access log, reduced to sums',
  unit: SECONDS,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    const about = `${log.lines.toLocaleString('en')} lines, ${Math.round(log.size / 1e6)} MB, to a sum and a count by status`
    return { parameters: log, answer: log.totals, about }
  },
  contenders: [
    millrace,
    reduceFloor,
    loop,
    ...PEERS.map(pool),
    { name: 'Python Pool.imap', python: 'access_log_reduce' },
  ],
  goals: [{ ours: 'millrace reduce', against: "expert's loop", measure: 'advantage', atLeast: 1.7 }],
}

export default accessLogReduceCase
