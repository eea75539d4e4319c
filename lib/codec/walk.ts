/**
 * A walk through values that are to be cloned, which tells what the clone of all of them at once would not: that values
 * share an object, which would arrive as one; and that a value nests too deeply to be read back. Cloning recurses, and a
 * worker's stack is four times the main thread's: what one thread could write, the other may not be able to read.
 *
 * Buffers and their views may be shared: a thousand slices of one block must not cross as a thousand blocks.
 */

import { types } from 'node:util'
import { isShared, type Shared } from '../shared/shared.js'

/** A main thread reads some 1,600 levels of objects, of the kinds that take most stack. */
export const DEEPEST = 1_000
/** Arrays longer than this are taken for sparse. */
const LONGEST_DENSE = 10_000_000
/** The longest array whose named properties are looked for: telling them from the elements takes a list of all. */
const LONGEST_LISTED = 64

export interface Options {
  /** Whether to follow named properties of arrays as well. */
  readonly named: boolean
  /** How deep a value may nest. */
  readonly deepest: number
}

export class Walk {
  /** The objects met that threads share. They may be shared by values, too. */
  shared: Set<Shared> | undefined
  /** About how many bytes a message needs for the values so far. */
  bytes = 0
  readonly #named: boolean
  readonly #deepest: number
  /** The values in which objects were met, by number. */
  readonly #owners = new Map<object, number>()
  #value = 0

  constructor({ named, deepest }: Options) {
    this.#named = named
    this.#deepest = deepest
  }

  /**
   * Goes through the next value. Never throws.
   *
   * @returns Whether the value surely shares no object with those before it, and does not nest too deeply. If not, not all
   * of it was seen.
   */
  isApart(value: unknown): boolean {
    this.#value++
    try {
      return this.#visit(value, this.#deepest)
    } catch {
      // A getter that threw, or an object that is not what its prototype says.
      return false
    }
  }

  /** Whether an object is part of a value that was gone through. */
  has(object: unknown): boolean {
    return this.#owners.has(object as object)
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0
  }

  #visit(value: unknown, levels: number): boolean {
    if (typeof value !== 'object' || value === null) {
      this.bytes += typeof value === 'string' ? value.length + STRING_BYTES : PRIMITIVE_BYTES
      return true
    }
    const isArray = Array.isArray(value)
    const isOther = !isArray && Object.getPrototypeOf(value) !== Object.prototype
    if (isOther && (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)) {
      this.bytes += value.byteLength
      return true
    }
    if (isOther && isShared(value)) {
      ;(this.shared ??= new Set()).add(value)
      return true
    }
    const owner = this.#owners.get(value)
    // Within a value, cloning keeps what is shared, and does not go through it again.
    if (owner !== undefined) return owner === this.#value
    if (levels === 0) return false
    this.#owners.set(value, this.#value)
    this.bytes += OBJECT_BYTES
    if (isArray) return this.#visitArray(value, levels - 1)
    if (isOther) {
      // Of another realm, such as that of what workers post to a test runner; `types` costs more than `instanceof`.
      const isForeign = !(value instanceof Object)
      if (value instanceof Map || (isForeign && types.isMap(value))) return this.#visitMap(value, levels - 1)
      if (value instanceof Set || (isForeign && types.isSet(value))) return this.#visitSet(value, levels - 1)
      if (value instanceof Error || (isForeign && types.isNativeError(value)))
        return this.#visitError(value, levels - 1)
    }
    for (const key in value) {
      this.bytes += key.length
      if (!this.#visit((value as Record<string, unknown>)[key], levels - 1)) return false
    }
    return true
  }

  #visitArray(array: readonly unknown[], levels: number): boolean {
    if (this.#named) {
      if (array.length > LONGEST_LISTED) return false
      return Object.values(array).every((value) => this.#visit(value, levels))
    }
    if (array.length > LONGEST_DENSE) return false
    for (const element of array) {
      if (!this.#visit(element, levels)) return false
    }
    return true
  }

  #visitMap(map: ReadonlyMap<unknown, unknown>, levels: number): boolean {
    for (const [key, value] of Map.prototype.entries.call(map)) {
      if (!this.#visit(key, levels) || !this.#visit(value, levels)) return false
    }
    return true
  }

  #visitSet(set: ReadonlySet<unknown>, levels: number): boolean {
    for (const value of Set.prototype.values.call(set)) {
      if (!this.#visit(value, levels)) return false
    }
    return true
  }

  /** Cloning an error leaves its fields behind, but not its cause. */
  #visitError(error: Error, levels: number): boolean {
    this.bytes += error.message.length + (error.stack?.length ?? 0)
    return !Object.hasOwn(error, 'cause') || this.#visit(error.cause, levels)
  }
}

const OBJECT_BYTES = 4
const STRING_BYTES = 2
const PRIMITIVE_BYTES = 5
