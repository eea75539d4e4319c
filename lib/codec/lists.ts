/** Arrays as a column of lengths and one of all their elements. */
import type { NumberColumn } from './column.js'
import { elementsOf } from './elements.js'
import { trimmed } from './numbers.js'

/** Room for more numbers than these is made as they come. */
const MAX_FIRST_ROOM = 2 ** 17

/** The lengths of lists: one number while all are equal. */
export class Lengths {
  readonly #capacity: number
  #count = 0
  #first = 0
  #all: Uint16Array | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  push(length: number): void {
    if (this.#count === 0) this.#first = length
    else if (length !== this.#first) this.#all ??= new Uint16Array(this.#capacity).fill(this.#first, 0, this.#count)
    if (this.#all !== undefined) this.#all[this.#count] = length
    this.#count++
  }

  get count(): number {
    return this.#count
  }

  get form(): number | Uint16Array {
    return this.#all === undefined ? this.#first : trimmed(this.#all, this.#count)
  }
}

/** Arrays of numbers alone: these go straight into typed arrays, as integers when all of them are. */
export class NumberListGroup {
  readonly lengths: Lengths
  #numbers: Int32Array | Float64Array
  #total = 0

  /** @param areIntegers Whether numbers seem to be integers: it saves an array if not. */
  constructor(capacity: number, areIntegers: boolean) {
    this.lengths = new Lengths(capacity)
    this.#numbers = areIntegers ? new Int32Array(0) : new Float64Array(0)
  }

  take(values: readonly unknown[], from: number): number {
    let at = from
    if (this.#numbers instanceof Int32Array) {
      at = this.#takeIntegers(this.#numbers, values, from)
      const elements = elementsOf(values[at])
      if (elements === undefined || !areNumbers(elements)) return at
      const floats = new Float64Array(this.#total + roomFor(elements.length, values.length - at))
      floats.set(this.#numbers.subarray(0, this.#total))
      this.#numbers = floats
    }
    return this.#takeFloats(this.#numbers, values, at)
  }

  numbers(): NumberColumn {
    return { kind: 'numbers', numbers: trimmed(this.#numbers, this.#total) }
  }

  #takeIntegers(numbers: Int32Array, values: readonly unknown[], from: number): number {
    const { lengths } = this
    let total = this.#total
    let at = from
    lists: for (; at < values.length; at++) {
      const elements = elementsOf(values[at])
      if (elements === undefined) break
      const { length } = elements
      if (total + length > numbers.length) {
        const larger = new Int32Array(Math.max(2 * total, total + roomFor(length, values.length - at)))
        larger.set(numbers.subarray(0, total))
        this.#numbers = numbers = larger
      }
      for (let index = 0; index < length; index++) {
        const value = elements[index]
        if (typeof value !== 'number' || (value | 0) !== value || Object.is(value, -0)) break lists
        numbers[total + index] = value
      }
      total += length
      lengths.push(length)
    }
    this.#total = total
    return at
  }

  #takeFloats(numbers: Float64Array, values: readonly unknown[], from: number): number {
    const { lengths } = this
    let total = this.#total
    let at = from
    lists: for (; at < values.length; at++) {
      const elements = elementsOf(values[at])
      if (elements === undefined) break
      const { length } = elements
      if (total + length > numbers.length) {
        const larger = new Float64Array(Math.max(2 * total, total + roomFor(length, values.length - at)))
        larger.set(numbers.subarray(0, total))
        this.#numbers = numbers = larger
      }
      for (let index = 0; index < length; index++) {
        const value = elements[index]
        if (typeof value !== 'number') break lists
        numbers[total + index] = value
      }
      total += length
      lengths.push(length)
    }
    this.#total = total
    return at
  }
}

/** Room for lists, as if all were as long as the next one; or for some of them, which grows. */
function roomFor(length: number, lists: number): number {
  return Math.max(length, Math.min(length * lists, MAX_FIRST_ROOM))
}

export function areNumbers(elements: readonly unknown[]): boolean {
  const { length } = elements
  for (let at = 0; at < length; at++) if (typeof elements[at] !== 'number') return false
  return true
}

/** Whether the first number of a list is a 32-bit integer, if it has any. */
export function areIntegers(elements: readonly unknown[]): boolean {
  const [first = 0] = elements
  return isInteger(first)
}

function isInteger(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value && !Object.is(value, -0)
}

/** Arrays of any elements. */
export class ListGroup {
  readonly lengths: Lengths
  readonly elements: unknown[] = []
  readonly #except: number | undefined

  /** @param except Arrays of this length are left to a group of tuples. */
  constructor(capacity: number, except: number | undefined) {
    this.lengths = new Lengths(capacity)
    this.#except = except
  }

  take(values: readonly unknown[], from: number): number {
    let at = from
    for (; at < values.length; at++) {
      const elements = elementsOf(values[at])
      if (elements === undefined || elements.length === this.#except) break
      const { length } = elements
      this.lengths.push(length)
      for (let index = 0; index < length; index++) this.elements.push(elements[index])
    }
    return at
  }
}

/** @param count How many lists there are. */
export function cutLists(
  lengths: number | Uint16Array,
  count: number,
  elements: ArrayLike<unknown>,
): (readonly unknown[])[] {
  if (elements instanceof Int32Array) return cutIntegers(lengths, count, elements)
  if (elements instanceof Float64Array) return cutFloats(lengths, count, elements)
  const all = packed(elements as readonly unknown[])
  const lists = new Array<readonly unknown[]>(count)
  let start = 0
  for (let at = 0; at < count; at++) {
    const length = typeof lengths === 'number' ? lengths : (lengths[at] ?? 0)
    lists[at] = all.slice(start, (start += length))
  }
  return lists
}

/**
 * The same code as for fractions, twice: V8 keeps the arrays that one piece of code makes in one form.
 *
 * Each list is a copy of a model, which V8 knows to have no holes. An array that was made at its full length might: it is
 * slower to use and to send.
 */
function cutIntegers(lengths: number | Uint16Array, count: number, numbers: Int32Array): number[][] {
  const lists = new Array<number[]>(count)
  const model: number[] = []
  let next = 0
  for (let at = 0; at < count; at++) {
    const length = typeof lengths === 'number' ? lengths : (lengths[at] ?? 0)
    if (length === 2) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else if (length === 3) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else {
      while (model.length < length) model.push(0)
      const list = length === model.length ? model.slice() : model.slice(0, length)
      for (let index = 0; index < length; index++) list[index] = numbers[next++] ?? 0
      lists[at] = list
    }
  }
  return lists
}

function cutFloats(lengths: number | Uint16Array, count: number, numbers: Float64Array): number[][] {
  const lists = new Array<number[]>(count)
  const model: number[] = []
  let next = 0
  for (let at = 0; at < count; at++) {
    const length = typeof lengths === 'number' ? lengths : (lengths[at] ?? 0)
    if (length === 2) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else if (length === 3) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else {
      while (model.length < length) model.push(0.5)
      const list = length === model.length ? model.slice() : model.slice(0, length)
      for (let index = 0; index < length; index++) list[index] = numbers[next++] ?? 0
      lists[at] = list
    }
  }
  return lists
}

/** A copy that V8 knows to have no holes. One that was made at its full length might, and is written index by index. */
export function packed(values: readonly unknown[]): unknown[] {
  const copy: unknown[] = []
  for (const value of values) copy.push(value)
  return copy
}
