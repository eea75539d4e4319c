/**
 * Where chunks run, as the stream sees it: on threads, on this thread, later on other machines. Types only.
 *
 * A stream opens one lane. It submits chunks while the lane is `ready`, and takes their outcomes, in parts. The lane only wakes the
 * stream, which then looks at what has changed.
 */
import type { AsyncContext } from '../async-context.js'
import type { Batch } from '../codec/batch.js'
import type { WorkerEvent } from '../log/events.js'
import type { TaskName } from '../task.js'
import type { WorkerJob } from '../worker/protocol.js'

/** Consecutive items that an executor runs together. */
export interface Chunk {
  /** Index of the first item. */
  readonly first: number
  readonly items: Batch
  /** The errors of items that are not to be run, by their offset in the chunk. In a fold, and on hosts of a cluster. */
  readonly failed?: ReadonlyMap<number, unknown> | undefined
}

/** Outcomes of some items of a chunk: in item order for an ordered stream, otherwise as the items completed. */
export interface Part {
  readonly chunk: Chunk
  /** The offset in the chunk of the first outcome; the others follow it, unless `chunkOffsets` says where they belong. */
  readonly from: number
  readonly chunkOffsets?: readonly number[] | undefined
  /** How many items have their outcomes here. */
  readonly count: number
  /** Their results, in the same order; where an item has one result and failed, `undefined` stands in its place. */
  readonly results: Batch
  /** How many results each item has; undefined: one each, unless the part is folded. */
  readonly counts?: Uint32Array | undefined
  /** Whether the items have one result together, that of a fold in which none has failed. */
  readonly isFolded?: boolean | undefined
  /** The errors of failed items, by their offset in the part. */
  readonly errors?: ReadonlyMap<number, unknown> | undefined
  /** How often the failed items were tried, by their offset in the part. Default: once. */
  readonly attempts?: ReadonlyMap<number, number> | undefined
  /** The items that failed, by their offset in the part, where only the worker has read them. */
  readonly failedItems?: ReadonlyMap<number, unknown> | undefined
  /** Whether all items that the chunk had left failed together, for example because their worker died. */
  readonly isFault?: boolean | undefined
  /** Number of the worker, as tasks see it. */
  readonly worker: number
  /** The name of the host that ran them, on a cluster. Undefined where no host did. */
  readonly host?: string | undefined
  /** Whether this is the chunk's last part. */
  readonly last: boolean
  /** How long the chunk has run so far, in milliseconds, as its worker measured it; unknown after a crash. */
  readonly time?: number | undefined
  /** Roughly the encoded bytes of the chunk's items, or of its results so far if those are more. */
  readonly bytes?: number | undefined
  /** The same of its results alone. */
  readonly resultBytes?: number | undefined
}

/** The task of a stream, and how it runs. */
export interface Job extends Omit<WorkerJob, 'name'> {
  /** The function to call where a task runs on this thread. */
  readonly fn?: ((item: never, context: never) => unknown) | undefined
  /** Where another thread finds the task. */
  readonly name?: TaskName | undefined
  /** How many chunks can be under way at once, at the beginning: more workers are not needed. Default: any number. */
  readonly width?: number | undefined
  /** Whether somebody waits for the first outcome: it comes at once. Default: yes. */
  readonly eager?: boolean | undefined
  /** Whether more than two chunks may wait for one thread. If their size grows, the window would fill with small ones. */
  readonly deep: boolean
  /** The most workers that hold chunks of the stream at once; undefined: all. */
  readonly maxWorkers?: number | undefined
  /** Tells which buffers of an item are moved to the worker. Such a stream has chunks of one item. */
  readonly transfer?: ((item: unknown) => unknown) | undefined
}

/** The stream, as its lane sees it. */
export interface LaneClient {
  /** For user code that is called for the stream: getters of items, and the options that are functions. */
  readonly context: AsyncContext
  /** The lane is ready again, or has a part or an error. Called from anywhere, in any context. */
  readonly wake: () => void
  /** What the stream has, for figures. */
  readonly state?: (() => StreamState) | undefined
}

/** What a stream has at a moment, as its lane cannot know it. */
export interface StreamState {
  /** Items that were submitted, and whose results the consumer has not been handed. */
  readonly held: number
  /** Whether the window has no room for another item. */
  readonly isFull: boolean
  /** Whether the source has no other items. */
  readonly hasEnded: boolean
}

/** Why an `AbortSignal` was aborted: any value. */
export interface Reason {
  readonly value: unknown
}

/** One stream's way into an executor. */
export interface Lane {
  /** Whether items are encoded on their way: then whole batches of a source are better than single items. */
  readonly encodes: boolean
  /** Whether its workers can read the files of this machine themselves. Default: no. */
  readonly readsFiles?: boolean | undefined
  /** Whether a chunk may be submitted now. */
  readonly ready: boolean
  /** Hands a chunk over; only when `ready`. */
  submit(chunk: Chunk): void
  /**
   * Makes the executor begin with what was submitted: the first call starts its workers. To be called when the stream can be woken. It is
   * woken when there is room for its next chunk, so that streams take turns.
   */
  flush(): void
  /** The next outcomes that have come back, if there are any. Those of one chunk come in the order in which they came back. */
  take(): Part | undefined
  /** Set when the executor can give no other results than those that can be taken now. */
  readonly error: { readonly error: unknown } | undefined
  /** How often an item has failed and was to be tried again. */
  readonly retried: number
  /**
   * Cancels what is in flight, and forgets the stream: it is not woken after this, and takes nothing. Repeating it does no harm.
   *
   * @param reason Why the stream was aborted, if it was: the `signal` of running tasks gets it as its reason.
   */
  close(reason?: Reason): void
}

/** Runs the chunks of many streams, each in its turn. */
export interface Executor {
  /** The worker with this number, as far as it is known. */
  identify(worker: number): WorkerEvent
  /** Opens a lane. Throws when the executor is closed. Starts nothing yet. */
  open(job: Job, client: LaneClient): Lane
}

/** How large chunks and windows should be. */
export interface Grain {
  /** How long a chunk should take, in milliseconds. */
  readonly time: number
  /** The most bytes of a chunk. */
  readonly bytes: number
  /** The most bytes of a window. */
  readonly windowBytes: number
}

/** The workers of a pool. */
export interface PoolExecutor extends Executor {
  /** How many. It may change where there is a `grain`. */
  readonly workers: number
  /** Undefined: as suits threads. */
  readonly grain?: Grain | undefined
  /** Throws when no stream can be opened: the pool is closed, or broken. */
  assertOpen(): void
}
