/**
 * Where chunks run, as the stream sees it: threads, this thread, later other machines. Types only.
 *
 * A stream opens one lane, submits a chunk whenever the lane is `ready`, and gets each chunk's outcomes back in parts.
 */
import type { TaskName } from '../task.js'

/** A run of consecutive items on its way through an executor. */
export interface Chunk {
  /** Index of the first item. */
  readonly first: number
  /** The items. Whoever no longer needs one sets it to `undefined`. */
  readonly items: unknown[]
}

/** Outcomes of some items of a chunk: an ordered stream gets them in item order, another one as they completed. */
export interface Part {
  readonly chunk: Chunk
  /** The place in the chunk of the first outcome; the others follow it, unless `places` says where they belong. */
  readonly from: number
  readonly places?: readonly number[] | undefined
  /** The results, with `undefined` for each item that failed. */
  readonly values: unknown[]
  /** What the failed items threw, by their position in `values`. */
  readonly errors?: ReadonlyMap<number, unknown> | undefined
  /** Whether this is the chunk's last part. */
  readonly last: boolean
  /** How long the chunk has been computed on so far, in milliseconds, as its worker measured it; unknown after a crash. */
  readonly time?: number | undefined
}

/** What a stream runs. */
export interface Job {
  /** The function to call where a task runs on this thread. */
  readonly fn?: ((item: never, context: never) => unknown) | undefined
  /** Where another thread finds the task. */
  readonly name?: TaskName | undefined
  /** How many async items may run at once within one worker. */
  readonly concurrency: number
  /** Whether the parts of a chunk must come in item order. */
  readonly ordered: boolean
  /** Whether the first error ends the stream, and so must come back at once. */
  readonly stopOnError: boolean
}

/** What an executor tells a stream. */
export interface LaneEvents {
  /** The lane is ready again. */
  room(): void
  /** Outcomes have arrived. */
  part(part: Part): void
  /** The executor can give no more results. */
  broken(error: unknown): void
}

/** One stream's way into an executor. */
export interface Lane {
  /** Whether a chunk may be submitted now. */
  readonly ready: boolean
  /** Hands a chunk over; only when `ready`. The executor starts its workers at the first one. */
  submit(chunk: Chunk): void
  /** Cancels what is in flight and forgets the stream: no event comes after this. Harmless when repeated. */
  close(): void
}

/** Runs the chunks of many streams, each in its turn. */
export interface Executor {
  /** How many chunks run at once: the number of workers. */
  readonly workers: number
  /** Opens a lane. Throws when the executor is closed. Starts nothing yet. */
  open(job: Job, events: LaneEvents): Lane
}
