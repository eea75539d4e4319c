/** The stage that gives a random sample of its items. */
import { rangeError, received, typeError } from '../errors.js'
import { isIterable, type Source } from '../io/source.js'
import { isAbortSignal, OptionReader } from '../options.js'
import type { Results } from '../stream/results.js'
import { assertSource } from './arguments.js'
import { Sampled } from './sampled.js'
import { asStage } from './stage.js'

/** A stage that gives some of the items of any source. */
export type SampleStage = <T>(source: Source<T>, context?: { readonly signal?: AbortSignal }) => Results<Awaited<T>>

/** The options of `sample()`. */
export interface SampleOptions {
  /** Which sample it is: an integer of at least 0. The same seed gives the same sample of the same source. Default: 0. */
  readonly seed?: number | undefined
}

/** The call signatures of `sample`. */
export type Sample = {
  /** Makes a stage that gives about this share of the items. */
  (share: number, options?: SampleOptions): SampleStage
  /** Gives about this share of the items of a source. */
  <T>(share: number, source: Source<T>, options?: SampleOptions): Results<Awaited<T>>
}

const ACTION = 'sample items'

/**
 * Gives a random sample of the items, in their order. Each item is chosen by itself, with the probability `share` (a
 * Bernoulli sample). So the size of the sample is near `share` times the number of items, and seldom exact.
 *
 * A hash of the seed and of the number of the item decides. So another run with the same seed gives the same sample, and
 * another seed gives another one. It holds nothing in memory. It runs on this thread. Records of `lines()`, `csv()` and the
 * like that are not chosen are not decoded: it does not matter whether they can be.
 *
 * Two forms: `sample(share)` is a stage for `pipe`; `sample(share, source)` gives the items themselves.
 *
 * @param share A number from 0 (no items) to 1 (all items).
 * @param source Any iterable or async iterable.
 * @param options `seed` (default 0).
 * @returns The items. If you stop early, the source is closed.
 * @throws {RangeError | TypeError} At the call: `ERR_INVALID_ARGUMENTS`, `ERR_INVALID_OPTION`, `ERR_INVALID_SOURCE`. An
 * error of the source comes from `next()`.
 *
 * @example
 * ```ts
 * import { lines, pipe, sample } from 'millrace'
 *
 * const text = Array.from({ length: 1_000 }, (_, n) => `line ${n}\n`).join('')
 * const some = await pipe(lines([Buffer.from(text)]), sample(0.01)).toArray()
 * const same = await pipe(lines([Buffer.from(text)]), sample(0.01)).toArray()
 * const other = await pipe(lines([Buffer.from(text)]), sample(0.01, { seed: 1 })).toArray()
 * console.log(some.length < 30, some.join() === same.join(), some.join() === other.join())
 * // → true true false
 * ```
 */
export const sample: Sample = ((...args: unknown[]): unknown => {
  const [given, second, third] = args
  const share = shareOf(given)
  const isDirect = isIterable(second) || args.length > 2
  const { seed } = readOptions(isDirect ? third : second)
  const open = (source: unknown, context?: { readonly signal?: unknown }): Results<unknown> => {
    assertSource(ACTION, source)
    return new Sampled(source, { share, seed }, isAbortSignal(context?.signal) ? context.signal : undefined)
  }
  return isDirect ? open(second) : asStage(open, 'sample', String(share))
}) as Sample

function shareOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  const hint = typeof value === 'number' && value > 1 ? ' (for 5 percent: 0.05)' : ''
  throw (typeof value === 'number' ? rangeError : typeError)(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${ACTION} as their share must be a number from 0 to 1: received ${received(value)}${hint}`,
  )
}

function readOptions(options: unknown): { readonly seed: number } {
  const read = new OptionReader<SampleOptions>(ACTION, options, ['seed'])
  return { seed: read.integer('seed', 0) ?? 0 }
}
