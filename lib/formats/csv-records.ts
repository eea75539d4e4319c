/** Formats values as lines of CSV or TSV. */
import { received } from '../errors.js'
import { fieldText, lineOf, NOT_A_FIELD, type FieldText } from './csv-field.js'
import { badColumn, rowBytes, rowText, type RowBytes, type RowText } from './csv-row.js'
import { arrayError, formatError, keyError, widthError } from './format-error.js'
import { readHeader } from './header-memory.js'
import { hasKeys } from './keys.js'
import type { CsvFormat } from './output-format.js'
import { NOT_SIMPLE, type RecordSource } from './record-source.js'

/** Code is generated for the rows of this many different lists of keys. */
const MAX_GENERATED = 50

interface Shape {
  readonly keys: readonly string[]
  readonly row: RowText
  /** Undefined: its records are formatted as text. */
  readonly write: RowBytes | undefined
}

export class CsvRecords implements RecordSource {
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

  write(value: unknown, bytes: Buffer, at: number): number {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_SIMPLE
    const columns = this.#columns
    if (columns !== undefined && !this.#isGiven && !hasKeys(value, columns.keys)) return NOT_SIMPLE
    const { keys, write } = columns ?? this.#shapeOf(value)
    const end = write?.(value as Readonly<Record<string, unknown>>, bytes, at) ?? NOT_SIMPLE
    if (end >= 0) this.keys = columns === undefined ? keys : undefined
    return end
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
    this.#columns = this.#shapeFor(keys, true)
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
      shape = this.#shapeFor(keys, mayGenerate)
      if (mayGenerate) this.#shapes.set(name, shape)
    }
    this.#shape = shape
    return shape
  }

  #shapeFor(keys: readonly string[], mayGenerate: boolean): Shape {
    return {
      keys,
      row: rowText(keys, this.#format.delimiter, this.#field, mayGenerate),
      write: mayGenerate ? rowBytes(keys, this.#format) : undefined,
    }
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
