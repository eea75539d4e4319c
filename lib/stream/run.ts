/**
 * A stream from its first read to its end: the reader of its source, and its lane to the executor. Reads as much as the window and the
 * lane have room for, and submits it in chunks. At most one chunk is read ahead of what the executor can take.
 */
import { currentContext, type AsyncContext } from '../async-context.js'
import type { Chunk, Executor, Lane, StreamState } from '../executor/executor.js'
import type { OutputFormat } from '../formats/output-format.js'
import { lengthOf } from '../io/iterator-result.js'
import type { PipelineEnd, Source } from '../io/source.js'
import type { Occupancy } from './occupancy.js'
import type { PartReader } from './part-reader.js'
import type { StreamPlan } from './plan.js'
import { SourceReader } from './source-reader.js'
import type { Tuner } from './tuner.js'
import type { Window } from './window.js'

/** How long a synchronous source may be drained before the event loop gets its turn, in milliseconds. */
const READ_SLICE_MS = 5

export class Run {
  /** The context in which the stream was started: code of the user is called there. */
  readonly context: AsyncContext = currentContext()
  readonly executor: Executor
  readonly lane: Lane
  readonly reader: SourceReader
  readonly #window: Window
  readonly #tuner: Tuner
  readonly #windowFor: StreamPlan['windowFor']
  readonly #parts: PartReader
  readonly #occupancy: Occupancy
  readonly #onSource: () => void
  /** The most items of the chunk that is being read. */
  #limit = 1
  /** Index of the first item of the next chunk. */
  #first: number
  #refillThreshold = Infinity
  #hasSubmitted = false

  /**
   * Throws when the pool is closed, or cannot be used here.
   *
   * @param onSource Called when the source may give more, or has ended: in the stream's context.
   * @param onLane Called when the lane has something: in any context.
   * @param format The format of results that go to an output.
   * @param resumed Set if it passes on marks: how many items an earlier run has done.
   */
  constructor(
    plan: StreamPlan,
    source: Source<unknown>,
    window: Window,
    parts: PartReader,
    occupancy: Occupancy,
    onSource: () => void,
    onLane: () => void,
    format?: OutputFormat,
    resumed?: number,
  ) {
    const { executor, job, tuner, windowFor } = plan
    this.#first = resumed ?? 0
    this.#window = window
    this.#tuner = tuner
    this.#windowFor = windowFor
    this.#parts = parts
    this.#occupancy = occupancy
    this.#onSource = onSource
    this.executor = executor()
    // How many chunks can be under way at once, at the beginning.
    const width = Math.ceil(Math.min(lengthOf(source) ?? Infinity, window.limit) / tuner.tuning.chunksize)
    this.lane = this.executor.open(
      { ...job, width, format },
      { context: this.context, wake: onLane, state: () => this.#state },
    )
    // Buffers are moved from this thread.
    const use = { inWorkers: this.lane.readsFiles === true && job.transfer === undefined }
    this.reader = new SourceReader(source, this.lane.encodes, use, resumed !== undefined, window, onSource)
  }

  get #state(): StreamState {
    const { isFull, open } = this.#window
    const { size, hasEnded } = this.reader
    return { held: open - size, isFull, hasEnded }
  }

  /** How much room in the window makes it worth reading on: enough for the whole chunk. Infinite while it waits for something else. */
  get refillThreshold(): number {
    return this.#refillThreshold
  }

  /** Whether every item of the source has been read and submitted. */
  get isDrained(): boolean {
    return this.reader.hasEnded && this.reader.size === 0
  }

  /** Reads and submits what it can. @param isAwaited Whether the consumer waits, and nothing has arrived for it. */
  fill(isAwaited: boolean): void {
    this.#refillThreshold = Infinity
    if (this.reader.isReady) this.#read()
    this.#occupancy.endReading(this.reader.isAwaiting)
    if (this.#isDue(isAwaited)) this.#submit()
  }

  /** A chunk ends where a mark stands. @returns Whether nothing stands in the way of reading on. */
  #passMark(): boolean {
    const { mark } = this.reader
    if (mark === undefined) return true
    if (this.reader.size > 0 && !this.#submit()) return false
    this.reader.takeMark()
    this.#parts.expectMark(mark, this.#first)
    // It may be due at once.
    this.#onSource()
    return true
  }

  /** Makes the executor begin with what was submitted. */
  flush(): void {
    if (!this.#hasSubmitted) return
    this.#hasSubmitted = false
    this.lane.flush()
  }

  /** Closes the source, unless that has ended by itself. Returns and throws what its `close()` does. */
  close(end?: PipelineEnd): unknown {
    return this.context.runInAsyncScope(() => this.reader.close(end))
  }

  #read(): void {
    const reader = this.reader
    const occupancy = this.#occupancy
    this.#adjustLimit()
    let end: number | undefined
    while (reader.isReady) {
      if (!this.#passMark()) return
      const unit = this.#unit
      // The next values are one chunk, together with smaller units or alone.
      if (unit > 0 && reader.size > 0 && reader.size + unit > this.#limit && !this.#submit()) return
      if (reader.size >= this.#limit && !this.#submit()) return
      this.#limit = Math.max(this.#limit, unit)
      const missing = this.#limit - reader.size
      const room = Math.min(missing, this.#window.room)
      if (room <= 0 || room < unit) {
        this.#refillThreshold = Math.min(missing, Math.max(unit, this.#window.limit))
        // They would wait for a unit that has no room before their results are given.
        if (unit > 0 && reader.size > 0) this.#submit()
        return
      }
      if (end === undefined) {
        occupancy.beginReading()
        end = occupancy.now + READ_SLICE_MS
      }
      reader.read(room)
      if (!reader.isReady) continue
      const now = performance.now()
      occupancy.noteTime(now)
      if (now > end) {
        reader.wakeNextTurn()
        return
      }
    }
  }

  /**
   * How many values are read together, if the source says so. 0 if it does not, or if the user has chosen smaller chunks
   * or a smaller window. The window has room for two units of each worker, and always for one.
   */
  get #unit(): number {
    const { unit } = this.reader
    const { tuning } = this.#tuner
    if (unit === undefined || tuning.reason === 'fixed') return 0
    const { limit } = this.#window
    if (this.#windowFor({ ...tuning, chunksize: unit }, limit) < unit) return 0
    this.#window.limit = Math.max(this.#windowFor({ ...tuning, chunksize: Math.ceil(unit / 2) }, limit), unit)
    return unit
  }

  /** Whether the items that were read are to be submitted now. */
  #isDue(isAwaited: boolean): boolean {
    const reader = this.reader
    if (reader.size === 0 || reader.isReading) return false
    if (reader.size >= this.#limit || reader.hasEnded || reader.isStalled) return true
    // The window is full, so the consumer gets a result only if these are submitted.
    return isAwaited && this.#window.room <= 0
  }

  /** @returns Whether the lane had room for it. */
  #submit(): boolean {
    if (!this.lane.ready) return false
    const chunk: Chunk = { first: this.#first, items: this.reader.take() }
    this.#first += chunk.items.length
    this.#adjustLimit()
    this.#parts.expect(chunk)
    this.lane.submit(chunk)
    this.#hasSubmitted = true
    return true
  }

  #adjustLimit(): void {
    this.#limit = this.#tuner.next(this.reader.remaining)
  }
}
