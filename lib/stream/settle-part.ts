/** Fits the records of a part to the output that they go to. Items whose records do not fit fail. */
import { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import type { ArrivedPart } from './outcome.js'

/** To be called with the parts in the order in which they are given. */
export function settlePart(part: ArrivedPart, layout: OutputLayout): ArrivedPart {
  const { chunk, from, chunkOffsets, counts } = part
  const formatted = Formatted.of(part.results)
  let owners: number[] | undefined
  // Asked for records that do not fit: most parts have none.
  const ownerOf = (record: number): number => {
    if (counts === undefined) return record
    owners ??= ownersOf(counts)
    return owners[record] ?? record
  }
  const { records, errors } = layout.settle(formatted, (record) => {
    const partOffset = ownerOf(record)
    return chunk.first + (chunkOffsets?.[partOffset] ?? from + partOffset)
  })
  if (errors === undefined) return records === part.results ? part : { ...part, results: records }
  const failed = new Map(part.errors)
  for (const [record, error] of errors) if (!failed.has(ownerOf(record))) failed.set(ownerOf(record), error)
  if (counts === undefined) return { ...part, results: records, errors: failed }
  return {
    ...part,
    results: records.keep((record) => !failed.has(ownerOf(record))),
    counts: counts.map((count, partOffset) => (failed.has(partOffset) ? 0 : count)),
    errors: failed,
  }
}

/** Leaves out the failed items of a part that has been settled, and what is behind its `count`. The records stay bytes. */
export function withoutFailed(part: ArrivedPart): ArrivedPart {
  const { count, counts, errors } = part
  const owners = counts && ownersOf(counts)
  const results = Formatted.of(part.results).keep((record) => {
    const partOffset = owners?.[record] ?? record
    return partOffset < count && errors?.has(partOffset) !== true
  })
  const left = counts?.slice(0, count) ?? new Uint32Array(count).fill(1)
  for (const partOffset of errors?.keys() ?? []) if (partOffset < count) left[partOffset] = 0
  return { ...part, results, counts: left, errors: undefined }
}

/** The item of each record, by its offset in the part. */
function ownersOf(counts: Uint32Array): number[] {
  const owners: number[] = []
  for (const [partOffset, count] of counts.entries()) {
    for (let result = 0; result < count; result++) owners.push(partOffset)
  }
  return owners
}
