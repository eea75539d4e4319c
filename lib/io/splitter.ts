/** Splitting blocks of whole lines into strings. Pure: blocks in, lines out; it reads nothing and keeps one block. */
import { isAscii, isUtf8 } from 'node:buffer'
import { LineError } from '../errors.js'

const NEWLINE = 10
const CARRIAGE_RETURN = 13

/** Node's decoders, which its types leave out. `toString` is a tenth slower: it looks them up again for every line. */
interface Decoders {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}
type Block = Buffer & Decoders

const NOTHING = Buffer.alloc(0) as Block

export interface SplitterOptions {
  encoding: 'utf8' | 'latin1'
  maxLength: number
  fatal: boolean
}

/** Gives the lines of one block after the other, each decoded when it is asked for. */
export class LineSplitter {
  readonly #options: SplitterOptions
  #block: Block = NOTHING
  #start = 0
  #isSingleByte = true
  #checksLines = false
  /** How many lines were given. */
  #lines = 0
  /** Where in the input the block begins. */
  #offset: number

  /** `offset` is where in the input the first block begins, in bytes. */
  constructor(options: SplitterOptions, offset = 0) {
    this.#options = options
    this.#offset = offset
  }

  /** Takes the next block, once `next()` has given all lines of the last. */
  feed(block: Buffer): void {
    this.#offset += this.#block.length
    this.#block = block as Block
    this.#start = 0
    // Most blocks are ASCII, where the faster decoder gives the same strings.
    this.#isSingleByte = this.#options.encoding === 'latin1' || isAscii(block)
    this.#checksLines = this.#options.fatal && !this.#isSingleByte && !isUtf8(block)
  }

  /** The next line; undefined at the end of the block. Throws a `LineError` for a line that cannot be given. */
  next(): string | undefined {
    const block = this.#block
    const start = this.#start
    if (start >= block.length) return undefined
    const newline = block.indexOf(NEWLINE, start)
    let end = newline
    if (newline < 0) end = block.length
    else if (newline > start && block[newline - 1] === CARRIAGE_RETURN) end--
    if (end - start > this.#options.maxLength) throw this.#tooLong()
    if (this.#checksLines) this.#check(block.subarray(start, end))
    this.#start = newline < 0 ? end : newline + 1
    this.#lines++
    // Decoded one by one: a slice of the decoded block would keep all of it alive for as long as one line is.
    return this.#isSingleByte ? block.latin1Slice(start, end) : block.utf8Slice(start, end)
  }

  #tooLong(): LineError {
    const line = this.#lines + 1
    const offset = this.#offset + this.#start
    return new LineError(
      `Cannot read line ${line} as it must not be longer than 'maxLength': ` +
        `received more than ${this.#options.maxLength} bytes from byte ${offset} on`,
      'ERR_LINE_TOO_LONG',
      line,
      offset,
    )
  }

  #check(bytes: Buffer): void {
    if (isUtf8(bytes)) return
    const line = this.#lines + 1
    const at = validLength(bytes)
    const offset = this.#offset + this.#start + at
    const byte = bytes.toString('hex', at, at + 1)
    throw new LineError(
      `Cannot read line ${line} as it must be valid UTF-8: received byte 0x${byte} at byte ${offset}`,
      'ERR_INVALID_UTF8',
      line,
      offset,
    )
  }
}

const REPLACEMENT = Buffer.from('\ufffd')

/** How many bytes come before the first invalid one. */
function validLength(bytes: Buffer): number {
  const text = bytes.toString()
  let length = 0
  let from = 0
  for (;;) {
    const at = text.indexOf('\ufffd', from)
    length += Buffer.byteLength(text.slice(from, at))
    // A replacement character that stands in the input is valid.
    if (!bytes.subarray(length, length + REPLACEMENT.length).equals(REPLACEMENT)) return length
    length += REPLACEMENT.length
    from = at + 1
  }
}
