/** What a stream runs, and how. */
import type { Executor, Job, Part } from '../executor/executor.js'
import type { FailureMode } from './outcome.js'
import type { Tuner, Tuning } from './tuner.js'

/** Everything a stream needs to know. */
export interface StreamPlan {
  readonly executor: () => Executor
  readonly job: Job
  readonly tuner: Tuner
  /** The window for a chunksize, after the window up to now; a constant when the user gave one. */
  readonly windowFor: (tuning: Tuning, before?: number) => number
  readonly errors: FailureMode
  /** Any of them ends the stream. */
  readonly signals: readonly AbortSignal[]
  /** That of `signals` which Node's `pipeline` gave to the stage. */
  readonly pipeline?: AbortSignal | undefined
}

/**
 * How failed items of a part are treated. A fold cannot leave out what a fault takes: that is not the failed item
 * alone.
 */
export function modeOf({ job, errors }: StreamPlan, { isFault }: Part): FailureMode {
  return isFault === true && job.kind === 'reduce' ? 'throw' : errors
}

/** What errors of items call the task. */
export function taskOf({ job: { name, fn } }: Pick<StreamPlan, 'job'>): string {
  return name?.id ?? fn?.name ?? ''
}
