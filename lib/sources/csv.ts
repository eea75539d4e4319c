/** `csv()` and `tsv()`: the rows of files of separated values. */
import { typeError, received } from '../errors.js'
import { sourcesOf, type ByteSource } from '../io/bytes.js'
import { isPlainObject, OptionReader, VERBS_HINT } from '../options.js'
import { COLUMNS_EXPECTED, isNames } from './column-names.js'
import { CsvKind } from './csv-kind.js'
import { fieldTypes, type FieldType, type FieldValue } from './field-types.js'
import { readRecordText } from './record-text.js'
import { recordsOf, type Records } from './records.js'

/** The rows of `csv()` with `columns` and `types`. Without `columns`, `C` is `string`: all other fields are strings. */
export type CsvRow<C extends string, T> = string extends C
  ? { -readonly [K in keyof T]: FieldValue<T[K]> } & Record<string, string>
  : { [K in C]: K extends keyof T ? FieldValue<T[K]> : string }

/** The options of `csv()` and `tsv()`. */
export interface CsvOptions<
  C extends readonly string[] = readonly string[],
  T extends Readonly<Record<string, FieldType>> = Readonly<Record<string, FieldType>>,
> {
  /**
   * The names of the columns. `true`: the first record has them. An array: these are the names, and the first record is
   * data. `false`: there are none, and rows are arrays of strings. Default: true. A header with a name twice, or without
   * one, is a `RecordError` (`ERR_CSV_HEADER`).
   */
  readonly header?: boolean | readonly string[] | undefined
  /**
   * Which columns the rows have, by their names. The others are never decoded, which saves time. Default: all. A column
   * that a file does not have is a `RecordError` (`ERR_CSV_HEADER`).
   */
  readonly columns?: C | undefined
  /**
   * What fields become, by the names of their columns: `Number`, `BigInt`, `Boolean` (`true`, `false`, `1`, `0`) or
   * `Date` (ISO 8601). Or a task, which gets the text and must be synchronous. An empty field is then `null`. Text that is
   * not of the type, or that the task refuses, makes its record fail (`ERR_CSV_TYPE`). What the task has thrown is the
   * `cause` of that error. Default: all fields are strings, so that `007` stays `007`.
   */
  readonly types?: T | undefined
  /** What stands between fields: one character of ASCII. Default: `,` (of `tsv()`: a tab), or that of a line `sep=;`. */
  readonly delimiter?: string | undefined
  /** What stands around a field with delimiters or line ends: one character of ASCII; `''`: nothing. Default: `"`. */
  readonly quote?: string | undefined
  /** What stands before a quote in a field with quotes: one character of ASCII. Default: the quote, written twice. */
  readonly escape?: string | undefined
  /** What begins a line that is left out: one character of ASCII. Default: there are no comments. */
  readonly comment?: string | undefined
  /** Whether spaces and tabs around fields, and outside of quotes, are left out. Default: false. */
  readonly trim?: boolean | undefined
  /**
   * What happens with a record that has fewer fields than the header (with `header: false`: than the first record).
   * `'error'`: it fails (`ERR_CSV_FIELDS`). `'pad'`: the missing fields are `''`. A record with more fields always
   * fails. Default: `'error'`.
   */
  readonly ragged?: 'error' | 'pad' | undefined
  /**
   * What happens with a quote in a wrong place. `'strict'`: its record fails (`ERR_CSV_QUOTE`). `'relaxed'`: a quote in a
   * field without quotes is text, and text behind a closing quote belongs to the field. Default: `'strict'`.
   */
  readonly quotes?: 'strict' | 'relaxed' | undefined
  /** Whether empty lines are left out. Default: true. */
  readonly skipEmpty?: boolean | undefined
  /** What ends a record: `'\n'`, with or without `\r` before it, or `'\r'`, for old files. Default: `'\n'`. */
  readonly newline?: '\n' | '\r' | undefined
  /** The encoding of the text, as in `lines()`. Default: `'utf8'`, or UTF-16 by its byte order mark. */
  readonly encoding?: string | undefined
  /**
   * The most bytes that a record may have, uncompressed. A longer one ends the source with a `RecordError`
   * (`ERR_RECORD_TOO_LONG`, or `ERR_CSV_UNCLOSED_QUOTE` in quotes). Default: 16,777,216 (16 MiB); minimum: 1; maximum:
   * the longest string there can be.
   */
  readonly maxLength?: number | undefined
  /** A program and its arguments that decompress the input, such as `['xz', '-dc']`, as in `lines()`. Default: none. */
  readonly decompress?: readonly string[] | undefined
}

