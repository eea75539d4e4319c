/**
 * Each thread hands its records to the thread that has started it. The main thread writes them, or the first thread on
 * the way that has a logger.
 */
import { channel } from 'node:diagnostics_channel'
import { parentPort } from 'node:worker_threads'
import { parentProcess } from '../identity.js'
import { goesToStderr, type LogLevel } from './settings.js'

/** An entry of the log. */
export interface LogRecord {
  readonly level: LogLevel
  readonly message: string
  /** Of which thread it is, as its `currentProcess()` tells. */
  readonly name: string
  readonly pid: number
  /** When it was written: milliseconds since 1970, as `Date.now()` gives them. */
  readonly time: number
}

/** The user's logger. `console`, pino, winston and bunyan have this shape. */
export interface LogTarget {
  debug(text: string): unknown
  info(text: string): unknown
  warn(text: string): unknown
  error(text: string): unknown
}

/** A record on its way to the thread or process that has started this one. */
export interface RelayedRecord {
  readonly type: 'millrace.log'
  readonly record: LogRecord
}

const records = channel('millrace:log')
let upward = (record: RelayedRecord): void => {
  parentPort?.postMessage(record)
}
let target: LogTarget | undefined

/** In a worker process: how records get to the process that has started it. */
export function setUpward(send: (record: RelayedRecord) => void): void {
  upward = send
}

export function setTarget(logger: LogTarget | undefined): void {
  target = logger
}

/** Whether the records of this thread may be read. Its parent is taken to read them. */
export function isRead(): boolean {
  return target !== undefined || goesToStderr() || records.hasSubscribers || parentProcess() !== null
}

/** Takes a record of this thread, or of one that it has started. */
export function emit(record: LogRecord): void {
  records.publish(record)
  if (target === undefined && parentProcess() !== null) {
    handUp(record)
    return
  }
  if (target !== undefined) give(target, record)
  if (goesToStderr()) process.stderr.write(`[${record.level.toUpperCase()}/${record.name}] ${record.message}\n`)
}

/** Hands a record to the thread or process that has started this one. */
export function handUp(record: LogRecord): void {
  upward({ type: 'millrace.log', record })
}

/** Takes a message of a thread that this one has started, if it is a record. */
export function relay(message: unknown): void {
  const relayed = message as Partial<RelayedRecord> | null | undefined
  if (relayed?.type === 'millrace.log' && relayed.record !== undefined) emit(relayed.record)
}

/** An error of a logger must not stop other work. It is an uncaught error, as that of a listener of a channel. */
function give(logger: LogTarget, { level, name, message }: LogRecord): void {
  try {
    logger[level](`[${name}] ${message}`)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
