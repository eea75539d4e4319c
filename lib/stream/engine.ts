/**
 * The inside of a stream. Each event leads to `#advance()`: the consumer asks, or the source or the executor has something. It alone
 * decides what to take back, to give, to read and to submit, and when the stream ends.
 *
 * Pools, signals and sources refer to the engine. It does not refer to the `Stream` that the consumer holds. So a stream that nobody can
 * read on is garbage collected, and ends.
 */
import type { Batch } from '../codec/batch.js'
import type { Failure } from '../failure.js'
import type { Reason } from '../executor/executor.js'
import type { OutputLayout } from '../formats/output-layout.js'
import { closeWithTimeout, closeQuietly } from '../io/close-with-timeout.js'
import { closeUnopened, type PipelineEnd, type Source } from '../io/source.js'
import { Abandonment } from './abandonment.js'
import { offAbort, onAbort } from '../aborts.js'
import type { Occupancy } from './occupancy.js'
import type { StreamEnd } from './origin.js'
import { publishFailures, type DueError } from './outcome.js'
import { PartReader } from './part-reader.js'
import { doneResult, PendingReads, type PendingRead } from './pending-reads.js'
import { reasonOf } from '../io/pipeline.js'
import { taskOf, type StreamPlan } from './plan.js'
import { StagePoint } from './resume-point.js'
import { Run } from './run.js'
import { StreamMeter } from './stream-meter.js'
import { Window } from './window.js'

const LEFT: StreamEnd = { how: 'left' }

export class Engine {
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #parts: PartReader
  readonly #reads = new PendingReads()
  /** Dropped when the stream ends. */
  #source: Source<unknown> | undefined
  #state: 'new' | 'open' | 'ended' = 'new'
  /** From the first read to the end. An ended stream may be kept for its figures, and must not keep items. */
  #run: Run | undefined
  #isAdvancing = false
  /** Something has happened while it advanced. */
  #isWoken = false
  /** The error that has ended the stream, until a `next()` has rejected with it. */
  #failure: { readonly error: unknown } | undefined
  /** Settles when `return()` has closed the source; never rejects. */
  #closed: Promise<void> | undefined
  #abandonment: Abandonment | undefined
  /** The item whose error has ended the stream. */
  failure: Failure | undefined
  /** Its figures. */
  readonly meter: StreamMeter
  readonly #occupancy: Occupancy

  /** How it goes on where an earlier run was. */
  readonly resumePoint: StagePoint

