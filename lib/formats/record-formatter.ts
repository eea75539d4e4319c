/** Formats values, one after the other, into one batch of records. Workers and this thread use the same one. */
import { ByteRecords } from './byte-records.js'
import { CsvRecords } from './csv-records.js'
import { Formatted, placeOf, type Run } from './formatted.js'
import { JsonRecords } from './json-records.js'
import type { OutputFormat, PlainFormat } from './output-format.js'
import { PackedRows } from './packed-rows.js'
import { partitionNames, type PartitionOf } from './partition-name.js'
import { TextLines } from './text-lines.js'

export class RecordFormatter {
  readonly #records: ByteRecords
  /** Its records may have other keys than the output has columns. */
  readonly #table: CsvRecords | PackedRows | undefined
  #runs: Run[] | undefined
  readonly #partitionOf: ReturnType<typeof partitionNames>
  #names = new Map<string, number>()
  #partitions: number[] = []
  readonly #column: string | undefined
  /** Whether one of the records has the column of the partitions. */
  #hasColumn = false

  /** @param partitionOf Gives the partition of a record. Default: that of the format, if it has one. */
  constructor(format: OutputFormat, partitionOf?: PartitionOf) {
    this.#partitionOf = partitionNames(format, partitionOf)
    this.#column = format.partition
    if (format.kind === 'csv') this.#table = new CsvRecords(format)
    else if (format.kind === 'parquet') this.#table = new PackedRows(format)
    const plain = format.kind === 'text' ? TextLines : JsonRecords
    this.#records = new ByteRecords(this.#table ?? new plain(format as PlainFormat))
  }

  /** How many records it has. */
  get count(): number {
    return this.#records.count
  }

  /** How long they are, in bytes. Those that are still text count as UTF-16 units. */
  get length(): number {
    return this.#records.length
  }

  /** Adds the record of a value. If that throws, nothing is added. @param index The index of its item. @param file The file that this is from. */
  add(value: unknown, index: number, file?: string): void {
    this.#records.format(value, index)
    if (this.#column !== undefined) this.#hasColumn ||= this.#column in Object(value)
    if (this.#partitionOf !== undefined)
      this.#partitions.push(placeOf(this.#names, this.#partitionOf(value, index, file)))
    const keys = this.#table?.keys
    if (keys !== undefined && this.#runs?.at(-1)?.keys !== keys) (this.#runs ??= []).push({ keys, from: this.count })
    this.#records.add()
  }

  /** Adds an empty record in the place of an item that has failed. */
  addNothing(): void {
    this.#records.addNothing()
    if (this.#partitionOf !== undefined) this.#partitions.push(0)
  }

  /** Forgets the records from number `count` on. */
  truncate(count: number): void {
    this.#records.truncate(count)
    if (this.#partitionOf !== undefined) this.#partitions.length = count
    this.#runs = this.#runs?.filter(({ from }) => from < count)
  }

  /** The records. After that it has none. */
  take(): Formatted {
    const partitions = this.#partitionOf && {
      names: [...this.#names.keys()],
      of: this.#partitions,
      hasColumn: this.#hasColumn,
    }
    const { bytes, ends } = this.#records.take()
    const all = new Formatted(bytes, ends, { runs: this.#runs, partitions })
    if (partitions !== undefined) {
      this.#names = new Map()
      this.#partitions = []
      this.#hasColumn = false
    }
    this.#runs = undefined
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
