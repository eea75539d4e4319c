/** The plan of a stream: its task and settings. And its figures. */
import type { Executor, Job } from '../executor/executor.js'
import type { Limit } from './occupancy.js'
import type { ErrorLimit } from './error-limit.js'
import type { OpenTarget } from './failure-target.js'
import type { FailureMode } from './outcome.js'
import type { Tuner, Tuning } from './tuner.js'

export interface StreamPlan {
  readonly executor: () => Executor
  readonly job: Job
  readonly tuner: Tuner
  /** How many workers the stream may use; on this thread, how many items may run at once. */
  readonly workers: number
  /** The window for a chunksize, from the window before; a constant when the user gave one. */
  readonly windowFor: (tuning: Tuning, before?: number) => number
  readonly errors: FailureMode
  /** Opens the file that failed items go to. */
  readonly rejects?: OpenTarget | undefined
  /** The path of that file. */
  readonly rejectsPath?: string | undefined
  /** How many items may fail. */
  readonly maxErrors?: ErrorLimit | undefined
  /** Any of them ends the stream. */
  readonly signals: readonly AbortSignal[]
  /** The one of `signals` that Node's `pipeline` gave to the stage. */
  readonly pipeline?: AbortSignal | undefined
}

/** The name of the task in errors. */
export function taskOf({ job: { name, fn } }: Pick<StreamPlan, 'job'>): string {
  return name?.id ?? fn?.name ?? ''
}

/** Figures of one stream, at this moment. */
export interface StreamStats {
  /** Items read from the source. */
  readonly read: number
  /** Results (or outcomes) given to the consumer. */
  readonly delivered: number
  /** Items that failed and were not tried again. Of a stream that was left: those before its last result. */
  readonly failed: number
  /** Failed items left out under `errors: 'skip'`. */
  readonly skipped: number
  /** Failed items that went to the file of `rejects()`. */
  readonly rejected: number
  /** How often `retries` made a failed item wait for another try; it may still wait. */
  readonly retried: number
  /** Chunks sent to workers. */
  readonly chunks: number
  /** The most items in the next chunk. */
  readonly chunksize: number
  /** Why it has this value, and the averages behind it. */
  readonly tuning: Tuning
  /** The most items that have been read and whose results have not been given. */
  readonly window: number
  /**
   * Bytes that the source at the beginning of the pipeline has read, as they are stored: compressed ones before they are
   * inflated. Undefined if it is not a source of bytes, such as `lines()`.
   */
  readonly bytesRead: number | undefined
  /** Bytes of all its files, at least `bytesRead`; undefined while that is unknown. */
  readonly bytesTotal: number | undefined
  /**
   * The share of the time of its workers that they have computed for this stream, from its first `next()` on: from 0 to
   * 1. A chunk counts when its results arrive. With `workers: 0`, the share of the time of `concurrency` items.
   */
  readonly busy: number
  /**
   * What holds the stream back: the side that was busy for the largest share of the time. `'source'`: the stream waits
   * for items. `'workers'`: it waits for results. `'consumer'`: the code that reads its results, or this thread, takes
   * longer than the others. If the source is another stage, and not held back by this one, what holds back that stage.
   * Undefined before the first `next()`.
   */
  readonly limit: Limit | undefined
}
