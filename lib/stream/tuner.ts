/** Decides how many items a chunk holds. Knows neither source nor workers: it is told how long chunks took. */

export interface Tuner {
  /** The most items in the next chunk. */
  readonly chunksize: number
  next(remaining?: number): number
  /** Tells the compute time of a finished chunk, in milliseconds, as its worker measured it. */
  record(items: number, time: number): void
}

/** For a `chunksize` given as a number. */
export class FixedTuner implements Tuner {
  readonly chunksize: number

  constructor(chunksize: number) {
    this.chunksize = chunksize
  }

  next(): number {
    return this.chunksize
  }

  record(): void {
    // A fixed size learns nothing.
  }
}

/** A chunk should take about this long, in milliseconds: long beside a round trip of tens of microseconds. */
const TARGET = 4

/** For `chunksize: 'auto'`: starts at `min`, at most doubles at a time, shrinks at once. */
export class AutoTuner implements Tuner {
  readonly #min: number
  readonly #max: number
  #chunksize: number

  /** @param min Never fewer items than this. @param max Never more. */
  constructor(min: number, max: number) {
    this.#max = Math.max(1, max)
    this.#min = Math.min(min, this.#max)
    this.#chunksize = this.#min
  }

  get chunksize(): number {
    return this.#chunksize
  }

  next(): number {
    return this.chunksize
  }

  record(items: number, time: number): void {
    const wanted = time > 0 ? Math.floor((TARGET * items) / time) : Infinity
    // Partly filled chunks, of a slow source, say too little to grow by.
    const most = items >= this.#chunksize ? this.#chunksize * 2 : this.#chunksize
    this.#chunksize = Math.max(this.#min, Math.min(wanted, most, this.#max))
  }
}