const OPTIONS = [
  'header',
  'columns',
  'types',
  'delimiter',
  'quote',
  'escape',
  'comment',
  'trim',
  'ragged',
  'quotes',
  'skipEmpty',
  'newline',
  'encoding',
  'maxLength',
  'decompress',
] as const

/** The call signatures of `csv` and `tsv`. */
export interface Csv {
  /** Rows as arrays of strings. */
  (source: ByteSource | readonly ByteSource[], options: CsvOptions & { readonly header: false }): Records<string[]>
  /** Rows with the columns that are named, as strings. */
  <const C extends readonly string[]>(
    source: ByteSource | readonly ByteSource[],
    options: CsvOptions<C> & { readonly columns: C; readonly types?: undefined },
  ): Records<Record<C[number], string>>
  /** Rows with the columns that are named, or all, of the types that are named. */
  <const C extends readonly string[], const T extends Readonly<Record<string, FieldType>>>(
    source: ByteSource | readonly ByteSource[],
    options: CsvOptions<C, T> & { readonly types: T },
  ): Records<CsvRow<C[number], T>>
  /** Rows with all columns. `Row` is the type that you know them to have. */
  <Row = Record<string, string>>(source: ByteSource | readonly ByteSource[], options?: CsvOptions): Records<Row>
}

/**
 * Gives the rows of CSV files, or of any sources of bytes, as objects by the names of the header. It reads RFC 4180, and
 * guesses nothing: quoted fields may have delimiters, line ends and doubled quotes. Values are strings, unless `types`
 * says otherwise. Gzip, zstd and brotli are decompressed, and several files are read one after the other, as by
 * `lines()`. Each has its own header.
 *
 * As the source of a stage it hands over bytes. This thread finds only where records end. The workers split and decode
 * them, and columns that you did not ask for are never decoded. A plain `for await` decodes on this thread.
 *
 * A record that is bad fails alone: it is an item that fails, and the option `errors` of the next stage says what happens.
 * A plain `for await` throws its error. Every record knows its place: see `TaskContext` and `failure()`.
 *
 * It holds two blocks of 512 KiB and the longest record, for a file of any size. A row that you keep can keep up to 8 KiB
 * of its neighbours in memory.
 *
 * @param source A path, a URL, or what gives byte chunks, as in `lines()`. Or an array of these, or
 * `files()`.
 * @param options How it is written: `delimiter` (default `,`), `quote` (default `"`), `escape`, `comment`, `trim`,
 * `skipEmpty`, `newline`, `encoding` (default `'utf8'`). What is given: `header` (default true), `columns` (default all),
 * `types` (default strings). What is refused: `ragged` and `quotes` (default `'error'` and `'strict'`), `maxLength`
 * (default 16 MiB). How it is decompressed: `decompress` (default none).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. All other errors come from `next()`, after
 * the rows before: a `RecordError` for a bad record or header, which names the line. A quote that is never closed, and a
 * record that is too long, are such errors, too. Errors of reading come as from `lines()`.
 * @example
 * ```ts
 * import { csv } from 'millrace'
 *
 * const text = 'id,amount,note\n1,9.50,"a, b"\n2,,"two\nlines"\n'
 * for await (const row of csv([Buffer.from(text)], { columns: ['id', 'amount', 'note'], types: { amount: Number } })) {
 *   console.log(row)
 * }
 * // → { id: '1', amount: 9.5, note: 'a, b' }
 * // → { id: '2', amount: null, note: 'two\nlines' }
 * ```
 */
