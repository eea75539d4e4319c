/** Writes the columns that the codec makes of values: see `column(n)` in `format.ts`. */
import type { Column, ListColumn, MixedColumn, TextColumn } from '../codec/column.js'
import type { ByteWriter } from './byte-writer.js'
import { COLUMN, MIN_UNPADDED } from './format.js'
import type { ValueWriter } from './value-writer.js'

export class ColumnWriter {
  readonly #out: ByteWriter
  readonly #values: ValueWriter

  constructor(out: ByteWriter, values: ValueWriter) {
    this.#out = out
    this.#values = values
  }

  /** @param level How many records and arrays the column stands in. */
  write(column: Column, level = 0): void {
    const out = this.#out
    switch (column.kind) {
      case 'numbers':
        out.u8(column.numbers instanceof Int32Array ? COLUMN.integers : COLUMN.numbers)
        out.array(column.numbers)
        break
      case 'dates':
        out.countObjects(column.times.length)
        out.u8(COLUMN.dates)
        out.array(column.times)
        break
      case 'text':
        this.#text(column)
        break
      case 'records': {
        const keys = JSON.parse(column.keys) as string[]
        out.countObjects(column.length)
        out.u8(column.bare === true ? COLUMN.bare : COLUMN.records)
        out.varint(keys.length)
        for (const key of keys) out.string(key)
        for (const part of column.columns) this.write(part, level + 1)
        this.#padRows(column.length, column.columns.length)
        break
      }
      case 'tuples':
        out.countObjects(column.length)
        out.u8(COLUMN.tuples)
        out.varint(column.columns.length)
        for (const part of column.columns) this.write(part, level + 1)
        this.#padRows(column.length, column.columns.length)
        break
      case 'lists':
        this.#lists(column, level)
        break
      case 'plain':
        out.u8(COLUMN.plain)
        for (const value of column.values) this.#values.write(value, 'a part of a value', level)
        break
      case 'mixed':
        this.#mixed(column, level)
    }
  }

  #text({ lengths, segments }: TextColumn): void {
    this.#out.u8(COLUMN.text)
    this.#out.array(lengths)
    this.#out.varint(segments.length)
    for (const segment of segments) this.#out.string(segment)
  }

  #lists({ length, lengths, elements }: ListColumn, level: number): void {
    const out = this.#out
    out.countObjects(length)
    if (typeof lengths === 'number') {
      out.u8(COLUMN.equalLists)
      out.varint(lengths)
    } else {
      out.u8(COLUMN.lists)
      out.array(lengths)
    }
    this.write(elements, level + 1)
    if (typeof lengths === 'number') this.#padRows(length, lengths)
  }

  #mixed({ tags, columns }: MixedColumn, level: number): void {
    this.#out.u8(COLUMN.mixed)
    this.#out.raw(tags)
    this.#out.varint(columns.length)
    for (const column of columns) this.write(column, level)
  }

  /** So that no row is without bytes: a reader then knows what a column may take. */
  #padRows(rows: number, width: number): void {
    if (width < MIN_UNPADDED) this.#out.zeros(rows)
  }
}
