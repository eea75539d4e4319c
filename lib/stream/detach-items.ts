/** Gives up the items of a part whose outcomes have arrived. */
import { BadRecord } from '../codec/records/record-data.js'
import { TaskTimeoutError, WorkerCrashError } from '../errors.js'
import type { Part } from '../executor/executor.js'
import type { ArrivedPart, FailedItem, FailureMode } from './outcome.js'

/**
 * Drops the items of a part, except those that failed and will be asked for. Once for each part.
 *
 * @param keepsAll Whether all failed items will be asked for; otherwise, with errors that are thrown, the first one.
 */
export function detachItems(part: Part, mode: FailureMode, keepsAll: boolean = mode === 'settle'): ArrivedPart {
  const hasFailed = part.errors !== undefined && part.errors.size > 0
  const isAsked = mode !== 'skip' || keepsAll
  const arrived = hasFailed && isAsked ? { ...part, items: failedItems(part, !keepsAll) } : part
  const { chunk, from, chunkOffsets, count, last } = part
  // The executor has finished with these items, and nobody else needs them.
  if (last) chunk.items.release()
  else if (chunkOffsets === undefined) chunk.items.forget(from, from + count)
  else for (const chunkOffset of chunkOffsets) chunk.items.forget(chunkOffset, chunkOffset + 1)
  return arrived
}

/** The items that failed, or the first of them, by their offset in the part. Decodes only those. */
function failedItems(
  { chunk, from, chunkOffsets, errors, failedItems: read }: Part,
  onlyFirst: boolean,
): Map<number, FailedItem> {
  const failed = new Map<number, number>()
  let first = Infinity
  let last = -Infinity
  for (const partOffset of onlyFirst ? [firstKey(errors)] : (errors?.keys() ?? [])) {
    const chunkOffset = chunkOffsets?.[partOffset] ?? from + partOffset
    failed.set(partOffset, chunkOffset)
    first = Math.min(first, chunkOffset)
    last = Math.max(last, chunkOffset)
  }
  const batch = chunk.items.slice(first, last + 1)
  const positions = new Map(
    Array.from(failed, ([partOffset, chunkOffset]) => [chunkOffset - first, isFatal(errors?.get(partOffset))]),
  )
  const values = batch.valuesAt?.(positions) ?? batch.values()
  const items = new Map(
    [...failed].map(([partOffset, chunkOffset]) => {
      const value = read?.has(partOffset) === true ? read.get(partOffset) : values[chunkOffset - first]
      const place = batch.placeOf?.(chunkOffset - first)
      const { text: item, format } = value instanceof BadRecord ? value : { text: value, format: undefined }
      return [partOffset, { item, format, place }]
    }),
  )
  batch.release()
  return items
}

/** Whether the item has ended its worker, or would never have ended. */
function isFatal(error: unknown): boolean {
  return error instanceof WorkerCrashError || error instanceof TaskTimeoutError
}

/** `Math.min()` does not take as many arguments as there may be keys. */
function firstKey(errors: Part['errors']): number {
  let first = Infinity
  for (const partOffset of errors?.keys() ?? []) first = Math.min(first, partOffset)
  return first
}
