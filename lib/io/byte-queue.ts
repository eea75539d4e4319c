/** The bytes of an input, taken piece by piece: looked at first, then consumed. It counts what was consumed. */
import { NO_BYTES } from '../codec/line-end.js'
import type { Reader } from './source.js'

export class ByteQueue {
  readonly #input: Reader<Buffer>
  #block: Buffer = NO_BYTES
  #consumed: number

  /** @param offset Where in the input its first byte stands. */
  constructor(input: Reader<Buffer>, offset = 0) {
    this.#input = input
    this.#consumed = offset
  }

  /** Where in the input the next byte stands. */
  get offset(): number {
    return this.#consumed
  }

  /** The next bytes, at least one; undefined at the end. They are valid until they are consumed. */
  async peek(): Promise<Buffer | undefined> {
    while (this.#block.length === 0) {
      const result = await this.#input.next()
      if (result.done) return undefined
      this.#block = result.value
    }
    return this.#block
  }

  /** Steps over bytes that `peek()` has given. */
  consume(length: number): void {
    this.#block = this.#block.subarray(length)
    this.#consumed += length
  }

  /** Copies the next `length` bytes, or fewer at the end. */
  async take(length: number): Promise<Buffer> {
    const taken: Buffer[] = []
    for (let missing = length; missing > 0;) {
      const block = await this.peek()
      if (block === undefined) break
      const piece = Buffer.from(block.subarray(0, missing))
      this.consume(piece.length)
      taken.push(piece)
      missing -= piece.length
    }
    return Buffer.concat(taken)
  }

  /** Steps over the next bytes up to a zero, which is included, and shows them. Whether there was a zero. */
  async skipString(see: (bytes: Buffer) => void): Promise<boolean> {
    for (let block = await this.peek(); block !== undefined; block = await this.peek()) {
      const zero = block.indexOf(0)
      const length = zero < 0 ? block.length : zero + 1
      see(block.subarray(0, length))
      this.consume(length)
      if (zero >= 0) return true
    }
    return false
  }

  /** Steps over zeros. */
  async skipZeros(): Promise<void> {
    for (let block = await this.peek(); block !== undefined; block = await this.peek()) {
      let zeros = 0
      while (block[zeros] === 0) zeros++
      this.consume(zeros)
      if (zeros < block.length) return
    }
  }

  close(): unknown {
    return this.#input.close()
  }
}
