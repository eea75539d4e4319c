/**
 * Objects that threads share: locks, values, queues. Each is one piece of shared memory, and its class; what a structured clone
 * makes of it is `{ memory }`, or `{ memory, parts }`, of which the other side makes an instance again. On one thread there is
 * one instance of each.
 *
 * All that matters to other threads is in that memory, in words that are written one at a time: a thread can end between any
 * two steps, and `bury()` must find its way from there.
 */
import { types } from 'node:util'
import { threadId } from 'node:worker_threads'
import { received, typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { loadSharedClasses } from '../shared-classes.js'
import { bytesOf, createGrowable } from './growable.js'
import { findKnown, knownKinds, nextNumber, noteArrival, remember } from './registry.js'
import { stateOf } from './show.js'

/** Cells that all objects have in front: a mark, the class and who knows the object, and who made it as its how many-eth. */
export const HEADER = 4
const MARK = 0x6d_69_6c_6c
const [MARKED, KIND, MAKER, NUMBER] = [0, 1, 2, 3] as const
/** The lower bits of the cell KIND are the number of the class; the upper ones say which threads have an instance. */
const KIND_BITS = 0xff
const FIRST_THREAD_BIT = 8
const THREAD_BITS = 24

/** What `Shared` objects are, whichever copy of this library made them. */
const BRAND: unique symbol = Symbol.for('millrace.shared')

export type Memory = Int32Array<SharedArrayBuffer>

/** The bit of a thread, which it has in common with others. */
function maskOf(thread: number): number {
  return 1 << (FIRST_THREAD_BIT + (thread % THREAD_BITS))
}

export abstract class Shared {
  /** The memory, header and all. @internal */
  readonly memory: Memory
  /** Other such objects that it needs, and that cross with it. @internal */
  declare readonly parts?: readonly Shared[]

  protected constructor(memory: Memory, parts: readonly Shared[] = []) {
    if (!isMemory(memory)) {
      const text = `Cannot make the ${new.target.name} as its constructor takes no such argument: received ${received(memory)}`
      throw typeError('ERR_INVALID_OPTION', text)
    }
    this.memory = memory
    if (parts.length > 0) this.parts = parts
    this.noteKnownTo(threadId)
    remember(idOf(memory), this)
  }

  /**
   * What of it a thread can hold or wait for, and has to be told when one ends: by default, it itself. None of what is only ever a part,
   * for which its owner answers.
   *
   * @internal
   */
  get claims(): readonly Shared[] {
    return [this]
  }

  /** To be called before a thread can hold anything of it. @internal */
  noteKnownTo(thread: number): void {
    Atomics.or(this.memory, KIND, maskOf(thread))
  }

  /** Whether one of these threads may know it: some that do not are taken for others that do. @internal */
  isKnownTo(threads: ReadonlySet<number>): boolean {
    const mask = Atomics.load(this.memory, KIND)
    for (const thread of threads) if ((mask & maskOf(thread)) !== 0) return true
    return false
  }

  /** A `Process` on that thread is being given it: holds it from now on, where having an object is to hold it. @internal */
  hand?(thread: number): void

  /**
   * Threads have ended: what they held or waited for here is given up. Harmless when repeated.
   *
   * @internal
   */
  abstract bury(threads: ReadonlySet<number>): void
}

Object.defineProperty(Shared.prototype, BRAND, { value: true })
showState(Shared.prototype, (shared) => stateOf(shared, Shared.prototype))

/** Makes an instance of memory, and of the other objects that it was made with. */
export type Maker = (memory: Memory, parts: readonly Shared[]) => Shared

/** Tells how objects of a class are made of their memory. `kind` is a number from 1 to 255 that no other class ever has. */
export function defineShared(kind: number, make: Maker): void {
  knownKinds().set(kind, make)
}

/** Whether any class is known on this thread; then all are. */
export function knowsShared(): boolean {
  return knownKinds().size > 0
}

/**
 * Memory for a new object.
 *
 * @param cells How many cells of 32 bits it has after the header; at most that many once it has grown, if `most` is more.
 */
export function createMemory(kind: number, cells: number, most: number = cells): Memory {
  const [least, largest] = [HEADER + cells, HEADER + most]
  const buffer = largest > least ? createGrowable(least, largest) : new SharedArrayBuffer(bytesOf(least))
  const memory = new Int32Array(buffer)
  memory[MARKED] = MARK
  memory[KIND] = kind
  memory[MAKER] = threadId
  memory[NUMBER] = nextNumber()
  return memory
}

/** Whether that is memory of an object, rather than what a caller has passed to a constructor. */
export function isMemory(value: unknown): value is Memory {
  // Of any realm: a test runner may have another one than what workers post.
  return types.isInt32Array(value) && types.isSharedArrayBuffer(value.buffer) && value[MARKED] === MARK
}

export function isShared(value: object): value is Shared {
  return BRAND in value
}

/** Arrays longer than this are taken for sparse, and gone through by their keys. */
const LONGEST_DENSE = 10_000_000

/**
 * Makes the objects again that a clone holds, but for those in named properties of arrays: to find out that an array has none takes a
 * list of all its elements. The clone is changed.
 *
 * @returns The clone, or what it is to be replaced by, and the objects in it.
 */
export function revive(clone: unknown): { readonly value: unknown; readonly shared: ReadonlySet<Shared> } {
  const reviver = new Reviver()
  return { value: reviver.revive(clone), shared: reviver.shared }
}

class Reviver {
  readonly shared = new Set<Shared>()
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
      const object = instanceOf(memory, parts.map((part) => this.revive(part)) as Shared[])
      for (const claim of object.claims) noteArrival(idOf(claim.memory))
      this.shared.add(object)
      return object
    }
    this.#seen.add(value)
    if (types.isMap(value)) this.#reviveMap(value)
    else if (types.isSet(value)) this.#reviveSet(value)
    else if (Array.isArray(value) && value.length <= LONGEST_DENSE) this.#reviveElements(value)
    else this.#reviveFields(value as Record<string, unknown>)
    return value
  }

  #reviveFields(whole: Record<string, unknown>): void {
    // An error's `cause` is no enumerable field.
    const keys = types.isNativeError(whole) && Object.hasOwn(whole, 'cause') ? ['cause'] : Object.keys(whole)
    for (const key of keys) {
      const before = whole[key]
      const after = this.revive(before)
      if (after !== before) whole[key] = after
    }
  }

  #reviveElements(array: unknown[]): void {
    for (let at = 0; at < array.length; at++) {
      const before = array[at]
      const after = this.revive(before)
      if (after !== before) array[at] = after
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

function instanceOf(memory: Memory, parts: readonly Shared[]): Shared {
  const kind = (memory[KIND] ?? 0) & KIND_BITS
  if (!knowsShared()) loadSharedClasses()
  const make = knownKinds().get(kind) as Maker | undefined
  if (make === undefined) throw new Error(`This copy of the library knows no shared objects of kind ${kind}`)
  return (findKnown(idOf(memory)) as Shared | undefined) ?? make(memory, parts)
}

/** As how many-eth its thread made the object. */
export function numberOf(memory: Memory): number {
  return memory[NUMBER] ?? 0
}

/** What tells an object from all others of the program. */
export function idOf(memory: Memory): string {
  return `${memory[MAKER]}.${memory[NUMBER]}`
}
