/** From file to file: how long is the main thread busy, in percent of the time? It reads, cuts, orders and writes bytes. */
import { csv, ndjson, pipe, write } from 'millrace'
import { rm } from 'node:fs/promises'
import type { Case, Contender, Entry } from '../harness/case.js'
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

/** Runs from a file to a file, and gives the share of the time in which the event loop does not wait. */
function busy(path: string, work: (output: string) => Promise<{ written: number }>): Entry['run'] {
  const output = `${path}.${process.pid}.out.ndjson`
  return async () => {
    const before = performance.eventLoopUtilization()
    await work(output)
    const { utilization } = performance.eventLoopUtilization(before)
    await rm(output)
    return { figure: 100 * utilization, answer: 'written' }
  }
}

const rows: Contender<Work> = {
  name: 'CSV to NDJSON',
  kind: 'millrace',
  open: ({ rows: { path } }) =>
    pooled((pool) =>
      busy(path, (output) => pipe(csv<Row>(path, { columns: PICKED }), (rows) => pool.imap(pick, rows), write(output))),
    ),
}

const values: Contender<Work> = {
  name: 'NDJSON to NDJSON',
  kind: 'millrace',
  open: ({ sales: { path } }) =>
    pooled((pool) => busy(path, (output) => write(output)(pool.flatMap(sale, ndjson<Event>(path))))),
}

const mainThread: Case<Work> = {
  name: 'main-thread',
  title: 'the main thread, busy in percent of the time',
  unit: { name: '%', digits: 0, better: 'less' },
  async prepare(scale) {
    const made = await table(Math.ceil(ROWS * scale), 'plain')
    const sales = await events(Math.ceil(EVENTS * scale), 'lines')
    const about = `as csv-to-ndjson, ${Math.round(made.size / 1e6)} MB, and ndjson, ${Math.round(sales.size / 1e6)} MB`
    return { parameters: { rows: made, sales }, answer: 'written', about }
  },
  contenders: [rows, values],
  goals: [{ ours: rows.name, measure: 'figure', atMost: 35 }],
}

export default mainThread
