/** The verbs that give a promise of all results: `map` and `starmap`. They read a stream to its end. */
/* eslint-disable @typescript-eslint/consistent-type-definitions --
   The declarations of a user's own exports can copy an alias. They would have to name an interface, which the package does not export. */
import { withEndOf } from '../failure.js'
import type { Source } from '../io/source.js'
import { isPlainObject } from '../options.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream } from '../stream/stream.js'
import type { TaskCall, TaskLike } from '../task.js'
import { assertOrder, assertSource } from './arguments.js'
import { EVERY_MODE, openStage, type Callable, type Given, type Runnable } from './lazy.js'
import type { OnThisThread, StreamOptions } from './options.js'
import type { PoolExecutor } from './plan.js'

/** The call signatures of `map`. */
export type MapVerb = {
  /** Runs any function over a source on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: Runnable<I, R>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<E, NoInfer<I>>>,
  ): Promise<Given<I, R, E>[]>
  /** Runs a task over a source on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: TaskLike<I, R>,
    source: Source<I>,
    options?: StreamOptions<E, NoInfer<I>>,
  ): Promise<Given<I, R, E>[]>
}

/** The call signatures of `starmap`. */
export type Starmap = {
  /** The same on this thread, with any function. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: Callable<A, R>,
    source: Source<Readonly<A>>,
    options: OnThisThread<StreamOptions<E, NoInfer<Readonly<A>>>>,
  ): Promise<Given<Readonly<A>, R, E>[]>
  /** Calls a task with the arguments in each item of a source, on worker threads. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: TaskCall<A, R>,
    source: Source<Readonly<A>>,
    options?: StreamOptions<E, NoInfer<Readonly<A>>>,
  ): Promise<Given<Readonly<A>, R, E>[]>
}

/** Makes both verbs: `executor` gives the threads they run on. */
export function collectVerbs(executor: () => PoolExecutor): { readonly map: MapVerb; readonly starmap: Starmap } {
  return { map: collectVerb('map', executor) as MapVerb, starmap: collectVerb('starmap', executor) as Starmap }
}

function collectVerb(name: 'map' | 'starmap', executor: () => PoolExecutor): (...args: never[]) => unknown {
  const action = `map a source with ${name}()`
  const verb = {
    name,
    action,
    kind: 'map',
    ordered: true,
    late: true,
    spread: name === 'starmap',
    executor,
    isEager: true,
    errors: EVERY_MODE,
  } as const
  return (...args: unknown[]): Promise<unknown[]> => {
    assertOrder(action, args)
    const [task, source, options] = args
    const { open } = openStage(verb, task, options)
    // Whoever knows imap() may expect a stage of it, which would have no end to give its array at.
    const isStage = source === undefined || (isPlainObject(source) && options === undefined)
    assertSource(action, source, isStage ? ` (for a stage of a pipeline: i${name}(task, options))` : undefined)
    const stream = open(source)
    return withEndOf(resultsOf(stream), stream)
  }
}

/** Reads a stream to its end. It is opened at once. */
export async function resultsOf(stream: Stream<unknown>): Promise<unknown[]> {
  const results: unknown[] = []
  for await (const chunk of stream.chunks()) {
    for (const result of chunk) results.push(result)
  }
  return results
}
