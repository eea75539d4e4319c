/**
 * Runs items on this thread, `concurrency` at once by `p-limit`: for functions that wait more than they compute. Nothing is copied, so
 * any closure can run.
 */
import { setMaxListeners } from 'node:events'
import pLimit from 'p-limit'
import { Items, type Batch } from '../codec/batch.js'
import type { Place } from '../codec/records/format.js'
import { BadRecord } from '../codec/records/record-data.js'
import { currentProcess } from '../identity.js'
import { cloned } from '../codec/codec.js'
import type { TaskContext } from '../task.js'
import { TaskTimeoutError } from '../errors.js'
import { formatOutcomes } from '../formats/format-outcomes.js'
import { streamEnded } from '../worker/chunk.js'
import { isThenable } from '../thenable.js'
import { elementsOf, noAccumulatorError } from '../worker/expand.js'
import { forItems, loadTask, takesContext, type TaskFunction } from '../worker/load.js'
import { Outbox } from '../worker/outbox.js'
import { RecordContext } from '../worker/record-context.js'
import { Fifo } from '../fifo.js'
import type { Chunk, Executor, Job, Lane, LaneClient, Part, Reason } from './executor.js'

/** How long items may run without a turn of the event loop, in milliseconds. */
const SLICE_MS = 5

export function inlineExecutor(concurrency: number): Executor {
  return {
    identify: (worker) => ({ ...currentProcess(), pool: '', worker }),
    open: (job, client) => new InlineLane(job, concurrency, client),
  }
}

class InlineLane implements Lane {
  readonly encodes = false
  readonly error = undefined
  readonly retried = 0
  readonly #job: Job
  readonly #client: LaneClient
  readonly #parts = new Fifo<Part>()
  readonly #concurrency: number
  readonly #limit: ReturnType<typeof pLimit>
  readonly #controller = new AbortController()
  #fn: TaskFunction | Promise<TaskFunction> | undefined
  #active = 0
  /** The time of the last turn of the event loop. */
  #turn = performance.now()
  #closed = false

