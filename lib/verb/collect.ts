/** The verbs that give a promise of all results: `map` and `starmap`. They read a stream to its end. */
import type { Executor } from '../executor/executor.js'
import { isIterable, type Source } from '../io/source.js'
import { received, typeError } from '../errors.js'
import type { ErrorMode } from '../stream/outcome.js'
import type { Stream } from '../stream/stream.js'
import type { TaskCall, TaskLike } from '../task.js'
import { EVERY_MODE, openStage, type Callable, type Given, type Runnable } from './lazy.js'
import type { InlineOptions, ThreadedOptions } from './options.js'

/** The call signatures of `map`. */
export interface MapVerb {
  /** Runs a task over a source on worker threads. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: TaskLike<I, R>,
    source: Source<I>,
    options?: ThreadedOptions<E>,
  ): Promise<Given<I, R, E>[]>
  /** Runs any function over a source on this thread. */
  <I, R, E extends ErrorMode = 'throw'>(
    task: Runnable<I, R>,
    source: Source<I>,
    options: InlineOptions<E>,
  ): Promise<Given<I, R, E>[]>
}

/** The call signatures of `starmap`. */
export interface Starmap {
  /** Calls a task with the arguments in each item of a source, on worker threads. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: TaskCall<A, R>,
    source: Source<Readonly<A>>,
    options?: ThreadedOptions<E>,
  ): Promise<Given<Readonly<A>, R, E>[]>
  /** The same on this thread, with any function. */
  <A extends readonly unknown[], R, E extends ErrorMode = 'throw'>(
    task: Callable<A, R>,
    source: Source<Readonly<A>>,
    options: InlineOptions<E>,
  ): Promise<Given<Readonly<A>, R, E>[]>
}

/** Makes both verbs: `executor` gives the threads they run on, and throws when they cannot be used. */
export function collectVerbs(executor: () => Executor): { readonly map: MapVerb; readonly starmap: Starmap } {
  return { map: collectVerb('map', executor) as MapVerb, starmap: collectVerb('starmap', executor) as Starmap }
}

function collectVerb(name: 'map' | 'starmap', executor: () => Executor): (...args: never[]) => unknown {
  const action = `map a source with ${name}()`
  const verb = { action, kind: 'map', ordered: true, late: true, spread: name === 'starmap', executor } as const
  return (task: unknown, source?: unknown, options?: unknown): Promise<unknown[]> => {
    const stage = openStage({ ...verb, errors: EVERY_MODE }, task, options)
    // Whoever knows imap() may expect a stage of it, which would have no end to give its array at.
    if (!isIterable(source) && typeof source !== 'string') {
      throw typeError(
        'ERR_INVALID_SOURCE',
        `Cannot ${action} as its second argument must be the source, an iterable or async iterable ` +
          `(for a stage of a pipeline: i${name}(task, options)): received ${received(source)}`,
      )
    }
    return resultsOf(stage(source))
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
