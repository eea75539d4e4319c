/** Cutting bytes into blocks that end where a line ends. It splits and decodes nothing, and knows no source. */

const NEWLINE = 10
const CARRIAGE_RETURN = 13
const NOTHING = Buffer.alloc(0)
/** The most bytes held beyond `maxLength`: a line end of two, or a `\r` that may begin one and a byte too many. */
const BEYOND = 2

/**
 * Turns blocks of any bytes into blocks of whole lines, holding back the bytes of a line that has no end yet. A line in
 * two blocks becomes a block of its own, so that all others are passed on without copying them.
 */
export class LineCutter {
  readonly #maxLength: number
  #bytes: Buffer = NOTHING
  #held: Buffer = NOTHING
  #length = 0
  #ended = false

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  /** Takes the next bytes, once `next()` has given all that can be given of the last. */
  feed(bytes: Buffer): void {
    this.#bytes = bytes
  }

  /** No more bytes come: what is held back is the last line. */
  end(): void {
    this.#ended = true
  }

  /** Gives lines that are whole, with their ends; undefined if more bytes are needed, or no more come. */
  next(): Buffer | undefined {
    const bytes = this.#bytes
    if (this.#ended) return this.#flush()
    if (this.#length === 0) {
      const cut = bytes.lastIndexOf(NEWLINE) + 1
      this.#bytes = NOTHING
      this.#hold(bytes.subarray(cut))
      return cut === 0 ? undefined : bytes.subarray(0, cut)
    }
    const cut = bytes.indexOf(NEWLINE) + 1
    this.#hold(cut === 0 ? bytes : bytes.subarray(0, cut))
    this.#bytes = cut === 0 ? NOTHING : bytes.subarray(cut)
    return cut === 0 ? undefined : this.#flush()
  }

  /** Whether the line held back is longer than `maxLength` already, whatever follows. */
  get overflows(): boolean {
    const mayEnd = this.#length > 0 && this.#held[this.#length - 1] === CARRIAGE_RETURN
    return this.#length > this.#maxLength + (mayEnd ? 1 : 0)
  }

  #flush(): Buffer | undefined {
    if (this.#length === 0) return undefined
    const last = this.#held.subarray(0, this.#length)
    this.#held = NOTHING
    this.#length = 0
    return last
  }

  /** Copies, so that a short rest does not keep a whole block alive, nor depends on what the source does with it. */
  #hold(bytes: Buffer): void {
    const most = this.#maxLength + BEYOND
    const length = Math.min(this.#length + bytes.length, most)
    if (length > this.#held.length) {
      const held = Buffer.allocUnsafeSlow(Math.min(Math.max(length, 2 * this.#held.length), most))
      this.#held.copy(held, 0, 0, this.#length)
      this.#held = held
    }
    bytes.copy(this.#held, this.#length, 0, length - this.#length)
    this.#length = length
  }
}
