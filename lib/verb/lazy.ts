/**
 * The verbs whose results are a stream: telling their two forms apart, and making a stream of a plan. They differ in what
 * is made of a task's result, and in the order; `pool.ts` and the files of the verbs say where they run.
 */
/* eslint-disable @typescript-eslint/consistent-type-definitions --
   The declarations of a user's own exports can copy an alias. They would have to name an interface, which the package does not export. */
import type { Source } from '../io/source.js'
import { isAbortSignal } from '../options.js'
import type { ErrorMode, Outcome } from '../stream/outcome.js'
import { joinPipeline } from '../stream/pipeline.js'
import { Stream } from '../stream/stream.js'
import type { Exported, MadeByTask, TaskCall, TaskContext, TaskLike } from '../task.js'
import type { JobKind } from '../worker/protocol.js'
import { assertSource, readArguments } from './arguments.js'
import type { OnThisThread, Stage, StageOf, StreamOptions } from './options.js'
import { planStream, type PoolExecutor, type Verb } from './plan.js'
import { asStage } from './stage.js'

/** What a stream gives for an item of type `I` and a result of type `R`, by the option `errors`. */
export type Given<I, R, E extends ErrorMode> = E extends 'settle' ? Outcome<I, Awaited<R>> : Awaited<R>

/** A task, or any function: what runs on this thread. */
export type Runnable<I, R> = ((item: I, context: TaskContext) => R) | Exported<I, R>

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

/** A task to be called with arguments of the types `A`, or any function: what runs on this thread. */
export type Callable<A extends readonly unknown[], R> = ((...args: A) => R) | TaskCall<A, R>

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

/** What may become of a failed item where an item need not have one result: there is no outcome of each to give. */
export type ThrowOrSkip = Exclude<ErrorMode, 'settle'>

/** A task that tells which items are of the type `J`. */
export type Guard<I, J extends I> = ((item: I, context: TaskContext) => item is J) & MadeByTask

/** The call signatures of `filter` and `filterUnordered`. */
export type Filter = {
  /** Keeps the items of a source for which any function, on this thread, returns something truthy. */
  <I>(
    task: Runnable<I, unknown>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>,
  ): Stream<I>
  /** Keeps the items of a source for which a type guard, on worker threads, says so. */
  <I, J extends I>(task: Guard<I, J>, source: Source<I>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): Stream<J>
  /** Keeps the items of a source for which a task, on worker threads, returns something truthy. */
  <I, T extends I>(
    task: TaskLike<I, unknown>,
    source: Source<T>,
    options?: StreamOptions<ThrowOrSkip, NoInfer<I>>,
  ): Stream<T>
  /** Makes a stage that does so on this thread. */
  <I>(task: Runnable<I, unknown>, options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>): StageOf<I>
  /** Makes a stage that keeps the items for which a type guard, on worker threads, says so. */
  <I, J extends I>(task: Guard<I, J>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): Stage<I, J>
  /** Makes a stage that keeps the items for which a task, on worker threads, returns something truthy. */
  <I>(task: TaskLike<I, unknown>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): StageOf<I>
}

/** Something with elements, or a promise of it. */
export type Expandable<R> = Iterable<R> | AsyncIterable<R> | Promise<Iterable<R> | AsyncIterable<R>>

/** The call signatures of `flatMap` and `flatMapUnordered`. */
export type FlatMap = {
  /** The same on this thread, with any function. */
  <I, R>(
    task: Runnable<I, Expandable<R>>,
    source: Source<I>,
    options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>,
  ): Stream<Awaited<R>>
  /** Runs a task over a source on worker threads, and gives each element of what it returns. */
  <I, R>(
    task: TaskLike<I, Expandable<R>>,
    source: Source<I>,
    options?: StreamOptions<ThrowOrSkip, NoInfer<I>>,
  ): Stream<Awaited<R>>
  /** The same on this thread, with any function. */
  <I, R>(
    task: Runnable<I, Expandable<R>>,
    options: OnThisThread<StreamOptions<ThrowOrSkip, NoInfer<I>>>,
  ): Stage<I, Awaited<R>>
  /** Makes a stage that runs a task on worker threads, and gives each element of what it returns. */
  <I, R>(task: TaskLike<I, Expandable<R>>, options?: StreamOptions<ThrowOrSkip, NoInfer<I>>): Stage<I, Awaited<R>>
}

/** All lazy verbs, running where `executor` says; it throws when that cannot be used. */
export interface LazyVerbs {
  readonly imap: Imap
  readonly imapUnordered: Imap
  readonly istarmap: Istarmap
  readonly istarmapUnordered: Istarmap
  readonly filter: Filter
  readonly filterUnordered: Filter
  readonly flatMap: FlatMap
  readonly flatMapUnordered: FlatMap
}

export function lazyVerbs(executor: () => PoolExecutor): LazyVerbs {
  const verb = (name: string, kind: JobKind, ordered: boolean, spread = false): unknown =>
    lazyVerb({
      name,
      action: `open a stream with ${name}()`,
      kind,
      ordered,
      spread,
      executor,
      errors: kind === 'map' ? EVERY_MODE : THROW_OR_SKIP,
    })
  return {
    imap: verb('imap', 'map', true) as Imap,
    imapUnordered: verb('imapUnordered', 'map', false) as Imap,
    istarmap: verb('istarmap', 'map', true, true) as Istarmap,
    istarmapUnordered: verb('istarmapUnordered', 'map', false, true) as Istarmap,
    filter: verb('filter', 'filter', true) as Filter,
    filterUnordered: verb('filterUnordered', 'filter', false) as Filter,
    flatMap: verb('flatMap', 'flatMap', true) as FlatMap,
    flatMapUnordered: verb('flatMapUnordered', 'flatMap', false) as FlatMap,
  }
}

export const EVERY_MODE: readonly ErrorMode[] = ['throw', 'settle', 'skip']
export const THROW_OR_SKIP: readonly ThrowOrSkip[] = ['throw', 'skip']

type AnyStage = (source: unknown, context?: { readonly signal?: unknown }) => Stream<unknown>

function lazyVerb(verb: Verb): (...args: never[]) => unknown {
  return (...args: unknown[]): unknown => {
    const { task, direct, source, options } = readArguments(verb.action, args)
    const { open, name } = openStage(verb, task, options, !direct)
    if (direct) return open(source)
    const stage: AnyStage = (source, context) => open(source, context)
    return asStage(stage, verb.name, name)
  }
}

/**
 * Validates, and makes what opens a stream of a source.
 *
 * @param isStage Whether the options may be a source by mistake.
 */
export function openStage(
  verb: Verb,
  task: unknown,
  options: unknown,
  isStage = false,
): { readonly open: AnyStage; readonly name: string } {
  const { plan, name } = planStream(verb, task, options, isStage)
  const open: AnyStage = (source, context) => {
    assertSource(verb.action, source)
    const made = plan()
    const signal = context?.signal
    if (!isAbortSignal(signal)) return new Stream(made, source)
    joinPipeline(signal, source)
    return new Stream({ ...made, signals: [...made.signals, signal], pipeline: signal }, source)
  }
  return { open, name }
}
