/** `map` and `starmap` on the default pool. */
import { defaultExecutor } from './pool.js'
import { collectVerbs, type MapVerb, type Starmap } from './verb/collect.js'

const verbs = collectVerbs(defaultExecutor)

/**
 * Runs a task over a source on worker threads, and gives an array of all results, in the order of the items. It begins at once.
 *
 * All results are in memory together: for a source without an end, or larger than that, there is `imap`. The source is read no
 * further ahead than `window`. As a stage of a pipeline, use `imap`: `map` needs its source.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable.
 * @param options See `StreamOptions`. `errors`: with `'throw'` (default) all other items are run to their ends, and then the
 * promise rejects with the first error in the order of the items; `failure(error)` tells of which item it is, and the results are
 * lost. With `'settle'` it gives an `Outcome` of each item, with `'skip'` the results of the others.
 * @returns Rejects with the task's error, as `imap` gives it; if no item has failed, with the source's, once the items before it are
 * done; at once with the reason of an aborted `signal`, and with a `PoolClosedError` when the pool is terminated.
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
 * It is called with these and nothing more. It gets no `TaskContext`, which would take the place of an optional parameter.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable of arrays; a `Map` is one. An item that is no array fails with a `TypeError`
 * (`ERR_INVALID_ARGUMENTS`).
 * @param options As of `map`.
 * @returns As of `map`.
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
