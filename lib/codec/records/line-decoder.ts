/**
 * Decodes lines whose ends are known, in the same way on every thread. It knows no source, limits or errors: io/bad-line.ts finds lines
 * that must not be given.
 */
import { isAscii } from 'node:buffer'
import { CARRIAGE_RETURN, NO_BYTES } from '../line-end.js'
import { decoderOf, type Decode } from '../line-text.js'
import { memoryOf, type Memory } from '../memory.js'
import type { LineFormat, RecordDecoder, RecordSegment } from './format.js'

/**
 * Bytes that are decoded at once. Their lines are slices of one string: V8 makes a slice in half the time of a separate string. The
 * price: a line that is kept keeps this much alive.
 */
const PIECE_SIZE = 2_048

const NO_ENDS = new Uint32Array(0)

/** Gives the lines of one segment after the other, each when it is asked for. */
export class LineDecoder implements RecordDecoder {
  readonly #isLatin1: boolean
  /** Of encodings that a Buffer does not know. */
  readonly #decode: Decode | undefined
  readonly #delimiterLength: number
  readonly #endsWithNewline: boolean
  #memory = NO_BYTES as Memory
  #ends: Uint32Array = NO_ENDS
  /** Which line is next, and where it begins. */
  #next = 0
  #start = 0
  #isAscii = true
  #hasReturns = false
  #isOpen = false
  /** The text of the piece at hand, where each byte is a character; else its lines are decoded one by one. */
  #text: string | undefined
  #textStart = 0
  #pieceEnd = 0

  constructor({ encoding, delimiter }: Omit<LineFormat, 'kind'>) {
    this.#isLatin1 = encoding === 'latin1'
    this.#decode = decoderOf(encoding)
    this.#delimiterLength = delimiter?.length ?? 1
    this.#endsWithNewline = delimiter === undefined
  }

  /** Takes the next segment, once `next()` has given all lines of the last. */
  feed({ memory, start, ends, endsAt, count, isAscii, hasReturns, isOpen }: RecordSegment): void {
    this.#memory = memoryOf(memory)
    this.#ends = new Uint32Array(ends, endsAt, count)
    this.#next = 0
    this.#start = start
    this.#isAscii = isAscii || this.#isLatin1
    this.#hasReturns = hasReturns && this.#endsWithNewline
    this.#isOpen = isOpen
    this.#text = undefined
    this.#pieceEnd = 0
  }

  /** Forgets the lines that it has not given. */
  clear(): void {
    this.#memory = NO_BYTES as Memory
    this.#ends = NO_ENDS
    this.#next = 0
    this.#text = undefined
  }

  skip(): boolean {
    return this.next() !== undefined
  }

  /** The next line; undefined at the end of the segment. */
  next(): string | undefined {
    const next = this.#next
    const start = this.#start
    // Behind the last line it is undefined.
    const end = this.#ends[next]
    if (end === undefined) return undefined
    if (end > this.#pieceEnd) this.#beginPiece(next, start)
    this.#next = next + 1
    this.#start = end
    let textEnd = end - this.#delimiterLength
    if (this.#hasReturns && textEnd > start && this.#memory[textEnd - 1] === CARRIAGE_RETURN && !this.#isLastOpen(next))
      textEnd--
    const text = this.#text
    if (text !== undefined) return text.slice(start - this.#textStart, textEnd - this.#textStart)
    if (this.#decode === undefined) return this.#memory.utf8Slice(start, textEnd)
    // A copy, as not every decoder takes shared memory.
    return this.#decode(Uint8Array.prototype.slice.call(this.#memory, start, textEnd))
  }

  /** A `\r` at the end of such a line is part of it. */
  #isLastOpen(line: number): boolean {
    return this.#isOpen && line === this.#ends.length - 1
  }

  /** The piece that begins with a line: as many whole lines as fit, at least one. */
  #beginPiece(first: number, start: number): void {
    const ends = this.#ends
    let last = first
    while (last + 1 < ends.length && (ends[last + 1] ?? 0) - start <= PIECE_SIZE) last++
    const end = ends[last] ?? start
    this.#pieceEnd = end
    this.#textStart = start
    const textEnd = end - this.#delimiterLength
    const isSingleByte = this.#isAscii || isAscii(this.#memory.subarray(start, textEnd))
    this.#text = isSingleByte ? this.#memory.latin1Slice(start, textEnd) : undefined
  }
}
