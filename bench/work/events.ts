/**
 * The JSON files that are read: the same events as NDJSON and as an array. They are made here, once, and kept in the
 * temporary folder. Their maker also knows what contenders must write.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Entry } from '../harness/case.js'
import { mulberry32 } from './random.js'

/** One line of NDJSON, or one element of the array. */
export interface Event {
  readonly id: number
  readonly time: string
  readonly user: { readonly name: string; readonly mail: string }
  readonly type: string
  readonly tags: readonly string[]
  readonly count: number
  readonly price: number
  readonly note: string
}

/** What of an event the work needs. */
export const SALE_KEYS = ['type', 'id', 'user', 'count', 'price'] as const
export type SaleKeys = Pick<Event, (typeof SALE_KEYS)[number]>

/** What is written of an event. */
export interface Sale {
  readonly id: number
  readonly user: string
  readonly total: number
}

/** A file of events. */
export interface Events {
  readonly path: string
  /** The size of the file in bytes. */
  readonly size: number
  readonly events: number
  readonly written: Written
}

/** What contenders write: how many lines, and how many bytes. */
export interface Written {
  readonly lines: number
  readonly size: number
}

/** `'lines'` is NDJSON. `'array'` is the array `rows` of an object. */
export type Form = 'lines' | 'array'

/** Change this number whenever the files change. */
const VERSION = 1
const BLOCK = 256 * 1024
const NEWLINE = 10
const TYPES = ['view', 'view', 'view', 'cart', 'buy']
const NAMES = ['ann', 'bob', 'carol', 'dieter', 'eva', 'frank', 'greta', 'hugo']
const TAGS = ['new', 'sale', 'mobile', 'desktop', 'returning', 'newsletter']

/** The work on each event: a fifth of them is kept, with three fields. All contenders call this function. */
export function saleOf({ type, id, user, count, price }: SaleKeys): Sale | undefined {
  return type === 'buy' ? { id, user: user.name, total: Math.round(count * price * 100) / 100 } : undefined
}

/** The file of this many events. It is made if it does not exist. */
export async function events(count: number, form: Form): Promise<Events> {
  const path = join(tmpdir(), `millrace-bench-events-${form}-${count}-v${VERSION}.json`)
  const known = `${path}.answer`
  // The answer is written last, so that half a file never has one.
  const kept = await readFile(known, 'utf8').then(
    (text) => JSON.parse(text) as Events,
    () => undefined,
  )
  const found = await stat(path).catch(() => undefined)
  if (kept !== undefined && found?.size === kept.size) return kept
  const partial = `${path}.part`
  const written = { lines: 0, size: 0 }
  try {
    await pipeline(blocks(count, form, written), createWriteStream(partial))
    const { size } = await stat(partial)
    await rename(partial, path)
    const made = { path, size, events: count, written }
    await writeFile(known, JSON.stringify(made))
    return made
  } finally {
    await rm(partial, { force: true })
  }
}

function* blocks(count: number, form: Form, written: { lines: number; size: number }): Generator<Buffer> {
  let block = form === 'array' ? '{"version":1,"rows":[\n' : ''
  let left = count
  for (const event of allEvents(count)) {
    const sale = saleOf(event)
    if (sale !== undefined) {
      written.lines++
      written.size += JSON.stringify(sale).length + 1
    }
    block += `${JSON.stringify(event)}${form === 'array' && --left > 0 ? ',' : ''}\n`
    if (block.length < BLOCK) continue
    yield Buffer.from(block)
    block = ''
  }
  yield Buffer.from(form === 'array' ? `${block}]}\n` : block)
}

function* allEvents(count: number): Generator<Event> {
  const random = mulberry32(20_261_130)
  const pick = (list: readonly string[]): string => list[Math.floor(list.length * random())] ?? ''
  for (let id = 1; id <= count; id++) {
    const name = pick(NAMES)
    yield {
      id,
      time: new Date(1_700_000_000_000 + id * 1_003).toISOString(),
      user: { name, mail: `${name}.${id % 991}@example.com` },
      type: pick(TYPES),
      tags: [pick(TAGS), pick(TAGS)],
      count: 1 + (id % 5),
      price: Math.round(random() * 10_000) / 100,
      note: `said "${pick(TAGS)}" at [${id % 24}:00], {left}`,
    }
  }
}

/** Measures a contender that reads events and writes sales. What was written is looked at afterwards. */
export function writing(path: string, work: (input: string, output: string) => unknown): Entry['run'] {
  const output = `${path}.${process.pid}.out.ndjson`
  return async () => {
    const start = performance.now()
    await work(path, output)
    const figure = (performance.now() - start) / 1_000
    const answer = await contentOf(output)
    await rm(output)
    return { figure, answer }
  }
}

async function contentOf(path: string): Promise<Written> {
  let lines = 0
  let size = 0
  for await (const block of createReadStream(path) as AsyncIterable<Buffer>) {
    size += block.length
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) lines++
  }
  return { lines, size }
}
