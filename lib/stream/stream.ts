/**
 * What a stage returns: an async iterator of results, written by hand, since a generator would queue `return()` behind a
 * stuck `next()`. It owns the window, the intake and the delivery queue, and decides what the consumer is given.
 */
import { Items, type Batch } from '../codec/batch.js'
import type { Executor, Job, Lane, Part } from '../executor/executor.js'
import { closeInTime } from '../io/closing.js'
import { offerBatches, type Source } from '../io/source.js'
import { chunksOf, type Chunks } from './chunks.js'
import { OrderedDelivery, UnorderedDelivery, type Delivery } from './delivery.js'
import { Fifo } from './fifo.js'
import { Intake } from './intake.js'
import { isPlain, noted, NOTHING_OPEN, openPart, type Arrived, type ErrorMode } from './outcome.js'
import type { Tuner, Tuning } from './tuner.js'
import { Window } from './window.js'

/** Figures of one stream, at this moment. */
export interface StreamStats {
  /** Items read from the source. */
  readonly read: number
  /** Results (or outcomes) given to the consumer. */
  readonly delivered: number
  /** Items whose task failed, and was not to be tried again. */
  readonly failed: number
  /** Failed items left out under `errors: 'skip'`. */
  readonly skipped: number
  /** How often an item has failed and was to be tried again, by `retries`; it may still wait for that. */
  readonly retried: number
  /** Chunks sent to workers. */
  readonly chunks: number
  /** The most items in the next chunk. */
  readonly chunksize: number
  /** Why it is that, and what it was derived from. */
  readonly tuning: Tuning
  /** The most items read whose results have not been given. */
  readonly window: number
}

/** Everything a stream needs to know. */
export interface StreamPlan {
  readonly executor: () => Executor
  readonly job: Job
  readonly tuner: Tuner
  /** The window for a chunksize, after the window up to now; a constant when the user gave one. */
  readonly windowFor: (tuning: Tuning, before?: number) => number
  readonly errors: ErrorMode
  /** Any of them ends the stream. */
  readonly signals: readonly AbortSignal[]
}

/** A call that waits: for one result, or for several. */
interface Waiter {
  /** Takes what it is to be given; undefined when that is not there yet, or the stream has ended. */
  readonly take: () => unknown
  /** How it is told that the stream has ended. */
  readonly done: unknown
  resolve(given: unknown): void
  reject(error: unknown): void
}

/**
 * Results of a stage, in the order of its items or, unordered, as they complete. Iterate it once, with `for await` or
 * `next()`. Nothing is read and no worker started before the first `next()`.
 */
export class Stream<R> implements AsyncIterableIterator<R, undefined, unknown>, AsyncDisposable {
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #delivery: Delivery
  readonly #waiters = new Fifo<Waiter>()
  /** Let go when the stream ends, like all that leads to items or results: an ended stream may be kept for its figures. */
  #source: Source<unknown> | undefined
  #state: 'new' | 'open' | 'ended' = 'new'
  #lane: Lane | undefined
  #intake: Intake | undefined
  /** The part that is being given, its values, and how far it has been. */
  #opened = NOTHING_OPEN
  #values: unknown[] = NOTHING_OPEN.values
  #frees: readonly number[] | undefined
  #position = 0
  /** An error that ends the stream and that no `next()` has been told of yet. */
  #failure: { readonly error: unknown } | undefined
  /** Settles when `return()` has closed the source; never rejects. */
  #closed: Promise<void> | undefined
  #delivered = 0
  #failed = 0
  #skipped = 0
  #retried = 0
  #chunks = 0

