/** What is kept of a part's items when it arrives: those that failed, where they will be asked for, and no others. */
import type { Part } from '../executor/executor.js'
import type { Arrived, FailureMode } from './outcome.js'

/** Lets go of the items of a part; before that, takes out those that failed. Once for each part. */
export function arrive(part: Part, mode: FailureMode): Arrived {
  const hasFailed = part.errors !== undefined && part.errors.size > 0
  const arrived = hasFailed && mode !== 'skip' ? { ...part, items: failedItems(part, mode !== 'settle') } : part
  forgetItems(part)
  return arrived
}

/** The position of the first item that failed. */
export function firstFailed({ errors }: Part): number {
  let first = Infinity
  for (const position of errors?.keys() ?? []) first = Math.min(first, position)
  return first
}

/** The items that failed, by their position, or the first of them. Those from the first to the last are decoded, once. */
function failedItems(part: Part, onlyFirst: boolean): Map<number, unknown> {
  const { chunk, from, places, errors } = part
  const failed = new Map<number, number>()
  let first = Infinity
  let last = -Infinity
  for (const position of onlyFirst ? [firstFailed(part)] : (errors?.keys() ?? [])) {
    const place = places?.[position] ?? from + position
    failed.set(position, place)
    first = Math.min(first, place)
    last = Math.max(last, place)
  }
  const batch = chunk.items.slice(first, last + 1)
  const values = batch.values()
  const items = new Map([...failed].map(([position, place]) => [position, values[place - first]]))
  batch.release()
  return items
}

/** The executor has finished with these items, and nobody else needs them. */
function forgetItems({ chunk, from, places, count, last }: Part): void {
  if (last) chunk.items.release()
  else if (places === undefined) chunk.items.forget(from, from + count)
  else for (const place of places) chunk.items.forget(place, place + 1)
}
