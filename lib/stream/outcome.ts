/** What becomes of an item's outcome on its way to the consumer; the types of it, and the part that is opened for giving. */
import type { Part } from '../executor/executor.js'

/** What becomes of a failed item: the stream throws its error, gives it as an outcome, or leaves it out. */
export type ErrorMode = 'throw' | 'settle' | 'skip'

/** An item's outcome, under `errors: 'settle'`. */
export type Outcome<I, R> =
  | { readonly status: 'fulfilled'; readonly value: R; readonly index: number }
  | { readonly status: 'rejected'; readonly reason: unknown; readonly index: number; readonly item: I }

/** A part that has arrived. */
export interface Arrived extends Part {
  /** The failed items themselves, by their position, where they will be asked for. */
  readonly items?: ReadonlyMap<number, unknown> | undefined
}

/** A part whose results are being given: decoded, and with the failed items dealt with. */
export interface Opened {
  readonly values: unknown[]
  /** How many items have had all their results when a value is given; undefined: one each. */
  readonly frees: readonly number[] | undefined
  /** How many items before the first value give nothing. */
  readonly freed: number
  /** Thrown after the values. */
  readonly failure: { readonly error: unknown } | undefined
  readonly skipped: number
}

/** Nothing to give. */
export const NOTHING_OPEN: Opened = { values: [], frees: undefined, freed: 0, failure: undefined, skipped: 0 }

/** Decodes a part, and makes of it what the consumer is to be given. */
export function openPart(part: Arrived, mode: ErrorMode): Opened {
  const values = part.results.values()
  if (mode === 'settle') return { ...NOTHING_OPEN, values: values.map((value, i) => outcomeOf(part, i, value)) }
  if (part.errors === undefined && part.counts === undefined) return { ...NOTHING_OPEN, values }
  return sorted(part, values, mode)
}

/** Whether the results can be given as they are, without being looked at. */
export function isPlain({ errors, results }: Part, mode: ErrorMode): boolean {
  return mode !== 'settle' && errors === undefined && results.length > 0
}

/** Goes through the items: some have failed, or have more results than one, or none. */
function sorted({ count, counts, errors }: Part, values: readonly unknown[], mode: ErrorMode): Opened {
  const given: unknown[] = []
  const frees: number[] = []
  let freed = 0
  let skipped = 0
  let next = 0
  for (let position = 0; position < count; position++) {
    const failed = errors?.has(position) === true
    if (failed && mode === 'throw') {
      return { values: given, frees, freed, failure: { error: errors.get(position) }, skipped }
    }
    if (failed) skipped++
    const end = next + (counts?.[position] ?? 1)
    // Where items have one result each, something stands in the place of a failed one.
    if (failed) next = end
    for (; next < end; next++) {
      given.push(values[next])
      frees.push(0)
    }
    // An item is done with its last result; one without any, with that of the item before it.
    if (frees.length === 0) freed++
    else frees[frees.length - 1]++
  }
  return { values: given, frees, freed, failure: undefined, skipped }
}

function outcomeOf(part: Arrived, position: number, value: unknown): Outcome<unknown, unknown> {
  const { chunk, places, from, errors, items } = part
  const index = chunk.first + (places?.[position] ?? from + position)
  if (errors?.has(position) === true) {
    return { status: 'rejected', reason: errors.get(position), index, item: items?.get(position) }
  }
  return { status: 'fulfilled', value, index }
}
