/** What is known of errors that came out of streams: beside the errors, which stay as they are. */

/** Which item an error is of. */
export interface Failure {
  /** The item's index in its source, from 0. */
  readonly index: number
  /** The item, as the source gave it or, from lines or another stage, a copy. */
  readonly item?: unknown
  /** The id of the task; of a function that runs on this thread, its name. */
  readonly task: string
  /** Number of the worker that tried it last, as tasks see it: from 1; 0 on this thread. */
  readonly worker: number
  /** How often it was tried: 1 without `retries`. */
  readonly attempts: number
}

const failures = new WeakMap<object, Failure>()
/** Streams, and promises of what comes of one: they know what has ended them. */
const ended = new WeakMap<object, { readonly failure: Failure | undefined }>()

/**
 * Tells which item an error is of, that a stream has thrown or given as the `reason` of an outcome.
 *
 * @param error What was thrown. Of what is thrown several times, the last time is told; of what all items of a chunk fail
 * with, as when their task cannot be loaded, the first item. Or the stream itself, or the promise that `map`, `starmap`, `apply` or
 * `reduce` gave: these know it also where the task threw what is not an object, such as a string or `undefined`.
 * @returns undefined for what no item has failed with, such as errors of the source or a signal's reason; for a string and
 * the like, as nothing can be remembered of it; and for a stream or promise that no item's error has ended.
 *
 * @example
 * ```ts
 * import { failure, imap, isMainThread, task } from 'millrace'
 *
 * const parse = task(import.meta.url, 'parse', (text: string): unknown => JSON.parse(text))
 *
 * if (isMainThread) {
 *   try {
 *     for await (const value of imap(parse, ['1', '{', '3'])) console.log(value)
 *     // → 1
 *   } catch (error) {
 *     const { index, item, task, attempts } = failure(error) ?? {}
 *     console.log(index, item, task, attempts)
 *     // → 1 { parse 1
 *   }
 * }
 * ```
 */
export function failure(error: unknown): Failure | undefined {
  if (!isObject(error)) return undefined
  return failures.get(error) ?? ended.get(error)?.failure
}

/** Remembers it, as long as there is the error. */
export function noteFailure(error: unknown, told: Failure): void {
  if (isObject(error)) failures.set(error, told)
}

/** From now on `failure()` can be asked of a stream or promise what has ended it. */
export function rememberEnd(of: object, engine: { readonly failure: Failure | undefined }): void {
  ended.set(of, engine)
}

/** The same of a promise of what comes of a stream. */
export function withEndOf<T>(promise: Promise<T>, stream: object): Promise<T> {
  const engine = ended.get(stream)
  if (engine !== undefined) ended.set(promise, engine)
  return promise
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
