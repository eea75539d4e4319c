/**
 * A model of a stream: from one seed come a source, items that do or suffer something, options and a consumer; a few lines
 * of plain code say what the consumer must be given. What it is given in fact must be that, or, where it leaves early, the
 * beginning of that. `test/faults/model.test.ts` runs some seeds, `npm run fuzz` as many as there is time for.
 */
import { lines, Pool, type Outcome, type Stream } from 'millrace'
import { deed, map, numberOf, type Deed } from '../fixtures/faults.js'
import { errorOf, isGood, isIdle, open, valuesOf, type Run, type Verb } from './faults.js'

export interface Case {
  readonly seed: number
  readonly verb: Verb
  readonly ordered: boolean
  readonly errors: 'settle' | 'skip' | 'throw'
  readonly chunksize: number | 'auto' | undefined
  readonly window: number | undefined
  readonly concurrency: number
  readonly timeout: number | undefined
  readonly workers: number
  readonly maxTasksPerWorker: number | undefined
  readonly source: 'array' | 'generator' | 'slow' | 'lines'
  /** How many items the source gives before it throws. */
  readonly throwsAt: number | undefined
  readonly deeds: readonly Deed[]
  readonly consumer: 'drain' | 'chunks' | 'slow' | 'break' | 'abort'
  /** How many results it takes before it leaves. */
  readonly leavesAt: number
  /** Another stream that shares the pool. */
  readonly neighbour: boolean
}

/** A generator of numbers from 0 up to 1: the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function caseOf(seed: number): Case {
  const random = randomOf(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const oneOf = <const T extends readonly unknown[]>(...values: T): T[number] => values[below(values.length)]
  const maybe = <T>(chance: number, value: () => T): T | undefined => (random() < chance ? value() : undefined)
  const verb = oneOf('imap', 'imap', 'filter', 'flatMap', 'reduce')
  const chunksize = oneOf(1, 2, 7, 16, 64, 'auto', undefined)
  const timeout = maybe(0.4, () => 400 + below(200))
  const faulty = oneOf(0, 0.01, 0.03, 0.1)
  const harmless = oneOf('go', 'go', 'wait', 'work')
  const kinds: Deed[] = ['throw', 'reject', 'uncaught', 'unhandled', 'exit', 'exit']
  if (verb === 'imap') kinds.push('unclonable')
  if (timeout !== undefined) kinds.push('spin', 'hang')
  const deeds = Array.from({ length: oneOf(0, 1, 5, 30, 100, 300) }, () => {
    if (random() < faulty) return oneOf(...kinds)
    return random() < 0.1 ? oneOf('go', 'wait', 'work') : harmless
  })
  const least = typeof chunksize === 'number' ? chunksize : 1
  const ordered = random() < 0.5
  const errors = oneOf('settle', 'settle', 'skip', 'throw')
  return {
    seed,
    verb,
    ordered,
    errors: verb === 'imap' || errors !== 'settle' ? errors : 'skip',
    chunksize,
    window: maybe(0.5, () => least + below(3 * least)),
    concurrency: verb === 'reduce' ? 1 : oneOf(1, 1, 2, 4, 16),
    timeout,
    workers: oneOf(1, 2, 2, 4),
    maxTasksPerWorker: maybe(0.25, () => oneOf(1, 5, 20, 100)),
    source: oneOf('array', 'generator', 'slow', 'lines'),
    throwsAt: maybe(0.15, () => below(deeds.length + 1)),
    deeds,
    consumer: verb === 'reduce' ? 'drain' : oneOf('drain', 'drain', 'chunks', 'slow', 'break', 'abort'),
    leavesAt: 1 + below(Math.max(1, deeds.length)),
    neighbour: random() < 0.3,
  }
}

class SourceError extends Error {
  override readonly name = 'SourceError'
}

async function* given(items: readonly string[], { source, throwsAt }: Case): AsyncGenerator<string, void, void> {
  for (const [n, item] of items.entries()) {
    if (n === throwsAt) throw new SourceError()
    if (source === 'slow' && n % 7 === 0) await new Promise(setImmediate)
    yield item
  }
  if (throwsAt === items.length) throw new SourceError()
}

async function* bytesOf(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, void> {
  for await (const text of texts) yield Buffer.from(`${text}\n`)
}

function sourceOf(it: Case, items: readonly string[]): Iterable<string> | AsyncIterable<string> {
  if (it.source === 'lines') return lines(bytesOf(given(items, it)))
  return it.source === 'array' && it.throwsAt === undefined ? items : given(items, it)
}

/** What a case came to. */
interface Ending {
  readonly values: unknown[]
  readonly error: unknown
}

