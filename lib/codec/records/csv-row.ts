/** Makes the row of one record of CSV, which stands alone: csv-decoder.ts makes most rows faster. */
import { CARRIAGE_RETURN } from '../line-end.js'
import { quoteFault, typeFault, widthFault } from './csv-fault.js'
import { splitRecord, type Slice } from './csv-record.js'
import { rowMaker } from './csv-rows.js'
import { ConversionError } from './csv-types.js'
import type { CsvFormat } from './format.js'

/**
 * Makes a row of the bytes from `start` up to `end`. Throws a `RecordFault`.
 *
 * @param isOpen Whether the input ends there: a `\r` before that belongs to the record.
 */
export type ReadRow = (bytes: Uint8Array, start: number, end: number, isOpen: boolean, slice: Slice) => unknown

export function rowReader(format: CsvFormat): ReadRow {
  const { dialect, relaxed, pad, width, wanted } = format
  const make = rowMaker(format)
  return (bytes, start, end, isOpen, slice) => {
    const hasReturn = dialect.newline !== CARRIAGE_RETURN && end > start && bytes[end - 1] === CARRIAGE_RETURN
    const textEnd = hasReturn && !isOpen ? end - 1 : end
    const { fields, fault } = splitRecord(bytes, start, textEnd, dialect, relaxed, slice)
    if (fault !== undefined) throw quoteFault(format, fault)
    if (fields.length !== width && !(pad && fields.length < width)) throw widthFault(format, fields.length)
    try {
      return make(wanted.map((field) => fields[field] ?? ''))
    } catch (error) {
      throw error instanceof ConversionError ? typeFault(format, error) : error
    }
  }
}
