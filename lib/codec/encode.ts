/**
 * Encodes values as a column: grouped by kind, records and tuples split by key, and other arrays by element, level by
 * level. The message clones what is not a record, array, date, number or string.
 *
 * A column makes a copy for each place, so it may only hold objects that stand in one place of their value. Records and
 * dates are compared with those in the same row. An object in a list may stand nowhere else in the chunk. Values that
 * the message clones are searched for such objects.
 */
import type { Column, ListColumn, PlainColumn } from './column.js'
import type { Marks } from './marks.js'
import type { SharedObject } from '../shared/registry.js'
import type { Shapes } from './shapes.js'
import { PlainGroup, RecordGroup, groupByKind, type Group } from './group-by-kind.js'
import { MAX_DEPTH, MAX_LEVELS } from './limits.js'
import type { Field } from './compile.js'
import { ListGroup, NumberListGroup, packed, type Lengths } from './lists.js'
import { trimmed } from './numbers.js'
import { SharingCheck } from './sharing-check.js'
import { TextGroup } from './text.js'

/** Values at all levels, this many. Objects in objects that hold each other many times could become any number. */
const MAX_PLACES = 1_000_000
/** With more arrays of rows, comparing each with each costs more than a set of all objects. */
const MAX_COMPARED = 64
/** A buffer of this many bytes crosses faster when it is moved than when it is copied. */
const MIN_TRANSFERRED_BYTES = 2048

export interface Encoded {
  readonly column: Column
  /** Buffers to be moved with it, which nothing else uses. */
  readonly transfer: readonly ArrayBuffer[]
  readonly bytes: number
  readonly shared: ReadonlySet<SharedObject> | undefined
  readonly marks: Marks | undefined
  /** Whether there is an object in it that cannot go to another process. */
  readonly isForThreads: boolean
}

/** Undefined when cloning is cheaper or needed, or when there are small views, unless these may stay. */
export function encode(values: readonly unknown[], shapes: Shapes, maySmallViewsStay: boolean): Encoded | undefined {
  // A property that all objects inherit would pass for a field of each.
  for (const _ in Object.prototype) return undefined
  const encoder = new Encoder(shapes)
  const part = encoder.encode(values, 0)
  const { column } = part
  if (column.kind === 'plain' || !encoder.isSound(part, maySmallViewsStay)) return undefined
  const { transfer, bytes, shared, marks, isForThreads } = encoder
  return { column, transfer, bytes, shared, marks, isForThreads }
}

interface Part {
  readonly column: Column
  /** The objects it makes copies of: arrays with a place for each row, where they stand among other things. */
  readonly copied: readonly (readonly unknown[])[]
  /** The same, for objects in lists, which have no place by row. */
  readonly listed: readonly (readonly unknown[])[]
}

class Encoder {
  readonly transfer: ArrayBuffer[] = []
  bytes = 0
  shared: ReadonlySet<SharedObject> | undefined
  marks: Marks | undefined
  isForThreads = false
  readonly #shapes: Shapes
  readonly #plain: PlainColumn[] = []
  #places = 0

  constructor(shapes: Shapes) {
    this.#shapes = shapes
  }

