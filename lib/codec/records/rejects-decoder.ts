/** Makes the items of a file of failed items again: as they were, or of the text of a record that could not be read. */
import { rowReader } from './csv-row.js'
import { fixedReader } from './fixed-row.js'
import type { CsvFormat, FixedFormat, RecordDecoder, RecordFormat, RecordSegment, RejectsFormat } from './format.js'
import { JsonDecoder } from './json-decoder.js'
import { JsonFault, jsonValue } from './json-value.js'
import { placedFault, RecordFault } from './record-fault.js'

/** A line, as far as it is known. */
interface Line {
  readonly item?: unknown
  readonly raw?: unknown
  readonly format?: RecordFormat
  readonly shown?: string
}

export class RejectsDecoder implements RecordDecoder {
  readonly #lines: JsonDecoder
  #segment: RecordSegment | undefined
  #next = 0

  constructor({ encoding }: RejectsFormat) {
    this.#lines = new JsonDecoder({ kind: 'json', encoding })
  }

  feed(segment: RecordSegment): void {
    this.#lines.feed(segment)
    this.#segment = segment
    this.#next = 0
  }

  next(): unknown {
    const next = this.#next++
    const line = this.#lines.next()
    if (line === undefined) return undefined
    try {
      return itemOf(line)
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

function itemOf(line: unknown): unknown {
  const { item, raw, format, shown } = Object(line) as Line
  if (item !== undefined) return item
  if (shown !== undefined)
    throw fault(`its item could not be written as JSON, so it cannot be read again: it was ${shown}`)
  if (typeof raw !== 'string') throw fault(`it must be a line that rejects() has written, with 'item' or 'raw'`)
  if (format?.kind === 'csv') return rowOf(raw, format)
  if (format?.kind === 'fixed') return fixedRowOf(raw, format)
  if (format?.kind !== 'json') return raw
  try {
    return jsonValue(raw, format)
  } catch (error) {
    throw error instanceof JsonFault ? fault(`its text ${error.reason}`) : error
  }
}

function rowOf(raw: string, given: CsvFormat): unknown {
  const { dialect, types, wanted } = given as Partial<CsvFormat>
  if (dialect === undefined || !Array.isArray(types) || !Array.isArray(wanted)) throw fault(INCOMPLETE)
  // JSON has no undefined.
  const format = { ...given, types: given.types.map((type) => type ?? undefined) }
  const bytes = Buffer.from(raw)
  return rowReader(format)(bytes, 0, bytes.length, true, (start, end) => bytes.toString('utf8', start, end))
}

function fixedRowOf(raw: string, given: FixedFormat): unknown {
  const { names, starts, ends, types } = given as Partial<FixedFormat>
  if (![names, starts, ends, types].every(Array.isArray)) throw fault(INCOMPLETE)
  return fixedReader({ ...given, types: given.types.map((type) => type ?? undefined) }).ofText(raw)
}

const INCOMPLETE = "its 'format' must be whole"

function fault(reason: string): RecordFault {
  return new RecordFault('ERR_JSON', reason)
}
