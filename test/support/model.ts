/**
 * A model of a stream. One seed gives a source, items with faults, options and a consumer. A few lines of plain code
 * say which results the consumer must get. The real results must be the same, or their beginning if it leaves early.
 * `test/faults/model.test.ts` runs some seeds. `npm run stress -- fuzz` runs as many as there is time for.
 */
import { getEventListeners } from 'node:events'
import { lines, Pool, type Stream } from 'millrace'
import { judge, type Ending } from '../faults/judge.js'
import { Watch } from '../faults/watch.js'
import { DEADLY, deed, map, type Deed } from '../fixtures/faults.js'
import { isIdle, open, type Run, type Verb } from './faults.js'
import { randomOf } from './random.js'

export { randomOf }

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
  /** The number of items that the source gives before it throws. */
  readonly throwsAt: number | undefined
  readonly deeds: readonly Deed[]
  readonly consumer: 'drain' | 'chunks' | 'slow' | 'break' | 'abort'
  /** The number of results that it takes before it leaves. */
  readonly leavesAt: number
  /** Another stream that shares the pool. */
  readonly neighbour: boolean
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

/** A fault between a stream and its consumer, or between a stream and its source, to test that the model finds it. */
export interface Plant {
  readonly stream?: (stream: AsyncIterable<unknown>, pool: Pool, signal: AbortSignal) => AsyncIterable<unknown>
  readonly source?: (source: AsyncIterable<string>) => AsyncIterable<string>
}

export interface TrialOptions {
  readonly plant?: Plant
  /**
   * The time limit of a case, in milliseconds. Default: far more than any case takes, and more for each worker that it
   * may need.
   */
  readonly limit?: number
  /** Where the workers of the pool run. Default: on threads. */
  readonly isolation?: 'thread' | 'process'
}

/**
 * The time limit of a case, in milliseconds, and then of its pool to become idle: a task that continues gets a second.
 */
const LIMIT = 45_000
const REST = 10_000
/** The longest start of a worker on a very busy machine, in milliseconds. */
const START = 1_000

function longest({ deeds, maxTasksPerWorker = Infinity }: Case): number {
  const deaths = deeds.filter((what) => DEADLY.includes(what)).length
  return LIMIT + START * (deaths + deeds.length / maxTasksPerWorker)
}

/** One run of a case. */
class Trial {
  readonly #case: Case
  readonly #items: readonly string[]
  readonly #plant: Plant
  readonly #limit: number
  readonly #pool: Pool
  readonly #controller = new AbortController()
  readonly #watch = new Watch()
  /** The results that the consumer got. */
  readonly #values: unknown[] = []

  constructor(it: Case, { plant = {}, limit = longest(it), isolation = 'thread' }: TrialOptions) {
    this.#case = it
    this.#items = it.deeds.map((what, n) => deed(n, what))
    this.#plant = plant
    this.#limit = limit
    const { workers, maxTasksPerWorker } = it
    this.#pool = new Pool({ workers, isolation, ...(maxTasksPerWorker !== undefined && { maxTasksPerWorker }) })
  }

