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
    } catch (cause) {
      throw this.#errorOf(cause)
    }
  }

  clear(): void {
    this.#texts.clear()
    this.#segment = undefined
  }

  #errorOf(cause: unknown): unknown {
    if (this.#segment === undefined || !(cause instanceof Error)) return cause
    const place = placeIn(this.#segment, this.#next - 1)
    return recordError(place, 'ERR_JSON', `it must be JSON: ${cause.message}`, { cause }) satisfies RecordError
  }
}
