/** `apply`: one call of a task, as a stream of one item. */
import type { PoolExecutor } from '../executor/executor.js'
import { received, typeError } from '../errors.js'
import { withEndOf } from '../failure.js'
import type { TaskCall } from '../task.js'
import { assertOrder } from './arguments.js'
import { defaultExecutor } from './default-executor.js'
import { streamFactory, type Callable } from './lazy.js'
import type { OnThisThread, StreamOptions } from './options.js'

/** Options of `apply`. */
export interface ApplyOptions extends Pick<StreamOptions, 'timeout' | 'retries'> {
  /** Gives the call up when it fires: the promise rejects with its reason. Default: none. */
  readonly signal?: AbortSignal
  /**
   * ArrayBuffers of the arguments that are moved to the worker, and not copied. They are detached here when the call is
   * sent. `retries` must be 0 then. See `transfer` of `StreamOptions`. Default: everything is copied.
   */
  readonly transfer?: readonly ArrayBufferLike[]
  /** 0 runs the call on this thread: any function will do, and nothing is copied. One call takes one worker. */
  readonly workers?: number
}

/** The arguments of a call: they can be left out where there are none. */
type Rest<A extends readonly unknown[], O> = [] extends A
  ? [args?: Readonly<A>, options?: O]
  : [args: Readonly<A>, options?: O]

/** The call signatures of `apply`. */
export type Apply = {
  /** Calls any function on this thread. */
  <A extends readonly unknown[], R>(
    task: Callable<A, R>,
    args: Readonly<A>,
    options: OnThisThread<ApplyOptions>,
  ): Promise<Awaited<R>>
  /** Calls a task on a worker thread. */
  <A extends readonly unknown[], R>(task: TaskCall<A, R>, ...rest: Rest<A, ApplyOptions>): Promise<Awaited<R>>
}

const ACTION = 'call a task with apply()'
const OPTIONS = ['signal', 'timeout', 'retries', 'transfer', 'workers']

/** Makes `apply` on the threads that `executor` gives. */
export function applyOn(executor: () => PoolExecutor): Apply {
  const verb = {
    action: ACTION,
    kind: 'map',
    ordered: true,
    spread: true,
    executor,
    isEager: true,
    isSingle: true,
    options: OPTIONS,
    errors: ['throw'],
  } as const
  return (...given: unknown[]): Promise<unknown> => {
    assertOrder(ACTION, given)
    const [task, args = [], options] = given
    if (!Array.isArray(args)) {
      throw typeError(
        'ERR_INVALID_ARGUMENTS',
        `Cannot ${ACTION} as its second argument must be an array, the task's arguments: received ${received(args)}`,
      )
    }
    const { createStream } = streamFactory(verb, task, options)
    const stream = createStream([args])
    const result = stream.toArray().then(([first]) => first)
    return withEndOf(result, stream)
  }
}

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
export const apply: Apply = applyOn(defaultExecutor)
