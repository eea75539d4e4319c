/**
 * The columns of an output of packed rows, and their types: those of the first record, and of the first value in each
 * column. It is kept on the thread that writes, and sees all rows in the order of the output.
 */
import { received } from '../errors.js'
import { TAG, typeOfTag, type ColumnType, type Tag } from './column-type.js'
import { emptyError, keyError, typeError } from './format-error.js'
import type { Formatted } from './formatted.js'
import { writeHeader } from './header-memory.js'
import type { ParquetFormat } from './output-format.js'
import { END_OF_ROW, EXPECTED } from './packed-rows.js'
import { endOfValue, unpackValue } from './packed-value.js'
import { SettledRows, type Settled } from './settled.js'

/** The columns of one output. */
interface Table {
  readonly columns: readonly string[]
  readonly placeOf: ReadonlyMap<string, number>
  /** The type of each, since its first value. Before that it is null. */
  readonly tags: Tag[]
}

/** How rows of some keys fit a table. */
interface Fit {
  readonly table: Table
  /** Where the value of each column is in these rows; -1: it has none. Undefined: each is in its place. */
  readonly places: readonly number[] | undefined
}

type ErrorOf = (index: number) => Error

const ABSENT = Uint8Array.of(TAG.null)
const END = Uint8Array.of(END_OF_ROW)

export class PackedLayout {
  readonly format: ParquetFormat
  /** Of the columns whose types are given. */
  readonly types: ReadonlyMap<string, ColumnType>
  /** With an output for each file, by the name of the file. Otherwise the name is empty. */
  readonly #tables = new Map<string, Table>()

  constructor(format: ParquetFormat) {
    this.format = format
    this.types = new Map(format.types)
  }

  /** The columns of all outputs, once the first record has decided them. */
  get firstColumns(): readonly string[] | undefined {
    return this.format.columns === undefined ? this.#tables.get('')?.columns : undefined
  }

  /** The columns of an output. Without records, they are those that the user has given. */
  columnsOf(name: string): readonly string[] {
    return this.#tables.get(this.#ownName(name))?.columns ?? this.format.columns ?? [...this.types.keys()]
  }

  /** As `OutputLayout.settle()`. */
  settle(records: Formatted, indexOf: (record: number) => number): Settled {
    const { bytes, ends, runs, partitions } = records
    const settled = new SettledRows(records)
    let next = 0
    let keys: readonly string[] | undefined
    let name: string | undefined
    let fit: Fit | ErrorOf | undefined
    for (let record = 0; record < records.length; record++) {
      const run = runs?.[next]
      if (run?.from === record) {
        next++
        keys = typeof run.keys === 'object' ? run.keys : undefined
        fit = undefined
      }
      const start = ends[record - 1] ?? 0
      if (ends[record] === start) {
        // Its item has failed.
        settled.keep(record)
        continue
      }
      const own = this.#ownName(partitions?.names[partitions.of[record] ?? 0] ?? '')
      if (own !== name) fit = undefined
      name = own
      fit ??= this.#fitOf(keys, own)
      if (typeof fit === 'function') {
        settled.fail(record, fit(indexOf(record)))
        continue
      }
      const { table, places } = fit
      const row = places === undefined ? bytes : rearranged(bytes, start, places, keys?.length ?? 0)
      const error = this.#check(table, row, row === bytes ? start : 0, () => indexOf(record))
      if (error !== undefined) settled.fail(record, error)
      else if (row === bytes) settled.keep(record)
      else settled.replace(record, row)
    }
    return settled.take()
  }

  #ownName(name: string): string {
    return this.format.byFile === true ? name : ''
  }

  /** @param keys Undefined: those of the columns, which are known. */
  #fitOf(keys: readonly string[] | undefined, name: string): Fit | ErrorOf {
    const table = this.#tables.get(name) ?? this.#create(this.format.columns ?? keys ?? [], name)
    if (table === undefined) return (index) => emptyError(this.format, index)
    if (keys === undefined || isSame(keys, table.columns)) return { table, places: undefined }
    const places = new Array<number>(table.columns.length).fill(-1)
    for (const [place, key] of keys.entries()) {
      const column = table.placeOf.get(key)
      if (column === undefined) return (index) => keyError(this.format, index, key, table.columns)
      places[column] = place
    }
    return { table, places }
  }

  /** @returns Undefined if there are no columns. */
  #create(keys: readonly string[], name: string): Table | undefined {
    // A type also says that there is a column.
    const columns = [...new Set([...keys, ...this.types.keys()])]
    if (columns.length === 0) return undefined
    const placeOf = new Map(columns.map((column, place) => [column, place]))
    const table = { columns, placeOf, tags: columns.map(() => TAG.null) }
    this.#tables.set(name, table)
    if (this.format.header !== undefined) writeHeader(this.format.header, columns)
    return table
  }

  /** Compares the types of a row with those of the columns. If it fits, its values decide types that are not known yet. */
  #check({ columns, tags }: Table, bytes: Uint8Array, start: number, indexOf: () => number): Error | undefined {
    let isNew = false
    let at = start
    for (let column = 0; column < columns.length; column++) {
      const tag = bytes[at]
      if (tag !== tags[column] && tag !== TAG.null) {
        const known = typeOfTag(tags[column])
        if (known !== undefined)
          return typeError(this.format, indexOf(), columns[column] ?? '', EXPECTED[known], shown(bytes, at))
        isNew = true
      }
      at = endOfValue(bytes, at)
    }
    if (!isNew) return undefined
    at = start
    for (let column = 0; column < columns.length; column++) {
      if (bytes[at] !== TAG.null) tags[column] = bytes[at] as Tag
      at = endOfValue(bytes, at)
    }
    return undefined
  }
}

function isSame(keys: readonly string[], columns: readonly string[]): boolean {
  return keys === columns || (keys.length === columns.length && keys.every((key, at) => key === columns[at]))
}

/** The row whose values are in the order of the columns. @param count How many values the given one has. */
function rearranged(bytes: Uint8Array, start: number, places: readonly number[], count: number): Uint8Array {
  const values: Uint8Array[] = []
  let at = start
  for (let value = 0; value < count; value++) {
    const end = endOfValue(bytes, at)
    values.push(bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat([...places.map((place) => values[place] ?? ABSENT), END])
}

/** A value, as errors show it. */
function shown(bytes: Uint8Array, at: number): string {
  const value = unpackValue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), at)
  switch (bytes[at]) {
    case TAG.timestamp:
      return `${new Date(Number(value)).toISOString()} (a Date)`
    case TAG.json:
      return received(JSON.parse(textOf(value)))
    case TAG.string:
      return received(textOf(value))
    default:
      return received(value)
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : ''
}
