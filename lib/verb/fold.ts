/** The verb `reduce`: folds chunks of a source in workers, and merges what comes of them on this thread. */
/* eslint-disable @typescript-eslint/consistent-type-definitions --
   The declarations of a user's own exports can copy an alias. They would have to name an interface, which the package does not export. */
import { cloned } from '../codec/codec.js'
import { received, typeError } from '../errors.js'
import { withEndOf } from '../failure.js'
import type { Source } from '../io/source.js'
import { isAbortSignal, OptionReader } from '../options.js'
import type { Stream } from '../stream/stream.js'
import type { MadeByTask, TaskContext } from '../task.js'
import { isThenable } from '../thenable.js'
import { readArguments } from './arguments.js'
import { openStage, THROW_OR_SKIP, type ThrowOrSkip } from './lazy.js'
import type { OnThisThread, StreamOptions } from './options.js'
import { optionNames, SOURCE_HINT, type PoolExecutor } from './plan.js'
import { asStage } from './stage.js'

/** A function that takes an item into an accumulator and returns the accumulator, the same or another. */
export type Fold<A, I> = (accumulator: A, item: I, context: TaskContext) => A | Promise<A>

/** Options of `reduce`. */
export interface ReduceOptions<A, I = unknown> extends Omit<StreamOptions<ThrowOrSkip, I>, 'concurrency'> {
  /**
   * The accumulator that every chunk begins with, each with a copy: it must be neutral, like 0 for a sum. The result
   * of an empty source. Required.
   */
  readonly initial: A
  /**
   * Merges what came of a chunk into what came of those before it, on this thread; may change and return `into`. It must be
   * associative, as where chunks end is not to be seen in the result: merge(merge(a, b), c) is merge(a, merge(b, c)). Required.
   */
  readonly merge: (into: A, partial: A) => A | Promise<A>
  /**
   * Whether to merge in the order of the items. With false, in the order of completion, for a `merge` to which order is no
   * matter: nothing then waits for a slow chunk. Default: true.
   */
  readonly ordered?: boolean
}

/** A function from a source to the promise of what it folds to, as the last of a `pipe`. */
export type Sink<I, A> = (source: Source<I>, context?: { readonly signal?: AbortSignal }) => Promise<A>

/** The call signatures of `reduce`. */
export type Reduce = {
  /** Folds a source on this thread, with any function. */
  <A, I>(fold: Fold<A, I>, source: Source<I>, options: OnThisThread<ReduceOptions<A, NoInfer<I>>>): Promise<A>
  /** Folds a source on worker threads. */
  <A, I>(fold: Fold<A, I> & MadeByTask, source: Source<I>, options: ReduceOptions<A, NoInfer<I>>): Promise<A>
  /** Makes the last part of a pipeline, which folds on this thread. */
  <A, I>(fold: Fold<A, I>, options: OnThisThread<ReduceOptions<A, NoInfer<I>>>): Sink<I, A>
  /** Makes the last part of a pipeline, which folds on worker threads. */
  <A, I>(fold: Fold<A, I> & MadeByTask, options: ReduceOptions<A, NoInfer<I>>): Sink<I, A>
}

const ACTION = 'fold a source with reduce()'
const OWN_OPTIONS = ['initial', 'merge', 'ordered'] as const

/** Makes the verb: `executor` gives the threads it runs on. */
export function reduceVerb(executor: () => PoolExecutor): Reduce {
  const entry = (...args: unknown[]): unknown => {
    const { task, direct, source, options } = readArguments(ACTION, args)
    const { initial, merge, ordered } = checked(options, direct ? '' : SOURCE_HINT)
    const { open, name } = openStage(
      {
        name: 'reduce',
        action: ACTION,
        kind: 'reduce',
        ordered,
        executor,
        isEager: true,
        errors: THROW_OR_SKIP,
        options: optionNames(OWN_OPTIONS),
        initial,
      },
      task,
      options,
    )
    const { signal: own } = Object(options) as Partial<ReduceOptions<unknown>>
    const fold = (source: unknown, context?: { readonly signal?: AbortSignal }): Promise<unknown> => {
      const partials = open(source, context)
      const signals = [own, context?.signal].filter(isAbortSignal)
      return withEndOf(merged(partials, { initial, merge }, signals), partials)
    }
    if (direct) return fold(source)
    const sink: Sink<unknown, unknown> = (source, context) => fold(source, context)
    return asStage(sink, 'reduce', name)
  }
  return entry as Reduce
}

type Merge = ReduceOptions<unknown>['merge']

function checked(options: unknown, hint: string): { initial: unknown; merge: Merge; ordered: boolean } {
  const read = new OptionReader<ReduceOptions<unknown>>(ACTION, options, optionNames(OWN_OPTIONS) as never[], hint)
  if (!Object.hasOwn(Object(options) as object, 'initial')) {
    throw invalid("'initial', the accumulator that a fold begins with, must be given", options)
  }
  const { initial, merge } = options as ReduceOptions<unknown>
  if (typeof merge !== 'function') throw invalid("'merge' must be a function of two accumulators", merge)
  return { initial: copied(initial), merge, ordered: read.boolean('ordered') ?? true }
}

/** Each chunk gets a copy, so it must be possible to make one; and what the caller does with the original is no matter. */
function copied(initial: unknown): unknown {
  try {
    return cloned(initial)
  } catch (cause) {
    const error = invalid("'initial' must be something that can be cloned", initial)
    error.cause = cause
    throw error
  }
}

function invalid(reason: string, value: unknown): TypeError {
  return typeError('ERR_INVALID_OPTION', `Cannot ${ACTION} as ${reason}: received ${received(value)}`)
}

/** Merges the partial results as they come. */
async function merged(
  partials: Stream<unknown>,
  { initial, merge }: { initial: unknown; merge: Merge },
  signals: readonly AbortSignal[],
): Promise<unknown> {
  let result: { readonly value: unknown } | undefined
  for await (const chunk of partials.chunks()) {
    for (const partial of chunk) {
      const value = result === undefined ? partial : merge(result.value, partial)
      result = { value: isThenable(value) ? await unlessAborted(Promise.resolve(value), signals) : value }
    }
  }
  return result === undefined ? cloned(initial) : result.value
}

/** As the promise; but an abort, of which the stream can tell only who asks it, settles it too. */
async function unlessAborted(promise: Promise<unknown>, signals: readonly AbortSignal[]): Promise<unknown> {
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signals.find((signal) => signal.aborted)?.reason as Error)
    }
  })
  for (const signal of signals) {
    signal.addEventListener('abort', abort)
    // Maybe merge() itself has aborted it: then no event will come.
    if (signal.aborted) abort()
  }
  try {
    // Both are watched: what merge() rejects with after an abort is not an unhandled rejection.
    return await Promise.race([aborted, promise])
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
}
