/**
 * The columns of a Parquet file: rows become a row group, column by column. The type of a column is that of its first
 * value. Until that comes, its chunks have only nulls, and any type will do for them: the footer has the right one.
 */
import { TAG, typeOfTag, type ColumnType } from '../formats/column-type.js'
import { MILLRACE_VERSION } from '../version.js'
import type { ByteWriter, ColumnData, ParquetPackage, ParquetWriter, SchemaElement } from './parquet-package.js'
import { RowGroup } from './row-group.js'

/** A column that has no values at all has this type. */
const UNKNOWN: ColumnType = 'string'

const ELEMENTS: Readonly<Record<ColumnType, Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  double: { type: 'DOUBLE' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  boolean: { type: 'BOOLEAN' },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  bytes: { type: 'BYTE_ARRAY' },
  // Its text is written as bytes. The older name of the type would make the package write JSON of them: see `finish()`.
  json: { type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } },
}

interface Column {
  readonly element: SchemaElement
  type: ColumnType | undefined
}

export class ParquetColumns {
  readonly #writer: ByteWriter
  readonly #file: ParquetWriter
  readonly #columns: readonly Column[]

  /** @param types Of the columns whose types are given. */
  constructor(
    { ByteWriter, ParquetWriter }: ParquetPackage,
    names: readonly string[],
    types: ReadonlyMap<string, ColumnType>,
  ) {
    this.#columns = names.map((name) => {
      const type = types.get(name)
      return { type, element: { name, repetition_type: 'OPTIONAL', ...ELEMENTS[type ?? UNKNOWN] } }
    })
    this.#writer = new ByteWriter()
    this.#file = new ParquetWriter({
      writer: this.#writer,
      schema: [{ name: 'root', num_children: names.length }, ...this.#columns.map(({ element }) => element)],
      createdBy: `millrace version ${MILLRACE_VERSION}`,
    })
  }

  /** @param rows Whole rows. @param count How many. @returns The bytes of the file that come next. */
  write(rows: Buffer, count: number): Uint8Array {
    const group = new RowGroup(rows, count, this.#columns.length, (place, tag) => {
      if (tag !== TAG.null && this.#columns[place]?.type === undefined) this.#decide(place, typeOfTag(tag))
    })
    const columnData = this.#columns.map(({ element, type }, place) => new Chunk(group, place, element.name, type))
    this.#file.write({ columnData, rowGroupSize: count })
    return this.#take()
  }

  /** The bytes that the file ends with. With no row group, they are the whole file. */
  finish(): Uint8Array {
    for (const { element, type } of this.#columns) if (type === 'json') element.converted_type = 'JSON'
    this.#file.finish()
    return this.#take()
  }

  #decide(place: number, type: ColumnType = UNKNOWN): void {
    const column = this.#columns[place]
    if (column === undefined) return
    column.type = type
    const { element } = column
    delete element.converted_type
    delete element.logical_type
    Object.assign(element, ELEMENTS[type])
    for (const { columns } of this.#file.row_groups) {
      const { meta_data: chunk } = columns[place] ?? {}
      if (chunk !== undefined && element.type !== undefined) chunk.type = element.type
    }
  }

  /** Its memory is given away. */
  #take(): Uint8Array {
    const writer = this.#writer
    const bytes = new Uint8Array(writer.buffer, 0, writer.index)
    writer.buffer = new ArrayBuffer(0)
    writer.view = new DataView(writer.buffer)
    writer.index = 0
    return bytes
  }
}

/** A column of a row group, for the package: it asks for one column after the other. */
class Chunk implements ColumnData {
  readonly name: string
  readonly statistics: boolean
  readonly #group: RowGroup
  readonly #place: number
  readonly #type: ColumnType | undefined

  constructor(group: RowGroup, place: number, name: string, type: ColumnType | undefined) {
    this.name = name
    // The least and the greatest text of JSON are of no use, and may be long.
    this.statistics = type !== 'json'
    this.#group = group
    this.#place = place
    this.#type = type
  }

  get data(): readonly unknown[] {
    return this.#group.valuesOf(this.#place)
  }

  /** A dictionary would take the negative zero for the other one. */
  get encoding(): 'PLAIN' | undefined {
    return this.#type === 'double' && this.data.some((value) => Object.is(value, -0)) ? 'PLAIN' : undefined
  }
}
