/** The lazy verbs on the default pool. */
import { defaultExecutor } from './pool.js'
import { lazyVerb, type Imap } from './verb.js'

/**
 * Runs a task over a stream on worker threads, and gives the results in the order of the items.
 *
 * Two forms: `imap(task, options?)` is a stage for `pipe`; `imap(task, source, options?)` is the stream itself. Lazy: nothing
 * is read before the first `next()`, and at most `window` items are between source and consumer, so memory stays flat.
 * Runs on the default pool, which has one worker per available core and never keeps the program alive by itself.
 *
 * @param task A task (see `task()`), or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable: array, generator, Node or web stream, another stream.
 * @param options See `StreamOptions`.
 * @returns The stream, or a stage that makes one of a source.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_OPTION`, `ERR_INVALID_TASK`, `ERR_INVALID_SOURCE`.
 * What the task or the source throws comes out of `next()`, as it was thrown.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, pipe, task } from 'millrace'
 *
 * const factorial = task(import.meta.url, function factorial(n: bigint): bigint {
 *   return n < 2n ? 1n : n * factorial(n - 1n)
 * })
 *
 * function* count() {
 *   for (let n = 1n; ; n++) yield n
 * }
 *
 * if (isMainThread) {
 *   for await (const f of pipe(count(), imap(factorial, { window: 100 }))) {
 *     console.log(f)
 *     if (f > 100n) break
 *   }
 *   // → 1n
 *   // → 2n
 *   // → 6n
 *   // → 24n
 *   // → 120n
 * }
 * ```
 */
export const imap: Imap = lazyVerb('imap', true, defaultExecutor)

/**
 * As `imap`, but gives each result as soon as it is known: order is by completion. One slow item then delays nobody.
 *
 * @example
 * ```ts
 * import { imapUnordered, isMainThread, task } from 'millrace'
 *
 * const square = task(import.meta.url, 'square', (x: number) => x * x)
 *
 * if (isMainThread) {
 *   let sum = 0
 *   for await (const y of imapUnordered(square, [1, 2, 3])) sum += y
 *   console.log(sum)
 *   // → 14
 * }
 * ```
 */
export const imapUnordered: Imap = lazyVerb('imapUnordered', false, defaultExecutor)
