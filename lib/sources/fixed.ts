/** `fixed()`: the rows of files whose fields are at fixed places in each line. */
import type { FixedFormat } from '../codec/records/format.js'
import { received, typeError } from '../errors.js'
import { sourcesOf, type ByteSource } from '../io/bytes.js'
import { isPlainObject, OptionReader, VERBS_HINT } from '../options.js'
import type { NamedTask } from '../resume/code.js'
import type { Json } from '../resume/mark.js'
import { fieldTypes, nameOfType, tasksIn, type FieldType, type FieldValue } from './field-types.js'
import { LineSplitter } from './line-splitter.js'
import type { Beginning, RecordKind } from './record-reader.js'
import { readRecordText } from './record-text.js'
import { recordsOf, type Records } from './records.js'

/**
 * Where a column is in each line. A number is its width: it begins where the column before it ends. Two numbers are its
 * start, from 0, and its end, which does not belong to it: `[0, 10]` are the first ten characters. With the end
 * `Infinity`, it goes on to the end of the line.
 */
export type FixedColumn = number | readonly [start: number, end: number]

/** The rows of `fixed()`. */
export type FixedRow<C, T> = { -readonly [K in keyof C]: K extends keyof T ? FieldValue<T[K]> : string }

/** The options of `fixed()`. */
export interface FixedOptions<
  C extends Readonly<Record<string, FixedColumn>> = Readonly<Record<string, FixedColumn>>,
  T extends Readonly<Record<string, FieldType>> = Readonly<Record<string, FieldType>>,
> {
  /** The columns, by their names. Text that is in no column is not decoded, and columns may overlap. */
  readonly columns: C
  /**
   * What places and widths count. `'characters'`: those of Unicode, each as one, however many bytes it has. `'bytes'`:
   * bytes in the encoding of the file, as programs in C and COBOL write them. Default: `'characters'`.
   */
  readonly unit?: 'characters' | 'bytes' | undefined
  /** Whether spaces and tabs around fields are left out. Default: true. */
  readonly trim?: boolean | undefined
  /**
   * What happens with a line that ends before the end of a column. `'error'`: it fails (`ERR_FIXED_LINE`). `'pad'`: what
   * is missing is `''`. A column up to `Infinity` only needs its start. Default: `'error'`.
   */
  readonly ragged?: 'error' | 'pad' | undefined
  /** What fields become, by the names of their columns, as in `csv()`. Default: strings. */
  readonly types?: T | undefined
  /** The encoding of the text, as in `lines()`. Default: `'utf8'`, or UTF-16 by its byte order mark. */
  readonly encoding?: string | undefined
  /**
   * The most bytes that a line may have, uncompressed. A longer one ends the source with a `RecordError`
   * (`ERR_RECORD_TOO_LONG`). Default: 16,777,216 (16 MiB); minimum: 1; maximum: the longest string there can be.
   */
  readonly maxLength?: number | undefined
  /** A program and its arguments that decompress the input, such as `['xz', '-dc']`, as in `lines()`. Default: none. */
  readonly decompress?: readonly string[] | undefined
}

const ACTION = 'read records with fixed()'
const OPTIONS = ['columns', 'unit', 'trim', 'ragged', 'types', 'encoding', 'maxLength', 'decompress'] as const
const COLUMNS_EXPECTED = 'an object of widths, or of [start, end]'
const NEWLINE = 10
const CARRIAGE_RETURN = 13

/**
 * Gives the rows of files with columns of fixed widths, as objects by the names of the columns. Each line is a record,
 * and empty lines are left out. Text behind the last column is ignored. Values are strings, unless `types` says otherwise.
 * Gzip, zstd and brotli are decompressed, and several files are read one after the other, as by `lines()`.
 *
 * As the source of a stage it hands over bytes. This thread finds only where lines end, and the workers cut and decode
 * them. A plain `for await` decodes on this thread.
 *
 * A line that is too short, or has a field that is not of its type, fails alone. It is an item that fails: the option
 * `errors` of the next stage says what happens. A plain `for await` throws its error.
 *
 * It holds two blocks of 512 KiB and the longest line, for a file of any size.
 *
 * @param source A path, a URL, or what gives byte chunks, as in `lines()`. Or an array of these, or `files()`.
 * @param options `columns`: widths in characters, or starts and ends. `unit` (default `'characters'`), `trim` (default
 * true), `ragged` (default `'error'`), `types` (default strings), `encoding` (default `'utf8'`), `maxLength` (bytes,
 * default 16 MiB), `decompress` (default none).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. All other errors come from `next()`, after
 * the rows before: a `RecordError` for a bad line, and errors of reading, as from `lines()`.
 * @example
 * ```ts
 * import { fixed } from 'millrace'
 *
 * const text = 'Ann       Oslo   031\nBob       Łódź   007\n'
 * const columns = { name: 10, city: 7, age: 3 } // or: { name: [0, 10], age: [17, 20] }
 * for await (const row of fixed([Buffer.from(text)], { columns, types: { age: Number } })) console.log(row)
 * // → { name: 'Ann', city: 'Oslo', age: 31 }
 * // → { name: 'Bob', city: 'Łódź', age: 7 }
 * ```
 */
