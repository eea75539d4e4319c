/** Reads the bytes of a message. Each call gives what it says, or throws a `WireError`: nothing is read past the end. */
import { isUtf8 } from 'node:buffer'
import { ExpressionBudget } from './expressions.js'
import { MAX_OBJECTS, TEXT } from './format.js'
import { WireError } from './wire-error.js'

/** Longer strings are decoded by Node: a call of it costs more than some units. */
const SHORT = 12

/** Node's decoders, which its types leave out. */
interface Decoders {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  ucs2Slice(start: number, end: number): string
}

interface Numbers<T> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
}

export class ByteReader {
  readonly #bytes: Buffer & Decoders
  readonly #view: DataView
  readonly #end: number
  #at = 0
  #objects = 0
  readonly expressions: ExpressionBudget = new ExpressionBudget()

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength) as Buffer & Decoders
    this.#view = new DataView(buffer, byteOffset, byteLength)
    this.#end = byteLength
  }

  get position(): number {
    return this.#at
  }

  get left(): number {
    return this.#end - this.#at
  }

  fault(text: string): WireError {
    return new WireError(text, this.#at)
  }

  /** Throws unless everything has been read. */
  assertEnd(): void {
    if (this.#at !== this.#end) throw this.fault(`${this.left} bytes follow its end`)
  }

  /** Checks that as many things can follow, if each takes at least one byte. */
  assertLeft(count: number): void {
    if (count > this.#end - this.#at) throw this.fault(`${count} are to follow, and ${this.left} bytes are left`)
  }

  /** Counts objects that the message makes. */
  countObjects(count: number): void {
    this.#objects += count
    if (this.#objects > MAX_OBJECTS) throw this.fault(`it holds more than ${MAX_OBJECTS} objects`)
  }

  u8(): number {
    if (this.#at >= this.#end) throw this.fault('it ends too early')
    return this.#bytes[this.#at++] ?? 0
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  varint(): number {
    let byte = this.u8()
    if (byte < 0x80) return byte
    let value = byte - 0x80
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = this.u8()
      if (byte === 0) throw this.fault('an integer is longer than needed')
      value += (byte & 0x7f) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw this.fault('an integer is too large')
    }
    return value
  }

  /** How many things follow, each of which takes at least one byte. */
  count(): number {
    const count = this.varint()
    this.assertLeft(count)
    return count
  }

  /** A small number; a fault if it is above `most`. */
  choice(what: string, most: number): number {
    const value = this.u8()
    if (value > most) throw this.fault(`there is no ${what} ${value}`)
    return value
  }

  pad(size: number): void {
    this.zeros((size - (this.#at % size)) % size)
  }

  zeros(count: number): void {
    const start = this.#take(count)
    for (let at = start; at < start + count; at++) if (this.#bytes[at] !== 0) throw this.fault('padding is not zero')
  }

  /** The next bytes: a view of the message, unless it is copied. */
  raw(length: number): Buffer {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  bytes(): Buffer {
    return this.raw(this.varint())
  }

  /** A typed array, aligned: a view of the message where the message is aligned, too. */
  array<T>(Type: Numbers<T>, length: number): T {
    const size = Type.BYTES_PER_ELEMENT
    this.pad(size)
    const bytes = this.raw(length * size)
    if (bytes.byteOffset % size === 0) return new Type(bytes.buffer, bytes.byteOffset, length)
    return new Type(new Uint8Array(bytes).buffer, 0, length)
  }

  string(): string {
    const header = this.varint()
    const form = header % 4
    const length = (header - form) / 4
    const start = this.#take(length)
    switch (form) {
      case TEXT.latin1:
        return length < SHORT ? this.#short(start, length) : this.#bytes.latin1Slice(start, start + length)
      case TEXT.utf8:
        if (!isUtf8(this.#bytes.subarray(start, start + length))) throw this.fault('a text is not UTF-8')
        return this.#bytes.utf8Slice(start, start + length)
      case TEXT.utf16:
        if (length % 2 === 1) throw this.fault('half a character is missing')
        return this.#bytes.ucs2Slice(start, start + length)
      default:
        throw this.fault('a text is in no known form')
    }
  }

  /** Strings of which no two are equal. */
  distinctStrings(count: number): string[] {
    this.assertLeft(count)
    const strings: string[] = []
    for (let at = 0; at < count; at++) strings.push(this.string())
    if (count > 1 && new Set(strings).size !== count) throw this.fault('a key stands twice')
    return strings
  }

  #short(start: number, length: number): string {
    let text = ''
    for (let at = start; at < start + length; at++) text += String.fromCharCode(this.#bytes[at] ?? 0)
    return text
  }

  #take(length: number): number {
    const start = this.#at
    if (length > this.#end - start) throw this.fault(`${length} bytes are to follow, and ${this.left} are left`)
    this.#at = start + length
    return start
  }
}
