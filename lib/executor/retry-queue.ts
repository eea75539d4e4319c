/** The chunks of a lane that are to go again: each waits for its time, and then for room, which it gets before new chunks do. */
import { Fifo } from '../fifo.js'
import type { Chunk, Lane, LaneEvents } from './executor.js'
import { delayAfter, isRetriable, type RetryPolicy } from './retry-policy.js'

export class RetryQueue {
  readonly #lane: Lane
  readonly #policy: RetryPolicy
  readonly #events: LaneEvents
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Those that wait for room. */
  readonly #due = new Fifo<Chunk>()
  #closed = false

  constructor(lane: Lane, policy: RetryPolicy, events: LaneEvents) {
    this.#lane = lane
    this.#policy = policy
    this.#events = events
  }

  /** Any call of `isRetriable` may close it, because the user's function may end the stream. */
  get isClosed(): boolean {
    return this.#closed
  }

  get hasDue(): boolean {
    return this.#due.size > 0
  }

  /** Whether an item is tried again that has failed so often, now with this error. */
  isRetriable(error: unknown, failures: number): boolean {
    if (this.#closed) return false
    try {
      return isRetriable(error, failures, this.#policy)
    } catch (thrown) {
      this.#events.broken(thrown)
      return false
    }
  }

  /**
   * Submits a chunk after the wait for this number of failures. Until then it keeps the program alive, as a running
   * item does.
   */
  submitLater(chunk: Chunk, failures: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#due.push(chunk)
        this.submitDue()
      },
      delayAfter(failures, this.#policy),
    )
    this.#timers.add(timer)
  }

  /** As far as there is room. */
  submitDue(): void {
    while (this.#lane.ready) {
      const chunk = this.#due.shift()
      if (chunk === undefined) return
      this.#lane.submit(chunk)
    }
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#due.clear()
  }
}
