/** Makes lines of CSV of records with the same keys, as text or as bytes, by code that is generated for these keys. */
import { compile } from '../codec/compile.js'
import { attempt } from '../errors.js'
import { fieldWriter, lineOf, NOT_A_FIELD, writeOther, type FieldText } from './csv-field.js'
import type { CsvFormat } from './output-format.js'
import { NO_ROOM, NOT_SIMPLE } from './record-source.js'
import { codeToWrite, MAX_BYTES_PER_UNIT, MAX_STRING_LENGTH, MAX_VALUE_LENGTH } from './utf8.js'

/** The line of a record, its end included. Throws `NOT_A_FIELD`. */
export type RowText = (record: Readonly<Record<string, unknown>>) => string

/** Writes the line of a record: see `RecordSource`. */
export type RowBytes = (record: Readonly<Record<string, unknown>>, bytes: Buffer, at: number) => number

/** Code for more columns would take longer to compile than it saves. */
const MAX_COLUMNS_OF_CODE = 500
/** V8 does not optimize a function of more than 60 KB of bytecode. A column is 167 bytes of that. */
const MAX_COLUMNS_OF_BYTES = 350

/** @param mayGenerate Whether there will be many records with these keys. */
export function rowText(columns: readonly string[], delimiter: string, field: FieldText, mayGenerate = true): RowText {
  const isWorthIt = mayGenerate && columns.length <= MAX_COLUMNS_OF_CODE
  const generated = isWorthIt ? attempt(() => generate(columns, delimiter, field)) : undefined
  if (generated !== undefined) return generated
  return (record) => lineOf(columns.map((column) => field(record[column])).join(delimiter))
}

/** Throws where code must not be made of text. Keys are written as JSON. */
function generate(columns: readonly string[], delimiter: string, field: FieldText): RowText {
  const fields = columns.map((column) => `field(record[${JSON.stringify(column)}])`)
  const line = fields.join(` + ${JSON.stringify(delimiter)} + `)
  const body =
    columns.length < 2
      ? `return (record) => lineOf(${line || `''`})`
      : `return (record) => ${line} + ${JSON.stringify('\n')}`
  return compile('field', 'lineOf', body)(field, lineOf) as RowText
}

/** @returns Undefined where no code can be generated, or it would be too long, or fields or the line need more than quotes. */
export function rowBytes(columns: readonly string[], format: CsvFormat): RowBytes | undefined {
  const isPossible = columns.length > 1 && columns.length <= MAX_COLUMNS_OF_BYTES && !format.escapeFormulas
  return isPossible ? attempt(() => generateWriter(columns, format.delimiter)) : undefined
}

function generateWriter(columns: readonly string[], delimiter: CsvFormat['delimiter']): RowBytes {
  /** Room for all but strings: each value, with quotes and a delimiter. */
  const reserve = columns.length * (MAX_VALUE_LENGTH + 3)
  const fields = columns.map(
    (column) => `value = record[${JSON.stringify(column)}]
      if (typeof value === 'string') {
        if (at + ${reserve} + value.length * ${MAX_BYTES_PER_UNIT} > bytes.length)
          return value.length > ${MAX_STRING_LENGTH} ? ${NOT_SIMPLE} : ${NO_ROOM}
        at = writeField(value, bytes, at)
      } else if ((at = writeOther(value, bytes, at)) < 0) return ${NOT_SIMPLE}`,
  )
  const body = `return (record, bytes, at) => {
    let value
    if (at + ${reserve} > bytes.length) return ${NO_ROOM}
    ${fields.join(`\n${codeToWrite(delimiter)}\n`)}
    ${codeToWrite('\n')}
    return at
  }`
  return compile('writeField', 'writeOther', body)(fieldWriter(delimiter), writeOther) as RowBytes
}

/** The column whose value has no text. Getters are called again. */
export function badColumn(
  columns: readonly (string | number)[],
  record: Readonly<Record<string | number, unknown>>,
  field: FieldText,
): string | number | undefined {
  return columns.find((column) => {
    try {
      field(record[column])
      return false
    } catch (error) {
      return error === NOT_A_FIELD
    }
  })
}
