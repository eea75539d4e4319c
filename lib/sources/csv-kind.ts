/** CSV as a kind of records: how a file begins, its header, and where its records end. */
import type { CsvFormat, CsvType, Position, RecordSegment } from '../codec/records/format.js'
import { splitRecord } from '../codec/records/csv-record.js'
import { newlinesIn, placeIn, startOf } from '../codec/records/place.js'
import { delimiterCure } from '../codec/records/csv-fault.js'
import { recordError } from '../codec/records/record-error.js'
import { decodeText } from '../codec/line-text.js'
import { received, type RecordError } from '../errors.js'
import type { TextOptions } from '../io/text.js'
import type { NamedTask } from '../resume/code.js'
import type { Json } from '../resume/mark.js'
import type { Slab } from '../scan/memory.js'
import {
  findQuoted,
  isInQuotes,
  isRecord,
  lastOpening,
  RECORD_START,
  type QuotedDialect,
  type QuotedState,
} from '../scan/quoted.js'
import type { EndsRoom } from '../scan/scan.js'
import { nameOfType, tasksIn } from './field-types.js'
import type { Beginning, RecordKind } from './record-reader.js'
import type { RecordScanner, Split, Splitter } from './record-scanner.js'

const CARRIAGE_RETURN = 13

/** The options of `csv()`, checked. */
export interface CsvSettings {
  readonly text: TextOptions
  readonly maxLength: number
  readonly dialect: QuotedDialect
  /** Whether a line `sep=;` sets the delimiter. */
  readonly takesSeparator: boolean
  readonly relaxed: boolean
  readonly pad: boolean
  /** Whether the first record has the names. */
  readonly hasHeader: boolean
  readonly names: readonly string[] | undefined
  readonly columns: readonly string[] | undefined
  readonly types: ReadonlyMap<string, CsvType>
}

/** Finds the ends of records of CSV. */
export class CsvSplitter implements Splitter {
  readonly newline: number
  readonly #dialect: QuotedDialect
  #state: QuotedState = RECORD_START

  constructor(dialect: QuotedDialect) {
    this.#dialect = dialect
    this.newline = dialect.newline
  }

