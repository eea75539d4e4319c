/**
 * What the lazy verbs have in common: telling their two forms apart, validating, and making a stream of it. The verbs
 * themselves differ in a name and an order; `pool.ts` and `imap.ts` say where they run.
 */
import type { Executor, Job } from './executor/executor.js'
import { InlineExecutor } from './executor/inline.js'
import { assertSource, isIterable, type Source } from './io/source.js'
import { rangeError } from './errors.js'
import { OptionReader } from './options.js'
import type { ErrorMode, Outcome } from './stream/outcome.js'
import { Stream, type StreamPlan } from './stream/stream.js'
import { AutoTuner, FixedTuner } from './stream/tuner.js'
import { plainFunctionError, taskName, type TaskContext, type TaskLike } from './task.js'

/** Options of a stream. */
export interface StreamOptions<E extends ErrorMode = ErrorMode> {
  /**
   * The most items sent to a worker together: an integer from 1 to `window`, or `'auto'`, which aims at chunks that take
   * a few milliseconds. Default: `'auto'`. Nothing about results, errors or order depends on it.
   */
  readonly chunksize?: number | 'auto'
  /**
   * The most items that have been read from the source and whose results the consumer has not been given: an integer of
   * at least 1. Default: `workers × max(16, 4 × chunksize)`; under `'auto'` it follows the chunksize.
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
}

/** Options of a stream that runs on this thread. */
export interface InlineOptions<E extends ErrorMode = ErrorMode> extends StreamOptions<E> {
  /**
   * 0: run on this thread, `concurrency` items at once; any function will do, and nothing is copied. `chunksize` has no
   * effect then. The number of threads is an option of `Pool`.
   */
  readonly workers: 0
}

/** Options of a stream on worker threads. */
export interface ThreadedOptions<E extends ErrorMode = ErrorMode> extends StreamOptions<E> {
  readonly workers?: undefined
}

/**
 * A function from a source to a stream, as `pipe` and `stream.pipeline` take it. Node's `pipeline` and `compose` give a
 * signal besides, which fires when the pipeline is aborted or another part of it fails: it ends the stream.
 */
export type Stage<I, O> = (source: Source<I>, context?: { readonly signal?: AbortSignal }) => Stream<O>

/** What a stream gives for an item of type `I` and a result of type `R`, by the option `errors`. */
export type Given<I, R, E extends ErrorMode> = E extends 'settle' ? Outcome<I, Awaited<R>> : Awaited<R>

/** The call signatures of `imap` and `imapUnordered`. */
export interface Imap {
  /** Runs a task over a source on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: TaskLike<I, R>,
    source: Source<I>,
    options?: ThreadedOptions<E>,
  ): Stream<Given<I, R, E>>
  /** Runs any function over a source on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: ((item: I, context: TaskContext) => R) | TaskLike<I, R>,
    source: Source<I>,
    options: InlineOptions<E>,
  ): Stream<Given<I, R, E>>
  /** Makes a stage that runs a task on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(task: TaskLike<I, R>, options?: ThreadedOptions<E>): Stage<I, Given<I, R, E>>
  /** Makes a stage that runs any function on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: ((item: I, context: TaskContext) => R) | TaskLike<I, R>,
    options: InlineOptions<E>,
  ): Stage<I, Given<I, R, E>>
}

/** Makes a lazy verb: `executor` gives the threads it runs on, and throws when they cannot be used. */
export function lazyVerb(name: string, ordered: boolean, executor: () => Executor): Imap {
  const verb = (task: unknown, sourceOrOptions?: unknown, maybeOptions?: unknown): unknown => {
    const direct = isIterable(sourceOrOptions) || typeof sourceOrOptions === 'string' || maybeOptions !== undefined
    const action = `open a stream with ${name}()`
    const plan = planStream(action, ordered, executor, task, direct ? maybeOptions : sourceOrOptions)
    const stage = (source: unknown, context?: { readonly signal?: unknown }): Stream<unknown> => {
      assertSource(action, source)
      const made = plan()
      const signal = context?.signal
      const signals = isAbortSignal(signal) ? [...made.signals, signal] : made.signals
      return new Stream({ ...made, signals }, source)
    }
    return direct ? stage(sourceOrOptions) : stage
  }
  return verb as Imap
}

/** By its shape: a signal of another realm, or of a polyfill, will do. */
function isAbortSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = Object(value) as Partial<AbortSignal>
  return [typeof aborted, typeof addEventListener, typeof removeEventListener].join() === 'boolean,function,function'
}

/** The smallest share of the default window that each worker has, in items. */
const MIN_WINDOW = 16
/** The most items that `chunksize: 'auto'` puts in a chunk. */
const MAX_AUTO_CHUNK = 2_048

/** Validates once; the plan is then made anew for every stream, since each has a tuner of its own. */
function planStream(
  action: string,
  ordered: boolean,
  threads: () => Executor,
  task: unknown,
  options: unknown,
): () => StreamPlan {
  const read = new OptionReader<InlineOptions>(action, options, [
    'chunksize',
    'window',
    'signal',
    'errors',
    'concurrency',
    'workers',
  ])
  const chunksize = read.integerOr('chunksize', 'auto', 1) ?? 'auto'
  const window = read.integer('window', 1)
  const errors = read.oneOf('errors', ['throw', 'settle', 'skip']) ?? 'throw'
  const concurrency = read.integer('concurrency', 1) ?? 1
  const signal = read.value('signal', 'an AbortSignal', isAbortSignal)
  const inline = read.oneOf('workers', [0]) === 0
  if (window !== undefined && chunksize !== 'auto' && chunksize > window) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'chunksize' must not exceed 'window': received chunksize ${chunksize}, window ${window}`,
    )
  }
  const name = taskName(action, task)
  if (!inline && name === undefined) throw plainFunctionError(action, task)
  const executor = inline ? () => new InlineExecutor(concurrency) : threads
  const job: Job = {
    kind: 'map',
    fn: typeof task === 'function' ? (task as Job['fn']) : undefined,
    name,
    concurrency,
    ordered,
    stopOnError: errors === 'throw',
  }
  const { workers } = executor()
  return () => ({
    executor,
    job,
    tuner: inline
      ? new FixedTuner(1)
      : chunksize === 'auto'
        ? // Enough to keep `concurrency` busy, and few enough that every worker can have two chunks in the window.
          new AutoTuner(
            concurrency === 1 ? 1 : 4 * concurrency,
            Math.min(MAX_AUTO_CHUNK, Math.floor((window ?? Infinity) / (2 * workers))),
          )
        : new FixedTuner(chunksize),
    windowFor: (size) => window ?? workers * Math.max(MIN_WINDOW, 4 * size),
    errors,
    signals: signal === undefined ? [] : [signal],
  })
}
