/** Results that go to an output. */
import type { Part } from '../executor/executor.js'
import { formatOutcomes } from '../formats/format-outcomes.js'
import type { OutputFormat } from '../formats/output-format.js'

/** The results as records of an output: hosts send values. Items that its format cannot take fail. */
export function formatted(part: Part, format: OutputFormat): Part {
  const { chunk, from, chunkOffsets } = part
  const errors = new Map(part.errors)
  const counts = part.counts && [...part.counts]
  const placeOf = (partOffset: number): number => chunkOffsets?.[partOffset] ?? from + partOffset
  const records = formatOutcomes(
    format,
    {
      results: part.results.values(),
      counts,
      fileOf: (partOffset) => chunk.items.fileOf?.(placeOf(partOffset)),
      hasFailed: (partOffset) => part.errors?.has(partOffset) === true,
    },
    (partOffset) => chunk.first + placeOf(partOffset),
    (partOffset, error) => {
      errors.set(partOffset, error)
    },
  )
  return {
    ...part,
    results: records,
    counts: counts && Uint32Array.from(counts),
    errors: errors.size > 0 ? errors : undefined,
  }
}
