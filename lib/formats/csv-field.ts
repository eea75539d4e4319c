/** The text of one field of a CSV or TSV output: quoted where that is needed, and not elsewhere. */
import type { CsvFormat } from './output-format.js'

/** Turns a value into the text of a field. Throws `NOT_A_FIELD` for a value that has none. */
export type FieldText = (value: unknown) => string

/** Thrown, as it costs nothing to make. The caller makes the error, as it knows record and column. */
export const NOT_A_FIELD: unique symbol = Symbol('not a field')

/** Programs for tables take text that begins so for a formula. The last four are the wide forms of the first. */
const FORMULA_START = /^[=+\-@\t\r\n＝＋－＠]/

/** A byte order mark at the start of a file would be dropped by its reader. */
const SPECIAL = { ',': /[",\r\n\uFEFF]/, '\t': /["\t\r\n\uFEFF]/ } as const

export function fieldText({ delimiter, escapeFormulas }: Pick<CsvFormat, 'delimiter' | 'escapeFormulas'>): FieldText {
  const special = SPECIAL[delimiter]
  const textOf = (text: string): string => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const stringOf = escapeFormulas
    ? (text: string): string => textOf(FORMULA_START.test(text) ? `'${text}` : text)
    : textOf
  return (value) => {
    switch (typeof value) {
      case 'string':
        return stringOf(value)
      case 'number':
      case 'boolean':
      case 'bigint':
        return String(value)
      case 'undefined':
        return ''
      case 'object':
        return value === null ? '' : dateText(value)
      default:
        throw NOT_A_FIELD
    }
  }
}

function dateText(value: object): string {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw NOT_A_FIELD
  return value.toISOString()
}

/**
 * A line with one empty field would be a blank line, which readers leave out. One with `\.` alone would end the input of
 * Postgres: it would drop all lines behind it, and say nothing.
 */
export function lineOf(fields: string): string {
  return `${fields === '' || fields === '\\.' ? `"${fields}"` : fields}\n`
}

/** The header. A first name that begins with `sep=` is quoted, because a reader would take it for Excel's mark. */
export function headerLine(columns: readonly string[], format: CsvFormat): string {
  const text = fieldText(format)
  const names = columns.map(text)
  const [first] = names
  if (first !== undefined && /^sep=/i.test(first)) names[0] = `"${first}"`
  return lineOf(names.join(format.delimiter))
}

/** The fields of a line that was written here, as they stand in it, quotes included. Its end is not part of it. */
export function rawFields(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let start = 0
  for (;;) {
    let end = start
    if (line[start] === '"') {
      // Behind the closing quote: a quote inside is doubled.
      do end = line.indexOf('"', end + 1) + 1
      while (line[end] === '"')
    } else {
      end = line.indexOf(delimiter, start)
      if (end < 0) end = line.length
    }
    fields.push(line.slice(start, end))
    if (end >= line.length) return fields
    start = end + 1
  }
}
