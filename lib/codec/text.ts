/**
 * Strings, joined into segments that cross to another thread at the cost of one string each, and cut again there.
 *
 * V8 does not copy what is cut out of a string, from 13 characters on: it keeps a reference to the whole. So a string
 * that is kept keeps its segment alive, and segments are short. A character that needs two bytes widens only its own
 * segment.
 */
import type { TextColumn } from './column.js'
import { trimmed } from './numbers.js'

/** The most characters of a segment, and so the longest string that is joined to others. */
export const MAX_SEGMENT_LENGTH = 1024
/** In the place of a length: the string is the one before it, as methods and users of a log often are. */
export const SAME = 0xffff
/**
 * Comparing with the string before costs half of what it saves. It continues while this share of at least this many is
 * the same.
 */
const MIN_COMPARED = 32
const MIN_SAME_SHARE = 3 / 4

export class TextGroup {
  readonly #lengths: Uint16Array
  readonly #segments: string[] = []
  #length = 0
  #open = ''
  #last: string | undefined
  #same = 0
  #compares = true

  constructor(capacity: number) {
    this.#lengths = new Uint16Array(capacity)
  }

  take(values: readonly unknown[], from: number): number {
    for (let at = from; at < values.length; at++) {
      const value = values[at]
      if (typeof value !== 'string' || value.length > MAX_SEGMENT_LENGTH) return at
      this.add(value)
    }
    return values.length
  }

  /** @param value Of at most `MAX_SEGMENT_LENGTH` characters. */
  add(value: string): void {
    const at = this.#length++
    if (this.#compares) {
      if (value === this.#last) {
        this.#lengths[at] = SAME
        this.#same++
        return
      }
      this.#last = value
      if (at >= MIN_COMPARED) this.#compares = this.#same >= at * MIN_SAME_SHARE
    }
    const { length } = value
    this.#lengths[at] = length
    if (this.#open.length + length > MAX_SEGMENT_LENGTH) {
      this.#segments.push(this.#open)
      this.#open = value
    } else {
      this.#open += value
    }
  }

  column(): TextColumn {
    return { kind: 'text', lengths: trimmed(this.#lengths, this.#length), segments: [...this.#segments, this.#open] }
  }
}

/** Gives the strings of a column, one after the other. */
export class TextReader {
  readonly #lengths: Uint16Array
  readonly #segments: readonly string[]
  #at = 0
  #segment = ''
  #nextSegment = 0
  #start = 0
  #last = ''

  constructor({ lengths, segments }: TextColumn) {
    this.#lengths = lengths
    this.#segments = segments
  }

  next(): string {
    const length = this.#lengths[this.#at++] ?? 0
    if (length === SAME) return this.#last
    if (this.#start + length > this.#segment.length) {
      // No string spans two segments.
      this.#segment = this.#segments[this.#nextSegment++] ?? ''
      this.#start = 0
    }
    const start = this.#start
    this.#start = start + length
    this.#last = this.#segment.slice(start, start + length)
    return this.#last
  }

  /** All that it has not given. */
  rest(): string[] {
    const strings = new Array<string>(this.#lengths.length - this.#at)
    for (let at = 0; at < strings.length; at++) strings[at] = this.next()
    return strings
  }
}
