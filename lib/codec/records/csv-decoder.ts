/**
 * Makes rows of records of CSV. Pieces of records are copied to where the kernel finds the fields of all of them. Their
 * text is decoded at once, and rows are slices of it. Records that are not so simple are split one by one.
 */
import { isUtf8 } from 'node:buffer'
import { BLOCK_SIZE, Slab } from '../../scan/memory.js'
import { findFields, POSITION, STEP_SIZE, textPositions, type FieldsFound } from '../../scan/quoted.js'
import { CARRIAGE_RETURN, NEWLINE } from '../line-end.js'
import { decoderOf, isSingleByte, type Decode } from '../line-text.js'
import { memoryOf, type Memory } from '../memory.js'
import { typeFault } from './csv-fault.js'
import { rowReader, type ReadRow } from './csv-row.js'
import { rowBuilder, type BuildRow, type Text } from './csv-rows.js'
import { ConversionError } from './csv-types.js'
import type { CsvFormat, RecordDecoder, RecordSegment } from './format.js'
import { placedFault } from './record-fault.js'

/** Bytes that are decoded at once. A string that is kept keeps this much alive. */
const PIECE_SIZE = 8 * 1024
const NO_ENDS = new Uint32Array(0)

const NO_POSITIONS: Int32Array = new Int32Array(0)

export class CsvDecoder implements RecordDecoder {
  readonly #format: CsvFormat
  readonly #decode: Decode | undefined
  #segment: RecordSegment | undefined
  #ends: Uint32Array = NO_ENDS
  /** The number of the next record in the segment, and where it begins. */
  #next = 0
  #start = 0
  /** The records up to this one are in the piece. */
  #pieceEnd = 0
  /** What is added to a position in the piece to have that in the segment. */
  #shift = 0
  /** Room for the bytes of the piece, and for where its fields end: undefined if its records are to be split one by one. */
  #slab: Slab | undefined
  #numbers: Slab | undefined
  #fields: Int32Array | undefined
  /** The same as positions in the text. */
  #positions = NO_POSITIONS
  #field = 0
  #hasReturns = false
  #text: Text = ''
  #build: BuildRow | undefined
  readonly #builders = new Map<string, BuildRow>()
  readonly #readRow: ReadRow

  constructor(format: CsvFormat) {
    this.#format = format
    this.#decode = decoderOf(format.encoding)
    this.#readRow = rowReader(format)
  }

  feed(segment: RecordSegment): void {
    this.#segment = segment
    this.#ends = new Uint32Array(segment.ends, segment.endsAt, segment.count)
    this.#next = this.#pieceEnd = 0
    this.#start = segment.start
  }

