/**
 * Groups the values of a column by kind: numbers, strings, dates, records of the same keys, arrays, and the plain rest.
 * A group takes values for as long as they fit. Only the first that does not fit is looked at.
 */
import { CONSTANTS, FIRST_CONSTANT } from './column.js'
import { elementsOf } from './elements.js'
import { MAX_GROUPS, MAX_KEYS } from './limits.js'
import { areIntegers, areNumbers, ListGroup, NumberListGroup } from './lists.js'
import { DateGroup, isDateLike, NumberGroup } from './numbers.js'
import { createField, type Field } from './compile.js'
import { isBareObject, isRecord, type DirectSplit, type Shape, type Shapes } from './shapes.js'
import { MAX_SEGMENT_LENGTH, TextGroup } from './text.js'

/** Longer arrays are lists, even where all have one length. */
const MAX_TUPLE_LENGTH = 16
/** A group pays if it has this many values on average. */
const MIN_ROWS_PER_GROUP = 16

const SAMPLES = 8
/** With a larger share of plain values, a column costs more than it saves. */
const MAX_PLAIN_SHARE = 1 / 4
const MAX_PLAIN_TUPLE_SHARE = 1 / 2
/** Lists of more strings on average, and little else, cost less when they are cloned: strings gain nothing. */
const MAX_STRINGS = 3
const MAX_TEXT_SHARE = 1 / 2
const MAX_CHANGE_SHARE = 1 / 4

export interface Grouped {
  readonly groups: readonly Group[]
  /** For each value the number of its group, or its constant's tag. Missing when all are of one group. */
  readonly tags: Uint8Array | undefined
}

export type Group = NumberGroup | DateGroup | TextGroup | RecordGroup | NumberListGroup | ListGroup | PlainGroup

/** Records of one shape, or tuples of one length. */
export class RecordGroup {
  readonly shape: Shape
  length = 0
  readonly #capacity: number
  /** While it is used, all fields are of its kinds. */
  #direct: DirectSplit | undefined
  #fields: readonly Field[]

  /** @param capacity How many records there may be; 0: not known, and then any number finds room. */
  constructor(shape: Shape, capacity: number) {
    this.shape = shape
    this.#capacity = capacity
    this.#direct = capacity > 0 ? shape.direct : undefined
    this.#fields = this.#direct?.kinds.map((kind) => createField(kind, capacity)) ?? this.#arrays()
  }

  /** The values of each key, or its column. */
  get fields(): readonly Field[] {
    return this.#fields
  }

  take(values: readonly unknown[], from: number): number {
    let end = this.#direct?.split(values, from, this.#fields, this.length) ?? from
    if (this.#direct !== undefined && end === from && this.length === 0) {
      // Its values are not such as the ones before: nothing is known of them.
      this.#direct = undefined
      this.#fields = this.#arrays()
    }
    if (this.#direct === undefined) end = this.shape.split(values, from, this.#fields as unknown[][], this.length)
    this.length += end - from
    return end
  }

  #arrays(): unknown[][] {
    return this.shape.keys.map(() => new Array<unknown>(this.#capacity))
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

/** One of a few values, from the one at `from` to the last. */
function sampleOf(values: readonly unknown[], from: number, sample: number): unknown {
  return values[from + Math.floor((sample * (values.length - 1 - from)) / (SAMPLES - 1))]
}

/** Whether arrays such as these cost no more when they are cloned. Judged by their first elements. */
function isBestCloned(lists: readonly (readonly unknown[])[], areTuples: boolean): boolean {
  let elements = 0
  let plain = 0
  let text = 0
  let changes = 0
  let last: unknown
  for (const list of lists) {
    for (let at = 0; at < Math.min(list.length, MAX_TUPLE_LENGTH); at++) {
      const kind = groupKindOf(list[at])
      elements++
      if (kind === 'plain') plain++
      else if (kind === 'text') text++
      if (kind !== last && kind !== 'constant') changes++
      last = kind
    }
  }
  const share = areTuples ? MAX_PLAIN_TUPLE_SHARE : MAX_PLAIN_SHARE
  if (areTuples || plain > elements * share) return plain > elements * share
  if (text > elements * MAX_TEXT_SHARE && text > lists.length * MAX_STRINGS) return true
  return changes > Math.max(SAMPLES, elements * MAX_CHANGE_SHARE)
}

class Grouper {
  readonly #values: readonly unknown[]
  readonly #shapes: Shapes
  readonly #groups: Group[] = []
  /** The tags of the groups of records, of those of arrays, and of the one group of each other kind. */
  readonly #records: number[] = []
  readonly #arrays: number[] = []
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
      for (const tag of Array.isArray(value) ? this.#arrays : this.#records) {
        const end = this.#take(tag, at)
        if (end > at) return end
      }
    }
    const kind = groupKindOf(value)
    if (kind === 'constant') {
      this.#tag = FIRST_CONSTANT + CONSTANTS.indexOf(value)
      return at + 1
    }
    const tag = kind === 'record' || kind === 'array' ? undefined : this.#others.get(kind)
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
    // A later group takes more arrays than one before it.
    else if (kind === 'array') this.#arrays.unshift(tag)
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
      case 'array':
        return this.#createArrayGroup(at)
      case 'plain':
        return new PlainGroup()
    }
  }

  /** The group for an array: numbers, then tuples, then any lists. Undefined when arrays like it are better cloned. */
  #createArrayGroup(at: number): Group | undefined {
    const opened = this.#arrays.map((tag) => this.#groups[tag])
    const capacity = this.#values.length - at
    const lists: (readonly unknown[])[] = []
    for (let sample = 0; sample < SAMPLES; sample++) {
      const elements = elementsOf(sampleOf(this.#values, at, sample))
      if (elements !== undefined) lists.push(elements)
    }
    if (!opened.some((group) => group instanceof NumberListGroup) && lists.every(areNumbers)) {
      return new NumberListGroup(capacity, lists.every(areIntegers))
    }
    const length = lists[0]?.length ?? 0
    const tuples = opened.find((group) => group instanceof RecordGroup)
    const areTuples =
      tuples === undefined && length <= MAX_TUPLE_LENGTH && lists.every((list) => list.length === length)
    if (isBestCloned(lists, areTuples)) return undefined
    if (!areTuples) return new ListGroup(capacity, tuples?.shape.keys.length)
    return new RecordGroup(this.#shapes.ofTuple(length), this.#groups.length === 0 ? capacity : 0)
  }
}

type GroupKind = 'number' | 'text' | 'date' | 'record' | 'array' | 'plain'

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
      return value === null ? 'constant' : groupKindOfObject(value)
    default:
      return 'plain'
  }
}

function groupKindOfObject(value: object): GroupKind {
  if (Array.isArray(value)) return elementsOf(value) === undefined ? 'plain' : 'array'
  if (isDateLike(value)) return 'date'
  return isRecord(value) ? 'record' : 'plain'
}