  /** Streams are made by stages. */
  constructor(plan: StreamPlan, source: Source<unknown>) {
    this.#plan = plan
    this.#source = source
    this.#window = new Window(plan.windowFor(plan.tuner.tuning))
    this.#delivery = plan.job.ordered ? new OrderedDelivery() : new UnorderedDelivery()
    // For a stage whose source is this stream: it takes whole batches, and leaves them as they are.
    offerBatches(this, () => ({ next: (max) => this.#nextBatch(max), close: () => this.return() }))
  }

  /**
   * Asks for the next result. May be called again before the last one has settled: results come in the order of calls.
   *
   * @returns `{ value, done: false }`, or `{ value: undefined, done: true }` after the end, for ever.
   * @throws A task's or the source's error, as it was thrown; the reason of an aborted `signal`. The stream has then ended.
   */
  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#position < this.#values.length && this.#waiters.size === 0) {
      this.#window.acknowledge()
      const result = this.#takeOpened()
      const intake = this.#intake
      if (intake !== undefined && this.#window.room >= intake.appetite) intake.pump()
      return Promise.resolve(result as IteratorResult<R, undefined>)
    }
    return this.#wait(this.#takeOne, doneResult()) as Promise<IteratorResult<R, undefined>>
  }

  /**
   * The results as arrays, each as it came from a worker: for consumers that would rather await once for many results than
   * once for each. Nothing else differs; the stream is the same, and what one of them has given the other does not.
   *
   * @returns An iterator of arrays of at least one result, each of the items of one chunk at most.
   */
  chunks(): Chunks<R> {
    return chunksOf(
      () => this.#wait(this.#takeChunk, doneResult()) as Promise<IteratorResult<R[], undefined>>,
      () => this.return(),
    )
  }

  /**
   * Ends the stream: cancels what is in flight and closes the source. `for await` calls it on `break`.
   *
   * @returns Settles when the source's own `return()` has, or after one second. A pending `next()` resolves as done.
   * @throws What the source's `return()` throws.
   */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#failure = undefined
    if (this.#state !== 'ended') {
      const intake = this.#intake
      this.#end()
      const closed = intake && closeInTime(intake)
      this.#closed = closed?.catch(() => undefined)
      await closed
    }
    await this.#closed
    return doneResult()
  }

  /** The stream itself: it can be iterated once. */
  [Symbol.asyncIterator](): this {
    return this
  }

  /** As `return()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Figures of the stream so far; they stay readable after its end. */
  stats(): StreamStats {
    return {
      read: this.#window.read - (this.#intake?.reserved ?? 0),
      delivered: this.#delivered,
      failed: this.#failed,
      skipped: this.#skipped,
      retried: this.#retried,
      chunks: this.#chunks,
      chunksize: this.#plan.tuner.tuning.chunksize,
      tuning: this.#plan.tuner.tuning,
      window: this.#window.limit,
    }
  }

  #start(): void {
    const { signals, executor, job, tuner } = this.#plan
    this.#state = 'open'
    const aborted = signals.find((signal) => signal.aborted)
    if (aborted !== undefined) {
      this.#fail(aborted.reason)
      return
    }
    for (const signal of signals) signal.addEventListener('abort', this.#onAbort)
    try {
      this.#lane = executor().open(job, {
        room: () => this.#intake?.pump(),
        part: (part) => {
          this.#onPart(part)
        },
        retried: () => {
          this.#retried++
        },
        broken: (error) => {
          this.#fail(error)
        },
      })
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#intake = new Intake(this.#source ?? [], this.#lane, this.#window, tuner, {
      submitted: (chunk) => {
        this.#chunks++
        this.#delivery.admit(chunk)
      },
      ended: () => {
        this.#serve()
      },
      consumerWaits: () => this.#waiters.size > 0,
    })
  }

  readonly #onAbort = (): void => {
    this.#fail(this.#plan.signals.find((signal) => signal.aborted)?.reason)
  }

  #onPart(part: Part): void {
    const { job, tuner, windowFor } = this.#plan
    const errors = this.#modeOf(part)
    const failed = part.errors?.size ?? 0
    this.#failed += failed
    const arrived = errors === 'skip' || failed === 0 ? part : { ...part, items: failedItems(part, errors === 'throw') }
    forgetItems(part)
    if (part.last) {
      tuner.record({ items: part.chunk.items.length, time: part.time, bytes: part.bytes })
      this.#window.limit = windowFor(tuner.tuning, this.#window.limit)
    }
    if (failed > 0 && errors === 'throw') {
      if (!job.ordered) {
        this.#fail(noted(arrived, firstFailed(part), this.#task))
        return
      }
      this.#intake?.halt()
    }
    this.#delivery.put(arrived)
    this.#serve()
    this.#intake?.pump()
  }

  /** What becomes of failed items. A fold cannot leave out what a fault takes: that is not the failed item alone. */
  #modeOf(part: Part): ErrorMode {
    return part.isFault === true && this.#plan.job.kind === 'reduce' ? 'throw' : this.#plan.errors
  }

  get #task(): string {
    const { name, fn } = this.#plan.job
    return name?.id ?? fn?.name ?? ''
  }

  #nextBatch(max: number): Promise<Batch | undefined> {
    return this.#wait(() => this.#takeBatch(max), undefined) as Promise<Batch | undefined>
  }

  /** Waits for what `take` gives, or for the end. */
  #wait(take: Waiter['take'], done: unknown): Promise<unknown> {
    if (this.#state === 'new') this.#start()
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#state === 'ended') return Promise.resolve(done)
    this.#window.acknowledge()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ take, done, resolve, reject })
      this.#intake?.pump()
      this.#serve()
      // Still waiting: items that were left out have made room, or a chunk that is not full must go as it is.
      if (this.#waiters.size > 0) this.#intake?.pump()
    })
  }

  /** Gives waiting calls what is there for them. */
  #serve(): void {
    for (let waiter = this.#waiters.peek(); waiter !== undefined; waiter = this.#waiters.peek()) {
      const before = this.#window.handed
      const given = waiter.take()
      if (given === undefined) return
      this.#waiters.shift()
      waiter.resolve(given)
      if (this.#waiters.size > 0) this.#acknowledgeLater(this.#window.handed - before)
    }
  }

  /** The next result. */
  readonly #takeOne = (): IteratorResult<unknown, undefined> | undefined => {
    while (this.#position === this.#values.length) {
      const part = this.#nextPart()
      if (part === undefined) return undefined
      this.#open(part)
    }
    return this.#takeOpened()
  }

  /** The next results, as an array. */
  readonly #takeChunk = (): IteratorResult<unknown[], undefined> | undefined => {
    const batch = this.#takeBatch(Infinity)
    return batch && { value: batch.values(), done: false }
  }

  /** The next results, at most so many, as they came, if they can be left so. */
  #takeBatch(max: number): Batch | undefined {
    while (this.#position === this.#values.length) {
      const part = this.#nextPart()
      if (part === undefined) return undefined
      if (isPlain(part, this.#plan.errors) && part.results.length <= max) {
        this.#window.hand(part.count)
        this.#delivered += part.results.length
        return part.results
      }
      this.#open(part)
    }
    const values: unknown[] = []
    while (this.#position < this.#values.length && values.length < max) values.push(this.#takeOpened().value)
    return new Items(values)
  }

  /** The part whose results are due; undefined when it is not there yet, or when an error is due, or the end. */
  #nextPart(): Arrived | undefined {
    const { failure } = this.#opened
    if (failure !== undefined) {
      this.#fail(failure.error)
      return undefined
    }
    const part = this.#delivery.take()
    if (part === undefined && this.#isComplete()) this.#complete()
    return part
  }

  #open(part: Arrived): void {
    this.#opened = openPart(part, this.#modeOf(part), this.#task)
    this.#values = this.#opened.values
    this.#frees = this.#opened.frees
    this.#position = 0
    this.#skipped += this.#opened.skipped
    this.#window.leaveOut(this.#opened.freed)
  }

  /** The next value of the opened part. There must be one. */
  #takeOpened(): { readonly value: unknown; readonly done: false } {
    const position = this.#position++
    const value = this.#values[position]
    // What has been delivered is not kept alive by what has not.
    this.#values[position] = undefined
    this.#window.hand(this.#frees === undefined ? 1 : (this.#frees[position] ?? 1))
    this.#delivered++
    return { value, done: false }
  }

  /** The consumer has asked for the next result already. It sees this one before another item is read. */
  #acknowledgeLater(count: number): void {
    queueMicrotask(() => {
      this.#window.acknowledge(count)
      this.#intake?.pump()
    })
  }

  #isComplete(): boolean {
    return this.#intake?.drained === true && this.#window.held === 0
  }

  #complete(): void {
    const failure = this.#intake?.sourceError
    if (failure !== undefined) this.#fail(failure.error)
    else this.#end()
  }

  /** Ends the stream with an error: the first waiting call gets it, or else the next call to come. */
  #fail(error: unknown): void {
    if (this.#state === 'ended') return
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.#failure = { error }
    else waiter.reject(error)
    const intake = this.#intake
    this.#end()
    void abandon(intake)
  }

  #end(): void {
    this.#state = 'ended'
    for (const signal of this.#plan.signals) signal.removeEventListener('abort', this.#onAbort)
    this.#lane?.close()
    this.#lane = undefined
    this.#intake = undefined
    this.#source = undefined
    this.#opened = NOTHING_OPEN
    this.#values = NOTHING_OPEN.values
    this.#position = 0
    this.#delivery.clear()
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.resolve(waiter.done)
    }
  }
}

