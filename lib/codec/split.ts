/** Splits bytes into the strings of their lines, in the same way on every thread. It does not look for bad lines. */
import { isAscii } from 'node:buffer'
import { CARRIAGE_RETURN, LineEnd, NEWLINE, NO_BYTES } from './line-end.js'
import { decoderOf, type Decode } from './line-text.js'

/** How lines are cut and decoded. Can be cloned. */
export interface LineFormat {
  /** `'utf8'`, `'latin1'` (each byte is the character of its number), or an encoding that keeps ASCII bytes. */
  readonly encoding: string
  /** The end of a line; undefined for `\n` or `\r\n`. */
  readonly delimiter?: Uint8Array | undefined
}

/** Node's decoders, which its types leave out. `toString` is a tenth slower: it looks them up again for every line. */
interface Decoders {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}
type Block = Buffer & Decoders

/** Gives the lines of one block after the other, each decoded when it is asked for. */
export class LineSplitter {
  readonly #isLatin1: boolean
  /** Undefined for the default, which is found here: a call less for each line. */
  readonly #end: LineEnd | undefined
  /** Of encodings that a Buffer does not know. */
  readonly #decode: Decode | undefined
  #block = NO_BYTES as Block
  #start = 0
  #isSingleByte = true

  constructor({ encoding, delimiter }: LineFormat) {
    this.#isLatin1 = encoding === 'latin1'
    this.#end = delimiter && new LineEnd(delimiter)
    this.#decode = decoderOf(encoding)
  }

  /** Takes the next whole lines, once `next()` has given all of the last. */
  feed(block: Buffer): void {
    this.#block = block as Block
    this.#start = 0
    // Most blocks are ASCII, where the faster decoder gives the same strings.
    this.#isSingleByte = this.#isLatin1 || isAscii(block)
  }

  next(): string | undefined {
    const block = this.#block
    const start = this.#start
    if (start >= block.length) return undefined
    let end: number
    if (this.#end === undefined) {
      const newline = block.indexOf(NEWLINE, start)
      end = newline
      if (newline < 0) end = block.length
      else if (newline > start && block[newline - 1] === CARRIAGE_RETURN) end--
      this.#start = newline < 0 ? end : newline + 1
    } else {
      const after = this.#end.find(block, start)
      end = after < 0 ? block.length : this.#end.textEnd(block, start, after)
      this.#start = after < 0 ? end : after
    }
    // Decoded one by one: a slice of the decoded block would keep all of it alive for as long as one line is.
    if (this.#isSingleByte) return block.latin1Slice(start, end)
    return this.#decode === undefined ? block.utf8Slice(start, end) : this.#decode(block.subarray(start, end))
  }
}
