/** The results of a part as records of the output that they go to. */
import { formatOutcomes } from '../formats/format-outcomes.js'
import type { Formatted } from '../formats/formatted.js'
import type { OutputFormat } from '../formats/output-format.js'
import type { RunningChunk } from './chunk.js'
import type { Outbox } from './outbox.js'
import type { PartDetails } from './protocol.js'

type Outcomes = Pick<Outbox, 'from' | 'chunkOffsets' | 'results' | 'counts' | 'errors'>

/** Items that the format cannot take fail. Their `counts` are changed. */
export function formatPart(
  format: OutputFormat,
  chunk: RunningChunk,
  { from, chunkOffsets, results, counts, errors }: Outcomes,
): { readonly records: Formatted; readonly errors: PartDetails['errors'] } {
  const all = [...(errors ?? [])]
  const failed = new Set(all.map(([partOffset]) => partOffset))
  const hasFailed = (partOffset: number): boolean => failed.has(partOffset)
  const offsetOf = (partOffset: number): number => chunkOffsets?.[partOffset] ?? from + partOffset
  const indexOf = (partOffset: number): number => chunk.first + offsetOf(partOffset)
  const fileOf = (partOffset: number): string | undefined => chunk.fileOf(offsetOf(partOffset))
  const records = formatOutcomes(format, { results, counts, fileOf, hasFailed }, indexOf, (partOffset, error) => {
    all.push([partOffset, chunk.encodeError(error, offsetOf(partOffset))])
  })
  return { records, errors: all.length > 0 ? all : undefined }
}
