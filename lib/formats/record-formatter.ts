/** Formats values, one after the other, into one text. Workers and this thread use the same one. */
import { fieldText, lineOf, NOT_A_FIELD, type FieldText } from './csv-field.js'
import { badColumn, rowText, type RowText } from './csv-row.js'
import { Formatted, placeOf, type Run } from './formatted.js'
import { readHeader } from './header-memory.js'
import { arrayError, formatError, keyError, widthError } from './format-error.js'
import type { CsvFormat, OutputFormat, PlainFormat } from './output-format.js'
import { partitionNames, type PartitionOf } from './partition-name.js'
import { received } from '../errors.js'

/** Gives the text of a value, the line end included. Throws an `OutputError`. */
interface TextSource {
  textOf(value: unknown, index: number): string
}

export class RecordFormatter {
  readonly #source: TextSource
  readonly #csv: CsvRecords | undefined
  #text = ''
  #ends: number[] = []
  #runs: Run[] | undefined
  #isEmpty = true
  readonly #partitionOf: ReturnType<typeof partitionNames>
  #names = new Map<string, number>()
  #partitions: number[] = []

  /** @param partitionOf Gives the partition of a record. Default: that of the format, if it has one. */
  constructor(format: OutputFormat, partitionOf?: PartitionOf) {
    this.#partitionOf = partitionNames(format, partitionOf)
    if (format.kind === 'csv') this.#csv = new CsvRecords(format)
    this.#source = this.#csv ?? plainText(format as PlainFormat)
  }

  /** How many records it has. */
  get count(): number {
    return this.#ends.length
  }

  /** How long their text is, in UTF-16 units. */
  get length(): number {
    return this.#text.length
  }

