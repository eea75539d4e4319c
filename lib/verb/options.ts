/** The options that the verbs share, and what makes a plan for a stream of them. */
import type { Executor, Job } from '../executor/executor.js'
import { InlineExecutor } from '../executor/inline.js'
import { RetryExecutor } from '../executor/retry.js'
import type { RetryPolicy } from '../executor/retry-policy.js'
import type { Source } from '../io/source.js'
import { rangeError, received, typeError } from '../errors.js'
import { isPlainObject, MAX_TIMEOUT, OptionReader } from '../options.js'
import { AutoTuner } from '../stream/auto-tuner.js'
import { defaultWindow } from '../stream/default-window.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream, StreamPlan } from '../stream/stream.js'
import { FixedTuner } from '../stream/tuner.js'
import { plainFunctionError, taskName } from '../task.js'
import type { JobKind } from '../worker/protocol.js'

/** When failed items are tried again. */
export interface RetryOptions {
  /** How often an item is tried again after its first try, at most: an integer of at least 1. Required. */
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
  /**
   * How long an item may take, from its beginning in the worker: an integer of at least 1, in milliseconds. An item that takes
   * longer, in a loop or waiting for a promise, fails with a `TaskTimeoutError`; its worker is replaced, which costs some tens
   * of milliseconds, and other items it had in hand run again elsewhere. Default: none. With `workers: 0` only what awaits can be
   * given up, and it runs on unheard.
   */
  readonly timeout?: number
  /**
   * How often to try an item again that has failed, killed its worker or taken longer than `timeout`: an integer of at least 0;
   * or an object that tells more. Waits of 100 ms, 200 ms, … come before the tries, each shortened by up to half at random; other
   * items go on meanwhile. An item keeps its place in the order and in `window`. In a `reduce`, its whole chunk is folded again:
   * the other items of it then run more than once. Default: 0.
   */
  readonly retries?: number | RetryOptions
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
  /** Whether the first error comes after the results of all other items, where it is thrown. */
  readonly late?: boolean
  /** Whether items are arrays of arguments. */
  readonly spread?: boolean
  /** The names of all its options, if they are not those of a stream; it checks those of its own itself. */
  readonly options?: readonly string[]
  /** Where a fold begins. */
  readonly initial?: unknown
}

/** How many items are folded into one partial result on this thread, at most. */
const INLINE_FOLD = 256

/** The names of a stream's options, or with others in the place of `concurrency`. */
export function optionNames(own: readonly string[] = ['concurrency']): string[] {
  return ['chunksize', 'window', 'signal', 'errors', 'timeout', 'retries', ...own, 'workers']
}

/** Validates once; the plan is then made anew for every stream, since each has a tuner of its own. */
export function planStream(verb: Verb, task: unknown, options: unknown): () => StreamPlan {
  const { action } = verb
  const read = new OptionReader<InlineOptions>(action, options, (verb.options ?? optionNames()) as never[])
  const chunksize = read.integerOr('chunksize', 'auto', 1) ?? 'auto'
  const window = read.integer('window', 1)
  const errors = read.oneOf('errors', verb.errors) ?? 'throw'
  const concurrency = read.integer('concurrency', 1) ?? 1
  const timeout = read.integer('timeout', 1, MAX_TIMEOUT)
  const retries = readRetries(action, read)
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
  const runner = inline ? () => new InlineExecutor(concurrency) : verb.executor
  const executor = retries === undefined ? runner : () => new RetryExecutor(runner(), retries)
  const job: Job = {
    kind: verb.kind,
    initial: verb.initial,
    fn: typeof task === 'function' ? (task as Job['fn']) : undefined,
    name,
    deep: chunksize !== 'auto',
    concurrency,
    ordered: verb.ordered,
    spread: verb.spread,
    stopOnError: errors === 'throw' && verb.late !== true,
    timeout,
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
    errors: errors === 'throw' && verb.late === true ? 'late' : errors,
    signals: signal === undefined ? [] : [signal],
  })
}

/** What the option `retries` asks for; undefined: no retries. */
function readRetries(action: string, read: OptionReader<InlineOptions>): RetryPolicy | undefined {
  const expected = 'an integer of at least 0, or an object'
  const retries = read.value('retries', expected, (value) => typeof value === 'number' || isPlainObject(value))
  if (retries === undefined) return undefined
  if (typeof retries === 'number') {
    const attempts = read.integer('retries', 0) ?? 0
    return attempts === 0 ? undefined : { attempts, ...RETRY_DEFAULTS }
  }
  // By their whole names, as the errors are to tell them.
  const named = Object.fromEntries(Object.entries(retries).map(([name, value]) => [`retries.${name}`, value]))
  const own = new OptionReader<Record<`retries.${keyof RetryOptions}`, unknown>>(action, named, RETRY_OPTIONS)
  const attempts = own.integer('retries.attempts', 1)
  const minDelay = own.integer('retries.minDelay', 0, MAX_TIMEOUT) ?? RETRY_DEFAULTS.minDelay
  const maxDelay = own.integer('retries.maxDelay', 0, MAX_TIMEOUT) ?? Math.max(RETRY_DEFAULTS.maxDelay, minDelay)
  const jitter = own.value('retries.jitter', 'a number from 0 to 1, true or false', (value) =>
    ['number', 'boolean'].includes(typeof value),
  )
  const when = own.value('retries.when', 'a function of an error', (value) => typeof value === 'function')
  if (attempts === undefined) {
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'retries.attempts' must be given: received ${received(retries)}`,
    )
  }
  if (minDelay > maxDelay) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'retries.minDelay' must not exceed 'retries.maxDelay': received ${minDelay} and ${maxDelay}`,
    )
  }
  if (jitter !== undefined && !(Number(jitter) >= 0 && Number(jitter) <= 1)) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'retries.jitter' must be a number from 0 to 1, true or false: received ${received(jitter)}`,
    )
  }
  return {
    attempts,
    minDelay,
    maxDelay,
    jitter: jitter === undefined ? RETRY_DEFAULTS.jitter : Number(jitter),
    when: when as RetryPolicy['when'],
  }
}

const RETRY_DEFAULTS = { minDelay: 100, maxDelay: 10_000, jitter: 0.5 }
const RETRY_OPTIONS = [
  'retries.attempts',
  'retries.minDelay',
  'retries.maxDelay',
  'retries.jitter',
  'retries.when',
] as const

/** By its shape: a signal of another realm, or of a polyfill, will do. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = Object(value) as Partial<AbortSignal>
  return [typeof aborted, typeof addEventListener, typeof removeEventListener].join() === 'boolean,function,function'
}
