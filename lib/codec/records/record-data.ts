/**
 * Records as a message carries them: where their bytes are in shared memory, and where each one ends. The thread that
 * receives them makes values of them. What owns the memory is in record-batch.ts.
 */
import { hasTasks } from './csv-task.js'
import { decoderFor, keepDecoder } from './decoders.js'
import type { Place, RecordDecoder, RecordFormat, RecordSegment } from './format.js'
import { findRecord, placeIn, textIn } from './place.js'

/** Can be cloned; the memory goes by reference. */
export interface RecordData {
  readonly kind: 'bytes'
  readonly count: number
  readonly segments: readonly RecordSegment[]
}

/** Goes over the records of a message: each method may be called `count` times in all. */
export interface RecordCursor {
  /** The next value, decoded now. Throws the error of a bad record, and continues behind it. */
  readonly next: () => unknown
  /** Leaves out the next record without making its value. */
  readonly skip: () => void
}

export function recordCursor({ count, segments }: RecordData): RecordCursor {
  let left = count
  let decoder: RecordDecoder | undefined
  let format: RecordSegment['format'] | undefined
  let segment = 0
  const end = (): void => {
    if (decoder !== undefined && format !== undefined) keepDecoder(format, decoder)
    decoder = format = undefined
  }
  /** The decoder, at the first record of the next segment. */
  const feed = (): RecordDecoder => {
    const next = segments[segment++]
    if (next === undefined) throw new RangeError(`Cannot read a record as all have been read: ${count}`)
    if (decoder === undefined || next.format !== format) {
      end()
      format = next.format
      decoder = decoderFor(format)
    }
    decoder.feed(next)
    return decoder
  }
  /** The first record of the next segment that has one. */
  const first = (): unknown => {
    for (;;) {
      const value = feed().next()
      if (value !== undefined) return value
    }
  }
  const next = (): unknown => {
    left--
    try {
      const value = decoder?.next()
      return value === undefined ? first() : value
    } finally {
      // Also behind a bad record: to make a decoder anew takes longer than to read many records.
      if (left === 0) end()
    }
  }
  const skip = (): void => {
    left--
    let isSkipped = decoder?.skip() === true
    while (!isSkipped) isSkipped = feed().skip()
    if (left === 0) end()
  }
  return { next, skip }
}

/** A record that has no value, in the place of it. */
export class BadRecord {
  /** Undefined where nobody asks for it. */
  readonly error: unknown
  /** The record as it is written, and how. Undefined for a row of a file of columns. */
  readonly text: string | undefined
  readonly format: RecordFormat | undefined

  constructor(error: unknown, text?: string, format?: RecordFormat) {
    this.error = error
    this.text = text
    this.format = format
  }
}

/** All values, with a `BadRecord` for each one that is bad. */
export function allRecords(data: RecordData): unknown[] {
  const { next } = recordCursor(data)
  return Array.from({ length: data.count }, (_, index) => {
    try {
      return next()
    } catch (error) {
      const found = findRecord(data.segments, index)
      if (found === undefined) throw error
      return new BadRecord(error, textIn(found.segment, found.index), found.segment.format)
    }
  })
}

/**
 * The values at some positions, in their places: see `valuesAt()` of a batch. Records between them are not decoded. A bad
 * one is given without its error, which the caller has.
 */
export function recordsAt({ segments }: RecordData, positions: ReadonlyMap<number, boolean>): unknown[] {
  const values: unknown[] = []
  const readable: { readonly position: number; readonly segment: RecordSegment }[] = []
  for (const [position, isFatal] of positions) {
    const found = findRecord(segments, position)
    if (found === undefined) continue
    const segment = onlyRecord(found.segment, found.index)
    if (isFatal && hasTasks(segment.format)) values[position] = badRecord(segment)
    else readable.push({ position, segment })
  }
  const { next } = recordCursor({
    kind: 'bytes',
    count: readable.length,
    segments: readable.map(({ segment }) => segment),
  })
  for (const { position, segment } of readable) {
    try {
      values[position] = next()
    } catch {
      values[position] = badRecord(segment)
    }
  }
  return values
}

function badRecord(segment: RecordSegment): BadRecord {
  return new BadRecord(undefined, textIn(segment, 0), segment.format)
}

/** A record of a segment. Its line is not known: to count lines takes longer than to read the record. */
function onlyRecord(segment: RecordSegment, index: number): RecordSegment {
  const { endsAt, count, isOpen, record, offset } = segment
  const before = index === 0 ? segment.start : new Uint32Array(segment.ends, endsAt, index)[index - 1]
  const start = before ?? segment.start
  return {
    ...segment,
    start,
    endsAt: endsAt + index * Uint32Array.BYTES_PER_ELEMENT,
    count: 1,
    isOpen: isOpen && index === count - 1,
    record: record + index,
    offset: offset + start - segment.start,
    line: undefined,
  }
}

/** Where a record is in its input, by its number among all. */
export function placeOf(segments: readonly RecordSegment[], index: number): Place | undefined {
  const found = findRecord(segments, index)
  return found && placeIn(found.segment, found.index)
}

/** The path of the file that a record is from, by its number among all. */
export function fileOf(segments: readonly RecordSegment[], index: number): string | undefined {
  return findRecord(segments, index)?.segment.file
}
