/** What the parts of a stream cost, each alone, in this process: the table that `npm run bench -- floor` prints. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { pack, unpack, type Data } from '#dist/codec/codec.js'
import { markdown } from '../harness/report.js'
import { accessLog } from '../work/log.js'
import { parse, type Hit } from '../work/parse.js'
import { median } from './clock.js'
import { LINES_COSTS, LoadedLog } from './costs-of-lines.js'
import { Threads } from './threads.js'

const LINES = 1_000_000
const TASKS = 40_000
const IN_PROGRESS = 8
const RECORDS = 1_000
const ARRAY_LENGTH = 1_000

type Row = readonly [what: string, cost: string]

export async function costs(rounds: number, scale: number): Promise<string> {
  const log = new LoadedLog(await accessLog(Math.ceil(LINES * scale)))
  const sample = log.firstLines(RECORDS)
  const rows: Row[] = [
    ...(await iteration(rounds, Math.ceil((LINES * scale) / ARRAY_LENGTH))),
    await messages(rounds, Math.ceil(TASKS * scale)),
    await parsing(rounds, sample),
    ...(await records(rounds, sample.map(parse))),
  ]
  const megabytes = Math.round(log.size / 1e6)
  for (const { what, work } of LINES_COSTS) {
    const { cpu, system } = await median(rounds, () => work(log))
    rows.push([`${what}, ${megabytes} MB`, `${cpu.toFixed(0)} ms of CPU (system ${system.toFixed(0)})`])
  }
  return markdown(['what', 'cost'], rows)
}

/** `count` values from an array: one by one, or in arrays of a thousand. */
class FromArray<T> implements AsyncIterableIterator<T> {
  readonly #values: readonly T[]
  readonly #count: number
  #taken = 0

  constructor(values: readonly T[], count: number) {
    this.#values = values
    this.#count = count
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#taken === this.#count) return Promise.resolve({ done: true, value: undefined })
    const value = this.#values[this.#taken++ % this.#values.length]
    return Promise.resolve({ done: false, value })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

async function sumOf(values: AsyncIterable<number>): Promise<number> {
  let sum = 0
  for await (const value of values) sum += value
  return sum
}

async function sumOfArrays(arrays: AsyncIterable<readonly number[]>): Promise<number> {
  let sum = 0
  for await (const values of arrays) for (const value of values) sum += value
  return sum
}

async function iteration(rounds: number, arrays: number): Promise<Row[]> {
  const values = Array.from({ length: ARRAY_LENGTH }, (_, i) => i)
  const count = arrays * ARRAY_LENGTH
  const expected = (count * (ARRAY_LENGTH - 1)) / 2
  const check = (sum: number): void => {
    if (sum !== expected) throw new Error(`Cannot measure as the sum is ${sum}: expected ${expected}`)
  }
  const single = await median(rounds, async () => {
    check(await sumOf(new FromArray(values, count)))
  })
  const chunks = await median(rounds, async () => {
    check(await sumOfArrays(new FromArray([values], arrays)))
  })
  return [
    ['`for await` over an iterator by hand, an item', nanoseconds(single.cpu / count)],
    [`the same over arrays of ${ARRAY_LENGTH}, with a plain loop in it, an item`, nanoseconds(chunks.cpu / count)],
  ]
}

async function messages(rounds: number, tasks: number): Promise<Row> {
  const threads = await Threads.start('./echo.js', 1)
  try {
    const { wall, cpu } = await median(rounds, () => threads.echo(tasks, IN_PROGRESS))
    return [
      `a number by \`postMessage\` to one bare thread and back, ${IN_PROGRESS} in progress`,
      `${microseconds(wall / tasks)}; CPU ${microseconds(cpu / tasks)}`,
    ]
  } finally {
    await threads.close()
  }
}

const REPEATS = 100

async function parsing(rounds: number, lines: readonly string[]): Promise<Row> {
  let bytes = 0
  const { cpu } = await median(rounds, () => {
    for (let i = 0; i < REPEATS; i++) for (const line of lines) bytes += parse(line).bytes
  })
  if (bytes === 0) throw new Error('Cannot measure as the records are empty')
  return ['one regular expression: a line to a record of 8 fields', nanoseconds(cpu / REPEATS / lines.length)]
}

/** A thousand records to another thread: each step on this thread, through a port whose other end is here, too. */
async function records(rounds: number, hits: readonly Hit[]): Promise<Row[]> {
  const { port1, port2 } = new MessageChannel()
  const steps = { encode: 0, post: 0, receive: 0, decode: 0 }
  let runs = 0
  const cloned = await median(rounds, () => {
    for (let i = 0; i < REPEATS; i++) structuredClone(hits)
  })
  await median(rounds, () => {
    for (let i = 0; i < REPEATS; i++, runs++) {
      const times = [performance.now()]
      const { data, transfer } = pack(hits)
      times.push(performance.now())
      port1.postMessage(data, transfer)
      times.push(performance.now())
      const message = receiveMessageOnPort(port2) as { message: Data }
      times.push(performance.now())
      if (unpack(message.message).length !== hits.length) throw new Error('Cannot measure as records are missing')
      times.push(performance.now())
      const [begin = 0, encoded = 0, posted = 0, received = 0, decoded = 0] = times
      steps.encode += encoded - begin
      steps.post += posted - encoded
      steps.receive += received - posted
      steps.decode += decoded - received
    }
  })
  port1.close()
  const means = Object.entries(steps).map(([step, time]) => `${step} ${microseconds(time / runs)}`)
  return [
    [`\`structuredClone\` of ${RECORDS} records`, microseconds(cloned.cpu / REPEATS)],
    [`${RECORDS} records as columns`, means.join(', ')],
  ]
}

function nanoseconds(milliseconds: number): string {
  return `${(milliseconds * 1e6).toFixed(0)} ns`
}

function microseconds(milliseconds: number): string {
  const time = milliseconds * 1e3
  return `${time.toFixed(time < 10 ? 1 : 0)} µs`
}
