/** Rows of a unit whose columns have been decoded. An object is made when its row is asked for. */
import { compile } from '../codec/compile.js'
import { placeInUnit, type DecodedRows, type RowUnit } from '../codec/rows/row-data.js'
import { attempt, RecordError } from '../errors.js'
import { reasonOf } from './faults.js'
import type { Shape } from './shape.js'
import { converterOf, type Convert } from './values.js'

export interface DecodedColumn {
  readonly name: string
  readonly shape: Shape
  readonly values: ArrayLike<unknown>
  /** The position in the unit of the first value: 0, or less if a page begins before. */
  readonly start: number
}

export class Rows implements DecodedRows {
  readonly #unit: RowUnit
  readonly #columns: readonly DecodedColumn[]
  readonly #converters: readonly (Convert | undefined)[]
  readonly #build: BuildRow
  /** The values of the row that is made. */
  readonly #values: unknown[] = []

  constructor(unit: RowUnit, columns: readonly DecodedColumn[]) {
    this.#unit = unit
    this.#columns = columns
    this.#converters = columns.map(({ shape }) => converterOf(shape))
    this.#build = rowBuilder(columns.map(({ name }) => name))
  }

  row(position: number): unknown {
    const values = this.#values
    let i = -1
    for (const column of this.#columns) {
      i++
      const given = column.values[position - column.start]
      const convert = this.#converters[i]
      try {
        values[i] = convert === undefined ? (given ?? null) : convert(given)
      } catch (error) {
        throw this.#error(column, position, error)
      }
    }
    return this.#build(values)
  }

  #error({ name }: DecodedColumn, position: number, cause: unknown): RecordError {
    const place = placeInUnit(this.#unit, position)
    const text = `Cannot read record ${place.record} of '${this.#unit.file}' as its value of column '${name}' cannot be read: ${reasonOf(cause)}`
    return new RecordError(text, 'ERR_PARQUET', place, { cause })
  }
}

type BuildRow = (values: readonly unknown[]) => unknown

/** Rows of more columns are made without code that is generated for them. */
const MAX_GENERATED = 1_000

/** The code is made of the names alone, each written as a JSON string. */
function rowBuilder(names: readonly string[]): BuildRow {
  const plain: BuildRow = (values) => Object.fromEntries(names.map((name, at) => [name, values[at]]))
  if (names.length > MAX_GENERATED) return plain
  // A computed name, since `__proto__: value` sets the prototype.
  const members = names.map((name, at) => `[${JSON.stringify(name)}]: values[${at}]`)
  return attempt(() => compile(`return (values) => ({ ${members.join(', ')} })`)() as BuildRow) ?? plain
}
