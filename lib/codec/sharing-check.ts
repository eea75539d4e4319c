/**
 * Goes through values that are to be cloned together, and finds those that must be treated apart. An object that two
 * values share would arrive as one. A value may nest too deeply to be read back. An object may lose its class.
 *
 * Values may share buffers and views of them: a thousand large slices of one block must not cross as a thousand blocks.
 */
import type { SharedObject } from '../shared/registry.js'
import { faultOfKind, kindOf, nameOf, type Kind } from './kinds.js'
import { MAX_DENSE_LENGTH, MAX_DEPTH } from './limits.js'
import type { Marks } from './marks.js'
import { isSmallView } from './small-views.js'

/** The longest array whose named properties are looked for: telling them from the elements takes a list of all. */
const MAX_LISTED_LENGTH = 64

class UnfitError extends Error {}

export class SharingCheck {
  /** The objects met that threads share. They may be shared by values, too. */
  shared: Set<SharedObject> | undefined
  /** About how many bytes a message needs for the values so far. */
  bytes = 0
  holdsSmallView = false
  /** Whether there is an object that only threads can send to each other. */
  holdsForThreads = false
  readonly #named: boolean
  readonly #maxDepth: number
  /** The values in which objects were met, by number. */
  readonly #owners = new Map<object, number>()
  #value = 0
  readonly #buffers: Uint8Array[] = []
  readonly #bare: object[] = []

  /** @param named Whether to follow named properties of arrays as well. */
  constructor(maxDepth: number = MAX_DEPTH, named = false) {
    this.#maxDepth = maxDepth
    this.#named = named
  }

  /**
   * Goes through the next value.
   *
   * @returns Whether the value surely shares no object with those before it, and does not nest too deeply. If false,
   * not all of it was seen.
   * @throws {UnfitError} Part of it would arrive as something else.
   */
  isIndependent(value: unknown): boolean {
    this.#value++
    const { length: buffers } = this.#buffers
    const { length: bare } = this.#bare
    try {
      if (this.#visit(value, this.#maxDepth)) return true
    } catch (error) {
      if (error instanceof UnfitError) throw error
      // A getter that threw, or an object that is not what its prototype says.
    }
    this.#buffers.length = buffers
    this.#bare.length = bare
    return false
  }

  get marks(): Marks | undefined {
    return this.#buffers.length + this.#bare.length === 0 ? undefined : { buffers: this.#buffers, bare: this.#bare }
  }

  /** Adds what to put right in a value that was cloned instead of gone through. */
  adopt({ buffers, bare }: Marks): void {
    for (const bytes of buffers) this.#buffers.push(bytes)
    for (const object of bare) this.#bare.push(object)
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
    const prototype = Object.getPrototypeOf(value) as object | null
    const isPlain = prototype === (isArray ? Array.prototype : Object.prototype)
    const kind = isPlain || prototype === null ? undefined : fitKind(value, prototype)
    if (kind !== undefined && this.#takeLeaf(value, kind)) return true
    const owner = this.#owners.get(value)
    // Within a value, cloning keeps what is shared, and does not go through it again.
    if (owner !== undefined) return owner === this.#value
    if (levels === 0) return false
    this.#owners.set(value, this.#value)
    this.bytes += OBJECT_BYTES
    if (prototype === null) this.#bare.push(value)
    if (isArray) return this.#visitArray(value, levels - 1)
    switch (kind?.is) {
      case 'map':
        return this.#visitMap(value as ReadonlyMap<unknown, unknown>, levels - 1)
      case 'set':
        return this.#visitSet(value as ReadonlySet<unknown>, levels - 1)
      case 'error':
        return this.#visitError(value as Error, levels - 1)
      case 'fields':
      case 'plain':
        return this.#visitOwn(value, levels - 1)
      case 'whole':
        this.holdsForThreads ||= kind.isForThreads === true
        return true
      case 'date':
        return true
    }
    for (const key in value) {
      this.bytes += key.length
      if (!this.#visit((value as Record<string, unknown>)[key], levels - 1)) return false
    }
    return true
  }

  /** Takes an object without parts that may stand in several values. @returns False for other objects. */
  #takeLeaf(value: object, { is }: Kind): boolean {
    switch (is) {
      case 'buffer':
        this.#buffers.push(value as Buffer)
        this.#takeView(value as Buffer)
        return true
      case 'view':
        this.#takeView(value as ArrayBufferView)
        return true
      case 'block':
        this.bytes += (value as ArrayBuffer).byteLength
        return true
      case 'shared':
        ;(this.shared ??= new Set()).add(value as SharedObject)
        return true
      default:
        return false
    }
  }

  #takeView(view: ArrayBufferView): void {
    this.bytes += view.byteLength
    this.holdsSmallView ||= isSmallView(view)
  }

  #visitOwn(object: object, levels: number): boolean {
    for (const key of Object.keys(object)) {
      this.bytes += key.length
      if (!this.#visit((object as Record<string, unknown>)[key], levels)) return false
    }
    return true
  }

  #visitArray(array: readonly unknown[], levels: number): boolean {
    if (this.#named) {
      if (array.length > MAX_LISTED_LENGTH) return false
      return Object.values(array).every((value) => this.#visit(value, levels))
    }
    if (array.length > MAX_DENSE_LENGTH) return this.#visitOwn(array, levels)
    // By index: a class may iterate over other things. Primitives here, not in `#visit()`: most arrays are of these.
    let bytes = 0
    const { length } = array
    for (let at = 0; at < length; at++) {
      const element = array[at]
      if (typeof element === 'string') bytes += element.length + STRING_BYTES
      else if (typeof element !== 'object' || element === null) bytes += PRIMITIVE_BYTES
      else if (!this.#visit(element, levels)) return false
    }
    this.bytes += bytes
    // Other named properties are not seen: to tell them from the elements takes a list of all keys. `groups` is of a
    // match.
    const { groups } = array as { readonly groups?: unknown }
    return groups === undefined || this.#visit(groups, levels)
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

function fitKind(value: object, prototype: object): Kind {
  const kind = kindOf(value, prototype)
  const fault = faultOfKind(value, kind)
  if (fault !== undefined) throw new UnfitError(`An instance of ${nameOf(value)} cannot be copied, ${fault}`)
  return kind
}

const OBJECT_BYTES = 4
const STRING_BYTES = 2
const PRIMITIVE_BYTES = 5
