/** Cutting bytes into blocks that end where a line ends. It splits and decodes nothing, and knows no source. */
import { NO_BYTES, type LineEnd } from '../codec/line-end.js'

/**
 * Turns blocks of any bytes into blocks of whole lines, holding back the bytes of a line that has no end yet. A line in
 * two blocks becomes a separate block, so that all others are passed on without copying them.
 */
export class LineCutter {
  readonly #lineEnd: LineEnd
  readonly #maxLength: number
  #bytes: Buffer = NO_BYTES
  /** The bytes held back, in larger memory. Of a line that is too long, only enough to show that. */
  #held: Buffer = NO_BYTES
  #length = 0
  /** How many more bytes the line has that are not held, and the last of them, in which its end may begin. */
  #beyond = 0
  #last: Buffer = NO_BYTES
  /** The last bytes of a line that is left out, in which its end may have begun; undefined if none is. */
  #leavingOut: Buffer | undefined
  #ended = false
  #start = 0
  #offset = 0

  constructor(lineEnd: LineEnd, maxLength: number) {
    this.#lineEnd = lineEnd
    this.#maxLength = maxLength
  }

  /** The offset of the last block in the input, in bytes. */
  get start(): number {
    return this.#start
  }

  /** The first bytes are at this offset. */
  startAt(offset: number): void {
    this.#offset = offset
  }

  /** Takes the next bytes. Call it when `next()` has given undefined. */
  feed(bytes: Buffer): void {
    this.#bytes = bytes
  }

  /** No more bytes come: the bytes held back are the last line. */
  end(): void {
    this.#ended = true
  }

  /** Gives whole lines with their ends; undefined if more bytes are needed, or no more come. */
  next(): Buffer | undefined {
    if (this.#ended) return this.#flush()
    if (this.#leavingOut !== undefined && !this.#leaveOut(this.#leavingOut)) return undefined
    const bytes = this.#bytes
    if (this.#length === 0) {
      const cut = this.#lineEnd.findLast(bytes)
      this.#bytes = NO_BYTES
      this.#hold(bytes.subarray(cut))
      return cut === 0 ? undefined : this.#give(bytes.subarray(0, cut), cut)
    }
    const cut = this.#lineEnd.findAcross(this.#held.subarray(0, this.#length), bytes)
    this.#hold(cut < 0 ? bytes : bytes.subarray(0, cut))
    this.#bytes = cut < 0 ? NO_BYTES : bytes.subarray(cut)
    return cut < 0 ? undefined : this.#flush()
  }

  /** Whether the line held back is already longer than `maxLength`. */
  get overflows(): boolean {
    const spare = this.#length - this.#maxLength
    return spare > 0 && (this.#beyond > 0 || spare > this.#lineEnd.begun(this.#held.subarray(0, this.#length)))
  }

  /** Leaves out the line held back, up to its end. */
  leaveOut(): void {
    this.#leavingOut = this.#beyond > 0 ? this.#last : this.#endOf(this.#held.subarray(0, this.#length), NO_BYTES)
    this.#last = NO_BYTES
    this.#offset += this.#length + this.#beyond
    this.#held = NO_BYTES
    this.#length = this.#beyond = 0
  }

  /** Whether the end of the line has come. */
  #leaveOut(last: Buffer): boolean {
    const bytes = this.#bytes
    const cut = this.#lineEnd.findAcross(last, bytes)
    this.#offset += cut < 0 ? bytes.length : cut
    this.#bytes = cut < 0 ? NO_BYTES : bytes.subarray(cut)
    this.#leavingOut = undefined
    if (cut >= 0) return true
    this.#leavingOut = this.#endOf(last, bytes)
    return false
  }

  /** A copy of the last bytes of two buffers, in which a line end may have begun. */
  #endOf(first: Buffer, second: Buffer): Buffer {
    const length = this.#lineEnd.maxLength - 1
    const missing = Math.max(0, length - second.length)
    const end = missing === 0 ? second : Buffer.concat([first.subarray(Math.max(0, first.length - missing)), second])
    return Buffer.from(end.subarray(Math.max(0, end.length - length)))
  }

  #flush(): Buffer | undefined {
    if (this.#length === 0) return undefined
    const last = this.#held.subarray(0, this.#length)
    const length = this.#length + this.#beyond
    this.#held = NO_BYTES
    this.#length = this.#beyond = 0
    return this.#give(last, length)
  }

  #give(block: Buffer, length: number): Buffer {
    this.#start = this.#offset
    this.#offset += length
    return block
  }

  /** Copies the bytes. So a short rest does not keep a whole block alive, and the source may use the block again. */
  #hold(bytes: Buffer): void {
    // A line end more than the line may have, and one byte too many.
    const most = this.#maxLength + this.#lineEnd.maxLength
    const length = Math.min(this.#length + bytes.length, most)
    if (length > this.#held.length) {
      const held = Buffer.allocUnsafeSlow(Math.min(Math.max(length, 2 * this.#held.length), most))
      this.#held.copy(held, 0, 0, this.#length)
      this.#held = held
    }
    const taken = length - this.#length
    if (taken < bytes.length)
      this.#last = this.#endOf(this.#beyond > 0 ? this.#last : this.#held.subarray(0, this.#length), bytes)
    bytes.copy(this.#held, this.#length, 0, taken)
    this.#beyond += bytes.length - taken
    this.#length = length
  }
}
