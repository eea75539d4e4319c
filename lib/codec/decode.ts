/** Columns back into values. */
import { CONSTANTS, FIRST_CONSTANT, type Column, type MixedColumn } from './column.js'
import type { FieldSource } from './compile.js'
import { cutLists } from './lists.js'
import { decodeDates } from './numbers.js'
import type { Shapes } from './shapes.js'
import { TextReader } from './text.js'

/** The values of a column. May be the column's own array: it is decoded once. */
export function decode(column: Column, shapes: Shapes): ArrayLike<unknown> {
  switch (column.kind) {
    case 'numbers':
      return column.numbers
    case 'dates':
      return decodeDates(column)
    case 'text':
      return new TextReader(column).rest()
    case 'records': {
      const sources = column.columns.map((part) => sourceOf(part, shapes))
      return shapes.ofText(column.keys, column.bare).build(sources, column.length)
    }
    case 'tuples': {
      const sources = column.columns.map((part) => sourceOf(part, shapes))
      return shapes.ofTuple(sources.length).build(sources, column.length)
    }
    case 'lists':
      return cutLists(column.lengths, column.length, decode(column.elements, shapes))
    case 'plain':
      return column.values
    case 'mixed':
      return decodeMixed(column, shapes)
  }
}

/** Strings are cut as they are needed, without an array of them. */
function sourceOf(column: Column, shapes: Shapes): FieldSource {
  return column.kind === 'text' ? new TextReader(column) : decode(column, shapes)
}

function decodeMixed({ tags, columns }: MixedColumn, shapes: Shapes): unknown[] {
  const groups = columns.map((column) => decode(column, shapes))
  const next = new Uint32Array(groups.length)
  const values = new Array<unknown>(tags.length)
  for (let at = 0; at < tags.length; at++) {
    const tag = tags[at] ?? 0
    values[at] = tag < FIRST_CONSTANT ? groups[tag]?.[next[tag]++] : CONSTANTS[tag - FIRST_CONSTANT]
  }
  return values
}
