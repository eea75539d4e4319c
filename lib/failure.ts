/** Which item an error of a stream belongs to. It is stored beside the errors, which are not changed. */

/** Which item an error belongs to. */
export interface Failure {
  /** The item's index in its source, from 0. */
  readonly index: number
  /**
   * The item as the source gave it. From lines, records or another stage: a copy. Of a record that cannot be read: its
   * text.
   */
  readonly item?: unknown
  /** The id of the task. For a function that runs on this thread: its name. */
  readonly task: string
  /** The number of the worker that tried it last, from 1; 0 on this thread. */
  readonly worker: number
  /** On a cluster: the name of the host that tried it last. Absent on a pool, and for an item that no host has run. */
  readonly host?: string | undefined
  /** How many times it was tried: 1 without `retries`. */
  readonly attempts: number
  /** The path of the file that the item is from, if it is a record or a line of a file. */
  readonly file?: string | undefined
  /** The number of the record in its input, from 1; undefined if the item is not a record or a line. */
  readonly record?: number | undefined
  /** The number of the line where the record begins, from 1. */
  readonly line?: number | undefined
  /** Where the record begins in its input, in bytes from 0, without compression. */
  readonly offset?: number | undefined
}

const failures = new WeakMap<object, Failure>()
/** Streams, and promises that a stream settles, with the failure that ended them. */
const ended = new WeakMap<object, { readonly failure: Failure | undefined }>()

/**
 * Says which item an error belongs to, if a stream has thrown the error or given it as the `reason` of an outcome.
 *
 * @param error The error. If it was thrown several times, the last time counts. If all items of a chunk failed with it,
 * for example because their task cannot be loaded, the first item counts. You can also pass the stream, or the promise
 * of `map`, `starmap`, `apply` or `reduce`. These also know the item when the task threw a string, `undefined` or
 * another value that is not an object.
 * @returns undefined if the error does not belong to an item, for example an error of the source or the reason of a
 * signal. Also if the error is not an object, and for a stream or promise that the error of an item did not end.
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

/** Records it for the lifetime of the error. */
export function noteFailure(error: unknown, told: Failure): void {
  if (isObject(error)) failures.set(error, told)
}

/** From now on `failure()` of a stream or promise says what has ended it. */
export function rememberEnd(of: object, engine: { readonly failure: Failure | undefined }): void {
  ended.set(of, engine)
}

/** The same for a promise that a stream settles. */
export function withEndOf<T>(promise: Promise<T>, stream: object): Promise<T> {
  const engine = ended.get(stream)
  if (engine !== undefined) ended.set(promise, engine)
  return promise
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