  constructor(plan: StreamPlan, source: Source<unknown>) {
    this.#plan = plan
    this.#source = source
    this.#window = new Window(plan.windowFor(plan.tuner.tuning))
    this.#parts = new PartReader(plan, this.#window)
    this.meter = new StreamMeter(plan, source, this.#window, this.#parts)
    this.#occupancy = this.meter.occupancy
    this.resumePoint = new StagePoint(plan, source, this.#parts)
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

  /** The next results, at most `max`, still encoded if they can be; undefined at the end. */
  nextBatch(face: object, max: number): Promise<Batch | undefined> {
    return this.#wait(face, () => this.#parts.takeBatch(max), undefined) as Promise<Batch | undefined>
  }

  /**
   * The results go to an output: they are formatted where they are made, and all batches are for `Formatted.of()`.
   *
   * @returns Whether that can be done: not for outcomes and folds, nor after the first read.
   */
  format(layout: OutputLayout): boolean {
    const { errors, job } = this.#plan
    if (this.#state !== 'new' || errors === 'settle' || job.kind === 'reduce') return false
    this.#parts.layout = layout
    return true
  }

  /** For a stream of a pipeline, which may end before the first `next()`. */
  joinPipeline(face: object): void {
    const { pipeline } = this.#plan
    if (pipeline === undefined || pipeline.aborted) return
    this.#abandonment = new Abandonment(this, face)
    onAbort(pipeline, this.#onAbort)
  }

  /**
   * Ends the stream. Settles when the source has closed, or after one second. Rejects with what closing throws.
   *
   * @param failure In a pipeline: the error of the stage that reads this stream, if that has failed.
   */
  async return(failure?: { readonly error: unknown }): Promise<void> {
    this.#failure = undefined
    if (this.#state !== 'ended') {
      const opened = this.#opened
      this.#end(LEFT)
      const closed = this.#leave(opened, failure)
      this.#closed = closed.then(noop, noop)
      await closed
    }
    await this.#closed
  }

  /** Closes the source. What has failed so far is seen, unless that fails, or what reads this stream has failed. */
  async #leave(opened: Pick<Run, 'close'>, failure: PipelineEnd['failure']): Promise<void> {
    const { failedItems } = this.#parts
    const closed = closeWithTimeout(opened, this.#endOfPipeline(failure))
    try {
      if (failure !== undefined) await failedItems.discard()
      await closed
      if (failure === undefined) await failedItems.end()
    } catch (error) {
      await failedItems.discard()
      throw error
    }
  }

  /** Whether it has ended, and a `next()` has told of its error. */
  get isOver(): boolean {
    return this.#state === 'ended' && this.#failure === undefined
  }

  /** Ends the stream: nobody can read on. */
  abandon(): void {
    if (this.#state === 'ended') return
    const run = this.#run
    this.#end(LEFT)
    void this.#parts.failedItems.discard()
    if (run !== undefined) void closeQuietly(run)
  }

  /** For `console.log()`. */
  get summary(): object {
    const state = { new: 'not started', open: 'open', ended: 'ended' }[this.#state]
    return { task: taskOf(this.#plan), state, read: this.#window.read, delivered: this.#parts.counts.delivered }
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
    this.#occupancy.start()
    try {
      this.#parts.failedItems.open(
        this.#wake,
        () => this.meter.inputs,
        this.meter.before?.failedItems,
        this.resumePoint.keptFailures,
      )
      this.#run = new Run(
        this.#plan,
        this.#source ?? [],
        this.#window,
        this.#parts,
        this.#occupancy,
        this.#advance,
        this.#wake,
        this.#parts.layout?.format,
        this.resumePoint.start,
      )
      this.meter.open(this.#run.lane)
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
    this.#occupancy.noteAwaited(true)
    return new Promise((resolve, reject) => {
      this.#reads.add({ take, done, resolve, reject })
      this.#wake()
    })
  }

  /** Advances in the stream's context, for calls from any other context. The source is read there, and wakes the stream there. */
  readonly #wake = (): void => {
    if (this.#isAdvancing) this.#isWoken = true
    else this.#run?.context.runInAsyncScope(this.#advance)
  }

  /**
   * Does all that can be done. To be called when something has changed. It runs code of the user, which may end the stream, or wake it:
   * then there is another round.
   */
  readonly #advance = (): void => {
    this.#isWoken = this.#isAdvancing
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      do {
        this.#isWoken = false
        if (this.#run !== undefined) this.#collect(this.#run)
        this.#give()
        if (this.#mayRead) this.#run?.fill(this.#reads.size > 0)
        this.#finish()
      } while (this.#isWoken)
    } finally {
      this.#isAdvancing = false
      this.#occupancy.endAdvance()
    }
    this.#run?.flush()
  }

  get #mayRead(): boolean {
    return this.#run?.lane.error === undefined && this.#parts.failedItems.target?.isFull !== true
  }

  /** Takes what has come back from the executor. */
  #collect(run: Run): void {
    for (let part = run.lane.take(); part !== undefined; part = run.lane.take()) {
      this.meter.add(part)
      publishFailures(part, taskOf(this.#plan), run.executor)
      // A listener may have ended the stream, which then must keep no results.
      if (this.#run === undefined) return
      if (this.#parts.put(part)) this.#stop(run)
    }
  }

  /** Answers waiting calls, as far as there are results. */
  #give(): void {
    while (this.#reads.size > 0) {
      const before = this.#window.handed
      if (!this.#reads.serve()) return
      const given = this.#window.handed - before
      if (this.#reads.size === 0) {
        this.#occupancy.noteAwaited(false)
        this.#abandonment?.resume(this)
      } else {
        // The consumer has already asked for the next result. It sees this one before another item is read.
        queueMicrotask(() => {
          this.#window.acknowledge(given)
          this.#wake()
        })
      }
    }
  }

  /** Ends the stream when an error or the end is due: a call waits, and no result will come before that. */
  #finish(): void {
    const run = this.#run
    if (run === undefined || (this.#reads.size === 0 && run.lane.error === undefined)) return
    const isOver = run.isDrained && this.#window.held === 0 && !this.#parts.hasMark
    const { target, failure } = this.#parts.failedItems
    const last = isOver ? (this.#parts.late ?? run.reader.error ?? this.#parts.limitError) : undefined
    const due: DueError | undefined = run.lane.error ?? target?.failure ?? failure ?? this.#parts.failure ?? last
    if (due !== undefined) {
      this.failure = due.told
      this.#fail(due.error)
    } else if (isOver && this.#parts.failedItems.isReleased(this.#wake)) this.#end({ how: 'done' })
  }

  /** An item has failed, and the stream ends with its error: items after it are not needed. It still gives what comes before the error. */
  #stop(run: Run): void {
    run.reader.halt()
    // An ordered stream waits for the results before the error. An unordered one gives those that have arrived.
    if (this.#plan.job.ordered) return
    run.lane.close()
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
    this.#end({ how: 'failed', error }, reason)
    void closeQuietly(opened, this.#endOfPipeline({ error }))
  }

  /** Closes the source, which may not have been opened. */
  get #opened(): Pick<Run, 'close'> {
    const source = this.#source
    return this.#run ?? { close: (end) => source && closeUnopened(source, end) }
  }

  /** How the source is to be closed. */
  #endOfPipeline(failure: PipelineEnd['failure']): PipelineEnd | undefined {
    return this.#plan.pipeline === undefined ? undefined : { failure }
  }

  /** @param reason Why it was aborted, if it was. */
  #end(how: StreamEnd, reason?: Reason): void {
    this.#state = 'ended'
    this.meter.stop()
    this.#abandonment?.suspend()
    this.#abandonment = undefined
    for (const signal of this.#plan.signals) offAbort(signal, this.#onAbort)
    const run = this.#run
    this.#run = undefined
    this.#source = undefined
    run?.lane.close(reason)
    this.#parts.clear()
    if (how.how === 'failed') void this.#parts.failedItems.discard()
    this.#reads.end()
    this.meter.end(how)
  }
}

function noop(): void {
  // An error of closing is told by the call that has closed the stream.
}
