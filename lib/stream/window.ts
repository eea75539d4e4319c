/**
 * Counts what is between the source and the consumer: items that were read and whose results the consumer has not been given.
 *
 * A result counts as given when the consumer comes back for the next one, or has asked for it already. Until then it may still
 * `break`. So a loop that breaks at its first result has read one window at most.
 */
export class Window {
  /** The most items between source and consumer. */
  limit: number
  /** Places taken, those that are reserved included. */
  #entered = 0
  #reserved = 0
  #given = 0
  #handed = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** How many items may be read now. */
  get room(): number {
    return this.limit - (this.#entered - this.#given)
  }

  get read(): number {
    return this.#entered - this.#reserved
  }

  /** Places of items whose results have not been handed out. */
  get held(): number {
    return this.#entered - this.#given - this.#handed
  }

  /** Whether no other item may be read, even if the read under way gives none. */
  get isFull(): boolean {
    return this.read - this.#given >= this.limit
  }

  /** Items that were read, and whose results have not been handed out. */
  get open(): number {
    return this.held - this.#reserved
  }

  /** Items whose results were handed out, to a consumer that has not come back. */
  get handed(): number {
    return this.#handed
  }

  /** Items whose results were handed out or left out. */
  get done(): number {
    return this.#given + this.#handed
  }

  /** This many items have been read. */
  enter(count: number): void {
    this.#entered += count
  }

  /** Takes places for the read under way, which may give fewer items. */
  reserve(count: number): void {
    this.#entered += count
    this.#reserved = count
  }

  /** The read under way has given this many items, and takes no other places. */
  settle(read: number): void {
    this.#entered += read - this.#reserved
    this.#reserved = 0
  }

  /** The results of this many items go to the consumer. */
  hand(count: number): void {
    this.#handed += count
  }

  /** This many items have no results for the consumer: their places are free. */
  leaveOut(count: number): void {
    this.#given += count
  }

  /** The consumer has come back. All that was handed out is given, or the first `count` items of it: their places are free. */
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

export interface WindowBasis {
  readonly workers: number
  /** The most items in the next chunk. */
  readonly chunksize: number
  /** Bytes of an item or of its result, encoded, if that is known. */
  readonly bytesPerItem?: number | undefined
  /** The most bytes between source and consumer. Default: 64 MiB. */
  readonly maxBytes?: number | undefined
}

/**
 * `workers × max(16, 4 × chunksize)` items, or as many as take 64 MiB, if those are fewer. At least one chunk, and two items per
 * worker.
 *
 * @param before The window up to now. Smaller chunks do not make it smaller: the larger ones before them take its room until they
 *   are delivered, and workers would be idle. Larger items make it smaller.
 */
export function defaultWindow(
  { workers, chunksize, bytesPerItem = 0, maxBytes = MAX_BYTES }: WindowBasis,
  before = 0,
): number {
  const wanted = Math.max(before, workers * Math.max(MIN_PER_WORKER, CHUNKS_PER_WORKER * chunksize))
  return Math.max(Math.min(wanted, Math.floor(maxBytes / bytesPerItem)), chunksize, 2 * workers)
}