  /** @returns The fault; `undefined` if there is none. */
  async run(): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => {
        resolve(`it hangs: ${JSON.stringify(this.#pool.stats())}`)
      }, this.#limit)
    })
    try {
      return await Promise.race([this.#play(), late])
    } finally {
      clearTimeout(timer)
      await this.#pool.terminate()
    }
  }

  async #play(): Promise<string | undefined> {
    const neighbours = Array.from({ length: this.#case.neighbour ? 40 : 0 }, (_, n) =>
      deed(n, n % 16 === 3 ? 'exit' : 'go'),
    )
    const beside = this.#pool.imap(map, neighbours, { chunksize: 3, errors: 'settle' })
    const [ending, others] = await Promise.all([
      consume(this.#case, this.#stream(), this.#values, () => {
        this.#controller.abort(new DOMException('enough', 'AbortError'))
      }),
      consume(BESIDE, beside, [], () => undefined),
    ])
    const wrong = judge(this.#case, this.#items, ending)
    if (wrong !== undefined) return wrong
    const wrongBeside = judge(BESIDE, neighbours, others)
    return wrongBeside === undefined ? await this.#leftover() : `the other stream: ${wrongBeside}`
  }

  #stream(): AsyncIterable<unknown> {
    const { signal } = this.#controller
    const { verb, ordered, errors, chunksize, window, concurrency, timeout } = this.#case
    const run: Run = { verb, ordered, chunksize, window, concurrency, timeout }
    const stream = open(this.#pool, run, this.#source(), errors, signal)
    return this.#plant.stream?.(stream, this.#pool, signal) ?? stream
  }

  #source(): Iterable<string> | AsyncIterable<string> {
    const { verb, errors, source, throwsAt, window = Infinity } = this.#case
    if (source === 'array' && throwsAt === undefined) return this.#items
    const items = given(this.#items, this.#case)
    if (source === 'lines') return lines(this.#watch.over(bytesOf(items), () => Infinity))
    // With other verbs, items can leave the window without a result.
    const isCounted = verb === 'imap' && errors !== 'skip'
    const watched = this.#watch.over(items, () => (isCounted ? this.#values.length + window : Infinity))
    return this.#plant.source?.(watched) ?? watched
  }

  /** Everything that is left behind after a time to become idle. */
  async #leftover(): Promise<string | undefined> {
    const end = performance.now() + Math.min(REST, this.#limit / 2)
    const isAtRest = (): boolean => isIdle(this.#pool) && !this.#watch.isOpen
    while (!isAtRest() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    if (!isIdle(this.#pool)) return `it leaves the pool at work: ${JSON.stringify(this.#pool.stats())}`
    if (this.#watch.isOpen) return 'it does not close its source'
    if (getEventListeners(this.#controller.signal, 'abort').length > 0) return 'it leaves a listener on the signal'
    return this.#watch.wrong
  }
}

/** Runs a case. @returns The fault in its results; `undefined` if there is none. */
export async function runCase(it: Case, options: TrialOptions = {}): Promise<string | undefined> {
  return await new Trial(it, options).run()
}

async function consume(
  it: Pick<Case, 'consumer' | 'leavesAt'>,
  stream: AsyncIterable<unknown> & Partial<Pick<Stream<unknown>, 'chunks'>>,
  values: unknown[],
  abort: () => void,
): Promise<Ending> {
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

const BESIDE = {
  verb: 'imap',
  ordered: true,
  errors: 'settle',
  consumer: 'drain',
  leavesAt: 0,
  throwsAt: undefined,
} as const

/** How often a smaller case is tried, because it may fail only sometimes; and the number of cases. */
const TRIES = 3
const ATTEMPTS = 60

/**
 * Runs the case of a seed. A fault is printed at once, with the seed. Then the case is made smaller, for this many
 * milliseconds at most, and the smallest failing case is printed.
 *
 * @returns Whether there is a fault.
 */
export async function findFault(
  seed: number,
  say: (line: string) => void,
  { milliseconds = Infinity, ...options }: TrialOptions & { readonly milliseconds?: number } = {},
): Promise<boolean> {
  const it = caseOf(seed)
  const wrong = await runCase(it, options)
  if (wrong === undefined) return false
  say(`seed ${seed}: ${wrong}`)
  say(JSON.stringify(it))
  const smallest = await shrink(it, performance.now() + milliseconds, options)
  if (smallest.wrong === '') say('no smaller case fails')
  else {
    say(`smallest: ${smallest.wrong}`)
    say(JSON.stringify(smallest.case))
  }
  return true
}

/** Makes a failing case smaller, as long as it fails and there is time. */
async function shrink(it: Case, until: number, options: TrialOptions): Promise<{ case: Case; wrong: string }> {
  let wrong = ''
  let attempts = 0
  const fails = async (smaller: Case): Promise<boolean> => {
    for (let n = 0; n < TRIES && performance.now() < until; n++) {
      const found = await runCase(smaller, options)
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
