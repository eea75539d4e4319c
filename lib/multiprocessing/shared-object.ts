/**
 * Objects that threads share: locks, values, queues. Each is one piece of shared memory, and its class; what a
 * structured clone makes of it is `{ memory }`, or `{ memory, parts }`, of which the other side makes an instance again
 * (`lib/codec/shared-objects.ts`). On one thread there is one instance of each.
 *
 * All that matters to other threads is in that memory, in words that are written one at a time: a thread can end
 * between any two steps, and `releaseThreads()` must find its way from there.
 */
import { threadId } from 'node:worker_threads'
import { markShared } from '../codec/shared-objects.js'
import { received, typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { idOf, isMemory, KIND, type Memory } from '../shared/memory.js'
import { defineKind, remember, type Maker, type SharedObject } from '../shared/registry.js'
import { stateOf } from './show.js'

/** In the cell of the kind: the bits of the threads that have an instance. */
const FIRST_THREAD_BIT = 8
const THREAD_BITS = 24

/** The bit of a thread, which it has in common with others. */
function maskOf(thread: number): number {
  return 1 << (FIRST_THREAD_BIT + (thread % THREAD_BITS))
}

export abstract class Shared implements SharedObject {
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
   * What of it a thread can hold or wait for, and has to be told when one ends: by default, it itself. None of what is
   * only ever a part, for which its owner answers.
   *
   * @internal
   */
  get lockables(): readonly Shared[] {
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

  /**
   * A `Process` on that thread is being given it: holds it from now on, where having an object is to hold it. @internal
   */
  transferTo?(thread: number): void

  /**
   * Threads have ended: what they held or waited for here is given up. Harmless when repeated.
   *
   * @internal
   */
  abstract releaseThreads(threads: ReadonlySet<number>): void
}

markShared(Shared.prototype)
showState(Shared.prototype, (shared) => stateOf(shared, Shared.prototype))

/**
 * Tells how objects of a class are made of their memory and parts. `kind` is a number from 1 to 255 that no other class
 * ever has.
 */
export function defineShared(kind: number, make: (memory: Memory, parts: readonly Shared[]) => Shared): void {
  defineKind(kind, make as unknown as Maker)
}
