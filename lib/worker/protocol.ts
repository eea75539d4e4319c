/**
 * What a pool and a worker say to each other. Control calls (`WorkerControl`) go through `threads`; chunks and their
 * outcomes go through a `MessagePort` of the worker's own.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Data } from '../codec/codec.js'
import type { Envelope } from '../codec/envelope.js'
import type { TaskName } from '../task.js'
import type { Slot } from './cells.js'

/** The calls a worker exposes through `threads`. */
export interface WorkerControl {
  /** Connects the data port and runs the initializer; answers with the initializer's error, if it threw one. */
  open(setup: WorkerSetup): Promise<Envelope | undefined>
}

export interface WorkerSetup {
  readonly port: MessagePort
  /** The worker's number in its pool, from 1. */
  readonly worker: number
  /** The worker's shared cells (see `cells.ts`). */
  readonly cells: SharedArrayBuffer
  readonly initializer?: TaskName | undefined
  readonly initargs: readonly unknown[]
}

/** Names a task by a number, which the chunks after it use. */
export interface TaskMessage {
  readonly type: 'task'
  readonly task: number
  readonly name: TaskName
}

/**
 * What is made of an item and of what its task returned: that value (`map`), the item itself if the value is truthy
 * (`filter`), each element of the value (`flatMap`), or the next accumulator (`reduce`), whose last one the chunk gives.
 */
export type JobKind = 'map' | 'filter' | 'flatMap' | 'reduce'

export interface ChunkMessage {
  readonly type: 'chunk'
  /** Number of the chunk on this worker, counted from 1. */
  readonly seq: number
  /** Its place in the shared cells. */
  readonly slot: Slot
  readonly task: number
  readonly kind: JobKind
  /** Where a fold begins. */
  readonly initial?: unknown
  /** Index of the first item. */
  readonly first: number
  /** The packed items; see `codec/codec.ts`. */
  readonly data: Data
  readonly concurrency: number
  readonly ordered: boolean
  /** Whether the first error ends the stream: it is posted at once. */
  readonly stopOnError: boolean
  /** Whether somebody waits for the stream's first result: the first outcome is posted at once. */
  readonly eager: boolean
  /** Items that could not be sent, by their place, with the error that is their outcome. */
  readonly refused?: readonly (readonly [place: number, error: Envelope])[] | undefined
}

/** Fires the signal of a chunk's items. The mark in the cells stops the chunk at the next item boundary. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly seq: number
}

export type ToWorker = TaskMessage | ChunkMessage | CancelMessage

export interface PartMessage {
  readonly type: 'part'
  readonly seq: number
  readonly from: number
  readonly places?: readonly number[] | undefined
  /** How many items have their outcomes here. */
  readonly count: number
  /** How many results each of them has; undefined: one each. */
  readonly counts?: Uint32Array | undefined
  /** The packed results; see `codec/codec.ts`. */
  readonly data: Data
  /** Their size, roughly. */
  readonly bytes: number
  readonly errors?: readonly (readonly [position: number, error: Envelope])[] | undefined
  /** An error of every item that has no outcome yet: their task could not be loaded, or read. */
  readonly fault?: Envelope | undefined
  readonly last: boolean
  readonly time: number
}
