/** A source without its first records. They are not decoded, so it does not matter whether they can be. */
import type { Batch } from '../../codec/batch.js'
import { meterOf, offerMeter } from '../../io/input-meter.js'
import { offerBatches, openBatches, type BatchReader, type BatchUse, type Source } from '../../io/source.js'
import { Mark, offerResume, type ResumePoint } from '../../resume/mark.js'

/** @param source Gives records or lines. */
export function withoutFirst(source: Source<unknown>, count: number): Source<unknown> {
  if (count === 0) return source
  let left = count
  const rest: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]: () => {
      throw new Error('Records that are left out are read in batches alone')
    },
  }
  const noteEnd = (mark: Mark): void => {
    mark.notes.set(point, left)
  }
  const point: ResumePoint = {
    source,
    plan: { verb: 'skip', count },
    begin: (_, note) => {
      if (typeof note === 'number') left = note
    },
    noteEnd,
  }
  const skip = async (reader: BatchReader, max: number): Promise<Batch | undefined> => {
    for (;;) {
      const batch = await reader.next(left > 0 ? left : max)
      if (batch instanceof Mark) noteEnd(batch)
      else if (batch !== undefined && left > 0) {
        left -= batch.length
        batch.release()
        continue
      }
      return batch
    }
  }
  const open = (use: BatchUse): BatchReader | undefined => {
    const reader = openBatches(source, use)
    return (
      reader && {
        next: (max) => skip(reader, max),
        close: (end) => reader.close(end),
        get unit() {
          return left > 0 ? undefined : reader.unit
        },
      }
    )
  }
  offerBatches(rest, open, true)
  offerResume(rest, point)
  const meter = meterOf(source)
  if (meter !== undefined) offerMeter(rest, meter)
  return rest
}
