/**
 * The inside of a stream. Whatever happens (the consumer asks, the source or the executor has something) leads to `#advance()`, the
 * one place that decides: what to take back, to give, to read and to submit, and whether this is the end.
 * Pools, signals and sources lead to the engine. It does not lead to the `Stream` that the consumer holds, so that a stream
 * that nobody can read on is collected, and ends.
 */
import type { Batch } from '../codec/batch.js'
import type { Failure } from '../failure.js'
import type { Reason } from '../executor/executor.js'
import { closeWithTimeout, closeQuietly } from '../io/close-with-timeout.js'
import { closeUnopened, type PipelineEnd, type Source } from '../io/source.js'
import { Abandonment } from './abandonment.js'
import { offAbort, onAbort } from '../aborts.js'
import { publishFailures, type DueError } from './outcome.js'
import { PartReader } from './part-reader.js'
import { doneResult, PendingReads, type PendingRead } from './pending-reads.js'
import { reasonOf } from '../io/pipeline.js'
import { taskOf, type StreamPlan, type StreamStats } from './plan.js'
import { Run } from './run.js'
import { Window } from './window.js'

export class Engine {
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #parts: PartReader
  readonly #reads = new PendingReads()
  /** Let go when the stream ends. */
  #source: Source<unknown> | undefined
  #state: 'new' | 'open' | 'ended' = 'new'
  /** From the first read to the end: what leads to items is let go then, as an ended stream may be kept for its figures. */
  #run: Run | undefined
  /** What there is to be looked at: something that the lane has, or a call or a part that was not there before. */
  #isLaneWoken = false
  #canGive = false
  #isAdvancing = false
  /** Something has happened while it advanced. */
  #isWoken = false
  /** An error that ends the stream and that no `next()` has been told of yet. */
  #failure: { readonly error: unknown } | undefined
  /** Settles when `return()` has closed the source; never rejects. */
  #closed: Promise<void> | undefined
  #abandonment: Abandonment | undefined
  #told: Failure | undefined
  #failed = 0
  #retried = 0

  constructor(plan: StreamPlan, source: Source<unknown>) {
    this.#plan = plan
    this.#source = source
    this.#window = new Window(plan.windowFor(plan.tuner.tuning))
    this.#parts = new PartReader(plan, this.#window)
  }

