/** Makes rows of lines whose fields are at fixed places. */
import { CARRIAGE_RETURN, NEWLINE } from '../line-end.js'
import { fixedReader, type FixedReader } from './fixed-row.js'
import type { FixedFormat, RecordDecoder, RecordSegment } from './format.js'
import { LineDecoder } from './line-decoder.js'
import { placedFault } from './record-fault.js'

export class FixedDecoder implements RecordDecoder {
  readonly #lines: LineDecoder
  readonly #reader: FixedReader
  #segment: RecordSegment | undefined
  /** The number of the next record in the segment. */
  #next = 0

  constructor(format: FixedFormat) {
    this.#lines = new LineDecoder({ encoding: format.inBytes ? 'latin1' : format.encoding })
    this.#reader = fixedReader(format)
  }

  feed(segment: RecordSegment): void {
    this.#lines.feed(segment)
    this.#segment = segment
    this.#next = 0
  }

  next(): unknown {
    const line = this.#lines.next()
    if (line === undefined) return undefined
    const next = this.#next++
    try {
      return this.#reader.ofLine(withoutEmpty(line))
    } catch (error) {
      throw placedFault(error, this.#segment, next)
    }
  }

  skip(): boolean {
    this.#next++
    return this.#lines.skip()
  }

  clear(): void {
    this.#lines.clear()
    this.#segment = undefined
  }
}

/** Empty lines before a record belong to none. */
function withoutEmpty(line: string): string {
  let start = 0
  while (isLineEnd(line.charCodeAt(start))) start++
  return start === 0 ? line : line.slice(start)
}

function isLineEnd(code: number): boolean {
  return code === NEWLINE || code === CARRIAGE_RETURN
}
