/**
 * Groups the values of a column by kind: numbers, strings, dates, records of the same keys, and the plain rest. A group
 * takes values for as long as they fit. Only the first that does not fit is looked at.
 */
import { CONSTANTS, FIRST_CONSTANT } from './column.js'
import { DateGroup, isDateLike, NumberGroup } from './numbers.js'
import { isBareObject, isRecord, type Shape, type Shapes } from './shapes.js'
import { MAX_SEGMENT_LENGTH, TextGroup } from './text.js'

const MAX_KEYS = 64
const MAX_GROUPS = 16
/** A group pays if it has this many values on average. */
const MIN_ROWS_PER_GROUP = 16

const SAMPLES = 8
/** With a larger share of plain values, a column costs more than it saves. */
const MAX_PLAIN_SHARE = 1 / 4
const MAX_CHANGE_SHARE = 1 / 4

export interface Grouped {
  readonly groups: readonly Group[]
  /** For each value the number of its group, or its constant's tag. Missing when all are of one group. */
  readonly tags: Uint8Array | undefined
}

export type Group = NumberGroup | DateGroup | TextGroup | RecordGroup | PlainGroup

export class RecordGroup {
  readonly shape: Shape
  readonly parts: readonly unknown[][]
  length = 0

  /** @param expected How many records there may be. More find room as well. */
  constructor(shape: Shape, expected: number) {
    this.shape = shape
    this.parts = shape.keys.map(() => new Array<unknown>(expected))
  }

  take(values: readonly unknown[], from: number): number {
    const end = this.shape.split(values, from, this.parts, this.length)
    this.length += end - from
    return end
  }
}

export class PlainGroup {
  readonly values: unknown[] = []

  /** The value at `from` must be plain. */
  take(values: readonly unknown[], from: number): number {
    let at = from
    do this.values.push(values[at++])
    while (at < values.length && groupKindOf(values[at]) === 'plain')
    return at
  }
}

/** Undefined when a column would do no better than a clone. */
export function groupByKind(values: readonly unknown[], shapes: Shapes): Grouped | undefined {
  return isMostlyPlain(values) ? undefined : new Grouper(values, shapes).group()
}

/** Judged by a few values, so that a chunk of plain values costs little. */
function isMostlyPlain(values: readonly unknown[]): boolean {
  let plain = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    const at = Math.floor((sample * (values.length - 1)) / (SAMPLES - 1))
    if (groupKindOf(values[at]) === 'plain') plain++
  }
  return plain > SAMPLES * MAX_PLAIN_SHARE
}

class Grouper {
  readonly #values: readonly unknown[]
  readonly #shapes: Shapes
  readonly #groups: Group[] = []
  /** The tags of the groups of records, and of the one group of each other kind. */
  readonly #records: number[] = []
  readonly #others = new Map<GroupKind, number>()
  /** The tag of the last run, and that of the last run of other values than constants. */
  #tag = 0
  #lastGroup = 0
  #changes = 0

  constructor(values: readonly unknown[], shapes: Shapes) {
    this.#values = values
    this.#shapes = shapes
  }

  group(): Grouped | undefined {
    const { length } = this.#values
    let tags: Uint8Array | undefined
    for (let at = 0; at < length;) {
      const end = this.#run(at)
      if (end === at || this.#isTooMixed(end)) return undefined
      // All values before the second group have the tag of the first, zero.
      if (this.#tag > 0) tags ??= new Uint8Array(length)
      if (tags === undefined) at = end
      else while (at < end) tags[at++] = this.#tag
    }
    return { groups: this.#groups, tags }
  }

  /** Whether runs are so short, and of values so cheap to clone, that grouping costs more than it saves. */
  #isTooMixed(end: number): boolean {
    if (this.#tag === this.#lastGroup || this.#tag >= FIRST_CONSTANT) return false
    this.#lastGroup = this.#tag
    return ++this.#changes > Math.max(SAMPLES, end * MAX_CHANGE_SHARE) && this.#records.length === 0
  }

  /** Takes a run of values of one kind. @returns Where it ends: at its start when cloning is cheaper. */
  #run(at: number): number {
    const value = this.#values[at]
    if (typeof value === 'object' && value !== null) {
      for (const tag of this.#records) {
        const end = this.#take(tag, at)
        if (end > at) return end
      }
    }
    const kind = groupKindOf(value)
    if (kind === 'constant') {
      this.#tag = FIRST_CONSTANT + CONSTANTS.indexOf(value)
      return at + 1
    }
    const tag = kind === 'record' ? undefined : this.#others.get(kind)
    return this.#take(tag ?? this.#open(kind, at), at)
  }

  #take(tag: number, at: number): number {
    this.#tag = tag
    const group = this.#groups[tag]
    if (group === undefined) return at
    const end = group.take(this.#values, at)
    return group instanceof PlainGroup && group.values.length > this.#values.length * MAX_PLAIN_SHARE ? at : end
  }

  /** Opens a group. @returns Its tag, or one of no group when there are too many groups, or keys. */
  #open(kind: GroupKind, at: number): number {
    const tag = this.#groups.length
    const { length } = this.#values
    if (tag >= Math.min(MAX_GROUPS, 1 + length / MIN_ROWS_PER_GROUP)) return tag
    const group = this.#createGroup(kind, at)
    if (group === undefined) return tag
    this.#groups.push(group)
    if (kind === 'record') this.#records.push(tag)
    else this.#others.set(kind, tag)
    return tag
  }

  #createGroup(kind: GroupKind, at: number): Group | undefined {
    const capacity = this.#values.length - at
    switch (kind) {
      case 'number':
        return new NumberGroup(capacity)
      case 'text':
        return new TextGroup(capacity)
      case 'date':
        return new DateGroup(capacity)
      case 'record': {
        const record = this.#values[at] as object
        const keys = Object.keys(record)
        const isBare = isBareObject(record)
        // Where there is a second group, records may be of many kinds: no room is made for more than there are.
        const expected = this.#groups.length === 0 ? capacity : 0
        return keys.length > MAX_KEYS ? undefined : new RecordGroup(this.#shapes.ofKeys(keys, isBare), expected)
      }
      case 'plain':
        return new PlainGroup()
    }
  }
}

type GroupKind = 'number' | 'text' | 'date' | 'record' | 'plain'

function groupKindOf(value: unknown): GroupKind | 'constant' {
  switch (typeof value) {
    case 'number':
      return 'number'
    case 'string':
      return value.length > MAX_SEGMENT_LENGTH ? 'plain' : 'text'
    case 'boolean':
    case 'undefined':
      return 'constant'
    case 'object':
      if (value === null) return 'constant'
      if (isDateLike(value)) return 'date'
      return isRecord(value) ? 'record' : 'plain'
    default:
      return 'plain'
  }
}