export const csv: Csv = ((source: unknown, options?: unknown) => open('csv', ',', source, options)) as Csv

/**
 * As `csv()`, with a tab between fields.
 *
 * @example
 * ```ts
 * import { tsv } from 'millrace'
 *
 * for await (const row of tsv([Buffer.from('id\tname\n1\tAnn\n')])) console.log(row)
 * // → { id: '1', name: 'Ann' }
 * ```
 */
export const tsv: Csv = ((source: unknown, options?: unknown) => open('tsv', '\t', source, options)) as Csv

function open(name: string, delimiter: string, source: unknown, options: unknown): Records<unknown> {
  const action = `read records with ${name}()`
  const sources = sourcesOf(action, source)
  const read = new OptionReader<CsvOptions>(action, options, OPTIONS, VERBS_HINT)
  const given = {
    delimiter: character(read, 'delimiter'),
    quote: character(read, 'quote', true),
    escape: character(read, 'escape'),
    comment: character(read, 'comment'),
  }
  const quote = given.quote ?? QUOTE
  const dialect = {
    delimiter: given.delimiter ?? delimiter.charCodeAt(0),
    quote,
    escape: given.escape ?? quote,
    comment: given.comment ?? -1,
    newline: (read.oneOf('newline', ['\n', '\r']) ?? '\n').charCodeAt(0),
    trim: read.boolean('trim') ?? false,
    skipEmpty: read.boolean('skipEmpty') ?? true,
  }
  assertDifferent(action, { ...given, delimiter: dialect.delimiter, quote })
  const header = read.value('header', 'true, false or an array of names', isHeader) ?? true
  const columns = read.value('columns', COLUMNS_EXPECTED, isNames)
  if (header === false && (columns !== undefined || read.value('types', 'an object', isPlainObject) !== undefined)) {
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'columns' and 'types' need the names of the columns: received header: false (give them: header: [...])`,
    )
  }
  const kind = new CsvKind({
    ...readRecordText(action, read),
    dialect,
    takesSeparator: given.delimiter === undefined,
    relaxed: read.oneOf('quotes', ['strict', 'relaxed']) === 'relaxed',
    pad: read.oneOf('ragged', ['error', 'pad']) === 'pad',
    hasHeader: header === true,
    names: typeof header === 'boolean' ? undefined : [...header],
    columns: columns && [...columns],
    types: fieldTypes(read, action),
  })
  return recordsOf(name, sources, kind, kind.plan)
}

const QUOTE = 0x22

/** An option that is one character of ASCII, as its byte; -1 for none. */
function character(
  read: OptionReader<CsvOptions>,
  name: 'delimiter' | 'quote' | 'escape' | 'comment',
  mayBeNone = false,
): number | undefined {
  const expected = `one character of ASCII, not a line end${mayBeNone ? ", or ''" : ''}`
  const value = read.value(
    name,
    expected,
    (value) => typeof value === 'string' && ((mayBeNone && value === '') || /^[\t -~]$/.test(value)),
  )
  return value === undefined ? undefined : value === '' ? -1 : value.charCodeAt(0)
}

function assertDifferent(action: string, given: Readonly<Record<string, number | undefined>>): void {
  const all = Object.entries(given).filter(([, value]) => value !== undefined && value >= 0)
  for (const [index, [name, value]] of all.entries()) {
    const [other] = all.slice(0, index).find(([, before]) => before === value) ?? []
    if (other === undefined || (name === 'escape' && other === 'quote')) continue
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as '${other}' and '${name}' must differ: received ${received(String.fromCharCode(value ?? 0))} for both`,
    )
  }
}

function isHeader(value: unknown): boolean {
  return typeof value === 'boolean' || isNames(value)
}
