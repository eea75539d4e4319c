/** The options that the verbs share, as types with their docs. `plan.ts` reads them. */
import type { Source } from '../io/source.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream } from '../stream/stream.js'

/** When failed items are tried again. */
export interface RetryOptions {
  /**
   * How often an item is tried in all, its first try included, as in `failure(error).attempts`: an integer of at least
   * 1. Required.
   */
  readonly attempts: number
  /**
   * How long to wait before the second try. Each later wait is twice as long. An integer of at least 0, in
   * milliseconds. Default: 100.
   */
  readonly minDelay?: number
  /**
   * The longest wait: an integer of at least `minDelay`, in milliseconds. Default: 10,000, or `minDelay` if that is
   * more.
   */
  readonly maxDelay?: number
  /**
   * The part of each wait that is random: a number from 0 (none) to 1 (all of it). Items that failed together are then
   * not tried again together. `true` is 1, `false` is 0. Default: 0.5.
   */
  readonly jitter?: number | boolean
  /**
   * Says whether an item that has tries left is tried again. It is called on this thread with the error. It must not be
   * async: a promise ends the stream with a `TypeError` (`ERR_INVALID_OPTION`). An error that it throws also ends it.
   * Default: always. It is not called for a `NotSerializableError`, a `TaskLoadError`, a `RecordError` or an item that
   * is not an array of arguments. Those items are not tried again.
   */
  readonly when?: (error: unknown) => boolean
}

/** Options of a stream. */
export interface StreamOptions<E extends ErrorMode = ErrorMode, I = unknown> {
  /**
   * The most items that are sent to a worker together: an integer from 1 to `window`, or `'auto'`. `'auto'` aims at
   * chunks that take 4 ms, with at most 8,192 items and 256 KiB (of lines with small results, 1 MiB). `stats().tuning`
   * says what it chose and why. Results, errors and order do not depend on the chunksize. Default: `'auto'`.
   */
  readonly chunksize?: number | 'auto'
  /**
   * The most items that have been read from the source and whose results the consumer has not been given: an integer of
   * at least 1. Default: `workers × max(16, 4 × chunksize)`, which grows with the chunksize under `'auto'`. The default
   * is smaller if these items would take more than 64 MiB, but at least two per worker. `stats().window` gives the
   * current value.
   */
  readonly window?: number
  /** Ends the stream when it fires; its reason is thrown. Default: none. */
  readonly signal?: AbortSignal
  /**
   * What happens when an item fails. `'throw'` (default): the stream throws the error and ends. `'settle'`: every item
   * gives an `Outcome`. `'skip'`: failed items are left out, and counted in `stats()`. `rejects(path)`: they are left out, and written to
   * a file.
   */
  readonly errors?: E
  /**
   * How many items may fail, with `errors: 'skip'` or `rejects(path)`: an integer of at least 0, or a share of all items, such as `'5%'`.
   * If more fail, the stream ends with an error (`ERR_TOO_MANY_ERRORS`), whose `cause` is that of the last item. A share is judged from
   * 1,000 items on, and at the end. Default: any number.
   */
  readonly maxErrors?: number | `${number}%`
  /**
   * How many items of an async task run at the same time in one worker: an integer of at least 1. Default: 1. They are
   * items of one chunk, and the worker waits for all of them before the next chunk. A `chunksize` several times as
   * large keeps it busy.
   */
  readonly concurrency?: number
  /**
   * How long an item may take, from its beginning in the worker: an integer of at least 1, in milliseconds, or
   * `Infinity`. An item that takes longer, in a loop or waiting for a promise, fails with a `TaskTimeoutError`. Its
   * worker is replaced, which takes some tens of milliseconds. Other items of that worker run again elsewhere. Default:
   * `Infinity`. With `workers: 0` a loop cannot be interrupted; an item that waits fails, while its function continues
   * unnoticed.
   */
  readonly timeout?: number
  /**
   * How often an item is tried again after it threw, killed its worker or exceeded `timeout`: an integer of at least 0.
   * Or an object with more options, whose `attempts` includes the first try. The waits before the tries are 100 ms, 200
   * ms and so on, each shortened by up to half at random. Other items continue. An item keeps its place in the order
   * and in `window`. A `reduce` folds the whole chunk again, so that its other items run more than once. Default: 0.
   */
  readonly retries?: number | RetryOptions
  /**
   * Says which ArrayBuffers of an item are moved to the worker, and not copied: `(item) => [item.pixels.buffer]`. It is
   * called on this thread when the item is sent. The buffers are then detached here, and must not be used again. Such
   * an item travels alone, to a worker that has nothing else to do: `chunksize` and `concurrency` must be 1. `retries`
   * must be 0, because moved buffers cannot be sent again. If the worker ends before the item begins, the item fails
   * with a `WorkerCrashError`. If the function throws, or lists something other than ArrayBuffers, the item fails with
   * a `NotSerializableError`. Default: everything is copied. With `workers: 0` it is not called.
   */
  transfer?(item: I): readonly ArrayBufferLike[]
  /**
   * The most workers of the pool that run chunks of this stream at once: an integer from 1 to the pool's `workers`. For
   * more, `new Pool({ workers: n })`. Default: all. 0: run on this thread, `concurrency` items at once. Then any
   * function will do, nothing is copied, and `chunksize` has no effect.
   */
  readonly workers?: number
}

/** Options of a call that runs on this thread, with any function. Nothing is copied. */
export type OnThisThread<O> = O & { readonly workers: 0 }

/**
 * A function from a source to a stream, as `pipe` and `stream.pipeline` take it. Node's `pipeline` and `compose` also
 * pass a signal. It fires when the pipeline is aborted or another part of it fails, and ends the stream.
 */
export type Stage<I, O> = (source: Source<I>, context?: { readonly signal?: AbortSignal }) => Stream<O>

/**
 * A stage that passes its items on unchanged: they keep the type of the source. `I` is the type that the stage needs.
 */
export type StageOf<I> = <T extends I>(source: Source<T>, context?: { readonly signal?: AbortSignal }) => Stream<T>
