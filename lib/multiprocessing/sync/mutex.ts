/** The common part of `Lock` and `RLock`. They differ only in the second call of a holder. */
import { isMainThread, threadId } from 'node:worker_threads'
import { SyncError } from '../errors.js'
import { HEADER, type Memory } from '../../shared/memory.js'
import { Shared } from '../shared-object.js'
import { LockGuard, withGuard, type Acquisition } from './lock-guard.js'
import { createMemoryWithQueue, TAKEN, type Place } from './wait-queue.js'
import { Ownership } from './ownership.js'
import {
  readBlockingLimits,
  readLimits,
  UNLIMITED,
  type SignalOptions,
  type SyncWaitOptions,
  type WaitOptions,
} from './limits.js'
import { AcquireQueue } from './acquire-queue.js'
import { checkFunction } from './checks.js'
import { ownOverflow } from './overflow.js'
import type { Steps } from './steps.js'

const OWNER = HEADER
/** How often the holder has taken a re-entrant lock. Only its holder reads and writes it. */
const DEPTH = HEADER + 1
const CELLS = 2
const ACQUIRE = 'acquire a lock'

/** The state of a lock that a condition has released for its caller. */
interface ReleasedLock {
  readonly depth: number
  readonly holding: Acquisition | undefined
}

/**
 * The locks that this thread holds, unless it is the main thread. They must not be collected here: the thread that
 * started this one then keeps them, too, and tells others when this one ends.
 */
const held = new Set<Mutex>()

export abstract class Mutex extends Shared {
  readonly #ownership: Ownership
  readonly #acquireQueue: AcquireQueue
  readonly #isReentrant: boolean
  #holding: Acquisition | undefined

  /** `isReentrant`: whether the thread that holds it can take it again at once. */
  protected constructor(
    kind: number,
    isReentrant: boolean,
    memory: Memory = createMemoryWithQueue(kind, CELLS),
    parts: readonly Shared[] = [ownOverflow()],
  ) {
    super(memory, parts)
    this.#isReentrant = isReentrant
    this.#ownership = new Ownership(this, OWNER, HEADER + CELLS)
    this.#acquireQueue = new AcquireQueue(this.#ownership)
  }

  /** Whether it is held, at this moment. That can change at once. */
  get locked(): boolean {
    return this.#ownership.ticket !== 0
  }

