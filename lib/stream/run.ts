/**
 * What a stream has from its first read to its end: the source that is read, and the lane to the executor. It has as much read as the
 * window and the lane have room for, and submits it in chunks. At most one chunk is read ahead of what the executor can take, so nothing
 * is read that no worker waits for.
 */
import { currentContext, type AsyncContext } from '../async-context.js'
import type { Chunk, Executor, Lane, Part, Reason } from '../executor/executor.js'
import { lengthOf } from '../io/iterator-result.js'
import type { PipelineEnd, Source } from '../io/source.js'
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
  readonly #window: Window
  readonly #tuner: Tuner
  readonly #parts: PartReader
  readonly #lane: Lane
  readonly #reader: SourceReader
  /** The most items in the chunk that is being read. */
  #limit = 1
  /** Index of the first item of the next chunk. */
  #first = 0
  #refillThreshold = Infinity
  #hasSubmitted = false

  /**
   * Throws where the pool is closed, or cannot be used here.
   *
   * @param onSource Called when the source may give more, or has ended: in the stream's context.
   * @param onLane Called when the lane has something: in any context.
   */
  constructor(
    plan: StreamPlan,
    source: Source<unknown>,
    window: Window,
    parts: PartReader,
    onSource: () => void,
    onLane: () => void,
  ) {
    const { executor, job, tuner } = plan
    this.#window = window
    this.#tuner = tuner
    this.#parts = parts
    this.executor = executor()
    // How many chunks can be under way at once, at the beginning.
    const width = Math.ceil(Math.min(lengthOf(source) ?? Infinity, window.limit) / tuner.tuning.chunksize)
    this.#lane = this.executor.open({ ...job, width }, { context: this.context, wake: onLane })
    this.#reader = new SourceReader(source, this.#lane.encodes, window, onSource)
  }

  /** How much room in the window is worth reading on: enough for the whole chunk. Where room is not what is missing: infinite. */
  get refillThreshold(): number {
    return this.#refillThreshold
  }

  /** How many items have places in the window that the read under way may turn out not to need. */
  get reserved(): number {
    return this.#reader.reserved
  }

  /** How often an item has failed and was to be tried again. */
  get retried(): number {
    return this.#lane.retried
  }

  /** Whether every item of the source has been read and submitted. */
  get isDrained(): boolean {
    return this.#reader.hasEnded && this.#reader.size === 0
  }

  /** What the source threw: due after the results of all items read before it. */
  get sourceError(): { readonly error: unknown } | undefined {
    return this.#reader.error
  }

  /** Why the executor can give no more results. */
  get laneError(): { readonly error: unknown } | undefined {
    return this.#lane.error
  }

  /** The next outcomes that have come back from the executor. */
  take(): Part | undefined {
    return this.#lane.take()
  }

  /** Reads and submits what it can. @param isAwaited Whether the consumer waits, and nothing has arrived for it. */
  fill(isAwaited: boolean): void {
    this.#refillThreshold = Infinity
    if (this.#reader.isReady) this.#read()
    if (this.#isDue(isAwaited)) this.#submit()
  }

  /** Has the executor begin with what was submitted: it wakes the stream for the next chunk. */
  flush(): void {
    if (!this.#hasSubmitted) return
    this.#hasSubmitted = false
    this.#lane.flush()
  }

  /** Reads and submits no more, and leaves the source to be closed. */
  halt(): void {
    this.#reader.halt()
  }

  /** Cancels what is in flight. @param reason Why the stream was aborted, if it was. */
  cancel(reason?: Reason): void {
    this.#lane.close(reason)
  }

  /** Closes the source, unless it has ended by itself. Returns what its `close()` returned, and throws what it throws. */
  close(end?: PipelineEnd): unknown {
    return this.context.runInAsyncScope(() => this.#reader.close(end))
  }

  #read(): void {
    const reader = this.#reader
    this.#adjustLimit()
    let end: number | undefined
    while (reader.isReady) {
      if (reader.size >= this.#limit && !this.#submit()) return
      const missing = this.#limit - reader.size
      const room = Math.min(missing, this.#window.room)
      if (room <= 0) {
        this.#refillThreshold = Math.min(missing, this.#window.limit)
        return
      }
      end ??= performance.now() + READ_SLICE_MS
      reader.read(room)
      if (reader.isReady && performance.now() > end) {
        reader.wakeNextTurn()
        return
      }
    }
  }

  /** Whether what was read is to be submitted as it is. */
  #isDue(isAwaited: boolean): boolean {
    const reader = this.#reader
    if (reader.size === 0 || reader.isReading) return false
    if (reader.size >= this.#limit || reader.hasEnded || reader.isStalled) return true
    // No item can be read before the consumer has got one, and it gets none before these are submitted.
    return isAwaited && this.#window.room <= 0
  }

  /** @returns Whether the lane had room for it. */
  #submit(): boolean {
    if (!this.#lane.ready) return false
    const chunk: Chunk = { first: this.#first, items: this.#reader.take() }
    this.#first += chunk.items.length
    this.#adjustLimit()
    this.#parts.expect(chunk)
    this.#lane.submit(chunk)
    this.#hasSubmitted = true
    return true
  }

  #adjustLimit(): void {
    this.#limit = this.#tuner.next(this.#reader.remaining)
  }
}
