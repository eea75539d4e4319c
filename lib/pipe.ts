/** `pipe` of it-pipe, behind a look at what it is given. */
import { pipe as itPipe } from 'it-pipe'
import { assertPipeSource, assertPipeStage } from './verb/arguments.js'

/** What a source of a pipeline gives to the stage behind it: itself, or what it returns, or the source of a duplex. */
export type PipeInput<A> = A extends Iterable<unknown> | AsyncIterable<unknown>
  ? A
  : A extends () => infer S
    ? S
    : A extends { readonly source: infer S }
      ? S
      : never

/**
 * The call signatures of `pipe`. Each stage is a function of what the one before returns, so that a stage which gives its items
 * on, as `filter(task)`, keeps their type. For duplexes (`{ source, sink }`) as stages, the types are those of it-pipe's own `pipe`.
 */
export interface PipeFunction {
  /** Gives the source itself. */
  <A>(source: A): PipeInput<A>
  /** Passes a source through a function. */
  <A, B>(source: A, b: (source: PipeInput<A>) => B): B
  /** Passes a source through functions, one after the other. */
  <A, B, C>(source: A, b: (source: PipeInput<A>) => B, c: (source: B) => C): C
  <A, B, C, D>(source: A, b: (source: PipeInput<A>) => B, c: (source: B) => C, d: (source: C) => D): D
  <A, B, C, D, E>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
  ): E
  <A, B, C, D, E, F>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
    f: (source: E) => F,
  ): F
  <A, B, C, D, E, F, G>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
    f: (source: E) => F,
    g: (source: F) => G,
  ): G
  <A, B, C, D, E, F, G, H>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
    f: (source: E) => F,
    g: (source: F) => G,
    h: (source: G) => H,
  ): H
  <A, B, C, D, E, F, G, H, I>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
    f: (source: E) => F,
    g: (source: F) => G,
    h: (source: G) => H,
    i: (source: H) => I,
  ): I
  <A, B, C, D, E, F, G, H, I, J>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
    f: (source: E) => F,
    g: (source: F) => G,
    h: (source: G) => H,
    i: (source: H) => I,
    j: (source: I) => J,
  ): J
  <A, B, C, D, E, F, G, H, I, J, K>(
    source: A,
    b: (source: PipeInput<A>) => B,
    c: (source: B) => C,
    d: (source: C) => D,
    e: (source: D) => E,
    f: (source: E) => F,
    g: (source: F) => G,
    h: (source: G) => H,
    i: (source: H) => I,
    j: (source: I) => J,
    k: (source: J) => K,
  ): K
}

/**
 * Passes a source through stages: `pipe(a, b, c)` is `c(b(a))`. It is `pipe` of it-pipe, with a check of what it is given.
 *
 * @param source Any iterable or async iterable, or a function that returns one.
 * @param stages Functions from a source to a stream, as `imap(task)` makes them; the last one may return anything.
 * @returns What the last stage returns.
 * @throws {TypeError} `ERR_INVALID_SOURCE`: no source, such as a promise. `ERR_INVALID_ARGUMENTS`: no stage, such as a task
 * without a verb.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, pipe, task } from 'millrace'
 *
 * const square = task(import.meta.url, 'square', (x: number) => x * x)
 *
 * if (isMainThread) {
 *   for await (const y of pipe([1, 2, 3], imap(square), imap(square))) console.log(y)
 *   // → 1
 *   // → 16
 *   // → 81
 * }
 * ```
 */
export const pipe: PipeFunction = (...parts: unknown[]): never => {
  const [source, ...stages] = parts
  assertPipeSource(source)
  stages.forEach(assertPipeStage)
  return unchecked(...parts)
}

const unchecked: (...parts: unknown[]) => never = itPipe as never
