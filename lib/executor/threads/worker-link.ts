/**
 * What the pool's side of a worker needs of the thread or the process in which the worker runs. `WorkerThread` and `WorkerProcess` are the
 * two kinds. All that decides which chunk runs where is above it, and common to both.
 */
import type { LaunchOptions } from '../../threads/launch.js'
import type { WorkerEvent } from '../../log/events.js'
import type { TaskName } from '../../task.js'
import type { FromWorker, LISTENING, ToWorker } from '../../worker/protocol.js'
import type { Packed } from '../../codec/codec.js'

/** Where workers run: on threads of this process, or each in a process of the system. */
export type Isolation = 'thread' | 'process'

/** How a pool's workers are started. */
export interface WorkerOptions extends LaunchOptions {
  readonly name: string
  /** Default: `'thread'`. */
  readonly isolation?: Isolation | undefined
  readonly initializer?: TaskName | undefined
  readonly initargs: readonly unknown[]
  readonly finalizer?: TaskName | undefined
  /** How long its start with its initializer, and its finalizer, may each take, in milliseconds. */
  readonly startTimeout: number
  /** Whether the worker tells how much of its heap is in use. */
  readonly watchHeap?: boolean
}

/** A message of a worker that has started. */
export type WorkerMessage = Exclude<FromWorker, typeof LISTENING>

export interface LinkEvents {
  /** It is ready, or has ended. */
  readonly wake: () => void
  readonly receive: (message: WorkerMessage) => void
  /** A message of it could not be read. */
  readonly unreadable: () => void
}

export interface WorkerEnd {
  /** Whether it had been ready. */
  readonly wasReady: boolean
  /** If a signal has ended a process: minus its number. */
  readonly exitCode: number
  /** The name of the signal that has ended a process. */
  readonly signal?: NodeJS.Signals | undefined
  /** Its uncaught error, if there was one. If it had not been ready: why. */
  readonly cause: unknown
}

/** The value or the error of a finalizer. */
export type Finalized = { readonly value: unknown; readonly error?: never } | { readonly error: unknown }

export interface WorkerPort {
  postMessage(message: ToWorker, transfer?: Packed['transfer']): void
}

export interface WorkerLink {
  /** From 1; unique among the living workers of a pool. */
  readonly number: number
  readonly identity: WorkerEvent
  readonly state: 'starting' | 'ready' | 'dead'
  /** Set when it has ended. */
  readonly end: WorkerEnd | undefined
  /** The uncaught error that has ended it. */
  readonly uncaught: { readonly error: unknown } | undefined
  /** Whether it was ended because it was not ready in time. */
  readonly isOverdue: boolean
  /** Whether its pool has an initializer: code of the user may have run in it before it is ready. */
  readonly isInitialized: boolean
  readonly port: WorkerPort
  /** How far it is. A thread writes them itself. */
  readonly cells: Int32Array
  /** Whether it has memory in common with this thread. Otherwise chunks cannot be withdrawn, and shared objects cannot be sent. */
  readonly sharesMemory: boolean
  /** Brings the cells up to date, if the worker does not write them itself. */
  refresh(): void
  /** Gives the messages that have come and that Node has not delivered yet, where that is possible. */
  drain(): void
  /** It has ended, and has given all its messages. */
  close(): void
  /** Lets it keep the program alive, or not. */
  keepAlive(keep: boolean): void
  /** Ends it at once. Resolves when it has exited. Never rejects. */
  terminate(): Promise<void>
  /** Ends it at once. It is reported as if it had ended by itself. */
  kill(): void
  /** It was ready, but cannot work: this counts as a failed start. */
  failStart(cause: unknown): void
  /** Runs the finalizer, if there is one and it is ready. Never rejects. */
  finalize(): Promise<Finalized | undefined>
  /** It was asked to end by itself. Settles when it has ended, or is given up. Never rejects. */
  untilExited(isBlocked: () => boolean): Promise<void>
}

/** Why a start is given up. */
export function startTimeoutText({ startTimeout, initializer }: WorkerOptions): string {
  const what =
    initializer === undefined
      ? `a worker did not start within ${startTimeout} ms: a module that its execArgv loads may await something that never settles`
      : `initializer '${initializer.id}' of ${initializer.module} did not end within ${startTimeout} ms: it may await something that never settles`
  return `${what}; or give the pool a longer startTimeout`
}

/** Why a finalizer is given up. */
export function finalizerTimeoutText({ id, module }: TaskName, startTimeout: number, worker: string): string {
  const what = `Finalizer '${id}' of ${module} did not end within ${startTimeout} ms`
  return `${what} (worker '${worker}'): give the pool a longer startTimeout`
}
