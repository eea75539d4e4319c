/** The verb `apply`: one call of a task, as a stream of one item. */
/* eslint-disable @typescript-eslint/consistent-type-definitions --
   The declarations of a user's own exports can copy an alias. They would have to name an interface, which the package does not export. */
import { received, typeError } from '../errors.js'
import { withEndOf } from '../failure.js'
import type { Stream } from '../stream/stream.js'
import type { TaskCall } from '../task.js'
import { resultsOf } from './collect.js'
import { assertOrder } from './arguments.js'
import { openStage, type Callable } from './lazy.js'
import type { OnThisThread, StreamOptions } from './options.js'
import type { PoolExecutor } from './plan.js'

/** Options of `apply`. */
export interface ApplyOptions extends Pick<StreamOptions, 'timeout' | 'retries'> {
  /** Gives the call up when it fires: the promise rejects with its reason. Default: none. */
  readonly signal?: AbortSignal
  /**
   * ArrayBuffers of the arguments that are moved to the worker, and not copied. When the call is sent they are detached here. `retries` must
   * be 0 then. See `transfer` of `StreamOptions`. Default: all is copied.
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

/** Makes the verb: `executor` gives the threads it runs on. */
export function applyVerb(executor: () => PoolExecutor): Apply {
  const verb = {
    name: 'apply',
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
    const { open } = openStage(verb, task, options)
    const stream = open([args])
    return withEndOf(only(stream), stream)
  }
}

async function only(stream: Stream<unknown>): Promise<unknown> {
  const [result] = await resultsOf(stream)
  return result
}
