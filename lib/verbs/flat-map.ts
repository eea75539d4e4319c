/** `flatMap` and `flatMapUnordered`: a stream of the elements of what a task returns for each item. */
import type { PoolExecutor } from '../executor/executor.js'
import type { Source } from '../io/source.js'
import type { Stream } from '../stream/stream.js'
import type { TaskLike } from '../task.js'
import { defaultExecutor } from './default-executor.js'
import { lazyVerb, type Runnable, type ThrowOrSkip } from './lazy.js'
import type { OnThisThread, Stage, StreamOptions } from './options.js'

/** Something with elements, or a promise of it. */
export type Expandable<R> = Iterable<R> | AsyncIterable<R> | Promise<Iterable<R> | AsyncIterable<R>>

/** The call signatures of `flatMap` and `flatMapUnordered`. */
export type FlatMap = {
  /** The same on this thread, with any function. */
  <I, R>(
    task: Runnable<I, Expandable<R>>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>,
  ): Stream<Awaited<R>>
  /** Runs a task over a source on worker threads, and gives each element of what it returns. */
  <I, R>(
    task: TaskLike<I, Expandable<R>>,
    source: Source<I>,
    options?: StreamOptions<ThrowOrSkip, NoInfer<I>>,
  ): Stream<Awaited<R>>
  /** The same on this thread, with any function. */
  <I, R>(
    task: Runnable<I, Expandable<R>>,
    options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>,
  ): Stage<I, Awaited<R>>
  /** Makes a stage that runs a task on worker threads, and gives each element of what it returns. */
  <I, R>(task: TaskLike<I, Expandable<R>>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): Stage<I, Awaited<R>>
}

/** Makes `flatMap` or `flatMapUnordered` on the threads that `executor` gives. */
export function flatMapOn(executor: () => PoolExecutor, ordered: boolean): FlatMap {
  return lazyVerb('flatMap', { kind: 'flatMap', ordered, executor }) as FlatMap
}

/**
 * Runs a task over a stream on worker threads, and gives each element of its results, in the order of the items. The
 * task returns an iterable, an async iterable, or a promise of one. It may have no elements. Text is refused: return
 * `[text]`.
 *
 * Two forms, as `imap`. The window counts items, not elements. All elements of an item stay in memory until you receive
 * the last of them. So the elements of `window` items must fit into memory.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable.
 * @param options See `StreamOptions`; `errors` is `'throw'` or `'skip'`. If one element of an item fails, the item
 * gives none.
 * @throws {TypeError | RangeError} At the call, as `imap`. From `next()`: `ERR_INVALID_RESULT` if a task returns a
 * value that is not iterable.
 *
 * @example
 * ```ts
 * import { flatMap, isMainThread, task } from 'millrace'
 *
 * const words = task(import.meta.url, 'words', (line: string) => line.split(' '))
 *
 * if (isMainThread) {
 *   for await (const word of flatMap(words, ['to be', 'or not'])) console.log(word)
 *   // → to
 *   // → be
 *   // → or
 *   // → not
 * }
 * ```
 */
export const flatMap: FlatMap = flatMapOn(defaultExecutor, true)

/**
 * As `flatMap`, but the elements of an item come as soon as its task has returned, in the order of completion of the
 * items.
 *
 * @example
 * ```ts
 * import { flatMapUnordered, isMainThread, task } from 'millrace'
 *
 * const upTo = task(import.meta.url, 'upTo', function* (n: number) {
 *   for (let i = 1; i <= n; i++) yield i
 * })
 *
 * if (isMainThread) {
 *   let sum = 0
 *   for await (const i of flatMapUnordered(upTo, [1, 2, 3])) sum += i
 *   console.log(sum)
 *   // → 10
 * }
 * ```
 */
export const flatMapUnordered: FlatMap = flatMapOn(defaultExecutor, false)
