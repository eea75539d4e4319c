/** Columns back into values. */
import { CONSTANTS, FIRST_CONSTANT, type Column, type MixedColumn } from './column.js'
import { cutLists } from './lists.js'
import { decodeDates } from './numbers.js'
import type { Shapes } from './shapes.js'
import { decodeText } from './text.js'

/** The values of a column. May be the column's own array: it is decoded once. */
export function decode(column: Column, shapes: Shapes): ArrayLike<unknown> {
  switch (column.kind) {
    case 'numbers':
      return column.numbers
    case 'dates':
      return decodeDates(column)
    case 'text':
      return decodeText(column)
    case 'records': {
      const parts = column.columns.map((part) => decode(part, shapes))
      return shapes.ofText(column.keys, column.bare).build(parts, column.length)
    }
    case 'tuples': {
      const parts = column.columns.map((part) => decode(part, shapes))
      return shapes.ofTuple(parts.length).build(parts, column.length)
    }
    case 'lists':
      return cutLists(column.lengths, column.length, decode(column.elements, shapes))
    case 'plain':
      return column.values
    case 'mixed':
      return decodeMixed(column, shapes)
  }
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
