/** The streams of the soak. Each runs once, checks all its results, and reports its counts of items. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome, Pool, Stream } from 'millrace'
import type { Account } from './account.js'
import { answer, isEven, several, sum, type Answer, type Load, type Mood } from './tasks.js'

/** One item of this many has that mood. */
const MOODS: readonly (readonly [mood: Mood, oneIn: number, code: string | undefined])[] = [
  ['throw', 1_000, undefined],
  ['reject', 1_000, undefined],
  ['unclonable', 5_000, 'ERR_NOT_SERIALIZABLE'],
  ['exit', 50_000, 'ERR_WORKER_CRASHED'],
  ['crash', 50_000, 'ERR_WORKER_CRASHED'],
  ['loop', 200_000, 'ERR_TASK_TIMEOUT'],
  ['hang', 200_000, 'ERR_TASK_TIMEOUT'],
]
/** On a busy machine, a thread may have to wait half a second for a core. */
const TIMEOUT = 1_000
const ITEMS = 20_000

export interface Count {
  readonly items: number
  readonly failed: number
}

/** The parameters of a stream: a pool, and random numbers that can be repeated. */
export interface Way {
  readonly pool: Pool
  readonly account: Account
  /** From 0 up to 1. */
  readonly random: () => number
}

/** Runs one stream to its end. Throws if anything is wrong. */
export type Run = (way: Way) => Promise<Count>

function moodOf(random: () => number): Mood {
  for (const [mood, oneIn] of MOODS) if (random() * oneIn < 1) return mood
  return 'ok'
}

function loads({ random }: Way): Load[] {
  return Array.from({ length: ITEMS }, (_, n) => ({ n, mood: moodOf(random) }))
}

function optionsOf({ random }: Way): {
  chunksize: number | 'auto'
  window: number
  concurrency: number
  timeout: number
} {
  const chunksize = pick(random, [1, 7, 100, 'auto'] as const)
  return {
    chunksize,
    window: pick(random, [100, 1_000, 5_000]),
    concurrency: pick(random, [1, 1, 4]),
    timeout: TIMEOUT,
  }
}

function pick<const T>(random: () => number, values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new Error('There is nothing to pick from')
  return value
}

/** Every item has one outcome, and it is correct; in order, if the stream is ordered. */
async function drained(
  stream: AsyncIterable<Outcome<Load, Answer>>,
  items: readonly Load[],
  ordered: boolean,
): Promise<Count> {
  const seen = new Set<number>()
  let failed = 0
  for await (const outcome of stream) {
    const { index } = outcome
    if (seen.has(index)) throw new Error(`Item ${index} has two outcomes`)
    if (ordered && index !== seen.size) throw new Error(`Item ${index} came in the place of item ${seen.size}`)
    seen.add(index)
    const { mood } = items[index] ?? { mood: undefined }
    if (outcome.status === 'fulfilled') {
      if (mood !== 'ok' || outcome.value.n !== index || outcome.value.text !== `answer ${index}`) throw wrong(outcome)
    } else {
      failed++
      const [, , code] = MOODS.find(([name]) => name === mood) ?? [undefined, undefined, 'none']
      if ((outcome.reason as { code?: string }).code !== code) throw wrong(outcome)
    }
  }
  if (seen.size !== items.length) throw new Error(`${items.length} items have ${seen.size} outcomes`)
  return { items: seen.size, failed }
}

function wrong(outcome: Outcome<Load, Answer>): Error {
  return new Error(`Item ${outcome.index} has the wrong outcome`, { cause: outcome })
}

async function settled(way: Way, ordered: boolean): Promise<Count> {
  const items = loads(way)
  const verb = ordered ? way.pool.imap : way.pool.imapUnordered
  const stream = way.account.open(verb(answer, items, { ...optionsOf(way), errors: 'settle' }))
  const count = await drained(stream, items, ordered)
  way.account.close(stream)
  return count
}

/** The consumer leaves at any time: by `break`, or by an abort. */
async function brokenOff(way: Way, aborted: boolean): Promise<Count> {
  const items = loads(way)
  const controller = new AbortController()
  const options = { ...optionsOf(way), errors: 'skip', signal: controller.signal } as const
  const stream = way.account.open(way.pool.imap(answer, items, options))
  let left = Math.floor(way.random() * ITEMS)
  try {
    for await (const _ of stream) {
      if (left-- > 0) continue
      if (!aborted) break
      controller.abort()
    }
  } catch (error) {
    if (error !== controller.signal.reason) throw error
  }
  way.account.close(stream, true)
  const { read, failed } = stream.stats()
  return { items: read, failed }
}

/** The consumer is slower than the workers, and takes whole chunks. */
async function slow(way: Way): Promise<Count> {
  const items = loads(way)
  const stream = way.account.open(way.pool.imap(answer, items, { ...optionsOf(way), errors: 'skip' }))
  let last = -1
  let given = 0
  let chunks = 0
  for await (const chunk of stream.chunks()) {
    for (const { n } of chunk) {
      if (n <= last) throw new Error(`Item ${n} came after item ${last}`)
      last = n
      given++
    }
    if (++chunks % 20 === 0) await sleep(1)
  }
  const { read, failed } = stream.stats()
  if (given !== items.filter(({ mood }) => mood === 'ok').length) throw new Error(`${given} results, ${failed} failed`)
  way.account.close(stream)
  return { items: read, failed }
}

/** filter, flatMap and reduce leave the failed items out. Their results can be cloned for every mood of an item. */
async function others(way: Way): Promise<Count> {
  const items = loads(way)
  const good = items.filter(({ mood }) => mood === 'ok' || mood === 'unclonable').map(({ n }) => n)
  const options = { ...optionsOf(way), errors: 'skip' } as const
  const kind = pick(way.random, ['filter', 'flatMap', 'reduce'])
  if (kind === 'reduce') {
    const { concurrency: _, ...rest } = options
    const total = await way.pool.reduce(sum, items, { ...rest, initial: 0, merge: (a, b) => a + b })
    const expected = good.reduce((a, b) => a + b, 0)
    if (total !== expected) throw new Error(`reduce gave ${total} in the place of ${expected}`)
    return { items: items.length, failed: items.length - good.length }
  }
  const stream: Stream<number | Load> =
    kind === 'filter' ? way.pool.filter(isEven, items, options) : way.pool.flatMap(several, items, options)
  const expected =
    kind === 'filter' ? good.filter((n) => n % 2 === 0) : good.flatMap((n) => Array<number>(1 + (n % 3)).fill(n))
  let at = 0
  for await (const result of stream) {
    const n = typeof result === 'number' ? result : result.n
    if (n !== expected[at++]) throw new Error(`${kind} gave ${n} in the place of ${expected[at - 1]}`)
  }
  if (at !== expected.length) throw new Error(`${kind} gave ${at} in the place of ${expected.length}`)
  return { items: items.length, failed: stream.stats().failed }
}

export const RUNS: readonly Run[] = [
  (way) => settled(way, true),
  (way) => settled(way, false),
  (way) => brokenOff(way, false),
  (way) => brokenOff(way, true),
  slow,
  others,
]
