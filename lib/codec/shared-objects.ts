/**
 * The hook for objects that threads share: locks, queues, shared numbers. The codec knows their mark, and what a clone
 * makes of them: `{ memory }` or `{ memory, parts }`. Their classes are loaded when the first such object arrives.
 */
import { types } from 'node:util'
import { loadMultiprocessing } from '../load-multiprocessing.js'
import { idOf, isMemory, kindOf, type Memory } from '../shared/memory.js'
import { MAX_DENSE_LENGTH } from './limits.js'
import { findKnown, knowsShared, makerOf, noteArrival, type SharedObject } from '../shared/registry.js'

/** The mark. It is the same in all copies of this library. */
const BRAND: unique symbol = Symbol.for('millrace.shared')

export function markShared(prototype: object): void {
  Object.defineProperty(prototype, BRAND, { value: true })
}

export function isShared(value: object): value is SharedObject {
  return BRAND in value
}

/**
 * Makes the shared objects in a clone again, except in named properties of arrays: to find those takes a list of all
 * elements. The clone is changed.
 *
 * @returns The clone, or what replaces it, and the objects in it.
 */
export function revive(clone: unknown): { readonly value: unknown; readonly shared: ReadonlySet<SharedObject> } {
  const reviver = new Reviver()
  return { value: reviver.revive(clone), shared: reviver.shared }
}

class Reviver {
  readonly shared = new Set<SharedObject>()
  readonly #seen = new Set<object>()

  revive(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    if (isShared(value)) {
      this.shared.add(value)
      return value
    }
    if (this.#seen.has(value)) return value
    const memory = memoryOf(value)
    if (memory !== undefined) {
      const { parts = [] } = value as { parts?: readonly unknown[] }
      const object = instanceOf(memory, parts.map((part) => this.revive(part)) as SharedObject[])
      for (const lockable of object.lockables) noteArrival(idOf(lockable.memory))
      this.shared.add(object)
      return object
    }
    this.#seen.add(value)
    if (types.isMap(value)) this.#reviveMap(value)
    else if (types.isSet(value)) this.#reviveSet(value)
    else this.#reviveFields(value as Record<string | number, unknown>)
    return value
  }

  #reviveFields(whole: Record<string | number, unknown>): void {
    for (const key of keysOf(whole)) {
      const before = whole[key]
      const after = this.revive(before)
      if (after !== before) whole[key] = after
    }
  }

  #reviveMap(map: Map<unknown, unknown>): void {
    const entries = [...map].map(([key, value]) => [this.revive(key), this.revive(value)] as const)
    map.clear()
    for (const [key, value] of entries) map.set(key, value)
  }

  #reviveSet(set: Set<unknown>): void {
    const elements = [...set].map((element) => this.revive(element))
    set.clear()
    for (const element of elements) set.add(element)
  }
}

function keysOf(whole: object): Iterable<string | number> {
  if (Array.isArray(whole) && whole.length <= MAX_DENSE_LENGTH) return Array.prototype.keys.call(whole)
  // An error's `cause` is not enumerable.
  return types.isNativeError(whole) && Object.hasOwn(whole, 'cause') ? ['cause'] : Object.keys(whole)
}

/** The memory of an object, if this is what a clone makes of one. */
function memoryOf(value: object): Memory | undefined {
  const { memory } = value as { memory?: unknown }
  if (
    !isMemory(memory) ||
    memory.byteOffset !== 0 ||
    Object.keys(value).some((key) => key !== 'memory' && key !== 'parts')
  )
    return undefined
  return memory
}

function instanceOf(memory: Memory, parts: readonly SharedObject[]): SharedObject {
  const kind = kindOf(memory)
  if (!knowsShared()) loadMultiprocessing()
  const make = makerOf(kind)
  if (make === undefined) throw new Error(`This copy of the library knows no shared objects of kind ${kind}`)
  return findKnown(idOf(memory)) ?? make(memory, parts)
}
