/**
 * Tries the chunks of a fold again. A whole chunk is submitted again, because its accumulator depends on all of its items. Items that
 * have no tries left are then left out.
 */
import type { Fifo } from '../fifo.js'
import type { Chunk, Part } from './executor.js'
import type { RetryQueue } from './retry-queue.js'

interface Fold {
  /** The chunk that the stream has submitted. */
  readonly chunk: Chunk
  /** How often items have failed, by their offset in the chunk. */
  readonly failures: Map<number, number>
  /** Those that are not tried again, with their errors. */
  readonly failed: Map<number, unknown>
}

export class FoldRetries {
  readonly #queue: RetryQueue
  readonly #parts: Fifo<Part>
  /** Whether one failed item fails the chunk. */
  readonly #stopOnError: boolean
  /** By the chunks that were submitted instead of the first ones. */
  readonly #folds = new WeakMap<Chunk, Fold>()

  /** @param parts For the stream to take. */
  constructor(queue: RetryQueue, parts: Fifo<Part>, stopOnError: boolean) {
    this.#queue = queue
    this.#parts = parts
    this.#stopOnError = stopOnError
  }

  accept(part: Part): void {
    const fold: Fold = this.#folds.get(part.chunk) ?? { chunk: part.chunk, failures: new Map(), failed: new Map() }
    const { chunk, failures, failed } = fold
    if (part.errors === undefined || part.isFault === true) {
      this.#parts.push({ ...part, chunk })
      return
    }
    let most = 0
    for (const [chunkOffset, error] of part.errors) {
      if (failed.has(chunkOffset)) continue
      const attempts = (failures.get(chunkOffset) ?? 0) + 1
      failures.set(chunkOffset, attempts)
      const again = this.#queue.isRetriable(error, attempts)
      if (this.#queue.isClosed) return
      if (again) {
        this.#queue.retried++
        most = Math.max(most, attempts)
      } else failed.set(chunkOffset, error)
    }
    if (most === 0 || (this.#stopOnError && failed.size > 0)) {
      this.#parts.push({ ...part, chunk, errors: failed, attempts: failures })
    } else {
      const whole: Chunk = { ...chunk, failed: new Map(failed) }
      this.#folds.set(whole, fold)
      this.#queue.submitLater(whole, most)
    }
  }
}
