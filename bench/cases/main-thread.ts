/**
 * From file to file: how long does the main thread work, in percent of the time? It reads, cuts, orders and writes bytes. Beside it: how
 * long its event loop does not wait. That includes the time in which the thread waits for a core, as workers have them all.
 */
import { csv, ndjson, pipe, write } from 'millrace'
import { rm } from 'node:fs/promises'
import { NotMeasured, type Case, type Contender, type Entry } from '../harness/case.js'
import { CpuMeter } from '../harness/cpu.js'
import { events, type Event, type Events } from '../work/events.js'
import { PICKED } from '../work/picks.js'
import { pooled } from '../work/pooled.js'
import { table, type Row, type Table } from '../work/table.js'
import { pick, sale } from '../work/tasks.js'

const ROWS = 1_800_000
const EVENTS = 900_000

interface Work {
  readonly rows: Table
  readonly sales: Events
}

/** Runs from a file to a file. */
type Run = (output: string) => Promise<{ written: number }>
/** The share of the time of a run, in percent. */
type Measure = (work: () => Promise<unknown>) => Promise<number>

/** In which the thread was on a core. */
async function onCore(): Promise<Measure> {
  const meter = await CpuMeter.create()
  return async (work) => {
    const start = performance.now()
    meter.start()
    await work()
    const { threads } = meter.stop()
    if (threads === undefined) throw new NotMeasured('this system does not tell the time of a thread')
    return (100 * threads.main) / (performance.now() - start)
  }
}

/** In which the event loop did not wait. */
async function inLoop(work: () => Promise<unknown>): Promise<number> {
  const before = performance.eventLoopUtilization()
  await work()
  return 100 * performance.eventLoopUtilization(before).utilization
}

function measured(measure: Measure, path: string, run: Run): Entry['run'] {
  const output = `${path}.${process.pid}.out.ndjson`
  return async () => {
    const figure = await measure(() => run(output))
    await rm(output)
    return { figure, answer: 'written' }
  }
}

function rows(name: string, open: () => Promise<Measure>): Contender<Work> {
  return {
    name,
    kind: 'millrace',
    open: async ({ rows: { path } }) => {
      const measure = await open()
      return pooled((pool) =>
        measured(measure, path, (output) =>
          pipe(csv<Row>(path, { columns: PICKED }), (rows) => pool.imap(pick, rows), write(output)),
        ),
      )
    },
  }
}

function values(name: string, open: () => Promise<Measure>): Contender<Work> {
  return {
    name,
    kind: 'millrace',
    open: async ({ sales: { path } }) => {
      const measure = await open()
      return pooled((pool) =>
        measured(measure, path, (output) => write(output)(pool.flatMap(sale, ndjson<Event>(path)))),
      )
    },
  }
}

const ROWS_ON_CORE = 'CSV to NDJSON'
const VALUES_ON_CORE = 'NDJSON to NDJSON'

const mainThread: Case<Work> = {
  name: 'main-thread',
  title: 'the main thread, working in percent of the time',
  unit: { name: '%', digits: 0, better: 'less' },
  async prepare(scale) {
    const made = await table(Math.ceil(ROWS * scale), 'plain')
    const sales = await events(Math.ceil(EVENTS * scale), 'lines')
    const about = `as csv-to-ndjson, ${Math.round(made.size / 1e6)} MB, and ndjson, ${Math.round(sales.size / 1e6)} MB`
    return { parameters: { rows: made, sales }, answer: 'written', about }
  },
  contenders: [
    rows(ROWS_ON_CORE, onCore),
    rows(`${ROWS_ON_CORE}, event loop`, () => Promise.resolve(inLoop)),
    values(VALUES_ON_CORE, onCore),
    values(`${VALUES_ON_CORE}, event loop`, () => Promise.resolve(inLoop)),
  ],
  goals: [ROWS_ON_CORE, VALUES_ON_CORE].map((ours) => ({ ours, measure: 'figure', atMost: 35 })),
}

export default mainThread
