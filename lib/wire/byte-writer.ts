/** Writes a message into memory that grows. It knows numbers, strings and bytes, and no values. */
import { ExpressionBudget } from './expressions.js'
import { MAX_BODY_LENGTH, MAX_OBJECTS, TEXT } from './format.js'

/** Shorter strings are written unit by unit: a call of Node costs more. Their header is one byte. */
const SHORT = 32
const MAX_VARINT_BYTES = 8
const FIRST_CAPACITY = 1024

/** Thrown where a message would be too large. */
export class TooLargeError extends Error {}

export class ByteWriter {
  #bytes: Buffer
  #view: DataView
  #at: number
  readonly #start: number
  #objects = 0
  readonly expressions: ExpressionBudget = new ExpressionBudget()

  /**
   * @param expected About how many bytes there will be.
   * @param start Where it begins in its memory: a multiple of 8, by which arrays are aligned.
   */
  constructor(expected: number = FIRST_CAPACITY, start = 0) {
    this.#bytes = Buffer.allocUnsafeSlow(start + Math.max(FIRST_CAPACITY, expected))
    this.#view = viewOf(this.#bytes)
    this.#start = this.#at = start
  }

  /** The bytes so far. They are the caller's when nothing more is written. */
  get written(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#start, this.length)
  }

  get length(): number {
    return this.#at - this.#start
  }

  get position(): number {
    return this.#at
  }

  /** Takes back what was written since `position` had this value. */
  rewind(position: number): void {
    this.#at = position
  }

  /** Counts objects of the message. */
  countObjects(count: number): void {
    this.#objects += count
    if (this.#objects > MAX_OBJECTS) throw new TooLargeError(`a message holds at most ${MAX_OBJECTS} objects`)
  }

  u8(value: number): void {
    if (this.#at === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#at++] = value
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#at++] = rest
  }

  /** Zero bytes up to a multiple of `size`. */
  pad(size: number): void {
    this.zeros((size - (this.#at % size)) % size)
  }

  zeros(count: number): void {
    this.#reserve(count)
    this.#bytes.fill(0, this.#at, this.#at + count)
    this.#at += count
  }

  /** Bytes as they are, without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** A typed array, aligned. */
  array(array: Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array): void {
    this.pad(array.BYTES_PER_ELEMENT)
    this.raw(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  string(text: string): void {
    const { length } = text
    if (length < SHORT && this.#short(text)) return
    const size = Buffer.byteLength(text)
    if (size === length) this.#text(text, size, TEXT.latin1, 'latin1')
    else if (isWellFormed(text)) this.#text(text, size, TEXT.utf8, 'utf8')
    else this.#text(text, 2 * length, TEXT.utf16, 'utf16le')
  }

  /** @returns False if a unit takes more than a byte: then nothing was written. */
  #short(text: string): boolean {
    const { length } = text
    this.#reserve(1 + length)
    const bytes = this.#bytes
    const start = this.#at + 1
    for (let at = 0; at < length; at++) {
      const unit = text.charCodeAt(at)
      if (unit > 0xff) return false
      bytes[start + at] = unit
    }
    bytes[this.#at] = 4 * length + TEXT.latin1
    this.#at = start + length
    return true
  }

  #text(text: string, size: number, form: number, encoding: BufferEncoding): void {
    this.#reserve(MAX_VARINT_BYTES + size)
    this.varint(4 * size + form)
    this.#bytes.write(text, this.#at, size, encoding)
    this.#at += size
  }

  #reserve(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow(count)
  }

  #grow(count: number): void {
    const needed = this.#at + count
    if (needed > 2 * MAX_BODY_LENGTH) throw new TooLargeError(`a message holds at most ${MAX_BODY_LENGTH} bytes`)
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, needed))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** Whether each surrogate has its partner. Node 20 has the method; the types of its language version do not. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
