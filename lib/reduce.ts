/** `reduce` on the default pool. */
import { defaultExecutor } from './pool.js'
import { reduceVerb, type Reduce } from './verb/fold.js'

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
export const reduce: Reduce = reduceVerb(defaultExecutor)
