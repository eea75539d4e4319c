/** An access log to records, in order, one by one: the main use of the library. */
import parallel from 'it-parallel'
import { lines, pipe } from 'millrace'
import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import { batch, parallelMap } from 'streaming-iterables'
import { recordChunksFloor, recordsFloor } from '../floor/contenders.js'
import { SECONDS, timed, type Case, type Contender } from '../harness/case.js'
import { inOrder } from '../peers/bounded.js'
import { openPeer, PEERS, type PeerName } from '../peers/peer.js'
import { lineBatches, readLines } from '../work/batches.js'
import { eachLine } from '../work/expert.js'
import { accessLog, type Log } from '../work/log.js'
import { parse, parseByHand, type Hit } from '../work/parse.js'
import { pooled } from '../work/pooled.js'
import * as tasks from '../work/tasks.js'
import { add, none, type Totals } from '../work/totals.js'

const LINES = 1_000_000
/** The chunksize of Python, too. */
const BATCH = 1_000

const millrace: Contender<Log> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ path }) =>
    pooled((pool) =>
      timed(async () => {
        const totals = none()
        for await (const hit of pipe(lines(path), pool.imap(tasks.parse))) add(totals, hit)
        return totals
      }),
    ),
}

const millraceChunks: Contender<Log> = {
  name: 'millrace chunks()',
  kind: 'millrace',
  open: ({ path }) => pooled((pool) => timed(() => sum(pipe(lines(path), pool.imap(tasks.parse)).chunks()))),
}

function loop(name: string, parseLine: (line: string) => Hit): Contender<Log> {
  return {
    name,
    kind: 'loop',
    open: ({ path }) => ({
      run: timed(() => {
        const totals = none()
        eachLine(path, (line) => add(totals, parseLine(line)))
        return totals
      }),
    }),
  }
}

/** Batches made by hand from Node's `readline`. */
function pool(name: PeerName): Contender<Log> {
  return {
    name: `${name}, batches of ${BATCH}`,
    open: async ({ path }) => {
      const peer = await openPeer(name)
      return {
        run: timed(() => sum(inOrder(lineBatches(path, BATCH), (batch) => peer.run('parseAll', batch)))),
        close: () => peer.close(),
      }
    },
  }
}

/** They do not use threads. At best they cost nothing besides reading and parsing. */
function streams(name: string, parsed: (path: string) => AsyncIterable<readonly Hit[]>): Contender<Log> {
  return { name: `${name}, batches of ${BATCH}`, open: ({ path }) => ({ run: timed(() => sum(parsed(path))) }) }
}

async function sum(batches: AsyncIterable<readonly Hit[]>): Promise<Totals> {
  const totals = none()
  for await (const hits of batches) for (const hit of hits) add(totals, hit)
  return totals
}

function parseAll(batch: readonly string[]): Hit[] {
  return batch.map(parse)
}

async function* jobs(path: string): AsyncGenerator<() => Promise<Hit[]>> {
  for await (const batch of lineBatches(path, BATCH)) yield () => Promise.resolve(parseAll(batch))
}

const concurrency = availableParallelism()

const accessLogCase: Case<Log> = {
  name: 'access-log',
  title: 'access log to records, in order',
  unit: SECONDS,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    const about = `${log.lines.toLocaleString('en')} lines, ${Math.round(log.size / 1e6)} MB, to records of 8 fields, one by one`
    return { parameters: log, answer: log.totals, about }
  },
  contenders: [
    millrace,
    millraceChunks,
    recordsFloor,
    recordChunksFloor,
    loop("expert's loop", parse),
    loop("expert's loop, parser by hand", parseByHand),
    ...PEERS.map(pool),
    streams('streaming-iterables', (path) => parallelMap(concurrency, parseAll, batch(BATCH, readLines(path)))),
    streams('it-parallel', (path) => parallel(jobs(path), { concurrency, ordered: true })),
    streams('Readable.map', (path) => Readable.from(lineBatches(path, BATCH)).map(parseAll, { concurrency })),
    { name: 'Python Pool.imap', python: 'access_log' },
  ],
  goals: [
    { ours: 'millrace', against: `piscina, batches of ${BATCH}`, measure: 'advantage', atLeast: 3.5 },
    { ours: 'millrace', against: 'Python Pool.imap', measure: 'advantage', atLeast: 5 },
    { ours: 'millrace', against: "expert's loop", measure: 'advantage', atLeast: 1 },
    { ours: 'millrace chunks()', against: "expert's loop", measure: 'advantage', atLeast: 1.1 },
  ],
}

export default accessLogCase
