/**
 * Detects an object that is given again after it has changed. Values are copied when they are sent, some time after
 * they were given. So an earlier value that is the same object, and was not sent yet, has changed too.
 */

import { types } from 'node:util'

/**
 * How many values of an object are compared, at any depth, and how many bytes of each buffer. Changes in others are not
 * detected.
 */
const MAX_VALUES = 64
const MAX_BYTES = 4_096

export class ReuseCheck {
  #last: object | undefined
  /** The values that the last object had when it was given, if it was the first one of all, or was given twice. */
  #values: readonly unknown[] | undefined

  /** Records a given object. @returns Whether it was also given just before, and has changed since. */
  isChanged(given: object): boolean {
    const last = this.#last
    if (given !== last && (last === undefined || !shareMemory(given, last))) {
      this.#last = given
      this.#values = last === undefined ? valuesOf(given) : undefined
      return false
    }
    const before = this.#values
    this.#values = valuesOf(given)
    return before !== undefined && !areSame(before, this.#values)
  }

  /** Whether two objects are one, or are views of the same memory. */
  static isSame(a: unknown, b: object): boolean {
    return a === b || (typeof a === 'object' && a !== null && shareMemory(a, b))
  }

  /** Drops the recorded object, so that it can be garbage collected. */
  clear(): void {
    this.#last = this.#values = undefined
  }
}

/** Whether both are views that begin at the same byte of memory that threads do not share. */
function shareMemory(a: object, b: object): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.byteOffset !== b.byteOffset) return false
  return a.buffer === b.buffer && a.byteLength > 0 && !(a.buffer instanceof SharedArrayBuffer)
}

function valuesOf(given: object): unknown[] {
  const values: unknown[] = []
  note(given, values)
  return values
}

/** Adds the parts of a value, up to the limit. It runs no code of the value: no getter, and no trap of a proxy. */
function note(value: unknown, values: unknown[]): void {
  if (values.length >= MAX_VALUES) return
  values.push(value)
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return
  if (ArrayBuffer.isView(value)) values.push(bytesOf(value.buffer, value.byteOffset, value.byteLength))
  else if (types.isArrayBuffer(value)) values.push(bytesOf(value, 0, value.byteLength))
  else if (types.isDate(value)) values.push(Date.prototype.getTime.call(value))
  else if (types.isMap(value)) for (const part of firstOf(Map.prototype.entries.call(value)).flat()) note(part, values)
  else if (types.isSet(value)) for (const element of firstOf(Set.prototype.values.call(value))) note(element, values)
  else if (Array.isArray(value)) noteProperties(value.slice(0, MAX_VALUES), values)
  else noteProperties(value, values)
}

function noteProperties(object: object, values: unknown[]): void {
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
    values.push(key)
    note(property.value, values)
  }
}

/**
 * Bytes as text, for the comparison. Shared memory gives none, because it can change at any time. A detached buffer has
 * none.
 */
function bytesOf(buffer: ArrayBufferLike, offset: number, length: number): string {
  if (buffer instanceof SharedArrayBuffer || length === 0) return ''
  return Buffer.from(buffer, offset, Math.min(length, MAX_BYTES)).toString('latin1')
}

function firstOf(elements: Iterator<unknown>): unknown[] {
  const first: unknown[] = []
  for (let next = elements.next(); next.done !== true && first.length < MAX_VALUES; next = elements.next()) {
    first.push(next.value)
  }
  return first
}

function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]))
}
