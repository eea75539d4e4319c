/**
 * The inside of a stream: owns what it is made of, and decides when to read, when to give, and when it ends.
 *
 * Pools, signals and sources lead to the engine. It does not lead to the `Stream` that the consumer holds, so that a stream
 * that nobody can read on is collected, and ends.
 */
import { currentContext, type AsyncContext } from '../async-context.js'
import type { Batch } from '../codec/batch.js'
import type { Failure } from '../failure.js'
import type { Executor, Lane, Part, Reason } from '../executor/executor.js'
import { closeWithTimeout } from '../io/close-with-timeout.js'
import { closeUnopened, type PipelineEnd, type Source } from '../io/source.js'
import { tellsFailures } from '../log/events.js'
import { Abandonment } from './abandonment.js'
import { offAbort, onAbort } from '../aborts.js'
import { arrive } from './arrival.js'
import { OrderedDelivery, UnorderedDelivery, type Delivery } from './delivery.js'
import { lengthOf } from './foreign.js'
import { Intake } from './intake.js'
import { tellFailures, type Noted } from './outcome.js'
import { Outlet } from './outlet.js'
import { reasonOf } from './pipeline.js'
import { modeOf, taskOf, type StreamPlan } from './plan.js'
import type { StreamStats } from './stats.js'
import { Waiters, type Waiter } from './waiters.js'
import { Window } from './window.js'

export class Engine {
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #delivery: Delivery
  readonly #outlet: Outlet
  readonly #waiters = new Waiters()
  /** Let go when the stream ends, like all that leads to items or results: an ended stream may be kept for its figures. */
  #source: Source<unknown> | undefined
  #state: 'new' | 'open' | 'ended' = 'new'
  /** The context in which the stream was started: the source is read and closed there. */
  #context: AsyncContext | undefined
  #executor: Executor | undefined
  #lane: Lane | undefined
  #intake: Intake | undefined
  /** An error that ends the stream and that no `next()` has been told of yet. */
  #failure: { readonly error: unknown } | undefined
  /** Settles when `return()` has closed the source; never rejects. */
  #closed: Promise<void> | undefined
  #abandonment: Abandonment | undefined
  #told: Failure | undefined
  #failed = 0
  #retried = 0
  #chunks = 0

  constructor(plan: StreamPlan, source: Source<unknown>) {
    this.#plan = plan
    this.#source = source
    this.#window = new Window(plan.windowFor(plan.tuner.tuning))
    this.#delivery = plan.job.ordered ? new OrderedDelivery() : new UnorderedDelivery()
    this.#outlet = new Outlet(plan, this.#delivery, this.#window)
  }

