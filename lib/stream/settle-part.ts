/** Fits the records of a part to the output that they go to. Items whose records do not fit fail. */
import { Items } from '../codec/batch.js'
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
  const left = records.values().filter((_, record) => !failed.has(ownerOf(record)))
  return {
    ...part,
    results: new Items(left),
    counts: counts.map((count, partOffset) => (failed.has(partOffset) ? 0 : count)),
    errors: failed,
  }
}

/** The item of each record, by its offset in the part. */
function ownersOf(counts: Uint32Array): number[] {
  const owners: number[] = []
  for (const [partOffset, count] of counts.entries()) {
    for (let result = 0; result < count; result++) owners.push(partOffset)
  }
  return owners
}