  constructor(job: Job, concurrency: number, client: LaneClient) {
    this.#job = job
    const fn = job.fn as TaskFunction | undefined
    this.#fn = fn && forItems(job, fn)
    this.#client = client
    this.#concurrency = concurrency
    this.#limit = pLimit(concurrency)
    // All items that run at once listen to it.
    setMaxListeners(0, this.#controller.signal)
  }

  get ready(): boolean {
    return !this.#closed && this.#active < this.#concurrency
  }

  submit(chunk: Chunk): void {
    this.#active++
    void this.#run(chunk)
  }

  flush(): void {
    // A chunk that was submitted has begun.
  }

  take(): Part | undefined {
    return this.#parts.shift()
  }

  close(reason?: Reason): void {
    if (this.#closed) return
    this.#parts.clear()
    this.#closed = true
    this.#limit.clearQueue()
    this.#controller.abort(reason === undefined ? streamEnded() : reason.value)
  }

  /** Chunks are transport, and nothing is transported here: each item counts for the limit. Only a fold runs them one after the other. */
  async #run(chunk: Chunk): Promise<void> {
    const started = performance.now()
    const outbox = new Outbox(0, undefined, this.#job.kind !== 'map')
    const errors = new Map<number, unknown>()
    const items = chunk.items.values()
    if (this.#job.kind === 'reduce') await this.#fold(chunk, items, outbox, errors)
    else await this.#each(items, chunk, outbox, errors)
    if (performance.now() - this.#turn > SLICE_MS) {
      // Functions that never wait would otherwise block timers and signals.
      await new Promise((resolve) => setImmediate(resolve))
      this.#turn = performance.now()
    }
    this.#active--
    if (this.#closed) return
    const results = this.#format(chunk, outbox, errors) ?? new Items(outbox.results)
    this.#parts.push({
      chunk,
      from: 0,
      count: outbox.count,
      results,
      counts: outbox.counts && Uint32Array.from(outbox.counts),
      errors: errors.size > 0 ? errors : undefined,
      worker: 0,
      last: true,
      time: performance.now() - started,
    })
    this.#client.wake()
  }

  /** The results as records of an output, if they go to one. Items that its format cannot take fail. */
  #format({ first, items }: Chunk, outcomes: Outbox, errors: Map<number, unknown>): Batch | undefined {
    const { format } = this.#job
    if (format === undefined) return undefined
    const { results, counts } = outcomes
    const failed = new Set(errors.keys())
    const hasFailed = (chunkOffset: number): boolean => failed.has(chunkOffset)
    const indexOf = (chunkOffset: number): number => first + chunkOffset
    const fileOf = (chunkOffset: number): string | undefined => items.fileOf?.(chunkOffset)
    return formatOutcomes(format, { results, counts, fileOf, hasFailed }, indexOf, (chunkOffset, error) => {
      errors.set(chunkOffset, error)
    })
  }

  async #each(items: readonly unknown[], chunk: Chunk, outbox: Outbox, errors: Map<number, unknown>): Promise<void> {
    const outcomes = await Promise.all(
      items.map((item, chunkOffset) => this.#limit(() => this.#one(item, chunk, chunkOffset))),
    )
    outcomes.forEach((outcome, chunkOffset) => {
      if ('error' in outcome) {
        errors.set(chunkOffset, outcome.error)
        outbox.skip()
      } else outbox.take(this.#job.kind, items[chunkOffset], outcome.value)
    })
  }

  async #fold(chunk: Chunk, items: readonly unknown[], outbox: Outbox, errors: Map<number, unknown>): Promise<void> {
    const { first, failed } = chunk
    const { initial, stopOnError } = this.#job
    let accumulator: unknown = cloned(initial)
    let last: number | undefined
    for (const [chunkOffset, item] of items.entries()) {
      if (this.#closed || (stopOnError && errors.size > 0)) break
      if (failed?.has(chunkOffset) === true) {
        errors.set(chunkOffset, failed.get(chunkOffset))
        continue
      }
      try {
        if (item instanceof BadRecord) throw item.error
        const fn = await this.#function()
        const result = takesContext('reduce', fn)
          ? fn(accumulator, item, this.#contextOf(chunk, chunkOffset))
          : fn(accumulator, item)
        const next = await this.#inTime(result, first + chunkOffset)
        if (next === undefined && initial !== undefined) throw noAccumulatorError()
        accumulator = next
        last = chunkOffset
      } catch (error) {
        errors.set(chunkOffset, error)
      }
    }
    outbox.skipTo(items.length)
    if (last !== undefined) outbox.insert(last, accumulator)
  }

  async #one(item: unknown, chunk: Chunk, chunkOffset: number): Promise<{ value: unknown } | { error: unknown }> {
    try {
      if (item instanceof BadRecord) return { error: item.error }
      const fn = this.#function()
      const call = (fn: TaskFunction): unknown =>
        takesContext(this.#job.kind, fn) ? fn(item, this.#contextOf(chunk, chunkOffset)) : fn(item)
      const returned = typeof fn === 'function' ? call(fn) : call(await fn)
      const value = this.#job.kind === 'flatMap' ? Promise.resolve(returned).then(elementsOf) : returned
      return { value: await this.#inTime(value, chunk.first + chunkOffset) }
    } catch (error) {
      return { error }
    }
  }

  #contextOf(chunk: Chunk, chunkOffset: number): TaskContext {
    return new InlineContext(this.#controller.signal, chunk, chunkOffset)
  }

  /** The value or promise itself, or a promise that rejects after `timeout`. */
  #inTime(value: unknown, index: number): unknown {
    const { timeout, name } = this.#job
    if (timeout === undefined || !isThenable(value)) return value
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const task = name === undefined ? 'A function' : `Task '${name.id}'`
        reject(new TaskTimeoutError(`${task} did not end within ${timeout} ms on item ${index} (on this thread)`))
      }, timeout)
      Promise.resolve(value)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer)
        })
    })
  }

  #function(): TaskFunction | Promise<TaskFunction> {
    this.#fn ??= this.#load()
    return this.#fn
  }

  async #load(): Promise<TaskFunction> {
    const { name } = this.#job
    if (name === undefined) throw new Error('A job for this thread needs its function, or the name of its task')
    return forItems(this.#job, await loadTask(name))
  }
}

class InlineContext extends RecordContext {
  readonly signal: AbortSignal
  readonly index: number
  readonly worker = 0
  readonly #chunk: Chunk
  readonly #chunkOffset: number

  constructor(signal: AbortSignal, chunk: Chunk, chunkOffset: number) {
    super()
    this.signal = signal
    this.index = chunk.first + chunkOffset
    this.#chunk = chunk
    this.#chunkOffset = chunkOffset
  }

  protected override get place(): Place | undefined {
    return this.#chunk.items.placeOf?.(this.#chunkOffset)
  }
}