  /** Adds the record of a value. If that throws, nothing is added. @param index The index of its item. @param file The file that this is from. */
  add(value: unknown, index: number, file?: string): void {
    if (this.#csv !== undefined && this.#isEmpty) this.#csv.begin()
    this.#isEmpty = false
    const text = this.#source.textOf(value, index)
    if (this.#partitionOf !== undefined)
      this.#partitions.push(placeOf(this.#names, this.#partitionOf(value, index, file)))
    this.#text += text
    const keys = this.#csv?.keys
    if (keys !== undefined && this.#runs?.at(-1)?.keys !== keys) (this.#runs ??= []).push({ keys, from: this.count })
    this.#ends.push(this.#text.length)
  }

  /** Adds an empty record in the place of an item that has failed. */
  addNothing(): void {
    this.#ends.push(this.#text.length)
    if (this.#partitionOf !== undefined) this.#partitions.push(0)
  }

  /** Forgets the records from number `count` on. */
  truncate(count: number): void {
    this.#text = this.#text.slice(0, this.#ends[count - 1] ?? 0)
    this.#ends.length = count
    if (this.#partitionOf !== undefined) this.#partitions.length = count
    this.#runs = this.#runs?.filter(({ from }) => from < count)
  }

  /** The records. After that it has none. */
  take(): Formatted {
    const partitions = this.#partitionOf && { names: [...this.#names.keys()], of: this.#partitions }
    const all = new Formatted({ text: this.#text }, this.#ends, { runs: this.#runs, partitions })
    if (partitions !== undefined) {
      this.#names = new Map()
      this.#partitions = []
    }
    this.#text = ''
    this.#ends = []
    this.#runs = undefined
    this.#isEmpty = true
    return all
  }
}

const formatters = new WeakMap<OutputFormat, RecordFormatter>()

/** The formatter of this thread for a format. Between two calls of it nothing must stay in it. */
export function formatterFor(format: OutputFormat): RecordFormatter {
  let known = formatters.get(format)
  if (known === undefined) formatters.set(format, (known = new RecordFormatter(format)))
  return known
}

function plainText(format: PlainFormat): TextSource {
  if (format.kind === 'text') return { textOf: (value, index) => lineOfText(format, value, index) }
  // Each element of an array begins with the comma that separates it from the one before.
  const [before, after] = format.kind === 'json' ? [',\n', ''] : ['', '\n']
  return { textOf: (value, index) => before + jsonText(format, value, index) + after }
}

function lineOfText(format: PlainFormat, value: unknown, index: number): string {
  if (typeof value === 'string') return `${value}\n`
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `${String(value)}\n`
  const cure = 'make text of it, or choose another format: ndjson, json, csv, tsv'
  throw formatError(format, index, 'it must be a string', received(value), cure)
}

function jsonText(format: PlainFormat, value: unknown, index: number): string {
  let text: unknown
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    const reason = `JSON.stringify() threw '${(cause as Partial<Error> | undefined)?.message ?? String(cause)}'`
    throw formatError(format, index, reason, received(value), 'give plain data', { cause })
  }
  if (typeof text === 'string') return text
  throw formatError(format, index, 'JSON has no such value', received(value), 'give plain data, or null')
}

/** Code is generated for the rows of this many different lists of keys. */
const MAX_GENERATED = 50

interface Shape {
  readonly keys: readonly string[]
  readonly row: RowText
}

class CsvRecords implements TextSource {
  /** The keys, or the number of fields, of the last record; undefined where it has the columns of the output. */
  keys: readonly string[] | number | undefined
  readonly #format: CsvFormat
  readonly #field: FieldText
  /** Whether the user has given the columns: all other keys are left out. */
  readonly #isGiven: boolean
  /** The columns of the output, if they are known. */
  #columns: Shape | undefined
  #isColumn: ReadonlySet<string> = new Set()
  #shape: Shape | undefined
  readonly #shapes = new Map<string, Shape>()

  constructor(format: CsvFormat) {
    this.#format = format
    this.#isGiven = format.columns !== undefined
    this.#field = fieldText(format)
    if (format.columns !== undefined) this.#know(format.columns)
  }

  /** Before the first record of a batch: the columns may be known by now. In a batch they stay known or unknown. */
  begin(): void {
    const { header } = this.#format
    const keys = this.#columns === undefined && header !== undefined ? readHeader(header) : undefined
    if (keys === undefined) return
    this.#know(keys)
    this.#shapes.clear()
  }

  textOf(value: unknown, index: number): string {
    if (typeof value !== 'object' || value === null) {
      const cure = 'give objects; for text, the format text'
      throw this.#error(index, 'it must be an object, or an array of fields', value, cure)
    }
    const columns = this.#columns
    if (Array.isArray(value)) return this.#lineOfArray(value, columns, index)
    const record = value as Readonly<Record<string, unknown>>
    if (columns !== undefined && !this.#isGiven) this.#assertColumns(record, columns.keys, index)
    const { keys, row } = columns ?? this.#shapeOf(record)
    this.keys = columns === undefined ? keys : undefined
    try {
      return row(record)
    } catch (error) {
      throw error === NOT_A_FIELD ? this.#fieldError(record, this.#isGiven ? keys : Object.keys(record), index) : error
    }
  }

  #know(keys: readonly string[]): void {
    this.#columns = { keys, row: rowText(keys, this.#format.delimiter, this.#field) }
    this.#isColumn = new Set(keys)
  }

  #lineOfArray(fields: readonly unknown[], columns: Shape | undefined, index: number): string {
    if (fields.length === 0) throw this.#error(index, 'it has no fields', fields, 'give the fields of each record')
    let line: string
    try {
      line = lineOf(Array.from(fields, this.#field).join(this.#format.delimiter))
    } catch (error) {
      throw error === NOT_A_FIELD ? this.#fieldError(fields as never, [...fields.keys()], index) : error
    }
    if (columns !== undefined && !this.#isGiven) throw arrayError(this.#format, index, fields.length)
    if (columns !== undefined && fields.length !== columns.keys.length) {
      throw widthError(this.#format, index, fields.length, columns.keys.length)
    }
    this.keys = columns === undefined ? fields.length : undefined
    return line
  }

  /** The shape of a record that may be the first of the output. */
  #shapeOf(record: object): Shape {
    if (this.#shape !== undefined && hasKeys(record, this.#shape.keys)) return this.#shape
    const keys = Object.keys(record)
    const name = JSON.stringify(keys)
    let shape = this.#shapes.get(name)
    if (shape === undefined) {
      const mayGenerate = this.#shapes.size < MAX_GENERATED
      shape = { keys, row: rowText(keys, this.#format.delimiter, this.#field, mayGenerate) }
      if (mayGenerate) this.#shapes.set(name, shape)
    }
    this.#shape = shape
    return shape
  }

  /** A field that has no text is told first, as on a thread that does not know the columns. */
  #assertColumns(record: Readonly<Record<string, unknown>>, columns: readonly string[], index: number): void {
    if (hasKeys(record, columns)) return
    const keys = Object.keys(record)
    const extra = keys.find((key) => !this.#isColumn.has(key))
    if (extra === undefined) return
    if (badColumn(keys, record, this.#field) !== undefined) throw this.#fieldError(record, keys, index)
    throw keyError(this.#format, index, extra, columns)
  }

  #fieldError(
    record: Readonly<Record<string | number, unknown>>,
    keys: readonly (string | number)[],
    index: number,
  ): Error {
    const key = badColumn(keys, record, this.#field) ?? ''
    const reason = `its field ${typeof key === 'number' ? key : `'${key}'`} must be a string, number, bigint, boolean, valid Date or null`
    return this.#error(index, reason, record[key], 'make text of it in the task, for example by JSON.stringify()')
  }

  #error(index: number, reason: string, value: unknown, cure: string): Error {
    return formatError(this.#format, index, reason, received(value), cure)
  }
}

/** Whether a record has exactly these keys in this order. (It may say no where an inherited key is enumerable.) */
function hasKeys(record: object, keys: readonly string[]): boolean {
  let at = 0
  for (const key in record) if (key !== keys[at++]) return false
  return at === keys.length
}
