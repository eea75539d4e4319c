/** The lazy verbs on the default pool. */
import { defaultExecutor } from './pool.js'
import { lazyVerbs, type Filter, type FlatMap, type Imap } from './verb/lazy.js'

const verbs = lazyVerbs(defaultExecutor)

/**
 * Runs a task over a stream on worker threads, and gives the results in the order of the items.
 *
 * Two forms: `imap(task, options?)` is a stage for `pipe`; `imap(task, source, options?)` is the stream itself. It is
 * lazy: nothing is read before the first `next()`. At most `window` items are between source and consumer, so memory
 * stays flat. It runs on the default pool, which has one worker per available core. The pool never keeps the program
 * alive.
 *
 * @param task A task (see `task()`), or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable: array, generator, Node or web stream, another stream.
 * @param options See `StreamOptions`.
 * @returns The stream, or a stage that makes one of a source.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_OPTION`, `ERR_INVALID_TASK`, `ERR_INVALID_SOURCE`. From
 * `next()`: errors of the source, unchanged. Errors of the task, with their message, stack, `cause`, `code` and own
 * fields. An instance of an error class that you wrote arrives as its nearest built-in class, unless you register the
 * class with `registerErrorClass()`. With `workers: 0` errors arrive as they were thrown. `failure(error)` says which
 * item an error belongs to.
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
 * As `imap`, but gives each result as soon as it is known, in the order of completion. A slow item does not delay the
 * others.
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
export const filter: Filter = verbs.filter

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
export const filterUnordered: Filter = verbs.filterUnordered

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
export const flatMap: FlatMap = verbs.flatMap

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
export const flatMapUnordered: FlatMap = verbs.flatMapUnordered
