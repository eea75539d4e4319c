/** NDJSON, file to file: a fifth of the records, with three fields. */
import { ndjson, write } from 'millrace'
import { closeSync, openSync, writeSync } from 'node:fs'
import { assertInstalled, run } from '../cli/programs.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { events, SALE_KEYS, saleOf, writing, type Event, type Events, type SaleKeys } from '../work/events.js'
import { eachLine } from '../work/expert.js'
import { pooled } from '../work/pooled.js'
import { sale } from '../work/tasks.js'

const EVENTS = 900_000
/** Of text that the loop writes at a time. */
const BLOCK = 256 * 1024

const workers: Contender<Events> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ path }) =>
    pooled((pool) => writing(path, (input, output) => write(output)(pool.flatMap(sale, ndjson<Event>(input))))),
}

/** Five of the eight values of a record are decoded. */
const columns: Contender<Events> = {
  name: 'millrace, columns',
  kind: 'millrace',
  open: ({ path }) =>
    pooled((pool) =>
      writing(path, (input, output) =>
        write(output)(pool.flatMap(sale, ndjson<SaleKeys>(input, { columns: SALE_KEYS }))),
      ),
    ),
}

/** By hand, on one thread: large blocks, and one string for all lines of each. */
const loop: Contender<Events> = {
  name: "expert's loop",
  kind: 'loop',
  open: ({ path }) => ({
    run: writing(path, (input, output) => {
      const file = openSync(output, 'w')
      let text = ''
      eachLine(input, (line) => {
        const found = saleOf(JSON.parse(line) as Event)
        if (found === undefined) return
        text += `${JSON.stringify(found)}\n`
        if (text.length < BLOCK) return
        writeSync(file, text)
        text = ''
      })
      writeSync(file, text)
      closeSync(file)
    }),
  }),
}

const JQ = 'select(.type == "buy") | {id, user: .user.name, total: ((.count * .price * 100 | round) / 100)}'

const jq: Contender<Events> = {
  name: 'jq',
  open: ({ path }) => {
    assertInstalled('jq')
    return { run: writing(path, (input, output) => run(['jq', '-c', JQ, input], output)) }
  },
}

const ndjsonCase: Case<Events> = {
  name: 'ndjson',
  title: 'a fifth of an NDJSON file, with three fields, into another one',
  unit: SECONDS,
  async prepare(scale) {
    const made = await events(Math.ceil(EVENTS * scale), 'lines')
    const about = `${made.events.toLocaleString('en')} values, ${Math.round(made.size / 1e6)} MB`
    return { parameters: made, answer: made.written, about }
  },
  contenders: [workers, columns, loop, jq],
  goals: [
    // Nearly all of the work is JSON.parse(), also of the loop.
    { ours: workers.name, against: loop.name, measure: 'advantage', atLeast: 1.6 },
    { ours: columns.name, against: loop.name, measure: 'advantage', atLeast: 1.6 },
    { ours: workers.name, against: jq.name, measure: 'advantage', atLeast: 3 },
  ],
}

export default ndjsonCase
