/** `reduce` on the default pool. */
import { defaultExecutor } from './pool.js'
import { reduceVerb, type Reduce } from './verb/fold.js'

/**
 * Folds a source into one value: chunk by chunk on worker threads, where the data is, and merges what came of the chunks on
 * this thread. Nothing but one accumulator per chunk comes back.
 *
 * Two forms: `reduce(fold, source, options)` is the promise; `reduce(fold, options)` makes the last part of a pipeline. Lazy and
 * bounded as `imap`: an item counts as given once its chunk has been merged.
 *
 * @param fold A task `(accumulator, item, context) => accumulator`; it may change and return the accumulator, and may be
 * async. With `workers: 0` any function.
 * Its result must not be undefined, unless `initial` is: that is `ERR_INVALID_RESULT`, an error of the item.
 * @param source Any iterable or async iterable.
 * @param options `initial` and `merge` are required; `merge(into, part)` is a plain function, runs on this thread, and may change and
 * return `into`. `ordered` (default true); `chunksize`, `window`, `signal` as in `StreamOptions`;
 * `errors`: `'throw'` (default), or `'skip'`, which leaves items out whose fold throws (what such a fold has changed stays).
 * @returns What the source folds to: of an empty source, a copy of `initial`.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_OPTION`, `ERR_INVALID_TASK`, `ERR_INVALID_SOURCE`. The promise
 * rejects with what the task, the source or `merge` throws, and with the reason of an aborted `signal`.
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
export const reduce: Reduce = reduceVerb(defaultExecutor)
