/** A lock that its holder can take again. */
import type { Memory } from '../../shared/memory.js'
import { defineShared, type Shared } from '../shared-object.js'
import { createMutexMemory, Mutex } from './mutex.js'
import { ownOverflow } from './overflow.js'

const KIND = 2

/**
 * A `Lock` that the thread which holds it can take again at once; it is free when it was released as often. The thread
 * is the holder: asynchronous calls of one thread are not told apart, and do not exclude each other once one of them
 * has it. Use a `Lock` for that.
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
  /** Of memory that is there already. @internal */
  constructor(memory: Memory, parts: readonly Shared[])
  constructor(memory: Memory = createMutexMemory(KIND), parts: readonly Shared[] = [ownOverflow()]) {
    super(memory, parts, true)
  }
}

defineShared(KIND, (memory, parts) => new RLock(memory, parts))
