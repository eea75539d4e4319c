/** For the verbs that give a stream: tells their two forms apart, and makes a stream of a plan. */
import { isAbortSignal } from '../options.js'
import type { ErrorMode, Outcome, Rejects } from '../stream/outcome.js'
import { joinPipeline } from '../io/pipeline.js'
import { Stream } from '../stream/stream.js'
import type { Exported, TaskCall, TaskContext } from '../task.js'
import { assertSource, readArguments } from './arguments.js'
import { planStream, type NamedMode, type Verb } from './plan.js'
import { asStage } from './stage.js'

/** The results of a stream, for items of type `I`, results of type `R` and the option `errors`. */
export type Given<I, R, E extends ErrorMode> = E extends 'settle' ? Outcome<I, Awaited<R>> : Awaited<R>

/** A task, or any function: these can run on this thread. */
export type Runnable<I, R> = ((item: I, context: TaskContext) => R) | Exported<I, R>

/** The same, called with arguments of the types `A`. */
export type Callable<A extends readonly unknown[], R> = ((...args: A) => R) | TaskCall<A, R>

/** The error modes of verbs that do not give one result for each item. They cannot give an outcome for each. */
export type ThrowOrSkip = Exclude<ErrorMode, 'settle'>

export const EVERY_MODE: readonly NamedMode[] = ['throw', 'settle', 'skip']
export const THROW_OR_SKIP: readonly Exclude<ThrowOrSkip, Rejects>[] = ['throw', 'skip']

type AnyStage = (source: unknown, context?: { readonly signal?: unknown }) => Stream<unknown>

/** Makes a verb that gives a stream, or a stage if it gets no source. `orderedName` is the name of its ordered form. */
export function lazyVerb(orderedName: string, verb: Omit<Verb, 'action' | 'errors'>): (...args: never[]) => unknown {
  const name = verb.ordered ? orderedName : `${orderedName}Unordered`
  const action = `open a stream with ${name}()`
  const whole: Verb = { ...verb, action, errors: verb.kind === 'map' ? EVERY_MODE : THROW_OR_SKIP }
  return (...args: unknown[]): unknown => {
    const { task, direct, source, options } = readArguments(action, args)
    const { createStream, name: id } = streamFactory(whole, task, options, !direct)
    return direct ? createStream(source) : asStage(createStream, name, id)
  }
}

/**
 * Validates the task and the options, and returns a function that makes a stream of a source.
 *
 * @param isStage Whether the options may be a source by mistake.
 * @returns Also `name`, the id of the task.
 */
export function streamFactory(
  verb: Verb,
  task: unknown,
  options: unknown,
  isStage = false,
): { readonly createStream: AnyStage; readonly name: string } {
  const { plan, name } = planStream(verb, task, options, isStage)
  const createStream: AnyStage = (source, context) => {
    assertSource(verb.action, source)
    const made = plan()
    const signal = context?.signal
    if (!isAbortSignal(signal)) return new Stream(made, source)
    joinPipeline(signal, source)
    return new Stream({ ...made, signals: [...made.signals, signal], pipeline: signal }, source)
  }
  return { createStream, name }
}
