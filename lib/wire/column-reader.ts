/** Reads columns, as the codec decodes them: see `column(n)` in `format.ts`. */
import {
  CONSTANTS,
  FIRST_CONSTANT,
  type Column,
  type ListColumn,
  type MixedColumn,
  type RecordColumn,
  type TextColumn,
} from '../codec/column.js'
import { MAX_GROUPS, MAX_KEYS, MAX_LEVELS } from '../codec/limits.js'
import { MAX_SEGMENT_LENGTH, SAME } from '../codec/text.js'
import type { ByteReader } from './byte-reader.js'
import { COLUMN, MIN_UNPADDED } from './format.js'
import type { ValueReader } from './value-reader.js'

export class ColumnReader {
  readonly #in: ByteReader
  readonly #values: ValueReader

  constructor(input: ByteReader, values: ValueReader) {
    this.#in = input
    this.#values = values
  }

  /** @param level How many records and arrays the column stands in. */
  read(rows: number, level = 0): Column {
    return this.#column(this.#in.u8(), rows, level)
  }

  #column(kind: number, rows: number, level: number): Column {
    const input = this.#in
    input.assertLeft(rows)
    switch (kind) {
      case COLUMN.integers:
        return { kind: 'numbers', numbers: input.array(Int32Array, rows) }
      case COLUMN.numbers:
        return { kind: 'numbers', numbers: input.array(Float64Array, rows) }
      case COLUMN.dates:
        input.countObjects(rows)
        return { kind: 'dates', times: input.array(Float64Array, rows) }
      case COLUMN.text:
        return this.#text(rows)
      case COLUMN.plain:
        return { kind: 'plain', values: this.#plain(rows, level) }
      case COLUMN.mixed:
        return this.#mixed(rows, level)
    }
    if (level > MAX_LEVELS) throw input.fault(`columns stand more than ${MAX_LEVELS + 1} levels deep`)
    input.countObjects(rows)
    switch (kind) {
      case COLUMN.records:
      case COLUMN.bare:
        return this.#records(kind === COLUMN.bare, rows, level)
      case COLUMN.tuples:
        return { kind: 'tuples', length: rows, columns: this.#columns(this.#width(), rows, level) }
      case COLUMN.equalLists:
        return this.#equalLists(rows, level)
      case COLUMN.lists:
        return this.#lists(rows, level)
      default:
        throw input.fault(`there is no column of kind ${kind}`)
    }
  }

  #plain(rows: number, level: number): unknown[] {
    const values: unknown[] = []
    for (let at = 0; at < rows; at++) values.push(this.#values.read(level))
    return values
  }

  /** Checks that each text is a whole piece of one segment. */
  #text(rows: number): TextColumn {
    const input = this.#in
    const lengths = input.array(Uint16Array, rows)
    const count = input.count()
    const segments: string[] = []
    for (let at = 0; at < count; at++) {
      const segment = input.string()
      if (segment.length > MAX_SEGMENT_LENGTH) throw input.fault('a segment is too long')
      segments.push(segment)
    }
    let next = 0
    let left = 0
    for (let at = 0; at < rows; at++) {
      const length = lengths[at] ?? 0
      if (length === SAME) continue
      if (length > left) left = segments[next++]?.length ?? 0
      if (length > left) throw input.fault('a text is longer than its segment')
      left -= length
    }
    return { kind: 'text', lengths, segments }
  }

  #records(isBare: boolean, rows: number, level: number): RecordColumn {
    const keys = this.#in.distinctStrings(this.#width())
    const columns = this.#columns(keys.length, rows, level)
    return { kind: 'records', length: rows, keys: JSON.stringify(keys), ...(isBare && { bare: true }), columns }
  }

  #width(): number {
    const width = this.#in.varint()
    if (width > MAX_KEYS) throw this.#in.fault(`records have more than ${MAX_KEYS} keys`)
    return width
  }

  #columns(width: number, rows: number, level: number): Column[] {
    const columns: Column[] = []
    for (let at = 0; at < width; at++) columns.push(this.read(rows, level + 1))
    this.#skipPadding(rows, width)
    return columns
  }

  #equalLists(rows: number, level: number): ListColumn {
    const length = this.#in.varint()
    const elements = this.read(rows * length, level + 1)
    this.#skipPadding(rows, length)
    return { kind: 'lists', length: rows, lengths: length, elements }
  }

  #lists(rows: number, level: number): ListColumn {
    const lengths = this.#in.array(Uint16Array, rows)
    let sum = 0
    for (const length of lengths) sum += length
    return { kind: 'lists', length: rows, lengths, elements: this.read(sum, level + 1) }
  }

  #mixed(rows: number, level: number): MixedColumn {
    const input = this.#in
    const tags = new Uint8Array(input.raw(rows))
    const width = input.varint()
    if (width > MAX_GROUPS) throw input.fault(`a column has more than ${MAX_GROUPS} groups`)
    const counts = new Array<number>(FIRST_CONSTANT + CONSTANTS.length).fill(0)
    for (const tag of tags) counts[tag] = (counts[tag] ?? 0) + 1
    if (counts.some((count, tag) => count > 0 && tag >= width && tag < FIRST_CONSTANT)) {
      throw input.fault('a value is of no group')
    }
    const columns: Column[] = []
    for (let tag = 0; tag < width; tag++) {
      const kind = input.u8()
      if (kind === COLUMN.mixed) throw input.fault('a mixed column is in another one')
      columns.push(this.#column(kind, counts[tag] ?? 0, level))
    }
    return { kind: 'mixed', tags, columns }
  }

  #skipPadding(rows: number, width: number): void {
    if (width < MIN_UNPADDED) this.#in.zeros(rows)
  }
}