  /** @param face What the consumer holds. */
  next(face: object): Promise<IteratorResult<unknown, undefined>> {
    if (this.#outlet.isOpen && this.#waiters.size === 0) {
      this.#window.acknowledge()
      const result = this.#outlet.takeOpened()
      const intake = this.#intake
      if (intake !== undefined && this.#window.room >= intake.appetite) this.#pump()
      return Promise.resolve(result)
    }
    return this.#wait(face, this.#outlet.takeOne, doneResult()) as Promise<IteratorResult<unknown, undefined>>
  }

  nextChunk(face: object): Promise<IteratorResult<unknown[], undefined>> {
    return this.#wait(face, this.#outlet.takeChunk, doneResult()) as Promise<IteratorResult<unknown[], undefined>>
  }

  /** The next results, at most `max`, as they came, if they can stay encoded; undefined at the end. */
  nextBatch(face: object, max: number): Promise<Batch | undefined> {
    return this.#wait(face, () => this.#outlet.takeBatch(max), undefined) as Promise<Batch | undefined>
  }

  /** For a stream of a pipeline that may end before the first `next()`. */
  joinPipeline(face: object): void {
    const { pipeline } = this.#plan
    if (pipeline === undefined || pipeline.aborted) return
    this.#abandonment = new Abandonment(this, face)
    onAbort(pipeline, this.#onAbort)
  }

  /**
   * Ends the stream. Settles when the source has closed, or after one second; rejects with what closing throws.
   *
   * @param failure What the stage that reads this stream has failed with, in a pipeline.
   */
  async return(failure?: { readonly error: unknown }): Promise<void> {
    this.#failure = undefined
    if (this.#state !== 'ended') {
      const intake = this.#intake
      const context = this.#context
      const source = this.#source
      this.#end()
      const closed =
        intake === undefined
          ? closeWithTimeout({ close: () => source && closeUnopened(source, this.#ending(failure)) })
          : context?.runInAsyncScope(closeWithTimeout, undefined, intake, this.#ending(failure))
      this.#closed = closed?.catch(() => undefined)
      await closed
    }
    await this.#closed
  }

  /** Whether it has ended and has nothing more to tell. */
  get isOver(): boolean {
    return this.#state === 'ended' && this.#failure === undefined
  }

  /** Ends the stream: nobody can read on. */
  abandon(): void {
    if (this.#state === 'ended') return
    const intake = this.#intake
    const context = this.#context
    this.#end()
    void context?.runInAsyncScope(abandon, undefined, intake)
  }

  /** Of the item whose error has ended the stream. */
  get failure(): Failure | undefined {
    return this.#told
  }

  /** What `console.log()` shows of it. */
  get summary(): object {
    const state = { new: 'not started', open: 'open', ended: 'ended' }[this.#state]
    const { read, delivered } = this.stats()
    return { task: taskOf(this.#plan), state, read, delivered }
  }

  stats(): StreamStats {
    return {
      read: this.#window.read - (this.#intake?.reserved ?? 0),
      delivered: this.#outlet.delivered,
      failed: this.#failed,
      skipped: this.#outlet.skipped,
      retried: this.#lane?.retried ?? this.#retried,
      chunks: this.#chunks,
      chunksize: this.#plan.tuner.tuning.chunksize,
      tuning: this.#plan.tuner.tuning,
      window: this.#window.limit,
    }
  }

  #start(face: object): void {
    const { signals, executor, job, tuner } = this.#plan
    this.#state = 'open'
    const aborted = signals.find((signal) => signal.aborted)
    if (aborted !== undefined) {
      this.#fail(aborted.reason)
      return
    }
    for (const signal of signals) onAbort(signal, this.#onAbort)
    this.#context = currentContext()
    try {
      this.#executor = executor()
      this.#lane = this.#executor.open({ ...job, width: this.#width() }, { context: this.#context, wake: this.#wake })
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#abandonment ??= new Abandonment(this, face)
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

  /** For calls of the consumer, who may be in another context than who started the stream. */
  #pump(): void {
    this.#context?.runInAsyncScope(this.#pumpHere)
  }

  readonly #pumpHere = (): void => {
    this.#intake?.pump()
  }

  /** How many chunks can be under way at once, at the beginning. */
  #width(): number {
    const items = Math.min(lengthOf(this.#source ?? []) ?? Infinity, this.#window.limit)
    return Math.ceil(items / this.#plan.tuner.tuning.chunksize)
  }

  readonly #onAbort = (): void => {
    const signal = this.#plan.signals.find(({ aborted }) => aborted)
    const value: unknown = signal?.reason
    this.#fail(signal !== undefined && signal === this.#plan.pipeline ? reasonOf(signal) : value, { value })
  }

  readonly #wake = (): void => {
    this.#context?.runInAsyncScope(this.#takeParts)
  }

  readonly #takeParts = (): void => {
    for (let part = this.#lane?.take(); part !== undefined; part = this.#lane?.take()) this.#onPart(part)
    const error = this.#lane?.error
    if (error !== undefined) this.#fail(error.error)
    this.#intake?.pump()
  }

  #onPart(part: Part): void {
    const { job, tuner, windowFor } = this.#plan
    const mode = modeOf(this.#plan, part)
    const failed = part.errors?.size ?? 0
    this.#failed += failed
    if (failed > 0 && tellsFailures()) tellFailures(part, taskOf(this.#plan), this.#executor)
    // A listener may have ended the stream, which then is to keep no results.
    if (this.#state === 'ended') return
    const arrived = arrive(part, mode)
    if (part.last) {
      tuner.record({ items: part.chunk.items.length, time: part.time, bytes: part.bytes })
      this.#window.limit = windowFor(tuner.tuning, this.#window.limit)
    }
    // Without an order nothing else is waited for: what is known already comes before the error.
    if (failed > 0 && mode === 'throw') {
      this.#intake?.halt()
      if (!job.ordered) this.#stop()
    }
    this.#delivery.put(arrived)
    this.#serve()
    this.#intake?.pump()
  }

  /** Waits for what `take` gives, or for the end. */
  #wait(face: object, take: Waiter['take'], done: unknown): Promise<unknown> {
    if (this.#state === 'new') this.#start(face)
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#state === 'ended') return Promise.resolve(done)
    this.#window.acknowledge()
    this.#abandonment?.suspend()
    return new Promise((resolve, reject) => {
      this.#waiters.add({ take, done, resolve, reject })
      this.#pump()
      this.#serve()
      // Still waiting: items that were left out have made room, or a chunk that is not full must go as it is.
      if (this.#waiters.size > 0) this.#pump()
    })
  }

  /** Gives waiting calls what is there for them. */
  #serve(): void {
    while (this.#waiters.size > 0) {
      const before = this.#window.handed
      if (!this.#waiters.serve()) {
        this.#endIfDue()
        return
      }
      if (this.#waiters.size > 0) this.#acknowledgeLater(this.#window.handed - before)
      else this.#abandonment?.resume(this)
    }
  }

  /** The consumer has asked for the next result already. It sees this one before another item is read. */
  #acknowledgeLater(count: number): void {
    queueMicrotask(() => {
      this.#window.acknowledge(count)
      this.#pump()
    })
  }

  /** There is nothing to give: for an error is due, or the end, or results that are not there yet. */
  #endIfDue(): void {
    const { failure } = this.#outlet
    if (failure !== undefined) this.#failOf(failure)
    else if (this.#intake?.drained === true && this.#window.held === 0) {
      const { late } = this.#outlet
      const { sourceError } = this.#intake
      if (late !== undefined) this.#failOf(late)
      else if (sourceError !== undefined) this.#fail(sourceError.error)
      else this.#end()
    }
  }

  /** Cancels what is in flight and closes the source. The stream goes on giving what has arrived. */
  #stop(): void {
    this.#lane?.close()
    // A pipeline would end at once.
    if (this.#plan.pipeline !== undefined) return
    void this.#context?.runInAsyncScope(abandon, undefined, this.#intake)
  }

  /** Ends the stream with the error of an item. */
  #failOf({ error, told }: Noted): void {
    this.#told = told
    this.#fail(error)
  }

  /** Ends the stream with an error: the first waiting call gets it, or else the next call to come. */
  #fail(error: unknown, reason?: Reason): void {
    if (this.#state === 'ended') return
    if (!this.#waiters.fail(error)) this.#failure = { error }
    const intake = this.#intake
    const source = this.#source
    const context = this.#context
    this.#end(reason)
    const end = this.#ending({ error })
    if (intake !== undefined) void context?.runInAsyncScope(abandon, undefined, intake, end)
    else if (source !== undefined) void abandon({ close: () => closeUnopened(source, end) })
  }

  /** How the source is to be closed. */
  #ending(failure: PipelineEnd['failure']): PipelineEnd | undefined {
    return this.#plan.pipeline === undefined ? undefined : { failure }
  }

  /** @param reason Why it was aborted, if it was. */
  #end(reason?: Reason): void {
    this.#state = 'ended'
    this.#abandonment?.suspend()
    this.#abandonment = undefined
    for (const signal of this.#plan.signals) offAbort(signal, this.#onAbort)
    this.#retried = this.#lane?.retried ?? 0
    this.#lane?.close(reason)
    this.#lane = undefined
    this.#context = undefined
    this.#executor = undefined
    this.#intake = undefined
    this.#source = undefined
    this.#outlet.clear()
    this.#waiters.end()
  }
}

/** Closes a source without waiting. The error that ended the stream is the one to tell, whatever closing throws. */
async function abandon(intake: Pick<Intake, 'close'> | undefined, end?: PipelineEnd): Promise<void> {
  try {
    await intake?.close(end)
  } catch {
    // Observed, so that it is no unhandled rejection.
  }
}

/** How `next()` tells that the stream has ended. */
function doneResult(): IteratorReturnResult<undefined> {
  return { value: undefined, done: true }
}
