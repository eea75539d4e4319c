/** The window of a stream that was given none. Not the window itself, which counts: only how much it should let in. */

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
