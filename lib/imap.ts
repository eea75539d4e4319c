/** The lazy verbs on the default pool. */
import { defaultExecutor } from './pool.js'
import { lazyVerbs, type Filter, type FlatMap, type Imap } from './verb/lazy.js'

const verbs = lazyVerbs(defaultExecutor)

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
 * What the source throws comes out of `next()` as it was thrown, what the task throws with all that it has, but an error of a class of
 * one's own as the nearest built-in one (on this thread: as it was thrown); `failure(error)` tells of which item it is.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, pipe, task } from 'millrace'
 *
 * const factorial = task(import.meta.url, 'factorial', function factorial(n: bigint): bigint {
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
export const imap: Imap = verbs.imap

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
export const imapUnordered: Imap = verbs.imapUnordered

/**
 * Keeps the items for which a task returns something truthy, in their order; the task runs on worker threads.
 *
 * Two forms, as `imap`: `filter(task, options?)` is a stage; `filter(task, source, options?)` is the stream. Only what is kept
 * comes back from the workers. An item that is kept arrives as a copy, with `workers: 0` as it is.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function. It may be async; a type guard gives the
 * stream its type.
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
export const filter: Filter = verbs.filter

/**
 * As `filter`, but gives each kept item as soon as it is known to be kept: order is by completion.
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
export const filterUnordered: Filter = verbs.filterUnordered

/**
 * Gives each element of what a task returns for an item: none, one or many, in the order of the items. The task runs on
 * worker threads; it returns an iterable or async iterable, or a promise of one. Text is refused: return `[text]`.
 *
 * Two forms, as `imap`. The window counts items, not elements: all elements of an item are held until the last of them has
 * been given. So let an item expand to what fits into memory some `window` times.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable.
 * @param options See `StreamOptions`; `errors` is `'throw'` or `'skip'`. An item whose elements cannot all be had gives none.
 * @throws {TypeError | RangeError} At the call, as `imap`. From `next()`: `ERR_INVALID_RESULT` for what has no elements.
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
export const flatMap: FlatMap = verbs.flatMap

/**
 * As `flatMap`, but the elements of an item come as soon as they are known: order is by completion of the items.
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
export const flatMapUnordered: FlatMap = verbs.flatMapUnordered
