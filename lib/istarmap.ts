/** `istarmap` and `istarmapUnordered` on the default pool. */
import { defaultExecutor } from './pool.js'
import { lazyVerbs, type Istarmap } from './verb/lazy.js'

const verbs = lazyVerbs(defaultExecutor)

/**
 * As `imap`, but each item is an array of arguments: the task is called as `task(...item)`. It is lazy and bounded, and
 * gives results in the order of the items.
 *
 * The task gets these arguments and nothing more: a `TaskContext` would take the place of an optional parameter.
 * Two forms, as `imap`: `istarmap(task, options?)` is a stage; `istarmap(task, source, options?)` is the stream.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function.
 * @param source Any iterable or async iterable of arrays; a `Map` is one. An item that is not an array fails with a
 * `TypeError` (`ERR_INVALID_ARGUMENTS`).
 * @param options See `StreamOptions`.
 * @returns The stream, or a stage that makes one of a source.
 * @throws {TypeError | RangeError} At the call, as `imap`.
 *
 * @example
 * ```ts
 * import { isMainThread, istarmap, task } from 'millrace'
 *
 * const multiply = task(import.meta.url, 'multiply', (x: number, y: number) => {
 *   return x * y
 * })
 *
 * function* pairs(): Generator<[number, number]> {
 *   for (let x = 1; ; x++) yield [x, x + 1]
 * }
 *
 * if (isMainThread) {
 *   for await (const product of istarmap(multiply, pairs())) {
 *     if (product > 20) break
 *     console.log(product)
 *   }
 *   // → 2
 *   // → 6
 *   // → 12
 *   // → 20
 * }
 * ```
 */
export const istarmap: Istarmap = verbs.istarmap

/**
 * As `istarmap`, but gives each result as soon as it is known, in the order of completion.
 *
 * @example
 * ```ts
 * import { isMainThread, istarmapUnordered, task } from 'millrace'
 *
 * const power = task(import.meta.url, 'power', (base: number, exponent = 2) => base ** exponent)
 *
 * if (isMainThread) {
 *   let sum = 0
 *   for await (const n of istarmapUnordered(power, [[2], [2, 3]])) sum += n
 *   console.log(sum)
 *   // → 12
 * }
 * ```
 */
export const istarmapUnordered: Istarmap = verbs.istarmapUnordered
