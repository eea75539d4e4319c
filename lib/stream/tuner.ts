/**
 * What decides how many items a chunk holds. A tuner knows neither source nor workers: it is asked for a size before each
 * chunk, and told of each that is done. Here: the interface, and the tuner that always gives the same answer.
 */
/** How much of the difference a full chunk's word makes: an average over about the last seven chunks. */
const WEIGHT = 0.25
/** A sample this many times as high, or as low, is a change and not noise: it counts alone, and at once. */
const SURPRISE = 3

/** What is known of a chunk that is done, or of the part of it that is. */
export interface Measure {
  /** How many items that was. */
  readonly items: number
  /** The compute time, in milliseconds, as the worker measured it; unknown after a crash. */
  readonly time?: number | undefined
  /** The bytes of its encoded items, or of its encoded results if those are more. */
  readonly bytes?: number | undefined
}

/** The present chunksize, and why it is that. */
export interface Tuning {
  /** The most items in a chunk. */
  readonly chunksize: number
  /**
   * What keeps it from being larger. `'fixed'`: it was given. `'start'`: nothing has been measured. `'growing'`: twice as many
   * items must have been seen first. `'time'`: the time a chunk should take. `'bytes'`: the bytes it should have at most.
   * `'items'`: the most items of any chunk. `'window'`: every worker must find room for two chunks in it. `'tail'`: few items
   * are left, and every worker should have its share.
   */
  readonly reason: 'fixed' | 'start' | 'growing' | 'time' | 'bytes' | 'items' | 'window' | 'tail'
  /** Compute time of an item, in milliseconds: an average of late. */
  readonly timePerItem?: number | undefined
  /** Bytes of an item, encoded, or of its result if those are more: an average of late. */
  readonly bytesPerItem?: number | undefined
}

export interface Tuner {
  /**
   * The most items in the next chunk, at least 1. Ask once per chunk, before its first item is read.
   *
   * @param remaining How many items are still to be read, where the source's length is known.
   */
  next(remaining?: number): number
  /** Tells of a chunk that is done; or of items that are done before the rest of their chunk, once for each item. */
  record(measure: Measure): void
  /** For the stream's figures, and its window. */
  readonly tuning: Tuning
}

/** For a `chunksize` given as a number: learns nothing but averages. */
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

/** What one item costs, in time or in bytes, as learnt from chunks. It keeps one number, and knows no limits. */
export class Rate {
  #perItem: number | undefined

  /** Undefined as long as nothing was learnt. */
  get perItem(): number | undefined {
    return this.#perItem
  }

  /**
   * @param amount What the items cost together. Anything but a number of at least 0 says nothing.
   * @param share How telling that is, from 0 to 1. Below 1, the cost of the chunk itself may outweigh that of its few items.
   * @returns Whether it said something.
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
