/**
 * `npm run soak -- --cluster --minutes N --seed S`: streams on a cluster whose hosts, server and networks fail at
 * random, for N minutes (default: 30). Each stream checks that each item has its outcome once, and in its place. Memory
 * of the producer, a host and the server is printed, and must be flat. At the end nothing may be left at the server. The
 * seed decides which faults come, but not what they hit. The exit code is 0 if all was well.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Cluster } from 'millrace/nats'
import { randomOf } from '../random.js'
import { FailingFleet } from './fleet.js'
import { leftovers } from './leftovers.js'
import { Memory } from './memory.js'
import { pick, RUNS } from './streams.js'

/** Streams at a time. */
const AT_ONCE = 3
/** Between two lines of figures, in milliseconds. */
const EVERY_MS = 5_000
/** A cluster that gives nothing for this long hangs: far longer than any fault. In milliseconds. */
const HANGS_MS = 90_000
/** How long the end of the cluster may take, in milliseconds. */
const ENDS_MS = 10_000

const { values } = parseArgs({
  options: {
    cluster: { type: 'boolean' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now()) },
  },
})
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
if (!(minutes > 0)) throw new TypeError(`--minutes must be a number above 0: received ${values.minutes}`)
if (!Number.isInteger(seed)) throw new TypeError(`--seed must be an integer: received ${values.seed}`)

const fleet = await FailingFleet.start()
const cluster = new Cluster({ servers: fleet.producerNetwork.url })
await cluster.ready({ hosts: 3 })
const memory = new Memory()
const started = performance.now()
const until = started + minutes * 60_000
const totals = { streams: 0, outcomes: 0, gap: 0 }
let last = started

console.log(`Seed ${seed}, ${minutes} minutes, Node ${process.version}`)
console.log('minutes  MB: producer  host  server   streams  outcomes  longest gap, s  sent again  duplicates  faults')

function came(): void {
  const now = performance.now()
  totals.outcomes++
  totals.gap = Math.max(totals.gap, now - last)
  last = now
}

function report(): void {
  const { sentAgain, duplicates } = cluster.stats()
  const megabytes = [
    memory.sample('producer', process.pid),
    memory.sample('host', fleet.steadyHost?.pid),
    memory.sample('server', fleet.server.pid),
  ].map((value) => value?.toFixed(0) ?? '-')
  const columns: [unknown, number][] = [
    [((performance.now() - started) / 60_000).toFixed(2), 7],
    ...megabytes.map((text, at): [string, number] => [text, [14, 6, 8][at] ?? 8]),
    [totals.streams, 10],
    [totals.outcomes, 10],
    [(totals.gap / 1_000).toFixed(1), 16],
    [sentAgain, 12],
    [duplicates, 12],
    [[...fleet.counts.values()].reduce((a, b) => a + b, 0), 8],
  ]
  console.log(columns.map(([value, width]) => String(value).padStart(width)).join(''))
}

async function streams(number: number): Promise<void> {
  const random = randomOf(seed + number)
  while (performance.now() < until) {
    await pick(random, RUNS)({ cluster, random, came })
    totals.streams++
  }
}

/** Faults one after the other; those of hosts overlap with others. */
async function faults(random: () => number, fail: (random: () => number) => Promise<void>): Promise<void> {
  while (performance.now() < until) {
    await sleep(random() * 6_000)
    await fail(random)
  }
}

const watching = new AbortController()
/** Rejects when nothing comes any more. */
async function watch(): Promise<never> {
  for (;;) {
    await sleep(1_000, undefined, { signal: watching.signal })
    if (performance.now() - last > HANGS_MS) throw new Error(`No outcome came for ${HANGS_MS} ms`)
  }
}

const problems: string[] = []
const reporting = setInterval(report, EVERY_MS)
const failing = Promise.all([
  faults(randomOf(seed - 1), (random) => fleet.failHost(random)),
  faults(randomOf(seed - 2), (random) => fleet.failServer(random)),
])
try {
  const running = Promise.all(Array.from({ length: AT_ONCE }, (_, number) => streams(number)))
  await Promise.race([Promise.all([running, failing]), watch()])
} catch (error) {
  console.error(error)
  problems.push(String(error))
}
watching.abort()
clearInterval(reporting)
report()
const closed = cluster.terminate().then(() => true)
if (!(await Promise.race([closed, sleep(ENDS_MS, false)])))
  problems.push(`The cluster was not closed after ${ENDS_MS} ms`)
if (problems.length === 0) {
  problems.push(...(await leftovers(fleet.server.url, () => fleet.endHosts())), ...memory.faults)
}
await fleet[Symbol.asyncDispose]()
console.log([...fleet.counts].map(([name, count]) => `${name}: ${count}`).join(', '))
if (problems.length > 0) console.log(`FAILED with seed ${seed}: ${problems.join('; ')}`)
else console.log('PASSED: each item had its outcome once, in its place; memory was flat; nothing was left')
// After a failure, there may be streams that hang.
process.exit(problems.length > 0 ? 1 : 0)
