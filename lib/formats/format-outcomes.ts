/** Formats the results of some items: in a worker before they are sent, or on this thread. */
import type { Formatted } from './formatted.js'
import type { OutputFormat } from './output-format.js'
import { formatterFor } from './record-formatter.js'

export interface Outcomes {
  readonly results: readonly unknown[]
  /** How many results each item has; undefined: one each. It is changed where an item fails here. */
  readonly counts: number[] | undefined
  /** The file that an item is from, if that is known. */
  readonly fileOf: (partOffset: number) => string | undefined
  /** Whether an item has failed before. Then its one result is only a placeholder. */
  readonly hasFailed: (partOffset: number) => boolean
}

/**
 * @param indexOf The index of an item, by its offset in the part.
 * @param fail Called for each item that the format cannot take. Where an item has one record, an empty one takes its
 *   place. Otherwise none of its records stays.
 */
export function formatOutcomes(
  format: OutputFormat,
  { results, counts, fileOf, hasFailed }: Outcomes,
  indexOf: (partOffset: number) => number,
  fail: (partOffset: number, error: unknown) => void,
): Formatted {
  const formatter = formatterFor(format)
  const file = (partOffset: number): string | undefined => (format.byFile === true ? fileOf(partOffset) : undefined)
  if (counts === undefined) {
    for (const [partOffset, result] of results.entries()) {
      if (hasFailed(partOffset)) formatter.addNothing()
      else {
        try {
          formatter.add(result, indexOf(partOffset), file(partOffset))
        } catch (error) {
          formatter.addNothing()
          fail(partOffset, error)
        }
      }
    }
    return formatter.take()
  }
  let next = 0
  for (const [partOffset, count] of counts.entries()) {
    const before = formatter.count
    const end = next + count
    try {
      while (next < end) formatter.add(results[next++], indexOf(partOffset), file(partOffset))
    } catch (error) {
      formatter.truncate(before)
      counts[partOffset] = 0
      fail(partOffset, error)
      next = end
    }
  }
  return formatter.take()
}
