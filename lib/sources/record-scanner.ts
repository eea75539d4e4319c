/**
 * Finds the records of the blocks of one input, and cuts as many as are wanted. They are segments of shared memory, which
 * any thread can decode. A splitter says where records end. This file knows blocks and memory: a record that is cut in
 * two by the end of a block is put together here.
 */
import { CARRIAGE_RETURN, NO_BYTES } from '../codec/line-end.js'
import type { RecordFormat, Position } from '../codec/records/format.js'
import { newlinesIn } from '../codec/records/place.js'
import type { HeldSegment } from '../codec/records/record-batch.js'
import type { Json } from '../resume/mark.js'
import { BLOCK_SIZE, Slab } from '../scan/memory.js'
import { hasRoom, type EndsRoom, type Found } from '../scan/scan.js'

/** What a splitter has found. */
export interface Split extends Found {
  /** How many lines end in the bytes that were scanned. */
  readonly newlines: number
  /** Where the next record can begin at the earliest: bytes before that, behind the last record, belong to none. */
  readonly recordsFrom?: number | undefined
  /** Makes the error of the byte behind those that were scanned, which is at a place. Nothing more is scanned. */
  readonly failure?: ((place: Position) => Error) | undefined
}

/** Finds where records end. It carries its state from one call to the next: the bytes of an input are scanned once. */
export interface Splitter {
  /** The byte that ends a line. */
  readonly newline: number
  /** Scans from position `from` up to `to` in the memory of the slab, and writes the position behind each record. */
  scan(bytes: Slab, from: number, to: number, room: EndsRoom): Split
  /**
   * The input ends here. `'record'`: the bytes behind the last end are a record. `'nothing'`: they belong to none. Or
   * the error of an input that must not end here.
   *
   * @param rest The bytes behind the last end.
   * @param place Where they begin.
   */
  end(rest: Buffer, place: Position): 'record' | 'nothing' | Error
  /** What else must be known to go on behind the last byte that was scanned, where no record has begun. */
  readonly state?: Json | undefined
  /** The first bytes to be scanned are behind a record. */
  goOn?(state: Json | undefined): void
  /** Where a record begins, behind bytes that belong to none. Without it, all of them count for its length. */
  contentStart?(bytes: Buffer, start: number, end: number): number
}

/** Smaller blocks are copied: each would keep a whole slab. */
const MIN_IN_PLACE = BLOCK_SIZE / 4
/** For the ends of records. */
const ENDS_SIZE = 64 * 1024
/** The most bytes behind a record that are not counted. */
const MAX_LINE_END = 2
const U32 = Uint32Array.BYTES_PER_ELEMENT
const NO_MEMORY = { buffer: new SharedArrayBuffer(0) }

export class RecordScanner {
  readonly #splitter: Splitter
  readonly #file: string | undefined
  readonly #maxLength: number
  /** Where blocks are copied to, and beginnings of records: the next bytes go to `#copied`. */
  #copies: Slab | undefined
  #copied = 0
  /** How many bytes before that are the beginning of a record, while a block in its own memory is scanned. */
  #head = 0
  /** What is being scanned: where the next record begins, up to where it was scanned, and where it ends. */
  #slab: Slab | undefined
  #start = 0
  #scanned = 0
  #end = 0
  #isAscii = true
  #hasReturns = false
  /** Where ends are written, one behind the other; from `#endsAt` on they are of records that have not been cut. */
  #ends: Slab | undefined
  #endsAt = 0
  #known = 0
  #isOpen = false
  #isTooLong = false
  /** Where the next record is in the input. */
  #record = 1
  #offset: number
  /** The number of the line that begins behind all that was scanned, and the line at a position of the memory. */
  #scannedLine = 1
  #line = 1
  #lineAt = 0
  #headLine = 1
  #hasEnded = false
  #recordsFrom = 0
  #failure: ((place: Position) => Error) | undefined

