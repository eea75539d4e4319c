/** The options that the verbs share, and what makes a plan for a stream of them. */
import type { Executor, Job } from '../executor/executor.js'
import { InlineExecutor } from '../executor/inline.js'
import type { Source } from '../io/source.js'
import { rangeError } from '../errors.js'
import { OptionReader } from '../options.js'
import { AutoTuner } from '../stream/auto-tuner.js'
import { defaultWindow } from '../stream/default-window.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream, StreamPlan } from '../stream/stream.js'
import { FixedTuner } from '../stream/tuner.js'
import { plainFunctionError, taskName } from '../task.js'
import type { JobKind } from '../worker/protocol.js'

/** Options of a stream. */
export interface StreamOptions<E extends ErrorMode = ErrorMode> {
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

/** What sets one verb apart from another. */
export interface Verb {
  /** What its caller is about to do, as error texts begin: 'open a stream with imap()'. */
  readonly action: string
  readonly kind: JobKind
  readonly ordered: boolean
  /** Gives the threads it runs on; throws when they cannot be used. */
  readonly executor: () => Executor
  /** What may become of a failed item; the first is the default. */
  readonly errors: readonly ErrorMode[]
  /** Options of its own instead of `concurrency`, which it checks itself. */
  readonly options?: readonly string[]
  /** Where a fold begins. */
  readonly initial?: unknown
}

/** How many items are folded into one partial result on this thread, at most. */
const INLINE_FOLD = 256

/** The names of all options of a verb, by those of its own. */
export function optionNames(own: readonly string[] = ['concurrency']): (keyof InlineOptions)[] {
  return ['chunksize', 'window', 'signal', 'errors', ...(own as ['concurrency']), 'workers']
}

/** Validates once; the plan is then made anew for every stream, since each has a tuner of its own. */
export function planStream(verb: Verb, task: unknown, options: unknown): () => StreamPlan {
  const { action } = verb
  const read = new OptionReader<InlineOptions>(action, options, optionNames(verb.options))
  const chunksize = read.integerOr('chunksize', 'auto', 1) ?? 'auto'
  const window = read.integer('window', 1)
  const errors = read.oneOf('errors', verb.errors) ?? 'throw'
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
  const executor = inline ? () => new InlineExecutor(concurrency) : verb.executor
  const job: Job = {
    kind: verb.kind,
    initial: verb.initial,
    fn: typeof task === 'function' ? (task as Job['fn']) : undefined,
    name,
    concurrency,
    ordered: verb.ordered,
    stopOnError: errors === 'throw',
  }
  const { workers } = executor()
  return () => ({
    executor,
    job,
    tuner: inline
      ? new FixedTuner(verb.kind === 'reduce' ? Math.min(INLINE_FOLD, window ?? Infinity) : 1)
      : chunksize === 'auto'
        ? // Enough to keep `concurrency` busy.
          new AutoTuner({ workers, min: concurrency === 1 ? 1 : 4 * concurrency, window })
        : new FixedTuner(chunksize),
    windowFor: (tuning, before) => window ?? defaultWindow({ workers, ...tuning }, before),
    errors,
    signals: signal === undefined ? [] : [signal],
  })
}

/** By its shape: a signal of another realm, or of a polyfill, will do. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = Object(value) as Partial<AbortSignal>
  return [typeof aborted, typeof addEventListener, typeof removeEventListener].join() === 'boolean,function,function'
}
