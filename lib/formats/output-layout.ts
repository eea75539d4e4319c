/**
 * What an output has around its records, and the order of their columns. It is kept on the thread that writes. It brings
 * the records of several workers together, in the order in which they are delivered.
 */
import { headerLine, lineOf, rawFields } from './csv-field.js'
import { arrayError, emptyError, keyError, objectError, widthError } from './format-error.js'
import { Formatted, type Run } from './formatted.js'
import { writeHeader } from './header-memory.js'
import type { Json } from '../resume/mark.js'
import type { CsvFormat, OutputFormat } from './output-format.js'
import { PackedLayout } from './packed-layout.js'
import type { PartitionOf } from './partition-name.js'
import type { Settled } from './settled.js'

export class OutputLayout {
  readonly format: OutputFormat
  /** Gives the partition of a record, where that is a function that stays on this thread. */
  readonly partitionOf: PartitionOf | undefined
  /**
   * The columns, since the first record; or the number of fields, where records are arrays. With an output for each file,
   * each has its own, by the name of the file. Otherwise the name is empty.
   */
  readonly #columns = new Map<string, Run['keys']>()

  /** Of an output that keeps columns. */
  readonly packed: PackedLayout | undefined

  constructor(format: OutputFormat, partitionOf?: PartitionOf) {
    this.format = format
    if (format.kind === 'parquet') this.packed = new PackedLayout(format)
    this.partitionOf = partitionOf
  }

  /** Whether records can turn out not to fit when they are settled: those before decide what the columns are. */
  get mayRefuse(): boolean {
    return this.packed !== undefined || (this.format.kind === 'csv' && this.format.columns === undefined)
  }

  /**
   * What stands before the first record. Its first character replaces that of the first record in JSON.
   *
   * @param name The partition.
   */
  head(name = ''): string {
    const { format } = this
    if (format.kind === 'json') return '['
    if (format.kind !== 'csv') return ''
    const columns = format.columns ?? this.#columns.get(format.byFile === true ? name : '')
    return typeof columns === 'object' ? headerLine(columns, format) : ''
  }

  /** What stands behind the last record. @param isEmpty Whether there is none. */
  tail(isEmpty: boolean): string {
    if (this.format.kind !== 'json') return ''
    return isEmpty ? '[]\n' : '\n]\n'
  }

  /** The columns of all records, if these are objects that must have those of the first one. */
  get columns(): readonly string[] | undefined {
    if (this.packed !== undefined) return this.packed.firstColumns
    const columns = this.mayRefuse ? this.#columns.get('') : undefined
    return typeof columns === 'object' ? columns : undefined
  }

  /**
   * To be called with all records in the order of the output, once with each.
   *
   * @param indexOf The index of the item of a record.
   */
  settle(records: Formatted, indexOf: (record: number) => number): Settled {
    if (this.packed !== undefined) return this.packed.settle(records, indexOf)
    const { runs } = records
    const { format } = this
    if (runs === undefined || format.kind !== 'csv') return { records, errors: undefined }
    const [name = '', ...others] = namesOf(records, format)
    if (others.length === 0) {
      const columns = this.#columnsOf(name, runs[0]?.keys, format)
      if (columns !== undefined && runs.every(({ keys }) => isSame(keys, columns)))
        return { records, errors: undefined }
    }
    return this.#rearranged(records, runs, format, indexOf)
  }

  /** What a later run needs to go on from here. */
  note(): Json {
    return [...this.#columns]
  }

  /** Goes on where an earlier run was. */
  restore(note: Json): void {
    const { format } = this
    for (const [name, keys] of note as [string, Run['keys']][]) {
      this.#columns.set(name, keys)
      if (typeof keys === 'object' && format.kind === 'csv' && format.header !== undefined)
        writeHeader(format.header, keys)
    }
  }

  /** The columns of an output. @param keys Of its next record: they are the columns if no record before had keys. */
  #columnsOf(name: string, keys: Run['keys'] | undefined, format: CsvFormat): Run['keys'] | undefined {
    const known = this.#columns.get(name)
    if (known !== undefined || keys === undefined || isEmpty(keys)) return known
    this.#columns.set(name, keys)
    if (typeof keys === 'object' && format.header !== undefined) writeHeader(format.header, keys)
    return keys
  }

  /** Puts the fields of records with other keys into the order of the columns. */
  #rearranged(
    records: Formatted,
    runs: readonly Run[],
    format: CsvFormat,
    indexOf: (record: number) => number,
  ): Settled {
    const errors = new Map<number, Error>()
    const ends: number[] = []
    let text = ''
    let length = 0
    let next = 0
    let keys: Run['keys'] | undefined
    let name: string | undefined
    let fit: Fit = (line) => line
    for (let record = 0; record < records.length; record++) {
      const run = runs[next]
      const own = nameOf(records, record, format)
      if (run?.from === record || own !== name) {
        if (run?.from === record) keys = runs[next++]?.keys
        name = own
        if (keys !== undefined) fit = fitting(keys, this.#columnsOf(name, keys, format), format)
      }
      const line = records.textOf(record)
      // Else its item has failed.
      if (line !== '') {
        const fitted = fit(line, indexOf(record))
        if (typeof fitted === 'string') {
          text += fitted
          length += Buffer.byteLength(fitted)
        } else errors.set(record, fitted)
      }
      ends.push(length)
    }
    const { partitions } = records
    const settled = new Formatted(new TextEncoder().encode(text), ends, { partitions })
    return { records: settled, errors: errors.size > 0 ? errors : undefined }
  }
}

/** The names of the outputs that have different columns. */
function namesOf({ partitions }: Formatted, { byFile }: CsvFormat): readonly string[] {
  return byFile === true && partitions !== undefined ? partitions.names : ['']
}

function nameOf({ partitions }: Formatted, record: number, { byFile }: CsvFormat): string {
  return byFile === true ? (partitions?.names[partitions.of[record] ?? 0] ?? '') : ''
}

function isEmpty(keys: Run['keys']): boolean {
  return typeof keys === 'object' && keys.length === 0
}

function isSame(keys: Run['keys'], columns: Run['keys']): boolean {
  if (keys === columns) return true
  if (typeof keys === 'number' || typeof columns === 'number') return false
  return keys.length === columns.length && keys.every((key, at) => key === columns[at])
}

/** Gives a line as it fits the columns, or the error of its record. */
type Fit = (line: string, index: number) => string | Error

/** @param columns Undefined: no record before had any keys. */
function fitting(keys: Run['keys'], columns: Run['keys'] | undefined, format: CsvFormat): Fit {
  if (columns === undefined) return (_, index) => emptyError(format, index)
  if (isSame(keys, columns)) return (line) => line
  if (typeof columns === 'number') {
    return typeof keys === 'number'
      ? (_, index) => widthError(format, index, keys, columns)
      : (_, index) => objectError(format, index, keys)
  }
  if (typeof keys === 'number') return (_, index) => arrayError(format, index, keys)
  const extra = keys.find((key) => !columns.includes(key))
  if (extra !== undefined) return (_, index) => keyError(format, index, extra, columns)
  const places = columns.map((column) => keys.indexOf(column))
  return (line) => {
    const fields = rawFields(line.slice(0, -1), format.delimiter)
    if (fields.length === 1 && fields[0] === '""') fields[0] = ''
    return lineOf(places.map((place) => fields[place] ?? '').join(format.delimiter))
  }
}
