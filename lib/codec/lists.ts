/** Arrays as a column of lengths and one of all their elements. */
import type { NumberColumn } from './column.js'
import { elementsOf } from './elements.js'
import { trimmed } from './numbers.js'

/** Room for more numbers than these is made as they come. */
const MAX_FIRST_ROOM = 2 ** 17

/** The lengths of lists: one number when all are equal. */
export class Lengths {
  readonly #lengths: Uint16Array
  #count = 0
  #areEqual = true

  constructor(capacity: number) {
    this.#lengths = new Uint16Array(capacity)
  }

  push(length: number): void {
    if (length !== this.#lengths[0] && this.#count > 0) this.#areEqual = false
    this.#lengths[this.#count++] = length
  }

  get count(): number {
    return this.#count
  }

  get form(): number | Uint16Array {
    return this.#areEqual ? (this.#lengths[0] ?? 0) : trimmed(this.#lengths, this.#count)
  }
}

/** Arrays of numbers alone: these go straight into typed arrays, as integers when all of them are. */
export class NumberListGroup {
  readonly lengths: Lengths
  #numbers: Int32Array | Float64Array = new Int32Array(0)
  #total = 0

  constructor(capacity: number) {
    this.lengths = new Lengths(capacity)
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
  const lists = new Array<readonly unknown[]>(count)
  let start = 0
  for (let at = 0; at < count; at++) {
    const length = typeof lengths === 'number' ? lengths : (lengths[at] ?? 0)
    lists[at] = (elements as readonly unknown[]).slice(start, (start += length))
  }
  return lists
}

/** The same code as for fractions, twice: V8 keeps the arrays that one piece of code makes in one form. */
function cutIntegers(lengths: number | Uint16Array, count: number, numbers: Int32Array): number[][] {
  const lists = new Array<number[]>(count)
  let next = 0
  for (let at = 0; at < count; at++) {
    const length = typeof lengths === 'number' ? lengths : (lengths[at] ?? 0)
    if (length === 2) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else if (length === 3) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else {
      const list = new Array<number>(length)
      for (let index = 0; index < length; index++) list[index] = numbers[next++] ?? 0
      lists[at] = list
    }
  }
  return lists
}

function cutFloats(lengths: number | Uint16Array, count: number, numbers: Float64Array): number[][] {
  const lists = new Array<number[]>(count)
  let next = 0
  for (let at = 0; at < count; at++) {
    const length = typeof lengths === 'number' ? lengths : (lengths[at] ?? 0)
    if (length === 2) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else if (length === 3) {
      lists[at] = [numbers[next++] ?? 0, numbers[next++] ?? 0, numbers[next++] ?? 0]
    } else {
      const list = new Array<number>(length)
      for (let index = 0; index < length; index++) list[index] = numbers[next++] ?? 0
      lists[at] = list
    }
  }
  return lists
}
