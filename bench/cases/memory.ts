/**
 * Peak memory when the input is ten times as large. Each measurement has its own process. With the smaller input, V8
 * has already collected the old generation of each thread once. `memory-sizes` shows how the peak rises until then.
 */
import type { Case, Contender, Goal } from '../harness/case.js'
import { accessLog, type Log } from '../work/log.js'
import { consume, convertTable, echoLines, peak, plainRecords, readLog, records } from '../work/memory.js'
import { sizedLines, type SizedLines } from '../work/sized-lines.js'
import { table, type Table } from '../work/table.js'

const LINES = 200_000
const ROWS = 200_000
const TIMES = 10
/**
 * The time of the slow consumer for each result, in microseconds. With the time of the loop, it is longer than that of
 * the workers.
 */
const SLOW = 1
/**
 * Lines of these lengths go to a worker and back, as strings. A slow consumer also takes time for each byte of them. The
 * smaller input of a fast and of a slow consumer is this many files: until then V8 has let most heaps grow.
 */
const ECHOES = [
  { bytes: 100, fast: 30, slow: 10 },
  { bytes: 1_000, fast: 10, slow: 10 },
  { bytes: 100_000, fast: 60, slow: 30 },
] as const
const FILE_BYTES = 20_000_000
const SLOW_PER_BYTE = 0.002

interface Work {
  readonly scale: number
  readonly log: Log
  readonly table: Table
  /** In the order of `ECHOES`. */
  readonly files: readonly SizedLines[]
}

interface Load {
  /**
   * The count of records, or of repetitions of the log, in the smaller input. The other input has ten times as many.
   */
  readonly once: number
  readonly stream: (work: Work, amount: number) => Promise<void>
  readonly ours: boolean
}

const scaled = (count: number, { scale }: Work): number => Math.ceil(count * scale)

/** By fast and slow consumers. */
function echoes({ bytes, fast, slow }: (typeof ECHOES)[number], place: number): [string, Load][] {
  const name = `lines of ${bytes.toLocaleString('en')} bytes and back`
  const load = (once: number, microseconds: number): Load => ({
    once,
    stream: ({ files }, times) => echoLines(fileAt(files, place), times, microseconds),
    ours: true,
  })
  return [
    [`${name}, fast consumer`, load(fast, 0)],
    [`${name}, slow consumer`, load(slow, SLOW + SLOW_PER_BYTE * bytes)],
  ]
}

function fileAt(files: readonly SizedLines[], place: number): SizedLines {
  const file = files[place]
  if (file === undefined) throw new Error(`Cannot read file ${place} as there are ${files.length}`)
  return file
}

const loads: Readonly<Record<string, Load>> = {
  'records, fast consumer': {
    once: 10_000_000,
    stream: (work, amount) => consume(records('small', scaled(amount, work)), scaled(amount, work)),
    ours: true,
  },
  'records, slow consumer': {
    once: 1_000_000,
    stream: (work, amount) => consume(records('small', scaled(amount, work)), scaled(amount, work), SLOW),
    ours: true,
  },
  'lines, fast consumer': {
    once: 15,
    stream: ({ log }, amount) => readLog(log, amount),
    ours: true,
  },
  'lines, slow consumer': {
    once: 15,
    stream: ({ log }, amount) => readLog(log, amount, SLOW),
    ours: true,
  },
  'CSV to NDJSON, file to file': {
    once: 10,
    stream: ({ table }, times) => convertTable(table, times),
    ours: true,
  },
  ...Object.fromEntries(ECHOES.flatMap(echoes)),
  // The memory of a program without threads for the same records.
  'plain loop': {
    once: 10_000_000,
    stream: (work, amount) => consume(plainRecords(scaled(amount, work)), scaled(amount, work)),
    ours: false,
  },
}

const contenders: Contender<Work>[] = []
const goals: Goal[] = []
for (const [name, { once, stream, ours }] of Object.entries(loads)) {
  const tenfold = `${name}, × ${TIMES}`
  contenders.push(
    { name, open: (work) => ({ run: () => peakOf(stream(work, once)) }) },
    { name: tenfold, open: (work) => ({ run: () => peakOf(stream(work, TIMES * once)) }) },
  )
  if (ours) goals.push({ ours: tenfold, against: name, measure: 'growth', atMost: 10 })
}

async function peakOf(done: Promise<void>): Promise<{ figure: number; answer: string }> {
  await done
  return { figure: peak(), answer: 'all in order' }
}

const memoryCase: Case<Work> = {
  name: 'memory',
  title: `peak memory, input × ${TIMES}`,
  unit: { name: 'MB', digits: 0, better: 'less' },
  cold: true,
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    const made = await table(Math.ceil(ROWS * scale), 'plain')
    const megabytes = Math.round(log.size / 1e6)
    const files = await Promise.all(ECHOES.map(({ bytes }) => sizedLines(bytes, FILE_BYTES * scale)))
    const about = `cold; 10,000,000 records (slow: 1,000,000), 3,000,000 lines of ${megabytes} MB files, ${((10 * made.size) / 1e6).toFixed()} MB of CSV, or 200 MB and more of other lines; slow: ${SLOW} µs a result and ${1_000 * SLOW_PER_BYTE} ns a byte`
    return { parameters: { scale, log, table: made, files }, answer: 'all in order', about }
  },
  contenders,
  goals,
}

export default memoryCase