  /**
   * Takes the lock: on one thread in the order of the calls, between threads one call of each thread in turn. While it
   * waits it keeps the program alive.
   *
   * @param options The longest wait in milliseconds (0 tries once), or `{ timeout, signal }`: see `WaitOptions`.
   * @returns A guard. Release it by `using`, or by `release()` of the guard or the lock. `undefined` if the timeout
   * passed.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  acquire(options?: SignalOptions): Promise<LockGuard>
  acquire(options: number | WaitOptions): Promise<LockGuard | undefined>
  async acquire(options?: number | WaitOptions): Promise<LockGuard | undefined> {
    const limits = readLimits(ACQUIRE, options)
    if (this.#isAgain) return this.#again()
    const place = await this.#acquireQueue.acquire(limits)
    return place && this.#take(place)
  }

  /**
   * The same, but it blocks the thread: for workers. Do not use it on a thread whose workers can be terminated, or run
   * out of heap, while they hold the lock. A blocked thread does not notice that, and the lock is not free until it
   * does. `await acquire()` there, or give a timeout.
   *
   * @throws {SyncError} On the main thread. Without a timeout also on a thread that has the lock, or whose earlier
   * calls wait for it: the call would never return.
   */
  acquireSync(): LockGuard
  acquireSync(options: number | SyncWaitOptions): LockGuard | undefined
  acquireSync(options?: number | SyncWaitOptions): LockGuard | undefined {
    const limits = readBlockingLimits(ACQUIRE, options, 'acquire()')
    if (this.#isAgain) return this.#again()
    if (limits.timeout === Infinity) this.#checkNotBlockedByItself(0)
    const place = this.#acquireQueue.acquireSync(limits)
    return place && this.#take(place)
  }

  /**
   * Gives the lock to the call that has waited longest.
   *
   * @throws {SyncError} If this thread does not hold it.
   */
  release(): void {
    this.checkHeld('release a lock')
    const depth = Atomics.load(this.memory, DEPTH)
    if (depth > 1) Atomics.store(this.memory, DEPTH, depth - 1)
    else this.#free()
  }

  /**
   * Runs a function with the lock held, and then releases the lock, also if the function throws.
   *
   * @param options The limits of the wait for the lock: see `acquire()`.
   * @returns The result of the function.
   * @throws {SyncError} `ERR_WAIT_TIMEOUT`: the timeout passed, and the function was not called.
   */
  async withLock<T>(run: (hold: LockGuard) => T | PromiseLike<T>, options?: number | WaitOptions): Promise<T> {
    checkFunction(run)
    // As `acquire()` without options, if there are none.
    return withGuard(ACQUIRE, () => this.acquire(options as WaitOptions), run)
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    this.#ownership.releaseThreads(threads)
  }

  /** Throws unless this thread holds it. @internal */
  checkHeld(action: string): void {
    if (this.#ownership.isHere) return
    const { holder, queue } = this.#ownership
    const thread = holder === undefined ? -1 : queue.threadOf(holder)
    const reason =
      thread < 0 || thread === threadId
        ? 'nobody holds it: acquire() it first'
        : `thread ${thread}, not this one (${threadId}), holds it: only the thread that acquired it can do that`
    throw new SyncError(`Cannot ${action} as ${reason}`, 'ERR_NOT_OWNER')
  }

  /** Whether one of these threads holds it, and knows that. @internal */
  isHeldBy(threads: ReadonlySet<number>): boolean {
    const { holder, queue } = this.#ownership
    return holder !== undefined && queue.stateOf(holder) === TAKEN && threads.has(queue.threadOf(holder))
  }

  /** Releases it at all depths, for a condition that waits. @internal */
  releaseAll(): ReleasedLock {
    const depth = Atomics.load(this.memory, DEPTH)
    const holding = this.#holding
    this.#free()
    return { depth, holding }
  }

  /** Takes it again with the state that it had. `blocks`: whether the call blocks its thread. @internal */
  *reacquire(state: ReleasedLock, blocks: boolean): Steps<void> {
    const place = yield* this.#acquireQueue.steps(UNLIMITED, blocks)
    if (place !== undefined) this.#restore(place, state)
  }

  /** Throws if this thread, which holds it, could not take it again after a wait that blocks. @internal */
  checkMayReacquire(): void {
    this.#checkNotBlockedByItself(this.#ownership.ticket)
  }

  #checkNotBlockedByItself(except: number): void {
    if (!this.#acquireQueue.hasOwn(except)) return
    throw new SyncError(
      'Cannot wait for a lock synchronously as other calls of this thread hold it or wait for it: await instead',
      'ERR_DEADLOCK',
    )
  }

  #restore(place: Place, { depth, holding }: ReleasedLock): void {
    const abandoned = this.#ownership.take(place)
    this.#keep()
    Atomics.store(this.memory, DEPTH, depth)
    this.#holding = holding
    if (holding === undefined) return
    holding.ticket = place.ticket
    holding.abandoned ||= abandoned
  }

  get #isAgain(): boolean {
    return this.#isReentrant && this.#ownership.isHere
  }

  #again(): LockGuard {
    Atomics.add(this.memory, DEPTH, 1)
    return this.#hold((this.#holding ??= { ticket: this.#ownership.ticket, abandoned: false }))
  }

  #take(place: Place): LockGuard {
    Atomics.store(this.memory, DEPTH, 1)
    this.#keep()
    const abandoned = this.#ownership.take(place)
    return this.#hold((this.#holding = { ticket: place.ticket, abandoned }))
  }

  #hold(holding: Acquisition): LockGuard {
    return LockGuard.of(holding, ({ ticket }) => {
      if (this.#ownership.ticket === ticket) this.release()
    })
  }

  #keep(): void {
    if (!isMainThread) held.add(this)
  }

  #free(): void {
    if (!isMainThread) held.delete(this)
    this.#holding = undefined
    this.#ownership.free()
  }
}
