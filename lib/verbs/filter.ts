/** `filter` and `filterUnordered`: a stream of the items for which a task returns something truthy. */
import type { PoolExecutor } from '../executor/executor.js'
import type { Source } from '../io/source.js'
import type { Stream } from '../stream/stream.js'
import type { MadeByTask, TaskContext, TaskLike } from '../task.js'
import { defaultExecutor } from './default-executor.js'
import { lazyVerb, type Runnable, type ThrowOrSkip } from './lazy.js'
import type { OnThisThread, Stage, StageOf, StreamOptions } from './options.js'

/** A task that tells which items are of the type `J`. */
export type Guard<I, J extends I> = ((item: I, context: TaskContext) => item is J) & MadeByTask

/** The call signatures of `filter` and `filterUnordered`. */
export type Filter = {
  /** Keeps the items of a source for which any function, on this thread, returns something truthy. */
  <I>(
    task: Runnable<I, unknown>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>,
  ): Stream<I>
  /** Keeps the items of a source for which a type guard, on worker threads, says so. */
  <I, J extends I>(task: Guard<I, J>, source: Source<I>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): Stream<J>
  /** Keeps the items of a source for which a task, on worker threads, returns something truthy. */
  <I, T extends I>(
    task: TaskLike<I, unknown>,
    source: Source<T>,
    options?: StreamOptions<ThrowOrSkip, NoInfer<I>>,
  ): Stream<T>
  /** Makes a stage that does so on this thread. */
  <I>(task: Runnable<I, unknown>, options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>): StageOf<I>
  /** Makes a stage that keeps the items for which a type guard, on worker threads, says so. */
  <I, J extends I>(task: Guard<I, J>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): Stage<I, J>
  /** Makes a stage that keeps the items for which a task, on worker threads, returns something truthy. */
  <I>(task: TaskLike<I, unknown>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): StageOf<I>
}

/** Makes `filter` or `filterUnordered` on the threads that `executor` gives. */
export function filterOn(executor: () => PoolExecutor, ordered: boolean): Filter {
  return lazyVerb('filter', { kind: 'filter', ordered, executor }) as Filter
}

/**
 * Keeps the items for which a task returns a truthy value, in their order. The task runs on worker threads.
 *
 * Two forms, as `imap`: `filter(task, options?)` is a stage; `filter(task, source, options?)` is the stream. Only the
 * items that are kept come back from the workers. They arrive as copies; with `workers: 0` they are the items
 * themselves.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function. It may be async. If it is a type
 * guard, the stream has the type that it guards.
 * @param source Any iterable or async iterable.
 * @param options See `StreamOptions`; `errors` is `'throw'` or `'skip'`.
 * @throws {TypeError | RangeError} At the call, as `imap`.
 *
 * @example
 * ```ts
 * import { filter, isMainThread, lines, pipe, task } from 'millrace'
 *
 * const failed = task(import.meta.url, 'failed', (line: string) => / 5\d\d$/.test(line))
 *
 * if (isMainThread) {
 *   const log = lines([Buffer.from('GET / 200\nGET /a 500\nGET /b 503\n')])
 *   for await (const line of pipe(log, filter(failed))) console.log(line)
 *   // → GET /a 500
 *   // → GET /b 503
 * }
 * ```
 */
export const filter: Filter = filterOn(defaultExecutor, true)

/**
 * As `filter`, but gives each kept item as soon as its task has returned, in the order of completion.
 *
 * @example
 * ```ts
 * import { filterUnordered, isMainThread, task } from 'millrace'
 *
 * const isEven = task(import.meta.url, 'isEven', (x: number) => x % 2 === 0)
 *
 * if (isMainThread) {
 *   let kept = 0
 *   for await (const _ of filterUnordered(isEven, [1, 2, 3, 4, 5])) kept++
 *   console.log(kept)
 *   // → 2
 * }
 * ```
 */
export const filterUnordered: Filter = filterOn(defaultExecutor, false)
