/**
 * Events of workers, processes and items. Each is published on a channel of `node:diagnostics_channel`, for pino,
 * OpenTelemetry and other listeners, and written into the log. This happens in the thread that owns the pool or the
 * process.
 */
import { channel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { attempt, isErrorObject, received } from '../errors.js'
import { emit, isRead, type LogRecord } from './record.js'
import { goesToStderr, isLogged, type LogLevel } from './settings.js'

/** A thread that the library has started. */
export interface ThreadEvent {
  /** Its name, as its `currentProcess()` tells. */
  readonly name: string
  /** Its thread id, or with `isolation: 'process'` the process id; of one that has not come to have any, -1. */
  readonly pid: number
}

/** A worker of a pool. */
export interface WorkerEvent extends ThreadEvent {
  /** The pool's name. */
  readonly pool: string
  /** The worker's number, as tasks see it. */
  readonly worker: number
  /** On a cluster: the name of its host. */
  readonly host?: string | undefined
}

/** An item that has failed, for good. */
export interface TaskFailure {
  /** The value that the task threw, or the error about the end of its worker. */
  readonly error: unknown
  /** The id of the task; of a function that runs on this thread, its name. */
  readonly task: string
  /** The item's index in its source. */
  readonly index: number
  /** The pool's name; `''` on this thread. */
  readonly pool: string
  /** Number of the worker that tried it last, as tasks see it; 0 on this thread. */
  readonly worker: number
  /** On a cluster: the name of the host that tried it last. Absent on a pool, and for an item that no host has run. */
  readonly host?: string | undefined
  /** How often it was tried. */
  readonly attempts: number
}

/** A program of a cluster. */
export interface ClusterMember {
  readonly role: 'producer' | 'host'
  readonly namespace: string
  readonly group: string
  /** Of a host: its name. */
  readonly host?: string | undefined
}

/** An event in a program of a cluster, with the name and id of its thread. */
export interface ClusterEvent extends ClusterMember, ThreadEvent {}

/** A run that goes on where an earlier one was stopped. */
export interface RunResumed extends ThreadEvent {
  /** The path of the checkpoint. */
  readonly checkpoint: string
  /** How many items of the source are done. */
  readonly items: number
  /** How many of them have failed, and were left out or went to the file of `rejects()`. */
  readonly failed: number
  /** What has changed since: a sentence about each input that has grown, or is another file with the same bytes. */
  readonly remarks: readonly string[]
}

/** A chunk that is sent, or has come, once more. */
export interface ChunkAgain extends ClusterEvent {
  /** The id of the task. */
  readonly task: string
  /** The index of the first item in its source. */
  readonly index: number
  /** How many items. */
  readonly items: number
  /** How often it was sent by this producer, or delivered by the server, this time included: from 2. */
  readonly times: number
}

/**
 * The channels of `node:diagnostics_channel`, and the event that each publishes, in the thread that owns the pool or
 * the process. A listener is called at once, before code that waits for the item, the worker or the process continues.
 * It may end streams and pools and start others. An error that it throws is an uncaught error.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import { type Diagnostics, isMainThread, map, task } from 'millrace'
 *
 * const half = task(import.meta.url, 'half', (n: number) => {
 *   if (n % 2 === 1) throw new RangeError(`${n} is odd`)
 *   return n / 2
 * })
 *
 * if (isMainThread) {
 *   subscribe('millrace:task:failure', (message) => {
 *     const { task, index, error } = message as Diagnostics['millrace:task:failure']
 *     console.log(task, index, String(error))
 *   })
 *   await map(half, [2, 3, 4], { errors: 'settle' })
 *   // → half 1 RangeError: 3 is odd
 * }
 * ```
 */
export interface Diagnostics {
  /** A worker has started: its module is loaded, and its initializer is done. */
  readonly 'millrace:worker:start': WorkerEvent
  /**
   * A worker has ended, or cannot be started. `wasAsked`: whether the pool has ended it. `error`: what nobody caught in
   * it.
   */
  readonly 'millrace:worker:exit': WorkerEvent & {
    readonly exitCode: number
    readonly wasAsked: boolean
    readonly error?: unknown
  }
  /** A worker is being replaced, with the number of its items and the bytes of its heap in use (0: not measured). */
  readonly 'millrace:worker:recycle': WorkerEvent & { readonly items: number; readonly heapUsed: number }
  /** A worker is being ended, as an item takes longer than its `timeout`, in milliseconds. */
  readonly 'millrace:worker:timeout': WorkerEvent & { readonly timeout: number }
  /** An item has failed, and will not be tried again; whatever the stream's `errors` makes of it. */
  readonly 'millrace:task:failure': TaskFailure
  /** A run with `resume` goes on where an earlier one was stopped. It has read nothing itself. */
  readonly 'millrace:run:resume': RunResumed
  /** A `Process` has been started. */
  readonly 'millrace:process:start': ThreadEvent
  /** A `Process` has ended. `error`: what its target threw, or what nobody caught. */
  readonly 'millrace:process:exit': ThreadEvent & { readonly exitCode: number; readonly error?: unknown }
  /** A program has lost its connection to the server of a cluster. It connects again by itself. */
  readonly 'millrace:cluster:down': ClusterEvent
  /** It has the connection again. `downtime`: how long it had none, in milliseconds. */
  readonly 'millrace:cluster:up': ClusterEvent & { readonly downtime: number }
  /** A producer sends a chunk again, as the server has lost it. Or a host got one that was delivered before. */
  readonly 'millrace:chunk:again': ChunkAgain
  /**
   * A record of the log, as it is written, or comes from a thread that this one has started. Lines of `console` are
   * published by the latter alone, so that a listener may print.
   */
  readonly 'millrace:log': LogRecord
}

const workerStart = channel('millrace:worker:start')
const workerExit = channel('millrace:worker:exit')
const workerRecycle = channel('millrace:worker:recycle')
const workerTimeout = channel('millrace:worker:timeout')
const taskFailure = channel('millrace:task:failure')
const runResume = channel('millrace:run:resume')
const processStart = channel('millrace:process:start')
const processExit = channel('millrace:process:exit')

export function workerStarted(event: Diagnostics['millrace:worker:start']): void {
  workerStart.publish(event)
  log('info', event, () => 'started')
}

/** @param wasReady Whether it had started. */
export function workerExited(event: Diagnostics['millrace:worker:exit'], wasReady: boolean): void {
  workerExit.publish(event)
  const { exitCode, wasAsked, error } = event
  if (wasAsked) log('info', event, () => 'ended')
  else {
    const what = wasReady ? 'died' : 'did not start: it ended'
    log('error', event, () => `${what} with exit code ${exitCode}${error === undefined ? '' : `: ${inspect(error)}`}`)
  }
}

export function workerRecycled(event: Diagnostics['millrace:worker:recycle']): void {
  workerRecycle.publish(event)
  const heap = event.heapUsed === 0 ? '' : `, with ${(event.heapUsed / 2 ** 20).toFixed(1)} MiB of its heap in use`
  log('info', event, () => `is replaced after ${event.items} items${heap}`)
}

export function workerTimedOut(event: Diagnostics['millrace:worker:timeout'], what = 'an item takes longer'): void {
  workerTimeout.publish(event)
  log('warn', event, () => `is ended as ${what} than ${event.timeout} ms`)
}

/** Whether anybody is told of failures. */
export function tellsFailures(): boolean {
  return taskFailure.hasSubscribers || isLogged('warn')
}

/** @param by The thread that has run it. */
export function taskFailed(event: Diagnostics['millrace:task:failure'], by: ThreadEvent): void {
  taskFailure.publish(event)
  const { task, index, host, attempts, error } = event
  const times = attempts === 1 ? '' : ` after ${attempts} attempts`
  const where = host === undefined ? '' : `, on host '${host}'`
  log('warn', by, () => `task '${task}' failed on item ${index}${times}${where}: ${lineOf(error)}`)
}

export function runResumed(event: Diagnostics['millrace:run:resume']): void {
  runResume.publish(event)
  const { checkpoint, items, remarks } = event
  log('info', event, () => `goes on from '${checkpoint}', after ${items} items`)
  for (const remark of remarks) log('warn', event, () => remark)
}

/** Anything can be thrown, also objects that `String()` refuses. */
function lineOf(error: unknown): string {
  return attempt(() => (isErrorObject(error) ? String(error) : undefined)) ?? received(error)
}

export function processStarted(event: Diagnostics['millrace:process:start']): void {
  processStart.publish(event)
  log('info', event, () => 'started')
}

export function processExited(event: Diagnostics['millrace:process:exit']): void {
  processExit.publish(event)
  log('info', event, () => `ended with exit code ${event.exitCode}`)
}

/**
 * Writes an uncaught error of a worker to stderr, as Node does, if no item fails with it. It is not written if
 * `workerExited()` tells somebody of it.
 */
export function uncaughtInWorker({ name }: ThreadEvent, error: unknown): void {
  if (workerExit.hasSubscribers || (isLogged('error') && isRead())) return
  process.stderr.write(`Uncaught error in worker '${name}', outside of any item:\n${inspect(error)}\n`)
}

/** @returns Whether the log has written the uncaught error to stderr, where it has to be told. */
export function logUncaught(by: ThreadEvent, error: unknown): boolean {
  log('error', by, () => `uncaught ${inspect(error)}`)
  return isLogged('error') && goesToStderr()
}

export function log(level: LogLevel, { name, pid }: ThreadEvent, text: () => string): void {
  if (isLogged(level)) emit({ level, message: text(), name, pid, time: Date.now() })
}
