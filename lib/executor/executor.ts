/**
 * Where chunks run, as the stream sees it: threads, this thread, later other machines. Types only.
 *
 * A stream opens one lane. It submits chunks to it while the lane is `ready`, and takes their outcomes from it, in parts: a queue
 * there and a queue back. The lane only wakes the stream, which then looks at what there is.
 */
import type { AsyncContext } from '../async-context.js'
import type { Batch } from '../codec/batch.js'
import type { WorkerEvent } from '../log/events.js'
import type { TaskName } from '../task.js'
import type { WorkerJob } from '../worker/protocol.js'

/** A run of consecutive items on its way through an executor. */
export interface Chunk {
  /** Index of the first item. */
  readonly first: number
  readonly items: Batch
  /** Items that are not to be run, by their offset in the chunk, with the errors that are their outcomes. Only in a fold. */
  readonly failed?: ReadonlyMap<number, unknown> | undefined
}

/** Outcomes of some items of a chunk: an ordered stream gets them in item order, another one as they completed. */
export interface Part {
  readonly chunk: Chunk
  /** The offset in the chunk of the first outcome; the others follow it, unless `chunkOffsets` says where they belong. */
  readonly from: number
  readonly chunkOffsets?: readonly number[] | undefined
  /** How many items have their outcomes here. */
  readonly count: number
  /** Their results, in the same order; where an item has one result and failed, `undefined` stands in its place. */
  readonly results: Batch
  /** How many results each item has; undefined: one each. */
  readonly counts?: Uint32Array | undefined
  /** What the failed items threw, by their offset in the part. */
  readonly errors?: ReadonlyMap<number, unknown> | undefined
  /** How often the failed items were tried, by their offset in the part; where it is not told, once. */
  readonly attempts?: ReadonlyMap<number, number> | undefined
  /** Whether the errors are not those of single items, but of all that the chunk had left: its worker died, or the like. */
  readonly isFault?: boolean | undefined
  /** Number of the worker, as tasks see it. */
  readonly worker: number
  /** Whether this is the chunk's last part. */
  readonly last: boolean
  /** How long the chunk has been computed on so far, in milliseconds, as its worker measured it; unknown after a crash. */
  readonly time?: number | undefined
  /** The bytes of the chunk's items or of its results so far, whichever are more, as they crossed; roughly. */
  readonly bytes?: number | undefined
}

/** What a stream runs. */
export interface Job extends Omit<WorkerJob, 'name'> {
  /** The function to call where a task runs on this thread. */
  readonly fn?: ((item: never, context: never) => unknown) | undefined
  /** Where another thread finds the task. */
  readonly name?: TaskName | undefined
  /** How many chunks can be under way at once, at the beginning: more workers are not needed. Default: any number. */
  readonly width?: number | undefined
  /** Whether more than two chunks may wait for one thread. Where their size is to grow, the window would fill with small ones. */
  readonly deep: boolean
  /** The most workers that hold chunks of the stream at once; undefined: all. */
  readonly maxWorkers?: number | undefined
  /** Tells which buffers of an item are moved to the worker. Such a stream has chunks of one item. */
  readonly transfer?: ((item: unknown) => unknown) | undefined
}

/** What a lane needs of its stream. */
export interface LaneClient {
  /** In which user code is called for the stream: getters of items, and the options that are functions. */
  readonly context: AsyncContext
  /** Something has changed: the lane is ready again, or has a part to take, or an error. Called from anywhere, in any context. */
  readonly wake: () => void
}

/** What an `AbortSignal` was aborted for: anything. */
export interface Reason {
  readonly value: unknown
}

/** One stream's way into an executor. */
export interface Lane {
  /** Whether items are encoded on their way: then a source had better give whole batches than single items. */
  readonly encodes: boolean
  /** Whether a chunk may be submitted now. */
  readonly ready: boolean
  /** Hands a chunk over; only when `ready`. */
  submit(chunk: Chunk): void
  /**
   * Has the executor begin with what was submitted. To be called when the stream can be woken: it is woken when there is room for the
   * next chunk, and so has its turn among others. The executor starts its workers at the first call.
   */
  flush(): void
  /** The next outcomes that have come back, if there are any. Those of one chunk come in the order in which they were known. */
  take(): Part | undefined
  /** Set when the executor can give no more results than those that can be taken. */
  readonly error: { readonly error: unknown } | undefined
  /** How often an item has failed and was to be tried again. */
  readonly retried: number
  /**
   * Cancels what is in flight and forgets the stream: it is not woken after this, and takes nothing. Harmless when repeated.
   *
   * @param reason Why the stream was aborted: the reason of the `signal` of tasks that run. Undefined where it ended in another way.
   */
  close(reason?: Reason): void
}

/** Runs the chunks of many streams, each in its turn. */
export interface Executor {
  /** How many chunks run at once: the number of workers. */
  readonly workers: number
  /** Who the worker is that has this number, as far as is known. */
  identify(worker: number): WorkerEvent
  /** Opens a lane. Throws when the executor is closed. Starts nothing yet. */
  open(job: Job, client: LaneClient): Lane
}

/** The workers of a pool. */
export interface PoolExecutor extends Executor {
  /** Throws when no stream can be opened: the pool is closed, or broken. */
  assertOpen(): void
}
