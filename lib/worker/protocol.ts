/**
 * The messages between a pool and a worker. The finalizer is called through `threads` (`WorkerControl`); chunks and their
 * outcomes go through a `MessagePort` of the worker's own.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Data } from '../codec/codec.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import type { FormattedData } from '../formats/formatted.js'
import type { OutputFormat } from '../formats/output-format.js'
import type { RelayedRecord } from '../log/record.js'
import type { TaskName } from '../task.js'
import type { Slot } from './cells.js'
import type { GivenIdentity } from '../identity.js'

export interface WorkerControl {
  /** Runs the finalizer; answers with a pack of what it returned, or with its error. */
  finalize(name: TaskName): Promise<{ readonly value?: Data; readonly error?: EncodedError | undefined }>
}

/** What a worker runs before it listens. */
export interface Initializer {
  readonly name: TaskName
  /** A pack of one value: the array of its arguments. */
  readonly args: Data
}

/** The first message to a worker, and the only one that goes neither through `threads` nor through the data port. */
export interface WorkerSetup {
  readonly type: 'worker'
  readonly identity: GivenIdentity
  /** See `log/settings.ts`. */
  readonly log: Int32Array<SharedArrayBuffer>
  readonly port: MessagePort
  readonly worker: number
  readonly cells: SharedArrayBuffer
  readonly initializer: Initializer | undefined
  /** Whether the pool has a control call to make. */
  readonly controlled: boolean
  /** Whether to note, after each chunk, how much of the heap is in use. */
  readonly watchHeap: boolean
}

/**
 * What a stream gives for an item. `map`: what the task returned. `filter`: the item, if that is truthy. `flatMap`:
 * each element of it. `reduce`: it is the next accumulator, and the chunk gives the last one.
 */
export type JobKind = 'map' | 'filter' | 'flatMap' | 'reduce'

export interface WorkerJob {
  readonly kind: JobKind
  /** Where a fold begins: each chunk has a copy. */
  readonly initial?: unknown
  readonly name: TaskName
  /** Whether an item is an array of arguments, and the task gets those and no context. */
  readonly spread?: boolean | undefined
  /** How many async items may run at once within one worker. */
  readonly concurrency: number
  /** Whether the parts of a chunk must come in item order. */
  readonly ordered: boolean
  /** Whether the first error ends the stream, and so must come back at once. */
  readonly stopOnError: boolean
  /** How long an item may take, in milliseconds; undefined: as long as it likes. */
  readonly timeout?: number | undefined
  /** On a host of a cluster: the trace that its items belong to. */
  readonly traceparent?: string | undefined
  /** The format in which results are sent: that of an output which gets them. Undefined: as values. */
  readonly format?: OutputFormat | undefined
}

/** Introduces a stream's job by a number, which its chunks use. */
export interface JobMessage {
  readonly type: 'job'
  readonly id: number
  readonly job: Omit<WorkerJob, 'initial'>
  /** A pack of one value: where a fold begins. */
  readonly initial: Data | undefined
}

export interface EndMessage {
  readonly type: 'end'
  readonly id: number
}

/** Fires the signal of a chunk's items. The mark in the cells stops the chunk at the next item boundary. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly seq: number
  readonly slot: Slot
  /** Why the stream was aborted; undefined where it ended in another way. */
  readonly reason?: EncodedError | undefined
}

/**
 * A chunk. A tuple, since cloning the names of fields would cost more than cloning their values.
 *
 * - `seq`: number of the chunk on this worker, counted from 1; `slot`: its place in the shared cells;
 * - `first`: index of the first item;
 * - `flushFirst`: whether somebody waits for the stream's first result: the first outcome is posted at once;
 * - `data`: the packed items, see `codec/codec.ts`.
 */
export type ChunkMessage = readonly [
  seq: number,
  slot: Slot,
  job: number,
  first: number,
  flushFirst: boolean,
  data: Data,
  details?: ChunkDetails | undefined,
]

/** Several chunks: one message costs less than one for each. */
export interface ChunksMessage {
  readonly type: 'chunks'
  readonly chunks: readonly ChunkMessage[]
}

