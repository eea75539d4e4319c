/** Makes values of whole records of JSON. */
import type { JsonFormat, RecordDecoder, RecordSegment } from './format.js'
import { jsonValue } from './json-value.js'
import { placedFault } from './record-fault.js'
import { LineDecoder } from './line-decoder.js'

/** One byte ends a record; JSON ignores a `\r` and empty lines around a value. */
const NO_DELIMITER = Uint8Array.of(0)

export class JsonDecoder implements RecordDecoder {
  readonly #format: JsonFormat
  readonly #texts: LineDecoder
  #segment: RecordSegment | undefined
  /** The number of the next record in the segment. */
  #next = 0

  constructor(format: JsonFormat) {
    this.#format = format
    this.#texts = new LineDecoder({ encoding: format.encoding, delimiter: NO_DELIMITER })
  }

  feed(segment: RecordSegment): void {
    this.#texts.feed(segment)
    this.#segment = segment
    this.#next = 0
  }

  next(): unknown {
    const text = this.#texts.next()
    if (text === undefined) return undefined
    const next = this.#next++
    try {
      return jsonValue(text, this.#format)
    } catch (error) {
      throw placedFault(error, this.#segment, next)
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
}