  next(): unknown {
    const next = this.#next
    const end = this.#ends[next]
    if (end === undefined) return undefined
    if (next >= this.#pieceEnd) this.#beginPiece(next)
    const start = this.#start
    this.#next = next + 1
    this.#start = end
    const fields = this.#fields
    const build = this.#build
    if (fields !== undefined && build !== undefined) {
      const first = this.#field
      const last = first + this.#format.width - 1
      // Where the record ends, in the piece.
      const bytesEnd = end - 1 - this.#shift
      const positions = this.#positions
      const textStart = first === 0 ? 0 : ((positions[first - 1] ?? 0) & POSITION) + 1
      if (((fields[last] ?? -1) & POSITION) === bytesEnd && !this.#isSkipped(this.#text.charCodeAt(textStart))) {
        this.#field = last + 1
        let textEnd = (positions[last] ?? 0) & POSITION
        if (this.#hasReturns && this.#isReturn(next, textStart, textEnd)) textEnd--
        try {
          return build(this.#text, positions, first, textStart, textEnd)
        } catch (error) {
          throw this.#errorOf(next, error)
        }
      }
      this.#skipFields(fields, bytesEnd)
    }
    return this.#splitOne(next, start, end - 1)
  }

  skip(): boolean {
    const next = this.#next
    const end = this.#ends[next]
    if (end === undefined) return false
    if (next < this.#pieceEnd && this.#fields !== undefined) this.#skipFields(this.#fields, end - 1 - this.#shift)
    this.#next = next + 1
    this.#start = end
    return true
  }

  clear(): void {
    this.#segment = undefined
    this.#ends = NO_ENDS
    this.#next = this.#pieceEnd = 0
    this.#fields = undefined
    this.#positions = NO_POSITIONS
    this.#text = ''
    this.#slab?.release()
    this.#numbers?.release()
    this.#slab = this.#numbers = undefined
  }

  /** Whether a byte may begin a line that is left out. Such lines count as fields: then the record is not so simple. */
  #isSkipped(byte: number): boolean {
    const { comment, skipEmpty } = this.#format.dialect
    return byte === comment || (skipEmpty && (byte === NEWLINE || byte === CARRIAGE_RETURN))
  }

  /** Whether the last field of a record has a `\r` that belongs to the end of the record. */
  #isReturn(record: number, start: number, end: number): boolean {
    return end > start && this.#text.charCodeAt(end - 1) === CARRIAGE_RETURN && !this.#isLastOpen(record)
  }

  #isLastOpen(record: number): boolean {
    return this.#segment?.isOpen === true && record === this.#ends.length - 1
  }

  /** The piece that begins with a record: as many whole records as fit, at least one. */
  #beginPiece(first: number): void {
    const segment = this.#segment
    if (segment === undefined) return
    const ends = this.#ends
    const start = this.#start
    let last = first
    while (last + 1 < ends.length && (ends[last + 1] ?? 0) - start <= PIECE_SIZE) last++
    const length = (ends[last] ?? start) - start
    this.#pieceEnd = last + 1
    this.#fields = undefined
    const slab = (this.#slab ??= Slab.take(PIECE_SIZE + STEP_SIZE))
    // A record that is so long is split where it stands.
    if (length + STEP_SIZE > slab.size) return
    const { dialect } = this.#format
    const isOpen = this.#isLastOpen(last)
    const bytes = memoryOf(slab.buffer, slab.start, slab.size)
    const copied = isOpen ? length - 1 : length
    // Not `copy()`: where memory is shared that goes byte by byte, unless source and target happen to be aligned alike.
    bytes.fill(Buffer.from(segment.memory, start, copied), 0, copied)
    if (isOpen) {
      // A `\r` there would become part of a line end.
      if (bytes[copied - 1] === CARRIAGE_RETURN) return
      bytes[copied] = dialect.newline
    }
    const numbers = (this.#numbers ??= Slab.take(BLOCK_SIZE))
    const room = { slab: numbers, at: numbers.start }
    const found = findFields(slab, slab.start, slab.start + length, dialect, room)
    if (found === undefined) return
    this.#shift = start
    this.#fields = this.#positions = new Int32Array(numbers.buffer, numbers.start, found.count)
    this.#field = 0
    this.#hasReturns = found.hasReturns
    this.#text = this.#textOf(bytes, length, found, () =>
      textPositions(slab, slab.start, slab.start + length, found.count, room),
    )
    this.#build = this.#builderFor(typeof this.#text === 'string', found.hasQuotes)
  }

  /** The text of the piece: a string, if positions in it are known. */
  #textOf(bytes: Memory, length: number, { count, isAscii }: FieldsFound, toText: () => number | undefined): Text {
    const { encoding } = this.#format
    if (isAscii || encoding === 'latin1') return bytes.latin1Slice(0, length)
    const encoded = new EncodedText(bytes, this.#decode)
    if (isSingleByte(encoding)) return encoded.slice(0, length)
    const at = encoding === 'utf8' && isUtf8(bytes.subarray(0, length)) ? toText() : undefined
    if (at === undefined || this.#numbers === undefined) return encoded
    this.#positions = new Int32Array(this.#numbers.buffer, at, count)
    return bytes.utf8Slice(0, length)
  }

  /** Each kind has separate code: it stays fast as it meets one kind of text. */
  #builderFor(isString: boolean, hasQuotes: boolean): BuildRow {
    const kind = `${isString ? 'string' : 'bytes'} ${hasQuotes ? 'with quotes' : ''}`
    const build = this.#builders.get(kind) ?? rowBuilder(this.#format, hasQuotes)
    this.#builders.set(kind, build)
    return build
  }

  /** Skips the fields of a record, however many it has. */
  #skipFields(fields: Int32Array, textEnd: number): void {
    while (this.#field < fields.length && ((fields[this.#field] ?? 0) & POSITION) < textEnd) this.#field++
    this.#field++
  }

  /** @param end Where the text of the record ends in the memory of the segment; a `\r` may stand before it. */
  #splitOne(record: number, start: number, end: number): unknown {
    const segment = this.#segment
    if (segment === undefined) return undefined
    const bytes = memoryOf(segment.memory)
    const decode = this.#decode
    const slice =
      this.#format.encoding === 'latin1'
        ? (from: number, to: number) => bytes.latin1Slice(from, to)
        : decode === undefined
          ? (from: number, to: number) => bytes.utf8Slice(from, to)
          : (from: number, to: number) => decode(Uint8Array.prototype.slice.call(bytes, from, to))
    try {
      return this.#readRow(bytes, start, end, this.#isLastOpen(record), slice)
    } catch (error) {
      throw this.#errorOf(record, error)
    }
  }

  /** The same error, with the place of the record. */
  #errorOf(record: number, error: unknown): unknown {
    const fault = error instanceof ConversionError ? typeFault(this.#format, error) : error
    return placedFault(fault, this.#segment, record)
  }
}

/** Bytes in an encoding in which a character may have several: each field is decoded by itself. */
class EncodedText implements Text {
  readonly #bytes: Memory
  readonly #decode: Decode | undefined

  constructor(bytes: Memory, decode: Decode | undefined) {
    this.#bytes = bytes
    this.#decode = decode
  }

  slice(start: number, end: number): string {
    if (this.#decode === undefined) return this.#bytes.utf8Slice(start, end)
    return this.#decode(Uint8Array.prototype.slice.call(this.#bytes, start, end))
  }

  charCodeAt(position: number): number {
    return this.#bytes[position] ?? 0
  }
}
