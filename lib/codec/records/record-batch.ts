/** A batch of records: bytes in shared memory, and where each record ends. Other files fill the memory. */
import type { Batch } from '../batch.js'
import type { Packed } from '../codec.js'
import type { Place, RecordSegment } from './format.js'
import { firstLineOf } from './place.js'
import { allRecords, fileOf, placeOf, recordCursor, recordsAt, type RecordData } from './record-data.js'

/**
 * Memory that several batches refer to. It is shared, not transferred: nothing is copied, and a batch can be sent again
 * after a worker has failed.
 */
export interface RecordMemory {
  /** One more refers to it. */
  retain(): void
  /** One less does; after the last, the memory is used again. */
  release(): void
}

/** A segment whose memory its owner has retained: that of the bytes, and that of the ends. */
export interface HeldSegment extends RecordSegment {
  /** Where its bytes end. */
  readonly end: number
  readonly bytesIn: RecordMemory
  readonly endsIn: RecordMemory
}

/**
 * Every batch refers to its memory by itself, a slice too: each is to be released, and its memory lives until then. One
 * that is dropped instead costs no more than the memory's being allocated anew.
 */
export class RecordBatch implements Batch {
  readonly isShared = true
  #length: number
  #segments: HeldSegment[]

  /** The batch owns the segments, and what they retain. */
  constructor(segments: HeldSegment[]) {
    this.#length = segments.reduce((sum, { count }) => sum + count, 0)
    this.#segments = segments
  }

  get length(): number {
    return this.#length
  }

  /** A record that is bad gives a `BadRecord`. */
  values(): unknown[] {
    return allRecords(this.#data())
  }

  valuesAt(positions: ReadonlyMap<number, boolean>): unknown[] {
    return recordsAt(this.#data(), positions)
  }

  /** Gives the next value at each call. Throws the error of a bad record, and continues behind it. */
  cursor(): () => unknown {
    return recordCursor(this.#data()).next
  }

  placeOf(index: number): Place | undefined {
    return placeOf(this.#segments, index)
  }

  fileOf(index: number): string | undefined {
    return fileOf(this.#segments, index)
  }

  pack(): Packed & { readonly data: RecordData } {
    const bytes = this.#segments.reduce((sum, { start, end }) => sum + end - start, 0)
    return { data: this.#data(), transfer: [], bytes }
  }

  packApart(): Packed & { readonly data: RecordData } {
    const segments = this.#segments.map(copied)
    const bytes = segments.reduce((sum, { memory }) => sum + memory.byteLength, 0)
    return { data: { kind: 'bytes', count: this.#length, segments }, transfer: [], bytes }
  }

  slice(start: number, end: number): RecordBatch {
    const parts: HeldSegment[] = []
    let first = 0
    for (const segment of this.#segments) {
      const [from, to] = [Math.max(0, start - first), Math.min(segment.count, end - first)]
      if (from < to) parts.push(part(segment, from, to))
      first += segment.count
    }
    return new RecordBatch(parts)
  }

  join(next: Batch): this | undefined {
    if (!(next instanceof RecordBatch)) return undefined
    for (const segment of next.#segments) this.#append(segment)
    this.#length += next.#length
    next.#segments = []
    return this
  }

  forget(): void {
    // Some of the bytes cannot be given back without the others.
  }

  release(): void {
    for (const segment of this.#segments) releaseSegment(segment)
    this.#segments = []
  }

  #append(segment: HeldSegment): void {
    const last = this.#segments.at(-1)
    if (last === undefined || !follows(last, segment)) {
      this.#segments.push(segment)
      return
    }
    // Many short batches of a slow source become one segment. Lines are counted from the place that the first one knows.
    this.#segments[this.#segments.length - 1] = {
      ...last,
      end: segment.end,
      count: last.count + segment.count,
      isAscii: last.isAscii && segment.isAscii,
      hasReturns: last.hasReturns || segment.hasReturns,
      isOpen: segment.isOpen,
    }
    releaseSegment(segment)
  }

  #data(): RecordData {
    const segments = this.#segments.map(({ end: _end, bytesIn: _bytes, endsIn: _ends, ...segment }) => segment)
    return { kind: 'bytes', count: this.#length, segments }
  }
}

/** A segment with memory that has its records alone, and is not shared. */
function copied(segment: HeldSegment): RecordSegment {
  const { end: _end, bytesIn: _bytes, endsIn: _ends, ...rest } = segment
  const { start, memory, count } = segment
  const ends = new Uint32Array(segment.ends, segment.endsAt, count).slice()
  for (let at = 0; at < count; at++) ends[at] = (ends[at] ?? start) - start
  const bytes = Buffer.alloc(ends[count - 1] ?? 0)
  // The last delimiter may be missing.
  const length = Math.min(bytes.length, memory.byteLength - start)
  // Not `set()`: where memory is shared that goes byte by byte.
  if (length > 0) bytes.fill(Buffer.from(memory, start, length), 0, length)
  const line = firstLineOf(segment)
  return { ...rest, memory: bytes.buffer, ends: ends.buffer, start: 0, endsAt: 0, line, lineAt: 0 }
}

/** Some records of a segment. */
function part(segment: HeldSegment, from: number, to: number): HeldSegment {
  const ends = new Uint32Array(segment.ends, segment.endsAt, segment.count)
  segment.bytesIn.retain()
  segment.endsIn.retain()
  const hasLast = to === segment.count
  const start = from === 0 ? segment.start : (ends[from - 1] ?? segment.end)
  return {
    ...segment,
    start,
    record: segment.record + from,
    offset: segment.offset + start - segment.start,
    end: hasLast ? segment.end : (ends[to - 1] ?? segment.end),
    endsAt: segment.endsAt + from * Uint32Array.BYTES_PER_ELEMENT,
    count: to - from,
    isOpen: hasLast && segment.isOpen,
  }
}

/** Whether one segment stands directly behind another one, with its bytes and its ends, in memory and in their input. */
function follows(last: HeldSegment, next: HeldSegment): boolean {
  return (
    last.format === next.format &&
    last.file === next.file &&
    last.record + last.count === next.record &&
    last.offset + last.end - last.start === next.offset &&
    last.bytesIn === next.bytesIn &&
    last.end === next.start &&
    last.endsIn === next.endsIn &&
    last.endsAt + last.count * Uint32Array.BYTES_PER_ELEMENT === next.endsAt &&
    !last.isOpen
  )
}

function releaseSegment({ bytesIn, endsIn }: HeldSegment): void {
  bytesIn.release()
  endsIn.release()
}
