/** The workers of a host, in simulated time. They run items of known kinds, and give their outcomes in parts. */
import { Items } from '#dist/codec/batch.js'
import type { Clock } from '#dist/cluster/clock.js'
import type { Chunk, Job, Lane, LaneClient, Part, PoolExecutor } from '#dist/executor/executor.js'

export interface Item {
  readonly n: number
  /** `fat`: its result is too large. `deadly`: it ends its host. */
  readonly kind: 'plain' | 'failing' | 'fat' | 'deadly'
  readonly pad: string
}

export interface WorkersOptions {
  readonly workers: number
  readonly clock: Clock
  readonly random: () => number
  /** The most milliseconds that an item takes. */
  readonly slow: number
  readonly die: () => void
}

export class FakeWorkers implements PoolExecutor {
  readonly workers: number
  readonly #options: WorkersOptions
  /** Chunks that run now. */
  running = 0

  constructor(options: WorkersOptions) {
    this.workers = options.workers
    this.#options = options
  }

  assertOpen(): void {
    // It always is.
  }

  identify(worker: number): { name: string; pid: number; pool: string; worker: number } {
    return { name: `${worker}`, pid: -1, pool: '', worker }
  }

  open(job: Job, client: LaneClient): Lane {
    return new FakeLane(this, this.#options, job, client)
  }
}

class FakeLane implements Lane {
  readonly encodes = true
  readonly ready = true
  readonly retried = 0
  readonly error = undefined
  readonly #parts: Part[] = []
  readonly #workers: FakeWorkers
  readonly #options: WorkersOptions
  readonly #job: Job
  readonly #client: LaneClient
  readonly #running = new Set<Chunk>()

  constructor(workers: FakeWorkers, options: WorkersOptions, job: Job, client: LaneClient) {
    this.#workers = workers
    this.#options = options
    this.#job = job
    this.#client = client
  }

  submit(chunk: Chunk): void {
    this.#running.add(chunk)
    this.#workers.running++
    const items = chunk.items.values() as Item[]
    if (this.#job.kind === 'reduce')
      this.#later(chunk, this.#time(items.length), () => {
        this.#fold(chunk, items)
      })
    else this.#run(chunk, items, 0)
  }

  flush(): void {
    // It has begun.
  }

  take(): Part | undefined {
    return this.#parts.shift()
  }

  close(): void {
    for (const chunk of this.#running) this.#end(chunk)
    this.#parts.length = 0
  }

  #time(items: number): number {
    return items * this.#options.random() * this.#options.slow
  }

  #later(chunk: Chunk, time: number, call: () => void): void {
    this.#options.clock.after(time, () => {
      if (this.#running.has(chunk)) call()
    })
  }

  #end(chunk: Chunk): void {
    if (this.#running.delete(chunk)) this.#workers.running--
  }

  /** Some of the items, and then the others. */
  #run(chunk: Chunk, items: readonly Item[], from: number): void {
    const count = Math.min(items.length - from, 1 + Math.floor(this.#options.random() * items.length))
    this.#later(chunk, this.#time(count), () => {
      const own = items.slice(from, from + count)
      if (own.some((item, at) => item?.kind === 'deadly' && chunk.failed?.has(from + at) !== true)) {
        this.#options.die()
        return
      }
      const errors = new Map<number, unknown>()
      const results = own.map((item, at) => this.#one(chunk, item, from + at, errors, at))
      const isLast = from + count === items.length
      this.#give({ chunk, from, count, results: new Items(results), errors, worker: 1, last: isLast })
      if (!isLast) this.#run(chunk, items, from + count)
    })
  }

  #one(chunk: Chunk, item: Item, place: number, errors: Map<number, unknown>, offset: number): unknown {
    if (chunk.failed?.has(place) === true) errors.set(offset, chunk.failed.get(place))
    else if (item.kind === 'failing') errors.set(offset, new RangeError(`no ${item.n}`))
    else return item.kind === 'fat' ? 'x'.repeat(20_000) : 2 * item.n
    return undefined
  }

  #fold(chunk: Chunk, items: readonly Item[]): void {
    if (items.some(({ kind }) => kind === 'deadly')) {
      this.#options.die()
      return
    }
    const sum = items.reduce((sum, { n }) => sum + n, this.#job.initial as number)
    const whole = { chunk, from: 0, count: items.length, results: new Items([sum]) }
    this.#give({ ...whole, isFolded: true, worker: 1, last: true })
  }

  #give(part: Part): void {
    const { errors, chunk, last } = part
    if (last) this.#end(chunk)
    this.#parts.push(errors?.size === 0 ? { ...part, errors: undefined } : part)
    this.#client.wake()
  }
}
