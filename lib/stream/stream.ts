/**
 * The public stream, which a stage returns. It is not a generator, because that would queue `return()` behind a stuck `next()`. The
 * engine does the work.
 */
import { typeError } from '../errors.js'
import { rememberEnd } from '../failure.js'
import { showState } from '../inspect.js'
import { offerFormatted } from '../formats/offer.js'
import { offerBatches, type BatchReader, type Source } from '../io/source.js'
import { offerResume } from '../resume/mark.js'
import { Engine } from './engine.js'
import { noteOrigin } from './origin.js'
import type { StreamPlan, StreamStats } from './plan.js'
import { Results } from './results.js'

/** An iterator of arrays, which also `await using` closes. */
export type Chunks<R> = AsyncIterableIterator<R[], undefined, unknown> & AsyncDisposable

/**
 * Results of a stage, in the order of its items or, unordered, as they complete. Iterate it once, with `for await` or
 * `next()`. Before the first `next()` nothing is read, and workers do not start.
 *
 * A stream that you drop before its end is closed when it is garbage collected. Until then it keeps its place in the pool:
 * call `return()`, or leave `for await` by `break`, to close it at once.
 */
export class Stream<R> extends Results<R> {
  static {
    showState(this.prototype as Stream<unknown>, (stream) => stream.#engine.summary, 'Stream')
  }

  readonly #engine: Engine

  /** Streams are made by stages. @internal */
  constructor(plan: StreamPlan, source: Source<unknown>) {
    super()
    const engine = new Engine(plan, source)
    this.#engine = engine
    rememberEnd(this, engine)
    noteOrigin(this, engine.meter.origin)
    engine.joinPipeline(this)
    const open = (): BatchReader => {
      assertUnread(engine.isOver)
      return {
        next: (max) => engine.nextBatch(this, max),
        close: (end) => (end?.failure === undefined ? this.return() : engine.return(end.failure)),
      }
    }
    // A stage whose source is this stream takes whole batches, which stay encoded. A sink takes formatted records.
    offerResume(this, engine.resumePoint)
    offerBatches(this, open)
    offerFormatted(this, (layout) => (engine.format(layout) ? open() : undefined))
  }

  /**
   * Asks for the next result. May be called again before the last one has settled: results come in the order of calls.
   *
   * @returns `{ value, done: false }`, or `{ value: undefined, done: true }` after the end, at every call.
   * @throws The source's error, as it was thrown; a task's (see `imap`); the reason of an aborted `signal`. The stream has then ended.
   */
  next(): Promise<IteratorResult<R, undefined>> {
    return this.#engine.next(this) as Promise<IteratorResult<R, undefined>>
  }

  /**
   * The results as arrays, each as it came from a worker. Use it to await once for many results, instead of once for each.
   * It reads the same stream: a result comes either from here or from `next()`.
   *
   * @returns An iterator of arrays of at least one result, each of the items of one chunk at most.
   */
  chunks(): Chunks<R> {
    const chunks: Chunks<R> = {
      // The promise as it is: calls of `next()` of the stream and of this iterator settle in the order in which they were made.
      next: () => this.#engine.nextChunk(this) as Promise<IteratorResult<R[], undefined>>,
      return: async () => {
        await this.return()
        return { value: undefined, done: true }
      },
      [Symbol.asyncDispose]: async () => {
        await this.return()
      },
      [Symbol.asyncIterator]: () => {
        assertUnread(this.#engine.isOver)
        return chunks
      },
    }
    showState(chunks, () => ({ source: this }), 'Chunks')
    return chunks
  }

  /**
   * Ends the stream: cancels what is in flight and closes the source. `for await` calls it on `break`.
   *
   * @returns Settles when the source's own `return()` has, or after one second. A pending `next()` resolves as done.
   * @throws What the source's `return()` throws.
   */
  async return(): Promise<IteratorResult<R, undefined>> {
    await this.#engine.return()
    return { value: undefined, done: true }
  }

  /**
   * The stream itself: it can be iterated once. Two loops that read it at once share its results.
   *
   * @throws {TypeError} `ERR_INVALID_SOURCE`: the stream has ended, or was left by `break` or `return()`.
   */
  [Symbol.asyncIterator](): this {
    assertUnread(this.#engine.isOver)
    return this
  }

  /** Figures of the stream so far; they stay readable after its end. */
  stats(): StreamStats {
    return this.#engine.meter.stats()
  }
}

/** Without this error, a second loop would see no results. */
function assertUnread(isOver: boolean): void {
  if (!isOver) return
  throw typeError(
    'ERR_INVALID_SOURCE',
    'Cannot read the stream again as it has ended: a stream can be read once; keep its results in an array, or open a new stream',
  )
}
