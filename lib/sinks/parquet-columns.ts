/**
 * The columns of a Parquet file: rows become a row group, column by column. The type of a column is that of its first
 * value. Until that comes, its chunks have only nulls, and any type will do for them: the footer has the right one.
 */
import { TAG, typeOfTag, type ColumnType } from '../formats/column-type.js'
import { endOfValue, unpackValue } from '../formats/packed-value.js'
import { MILLRACE_VERSION } from '../version.js'
import type { ByteWriter, ColumnData, ParquetPackage, ParquetWriter, SchemaElement } from './parquet-package.js'

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

  /** @param count How many rows there are in these pieces. @returns The bytes of the file that come next. */
  write(pieces: readonly Uint8Array[], count: number): Uint8Array {
    const columns = this.#columns
    const data = columns.map(() => new Array<unknown>(count))
    let row = 0
    for (const piece of pieces) {
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      // Behind the values of a row is the mark of its end.
      for (let at = 0; at < bytes.length; at++, row++) {
        for (let place = 0; place < columns.length; place++) {
          const tag = bytes[at]
          if (tag !== TAG.null && columns[place]?.type === undefined) this.#decide(place, typeOfTag(tag))
          const values = data[place]
          if (values !== undefined) values[row] = unpackValue(bytes, at)
          at = endOfValue(bytes, at)
        }
      }
    }
    const columnData = columns.map(({ element, type }, place) => chunkOf(element.name, type, data[place] ?? []))
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

function chunkOf(name: string, type: ColumnType | undefined, data: readonly unknown[]): ColumnData {
  // The least and the greatest text of JSON are of no use, and may be long.
  if (type === 'json') return { name, data, statistics: false }
  // A dictionary would take the negative zero for the other one.
  if (type === 'double' && data.some((value) => Object.is(value, -0))) return { name, data, encoding: 'PLAIN' }
  return { name, data }
}
