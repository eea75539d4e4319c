/**
 * Objects that threads share: locks, values, queues. Each is one piece of shared memory, and its class. A structured
 * clone of it is `{ memory }` or `{ memory, parts }`. The other thread makes an instance again
 * (`lib/codec/shared-objects.ts`). On one thread there is one instance of each.
 *
 * Everything that other threads need is in that memory, in words that are written one at a time. A thread can end
 * between any two steps, and `releaseThreads()` must be able to continue from there.
 */
import { threadId } from 'node:worker_threads'
import { markShared } from '../codec/shared-objects.js'
import { received, typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { idOf, isMemory, KIND, type Memory } from '../shared/memory.js'
import { defineKind, remember, type Maker, type SharedObject } from '../shared/registry.js'
import { stateOf } from './show.js'

/** The bits of the threads that have an instance. They are in the cell of the kind. */
const FIRST_THREAD_BIT = 8
const THREAD_BITS = 24

/** The bit of a thread. Several threads have the same bit. */
function maskOf(thread: number): number {
  return 1 << (FIRST_THREAD_BIT + (thread % THREAD_BITS))
}

export abstract class Shared implements SharedObject {
  /** The whole memory, with its header. @internal */
  readonly memory: Memory
  /** Other shared objects that it needs. They are sent with it. @internal */
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
   * The objects that a thread can hold or wait for, and that must be told when a thread ends. By default, the object
   * itself. An object that is only a part of others has none: its owner tells it.
   *
   * @internal
   */
  get lockables(): readonly Shared[] {
    return [this]
  }

  /** Call it before a thread can hold anything of it. @internal */
  noteKnownTo(thread: number): void {
    Atomics.or(this.memory, KIND, maskOf(thread))
  }

  /**
   * Whether one of these threads may know it. It can be true for a thread that does not: threads share bits. @internal
   */
  isKnownTo(threads: ReadonlySet<number>): boolean {
    const mask = Atomics.load(this.memory, KIND)
    for (const thread of threads) if ((mask & maskOf(thread)) !== 0) return true
    return false
  }

  /**
   * A `Process` on that thread gets it. If threads hold such objects by having them, that thread holds it from now on.
   * @internal
   */
  transferTo?(thread: number): void

  /**
   * Gives up everything that these threads, which have ended, held or waited for here. You can repeat it.
   *
   * @internal
   */
  abstract releaseThreads(threads: ReadonlySet<number>): void
}

markShared(Shared.prototype)
showState(Shared.prototype, (shared) => stateOf(shared, Shared.prototype))

/**
 * Registers how objects of a class are made from their memory and parts. `kind` is a number from 1 to 255, which no
 * other class may ever have.
 */
export function defineShared(kind: number, make: (memory: Memory, parts: readonly Shared[]) => Shared): void {
  defineKind(kind, make as unknown as Maker)
}
