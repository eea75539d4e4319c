/** What the checkpoints of `resume` cost: a run from files to a file, without any and with them. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { csv, pipe, write, type ResumeOptions } from 'millrace'
import { SECONDS, type Case, type Contender } from '../harness/case.js'
import { PICKED, pickedText } from '../work/picks.js'
import { pooled } from '../work/pooled.js'
import { table, type Row } from '../work/table.js'
import { pick } from '../work/tasks.js'

const ROWS = 1_800_000
/** How often the table is read: a run takes many times the default interval. */
const TIMES = 16

interface Input {
  readonly paths: readonly string[]
}

function contender(name: string, resume: boolean | ResumeOptions): Contender<Input> {
  return {
    name,
    kind: 'millrace',
    open: ({ paths }) => {
      const output = `${paths[0] ?? ''}.${process.pid}.out.ndjson`
      return pooled((pool) => async () => {
        const start = performance.now()
        await pipe(csv<Row>(paths, { columns: PICKED }), (rows) => pool.imap(pick, rows), write(output, { resume }))
        const figure = (performance.now() - start) / 1_000
        const answer = await hashOf(createReadStream(output))
        await rm(output)
        return { figure, answer }
      })
    },
  }
}

async function hashOf(bytes: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha1')
  for await (const block of bytes) hash.update(block as Buffer)
  return hash.digest('hex')
}

const without = contender('without', false)
const standard = contender('resume: true', true)
const often = contender('a checkpoint each second', { interval: 1_000 })

const resume: Case<Input> = {
  name: 'resume',
  title: 'three of eight columns of CSV files, as NDJSON, with checkpoints',
  unit: SECONDS,
  async prepare(scale) {
    const made = await table(Math.ceil(ROWS * scale), 'plain')
    const text = await pickedText(made)
    const answer = createHash('sha1')
    for (let time = 0; time < TIMES; time++) answer.update(text)
    const megabytes = (size: number): number => Math.round((size * TIMES) / 1e6)
    const about = `${(made.rows * TIMES).toLocaleString('en')} rows, ${megabytes(made.size)} MB, to ${megabytes(text.length)} MB`
    const paths = Array.from({ length: TIMES }, () => made.path)
    return { parameters: { paths }, answer: answer.digest('hex'), about }
  },
  contenders: [without, standard, often],
  goals: [{ ours: standard.name, against: without.name, measure: 'cost', atMost: 1.03 }],
}

export default resume