async function consume(
  it: Pick<Case, 'consumer' | 'leavesAt'>,
  stream: AsyncIterable<unknown> & Partial<Pick<Stream<unknown>, 'chunks'>>,
  abort: () => void,
): Promise<Ending> {
  const values: unknown[] = []
  try {
    if (it.consumer === 'chunks') {
      for await (const chunk of stream.chunks?.() ?? []) values.push(...chunk)
      return { values, error: undefined }
    }
    for await (const value of stream) {
      values.push(value)
      if (it.consumer === 'slow') await new Promise(setImmediate)
      if (values.length < it.leavesAt) continue
      if (it.consumer === 'break') break
      if (it.consumer === 'abort') abort()
    }
  } catch (error) {
    return { values, error }
  }
  return { values, error: undefined }
}

/** How long a case may take, in milliseconds: far more than any does. */
const LIMIT = 45_000

/** Runs a case. @returns What is wrong with what came of it; undefined when nothing is. */
export async function runCase(it: Case): Promise<string | undefined> {
  const { workers, maxTasksPerWorker } = it
  const pool = new Pool({ workers, ...(maxTasksPerWorker !== undefined && { maxTasksPerWorker }) })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`It hangs: ${JSON.stringify(pool.stats())}`)
    }, LIMIT)
  })
  try {
    return await Promise.race([play(it, pool), late])
  } finally {
    clearTimeout(timer)
    await pool.terminate()
  }
}

function runOf({ verb, ordered, chunksize, window, concurrency, timeout }: Case): Run {
  return { verb, ordered, chunksize, window, concurrency, timeout }
}

async function play(it: Case, pool: Pool): Promise<string | undefined> {
  const items = it.deeds.map((what, n) => deed(n, what))
  const controller = new AbortController()
  const stream = open(pool, runOf(it), sourceOf(it, items), it.errors, controller.signal)
  const neighbours = Array.from({ length: it.neighbour ? 40 : 0 }, (_, n) => deed(n, n % 16 === 3 ? 'exit' : 'go'))
  const [ending, others] = await Promise.all([
    consume(it, stream, () => {
      controller.abort(new DOMException('enough', 'AbortError'))
    }),
    consume(BESIDE, pool.imap(map, neighbours, { chunksize: 3, errors: 'settle' }), () => undefined),
  ])
  const wrong = judge(it, items, ending)
  if (wrong !== undefined) return wrong
  const beside = judge(BESIDE, neighbours, others)
  return beside === undefined ? await rest(pool) : `The other stream: ${beside}`
}

const BESIDE = {
  verb: 'imap',
  ordered: true,
  errors: 'settle',
  consumer: 'drain',
  leavesAt: 0,
  throwsAt: undefined,
} as const

/** What the consumer must be given of each item, as text. */
function expected({ verb, errors }: Pick<Case, 'verb' | 'errors'>, item: string, index: number): string[] {
  if (errors !== 'settle') return valuesOf(verb, item).map((value) => JSON.stringify(value))
  return [JSON.stringify(isGood(item) ? { index, value: numberOf(item) } : { index, item, error: errorOf(item) })]
}

function toldOf({ errors }: Pick<Case, 'errors'>, value: unknown): string {
  if (errors !== 'settle') return JSON.stringify(value)
  const outcome = value as Outcome<string, unknown>
  const { index } = outcome
  if (outcome.status === 'fulfilled') return JSON.stringify({ index, value: outcome.value })
  return JSON.stringify({ index, item: outcome.item, error: nameOf(outcome.reason) })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error)
}

export type Judged = Pick<Case, 'verb' | 'errors' | 'ordered' | 'consumer' | 'throwsAt' | 'leavesAt'>

