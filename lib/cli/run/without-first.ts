/** A source without its first records. They are not decoded, so it does not matter whether they can be. */
import { meterOf, offerMeter } from '../../io/input-meter.js'
import { offerBatches, openBatches, type BatchReader, type Source } from '../../io/source.js'

/** @param source Gives records or lines. */
export function withoutFirst(source: Source<unknown>, count: number): Source<unknown> {
  if (count === 0) return source
  const rest: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]: () => {
      throw new Error('Records that are left out are read in batches alone')
    },
  }
  offerBatches(rest, () => skipping(openBatches(source), count), true)
  const meter = meterOf(source)
  if (meter !== undefined) offerMeter(rest, meter)
  return rest
}

function skipping(reader: BatchReader | undefined, count: number): BatchReader | undefined {
  let left = count
  return (
    reader && {
      next: async (max) => {
        while (left > 0) {
          const batch = await reader.next(left)
          if (batch === undefined) return undefined
          left -= batch.length
          batch.release()
        }
        return await reader.next(max)
      },
      close: (end) => reader.close(end),
    }
  )
}
