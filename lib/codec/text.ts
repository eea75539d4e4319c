/**
 * Strings, joined into segments that cross to another thread at the cost of one string each, and cut again there.
 *
 * V8 does not copy what is cut out of a string, from 13 characters on: it keeps a reference to the whole. So a string
 * that is kept keeps its segment alive, and segments are short. A character that needs two bytes widens only its own
 * segment.
 */
import type { TextColumn } from './column.js'

/** The most characters of a segment, and so the longest string that is joined to others. */
export const MAX_SEGMENT_LENGTH = 1024
/** In the place of a length: the string is the one before it, as methods and users of a log often are. */
const SAME = 0xffff
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
  #last: unknown

  constructor(capacity: number) {
    this.#lengths = new Uint16Array(capacity)
  }

  take(values: readonly unknown[], from: number): number {
    const lengths = this.#lengths
    const shift = this.#length - from
    let segment = this.#open
    let last = this.#last
    let same = 0
    let compares = true
    let at = from
    for (; at < values.length; at++) {
      const value = values[at]
      if (typeof value !== 'string') break
      if (compares && value === last) {
        lengths[at + shift] = SAME
        same++
        continue
      }
      const { length } = value
      if (length > MAX_SEGMENT_LENGTH) break
      last = value
      if (compares && at - from >= MIN_COMPARED) compares = same >= (at - from) * MIN_SAME_SHARE
      lengths[at + shift] = length
      if (segment.length + length > MAX_SEGMENT_LENGTH) {
        this.#segments.push(segment)
        segment = value
      } else {
        segment += value
      }
    }
    this.#open = segment
    this.#last = last
    this.#length = at + shift
    return at
  }

  column(): TextColumn {
    const lengths = this.#length < this.#lengths.length ? this.#lengths.slice(0, this.#length) : this.#lengths
    return { kind: 'text', lengths, segments: [...this.#segments, this.#open] }
  }
}

export function decodeText({ lengths, segments }: TextColumn): string[] {
  const strings = new Array<string>(lengths.length)
  let next = 0
  let segment = ''
  let start = 0
  for (let at = 0; at < lengths.length; at++) {
    const length = lengths[at] ?? 0
    if (length === SAME) {
      strings[at] = strings[at - 1] ?? ''
      continue
    }
    if (start + length > segment.length) {
      // No string spans two segments.
      segment = segments[next++] ?? ''
      start = 0
    }
    strings[at] = segment.slice(start, (start += length))
  }
  return strings
}
