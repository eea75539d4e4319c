/** CSV to NDJSON, file to file: three of eight columns. */
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse'
import { csv, pipe, write } from 'millrace'
import { closeSync, createReadStream, createWriteStream, openSync, writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { inferSchema, initParser } from 'udsv'
import { assertInstalled, run } from '../cli/programs.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { converting, PICKED, pickOf, picks, type Picks } from '../work/picks.js'
import { pooled } from '../work/pooled.js'
import type { Row } from '../work/table.js'
import { pick } from '../work/tasks.js'

const ROWS = 1_800_000
/** Of text that the loop writes at a time, and of bytes that streams read at a time. */
const BLOCK = 256 * 1024

const workers: Contender<Picks> = {
  name: 'millrace',
  kind: 'millrace',
  open: (table) =>
    pooled((pool) =>
      converting(table, (input, output) =>
        pipe(csv<Row>(input, { columns: PICKED }), (rows) => pool.imap(pick, rows), write(output)),
      ),
    ),
}

const csvParse: Contender<Picks> = {
  name: 'csv-parse',
  open: (table) => ({
    run: converting(table, (input, output) =>
      pipeline(
        createReadStream(input, { highWaterMark: BLOCK }),
        parse({ columns: true }),
        new Transform({
          writableObjectMode: true,
          transform(row: Row, _encoding, done) {
            done(null, `${JSON.stringify(pickOf(row))}\n`)
          },
        }),
        createWriteStream(output),
      ),
    ),
  }),
}

/** By hand, on one thread: large blocks of input, and of output. */
const udsv: Contender<Picks> = {
  name: 'udsv loop',
  open: (table) => ({
    run: converting(table, async (input, output) => {
      const file = openSync(output, 'w')
      let text = ''
      let parser: ReturnType<typeof initParser> | undefined
      const stream = createReadStream(input, { encoding: 'utf8', highWaterMark: BLOCK })
      for await (const block of stream as AsyncIterable<string>) {
        parser ??= initParser(inferSchema(block))
        parser.chunk<Record<string, string>>(block, parser.stringObjs, (row) => {
          text += `${JSON.stringify(pickOf(row as unknown as Row))}\n`
        })
        if (text.length < BLOCK) continue
        writeSync(file, text)
        text = ''
      }
      parser?.end()
      writeSync(file, text)
      closeSync(file)
    }),
  }),
}

const miller: Contender<Picks> = {
  name: 'Miller',
  open: (table) => {
    assertInstalled('mlr')
    return {
      run: converting(table, (input, output) =>
        run(['mlr', '--icsv', '--ojsonl', '-S', 'cut', '-o', '-f', PICKED.join(), input], output),
      ),
    }
  },
}

/** Without types, as for all others: to guess them takes it longer. */
const duckdb: Contender<Picks> = {
  name: 'DuckDB',
  open: async (table) => {
    const instance = await DuckDBInstance.create(':memory:', { threads: String(availableParallelism()) })
    const connection = await instance.connect()
    return {
      run: converting(table, (input, output) =>
        connection.run(
          `COPY (SELECT ${PICKED.join()} FROM read_csv('${input}', all_varchar = true, header = true)) TO '${output}' (FORMAT json)`,
        ),
      ),
      close: () => {
        connection.closeSync()
        instance.closeSync()
        return Promise.resolve()
      },
    }
  },
}

const csvToNdjson: Case<Picks> = {
  name: 'csv-to-ndjson',
  title: 'three of eight columns of a CSV file, as NDJSON',
  unit: SECONDS,
  async prepare(scale) {
    const made = await picks(Math.ceil(ROWS * scale))
    const about = `${made.rows.toLocaleString('en')} rows, ${Math.round(made.size / 1e6)} MB, to ${Math.round(made.written.size / 1e6)} MB`
    return { parameters: made, answer: made.written, about }
  },
  contenders: [workers, csvParse, udsv, miller, duckdb],
  goals: [
    { ours: workers.name, against: csvParse.name, measure: 'advantage', atLeast: 3 },
    { ours: workers.name, against: udsv.name, measure: 'advantage', atLeast: 2 },
    { ours: workers.name, against: miller.name, measure: 'advantage', atLeast: 4 },
    { ours: workers.name, against: duckdb.name, measure: 'cost', atMost: 2.5 },
  ],
}

export default csvToNdjson
