/** `istarmap` and `istarmapUnordered`: as `imap`, of a task that is called with the arguments in each item. */
import type { PoolExecutor } from '../executor/executor.js'
import type { Source } from '../io/source.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream } from '../stream/stream.js'
import type { TaskCall } from '../task.js'
import { defaultExecutor } from './default-executor.js'
import { lazyVerb, type Callable, type Given } from './lazy.js'
import type { OnThisThread, Stage, StreamOptions } from './options.js'

/** The call signatures of `istarmap` and `istarmapUnordered`. */
export type Istarmap = {
  /** The same on this thread, with any function. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: Callable<A, R>,
    source: Source<Readonly<A>>,
    options: OnThisThread<StreamOptions<E, NoInfer<Readonly<A>>>>,
  ): Stream<Given<Readonly<A>, R, E>>
  /** Calls a task with the arguments in each item of a source, on worker threads. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: TaskCall<A, R>,
    source: Source<Readonly<A>>,
    options?: StreamOptions<E, NoInfer<Readonly<A>>>,
  ): Stream<Given<Readonly<A>, R, E>>
  /** The same on this thread, with any function. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: Callable<A, R>,
    options: OnThisThread<StreamOptions<E, NoInfer<Readonly<A>>>>,
  ): Stage<Readonly<A>, Given<Readonly<A>, R, E>>
  /** Makes a stage that calls a task with the arguments in each item, on worker threads. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: TaskCall<A, R>,
    options?: StreamOptions<E, NoInfer<Readonly<A>>>,
  ): Stage<Readonly<A>, Given<Readonly<A>, R, E>>
}

/** Makes `istarmap` or `istarmapUnordered` on the threads that `executor` gives. */
export function istarmapOn(executor: () => PoolExecutor, ordered: boolean): Istarmap {
  return lazyVerb('istarmap', { kind: 'map', ordered, spread: true, executor }) as Istarmap
}

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
export const istarmap: Istarmap = istarmapOn(defaultExecutor, true)

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
export const istarmapUnordered: Istarmap = istarmapOn(defaultExecutor, false)
