/**
 * What an output has around its records, and the order of their columns. It is kept on the thread that writes. It brings
 * the records of several workers together, in the order in which they are delivered.
 */
import { headerLine, lineOf, rawFields } from './csv-field.js'
import { arrayError, emptyError, keyError, objectError, widthError } from './format-error.js'
import { Formatted, type Run } from './formatted.js'
import { writeHeader } from './header-memory.js'
import type { CsvFormat, OutputFormat } from './output-format.js'
import type { PartitionOf } from './partition-name.js'

/** Records that fit the output, and the errors of those that do not: these have empty records. */
export interface Settled {
  readonly records: Formatted
  readonly errors: ReadonlyMap<number, Error> | undefined
}

export class OutputLayout {
  readonly format: OutputFormat
  /** Gives the partition of a record, where that is a function that stays on this thread. */
  readonly partitionOf: PartitionOf | undefined
  /** The columns; or the number of fields, where records are arrays. Undefined until the first record. */
  #columns: readonly string[] | number | undefined

  constructor(format: OutputFormat, partitionOf?: PartitionOf) {
    this.format = format
    this.partitionOf = partitionOf
    if (format.kind === 'csv') this.#columns = format.columns
  }

  /** What stands before the first record. Its first character replaces that of the first record in JSON. */
  get head(): string {
    const { format } = this
    if (format.kind === 'json') return '['
    return format.kind === 'csv' && typeof this.#columns === 'object' ? headerLine(this.#columns, format) : ''
  }

  /** What stands behind the last record. @param isEmpty Whether there is none. */
  tail(isEmpty: boolean): string {
    if (this.format.kind !== 'json') return ''
    return isEmpty ? '[]\n' : '\n]\n'
  }

  /**
   * To be called with all records in the order of the output, once with each.
   *
   * @param indexOf The index of the item of a record.
   */
  settle(records: Formatted, indexOf: (record: number) => number): Settled {
    const { runs } = records
    const { format } = this
    if (runs === undefined || format.kind !== 'csv') return { records, errors: undefined }
    if (this.#columns === undefined) this.#begin(runs[0]?.keys, format)
    const columns = this.#columns
    if (columns !== undefined && runs.every(({ keys }) => isSame(keys, columns))) return { records, errors: undefined }
    return this.#rearranged(records, runs, format, indexOf)
  }

  /** A record has these keys, and none before it had any. */
  #begin(keys: Run['keys'] | undefined, format: CsvFormat): void {
    if (keys === undefined || isEmpty(keys)) return
    this.#columns = keys
    if (typeof keys === 'object' && format.header !== undefined) writeHeader(format.header, keys)
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
    let next = 0
    let fit: Fit = (line) => line
    for (let record = 0; record < records.length; record++) {
      const run = runs[next]
      if (run?.from === record) {
        next++
        if (this.#columns === undefined) this.#begin(run.keys, format)
        fit = fitting(run.keys, this.#columns, format)
      }
      const line = records.textOf(record)
      // Else its item has failed.
      if (line !== '') {
        const own = fit(line, indexOf(record))
        if (typeof own === 'string') text += own
        else errors.set(record, own)
      }
      ends.push(text.length)
    }
    const { partitions } = records
    return { records: new Formatted({ text }, ends, { partitions }), errors: errors.size > 0 ? errors : undefined }
  }
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
