/**
 * Tries the chunks of a fold again: each goes again whole, since what it folds to is known only when all of it has been folded.
 * Items whose tries are used up are left out of it then.
 */
import type { Chunk, LaneEvents, Part } from './executor.js'
import type { RetryQueue } from './retry-queue.js'

interface Fold {
  /** As the stream knows it. */
  readonly chunk: Chunk
  /** How often items have failed, by their place. */
  readonly failures: Map<number, number>
  /** Those that are not tried again, with their errors. */
  readonly failed: Map<number, unknown>
}

export class FoldRetries {
  readonly #queue: RetryQueue
  readonly #events: LaneEvents
  /** Whether a chunk is lost with its first item. */
  readonly #stopOnError: boolean
  /** By the chunks that go again in their stead. */
  readonly #folds = new WeakMap<Chunk, Fold>()

  constructor(queue: RetryQueue, events: LaneEvents, stopOnError: boolean) {
    this.#queue = queue
    this.#events = events
    this.#stopOnError = stopOnError
  }

  /** What a chunk was folded to; or its items that have failed, and with them all of it. */
  onPart(part: Part): void {
    const fold: Fold = this.#folds.get(part.chunk) ?? { chunk: part.chunk, failures: new Map(), failed: new Map() }
    const { chunk, failures, failed } = fold
    if (part.errors === undefined || part.isFault === true) {
      this.#events.part({ ...part, chunk })
      return
    }
    let most = 0
    for (const [place, error] of part.errors) {
      if (failed.has(place)) continue
      const attempts = (failures.get(place) ?? 0) + 1
      failures.set(place, attempts)
      const again = this.#queue.isRetriable(error, attempts)
      if (this.#queue.isClosed) return
      if (again) {
        this.#events.retried()
        most = Math.max(most, attempts)
      } else failed.set(place, error)
    }
    if (most === 0 || (this.#stopOnError && failed.size > 0)) {
      this.#events.part({ ...part, chunk, errors: failed, attempts: failures })
    } else {
      const whole: Chunk = { ...chunk, failed: new Map(failed) }
      this.#folds.set(whole, fold)
      this.#queue.submitLater(whole, most)
    }
  }
}
