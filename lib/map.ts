/** `map` and `starmap` on the default pool. */
import { defaultExecutor } from './pool.js'
import { collectVerbs, type MapVerb, type Starmap } from './verb/collect.js'

const verbs = collectVerbs(defaultExecutor)

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
export const map: MapVerb = verbs.map

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
export const starmap: Starmap = verbs.starmap
