/** A lock that one call holds at a time. */
import type { Memory } from '../../shared/memory.js'
import { defineShared, type Shared } from '../shared-object.js'
import { Mutex } from './mutex.js'

const KIND = 1

/**
 * A lock across threads: one call of `acquire()` has it at a time. The calls of a thread get it in their order. Between
 * threads, one call of each thread comes in turn. Sent to workers in items, results or `initargs`, it is the same lock
 * there.
 *
 * A thread that ends while it holds the lock releases it, in every case. The next holder is told: `guard.abandoned`. If
 * a thread is ended from outside, the thread that started it releases the lock. A pool does that. If you start a
 * `Worker` of Node yourself, keep the lock, and let the event loop of your thread run.
 *
 * Taking a free lock costs microseconds. A lock needs some hundreds of bytes. There can be as many locks as memory
 * allows. Any number of calls of a thread can wait, each at the same cost. `acquire()` and `release()` take time in
 * proportion to the number of threads that wait.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 * import { Lock } from 'millrace/multiprocessing'
 *
 * interface Deposit {
 *   balance: Int32Array
 *   lock: Lock
 * }
 *
 * const deposit = task(import.meta.url, 'deposit', async ({ balance, lock }: Deposit) => {
 *   using _ = await lock.acquire()
 *   balance[0] = (balance[0] ?? 0) + 1
 * })
 *
 * if (isMainThread) {
 *   const item = { balance: new Int32Array(new SharedArrayBuffer(4)), lock: new Lock() }
 *   for await (const _ of imap(deposit, new Array<Deposit>(1000).fill(item)));
 *   console.log(item.balance[0])
 *   // → 1000
 * }
 * ```
 */
export class Lock extends Mutex {
  constructor()
  /** From existing memory. @internal */
  constructor(memory: Memory, parts: readonly Shared[])
  constructor(memory?: Memory, parts?: readonly Shared[]) {
    super(KIND, false, memory, parts)
  }
}

defineShared(KIND, (memory, parts) => new Lock(memory, parts))
