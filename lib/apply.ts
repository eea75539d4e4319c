/** `apply` on the default pool. */
import { defaultExecutor } from './pool.js'
import { applyVerb, type Apply } from './verb/apply.js'

/**
 * Calls a task once on a worker thread, and returns a promise of its result. It begins at once if a worker is free. A
 * call costs some tens of microseconds. For many small calls, `starmap` is faster.
 *
 * @param task A task, or `{ module, export: 'name' }`; with `workers: 0` any function. It is called as `task(...args)`.
 * It gets no `TaskContext`, because that would take the place of an optional parameter.
 * @param args An array of arguments. Default: none.
 * @param options `signal`, `timeout`, `retries` as in `StreamOptions`, and `workers: 0`.
 * @returns A promise of the result. It rejects with the error of the task, as `imap` gives it, with a
 * `TaskTimeoutError`, or with the reason of an aborted `signal`. When the pool is terminated, it rejects with a
 * `PoolClosedError`. A call that is aborted while it runs continues in its worker, and its result is dropped. If it
 * takes more than a second, the worker is replaced.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_ARGUMENTS`, `ERR_INVALID_OPTION`, `ERR_INVALID_TASK`.
 *
 * @example
 * ```ts
 * import { apply, isMainThread, task } from 'millrace'
 *
 * const gcd = task(import.meta.url, 'gcd', function gcd(a: number, b: number): number {
 *   return b === 0 ? a : gcd(b, a % b)
 * })
 *
 * if (isMainThread) {
 *   console.log(await apply(gcd, [1071, 462], { timeout: 1_000 }))
 *   // → 21
 * }
 * ```
 */
export const apply: Apply = applyVerb(defaultExecutor)
