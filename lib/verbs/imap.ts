/** `imap` and `imapUnordered`: a stream of what a task returns for each item. */
import type { PoolExecutor } from '../executor/executor.js'
import type { Source } from '../io/source.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream } from '../stream/stream.js'
import type { TaskLike } from '../task.js'
import { defaultExecutor } from './default-executor.js'
import { lazyVerb, type Given, type Runnable } from './lazy.js'
import type { OnThisThread, Stage, StreamOptions } from './options.js'

/** The call signatures of `imap` and `imapUnordered`. */
export type Imap = {
  /** Runs any function over a source on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: Runnable<I, R>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<E, NoInfer<I>>>,
  ): Stream<Given<I, R, E>>
  /** Runs a task over a source on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: TaskLike<I, R>,
    source: Source<I>,
    options?: StreamOptions<E, NoInfer<I>>,
  ): Stream<Given<I, R, E>>
  /** Makes a stage that runs any function on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: Runnable<I, R>,
    options: OnThisThread<StreamOptions<E, NoInfer<I>>>,
  ): Stage<I, Given<I, R, E>>
  /** Makes a stage that runs a task on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: TaskLike<I, R>,
    options?: StreamOptions<E, NoInfer<I>>,
  ): Stage<I, Given<I, R, E>>
}

/** Makes `imap` or `imapUnordered` on the threads that `executor` gives. */
export function imapOn(executor: () => PoolExecutor, ordered: boolean): Imap {
  return lazyVerb('imap', { kind: 'map', ordered, executor }) as Imap
}

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
export const imap: Imap = imapOn(defaultExecutor, true)

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
export const imapUnordered: Imap = imapOn(defaultExecutor, false)
