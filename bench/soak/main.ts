/**
 * `npm run stress -- soak --minutes N --seed S`: mixed streams on one pool, with faults of every kind, for N minutes.
 * Each stream checks its results. The program prints memory, throughput and the counts of items while it runs. At the
 * end it writes a picture of memory over time.
 */
import { subscribe } from 'node:diagnostics_channel'
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Pool, type Diagnostics } from 'millrace'
import { Account } from './account.js'
import { memoryPicture, type Sample } from './picture.js'
import { RUNS } from './streams.js'

/** Streams at a time. */
const AT_ONCE = 3
/** The interval between measurements of memory, in milliseconds. */
const EVERY = 5_000
const FOLDER = 'build/soak'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: String(Date.now()) } },
})
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
if (!(minutes > 0)) throw new TypeError(`--minutes must be a number above 0: received ${values.minutes}`)
if (!Number.isInteger(seed)) throw new TypeError(`--seed must be an integer: received ${values.seed}`)

/** A generator of numbers from 0 up to 1 (mulberry32, by Tommy Ettinger). */
function chance(start: number): () => number {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The last items that have failed. They show whether a stream gave a wrong result, or left out a failed item. */
const lastFailures: string[] = []
subscribe('millrace:task:failure', (message) => {
  const { task, index, error } = message as Diagnostics['millrace:task:failure']
  lastFailures.push(`${task} ${index}: ${String(error)}`)
  if (lastFailures.length > 200) lastFailures.shift()
})

const pool = new Pool({ maxTasksPerWorker: 10_000, resourceLimits: { maxOldGenerationSizeMb: 128 } })
const account = new Account()
const started = performance.now()
const samples: Sample[] = []
const totals = { streams: 0, items: 0, failed: 0 }
let before = 0

console.log(`Seed ${seed}, ${minutes} minutes, Node ${process.version}, ${pool.workers} workers`)
console.log(`${' '.repeat(92)}of imap and imapUnordered:`)
console.log(
  'minutes     MB  heap MB   streams        items  items/s   failed  crashes timeouts recycled' +
    '          read =    delivered + left out + dropped + in flight',
)

function report(): void {
  const { rss, heapUsed } = process.memoryUsage()
  const { crashes, timeouts, recycled } = pool.stats()
  const time = (performance.now() - started) / 60_000
  samples.push({ minutes: time, megabytes: rss / 1e6 })
  const columns: [string, number][] = [
    [time.toFixed(2), 7],
    [(rss / 1e6).toFixed(0), 7],
    [(heapUsed / 1e6).toFixed(0), 9],
    [String(totals.streams), 10],
    [totals.items.toLocaleString('en'), 13],
    [((totals.items - before) / (EVERY / 1_000)).toFixed(0), 9],
    ...[totals.failed, crashes, timeouts, recycled].map((n): [string, number] => [String(n), 9]),
  ]
  const { read, delivered, leftOut, dropped, inFlight } = account.totals()
  columns.push([read.toLocaleString('en'), 14], [delivered.toLocaleString('en'), 15])
  columns.push([String(leftOut), 11], [String(dropped), 10], [String(inFlight), 12])
  before = totals.items
  console.log(columns.map(([text, width]) => text.padStart(width)).join(''))
}

const reporting = setInterval(report, EVERY)
async function lane(number: number): Promise<void> {
  const random = chance(seed + number)
  while (performance.now() - started < minutes * 60_000) {
    const run = RUNS[Math.floor(random() * RUNS.length)]
    if (run === undefined) throw new Error('There is no such stream')
    const { items, failed } = await run({ pool, account, random }).catch((error: unknown) => {
      console.error(`The last items that failed:\n${lastFailures.join('\n')}`)
      throw error
    })
    totals.streams++
    totals.items += items
    totals.failed += failed
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => lane(number)))
clearInterval(reporting)
report()
const { waiting, busy, streams } = pool.stats()
if (waiting + streams > 0)
  throw new Error(`At the end there are ${waiting} chunks and ${streams} streams left, ${busy} busy`)
await pool.close()
mkdirSync(FOLDER, { recursive: true })
writeFileSync(`${FOLDER}/soak.json`, `${JSON.stringify({ seed, minutes, totals, samples }, undefined, 2)}\n`)
writeFileSync(`${FOLDER}/soak.svg`, memoryPicture(samples))
console.log(`Every stream gave what it should. Memory over time: ${FOLDER}/soak.svg`)
