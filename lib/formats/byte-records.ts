/** Collects records as bytes. Simple ones are written as bytes. Others are collected as text, which becomes bytes later. */
import { NO_ROOM, type RecordSource } from './record-source.js'
import { MAX_BYTES_PER_UNIT } from './utf8.js'

/** Bytes that are kept from one batch to the next. */
const MIN_SIZE = 64 * 1024
const MAX_KEPT_SIZE = 4 * 1024 * 1024
/** Text becomes bytes when it is this long, in UTF-16 units. */
const MAX_TEXT_LENGTH = 64 * 1024

export class ByteRecords {
  readonly #source: RecordSource
  #bytes: Buffer = Buffer.allocUnsafeSlow(MIN_SIZE)
  /** Bytes of records. Behind them is room for the text. */
  #length = 0
  /** How many records are bytes. The others are text. */
  #written = 0
  #text = ''
  /** Where records end: in the bytes, or in the text. */
  #ends: number[] = []
  /** The record that is not added yet: text, or bytes behind the room for the text. */
  #next: string | undefined
  #nextStart = 0
  #nextEnd = 0
  #hasBegun = false

  constructor(source: RecordSource) {
    this.#source = source
  }

  /** How many records it has. */
  get count(): number {
    return this.#ends.length
  }

  /** How long they are, in bytes. Those of text count as UTF-16 units. */
  get length(): number {
    return this.#length + this.#text.length
  }

  /** Formats a value. It is a record of the collection once `add()` is called. Throws an `OutputError`. */
  format(value: unknown, index: number): void {
    const source = this.#source
    if (!this.#hasBegun) source.begin()
    this.#hasBegun = true
    const start = this.#length + MAX_BYTES_PER_UNIT * this.#text.length
    let end = source.write(value, this.#bytes, start)
    while (end === NO_ROOM) {
      this.#grow(2 * this.#bytes.length)
      end = source.write(value, this.#bytes, start)
    }
    this.#next = end < 0 ? source.textOf(value, index) : undefined
    this.#nextStart = start
    this.#nextEnd = end
  }

  /** Adds the record that was formatted last. */
  add(): void {
    if (this.#next !== undefined) {
      this.#text += this.#next
      this.#ends.push(this.#text.length)
      if (this.#text.length >= MAX_TEXT_LENGTH) this.#writeText()
      return
    }
    if (this.#text !== '') {
      this.#writeText()
      this.#bytes.copyWithin(this.#length, this.#nextStart, this.#nextEnd)
    }
    this.#length += this.#nextEnd - this.#nextStart
    this.#written = this.#ends.push(this.#length)
  }

  /** Adds an empty record in the place of an item that has failed. */
  addNothing(): void {
    if (this.#text !== '') this.#ends.push(this.#text.length)
    else this.#written = this.#ends.push(this.#length)
  }

  /** Forgets the records from number `count` on. */
  truncate(count: number): void {
    this.#writeText()
    this.#ends.length = this.#written = count
    this.#length = this.#ends[count - 1] ?? 0
  }

  /** The records, and where each one ends. After that it has none. */
  take(): { readonly bytes: Uint8Array; readonly ends: readonly number[] } {
    this.#writeText()
    // A copy in memory that belongs to nothing else, so it can be transferred.
    const taken = { bytes: new Uint8Array(this.#bytes.subarray(0, this.#length)), ends: this.#ends }
    this.#ends = []
    this.#length = this.#written = 0
    this.#hasBegun = false
    if (this.#bytes.length > MAX_KEPT_SIZE) this.#bytes = Buffer.allocUnsafeSlow(MIN_SIZE)
    return taken
  }

  #writeText(): void {
    if (this.#text === '') return
    const start = this.#length
    const size = Buffer.byteLength(this.#text)
    if (start + size > this.#bytes.length) this.#grow(Math.max(start + size, 2 * this.#bytes.length))
    this.#bytes.write(this.#text, start)
    this.#length += size
    if (size === this.#text.length) this.#placeEnds((end) => start + end)
    else this.#placeEnds(byteCounter(this.#bytes, start))
    this.#text = ''
  }

  /** The records of the text are bytes now. @param place Gives their ends in these. */
  #placeEnds(place: (end: number) => number): void {
    for (; this.#written < this.#ends.length; this.#written++)
      this.#ends[this.#written] = place(this.#ends[this.#written] ?? 0)
  }

  #grow(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(size)
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }
}

/**
 * A function that turns a position in a text, in UTF-16 units, into that in its bytes, from `start` on. Each one is at or
 * behind the one before. A byte that continues a character is no unit, and a character of four bytes is two.
 */
function byteCounter(bytes: Uint8Array, start: number): (end: number) => number {
  let at = start
  let units = 0
  return (end) => {
    while (units < end) {
      const byte = bytes[at] ?? 0
      const width = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
      at += width
      units += width === 4 ? 2 : 1
    }
    return at
  }
}
