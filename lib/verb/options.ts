/** The options that the verbs share, as types with their docs. `plan.ts` reads them. */
import type { Source } from '../io/source.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream } from '../stream/stream.js'

/** When failed items are tried again. */
export interface RetryOptions {
  /** How often an item is tried at most, its first try counted, as `failure(error).attempts` counts: an integer of at least 1. Required. */
  readonly attempts: number
  /**
   * How long to wait before the first further try; the wait doubles from try to try. An integer of at least 0, in milliseconds.
   * Default: 100.
   */
  readonly minDelay?: number
  /** The longest wait: an integer of at least `minDelay`, in milliseconds. Default: 10,000, or `minDelay` if that is more. */
  readonly maxDelay?: number
  /**
   * How much of each wait is left to chance, so that what failed at the same time is not tried again at the same time: a number
   * from 0 (none) to 1 (anything from no wait to all of it). `true` is 1, `false` 0. Default: 0.5.
   */
  readonly jitter?: number | boolean
  /**
   * Called on this thread with the error of an item that has tries left: whether to try it again. It must return that at once:
   * a promise ends the stream with a `TypeError` (`ERR_INVALID_OPTION`), and what it throws ends the stream as well.
   * Default: always. Never asked about a `NotSerializableError`, a `TaskLoadError` or an item that is no array of arguments: those items
   * are not tried again.
   */
  readonly when?: (error: unknown) => boolean
}

/** Options of a stream. */
export interface StreamOptions<E extends ErrorMode = ErrorMode, I = unknown> {
  /**
   * The most items sent to a worker together: an integer from 1 to `window`, or `'auto'`, which aims at chunks that take
   * 4 ms, with at most 256 KiB and 8,192 items; `stats().tuning` tells what it chose and why. Default: `'auto'`. Nothing about results, errors or order depends on it.
   */
  readonly chunksize?: number | 'auto'
  /**
   * The most items that have been read from the source and whose results the consumer has not been given: an integer of
   * at least 1. Default: `workers × max(16, 4 × chunksize)`, which under `'auto'` grows with the chunksize; or as many as take
   * 64 MiB on their way, if those are fewer, but never less than two per worker. `stats().window` tells.
   */
  readonly window?: number
  /** Ends the stream when it fires; its reason is thrown. Default: none. */
  readonly signal?: AbortSignal
  /**
   * What becomes of a failed item. `'throw'` (default): the stream throws the error and ends. `'settle'`: every item gives
   * an `Outcome`. `'skip'`: failed items are left out, and counted in `stats()`.
   */
  readonly errors?: E
  /**
   * How many items of an async task run at once within one worker: an integer of at least 1. Default: 1. They are items of
   * one chunk, whose end waits for all of them: a `chunksize` several times as large keeps a worker busy.
   */
  readonly concurrency?: number
  /**
   * How long an item may take, from its beginning in the worker: an integer of at least 1, in milliseconds, or `Infinity`. An item that takes
   * longer, in a loop or waiting for a promise, fails with a `TaskTimeoutError`; its worker is replaced, which costs some tens
   * of milliseconds, and other items it had in hand run again elsewhere. Default: `Infinity`. With `workers: 0` only what awaits can be
   * given up, and it runs on unheard.
   */
  readonly timeout?: number
  /**
   * How often to try an item again that has failed, killed its worker or taken longer than `timeout`: an integer of at least 0;
   * or an object that tells more, where `attempts` counts the first try too. Waits of 100 ms, 200 ms, … come before the tries, each shortened by up to half at random; other
   * items go on meanwhile. An item keeps its place in the order and in `window`. In a `reduce`, its whole chunk is folded again:
   * the other items of it then run more than once. Default: 0.
   */
  readonly retries?: number | RetryOptions
  /**
   * Tells which ArrayBuffers of an item are moved to the worker, and not copied: `(item) => [item.pixels.buffer]`. It is called on this thread
   * when the item is sent; then they are detached here, and must not be used any more. Such an item travels alone, to a worker that
   * has nothing else to do: `chunksize` and `concurrency` must be 1, and `retries` 0, as what was moved cannot be sent again. If its worker
   * ends before the item begins, it fails with a `WorkerCrashError`. What it throws, and a list with something else than ArrayBuffers, fails
   * the item with a `NotSerializableError`. Default: all is copied. With `workers: 0` it is not called.
   */
  transfer?(item: I): readonly ArrayBufferLike[]
}

/** Options of a stream that runs on this thread. */
export interface InlineOptions<E extends ErrorMode = ErrorMode, I = unknown> extends StreamOptions<E, I> {
  /**
   * 0: run on this thread, `concurrency` items at once; any function will do, and nothing is copied. `chunksize` has no
   * effect then.
   */
  readonly workers: 0
}

/** Options of a stream on worker threads. */
export interface ThreadedOptions<E extends ErrorMode = ErrorMode, I = unknown> extends StreamOptions<E, I> {
  /**
   * The most workers of the pool that run chunks of this stream at once: an integer from 1 to the pool's `workers`. For more,
   * `new Pool({ workers: n })`. Default: all. (0 runs on this thread: see `InlineOptions`.)
   */
  readonly workers?: number
}

/**
 * A function from a source to a stream, as `pipe` and `stream.pipeline` take it. Node's `pipeline` and `compose` give a
 * signal besides, which fires when the pipeline is aborted or another part of it fails: it ends the stream.
 */
export type Stage<I, O> = (source: Source<I>, context?: { readonly signal?: AbortSignal }) => Stream<O>

/** A stage that gives its items on as they are: their type is that of the source, and `I` is what it asks of them. */
export type StageOf<I> = <T extends I>(source: Source<T>, context?: { readonly signal?: AbortSignal }) => Stream<T>
