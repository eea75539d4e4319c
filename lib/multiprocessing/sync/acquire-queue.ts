/**
 * How calls take what is given to one of a line at a time: a lock, a permit. Of the calls of a thread only the first stands in the line
 * that threads share; when it has got what it waits for, or has given up, the next one stands there, behind those of other
 * threads. So a line is as long as there are threads that wait, and a call costs the same however many wait: first come, first served,
 * on each thread; and between threads, one call of each in turn.
 *
 * A synchronous call stands in line by itself: the thread is blocked, and none of its other calls could go on.
 *
 * If the thread ends, all its calls end with it, and only the one in line has left anything that others see.
 */
import { LocalMutex } from './local-wait-queue.js'
import { WAITING, type WaitQueue, type Place } from './wait-queue.js'
import { Limits } from './limits.js'

/** What is taken. */
export interface Acquirable {
  readonly queue: WaitQueue
  /** Goes to the end of the line, or has it at once. */
  join(): Place
  /** To be called by who gave up. */
  passOn(): void
}

export class AcquireQueue {
  readonly #acquirable: Acquirable
  readonly #local = new LocalMutex()

  constructor(acquirable: Acquirable) {
    this.#acquirable = acquirable
  }

  /** Whether a call of this thread waits, or has it, except the call with the ticket `except`. */
  hasOwn(except = 0): boolean {
    return this.#local.isLocked || this.#acquirable.queue.hasOwn(except)
  }

  /** The place of a call that was given it; `undefined` if its time is over. Rejects when its signal fires. */
  take(limits: Limits): Place | undefined | Promise<Place | undefined> {
    if (!this.#local.tryLock()) return limits.timeout === 0 ? undefined : this.#takeInTurn(limits)
    let place: Place
    try {
      place = this.#acquirable.join()
    } catch (error) {
      this.#local.unlock()
      throw error
    }
    if (this.#acquirable.queue.stateOf(place) === WAITING) return this.#wait(place, limits)
    this.#local.unlock()
    return place
  }

  /** The same, holding the thread. */
  takeSync(timeout: number): Place | undefined {
    const place = this.#acquirable.join()
    if (this.#acquirable.queue.waitSync(place, timeout)) return place
    this.#acquirable.passOn()
    return undefined
  }

  async #takeInTurn(limits: Limits): Promise<Place | undefined> {
    if (!(await this.#local.lock(limits))) return undefined
    let place: Place
    try {
      limits.throwIfAborted()
      place = this.#acquirable.join()
    } catch (error) {
      this.#local.unlock()
      throw error
    }
    return this.#wait(place, limits)
  }

  async #wait(place: Place, limits: Limits): Promise<Place | undefined> {
    let isGiven = false
    try {
      isGiven = await this.#acquirable.queue.wait(place, limits)
    } finally {
      if (!isGiven) this.#acquirable.passOn()
      this.#local.unlock()
    }
    return isGiven ? place : undefined
  }
}
