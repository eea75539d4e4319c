/** The array of a JSON document, file to file: a fifth of its elements, with three fields, as NDJSON. */
import { json, write } from 'millrace'
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { chain } from 'stream-chain'
import { parser } from 'stream-json'
import { pick } from 'stream-json/filters/pick.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { events, saleOf, writing, type Event, type Events } from '../work/events.js'
import { pooled } from '../work/pooled.js'
import { sale } from '../work/tasks.js'

const EVENTS = 900_000
const PATH = 'rows'

const workers: Contender<Events> = {
  name: 'millrace',
  kind: 'millrace',
  open: ({ path }) =>
    pooled((pool) =>
      writing(path, (input, output) => write(output)(pool.flatMap(sale, json<Event>(input, { path: PATH })))),
    ),
}

const streamJson: Contender<Events> = {
  name: 'stream-json',
  open: ({ path }) => ({
    run: writing(path, async (input, output) => {
      const lines = chain([
        parser(),
        pick({ filter: PATH }),
        streamArray(),
        ({ value }: { readonly value: unknown }) => {
          const found = saleOf(value as Event)
          return found === undefined ? null : `${JSON.stringify(found)}\n`
        },
      ])
      await pipeline(createReadStream(input), lines, createWriteStream(output))
    }),
  }),
}

/** All of it in memory at once, which ends at half a gigabyte. */
const whole: Contender<Events> = {
  name: 'JSON.parse() of the whole file',
  kind: 'loop',
  open: ({ path }) => ({
    run: writing(path, (input, output) => {
      const { rows } = JSON.parse(readFileSync(input, 'latin1')) as { readonly rows: readonly Event[] }
      const lines = rows.map(saleOf).filter((found) => found !== undefined)
      writeFileSync(output, lines.map((found) => `${JSON.stringify(found)}\n`).join(''))
    }),
  }),
}

const jsonCase: Case<Events> = {
  name: 'json',
  title: 'a fifth of the elements of a JSON array, with three fields, as NDJSON',
  unit: SECONDS,
  async prepare(scale) {
    const made = await events(Math.ceil(EVENTS * scale), 'array')
    const about = `${made.events.toLocaleString('en')} elements, ${Math.round(made.size / 1e6)} MB`
    return { parameters: made, answer: made.written, about }
  },
  contenders: [workers, streamJson, whole],
  goals: [{ ours: workers.name, against: streamJson.name, measure: 'advantage', atLeast: 5 }],
}

export default jsonCase
