/**
 * A lock, and a queue of calls that wait until its holder notifies them.
 *
 * A call joins this queue while it holds the lock, and then releases the lock. So a notification cannot come in
 * between. Notified calls are GRANTED. They leave the queue when they have the lock again. If the thread of a notified
 * call ends before that, the next call is notified instead. A thread that ends while it holds the lock may have changed
 * the condition without a notification. So all calls are woken then.
 */
import { received, typeError } from '../../errors.js'
import { HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import type { LockGuard } from './lock-guard.js'
import { createMemoryWithQueue, GONE, GRANTED, WaitQueue, WAITING } from './wait-queue.js'
import { Lock } from './lock.js'
import type { Mutex } from './mutex.js'
import { ownOverflow } from './overflow.js'
import { RLock } from './rlock.js'
import {
  readLimits,
  readSyncLimits,
  type Limits,
  type SignalOptions,
  type SyncWaitOptions,
  type WaitOptions,
} from './limits.js'
import { checkInteger, checkMayBlock } from './checks.js'
import { block, settle, type Steps } from './steps.js'

const KIND = 6
const WAIT = 'wait for a condition'

/**
 * A condition variable across threads. It has a lock. A holder of the lock can wait until another holder has changed
 * something. Only the holder may call `wait()`, `notify()` and `notifyAll()`.
 *
 * Use `waitFor()`, or `wait()` in a loop: the condition may be false again when the call has the lock again. The end of
 * a thread never leaves a call waiting without end. If the thread had not used its notification, the next call gets it,
 * maybe twice. If the thread held the lock, all calls wake, and the first finds its guard `abandoned`. Sent to workers,
 * it is the same condition there, with the same lock.
 *
 * @example
 * ```ts
 * import { Condition } from 'millrace/multiprocessing'
 *
 * const condition = new Condition()
 * const parcels: string[] = []
 *
 * const consumer = condition.withLock(async () => {
 *   await condition.waitFor(() => parcels.length > 0)
 *   console.log(parcels.pop())
 *   // → a parcel
 * })
 * await condition.withLock(() => {
 *   parcels.push('a parcel')
 *   condition.notify()
 * })
 * await consumer
 * ```
 */
export class Condition extends Shared {
  readonly #queue: WaitQueue
  readonly #lock: Mutex

  /**
   * @param lock Its lock. Default: a new `Lock`. Several conditions can have the same lock.
   * @throws {TypeError} If it is not a lock.
   */
  constructor(lock?: Lock | RLock)
  /** From existing memory. @internal */
  constructor(lock: Lock | RLock, memory: Memory, overflow: Shared)
  constructor(
    lock: Lock | RLock = new Lock(),
    memory: Memory = createMemoryWithQueue(KIND, 0),
    overflow: Shared = ownOverflow(),
  ) {
    if (!(lock instanceof Lock || lock instanceof RLock)) {
      throw typeError(
        'ERR_INVALID_OPTION',
        `Cannot make a condition as 'lock' must be a Lock or an RLock: received ${received(lock)}`,
      )
    }
    super(memory, [lock, overflow])
    this.#queue = new WaitQueue(memory, HEADER, this.parts)
    this.#lock = lock
  }

  /** Takes the lock: see `Lock`. */
  acquire(options?: SignalOptions): Promise<LockGuard>
  acquire(options: number | WaitOptions): Promise<LockGuard | undefined>
  acquire(options?: number | WaitOptions): Promise<LockGuard | undefined> {
    return this.#lock.acquire(options as WaitOptions)
  }

  /** Takes the lock and blocks the thread meanwhile: see `Lock`. */
  acquireSync(): LockGuard
  acquireSync(options: number | SyncWaitOptions): LockGuard | undefined
  acquireSync(options?: number | SyncWaitOptions): LockGuard | undefined {
    return this.#lock.acquireSync(options as SyncWaitOptions)
  }

  /** Releases the lock. */
  release(): void {
    this.#lock.release()
  }

  /** Runs a function with the lock held, and then releases the lock, also if the function throws. */
  withLock<T>(run: (hold: LockGuard) => T | PromiseLike<T>, options?: number | WaitOptions): Promise<T> {
    return this.#lock.withLock(run, options)
  }

  /**
   * Releases the lock, waits for a notification, and takes the lock again. For the lock it waits without a limit. While
   * it waits it keeps the program alive. If the lock was abandoned meanwhile, `abandoned` of the caller's guard is
   * true.
   *
   * When the signal fires, the call also takes the lock again, and then rejects. After a notification the signal does
   * nothing.
   *
   * @param options The longest wait for the notification in milliseconds, or `{ timeout, signal }`: see `WaitOptions`.
   * @returns Whether it was notified; `false` if the timeout passed.
   * @throws {RangeError | TypeError} If an option is invalid.
   * @throws {SyncError} If this thread does not hold the lock.
   */
  async wait(options?: number | WaitOptions): Promise<boolean> {
    return settle(this.#waiting(readLimits(WAIT, options), false))
  }

  /**
   * As `wait()`, but it blocks the thread: for workers. Do not use it on a thread whose workers can be terminated while
   * they hold the lock or are notified: see `Lock`.
   *
   * @throws {SyncError} On the main thread; or if this thread does not hold the lock. Also if calls of this thread wait
   * for the lock: they could not continue meanwhile.
   */
  waitSync(options?: number | SyncWaitOptions): boolean {
    return block(this.#waiting(readSyncLimits(WAIT, options, 'wait()'), true))
  }

  /**
   * Waits until `predicate()` is true. It is called at once, and after each notification, with the lock held.
   *
   * @param predicate A function that is not async, because a promise would count as true.
   * @param options The longest wait in milliseconds, or `{ timeout, signal }`: see `WaitOptions`.
   * @returns Whether the last call of `predicate()` gave true: `false` if the timeout passed.
   * @throws {TypeError} If `predicate` is not a function, or returns a promise.
   */
  async waitFor(predicate: () => boolean, options?: number | WaitOptions): Promise<boolean> {
    return settle(this.#waitingFor(predicate, readLimits(WAIT, options), false))
  }

  /** As `waitFor()`, but it blocks the thread: see `waitSync()`. */
  waitForSync(predicate: () => boolean, options?: number | SyncWaitOptions): boolean {
    return block(this.#waitingFor(predicate, readSyncLimits(WAIT, options, 'waitFor()'), true))
  }

  /**
   * Wakes the calls that have waited longest. Each continues when it has the lock.
   *
   * @param n The most calls to wake: an integer of at least 1. Default: 1.
   * @throws {SyncError} If this thread does not hold the lock.
   */
  notify(n = 1): void {
    checkInteger('notify a condition', 'n', n, 1, Number.MAX_SAFE_INTEGER)
    this.#lock.checkHeld('notify a condition')
    for (let told = 0; told < n; told++) if (!this.#wakeOne()) return
  }

  /** Wakes all calls that wait. */
  notifyAll(): void {
    this.notify(Number.MAX_SAFE_INTEGER)
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    // This comes before the lock is released, because a call cannot join the queue until then.
    if (this.#lock.isHeldBy(threads)) while (this.#wakeOne());
    for (const place of this.#queue.of(threads)) {
      if (!this.#queue.move(place, WAITING, GONE) && this.#queue.stateOf(place) === GRANTED) this.#wakeOne()
      this.#queue.remove(place, threads)
    }
    this.#queue.wakeGranted()
  }

  /** `blocks`: whether the call blocks its thread. */
  *#waiting(limits: Limits, blocks: boolean): Steps<boolean> {
    if (blocks) checkMayBlock('wait for a condition synchronously', 'wait()')
    this.#lock.checkHeld(WAIT)
    if (blocks) this.#lock.checkMayReacquire()
    const place = this.#queue.join()
    const state = this.#lock.releaseAll()
    let isNotified = false
    try {
      isNotified = yield* this.#queue.wait(place, limits)
    } finally {
      yield* this.#lock.reacquire(state, blocks)
      if (isNotified) this.#queue.leave(place)
    }
    return isNotified
  }

  *#waitingFor(predicate: () => boolean, limits: Limits, blocks: boolean): Steps<boolean> {
    this.#lock.checkHeld(WAIT)
    for (;;) {
      if (isTrue(predicate)) return true
      limits.throwIfAborted()
      if (!(yield* this.#waiting(limits, blocks))) return isTrue(predicate)
    }
  }

  /** False if no call waits. */
  #wakeOne(): boolean {
    for (let first = this.#queue.next(); first !== undefined; first = this.#queue.next()) {
      if (this.#queue.grant(first)) return true
    }
    return false
  }
}

function isTrue(predicate: () => unknown): boolean {
  const answer = typeof predicate === 'function' ? predicate() : predicate
  if (typeof predicate === 'function' && !(answer instanceof Promise)) return Boolean(answer)
  const text = `Cannot wait for a condition as 'predicate' must be a function that is not async: received ${received(predicate)}`
  throw typeError('ERR_INVALID_OPTION', text)
}

defineShared(KIND, (memory, [lock, overflow]) => new Condition(lock as Lock | RLock, memory, overflow))
