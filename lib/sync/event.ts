/**
 * An event that has happened or not.
 *
 * One cell, TIMES: even while it is clear, odd while it is set; it only grows. Calls wait for it to change. A thread that ends
 * after it has changed it, before it notifies, leaves that to `bury()`.
 */
import { defineShared, createMemory, HEADER, Shared, type Memory } from '../shared/shared.js'
import { checkMayBlock, checkTimeout, Deadline, FOREVER, wait, waitSync } from './waiting.js'

const KIND = 5
const TIMES = HEADER

/**
 * An event across threads: `wait()` settles once somebody has called `set()`, at once if that was before, until `clear()`.
 *
 * @example
 * ```ts
 * import { Event } from 'millrace'
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
  /** @param memory For the library itself: that of an event which is there already. */
  constructor(memory: Memory = createMemory(KIND, 1)) {
    super(memory)
  }

  /** Whether it has happened: a look at the moment. */
  get isSet(): boolean {
    return isSet(this.#times)
  }

  /** It has happened: all calls of `wait()` settle. */
  set(): void {
    for (let times = this.#times; !isSet(times); times = this.#times) this.#advance(times)
  }

  /** It has not happened: later calls of `wait()` wait. */
  clear(): void {
    for (let times = this.#times; isSet(times); times = this.#times) this.#advance(times)
  }

  /**
   * Settles when it has happened. While it waits it keeps the program alive.
   *
   * @param timeout How long to wait at most, in milliseconds, from 0, which only looks; without one it waits for ever.
   * @returns Whether it has happened; `false` if time was over.
   * @throws {RangeError} If `timeout` is negative or `NaN`.
   */
  async wait(timeout: number = FOREVER): Promise<boolean> {
    checkTimeout('wait for an event', timeout)
    const deadline = new Deadline(timeout)
    const times = this.#times
    if (isSet(times)) return true
    // It may have been notified of a change before this call.
    while (this.#times === times) if (!(await wait(this.memory, TIMES, times, deadline.left))) break
    return this.#times !== times
  }

  /**
   * The same, holding the thread: for workers.
   *
   * @throws {SyncError} On the main thread.
   */
  waitSync(timeout: number = FOREVER): boolean {
    checkTimeout('wait for an event', timeout)
    checkMayBlock('wait for an event synchronously', 'wait()')
    const deadline = new Deadline(timeout)
    const times = this.#times
    if (isSet(times)) return true
    while (this.#times === times) if (!waitSync(this.memory, TIMES, times, deadline.left)) break
    return this.#times !== times
  }

  /** @internal */
  bury(): void {
    Atomics.notify(this.memory, TIMES)
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
