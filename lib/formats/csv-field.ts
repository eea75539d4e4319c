/** The text of one field of a CSV or TSV output: quoted where that is needed, and not elsewhere. */
import type { CsvFormat } from './output-format.js'
import { NOT_SIMPLE } from './record-source.js'
import {
  isPair,
  isSurrogate,
  MAX_VALUE_LENGTH,
  REPLACEMENT,
  writeAscii,
  writeNumber,
  writePair,
  writeUnit,
} from './utf8.js'

/** Turns a value into the text of a field. Throws `NOT_A_FIELD` for a value that has none. */
export type FieldText = (value: unknown) => string

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

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

/** Writes a string for which there is room. @returns The position behind it. */
type WriteField = (text: string, bytes: Buffer, at: number) => number

/** Longer fields are written by Node's encoder. At this length both take about 100 ns. */
const MAX_SHORT_LENGTH = 40
const QUOTE = 0x22
/** All ASCII characters that need quotes are before this one or are this one. */
const LAST_SPECIAL = 0x2c
const AFTER_ASCII = 0x80
const BYTE_ORDER_MARK = 0xfeff

/** Writes the bytes of what `fieldText()` gives, without `escapeFormulas`. */
export function fieldWriter(delimiter: CsvFormat['delimiter']): WriteField {
  const special = SPECIAL[delimiter]
  const delimiterCode = delimiter.charCodeAt(0)
  return (text, bytes, start) => {
    const { length } = text
    if (length > MAX_SHORT_LENGTH && !special.test(text)) return start + bytes.write(text, start)
    let at = start
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index)
      if (unit > LAST_SPECIAL && unit < AFTER_ASCII) bytes[at++] = unit
      else if (unit < AFTER_ASCII) {
        if (unit === delimiterCode || unit === QUOTE || unit === NEWLINE || unit === CARRIAGE_RETURN)
          return writeQuoted(text, bytes, start)
        bytes[at++] = unit
      } else if (isPair(unit, text.charCodeAt(index + 1))) at = writePair(unit, text.charCodeAt(++index), bytes, at)
      else if (unit === BYTE_ORDER_MARK) return writeQuoted(text, bytes, start)
      else at = writeUnit(isSurrogate(unit) ? REPLACEMENT : unit, bytes, at)
    }
    return at
  }
}

function writeQuoted(text: string, bytes: Buffer, at: number): number {
  return at + bytes.write(`"${text.replaceAll('"', '""')}"`, at)
}

/** The text of a date. That of a subclass can be any other. */
const ISO_8601 = new RegExp(`^[-+:.TZ0-9]{1,${MAX_VALUE_LENGTH}}$`)

/** Writes a value that is no string. @returns The position behind it, or `NOT_SIMPLE`. */
export function writeOther(value: unknown, bytes: Uint8Array, at: number): number {
  if (typeof value === 'number') return writeNumber(value, bytes, at)
  if (typeof value === 'boolean') return writeAscii(value ? 'true' : 'false', bytes, at)
  if (value === undefined || value === null) return at
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return NOT_SIMPLE
  const text = value.toISOString()
  return ISO_8601.test(text) ? writeAscii(text, bytes, at) : NOT_SIMPLE
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
