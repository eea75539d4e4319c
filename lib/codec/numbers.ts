/** Numbers, as 32-bit integers when all are, and as 64-bit floats when not; and dates, as the floats of their times. */
import type { DateColumn, NumberColumn } from './column.js'

/**
 * Integers are not only smaller. V8 takes every number from an array of floats for a fraction. A field that ever held a
 * fraction costs a separate heap object in every record of that shape.
 */
export class NumberGroup {
  #numbers: Int32Array | Float64Array
  #length = 0

  constructor(capacity: number) {
    this.#numbers = new Int32Array(capacity)
  }

  take(values: readonly unknown[], from: number): number {
    let at = from
    if (this.#numbers instanceof Int32Array) {
      at = this.#takeIntegers(this.#numbers, values, from)
      if (typeof values[at] !== 'number') return at
      const floats = new Float64Array(this.#numbers.length)
      floats.set(this.#numbers.subarray(0, this.#length))
      this.#numbers = floats
    }
    return this.#takeFloats(this.#numbers, values, at)
  }

  #takeIntegers(numbers: Int32Array, values: readonly unknown[], from: number): number {
    const shift = this.#length - from
    let at = from
    for (; at < values.length; at++) {
      const value = values[at]
      if (typeof value !== 'number' || (value | 0) !== value || Object.is(value, -0)) break
      numbers[at + shift] = value
    }
    this.#length = at + shift
    return at
  }

  #takeFloats(numbers: Float64Array, values: readonly unknown[], from: number): number {
    const shift = this.#length - from
    let at = from
    for (; at < values.length; at++) {
      const value = values[at]
      if (typeof value !== 'number') break
      numbers[at + shift] = value
    }
    this.#length = at + shift
    return at
  }

  column(): NumberColumn {
    return { kind: 'numbers', numbers: trimmed(this.#numbers, this.#length) }
  }
}

export class DateGroup {
  readonly #times: Float64Array
  #length = 0

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity)
  }

  take(values: readonly unknown[], from: number): number {
    const shift = this.#length - from
    let at = from
    try {
      // The time of anything but a true Date throws: of an object made to look like one, and of a Proxy of one.
      for (; at < values.length && isDateLike(values[at]); at++) {
        this.#times[at + shift] = Date.prototype.getTime.call(values[at])
      }
    } catch {
      // Not a Date: the caller has to find another group for it.
    }
    this.#length = at + shift
    return at
  }

  column(): DateColumn {
    return { kind: 'dates', times: trimmed(this.#times, this.#length) }
  }
}

export function decodeDates({ times }: DateColumn): Date[] {
  const dates = new Array<Date>(times.length)
  for (let at = 0; at < times.length; at++) dates[at] = new Date(times[at] ?? NaN)
  return dates
}

export function isDateLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Date.prototype
}

/** A view would take its whole buffer along into the message. */
export function trimmed<T extends Uint16Array | Int32Array | Float64Array>(numbers: T, length: number): T {
  return length < numbers.length ? (numbers.slice(0, length) as T) : numbers
}
