/** What a stream tells about itself. */
import type { Tuning } from './tuner.js'

/** Figures of one stream, at this moment. */
export interface StreamStats {
  /** Items read from the source. */
  readonly read: number
  /** Results (or outcomes) given to the consumer. */
  readonly delivered: number
  /** Items whose task failed, and was not to be tried again. */
  readonly failed: number
  /** Failed items left out under `errors: 'skip'`. */
  readonly skipped: number
  /** How often an item has failed and was to be tried again, by `retries`; it may still wait for that. */
  readonly retried: number
  /** Chunks sent to workers. */
  readonly chunks: number
  /** The most items in the next chunk. */
  readonly chunksize: number
  /** Why it is that, and what it was derived from. */
  readonly tuning: Tuning
  /** The most items read whose results have not been given. */
  readonly window: number
}