  encode(values: readonly unknown[], level: number): Part {
    this.#places += values.length
    const isTooMuch = level > MAX_LEVELS || this.#places > MAX_PLACES
    const sorted = isTooMuch ? undefined : groupByKind(values, this.#shapes)
    if (sorted === undefined) return this.#clone(values)
    const { groups, tags } = sorted
    const parts = groups.map((group, tag) =>
      group instanceof ListGroup
        ? this.#finishLists(group, level, tags === undefined ? values : values.filter((_, at) => tags[at] === tag))
        : this.#finish(group, level),
    )
    const [only] = parts
    if (tags !== undefined || only === undefined) return this.#mix(values, parts, tags ?? new Uint8Array())
    return isCopy(only.column) ? { column: only.column, copied: [values, ...only.copied], listed: only.listed } : only
  }

  /** Whether each object stands in one place of one value, as far as it matters. */
  isSound({ copied, listed }: Part, maySmallViewsStay: boolean): boolean {
    const all = listed.length === 0 ? copied : [...copied, ...listed]
    if (listed.length > 0 || copied.length > MAX_COMPARED ? repeats(all) : rowsMeet(copied)) return false
    const check = new SharingCheck(MAX_DEPTH - MAX_LEVELS - 1, true)
    if (!this.#plain.every(({ values }) => values.every((value) => check.isIndependent(value)))) return false
    if (check.holdsSmallView && !maySmallViewsStay) return false
    this.bytes += check.bytes
    this.shared = check.shared
    this.isForThreads = check.holdsForThreads
    this.marks = check.marks
    return check.isEmpty || !all.some((rows) => rows.some((object) => check.has(object)))
  }

  #mix(values: readonly unknown[], parts: readonly Part[], tags: Uint8Array): Part {
    const columns: Column[] = []
    const copied: (readonly unknown[])[] = []
    const listed = parts.flatMap((part) => part.listed)
    for (const [tag, part] of parts.entries()) {
      columns.push(part.column)
      if (isCopy(part.column)) copied.push(values.map((value, at) => (tags[at] === tag ? value : undefined)))
      for (const rows of part.copied) copied.push(spread(rows, tags, tag))
    }
    return { column: { kind: 'mixed', tags: this.#carry(tags), columns }, copied, listed }
  }

  #finish(group: Exclude<Group, ListGroup>, level: number): Part {
    if (group instanceof RecordGroup) return this.#finishRecords(group, level)
    if (group instanceof PlainGroup) return this.#clone(group.values)
    if (group instanceof NumberListGroup) {
      const column = group.numbers()
      this.#carry(column.numbers)
      return { column: this.#listColumn(group.lengths, column), copied: [], listed: [] }
    }
    const column = group.column()
    switch (column.kind) {
      case 'numbers':
        this.#carry(column.numbers)
        break
      case 'dates':
        this.#carry(column.times)
        break
      case 'text':
        this.#carry(column.lengths)
        for (const segment of column.segments) this.bytes += segment.length
    }
    return { column, copied: [], listed: [] }
  }

  /** @param rows The values of the group. */
  #finishLists({ lengths, elements }: ListGroup, level: number, rows: readonly unknown[]): Part {
    const { column, copied, listed } = this.encode(elements, level + 1)
    if (column.kind !== 'plain') {
      return { column: this.#listColumn(lengths, column), copied: [], listed: [...copied, ...listed] }
    }
    this.#plain.splice(this.#plain.indexOf(column), 1)
    return this.#clone(rows)
  }

  #listColumn(lengths: Lengths, elements: Column): ListColumn {
    const { count, form } = lengths
    return { kind: 'lists', length: count, lengths: typeof form === 'number' ? form : this.#carry(form), elements }
  }

  #finishRecords({ shape, fields, length }: RecordGroup, level: number): Part {
    const columns: Column[] = []
    const copied: (readonly unknown[])[] = []
    const listed: (readonly unknown[])[] = []
    for (const [index, field] of fields.entries()) {
      const part = this.#finishField(field, length, level)
      shape.learn(index, part.column)
      columns.push(part.column)
      copied.push(...part.copied)
      listed.push(...part.listed)
    }
    this.bytes += shape.text.length
    const { text: keys, form } = shape
    if (form === 'tuple') return { column: { kind: 'tuples', length, columns }, copied, listed }
    const column = { kind: 'records', length, keys, columns, ...(form === 'bare' && { bare: true as const }) } as const
    return { column, copied, listed }
  }

  #finishField(field: Field, length: number, level: number): Part {
    if (Array.isArray(field)) {
      field.length = length
      return this.encode(field, level + 1)
    }
    this.#places += length
    if (field instanceof TextGroup) return this.#finish(field, level)
    const numbers = this.#carry(trimmed(field, length))
    return { column: { kind: 'numbers', numbers }, copied: [], listed: [] }
  }

  #clone(values: readonly unknown[]): Part {
    const column = { kind: 'plain', values: packed(values) } as const
    this.#plain.push(column)
    return { column, copied: [], listed: [] }
  }

  #carry<T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(array: T): T {
    this.bytes += array.byteLength
    if (array.byteLength >= MIN_TRANSFERRED_BYTES) this.transfer.push(array.buffer as ArrayBuffer)
    return array
  }
}

function isCopy({ kind }: Column): boolean {
  return kind === 'records' || kind === 'tuples' || kind === 'lists' || kind === 'dates'
}

/** The rows of the group with a tag, each in its place among the rows of all groups. */
function spread(rows: readonly unknown[], tags: Uint8Array, tag: number): readonly unknown[] {
  let next = 0
  return Array.from(tags, (each) => (each === tag ? rows[next++] : undefined))
}

function rowsMeet(copied: Part['copied']): boolean {
  return copied.some((rows, index) => copied.some((others, other) => other > index && meet(rows, others)))
}

/** Whether an object stands in two places, of one value or of two. */
function repeats(copied: Part['copied']): boolean {
  const seen = new Set<unknown>()
  for (const rows of copied) {
    for (const value of rows) {
      if (typeof value !== 'object' || value === null) continue
      if (seen.has(value)) return true
      seen.add(value)
    }
  }
  return false
}

function meet(some: readonly unknown[], others: readonly unknown[]): boolean {
  for (let at = 0; at < some.length; at++) {
    const value = some[at]
    if (value === others[at] && typeof value === 'object' && value !== null) return true
  }
  return false
}
