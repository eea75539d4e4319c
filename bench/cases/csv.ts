/** A CSV file to a function that needs all fields of each row: the CPU time of parsing, on one thread or on several. */
import { csv } from 'millrace'
import { parse } from 'csv-parse'
import { createReadStream } from 'node:fs'
import Papa from 'papaparse'
import { inferSchema, initParser } from 'udsv'
import type { Case, Contender, Entry, Unit } from '../harness/case.js'
import { pooled } from '../work/pooled.js'
import { addRow, mergeSums, noSums, table, type Row, type Style, type Sums, type Table } from '../work/table.js'
import { sumRow } from '../work/tasks.js'

const ROWS = 2_000_000

/** Of the whole process. With several threads, the time on the clock is shorter. */
const CPU_SECONDS: Unit = { name: 'CPU s', digits: 3, better: 'less' }

function onCpu(work: () => Promise<Sums>): Entry['run'] {
  return async () => {
    const before = process.cpuUsage()
    const answer = await work()
    const { user, system } = process.cpuUsage(before)
    return { figure: (user + system) / 1e6, answer }
  }
}

const workers: Contender<Table> = {
  name: 'millrace reduce',
  kind: 'millrace',
  open: ({ path }) =>
    pooled((pool) => onCpu(() => pool.reduce(sumRow, csv<Row>(path), { initial: noSums(), merge: mergeSums }))),
}

const here: Contender<Table> = {
  name: 'millrace for await',
  kind: 'millrace',
  open: ({ path }) => ({
    run: onCpu(async () => {
      const sums = noSums()
      for await (const row of csv<Row>(path)) addRow(sums, row)
      return sums
    }),
  }),
}

/** It takes strings. A stream with an encoding cuts no character. */
const udsv: Contender<Table> = {
  name: 'udsv',
  open: ({ path }) => ({
    run: onCpu(async () => {
      const sums = noSums()
      let parser: ReturnType<typeof initParser> | undefined
      const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 })
      for await (const text of stream as AsyncIterable<string>) {
        parser ??= initParser(inferSchema(text))
        parser.chunk<Record<string, string>>(text, parser.stringObjs, (row) => {
          addRow(sums, row as unknown as Row)
        })
      }
      parser?.end()
      return sums
    }),
  }),
}

const papaparse: Contender<Table> = {
  name: 'papaparse',
  open: ({ path }) => ({
    run: onCpu(
      () =>
        new Promise((resolve, reject) => {
          const sums = noSums()
          Papa.parse<Row>(createReadStream(path, { highWaterMark: 1 << 18 }), {
            header: true,
            skipEmptyLines: true,
            chunk: ({ data }) => {
              for (const row of data) addRow(sums, row)
            },
            complete: () => {
              resolve(sums)
            },
            error: reject,
          })
        }),
    ),
  }),
}

const csvParse: Contender<Table> = {
  name: 'csv-parse',
  open: ({ path }) => ({
    run: onCpu(async () => {
      const sums = noSums()
      const rows = createReadStream(path, { highWaterMark: 1 << 18 }).pipe(parse({ columns: true }))
      for await (const row of rows as AsyncIterable<Row>) addRow(sums, row)
      return sums
    }),
  }),
}

export function csvCase(name: string, title: string, style: Style): Case<Table> {
  return {
    name,
    title,
    unit: CPU_SECONDS,
    async prepare(scale) {
      const made = await table(Math.ceil(ROWS * scale), style)
      const about = `${made.rows.toLocaleString('en')} rows of 8 fields, ${Math.round(made.size / 1e6)} MB`
      return { parameters: made, answer: made.sums, about }
    },
    contenders: [workers, here, udsv, papaparse, csvParse],
    goals: [
      { ours: workers.name, against: udsv.name, measure: 'advantage', atLeast: 2 },
      { ours: workers.name, against: papaparse.name, measure: 'advantage', atLeast: 2.5 },
      { ours: workers.name, against: csvParse.name, measure: 'advantage', atLeast: 6 },
    ],
  }
}

export default csvCase('csv', 'a CSV file to sums of its rows, CPU time', 'plain')
