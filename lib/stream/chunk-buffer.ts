/** Items that were read and not yet submitted: single items, or a batch that is still encoded. */
import { Items, type Batch } from '../codec/batch.js'

export class ChunkBuffer {
  #items: unknown[] = []
  #batch: Batch | undefined

  get size(): number {
    return this.#items.length + (this.#batch?.length ?? 0)
  }

  /** The single items, to add to. After `take()` it is another array. */
  get items(): unknown[] {
    return this.#items
  }

  /** Adds a batch. A single batch stays encoded, and so do several that can be joined. All others are decoded. */
  add(batch: Batch): void {
    if (this.#items.length > 0) this.#decode(batch)
    else if (this.#batch === undefined) this.#batch = batch
    else {
      const joined = this.#batch.join(batch)
      if (joined !== undefined) this.#batch = joined
      else {
        this.#decode(this.#batch)
        this.#batch = undefined
        this.#decode(batch)
      }
    }
  }

  take(): Batch {
    const all = this.#batch ?? new Items(this.#items)
    this.#items = []
    this.#batch = undefined
    return all
  }

  clear(): void {
    this.#items = []
    this.#batch?.release()
    this.#batch = undefined
  }

  #decode(batch: Batch): void {
    for (const item of batch.values()) this.#items.push(item)
    batch.release()
  }
}