/** Most chunks have none. */
export interface ChunkDetails {
  /** How many items, from the first on, have had their outcomes before. */
  readonly start?: number | undefined
  /**
   * Items that must not run, by their offset in the chunk. With an error: their outcome, as they could not be sent or
   * have cost a worker. Without: they have had their outcome before.
   */
  readonly settled?: readonly (readonly [chunkOffset: number, error: EncodedError | undefined])[] | undefined
  /** Whether a worker process notes each item before it begins: one of them has ended a process before. */
  readonly isTracked?: boolean | undefined
}

/** Asks a worker process for a chunk that it has not begun. It answers if its event loop has a turn before it begins it. */
export interface GiveBackMessage {
  readonly type: 'giveBack'
  readonly seq: number
}

/** The worker is to end by itself: otherwise some of its output would be lost. */
export interface LeaveMessage {
  readonly type: 'leave'
}

export type ToWorker =
  ChunkMessage | ChunksMessage | JobMessage | EndMessage | CancelMessage | GiveBackMessage | LeaveMessage

/**
 * Outcomes of some items of a chunk; a tuple, as a chunk is.
 *
 * - `from`: the offset of the first outcome; the others follow it, unless there are `chunkOffsets`;
 * - `count`: how many items have their outcomes here;
 * - `data`: the packed results, or the bytes of formatted ones; `bytes`: their size, roughly;
 * - `time`: how long the chunk has been computed on so far, in milliseconds.
 */
export type PartMessage = readonly [
  seq: number,
  from: number,
  count: number,
  last: boolean,
  time: number,
  bytes: number,
  data: Data | FormattedData,
  details?: PartDetails | undefined,
]

/** Most parts have none. */
export interface PartDetails {
  readonly chunkOffsets?: readonly number[] | undefined
  /** How many results each item has; undefined: one each. */
  readonly counts?: Uint32Array | undefined
  /** The errors of the failed items, by their offset in the part. */
  readonly errors?: readonly (readonly [partOffset: number, error: EncodedError])[] | undefined
  /** The items of these errors, packed, in the same order, if they are rows: the pool has not read them. */
  readonly failedItems?: Data | undefined
  /** An error of every item that has no outcome yet: their task could not be loaded, or read. */
  readonly fault?: EncodedError | undefined
  readonly isUnread?: boolean | undefined
  /** Whether the items have one result together, that of a fold in which none has failed. */
  readonly isFolded?: boolean | undefined
  /** Whether a result may be one that cannot go on to another process. */
  readonly isForThreads?: boolean | undefined
}

/** The worker has read the chunks up to number `seq`, and no longer has these objects, which it was sent before. */
export interface CollectedMessage {
  readonly type: 'collected'
  readonly seq: number
  readonly ids: readonly string[]
}

/** A worker process has not begun this chunk, and will not. */
export interface GivenBackMessage {
  readonly type: 'givenBack'
  readonly givenBack: number
}

/** The worker has loaded, and takes messages from its data port. */
export const LISTENING = 'listening'

/** The first message to a worker process. */
export interface ChildSetup extends Pick<WorkerSetup, 'type' | 'identity' | 'worker' | 'watchHeap' | 'initializer'> {
  /** A copy: changes come as messages. */
  readonly log: Int32Array
}

/** The settings of the log have changed. */
export interface LogMessage {
  readonly type: 'log'
  readonly cells: Int32Array
}

interface FinalizeMessage {
  readonly type: 'finalize'
  readonly name: TaskName
}

/** The messages to a worker process, after the first one and beside those for the log. */
export type ChildMessage = ToWorker | FinalizeMessage

/** The initializer has failed. The worker does not listen. */
export interface FailedStartMessage {
  readonly type: 'failedStart'
  readonly error: EncodedError
}

interface FinalizedMessage {
  readonly type: 'finalized'
  readonly value?: Data | undefined
  readonly error?: EncodedError | undefined
}

/** The messages of a worker process. */
export type FromChild = FromThread | FinalizedMessage | RelayedRecord

/** The messages of a worker thread on its data port. */
export type FromThread = FromWorker | FailedStartMessage

export type FromWorker = typeof LISTENING | PartMessage | CollectedMessage | GivenBackMessage
