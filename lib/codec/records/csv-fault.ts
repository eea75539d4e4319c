/** What is wrong with a record of CSV, in words: its place is added where it is known. */
import { received } from '../../errors.js'
import type { QuoteFault } from './csv-record.js'
import type { ConversionError } from './csv-types.js'
import type { CsvFormat } from './format.js'
import { causeOf, RecordFault } from './record-fault.js'

export function quoteFault(format: CsvFormat, { field, kind }: QuoteFault): RecordFault {
  const quote = String.fromCharCode(format.dialect.quote)
  const { names, width } = format
  const delimiter = width === 1 ? delimiterCure(names?.[0]) : ''
  const cure = delimiter || ` (a quote in a field is written as two, in quotes; with quotes: 'relaxed' it is text)`
  const where = nameOf(format, field)
  return new RecordFault(
    'ERR_CSV_QUOTE',
    kind === 'in a field'
      ? `${where} must not have a quote (${quote}) as it is not in quotes${cure}`
      : kind === 'behind a field'
        ? `${where} must end behind its closing quote (${quote})${cure}`
        : `${where} must have a closing quote (${quote})`,
  )
}

export function widthFault({ width, names, pad }: CsvFormat, count: number): RecordFault {
  const like = names === undefined ? 'the first record' : 'the header'
  const padding = count < width && !pad ? " (with ragged: 'pad' missing fields are empty)" : ''
  const cure = width === 1 ? delimiterCure(names?.[0]) : padding
  const fields = width === 1 ? 'field' : 'fields'
  return new RecordFault('ERR_CSV_FIELDS', `it must have ${width} ${fields}, as ${like} has: received ${count}${cure}`)
}

/** The only name of a header often has the delimiter in it. */
export function delimiterCure(name: string | undefined): string {
  const [other] = /[;\t|,]/.exec(name ?? '') ?? []
  if (other === undefined) return ''
  return ` (if the fields have ${received(other)} between them: delimiter: ${received(other)})`
}

/** Of a field that is not of its type. */
export function typeFault(format: CsvFormat, error: ConversionError): RecordFault {
  const where = nameOf(format, format.wanted[error.index] ?? 0)
  return new RecordFault('ERR_CSV_TYPE', `${where} ${error.message}`, causeOf(error))
}

function nameOf({ names }: CsvFormat, field: number): string {
  const name = names?.[field]
  return name === undefined ? `field ${field + 1}` : `field ${field + 1} ('${name}')`
}
