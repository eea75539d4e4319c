/**
 * Makes rows of records whose fields are known, by code that is generated for the wanted fields. It is made of their
 * names alone, each written as a JSON string.
 */
import { attempt } from '../../errors.js'
import { compile } from '../compile.js'
import { POSITION } from '../../scan/quoted.js'
import { converter, type Convert } from './csv-types.js'
import type { CsvFormat } from './format.js'

/** The text of a piece of records: a string, or bytes that are decoded field by field. */
export interface Text {
  slice(start: number, end: number): string
  charCodeAt(position: number): number
}

/**
 * Makes the row of a record.
 *
 * @param text Of the piece that it is in.
 * @param ends Where the fields of the piece end.
 * @param first The first of them that is of this record.
 * @param start Where the record begins in the text.
 * @param end Where its last field ends.
 */
export type BuildRow = (text: Text, ends: Int32Array, first: number, start: number, end: number) => unknown

/** Larger rows are made by a loop: the code would be long. */
const MAX_FIELDS_FOR_CODE = 500
const QUOTE = 0x22

/**
 * A function that makes rows.
 *
 * @param hasQuotes Whether there may be quotes in the text.
 */
export function rowBuilder(format: CsvFormat, hasQuotes: boolean): BuildRow {
  const generated = format.wanted.length > MAX_FIELDS_FOR_CODE ? undefined : attempt(() => generate(format, hasQuotes))
  return generated ?? loop(format, hasQuotes)
}

type Read = (text: Text, start: number, end: number, isEscaped: boolean) => string

/** How a field is read that may have quotes. */
function reader({ dialect: { quote } }: CsvFormat): Read {
  const character = String.fromCharCode(quote < 0 ? QUOTE : quote)
  const doubled = character + character
  return (text, start, end, isEscaped) => {
    if (end === start || text.charCodeAt(start) !== quote) return text.slice(start, end)
    const inner = text.slice(start + 1, end - 1)
    return isEscaped ? inner.replaceAll(doubled, character) : inner
  }
}

function generate(format: CsvFormat, hasQuotes: boolean): BuildRow {
  const { wanted, width, names, types } = format
  const values = wanted.map((field, index) => {
    const own = `ends[first + ${field}]`
    const before = `ends[first + ${field - 1}]`
    const start = field === 0 ? 'start' : `${hasQuotes ? `(${before} & ${POSITION})` : before} + 1`
    const end = field === width - 1 ? 'end' : hasQuotes ? `${own} & ${POSITION}` : own
    const text = hasQuotes ? `read(text, ${start}, ${end}, ${own} < 0)` : `text.slice(${start}, ${end})`
    return types[index] === undefined ? text : `convert[${index}](${text})`
  })
  const row =
    names === undefined
      ? `[${values.join(', ')}]`
      : // A computed name, since `__proto__: value` sets the prototype.
        `({ ${values.map((value, index) => `[${JSON.stringify(names[wanted[index] ?? 0])}]: ${value}`).join(', ')} })`
  const make = compile('read', 'convert', `return (text, ends, first, start, end) => ${row}`)
  return make(reader(format), converters(format)) as BuildRow
}

function loop(format: CsvFormat, hasQuotes: boolean): BuildRow {
  const { wanted, width } = format
  const read = reader(format)
  const make = rowMaker(format)
  return (text, ends, first, start, end) =>
    make(
      wanted.map((field) => {
        const from = field === 0 ? start : ((ends[first + field - 1] ?? 0) & POSITION) + 1
        const own = ends[first + field] ?? 0
        const to = field === width - 1 ? end : own & POSITION
        return hasQuotes ? read(text, from, to, own < 0) : text.slice(from, to)
      }),
    )
}

/** A function that makes rows of the text of the wanted fields. */
export function rowMaker(format: CsvFormat): (texts: readonly string[]) => unknown {
  const { wanted, names } = format
  const convert = converters(format)
  const keys = names && wanted.map((field) => names[field] ?? '')
  return (texts) => {
    const values = texts.map((text, index) => {
      const own = convert[index]
      return own === undefined ? text : own(text)
    })
    if (keys === undefined) return values
    // Entries, since `row.__proto__ = value` sets the prototype.
    return Object.fromEntries(keys.map((key, index) => [key, values[index]]))
  }
}

function converters({ types }: CsvFormat): readonly (Convert | undefined)[] {
  return types.map((type, index) => type && converter(type, index))
}
