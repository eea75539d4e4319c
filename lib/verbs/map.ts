/** `map` and `starmap`: a promise of what a task returns for each item. They read a stream to its end. */
import type { PoolExecutor } from '../executor/executor.js'
import { withEndOf } from '../failure.js'
import type { Source } from '../io/source.js'
import { isPlainObject } from '../options.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { TaskCall, TaskLike } from '../task.js'
import { assertOrder, assertSource } from './arguments.js'
import { defaultExecutor } from './default-executor.js'
import { EVERY_MODE, streamFactory, type Callable, type Given, type Runnable } from './lazy.js'
import type { OnThisThread, StreamOptions } from './options.js'

/** The call signatures of `map`. */
export type MapVerb = {
  /** Runs any function over a source on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: Runnable<I, R>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<E, NoInfer<I>>>,
  ): Promise<Given<I, R, E>[]>
  /** Runs a task over a source on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: TaskLike<I, R>,
    source: Source<I>,
    options?: StreamOptions<E, NoInfer<I>>,
  ): Promise<Given<I, R, E>[]>
}

/** The call signatures of `starmap`. */
export type Starmap = {
  /** The same on this thread, with any function. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: Callable<A, R>,
    source: Source<Readonly<A>>,
    options: OnThisThread<StreamOptions<E, NoInfer<Readonly<A>>>>,
  ): Promise<Given<Readonly<A>, R, E>[]>
  /** Calls a task with the arguments in each item of a source, on worker threads. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: TaskCall<A, R>,
    source: Source<Readonly<A>>,
    options?: StreamOptions<E, NoInfer<Readonly<A>>>,
  ): Promise<Given<Readonly<A>, R, E>[]>
}

/** Makes `map` on the threads that `executor` gives. */
export function mapOn(executor: () => PoolExecutor): MapVerb {
  return collectVerb('map', executor) as MapVerb
}

/** Makes `starmap` on the threads that `executor` gives. */
export function starmapOn(executor: () => PoolExecutor): Starmap {
  return collectVerb('starmap', executor) as Starmap
}

function collectVerb(name: 'map' | 'starmap', executor: () => PoolExecutor): (...args: never[]) => unknown {
  const action = `map a source with ${name}()`
  const verb = {
    action,
    kind: 'map',
    ordered: true,
    late: true,
    spread: name === 'starmap',
    executor,
    isEager: true,
    errors: EVERY_MODE,
  } as const
  return (...args: unknown[]): Promise<unknown[]> => {
    assertOrder(action, args)
    const [task, source, options] = args
    const { createStream } = streamFactory(verb, task, options)
    // Users of imap() may expect a stage. But a stage would never know when to give its array.
    const isStage = source === undefined || (isPlainObject(source) && options === undefined)
    assertSource(action, source, isStage ? ` (for a stage of a pipeline: i${name}(task, options))` : undefined)
    const stream = createStream(source)
    return withEndOf(stream.toArray(), stream)
  }
}

/**
 * Runs a task over a source on worker threads. It begins at once, and gives an array of all results in the order of the
 * items.
 *
 * All results are in memory together. For an endless source, or results that do not fit into memory, use `imap`. At
 * most `window` items are read ahead. `map` needs a source: in a pipeline, use `imap`.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable.
 * @param options See `StreamOptions`. With `errors: 'throw'` (default), all other items still run after one has failed.
 * Then the promise rejects with the first error in the order of the items, and the results are lost. `failure(error)`
 * says which item failed. With `'settle'` it gives an `Outcome` for each item. With `'skip'` it gives the results of
 * the items that did not fail.
 * @returns Rejects with the error of the task, as `imap` gives it. If no item fails, it rejects with the error of the
 * source, after the items before that error are done. It rejects at once with the reason of an aborted `signal`, and
 * with a `PoolClosedError` when the pool is terminated.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_OPTION`, `ERR_INVALID_TASK`, `ERR_INVALID_SOURCE`.
 *
 * @example
 * ```ts
 * import { failure, isMainThread, map, task } from 'millrace'
 *
 * const root = task(import.meta.url, 'root', (x: number) => {
 *   if (x < 0) throw new RangeError('has no root')
 *   return Math.sqrt(x)
 * })
 *
 * if (isMainThread) {
 *   console.log(await map(root, [1, 4, 9]))
 *   // → [ 1, 2, 3 ]
 *   try {
 *     await map(root, [1, -4, 9])
 *   } catch (error) {
 *     console.log(failure(error)?.item)
 *     // → -4
 *   }
 *   const outcomes = await map(root, [1, -4, 9], { errors: 'settle' })
 *   console.log(outcomes.map(({ status }) => status))
 *   // → [ 'fulfilled', 'rejected', 'fulfilled' ]
 * }
 * ```
 */
export const map: MapVerb = mapOn(defaultExecutor)

/**
 * As `map`, but each item is an array of arguments: the task is called as `task(...item)`.
 *
 * The task gets these arguments and nothing more: a `TaskContext` would take the place of an optional parameter.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable of arrays; a `Map` is one. An item that is not an array fails with a
 * `TypeError` (`ERR_INVALID_ARGUMENTS`).
 * @param options As for `map`.
 * @returns As for `map`.
 * @throws {TypeError | RangeError} At the call, as `map`.
 *
 * @example
 * ```ts
 * import { isMainThread, starmap, task } from 'millrace'
 *
 * const multiply = task(import.meta.url, 'multiply', (x: number, y: number) => {
 *   return x * y
 * })
 *
 * if (isMainThread) {
 *   console.log(await starmap(multiply, [[1, 2], [3, 4], [5, 6]]))
 *   // → [ 2, 12, 30 ]
 * }
 * ```
 */
export const starmap: Starmap = starmapOn(defaultExecutor)
