/** The stage that gives its items in arrays. */
import type { Source } from '../io/source.js'
import { assertCount, isAbortSignal } from '../options.js'
import { Batched } from './batched.js'
import type { Results } from '../stream/results.js'
import { assertSource } from './arguments.js'
import { asStage } from './stage.js'

/** A stage that gives the items of any source in arrays. */
export type BatchStage = <T>(source: Source<T>, context?: { readonly signal?: AbortSignal }) => Results<Awaited<T>[]>

/** The call signatures of `batch`. */
export type Batch = {
  /** Makes a stage that gives arrays of `size` items. */
  (size: number): BatchStage
  /** Gives the items of a source in arrays of `size`. */
  <T>(size: number, source: Source<T>): Results<Awaited<T>[]>
}

const ACTION = 'give items in batches'

/**
 * Gives items in arrays of exactly `size`. The last array may be shorter. Use it for tasks, inserts and requests that
 * take many items at once.
 *
 * Two forms: `batch(size)` is a stage for `pipe`; `batch(size, source)` gives the arrays themselves. It is lazy: it
 * reads only the items of the array that you ask for. It runs on this thread.
 *
 * @param size Items in an array: an integer of at least 1.
 * @param source Any iterable or async iterable.
 * @returns The arrays. If you stop early, the source is closed.
 * @throws {RangeError | TypeError} At the call: `ERR_INVALID_ARGUMENTS`, `ERR_INVALID_SOURCE`. An error of the source
 * comes from `next()`, after an array of the items before it.
 *
 * @example
 * ```ts
 * import { batch, pipe } from 'millrace'
 *
 * for await (const letters of pipe(['a', 'b', 'c', 'd', 'e'], batch(2))) console.log(letters)
 * // → [ 'a', 'b' ]
 * // → [ 'c', 'd' ]
 * // → [ 'e' ]
 * ```
 */
export const batch: Batch = ((...args: unknown[]): unknown => {
  const [size, source] = args
  assertCount(ACTION, size, 1, true)
  const open = (source: unknown, context?: { readonly signal?: unknown }): Results<unknown[]> => {
    assertSource(ACTION, source)
    return new Batched(source, size, isAbortSignal(context?.signal) ? context.signal : undefined)
  }
  if (args.length > 1) return open(source)
  return asStage(open, 'batch', '')
}) as Batch
