/**
 * How calls acquire what one call gets at a time: a lock, a permit. Of the calls of a thread, only the first stands in
 * the queue that threads share. When it has got what it waits for, or has given up, the next one joins, behind the
 * calls of other threads. So the queue is as long as there are threads that wait, and a call costs the same however
 * many calls wait. On each thread, calls are served first come, first served; between threads, one call of each in
 * turn.
 *
 * A call that blocks its thread joins the queue itself: none of the thread's other calls could go on meanwhile.
 *
 * If the thread ends, all its calls end with it, and only the one in the queue has left anything that others see.
 */
import type { Limits } from './limits.js'
import { LocalMutex } from './local-wait-queue.js'
import { block, settle, type Steps } from './steps.js'
import { WAITING, type Place, type WaitQueue } from './wait-queue.js'

/** What is acquired. */
export interface Acquirable {
  readonly queue: WaitQueue
  /** Goes to the end of the queue, or has it at once. */
  join(): Place
  /** To be called by a call that gave up. */
  passOn(): void
}

export class AcquireQueue {
  readonly #acquirable: Acquirable
  readonly #local = new LocalMutex()

  constructor(acquirable: Acquirable) {
    this.#acquirable = acquirable
  }

  /** Whether a call of this thread waits, or has it; except the one with the ticket `except`. */
  hasOwn(except = 0): boolean {
    return this.#local.isLocked || this.#acquirable.queue.hasOwn(except)
  }

  /** The place of a call that was given it; `undefined` if its time is over. Rejects when its signal fires. */
  acquire(limits: Limits): Place | undefined | Promise<Place | undefined> {
    if (this.#local.isLocked) return limits.timeout === 0 ? undefined : settle(this.steps(limits, false))
    const place = this.#acquirable.join()
    return this.#isGiven(place) ? place : settle(this.steps(limits, false, place))
  }

  /** The same, for a call that blocks its thread. */
  acquireSync(limits: Limits): Place | undefined {
    const place = this.#acquirable.join()
    return this.#isGiven(place) ? place : block(this.steps(limits, true, place))
  }

  /**
   * The steps of both.
   *
   * @param blocks Whether the call blocks its thread.
   * @param joined The place of a call that is in the queue already, and is the first of its thread.
   */
  *steps(limits: Limits, blocks: boolean, joined?: Place): Steps<Place | undefined> {
    if (!blocks && !this.#local.tryLock() && !(yield this.#local.turn(limits))) return undefined
    let isGiven = false
    try {
      if (joined === undefined) limits.throwIfAborted()
      const place = joined ?? this.#acquirable.join()
      isGiven = yield* this.#acquirable.queue.wait(place, limits)
      return isGiven ? place : undefined
    } finally {
      if (!isGiven) this.#acquirable.passOn()
      if (!blocks) this.#local.unlock()
    }
  }

  #isGiven(place: Place): boolean {
    return this.#acquirable.queue.stateOf(place) !== WAITING
  }
}
