/**
 * What a stage returns: an async iterator of results, written by hand, since a generator would queue `return()` behind a
 * stuck `next()`. It owns the window, the intake and the delivery queue, and decides what the consumer is given.
 */
import type { Executor, Job, Lane, Part } from '../executor/executor.js'
import { closeInTime } from '../io/closing.js'
import type { Source } from '../io/source.js'
import { OrderedDelivery, UnorderedDelivery, type Delivery } from './delivery.js'
import { Fifo } from './fifo.js'
import { Intake } from './intake.js'
import type { Tuner } from './tuner.js'
import { Window } from './window.js'

/** What becomes of a failed item: the stream throws its error, gives it as an outcome, or leaves it out. */
export type ErrorMode = 'throw' | 'settle' | 'skip'

/** An item's outcome, under `errors: 'settle'`. */
export type Outcome<I, R> =
  | { readonly status: 'fulfilled'; readonly value: R; readonly index: number }
  | { readonly status: 'rejected'; readonly reason: unknown; readonly index: number; readonly item: I }

/** Figures of one stream, at this moment. */
export interface StreamStats {
  /** Items read from the source. */
  readonly read: number
  /** Results (or outcomes) given to the consumer. */
  readonly delivered: number
  /** Items whose task failed. */
  readonly failed: number
  /** Failed items left out under `errors: 'skip'`. */
  readonly skipped: number
  /** Chunks sent to workers. */
  readonly chunks: number
  /** The most items in the next chunk. */
  readonly chunksize: number
  /** The most items read whose results have not been given. */
  readonly window: number
}

/** Everything a stream needs to know. */
export interface StreamPlan {
  readonly executor: () => Executor
  readonly job: Job
  readonly tuner: Tuner
  /** The window for a chunksize; a constant when the user gave one. */
  readonly windowFor: (chunksize: number) => number
  readonly errors: ErrorMode
  /** Any of them ends the stream. */
  readonly signals: readonly AbortSignal[]
}

interface Waiter<R> {
  resolve(result: IteratorResult<R, undefined>): void
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
  readonly #waiters = new Fifo<Waiter<R>>()
  /** Let go when the stream ends, like all that leads to items or results: an ended stream may be kept for its figures. */
  #source: Source<unknown> | undefined
  #state: 'new' | 'open' | 'ended' = 'new'
  #lane: Lane | undefined
  #intake: Intake | undefined
  /** The part that is being given, and how far it has been. */
  #part: Part | undefined
  #position = 0
  /** An error that ends the stream and that no `next()` has been told of yet. */
  #failure: { readonly error: unknown } | undefined
  /** Settles when `return()` has closed the source; never rejects. */
  #closed: Promise<void> | undefined
  #delivered = 0
  #failed = 0
  #skipped = 0
  #chunks = 0

  /** Streams are made by stages. */
  constructor(plan: StreamPlan, source: Source<unknown>) {
    this.#plan = plan
    this.#source = source
    this.#window = new Window(plan.windowFor(plan.tuner.chunksize))
    this.#delivery = plan.job.ordered ? new OrderedDelivery() : new UnorderedDelivery()
  }

  /**
   * Asks for the next result. May be called again before the last one has settled: results come in the order of calls.
   *
   * @returns `{ value, done: false }`, or `{ value: undefined, done: true }` after the end, for ever.
   * @throws A task's or the source's error, as it was thrown; the reason of an aborted `signal`. The stream has then ended.
   */
  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#state === 'new') this.#start()
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#state === 'ended') return Promise.resolve({ value: undefined, done: true })
    this.#window.acknowledge()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#intake?.pump()
      this.#serve()
      // Still waiting: items that were left out have made room, or a chunk that is not full must go as it is.
      if (this.#waiters.size > 0) this.#intake?.pump()
    })
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
    return { value: undefined, done: true }
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
      read: this.#window.read - (this.#intake?.awaiting === true ? 1 : 0),
      delivered: this.#delivered,
      failed: this.#failed,
      skipped: this.#skipped,
      chunks: this.#chunks,
      chunksize: this.#plan.tuner.chunksize,
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
    const { errors, job, tuner, windowFor } = this.#plan
    const failed = part.errors?.size ?? 0
    this.#failed += failed
    if (errors !== 'settle') forgetItems(part)
    if (part.last) {
      if (part.time !== undefined) tuner.record(part.chunk.items.length, part.time)
      this.#window.limit = windowFor(tuner.chunksize)
    }
    if (failed > 0 && errors === 'throw') {
      if (!job.ordered) {
        for (const error of part.errors?.values() ?? []) {
          this.#fail(error)
          return
        }
      }
      this.#intake?.halt()
    }
    this.#delivery.put(part)
    this.#serve()
    this.#intake?.pump()
  }

  /** Gives waiting calls what is there for them. */
  #serve(): void {
    while (this.#state === 'open' && this.#waiters.size > 0) {
      if (!this.#serveOne()) return
    }
  }

  /** Gives the first waiting call its result; false when there is none yet. */
  #serveOne(): boolean {
    while (this.#part === undefined || this.#position === this.#part.values.length) {
      this.#part = this.#delivery.take()
      this.#position = 0
      if (this.#part === undefined) {
        if (this.#isComplete()) this.#complete()
        return false
      }
    }
    const part = this.#part
    const position = this.#position++
    const value = part.values[position]
    // What has been delivered is not kept alive by what has not.
    part.values[position] = undefined
    const failed = part.errors?.has(position) === true
    const { errors } = this.#plan
    if (failed && errors === 'throw') {
      this.#fail(part.errors?.get(position))
      return false
    }
    this.#window.hand()
    if (failed && errors === 'skip') {
      this.#skipped++
      this.#window.acknowledge(1)
      return true
    }
    this.#delivered++
    const result = errors === 'settle' ? outcome(part, position, value, failed) : value
    this.#waiters.shift()?.resolve({ value: result as R, done: false })
    if (this.#waiters.size > 0) this.#acknowledgeLater()
    return true
  }

  /** The consumer has asked for the next result already. It sees this one before another item is read. */
  #acknowledgeLater(): void {
    queueMicrotask(() => {
      this.#window.acknowledge(1)
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
    this.#part = undefined
    this.#delivery.clear()
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.resolve({ value: undefined, done: true })
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

/** The executor has finished with these items, and nobody else needs them. */
function forgetItems({ chunk, from, places, values, last }: Part): void {
  if (last) chunk.items.fill(undefined)
  else if (places !== undefined) for (const place of places) chunk.items[place] = undefined
  else chunk.items.fill(undefined, from, from + values.length)
}

function outcome(
  { chunk, from, places, errors }: Part,
  position: number,
  value: unknown,
  failed: boolean,
): Outcome<unknown, unknown> {
  const place = places?.[position] ?? from + position
  const index = chunk.first + place
  const item = chunk.items[place]
  chunk.items[place] = undefined
  if (failed) return { status: 'rejected', reason: errors?.get(position), index, item }
  return { status: 'fulfilled', value, index }
}
