/** `pipe` of it-pipe, with a check of its arguments. */
import { pipe as itPipe } from 'it-pipe'
import { assertPipeSource, assertPipeStage } from './verbs/arguments.js'

/** What a source of a pipeline gives to the next stage: itself, its return value, or the source of a duplex. */
export type PipeInput<A> = A extends Iterable<unknown> | AsyncIterable<unknown>
  ? A
  : A extends () => infer S
    ? S
    : A extends { readonly source: infer S }
      ? S
      : never

/**
 * The call signatures of `pipe`. Each stage takes what the stage before it returns. So a stage that passes items on,
 * such as `filter(task)`, keeps their type. For duplexes (`{ source, sink }`) as stages, use the `pipe` of it-pipe,
 * which has types for them.
 */
export type PipeFunction = {
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
 * Passes a source through stages: `pipe(a, b, c)` is `c(b(a))`. It is `pipe` of it-pipe, with a check of the arguments.
 *
 * @param source Any iterable or async iterable, or a function that returns one.
 * @param stages Functions from a source to a stream, such as `imap(task)`. The last one may return any value.
 * @returns What the last stage returns.
 * @throws {TypeError} `ERR_INVALID_SOURCE`: the first argument is not a source, for example a promise.
 * `ERR_INVALID_ARGUMENTS`: another argument is not a stage, for example a task without a verb.
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