  scan(bytes: Slab, from: number, to: number, room: EndsRoom): Split {
    const found = findQuoted(bytes, from, to, this.#dialect, this.#state, room)
    this.#state = found.state
    return found
  }

  end(rest: Buffer, place: Position): 'record' | 'nothing' | Error {
    if (this.isInQuotes) return this.unclosed(rest, place, 'the input ends before')
    return isRecord(this.#state, rest.length, this.#dialect) ? 'record' : 'nothing'
  }

  get isInQuotes(): boolean {
    return isInQuotes(this.#state)
  }

  /** The error of quotes that are not closed. @param rest The record, as far as it is known, which begins at `place`. */
  unclosed(rest: Buffer, place: Position, found: string): RecordError {
    const opening = lastOpening(rest, this.#dialect)
    const lines = newlinesIn(rest.buffer, rest.byteOffset, rest.byteOffset + opening, this.newline)
    const at = { ...place, line: place.line + lines, offset: place.offset + opening }
    const quote = String.fromCharCode(this.#dialect.quote)
    return recordError(at, 'ERR_CSV_UNCLOSED_QUOTE', `the quote (${quote}) that opens there must be closed: ${found}`)
  }
}

/** A line of Excel that says what the delimiter is. */
const SEPARATOR = /^sep=([ -~\t])\r?\n/
const SEPARATOR_LENGTH = 'sep=;\r\n'.length

export class CsvKind implements RecordKind {
  readonly text: TextOptions
  readonly maxLength: number
  readonly #settings: CsvSettings
  #splitter: CsvSplitter | undefined

  constructor(settings: CsvSettings) {
    this.text = settings.text
    this.maxLength = settings.maxLength
    this.#settings = settings
  }

  get tasks(): readonly NamedTask[] {
    return tasksIn(this.#settings.types.values())
  }

  /** The options that change which rows there are, or what they have. */
  get plan(): Readonly<Record<string, Json>> {
    const { text, dialect, takesSeparator, relaxed, pad, hasHeader, names, columns, types } = this.#settings
    const { delimiter, quote, escape, comment, newline, trim, skipEmpty } = dialect
    const character = (byte: number): string => (byte < 0 ? '' : String.fromCharCode(byte))
    return {
      header: names ?? hasHeader,
      ...(columns && { columns }),
      ...(types.size > 0 && { types: Object.fromEntries([...types].map(([name, type]) => [name, nameOfType(type)])) }),
      delimiter: takesSeparator ? `${character(delimiter)} or sep=` : character(delimiter),
      quote: character(quote),
      escape: character(escape),
      comment: character(comment),
      trim,
      ragged: pad ? 'pad' : 'error',
      quotes: relaxed ? 'relaxed' : 'strict',
      skipEmpty,
      newline: character(newline),
      encoding: text.text.input ?? text.text.blocks,
      maxLength: this.maxLength,
      ...(text.decompress && { decompress: text.decompress }),
    }
  }

  isDecided(head: Buffer): boolean {
    const { length } = head
    return length >= SEPARATOR_LENGTH || !'sep='.startsWith(head.toString('latin1', 0, Math.min(4, length)))
  }

  begin(head: Buffer): Beginning {
    const { dialect, takesSeparator, hasHeader } = this.#settings
    const [line = '', separator] = SEPARATOR.exec(head.toString('latin1', 0, SEPARATOR_LENGTH)) ?? []
    const used =
      takesSeparator && separator !== undefined ? { ...dialect, delimiter: separator.charCodeAt(0) } : dialect
    this.#splitter = new CsvSplitter(used)
    return {
      splitter: this.#splitter,
      skipped: line.length,
      hasHeader,
      format: (first) => this.#formatOf(first, used),
    }
  }

  tooLong(scanner: RecordScanner): RecordError | undefined {
    const splitter = this.#splitter
    if (splitter?.isInQuotes !== true) return undefined
    const found = `received ${this.maxLength} bytes without its end, which is the most ('maxLength')`
    return splitter.unclosed(scanner.rest, scanner.place, found)
  }

  /** The format of an input, by its first record. */
  #formatOf(given: RecordSegment, dialect: QuotedDialect): CsvFormat {
    const { text, relaxed, pad, columns, types, hasHeader } = this.#settings
    const known = { kind: 'csv', encoding: text.text.blocks, dialect, relaxed, pad } as const
    const first = { ...given, format: { ...known, width: 0, names: undefined, wanted: [], types: [], key: '' } }
    const place = placeIn(first, 0)
    const fields = this.#fieldsOf(first, dialect)
    const names = hasHeader ? fields : this.#settings.names
    if (hasHeader) this.#checkHeader(fields, place)
    const all = names ?? fields
    const wanted = columns === undefined ? [...all.keys()] : this.#positions(all, columns, place)
    const existing = new Set(names)
    const missing = names && [...types.keys()].find((name) => !existing.has(name))
    if (missing !== undefined) throw this.#missingError(missing, 'types', all, place)
    const used = wanted.map((field) => names && types.get(names[field] ?? ''))
    const format = { ...known, width: all.length, names, wanted, types: used } as const
    return { ...format, key: JSON.stringify(format) }
  }

  #fieldsOf(first: RecordSegment, dialect: QuotedDialect): string[] {
    const { text, relaxed } = this.#settings
    const bytes = Buffer.from(first.memory)
    const start = startOf(first, 0)
    const [end = start + 1] = new Uint32Array(first.ends, first.endsAt, 1)
    const isReturn = dialect.newline !== CARRIAGE_RETURN && end - 1 > start && bytes[end - 2] === CARRIAGE_RETURN
    const textEnd = isReturn && !first.isOpen ? end - 2 : end - 1
    const slice = (from: number, to: number): string => decodeText(bytes.subarray(from, to), text.text.blocks)
    const { fields, fault } = splitRecord(bytes, start, textEnd, dialect, relaxed, slice)
    if (fault !== undefined && this.#settings.hasHeader) {
      throw recordError(
        placeIn(first, 0),
        'ERR_CSV_HEADER',
        `field ${fault.field + 1} of the header has a quote in a wrong place`,
      )
    }
    return fields
  }

  #checkHeader(names: readonly string[], place: Position): void {
    // A header may have millions of names: each is looked at once.
    const firstOf = new Map<string, number>()
    const at = names.findIndex((name, index) => {
      const isBad = name === '' || firstOf.has(name)
      if (!isBad) firstOf.set(name, index)
      return isBad
    })
    if (at < 0) return
    const name = names[at] ?? ''
    const fault =
      name === ''
        ? `column ${at + 1} of the header must have a name`
        : `the names of the header must differ: received ${received(name)} for columns ${(firstOf.get(name) ?? 0) + 1} and ${at + 1}`
    throw recordError(
      place,
      'ERR_CSV_HEADER',
      `${fault} (give the names: header: [...], which takes this line as data; for arrays: header: false)`,
    )
  }

  #positions(names: readonly string[], columns: readonly string[], place: Position): number[] {
    const positions = new Map(names.map((name, at) => [name, at]))
    return columns.map((column) => {
      const at = positions.get(column)
      if (at === undefined) throw this.#missingError(column, 'columns', names, place)
      return at
    })
  }

  #missingError(name: string, option: string, names: readonly string[], place: Position): RecordError {
    const few = names.slice(0, MAX_NAMES).map(received).join(', ')
    const more = names.length > MAX_NAMES ? `, and ${names.length - MAX_NAMES} others` : ''
    const cure = names.length === 1 ? delimiterCure(names[0]) : ''
    return recordError(
      place,
      'ERR_CSV_HEADER',
      `it must have the column ${received(name)} of '${option}': received ${few}${more}${cure}`,
    )
  }
}

/** Names that an error text shows. */
const MAX_NAMES = 10
