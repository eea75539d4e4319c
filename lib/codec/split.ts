/**
 * Splitting bytes into the strings of their lines, alike on every thread: lines end with `\n` or `\r\n`, the last may lack
 * its end. It knows no source, no limits and no errors: what must not be given is found before (io/bad-line.ts).
 */
import { isAscii } from 'node:buffer'

export type Encoding = 'utf8' | 'latin1'

const NEWLINE = 10
const CARRIAGE_RETURN = 13

/** Node's decoders, which its types leave out. `toString` is a tenth slower: it looks them up again for every line. */
interface Decoders {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}
type Block = Buffer & Decoders

const NOTHING = Buffer.alloc(0) as Block

/** Gives the lines of one block after the other, each decoded when it is asked for. */
export class LineSplitter {
  readonly #encoding: Encoding
  #block = NOTHING
  #start = 0
  #isSingleByte = true

  constructor(encoding: Encoding) {
    this.#encoding = encoding
  }

  /** Takes the next whole lines, once `next()` has given all of the last. */
  feed(block: Buffer): void {
    this.#block = block as Block
    this.#start = 0
    // Most blocks are ASCII, where the faster decoder gives the same strings.
    this.#isSingleByte = this.#encoding === 'latin1' || isAscii(block)
  }

  /** The next line; undefined at the end of the block. */
  next(): string | undefined {
    const block = this.#block
    const start = this.#start
    if (start >= block.length) return undefined
    const newline = block.indexOf(NEWLINE, start)
    let end = newline
    if (newline < 0) end = block.length
    else if (newline > start && block[newline - 1] === CARRIAGE_RETURN) end--
    this.#start = newline < 0 ? end : newline + 1
    // Decoded one by one: a slice of the decoded block would keep all of it alive for as long as one line is.
    return this.#isSingleByte ? block.latin1Slice(start, end) : block.utf8Slice(start, end)
  }
}

/** Where the line that begins at `start` ends, its line end included. */
export function lineEnd(block: Buffer, start: number): number {
  const newline = block.indexOf(NEWLINE, start)
  return newline < 0 ? block.length : newline + 1
}

/** Whether the bytes end with a line's end, so that what follows them is another line. */
export function endsLine(block: Buffer): boolean {
  return block[block.length - 1] === NEWLINE
}
