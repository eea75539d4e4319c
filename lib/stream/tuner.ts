/**
 * A tuner decides how many items a chunk holds. It gives a size before each chunk, and learns from each chunk that is done. Here: the
 * interface, and the tuner of a fixed size.
 */
/** The weight of a full chunk in the average: so it is one over about the last seven chunks. */
const WEIGHT = 0.25
/** A sample this many times as high, or as low, is a change and not noise: it replaces the average. */
const SURPRISE = 3

/** The measures of a chunk that is done, or of the part of it that is. */
export interface Measure {
  readonly items: number
  /** The compute time, in milliseconds, as the worker measured it; unknown after a crash. */
  readonly time?: number | undefined
  /** The bytes of its encoded items, or of its encoded results if those are more. */
  readonly bytes?: number | undefined
  /** The same without items that travel by reference. Default: `bytes`. */
  readonly copied?: number | undefined
}

/** The present chunksize, and why it is that. */
export interface Tuning {
  /** The most items in a chunk. */
  readonly chunksize: number
  /**
   * Why it is not larger. `'fixed'`: it was given. `'start'`: nothing has been measured. `'growing'`: twice as many
   * items must have been seen first. `'time'`: the time a chunk should take. `'bytes'`: the bytes it should have at most.
   * `'items'`: the most items of any chunk. `'window'`: every worker must find room for two chunks in it. `'tail'`: few items
   * are left, and every worker should have its share.
   */
  readonly reason: 'fixed' | 'start' | 'growing' | 'time' | 'bytes' | 'items' | 'window' | 'tail'
  /** Compute time of an item, in milliseconds: a recent average. */
  readonly timePerItem?: number | undefined
  /** Encoded bytes of an item, or of its result if those are more: a recent average. */
  readonly bytesPerItem?: number | undefined
}

export interface Tuner {
  /**
   * The most items in the next chunk, at least 1. Ask once per chunk, before its first item is read.
   *
   * @param remaining How many items are still to be read, where the source's length is known.
   */
  next(remaining?: number): number
  /** A chunk is done, or items of it. Each item is recorded once. */
  record(measure: Measure): void
  readonly tuning: Tuning
}

/** For a `chunksize` given as a number. It learns averages for the figures and the window. */
export class FixedTuner implements Tuner {
  readonly #chunksize: number
  readonly #time = new Rate()
  readonly #bytes = new Rate()

  constructor(chunksize: number) {
    this.#chunksize = chunksize
  }

  get tuning(): Tuning {
    return {
      chunksize: this.#chunksize,
      reason: 'fixed',
      timePerItem: this.#time.perItem,
      bytesPerItem: this.#bytes.perItem,
    }
  }

  next(): number {
    return this.#chunksize
  }

  record({ items, time, bytes }: Measure): void {
    const share = items / this.#chunksize
    this.#time.learn(time, items, share)
    this.#bytes.learn(bytes, items, share)
  }
}

/** The average cost of an item, in time or in bytes. */
export class Rate {
  #perItem: number | undefined

  get perItem(): number | undefined {
    return this.#perItem
  }

  /**
   * @param amount The cost of the items together. It counts only if it is a number of at least 0.
   * @param share How much it counts, from 0 to 1: the cost of the chunk itself may outweigh that of a few items.
   * @returns Whether it counted.
   */
  learn(amount: number | undefined, items: number, share: number): boolean {
    if (amount === undefined || !(amount >= 0 && amount < Infinity && items >= 1 && items < Infinity)) return false
    const sample = amount / items
    const known = this.#perItem
    if (known === undefined || (share >= 1 && (sample > known * SURPRISE || sample * SURPRISE < known))) {
      this.#perItem = sample
    } else {
      this.#perItem = known + (sample - known) * WEIGHT * Math.min(1, share)
    }
    return true
  }
}
