/** Makes values of records of JSON. */
import { RecordError } from '../../errors.js'
import type { JsonFormat, RecordDecoder, RecordSegment } from './format.js'
import { LineDecoder } from './line-decoder.js'
import { placeIn } from './place.js'
import { recordError } from './record-error.js'

/** One byte ends a record; JSON ignores a `\r` and empty lines around a value. */
const NO_DELIMITER = Uint8Array.of(0)

export class JsonDecoder implements RecordDecoder {
  readonly #texts: LineDecoder
  #segment: RecordSegment | undefined
  /** The number of the next record in the segment. */
  #next = 0

  constructor({ encoding }: JsonFormat) {
    this.#texts = new LineDecoder({ encoding, delimiter: NO_DELIMITER })
  }

  feed(segment: RecordSegment): void {
    this.#texts.feed(segment)
    this.#segment = segment
    this.#next = 0
  }

  next(): unknown {
    const text = this.#texts.next()
    if (text === undefined) return undefined
    this.#next++
    try {
      return JSON.parse(text)
    } catch {
      throw this.#errorOf(text)
    }
  }

  skip(): boolean {
    this.#next++
    return this.#texts.skip()
  }

  clear(): void {
    this.#texts.clear()
    this.#segment = undefined
  }

  #errorOf(text: string): unknown {
    const cause = parseError(text)
    if (this.#segment === undefined || !(cause instanceof Error)) return cause
    const place = placeIn(this.#segment, this.#next - 1)
    // The first line of a document that has many. An element of an array always has both its brackets.
    const cure = /^\s*[[{]\s*$/.test(text) ? ' (for an array over several lines: json())' : ''
    return recordError(place, 'ERR_JSON', `it must be JSON: ${cause.message}${cure}`, { cause }) satisfies RecordError
  }
}

/** The error of the text alone: white space before it may belong to no record, and depends on how the input was cut. */
function parseError(text: string): unknown {
  let start = 0
  let end = text.length
  while (start < end && SPACES.includes(text.charAt(start))) start++
  while (start < end && SPACES.includes(text.charAt(end - 1))) end--
  try {
    return JSON.parse(text.slice(start, end))
  } catch (error) {
    return error
  }
}

const SPACES = ' \t\r\n'
