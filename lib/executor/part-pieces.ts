/** Cuts parts into pieces. */
import { Items } from '../codec/batch.js'
import type { Part } from './executor.js'

/** What a part is without some of its outcomes: what comes before the first of them, what is between them, and the rest. */
export function without(part: Part, positions: readonly number[]): Part[] {
  if (positions.length === 0) return [part]
  const { from, places, count, counts, errors } = part
  const results = part.results.values()
  const pieces: Part[] = []
  let start = 0
  let next = 0
  for (const end of [...positions, count]) {
    const own = counts?.slice(start, end)
    const first = next
    next += own === undefined ? end - start : own.reduce((sum, n) => sum + n, 0)
    pieces.push({
      ...part,
      from: from + start,
      places: places?.slice(start, end),
      count: end - start,
      results: new Items(results.slice(first, next)),
      counts: own,
      errors: errors && errorsBetween(errors, start, end),
    })
    // Something stands in the place of a failed item's result, where there is one each.
    if (counts === undefined) next++
    start = end + 1
  }
  return pieces
}

function errorsBetween(
  errors: ReadonlyMap<number, unknown>,
  start: number,
  end: number,
): ReadonlyMap<number, unknown> | undefined {
  const own = new Map<number, unknown>()
  for (let position = start; position < end; position++) {
    if (errors.has(position)) own.set(position - start, errors.get(position))
  }
  return own.size > 0 ? own : undefined
}