export function fixed<
  const C extends Readonly<Record<string, FixedColumn>>,
  // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- without types, no column has one
  const T extends Readonly<Record<string, FieldType>> = Readonly<Record<never, FieldType>>,
>(source: ByteSource | readonly ByteSource[], options: FixedOptions<C, T>): Records<FixedRow<C, T>> {
  const sources = sourcesOf(ACTION, source)
  const read = new OptionReader<FixedOptions>(ACTION, options, OPTIONS, VERBS_HINT)
  const kind = new FixedKind(read)
  return recordsOf('fixed', sources, kind, kind.plan)
}

class FixedKind implements RecordKind {
  readonly text: RecordKind['text']
  readonly maxLength: number
  readonly #format: FixedFormat

  constructor(read: OptionReader<FixedOptions>) {
    const { text, maxLength } = readRecordText(ACTION, read)
    this.text = text
    this.maxLength = maxLength
    const given = read.value('columns', COLUMNS_EXPECTED, isPlainObject)
    if (given === undefined) read.fail(typeError, 'columns', `given: ${COLUMNS_EXPECTED}`, given)
    const places = placesOf(read, given)
    const types = fieldTypes(read, ACTION)
    const names = Object.keys(given)
    const unknown = [...types.keys()].find((name) => !names.includes(name))
    if (unknown !== undefined) read.fail(typeError, 'types', 'an object by the names of columns', unknown)
    const format = {
      kind: 'fixed',
      encoding: text.text.blocks,
      names,
      starts: places.map(([start]) => start),
      ends: places.map(([, end]) => (end === Infinity ? -1 : end)),
      inBytes: read.oneOf('unit', ['characters', 'bytes']) === 'bytes',
      trim: read.boolean('trim') ?? true,
      pad: read.oneOf('ragged', ['error', 'pad']) === 'pad',
      types: names.map((name) => types.get(name)),
    } as const
    this.#format = { ...format, key: JSON.stringify(format) }
    if (!format.inBytes || text.text.input === undefined) return
    const cure = ' (text in this encoding is decoded before it is cut: count characters)'
    read.fail(typeError, 'unit', "'characters' for this encoding", 'bytes', cure)
  }

  /** What must be the same in a run that goes on. */
  get plan(): Readonly<Record<string, Json>> {
    const { key: _, types, ...format } = this.#format
    const names = types.map((type) => type && nameOfType(type))
    return { format: JSON.stringify({ ...format, types: names }), maxLength: this.maxLength }
  }

  get tasks(): readonly NamedTask[] {
    return tasksIn(this.#format.types)
  }

  isDecided(): boolean {
    return true
  }

  begin(): Beginning {
    return { splitter: new LineSplitter(isLineEnd), skipped: 0, format: this.#format, hasHeader: false }
  }
}

function isLineEnd(byte: number): boolean {
  return byte === NEWLINE || byte === CARRIAGE_RETURN
}

/** Where columns begin and end. */
function placesOf(
  read: OptionReader<FixedOptions>,
  columns: Readonly<Record<string, unknown>>,
): (readonly [start: number, end: number])[] {
  const entries = Object.entries(columns)
  if (entries.length === 0) read.fail(typeError, 'columns', `${COLUMNS_EXPECTED}, at least one`, columns)
  const isWidths = entries.some(([, column]) => typeof column === 'number')
  const moved = isWidths ? entries.find(([name]) => /^\d+$/.test(name)) : undefined
  if (moved !== undefined) {
    const cure = ' (JavaScript moves such names to the front: say [start, end])'
    throw columnError(moved[0], 'have a start and an end', moved[1], cure)
  }
  let at = 0
  return entries.map(([name, column]) => {
    const place = typeof column === 'number' ? ([at, at + column] as const) : column
    if (!isPlace(place)) throw columnError(name, 'be a width of at least 1, or [start, end]', column, '')
    at = place[1]
    return place
  })
}

function isPlace(place: unknown): place is readonly [start: number, end: number] {
  if (!Array.isArray(place) || place.length !== 2) return false
  const [start, end] = place as readonly unknown[]
  if (!Number.isSafeInteger(start) || (start as number) < 0) return false
  return (end === Infinity || Number.isSafeInteger(end)) && (end as number) > (start as number)
}

function columnError(name: string, expected: string, given: unknown, cure: string): TypeError {
  const text = `Cannot ${ACTION} as column '${name}' must ${expected}: received ${received(given)}${cure}`
  return typeError('ERR_INVALID_OPTION', text)
}
