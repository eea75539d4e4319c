/** Decodes a part that is due, and applies the option `errors` to its failed items. */
import type { Part } from '../executor/executor.js'
import { outcomeOf, withFailureInfo, type ArrivedPart, type DueError, type FailureMode } from './outcome.js'

/** A decoded part, with what its failed items give. */
export interface DecodedPart {
  readonly values: unknown[]
  /** For each value, how many items have all their results with it; undefined: one each. */
  readonly completes: readonly number[] | undefined
  /** How many items before the first value give nothing. */
  readonly completedBefore: number
  /** Thrown after the values; with `'late'`, after the values of all other items. */
  readonly failure: DueError | undefined
}

export const EMPTY: DecodedPart = {
  values: [],
  completes: undefined,
  completedBefore: 0,
  failure: undefined,
}

/** Whether the results can be given without decoding them. */
export function isPlain({ errors, results }: Part, mode: FailureMode): boolean {
  return mode !== 'settle' && errors === undefined && results.length > 0
}

/**
 * Decodes a part, and applies the error mode to its failed items.
 *
 * @param task For the errors of items.
 * @param ordered With `'throw'`: an ordered stream gives no results behind a failed item. An unordered one gives all that are known.
 */
export function decodePart(part: ArrivedPart, mode: FailureMode, task: string, ordered = true): DecodedPart {
  const values = part.results.values()
  if (mode === 'settle') return { ...EMPTY, values: values.map((value, i) => outcomeOf(part, i, value, task)) }
  if (part.isFolded === true) return { ...EMPTY, values, completedBefore: part.count - 1, completes: [1] }
  if (part.errors === undefined && part.counts === undefined) return { ...EMPTY, values }
  return applyErrorMode(part, values, mode, task, ordered)
}

/** For a part in which items have failed, or have several results or none. */
function applyErrorMode(
  part: ArrivedPart,
  values: readonly unknown[],
  mode: FailureMode,
  task: string,
  ordered: boolean,
): DecodedPart {
  const { count, counts, errors } = part
  const given: unknown[] = []
  const completes: number[] = []
  let completedBefore = 0
  let next = 0
  let failure: DecodedPart['failure']
  for (let partOffset = 0; partOffset < count; partOffset++) {
    const failed = errors?.has(partOffset) === true
    if (failed && mode === 'throw' && ordered) {
      return { values: given, completes, completedBefore, failure: withFailureInfo(part, partOffset, task) }
    }
    if (failed && mode !== 'skip') failure ??= withFailureInfo(part, partOffset, task)
    const end = next + (counts?.[partOffset] ?? 1)
    // Where each item has one result, a failed one has a placeholder.
    if (failed) next = end
    for (; next < end; next++) {
      given.push(values[next])
      completes.push(0)
    }
    // An item is done with its last result; one without any, with that of the item before it.
    if (completes.length === 0) completedBefore++
    else completes[completes.length - 1]++
  }
  return { values: given, completes, completedBefore, failure }
}