/** Closes a source without waiting. The error that ended the stream is the one to tell, whatever closing throws. */
async function abandon(intake: Intake | undefined): Promise<void> {
  try {
    await intake?.close()
  } catch {
    // Observed, so that it is no unhandled rejection.
  }
}

/** How `next()` tells that the stream has ended. */
function doneResult(): IteratorReturnResult<undefined> {
  return { value: undefined, done: true }
}

/** The position of the first item that failed. */
function firstFailed({ errors }: Part): number {
  return Math.min(...(errors?.keys() ?? []))
}

/** The items that failed, by their position, or the first of them. Those from the first to the last are decoded, once. */
function failedItems(part: Part, onlyFirst: boolean): Map<number, unknown> {
  const { chunk, from, places, errors } = part
  const failed = new Map<number, number>()
  let first = Infinity
  let last = -Infinity
  for (const position of onlyFirst ? [firstFailed(part)] : (errors?.keys() ?? [])) {
    const place = places?.[position] ?? from + position
    failed.set(position, place)
    first = Math.min(first, place)
    last = Math.max(last, place)
  }
  const batch = chunk.items.slice(first, last + 1)
  const values = batch.values()
  const items = new Map([...failed].map(([position, place]) => [position, values[place - first]]))
  batch.release()
  return items
}

/** The executor has finished with these items, and nobody else needs them. */
function forgetItems({ chunk, from, places, count, last }: Part): void {
  if (last) chunk.items.release()
  else if (places === undefined) chunk.items.forget(from, from + count)
  else for (const place of places) chunk.items.forget(place, place + 1)
}
