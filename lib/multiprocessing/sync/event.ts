/**
 * An event: it has happened, or it has not.
 *
 * It has one cell, TIMES, which only grows. TIMES is even while the event is clear, and odd while it is set. Calls wait
 * until it changes. If a thread ends after the change and before the notification, `releaseThreads()` notifies.
 */
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { readBlockingLimits, readLimits, type Limits, type SyncWaitOptions, type WaitOptions } from './limits.js'
import { block, settle, type Steps } from './steps.js'
import { CellWatch } from './cell-watch.js'

const KIND = 5
const TIMES = HEADER
const WAIT = 'wait for an event'

/**
 * An event across threads. `wait()` settles when any thread calls `set()`. After that it settles at once, until
 * `clear()`.
 *
 * @example
 * ```ts
 * import { Event } from 'millrace/multiprocessing'
 *
 * const ready = new Event()
 * console.log(ready.isSet, await ready.wait(10))
 * // → false false
 * ready.set()
 * console.log(ready.isSet, await ready.wait())
 * // → true true
 * ```
 */
export class Event extends Shared {
  readonly #watch: CellWatch

  constructor()
  /** From existing memory. @internal */
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- one of them is not public
  constructor(memory: Memory)
  constructor(memory: Memory = createMemory(KIND, 1)) {
    super(memory)
    this.#watch = new CellWatch(memory, TIMES)
  }

  /** Whether it has happened, at this moment. */
  get isSet(): boolean {
    return isSet(this.#times)
  }

  /** Marks it as happened: all calls of `wait()` settle. */
  set(): void {
    for (let times = this.#times; !isSet(times); times = this.#times) this.#advance(times)
  }

  /** Marks it as not happened: later calls of `wait()` wait. */
  clear(): void {
    for (let times = this.#times; isSet(times); times = this.#times) this.#advance(times)
  }

  /**
   * Waits until it has happened. While it waits it keeps the program alive.
   *
   * @param options The longest wait in milliseconds (0: do not wait), or `{ timeout, signal }`: see `WaitOptions`.
   * @returns Whether it has happened; `false` if the timeout passed.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  async wait(options?: number | WaitOptions): Promise<boolean> {
    const limits = readLimits(WAIT, options)
    return this.isSet || settle(this.#waiting(limits))
  }

  /**
   * The same, but it blocks the thread: for workers.
   *
   * @throws {SyncError} On the main thread.
   */
  waitSync(options?: number | SyncWaitOptions): boolean {
    const limits = readBlockingLimits(WAIT, options, 'wait()')
    return this.isSet || block(this.#waiting(limits))
  }

  /** @internal */
  releaseThreads(): void {
    Atomics.notify(this.memory, TIMES)
  }

  *#waiting(limits: Limits): Steps<boolean> {
    const times = this.#times
    if (isSet(times)) return true
    // A notification may belong to a change before this call.
    while (this.#times === times) if (!(yield this.#watch.wait(times, limits))) break
    return this.#times !== times
  }

  get #times(): number {
    return Atomics.load(this.memory, TIMES)
  }

  #advance(times: number): void {
    if (Atomics.compareExchange(this.memory, TIMES, times, (times + 1) | 0) === times) {
      Atomics.notify(this.memory, TIMES)
    }
  }
}

function isSet(times: number): boolean {
  return (times & 1) === 1
}

defineShared(KIND, (memory) => new Event(memory))