  /** @param offset Where in the input the first block begins. */
  constructor(splitter: Splitter, file: string | undefined, maxLength: number, offset: number) {
    this.#splitter = splitter
    this.#file = file
    this.#maxLength = maxLength
    this.#offset = offset
  }

  /** Where the next record begins, with what stands before it. */
  get place(): Position {
    const line =
      this.#head > 0
        ? this.#headLine
        : this.#slab === undefined
          ? this.#scannedLine
          : this.#line + this.#newlines(this.#slab, this.#lineAt, this.#start)
    return { file: this.#file, record: this.#record, line, offset: this.#offset }
  }

  /** Whether the next record is longer than it may be. Then nothing more can be cut. */
  get isTooLong(): boolean {
    if (this.#isTooLong) return true
    if (this.#slab !== undefined || this.#head <= this.#maxLength + MAX_LINE_END) return false
    return this.#head - this.#spacesBefore(this.rest) > this.#maxLength + MAX_LINE_END
  }

  /** What is wrong behind all records that have been cut. */
  get failure(): Error | undefined {
    if (this.#known > 0) return undefined
    const offset = this.#offset + this.#head + this.#scanned - this.#start
    return this.#failure?.({ file: this.#file, record: this.#record, line: this.#scannedLine, offset })
  }

  /** The next bytes of the input, as far as they are known, to tell what is wrong with them. */
  get rest(): Buffer {
    const { buffer } = this.#copies ?? NO_MEMORY
    if (this.#head > 0) return Buffer.from(buffer, this.#copied - this.#head, this.#head)
    return this.#slab === undefined ? NO_BYTES : Buffer.from(this.#slab.buffer, this.#start, this.#end - this.#start)
  }

  /** What the splitter knows of the bytes before the next record, if all records are cut that it has found. */
  get state(): Json | undefined {
    return this.#known > 0 ? undefined : this.#splitter.state
  }

  /** The next records are numbered from here on. */
  countFrom(record: number): void {
    this.#record = record
  }

  /** The first record is another one than that at the start of the input. */
  goOn({ record, line }: { readonly record: number; readonly line: number }, state: Json | undefined): void {
    this.#record = record
    this.#line = this.#headLine = this.#scannedLine = line
    this.#splitter.goOn?.(state)
  }

  /** Takes the next block, when `cut()` has given all records of the last. It is the caller's until it asks for another. */
  feed(block: Buffer): void {
    const slab = block.length < MIN_IN_PLACE ? undefined : Slab.of(block)
    if (this.#head === 0) {
      this.#isAscii = true
      this.#hasReturns = false
    }
    if (slab !== undefined) {
      slab.retain()
      this.#scan(slab, block.byteOffset, block.byteOffset, block.byteOffset + block.length)
      this.#line = this.#scannedLine
      this.#lineAt = block.byteOffset
      return
    }
    const copies = this.#makeRoom(block.length)
    const from = this.#copied
    this.#append(copies, block)
    copies.retain()
    this.#scan(copies, from - this.#head, from, this.#copied)
    this.#line = this.#head > 0 ? this.#headLine : this.#scannedLine
    this.#lineAt = from - this.#head
    this.#head = 0
  }

  /** No more blocks come. @returns The error of an input that must not end here. */
  end(): Error | undefined {
    if (this.#hasEnded) return undefined
    this.#hasEnded = true
    const copies = this.#copies
    const start = this.#copied - this.#head
    const result = this.#splitter.end(this.rest, this.place)
    if (result instanceof Error) return result
    if (result === 'nothing' || copies === undefined || this.#head === 0) return undefined
    copies.retain()
    this.#scan(copies, start, this.#copied, this.#copied)
    this.#line = this.#headLine
    this.#lineAt = start
    this.#head = 0
    const ends = this.#roomForEnds()
    new Uint32Array(ends.buffer, this.#endsAt, 1)[0] = this.#copied + 1
    this.#known = 1
    this.#isOpen = true
    return undefined
  }

  /** The next records, from one to `max`; undefined when the block has none. The caller owns them. */
  cut(max: number, format: RecordFormat): HeldSegment | undefined {
    while (!this.#isTooLong) {
      if (this.#known > 0) return this.#head > 0 ? this.#join(format) : this.#segment(max, format)
      if (this.#slab === undefined) return undefined
      if (this.#recordsFrom > this.#start) this.#leaveOut()
      if (this.#failure !== undefined) return undefined
      if (this.#scanned === this.#end) this.#leave(this.#slab)
      else this.#scanMore(this.#slab)
    }
    return undefined
  }

  /** Forgets the records that have not been cut. */
  close(): void {
    this.#slab?.release()
    this.#copies?.release()
    this.#ends?.release()
    this.#slab = this.#copies = this.#ends = undefined
    this.#known = this.#head = 0
    this.#hasEnded = true
  }

  #scan(slab: Slab, start: number, scanned: number, end: number): void {
    this.#slab = slab
    this.#start = start
    this.#scanned = scanned
    this.#end = end
    this.#recordsFrom = 0
  }

  #scanMore(slab: Slab): void {
    const ends = this.#roomForEnds()
    const room = { slab: ends, at: this.#endsAt }
    const found = this.#splitter.scan(slab, this.#scanned, this.#end, room)
    this.#scanned += found.scanned
    this.#scannedLine += found.newlines
    this.#known = found.count
    this.#isAscii &&= found.isAscii
    this.#hasReturns ||= found.hasReturns
    this.#recordsFrom = found.recordsFrom ?? 0
    this.#failure = found.failure
  }

  /** Bytes behind the last record belong to none. */
  #leaveOut(): void {
    this.#offset += this.#head + this.#recordsFrom - this.#start
    this.#start = this.#recordsFrom
    this.#head = 0
  }

  #roomForEnds(): Slab {
    let ends = this.#ends
    if (ends === undefined || !hasRoom({ slab: ends, at: this.#endsAt })) {
      ends?.release()
      ends = this.#ends = Slab.take(ENDS_SIZE)
      this.#endsAt = ends.start
    }
    return ends
  }

  /** All was scanned: what is left is the beginning of a record. */
  #leave(slab: Slab): void {
    const rest = this.#end - this.#start
    // What has begun in an earlier block goes on.
    if (this.#head === 0) this.#headLine = this.#scannedLine - this.#newlines(slab, this.#start, this.#end)
    if (slab === this.#copies) this.#head = rest
    else if (rest > 0) {
      this.#append(this.#makeRoom(rest), Buffer.from(slab.buffer, this.#start, rest))
      this.#head += rest
    }
    this.#slab = undefined
    slab.release()
  }

  /** The record that has begun in an earlier block. */
  #join(format: RecordFormat): HeldSegment | undefined {
    const slab = this.#slab
    const ends = this.#ends
    if (slab === undefined || ends === undefined) return undefined
    const [end = 0] = new Uint32Array(ends.buffer, this.#endsAt, 1)
    const isShort = this.#head + end - this.#start <= this.#maxLength
    // Before they are copied, as there may be very many bytes.
    if (!isShort && this.#head - this.#spacesBefore(this.rest) + end - this.#start > this.#maxLength + MAX_LINE_END) {
      this.#isTooLong = true
      return undefined
    }
    const copies = this.#makeRoom(end - this.#start)
    this.#append(copies, Buffer.from(slab.buffer, this.#start, end - this.#start))
    if (!isShort && this.#isLong(copies.buffer, this.#copied - this.#head - (end - this.#start), this.#copied)) {
      this.#isTooLong = true
      return undefined
    }
    const start = this.#copied - this.#head - (end - this.#start)
    new Uint32Array(ends.buffer, this.#endsAt, 1)[0] = this.#copied
    const segment = this.#make(format, copies, ends, start, this.#copied, 1, { line: this.#headLine, lineAt: start })
    this.#start = end
    this.#head = 0
    return segment
  }

  #segment(max: number, format: RecordFormat): HeldSegment | undefined {
    const slab = this.#slab
    const ends = this.#ends
    if (slab === undefined || ends === undefined) return undefined
    const count = this.#shortEnough(slab, ends, Math.min(max, this.#known))
    if (count === 0) return undefined
    const isLast = this.#isOpen && count === this.#known
    const [last = 0] = new Uint32Array(ends.buffer, this.#endsAt + (count - 1) * U32, 1)
    const end = isLast ? last - 1 : last
    const segment = this.#make(format, slab, ends, this.#start, end, count, { line: this.#line, lineAt: this.#lineAt })
    this.#start = end
    return segment
  }

  /** How many of the next records come before one that is too long. */
  #shortEnough(bytes: Slab, { buffer }: Slab, count: number): number {
    const ends = new Uint32Array(buffer, this.#endsAt, count)
    let start = this.#start
    if ((ends[count - 1] ?? 0) - start <= this.#maxLength) return count
    for (const [index, end] of ends.entries()) {
      if (this.#isLong(bytes.buffer, start, end)) {
        this.#isTooLong = index === 0
        return index
      }
      start = end
    }
    return count
  }

  /** Whether a record is longer than it may be. What stands before it, and its end, are not counted. */
  #isLong(memory: SharedArrayBuffer, start: number, end: number): boolean {
    if (end - 1 - start <= this.#maxLength) return false
    const bytes = Buffer.from(memory, start, end - 1 - start)
    const hasReturn = bytes.at(-1) === CARRIAGE_RETURN
    return bytes.length - this.#spacesBefore(bytes) - (hasReturn ? 1 : 0) > this.#maxLength
  }

  /** How many bytes at the beginning belong to no record. */
  #spacesBefore(bytes: Buffer): number {
    return this.#splitter.contentStart?.(bytes, 0, bytes.length) ?? 0
  }

  #make(
    format: RecordFormat,
    slab: Slab,
    ends: Slab,
    start: number,
    end: number,
    count: number,
    { line, lineAt }: { readonly line: number; readonly lineAt: number },
  ): HeldSegment {
    slab.retain()
    ends.retain()
    const segment: HeldSegment = {
      format,
      memory: slab.buffer,
      start,
      end,
      ends: ends.buffer,
      endsAt: this.#endsAt,
      count,
      isAscii: this.#isAscii,
      hasReturns: this.#hasReturns,
      isOpen: this.#isOpen && count === this.#known,
      file: this.#file,
      record: this.#record,
      offset: this.#offset,
      line,
      lineAt,
      bytesIn: slab,
      endsIn: ends,
    }
    this.#record += count
    this.#offset += end - start
    this.#endsAt += count * U32
    this.#known -= count
    return segment
  }

  /** Room for `length` bytes behind the beginning of a record. */
  #makeRoom(length: number): Slab {
    const before = this.#copies
    if (before !== undefined && this.#copied + length <= before.start + before.size) return before
    const copies = Slab.take(Math.max(BLOCK_SIZE, 2 * this.#head + length))
    const head = before === undefined ? 0 : this.#head
    if (before !== undefined && head > 0) {
      const bytes = Buffer.from(before.buffer, this.#copied - head, head)
      Buffer.from(copies.buffer).fill(bytes, copies.start, copies.start + head)
    }
    before?.release()
    this.#copies = copies
    this.#copied = copies.start + head
    return copies
  }

  /** Not by `copy()`: where memory is shared that goes byte by byte, unless source and target happen to be aligned alike. */
  #append(copies: Slab, bytes: Buffer): void {
    if (bytes.length > 0) Buffer.from(copies.buffer).fill(bytes, this.#copied, this.#copied + bytes.length)
    this.#copied += bytes.length
  }

  #newlines({ buffer }: Slab, from: number, to: number): number {
    return newlinesIn(buffer, from, to, this.#splitter.newline)
  }
}
