/** A lock that its holder can take again. */
import type { Memory } from '../../shared/memory.js'
import { defineShared, type Shared } from '../shared-object.js'
import { Mutex } from './mutex.js'

const KIND = 2

/**
 * A `Lock` that its holder can take again at once. It is free when it was released as often as it was taken. The holder
 * is the thread: when one call of a thread has it, other asynchronous calls of that thread get it, too. Use a `Lock` to
 * exclude them.
 *
 * @example
 * ```ts
 * import { RLock } from 'millrace/multiprocessing'
 *
 * const lock = new RLock()
 * await lock.withLock(() => lock.withLock(() => console.log(lock.locked)))
 * // → true
 * console.log(lock.locked)
 * // → false
 * ```
 */
export class RLock extends Mutex {
  constructor()
  /** From existing memory. @internal */
  constructor(memory: Memory, parts: readonly Shared[])
  constructor(memory?: Memory, parts?: readonly Shared[]) {
    super(KIND, true, memory, parts)
  }
}

defineShared(KIND, (memory, parts) => new RLock(memory, parts))
