/** Makes lines of CSV of records with the same keys, by code that is generated for these keys. */
import { compile } from '../codec/compile.js'
import { attempt } from '../errors.js'
import { lineOf, NOT_A_FIELD, type FieldText } from './csv-field.js'

/** The line of a record, its end included. Throws `NOT_A_FIELD`. */
export type RowText = (record: Readonly<Record<string, unknown>>) => string

/** Code for more columns would take longer to compile than it saves. */
const MAX_COLUMNS_OF_CODE = 500

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
    columns.length === 1 ? `return (record) => lineOf(${line})` : `return (record) => ${line} + ${JSON.stringify('\n')}`
  return compile('field', 'lineOf', body)(field, lineOf) as RowText
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
