/** The plan of a stream: its task and settings. And its figures. */
import type { Executor, Job } from '../executor/executor.js'
import type { FailureMode } from './outcome.js'
import type { Tuner, Tuning } from './tuner.js'

export interface StreamPlan {
  readonly executor: () => Executor
  readonly job: Job
  readonly tuner: Tuner
  /** The window for a chunksize, from the window before; a constant when the user gave one. */
  readonly windowFor: (tuning: Tuning, before?: number) => number
  readonly errors: FailureMode
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
  /** Items that failed and were not tried again. */
  readonly failed: number
  /** Failed items left out under `errors: 'skip'`. */
  readonly skipped: number
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
}
