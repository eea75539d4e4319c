/** What is wrong with a record of CSV, in words: its place is added where it is known. */
import { received, type RecordErrorCode } from '../../errors.js'
import type { QuoteFault } from './csv-record.js'
import type { ConversionError } from './csv-types.js'
import type { CsvFormat } from './format.js'

/** Thrown for a record of which no row can be made. */
export class CsvFault extends Error {
  readonly code: RecordErrorCode

  /** @param reason What goes behind "Cannot read the record as". */
  constructor(code: RecordErrorCode, reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.code = code
  }
}

export function quoteFault(format: CsvFormat, { field, kind }: QuoteFault): CsvFault {
  const quote = String.fromCharCode(format.dialect.quote)
  const cure = ` (a quote in a field is written as two, in quotes; with quotes: 'relaxed' it is text)`
  const where = nameOf(format, field)
  return new CsvFault(
    'ERR_CSV_QUOTE',
    kind === 'in a field'
      ? `${where} must not have a quote (${quote}) as it is not in quotes${cure}`
      : kind === 'behind a field'
        ? `${where} must end behind its closing quote (${quote})${cure}`
        : `${where} must have a closing quote (${quote})`,
  )
}

export function widthFault({ width, names, pad }: CsvFormat, count: number): CsvFault {
  const like = names === undefined ? 'the first record' : 'the header'
  const padding = count < width && !pad ? " (with ragged: 'pad' missing fields are empty)" : ''
  const cure = width === 1 ? delimiterCure(names?.[0]) : padding
  const fields = width === 1 ? 'field' : 'fields'
  return new CsvFault('ERR_CSV_FIELDS', `it must have ${width} ${fields}, as ${like} has: received ${count}${cure}`)
}

/** The only name of a header often has the delimiter in it. */
export function delimiterCure(name: string | undefined): string {
  const [other] = /[;\t|,]/.exec(name ?? '') ?? []
  if (other === undefined) return ''
  return ` (if the fields have ${received(other)} between them: delimiter: ${received(other)})`
}

/** Of a field that is not of its type. */
export function typeFault(format: CsvFormat, error: ConversionError): CsvFault {
  const where = nameOf(format, format.wanted[error.index] ?? 0)
  return new CsvFault('ERR_CSV_TYPE', `${where} ${error.message}`, causeOf(error))
}

/** The cause of an error, as the options of another one. */
export function causeOf(error: Error): ErrorOptions | undefined {
  return 'cause' in error ? { cause: error.cause } : undefined
}

function nameOf({ names }: CsvFormat, field: number): string {
  const name = names?.[field]
  return name === undefined ? `field ${field + 1}` : `field ${field + 1} ('${name}')`
}