/** The sequential model. @returns What is wrong. */
export function judge(it: Judged, items: readonly string[], { values, error }: Ending): string | undefined {
  const read = items.slice(0, it.throwsAt)
  const failing = it.errors === 'throw' ? read.filter((item) => !isGood(item)) : []
  const [fails] = failing
  const before = it.ordered && fails !== undefined ? read.slice(0, read.indexOf(fails)) : read
  // A fold has no results but the last.
  const isVoid = it.verb === 'reduce' && (fails !== undefined || it.throwsAt !== undefined)
  const wanted = isVoid ? [] : before.flatMap((item, index) => expected(it, item, index))
  const got = values.map((value) => toldOf(it, value))
  const name = error === undefined ? 'none' : nameOf(error)
  const leaves = it.consumer === 'break' || it.consumer === 'abort'
  const hasLeft = leaves && got.length === it.leavesAt
  if (leaves && got.length > it.leavesAt) return `${got.length} results after it left at ${it.leavesAt}`
  const errors = it.ordered && fails !== undefined ? [errorOf(fails)] : failing.map(errorOf)
  const ends = errors.length > 0 ? errors : [it.throwsAt === undefined ? 'none' : 'SourceError']
  if (hasLeft) ends.push(it.consumer === 'abort' ? 'AbortError' : 'none')
  if (!ends.includes(name)) return `it ended with ${name} instead of ${ends.join(' or ')}: ${describe(error)}`
  const isPartial = hasLeft || (!it.ordered && failing.length > 0)
  return it.ordered ? orderly(got, wanted, isPartial) : complete(got, wanted, isPartial)
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function orderly(got: readonly string[], wanted: readonly string[], isPartial: boolean): string | undefined {
  for (const [n, value] of got.entries()) {
    if (value !== wanted[n]) return `result ${n} is ${value} instead of ${wanted[n]}`
  }
  return isPartial || got.length === wanted.length ? undefined : `${got.length} results instead of ${wanted.length}`
}

function complete(got: readonly string[], wanted: readonly string[], isPartial: boolean): string | undefined {
  const left = new Map<string, number>()
  for (const value of wanted) left.set(value, (left.get(value) ?? 0) + 1)
  for (const value of got) {
    const count = left.get(value) ?? 0
    if (count === 0) return `${value} is there once too often`
    left.set(value, count - 1)
  }
  if (isPartial || got.length === wanted.length) return undefined
  return `${[...left].find(([, count]) => count > 0)?.[0]} is missing`
}

/** How long a pool may take to come to rest, in milliseconds: a task that goes on is given a second. */
const REST = 10_000

async function rest(pool: Pool): Promise<string | undefined> {
  const started = performance.now()
  while (!isIdle(pool)) {
    if (performance.now() - started > REST) return `it leaves the pool at work: ${JSON.stringify(pool.stats())}`
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return undefined
}

/** How often a smaller case is tried, as it may fail by chance only, and how many are tried. */
const TRIES = 3
const ATTEMPTS = 60

/** Makes a failing case smaller, as long as it fails. */
export async function shrink(it: Case): Promise<{ readonly case: Case; readonly wrong: string }> {
  let wrong = ''
  let attempts = 0
  const fails = async (smaller: Case): Promise<boolean> => {
    for (let n = 0; n < TRIES; n++) {
      const found = await runCase(smaller)
      if (found === undefined) continue
      wrong = found
      return true
    }
    return false
  }
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false
    for (const smaller of smallerThan(it)) {
      if (attempts++ >= ATTEMPTS || !(await fails(smaller))) continue
      it = smaller
      isSmaller = true
      break
    }
  }
  return { case: it, wrong }
}

function* smallerThan(it: Case): Generator<Case, void, void> {
  const { deeds } = it
  const half = Math.ceil(deeds.length / 2)
  if (deeds.length > 1)
    yield* [
      { ...it, deeds: deeds.slice(0, half) },
      { ...it, deeds: deeds.slice(half) },
    ]
  if (it.neighbour) yield { ...it, neighbour: false }
  const simple = { maxTasksPerWorker: undefined, throwsAt: undefined, window: undefined, concurrency: 1 } as const
  for (const [name, value] of Object.entries(simple)) {
    if (it[name as keyof Case] !== value) yield { ...it, [name]: value }
  }
  if (it.source !== 'array') yield { ...it, source: 'array' }
  const faults = [...new Set(deeds)].filter((what) => what !== 'go')
  for (const fault of faults) yield { ...it, deeds: deeds.map((what) => (what === fault ? 'go' : what)) }
  for (const [n, what] of deeds.slice(0, 20).entries()) {
    yield { ...it, deeds: deeds.toSpliced(n, 1) }
    if (what !== 'go') yield { ...it, deeds: deeds.with(n, 'go') }
  }
}
