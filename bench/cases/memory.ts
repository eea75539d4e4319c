/**
 * Peak memory when the input is ten times as large. Each measurement has a process of its own, which streams the smaller input
 * before it begins: V8 sizes the heap of any program by the first few million objects that it makes (`memory-sizes` shows it).
 */
import type { Case, Contender, Goal } from '../harness/case.js'
import { accessLog, type Log } from '../work/log.js'
import { consume, peak, plainRecords, readLog, records } from '../work/memory.js'

const RECORDS = 1_000_000
const LINES = 200_000
const TIMES = 10
/** What the slow consumer takes for each result, in microseconds: more than the workers do. */
const SLOW = 2

interface Work {
  readonly records: number
  readonly log: Log
  readonly longLog: Log
}

interface Load {
  /** Streams the smaller input, and then the one to measure. */
  readonly stream: (work: Work, tenfold: boolean, microseconds: number) => Promise<void>
  /** By name, what the consumer takes for each result, in microseconds. */
  readonly consumers: Readonly<Record<string, number>>
  readonly ours: boolean
}

const loads: Readonly<Record<string, Load>> = {
  records: {
    stream: async ({ records: count }, tenfold, microseconds) => {
      await consume(records('small', count), count)
      const more = tenfold ? TIMES * count : count
      await consume(records('small', more), more, microseconds)
    },
    consumers: { fast: 0, slow: SLOW },
    ours: true,
  },
  'lines of a file': {
    stream: async ({ log, longLog }, tenfold, microseconds) => {
      await readLog(log)
      await readLog(tenfold ? longLog : log, microseconds)
    },
    consumers: { fast: 0, slow: SLOW },
    ours: true,
  },
  // What a program without threads takes for the same records.
  'plain loop': {
    stream: async ({ records: count }, tenfold, microseconds) => {
      await consume(plainRecords(count), count)
      const more = tenfold ? TIMES * count : count
      await consume(plainRecords(more), more, microseconds)
    },
    consumers: { fast: 0 },
    ours: false,
  },
}

const contenders: Contender<Work>[] = []
const goals: Goal[] = []
for (const [what, { stream, consumers, ours }] of Object.entries(loads)) {
  for (const [consumer, microseconds] of Object.entries(consumers)) {
    const [once, tenfold] = [`${what}, ${consumer} consumer`, `${what}, ${consumer} consumer, × ${TIMES}`]
    contenders.push(
      { name: once, open: (work) => ({ run: () => peakOf(stream(work, false, microseconds)) }) },
      { name: tenfold, open: (work) => ({ run: () => peakOf(stream(work, true, microseconds)) }) },
    )
    if (ours) goals.push({ ours: tenfold, against: once, measure: 'growth', atMost: 10 })
  }
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
    const lines = Math.ceil(LINES * scale)
    const [log, longLog] = [await accessLog(lines), await accessLog(TIMES * lines)]
    const work = { records: Math.ceil(RECORDS * scale), log, longLog }
    const about = `${work.records.toLocaleString('en')} records, ${lines.toLocaleString('en')} lines (${Math.round(log.size / 1e6)} MB); slow: ${SLOW} µs a result`
    return { parameters: work, answer: 'all in order', about }
  },
  contenders,
  goals,
}

export default memoryCase
