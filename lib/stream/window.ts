/**
 * Counts what is between the source and the consumer: items read whose results the consumer has not yet been given.
 *
 * A result counts as given when the consumer comes back for the next one (or has asked for it already), and not while it
 * may still `break`: so a loop that breaks at its first result has read one window at most.
 */
export class Window {
  /** The most items between source and consumer. */
  limit: number
  #read = 0
  #given = 0
  #handed = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** How many items may be read now. */
  get room(): number {
    return this.limit - (this.#read - this.#given)
  }

  get read(): number {
    return this.#read
  }

  /** Items read whose results have not been handed out. */
  get held(): number {
    return this.#read - this.#given - this.#handed
  }

  /** Items whose results were handed out, to a consumer that has not come back. */
  get handed(): number {
    return this.#handed
  }

  /** Takes the places of items before they are read. */
  enter(count: number): void {
    this.#read += count
  }

  /** Gives places back: the source had fewer. */
  withdraw(count: number): void {
    this.#read -= count
  }

  /** The results of this many items go to the consumer. */
  hand(count: number): void {
    this.#handed += count
  }

  /** This many items have no results for the consumer: their places are free. */
  leaveOut(count: number): void {
    this.#given += count
  }

  /** The consumer has come back: what was handed out is given, or the first `count` of it, and its places are free. */
  acknowledge(count: number = this.#handed): void {
    const given = Math.min(count, this.#handed)
    this.#given += given
    this.#handed -= given
  }
}

/** The fewest items per worker: cheap items need some room until their chunks have grown. */
const MIN_PER_WORKER = 16
/** Chunks per worker: one runs, one waits for it, two may be done and wait for their turn or their consumer. */
const CHUNKS_PER_WORKER = 4
/** The most bytes, encoded, between source and consumer. */
const MAX_BYTES = 64 * 2 ** 20

/** What a default window depends on. */
export interface WindowBasis {
  readonly workers: number
  /** The most items in the next chunk. */
  readonly chunksize: number
  /** Bytes of an item or of its result, encoded, if that is known. */
  readonly bytesPerItem?: number | undefined
}

/**
 * `workers × max(16, 4 × chunksize)` items, or as many as take 64 MiB, if those are fewer; never less than a chunk, nor than
 * two items per worker.
 *
 * @param before The window up to now. Smaller chunks are no reason to make it smaller: until the larger ones before them are
 *   done and delivered, they take its room, and workers would stand idle. Larger items are.
 */
export function defaultWindow({ workers, chunksize, bytesPerItem = 0 }: WindowBasis, before = 0): number {
  const wanted = Math.max(before, workers * Math.max(MIN_PER_WORKER, CHUNKS_PER_WORKER * chunksize))
  return Math.max(Math.min(wanted, Math.floor(MAX_BYTES / bytesPerItem)), chunksize, 2 * workers)
}
