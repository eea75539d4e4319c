/** Semaphores: a limited number of calls at a time. */
import { SyncError } from '../errors.js'
import { HEADER, isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { LockGuard, withGuard } from './lock-guard.js'
import { createMemoryWithQueue, type Place } from './wait-queue.js'
import { ownOverflow } from './overflow.js'
import { MAX_PERMITS, Permits, wordOf } from './permits.js'
import { readBlockingLimits, readLimits, type SignalOptions, type SyncWaitOptions, type WaitOptions } from './limits.js'
import { AcquireQueue } from './acquire-queue.js'
import { checkFunction, checkInteger } from './checks.js'

const KIND = 3
const KIND_BOUNDED = 4
/** The count takes two cells. */
const COUNT = HEADER
const MAX_COUNT = HEADER + 2
const CELLS = 4
const ACQUIRE = 'acquire a semaphore'

/**
 * A number of permits that threads share. Each `acquire()` takes one, and waits while there is none. The calls of a
 * thread get permits in their order. Between threads, one call of each thread comes in turn. `release()` adds one. A
 * semaphore does not have an owner: any thread can release, even a permit that it never took.
 *
 * So permits that a thread has taken are lost when it ends: the semaphore cannot know whether to add them again. If a
 * thread ends while it waits, no permit is lost: the next call gets it.
 *
 * @example
 * ```ts
 * import { Semaphore } from 'millrace/multiprocessing'
 *
 * const semaphore = new Semaphore(2)
 * const hold = await semaphore.acquire()
 * await semaphore.withLock(() => console.log(semaphore.value))
 * // → 0
 * hold.release()
 * console.log(semaphore.value)
 * // → 2
 * ```
 */
export class Semaphore extends Shared {
  readonly #permits: Permits
  readonly #acquireQueue: AcquireQueue
  readonly #maxCount: number

  /**
   * @param value The number of permits at first: an integer from 0 to 2,147,483,647. Default: 1.
   * @throws {RangeError} If it is out of range.
   */
  constructor(value?: number)
  /** @internal */
  constructor(value: Memory, parts: readonly Shared[])
  /** @internal */
  constructor(value: number | undefined, kind: number)
  constructor(value: number | Memory = 1, second: readonly Shared[] | number = KIND) {
    if (isMemory(value)) super(value, second as readonly Shared[])
    else super(createSemaphoreMemory(value, second as number), [ownOverflow()])
    this.#permits = new Permits(this, COUNT, HEADER + CELLS)
    this.#acquireQueue = new AcquireQueue(this.#permits)
    this.#maxCount = Atomics.load(this.memory, MAX_COUNT)
  }

  /** The number of permits at this moment. It can change at once. */
  get value(): number {
    return this.#permits.count
  }

  /**
   * Takes a permit. While it waits it keeps the program alive.
   *
   * @param options The longest wait in milliseconds (0 tries once), or `{ timeout, signal }`: see `WaitOptions`.
   * @returns A guard. Release it by `using`, or by `release()` of the guard or the semaphore. `undefined` if the
   * timeout passed.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  acquire(options?: SignalOptions): Promise<LockGuard>
  acquire(options: number | WaitOptions): Promise<LockGuard | undefined>
  async acquire(options?: number | WaitOptions): Promise<LockGuard | undefined> {
    const place = await this.#acquireQueue.acquire(readLimits(ACQUIRE, options))
    return place && this.#take(place)
  }

  /**
   * The same, but it blocks the thread: for workers. Do not use it on a thread whose workers can be terminated while
   * they wait: see `Lock`.
   *
   * @throws {SyncError} On the main thread. Without a timeout also on a thread whose earlier calls still wait: they
   * could not continue meanwhile.
   */
  acquireSync(): LockGuard
  acquireSync(options: number | SyncWaitOptions): LockGuard | undefined
  acquireSync(options?: number | SyncWaitOptions): LockGuard | undefined {
    const limits = readBlockingLimits(ACQUIRE, options, 'acquire()')
    if (limits.timeout === Infinity && this.#acquireQueue.hasOwn()) {
      throw new SyncError(
        'Cannot acquire a semaphore synchronously as earlier calls of this thread wait for it: await acquire() instead',
        'ERR_DEADLOCK',
      )
    }
    const place = this.#acquireQueue.acquireSync(limits)
    return place && this.#take(place)
  }

  /**
   * Adds permits, and gives them to the calls that have waited longest.
   *
   * @param n The number of permits: an integer of at least 1. Default: 1.
   * @throws {RangeError} If the semaphore would have too many permits.
   */
  release(n = 1): void {
    checkInteger('release a semaphore', 'n', n, 1, MAX_PERMITS)
    this.#permits.add(n, this.#maxCount)
  }

  /**
   * Takes a permit, runs a function, and then releases the permit, also if the function throws.
   *
   * @param options The limits of the wait for a permit: see `acquire()`.
   * @returns The result of the function.
   * @throws {SyncError} `ERR_WAIT_TIMEOUT`: the timeout passed, and the function was not called.
   */
  async withLock<T>(run: () => T | PromiseLike<T>, options?: number | WaitOptions): Promise<T> {
    checkFunction(run)
    // As `acquire()` without options, if there are none.
    return withGuard(
      ACQUIRE,
      () => this.acquire(options as WaitOptions),
      () => run(),
    )
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    this.#permits.releaseThreads(threads)
  }

  #take(place: Place): LockGuard {
    this.#permits.take(place)
    return LockGuard.of({ ticket: place.ticket, abandoned: false }, () => {
      this.release()
    })
  }
}

/**
 * A `Semaphore` that never has more permits than at first: a `release()` too many throws a `RangeError`.
 *
 * @example
 * ```ts
 * import { BoundedSemaphore } from 'millrace/multiprocessing'
 *
 * try {
 *   new BoundedSemaphore(2).release()
 * } catch (error) {
 *   console.log(error instanceof RangeError && error.message)
 *   // → Cannot release a semaphore by 1 as it has 2 of at most 2 permits already
 * }
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  /**
   * @param value The number of permits: an integer from 0 to 2,147,483,647. Default: 1.
   * @throws {RangeError} If it is out of range.
   */
  constructor(value?: number)
  /** @internal */
  constructor(value: Memory, parts: readonly Shared[])
  constructor(value: number | Memory = 1, parts: readonly Shared[] = []) {
    if (isMemory(value)) super(value, parts)
    else super(value, KIND_BOUNDED)
  }
}

function createSemaphoreMemory(value: unknown, kind: number): Memory {
  checkInteger('make a semaphore', 'value', value, 0, MAX_PERMITS)
  const memory = createMemoryWithQueue(kind, CELLS)
  new BigInt64Array(memory.buffer)[COUNT / 2] = wordOf(value as number)
  memory[MAX_COUNT] = kind === KIND_BOUNDED ? (value as number) : MAX_PERMITS
  return memory
}

defineShared(KIND, (memory, parts) => new Semaphore(memory, parts))
defineShared(KIND_BOUNDED, (memory, parts) => new BoundedSemaphore(memory, parts))
