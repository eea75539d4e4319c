/** The fields of records and tuples, and the pieces of the code that is generated to split and to build these. */
import type { Column } from './column.js'
import { MAX_SEGMENT_LENGTH, TextGroup, TextReader } from './text.js'

/** Where the values of a field are put: as they are, or straight into a column, if all fit into it. */
export type Field = unknown[] | TextGroup | Int32Array | Float64Array
export type FieldKind = 'any' | 'text' | 'integers' | 'floats'

/**
 * Splits records from `from` on into `fields`, the first at `to`. @returns Where the first one is that does not fit.
 */
export type Split = (records: readonly unknown[], from: number, fields: readonly Field[], to: number) => number
/** Where the values of a field come from. */
export type FieldSource = ArrayLike<unknown> | TextReader
export type Build = (sources: readonly FieldSource[], length: number) => object[]

/** @param source The names of parameters, then the body. It holds nothing from outside except keys, written as JSON. */
export function compile(...source: string[]): (...args: readonly unknown[]) => unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the source is of this library, with keys as JSON
  return new Function(...source) as (...args: readonly unknown[]) => unknown
}

/** Code that returns when a value does not fit into its field. */
export function codeToCheck(kinds: readonly FieldKind[]): string {
  const conditions = kinds.map((kind, index) => {
    const value = `value${index}`
    switch (kind) {
      case 'any':
        return ''
      case 'text':
        return `if (typeof ${value} !== 'string' || ${value}.length > ${MAX_SEGMENT_LENGTH}) return at`
      case 'integers':
        return `if (typeof ${value} !== 'number' || (${value} | 0) !== ${value} || Object.is(${value}, -0)) return at`
      case 'floats':
        return `if (typeof ${value} !== 'number') return at`
    }
  })
  return conditions.join('\n')
}

export function codeToPut(kinds: readonly FieldKind[]): string {
  return kinds
    .map((kind, index) =>
      kind === 'text' ? `field${index}.add(value${index})` : `field${index}[at + shift] = value${index}`,
    )
    .join('\n')
}

export function createField(kind: FieldKind, capacity: number): Field {
  switch (kind) {
    case 'any':
      return new Array<unknown>(capacity)
    case 'text':
      return new TextGroup(capacity)
    case 'integers':
      return new Int32Array(capacity)
    case 'floats':
      return new Float64Array(capacity)
  }
}

/** The kind of field from which the values of a column could have come. */
export function fieldKindOf(column: Column): FieldKind {
  if (column.kind === 'text') return 'text'
  if (column.kind !== 'numbers') return 'any'
  return column.numbers instanceof Int32Array ? 'integers' : 'floats'
}
