/**
 * The queue of calls that acquire a lock or a permit. Only the first call of each thread stands in the queue that
 * threads share. When it has acquired, or has given up, the next one joins, behind the calls of other threads. So the
 * length of the queue is the number of threads that wait. The cost of a call does not depend on how many calls wait.
 * Each thread serves its calls in their order. Between threads, one call of each thread comes in turn.
 *
 * A call that blocks its thread joins the queue at once: the other calls of its thread cannot continue meanwhile.
 *
 * If the thread ends, all its calls end. Only the one in the queue has left something that other threads see.
 */
import type { Limits } from './limits.js'
import { LocalMutex } from './local-wait-queue.js'
import { block, settle, type Steps } from './steps.js'
import { WAITING, type Place, type WaitQueue } from './wait-queue.js'

/** A lock, or the permits of a semaphore. */
interface Acquirable {
  readonly queue: WaitQueue
  /** A call that gave up must call it. */
  passOn(): void
}

export class AcquireQueue {
  readonly #acquirable: Acquirable
  readonly #local = new LocalMutex()

  constructor(acquirable: Acquirable) {
    this.#acquirable = acquirable
  }

  /** Whether a call of this thread waits, or has it. The call with the ticket `except` does not count. */
  hasOwn(except = 0): boolean {
    return this.#local.isLocked || this.#acquirable.queue.hasOwn(except)
  }

  /** The place of the call once it has acquired; `undefined` if its time is over. Rejects when its signal fires. */
  acquire(limits: Limits): Place | undefined | Promise<Place | undefined> {
    if (this.#local.isLocked) return limits.timeout === 0 ? undefined : settle(this.steps(limits, false))
    const place = this.#join()
    return this.#isGiven(place) ? place : settle(this.steps(limits, false, place))
  }

  /** As `acquire()`, for a call that blocks its thread. */
  acquireSync(limits: Limits): Place | undefined {
    const place = this.#join()
    return this.#isGiven(place) ? place : block(this.steps(limits, true, place))
  }

  /**
   * The steps of both forms.
   *
   * @param blocks Whether the call blocks its thread.
   * @param joined The place of a call that is already in the queue, as the first of its thread.
   */
  *steps(limits: Limits, blocks: boolean, joined?: Place): Steps<Place | undefined> {
    if (!blocks && !this.#local.tryLock() && !(yield this.#local.turn(limits))) return undefined
    let isGiven = false
    try {
      if (joined === undefined) limits.throwIfAborted()
      const place = joined ?? this.#join()
      isGiven = yield* this.#acquirable.queue.wait(place, limits)
      return isGiven ? place : undefined
    } finally {
      if (!isGiven) this.#acquirable.passOn()
      if (!blocks) this.#local.unlock()
    }
  }

  /** Takes it at once if it is free, or joins the queue at its end. */
  #join(): Place {
    const place = this.#acquirable.queue.join()
    this.#acquirable.passOn()
    return place
  }

  #isGiven(place: Place): boolean {
    return this.#acquirable.queue.stateOf(place) !== WAITING
  }
}
