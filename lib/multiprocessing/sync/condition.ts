/**
 * A lock, and a queue of calls that wait until its holder notifies them.
 *
 * A call joins this queue while it holds the lock, which it then releases: no notification can come in between.
 * Notified calls are GRANTED, and leave by themselves when they have the lock again. A notified call of a thread that
 * ends before is replaced by the next. A thread that ends while it holds the lock may have changed what others wait
 * for, and told nobody: all are woken.
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
 * A condition variable across threads: a lock, with which calls can wait until another holder of it has changed
 * something. `wait()`, `notify()` and `notifyAll()` are for its holder.
 *
 * Use `waitFor()`, or `wait()` in a loop: the condition may be false again when the lock is taken back. No call waits
 * in vain when a thread ends. A notification that the thread had not used goes to the next call, maybe twice. If the
 * thread held the lock, all calls wake, and the first finds its guard `abandoned`. Sent to workers, it is the same
 * condition there, with the same lock.
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
   * @param lock Its lock; without one a new `Lock`. Several conditions may have the same.
   * @throws {TypeError} If it is not a lock.
   */
  constructor(lock?: Lock | RLock)
  /** Of memory that is there already. @internal */
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

  /** Runs a function with the lock held, and releases it whatever the function does. */
  withLock<T>(run: (hold: LockGuard) => T | PromiseLike<T>, options?: number | WaitOptions): Promise<T> {
    return this.#lock.withLock(run, options)
  }

  /**
   * Releases the lock, waits to be notified, and takes the lock again, for which it waits as long as it takes. While it
   * waits it keeps the program alive. If the lock was abandoned meanwhile, the caller's `hold.abandoned` says so.
   *
   * When the signal fires, it takes the lock again too, and rejects then; once it is notified, the signal has no
   * effect.
   *
   * @param options How long to wait for the notification at most, in milliseconds; or that and a signal: see
   * `WaitOptions`.
   * @returns Whether it was notified; `false` if the timeout passed.
   * @throws {RangeError | TypeError} If an option is invalid.
   * @throws {SyncError} If this thread does not hold the lock.
   */
  async wait(options?: number | WaitOptions): Promise<boolean> {
    return settle(this.#waiting(readLimits(WAIT, options), false))
  }

  /**
   * The same, but it blocks the thread: for workers. Not for a thread whose own workers may be terminated while they
   * hold the lock, or are notified: see `Lock`.
   *
   * @throws {SyncError} On the main thread; or if this thread does not hold the lock, or has calls in the queue for it,
   * which could not go on meanwhile.
   */
  waitSync(options?: number | SyncWaitOptions): boolean {
    return block(this.#waiting(readSyncLimits(WAIT, options, 'wait()'), true))
  }

  /**
   * Waits until `predicate()`, which is called with the lock held, is true: at once, and after each notification.
   *
   * @param predicate A function that is not async: a promise would count as true.
   * @param options How long to wait at most, in milliseconds; or that and a signal: see `WaitOptions`.
   * @returns Whether `predicate()` was true when it was called last: `false` if the timeout passed.
   * @throws {TypeError} If `predicate` is not a function, or returns a promise.
   */
  async waitFor(predicate: () => boolean, options?: number | WaitOptions): Promise<boolean> {
    return settle(this.#waitingFor(predicate, readLimits(WAIT, options), false))
  }

  /** The same, but it blocks the thread: see `waitSync()`. */
  waitForSync(predicate: () => boolean, options?: number | SyncWaitOptions): boolean {
    return block(this.#waitingFor(predicate, readSyncLimits(WAIT, options, 'waitFor()'), true))
  }

  /**
   * Wakes the calls that have waited longest; each goes on when it has the lock.
   *
   * @param n How many at most: an integer of at least 1, which is the default.
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
    // Before the lock is released, as no call can join the queue until then.
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

  /** False if nobody waits. */
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