  next(face: object): Promise<IteratorResult<unknown, undefined>> {
    if (this.#parts.hasValue && this.#reads.size === 0) {
      this.#window.acknowledge()
      const result = this.#parts.takeValue()
      if (this.#run !== undefined && this.#window.room >= this.#run.refillThreshold) this.#wake()
      return Promise.resolve(result)
    }
    return this.#wait(face, this.#parts.takeOne, doneResult()) as Promise<IteratorResult<unknown, undefined>>
  }

  nextChunk(face: object): Promise<IteratorResult<unknown[], undefined>> {
    return this.#wait(face, this.#parts.takeChunk, doneResult()) as Promise<IteratorResult<unknown[], undefined>>
  }

  /** The next results, at most `max`, as they came, if they can stay encoded; undefined at the end. */
  nextBatch(face: object, max: number): Promise<Batch | undefined> {
    return this.#wait(face, () => this.#parts.takeBatch(max), undefined) as Promise<Batch | undefined>
  }

  /** For a stream of a pipeline that may end before the first `next()`. */
  joinPipeline(face: object): void {
    const { pipeline } = this.#plan
    if (pipeline === undefined || pipeline.aborted) return
    this.#abandonment = new Abandonment(this, face)
    onAbort(pipeline, this.#onAbort)
  }

  /**
   * Ends the stream. Settles when the source has closed, or after one second; rejects with what closing throws. In a pipeline, the
   * stage that reads this stream may have failed with `failure`.
   */
  async return(failure?: { readonly error: unknown }): Promise<void> {
    this.#failure = undefined
    if (this.#state !== 'ended') {
      const opened = this.#opened
      this.#end()
      const closed = closeWithTimeout(opened, this.#endOfPipeline(failure))
      this.#closed = closed.catch(() => undefined)
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
    const run = this.#run
    this.#end()
    if (run !== undefined) void closeQuietly(run)
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
      read: this.#window.read - (this.#run?.reserved ?? 0),
      delivered: this.#parts.delivered,
      failed: this.#failed,
      skipped: this.#parts.skipped,
      retried: this.#run?.retried ?? this.#retried,
      chunks: this.#parts.chunks,
      chunksize: this.#plan.tuner.tuning.chunksize,
      tuning: this.#plan.tuner.tuning,
      window: this.#window.limit,
    }
  }

  #start(face: object): void {
    const { signals } = this.#plan
    this.#state = 'open'
    const aborted = signals.find((signal) => signal.aborted)
    if (aborted !== undefined) {
      this.#fail(aborted.reason)
      return
    }
    for (const signal of signals) onAbort(signal, this.#onAbort)
    try {
      this.#run = new Run(this.#plan, this.#source ?? [], this.#window, this.#parts, this.#advance, this.#onLane)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#abandonment ??= new Abandonment(this, face)
  }

  /** Waits for what `take` gives, or for the end. */
  #wait(face: object, take: PendingRead['take'], done: unknown): Promise<unknown> {
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
      this.#reads.add({ take, done, resolve, reject })
      this.#canGive = true
      this.#wake()
    })
  }

  /** Advances in the stream's context, for calls that may come from any other. The source is read there, and wakes it there. */
  readonly #wake = (): void => {
    if (this.#isAdvancing) this.#isWoken = true
    else this.#run?.context.runInAsyncScope(this.#advance)
  }

  /**
   * Does all that can be done. To be called when something has changed; the fields above say what the lane and waiting calls have for it.
   * Code of the user that runs in it may end the stream, and may wake it: that makes for another round.
   */
  readonly #advance = (): void => {
    this.#isWoken = this.#isAdvancing
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      do {
        this.#isWoken = false
        if (this.#isLaneWoken) this.#collect()
        if (this.#canGive) this.#give()
        if (this.#run?.laneError === undefined) this.#run?.fill(this.#reads.size > 0)
        this.#finish()
      } while (this.#isWoken)
    } finally {
      this.#isAdvancing = false
    }
    this.#run?.flush()
  }

  readonly #onLane = (): void => {
    this.#isLaneWoken = true
    this.#wake()
  }

  /** Takes what has come back from the executor. */
  #collect(): void {
    this.#isLaneWoken = false
    for (let part = this.#run?.take(); part !== undefined; part = this.#run?.take()) {
      this.#failed += part.errors?.size ?? 0
      publishFailures(part, taskOf(this.#plan), this.#run?.executor)
      // A listener may have ended the stream, which then is to keep no results.
      if (this.#run === undefined) return
      this.#canGive = true
      if (this.#parts.put(part)) this.#stop(this.#run)
    }
  }

  /** Gives waiting calls what is there for them. */
  #give(): void {
    this.#canGive = false
    while (this.#reads.size > 0) {
      const before = this.#window.handed
      if (!this.#reads.serve()) return
      const given = this.#window.handed - before
      if (this.#reads.size === 0) this.#abandonment?.resume(this)
      else {
        // The consumer has asked for the next result already. It sees this one before another item is read.
        queueMicrotask(() => {
          this.#window.acknowledge(given)
          this.#wake()
        })
      }
    }
  }

  /** Ends the stream where an error is due, or the end: a call waits, there is nothing to give to it, and nothing will come. */
  #finish(): void {
    const run = this.#run
    if (run === undefined || (this.#reads.size === 0 && run.laneError === undefined)) return
    const isOver = run.isDrained && this.#window.held === 0
    const last = isOver ? (this.#parts.late ?? run.sourceError) : undefined
    const due: DueError | undefined = run.laneError ?? this.#parts.failure ?? last
    if (due !== undefined) {
      this.#told = due.told
      this.#fail(due.error)
    } else if (isOver) this.#end()
  }

  /** An item has failed, and the stream ends with its error: those after it are not wanted. It goes on giving what has arrived. */
  #stop(run: Run): void {
    run.halt()
    // With an order, the results before the error are waited for. Without one, what is known already comes before it.
    if (this.#plan.job.ordered) return
    run.cancel()
    // A pipeline would end at once.
    if (this.#plan.pipeline === undefined) void closeQuietly(run)
  }

  readonly #onAbort = (): void => {
    const { signals, pipeline } = this.#plan
    const signal = signals.find(({ aborted }) => aborted)
    const value: unknown = signal?.reason
    this.#fail(pipeline !== undefined && signal === pipeline ? reasonOf(pipeline) : value, { value })
  }

  /** Ends the stream with an error: the first waiting call gets it, or else the next call to come. */
  #fail(error: unknown, reason?: Reason): void {
    if (this.#state === 'ended') return
    if (!this.#reads.fail(error)) this.#failure = { error }
    const opened = this.#opened
    this.#end(reason)
    void closeQuietly(opened, this.#endOfPipeline({ error }))
  }

  /** What closes the source: it may not have been opened. */
  get #opened(): Pick<Run, 'close'> {
    const source = this.#source
    return this.#run ?? { close: (end) => source && closeUnopened(source, end) }
  }

  /** How the source is to be closed. */
  #endOfPipeline(failure: PipelineEnd['failure']): PipelineEnd | undefined {
    return this.#plan.pipeline === undefined ? undefined : { failure }
  }

  /** @param reason Why it was aborted, if it was. */
  #end(reason?: Reason): void {
    this.#state = 'ended'
    this.#abandonment?.suspend()
    this.#abandonment = undefined
    for (const signal of this.#plan.signals) offAbort(signal, this.#onAbort)
    const run = this.#run
    this.#run = undefined
    this.#source = undefined
    this.#retried = run?.retried ?? 0
    run?.cancel(reason)
    this.#parts.clear()
    this.#reads.end()
  }
}
