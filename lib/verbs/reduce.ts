/** `reduce`: folds chunks of a source in workers, and merges their accumulators on this thread. */
import { cloned } from '../codec/codec.js'
import { received, typeError } from '../errors.js'
import type { PoolExecutor } from '../executor/executor.js'
import { withEndOf } from '../failure.js'
import type { Source } from '../io/source.js'
import { readResume, type ResumeOptions, type ResumeSettings } from '../resume/options.js'
import { isAbortSignal, OptionReader, signalHint } from '../options.js'
import { failedItemsOf, noteOrigin, originOf } from '../stream/origin.js'
import type { Stream } from '../stream/stream.js'
import type { MadeByTask, TaskContext } from '../task.js'
import { readArguments } from './arguments.js'
import { defaultExecutor } from './default-executor.js'
import { streamFactory, THROW_OR_SKIP, type ThrowOrSkip } from './lazy.js'
import type { OnThisThread, StreamOptions } from './options.js'
import { withPartials, type Merge, type Result } from './merge-partials.js'
import { optionNames, SOURCE_HINT } from './plan.js'
import { HeldFold, offerHeldFold } from './held-fold.js'
import { resumedValue } from './resumed-fold.js'
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
   * Merges the accumulator of a chunk into that of the chunks before it, on this thread. It may change and return
   * `into`. It must be associative, because the result must not depend on where chunks end: `merge(merge(a, b), c)`
   * equals `merge(a, merge(b, c))`. Required.
   */
  readonly merge: (into: A, partial: A) => A | Promise<A>
  /**
   * Whether to merge in the order of the items. With false, in the order of completion: use it if `merge` does not
   * depend on the order. Nothing then waits for a slow chunk. Default: true.
   */
  readonly ordered?: boolean
  /**
   * Goes on where an earlier run was, if that was stopped. The accumulator is stored in the file `checkpoint`, which is
   * needed. It must be plain data, or what structured cloning takes. For sources that are files, or `resumable()`. An
   * abort by `signal` makes a last checkpoint, if that takes at most two seconds.
   */
  readonly resume?: ResumeOptions & { readonly checkpoint: string }
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
const OWN_OPTIONS = ['initial', 'merge', 'ordered', 'resume'] as const

/** Makes `reduce` on the threads that `executor` gives. */
export function reduceOn(executor: () => PoolExecutor): Reduce {
  const entry = (...args: unknown[]): unknown => {
    const { task, direct, source, options } = readArguments(ACTION, args)
    const { initial, merge, ordered, resume, signal: own } = checked(options, direct ? '' : SOURCE_HINT)
    const { createStream, name } = streamFactory(
      {
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
      // A fold that can go on ends after a last checkpoint.
      resume === undefined ? options : { ...(options as object), signal: undefined },
    )
    const fold = (source: unknown, context?: { readonly signal?: AbortSignal }): Promise<unknown> => {
      const partials = createStream(source, context)
      const signals = [own, context?.signal].filter(isAbortSignal)
      const fold = { initial, merge }
      const held = new HeldFold()
      const folded = merged(
        partials,
        resume === undefined
          ? () => mergedValue(partials, fold, signals)
          : () => resumedValue(partials, fold, own, resume, held),
      )
      if (resume !== undefined) offerHeldFold(folded, held)
      noteOrigin(folded, originOf(partials))
      return withEndOf(folded, partials)
    }
    return direct ? fold(source) : asStage(fold, 'reduce', name)
  }
  return entry as Reduce
}

interface Checked {
  readonly initial: unknown
  readonly merge: Merge
  readonly ordered: boolean
  readonly resume: ResumeSettings | undefined
  readonly signal: AbortSignal | undefined
}

function checked(options: unknown, hint: string): Checked {
  const read = new OptionReader<ReduceOptions<unknown>>(ACTION, options, optionNames(OWN_OPTIONS) as never[], hint)
  if (!Object.hasOwn(Object(options) as object, 'initial')) {
    throw invalid("'initial', the accumulator that a fold begins with, must be given", options)
  }
  const { initial, merge } = options as ReduceOptions<unknown>
  if (typeof merge !== 'function') throw invalid("'merge' must be a function of two accumulators", merge)
  const resume = readResume(ACTION, read, undefined)
  const ordered = read.boolean('ordered') ?? true
  const signal = read.value('signal', 'an AbortSignal', isAbortSignal, signalHint)
  return { initial: copied(initial), merge, ordered, resume, signal }
}

/** A copy, so that later changes to the original have no effect. Each chunk gets a copy of it, so it must be cloneable. */
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

/** Failed items are seen after the last of the partial results. */
async function merged(partials: Stream<unknown>, merge: () => Promise<unknown>): Promise<unknown> {
  const failedItems = failedItemsOf(partials)
  failedItems?.hold()
  try {
    const value = await merge()
    await failedItems?.release()
    return value
  } catch (error) {
    await failedItems?.discard()
    throw error
  }
}

/** Merges the partial results as they come. */
async function mergedValue(
  partials: Stream<unknown>,
  { initial, merge }: { initial: unknown; merge: Merge },
  signals: readonly AbortSignal[],
): Promise<unknown> {
  let result: Result
  for await (const chunk of partials.chunks()) result = await withPartials(result, chunk, merge, signals)
  return result === undefined ? cloned(initial) : result.value
}

/**
 * Folds a source into one value. Worker threads fold the chunks, and this thread merges their accumulators. Only one
 * accumulator per chunk comes back.
 *
 * Two forms: `reduce(fold, source, options)` is the promise; `reduce(fold, options)` makes the last part of a pipeline.
 * It reads ahead by at most `window` items. An item counts until its chunk has been merged.
 *
 * @param fold A task `(accumulator, item, context) => accumulator`; with `workers: 0` any function. It may change the
 * accumulator and return it. It may be async. If it returns undefined, the item fails with `ERR_INVALID_RESULT`, unless
 * `initial` is undefined.
 * @param source Any iterable or async iterable.
 * @param options `initial` and `merge` are required; `merge(into, part)` is a plain function that runs on this thread.
 * It may change and return `into`. `ordered` (default true); `chunksize`, `window`, `signal` as in `StreamOptions`;
 * `errors`: `'throw'` (default), or `'skip'`, which leaves out the items whose fold throws. Changes that such a fold
 * has already made to the accumulator stay.
 * @returns A promise of the accumulator; for an empty source, a copy of `initial`.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_OPTION`, `ERR_INVALID_TASK`, `ERR_INVALID_SOURCE`. The
 * promise rejects with an error of the task, the source or `merge`, and with the reason of an aborted `signal`.
 *
 * @example
 * ```ts
 * import { isMainThread, lines, pipe, reduce, task } from 'millrace'
 *
 * const count = task(import.meta.url, 'count', (total: Map<string, number>, line: string) => {
 *   const status = line.slice(-3)
 *   return total.set(status, (total.get(status) ?? 0) + 1)
 * })
 *
 * if (isMainThread) {
 *   const log = lines([Buffer.from('GET / 200\nGET /a 404\nGET /b 200\n')])
 *   const counts = await pipe(
 *     log,
 *     reduce(count, {
 *       initial: new Map<string, number>(),
 *       merge: (into, partial) => {
 *         for (const [status, n] of partial) into.set(status, (into.get(status) ?? 0) + n)
 *         return into
 *       },
 *     }),
 *   )
 *   console.log(counts)
 *   // → Map(2) { '200' => 2, '404' => 1 }
 * }
 * ```
 */
export const reduce: Reduce = reduceOn(defaultExecutor)
