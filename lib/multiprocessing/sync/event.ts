/**
 * An event that has happened or not.
 *
 * One cell, TIMES: even while it is clear, odd while it is set; it only grows. Calls wait for it to change. A thread
 * that ends after it has changed it, before it notifies, leaves that to `releaseThreads()`.
 */
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { readLimits, readSyncLimits, type Limits, type SyncWaitOptions, type WaitOptions } from './limits.js'
import { checkMayBlock } from './checks.js'
import { block, settle, type Steps } from './steps.js'
import { CellWatch } from './cell-watch.js'

const KIND = 5
const TIMES = HEADER
const WAIT = 'wait for an event'

/**
 * An event across threads: `wait()` settles once somebody has called `set()`, at once if that was before, until
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
  /** Of memory that is there already. @internal */
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- one of them is not public
  constructor(memory: Memory)
  constructor(memory: Memory = createMemory(KIND, 1)) {
    super(memory)
    this.#watch = new CellWatch(memory, TIMES)
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
   * @param options How long to wait at most, in milliseconds, from 0, which only looks; or that and a signal: see
   * `WaitOptions`.
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
    const limits = readSyncLimits(WAIT, options, 'wait()')
    checkMayBlock('wait for an event synchronously', 'wait()')
    return this.isSet || block(this.#waiting(limits))
  }

  /** @internal */
  releaseThreads(): void {
    Atomics.notify(this.memory, TIMES)
  }

  *#waiting(limits: Limits): Steps<boolean> {
    const times = this.#times
    if (isSet(times)) return true
    // A notification may be of a change before this call.
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
