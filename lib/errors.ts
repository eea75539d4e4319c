/**
 * The errors this library makes itself, each with a `code` that stays the same from version to version.
 * Errors of tasks and sources are not here: they reach the consumer as they were thrown.
 */
import { inspect } from 'node:util'

/** Every `code` an error of this library can have. */
export type ErrorCode =
  | 'ERR_INVALID_OPTION'
  | 'ERR_INVALID_SOURCE'
  | 'ERR_INVALID_TASK'
  | 'ERR_INVALID_UTF8'
  | 'ERR_LINE_TOO_LONG'
  | 'ERR_MAIN_THREAD_GUARD'
  | 'ERR_NOT_SERIALIZABLE'
  | 'ERR_POOL_CLOSED'
  | 'ERR_POOL_TERMINATED'
  | 'ERR_TASK_LOAD'
  | 'ERR_WORKER_CRASHED'
  | 'ERR_WORKER_START'

/**
 * An item, argument or result that cannot be copied to another thread (a function, a socket, a getter that throws).
 * It fails that item alone. Cure: send plain data, and open handles inside the task.
 */
export class NotSerializableError extends TypeError {
  override readonly name = 'NotSerializableError'
  readonly code = 'ERR_NOT_SERIALIZABLE' as const
}

/**
 * The worker that held the item died: an uncaught exception, `process.exit()`, or its memory limit. `cause` is the
 * uncaught error where there was one; `exitCode` is the worker's. The pool has already started another worker.
 */
export class WorkerCrashError extends Error {
  override readonly name = 'WorkerCrashError'
  readonly code = 'ERR_WORKER_CRASHED' as const
  /** The exit code of the worker thread; 1 after an uncaught error. */
  readonly exitCode: number

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** A pool whose workers cannot start, or whose initializer throws. `cause` is the reason. The pool stays broken. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError'
  readonly code = 'ERR_WORKER_START' as const
}

/** A task's module that a worker cannot import, or that defines no such task. `cause` is the reason, where there is one. */
export class TaskLoadError extends Error {
  override readonly name = 'TaskLoadError'
  readonly code = 'ERR_TASK_LOAD' as const
}

/** A pool that was used after `close()` (`ERR_POOL_CLOSED`), or terminated under a stream (`ERR_POOL_TERMINATED`). */
export class PoolClosedError extends Error {
  override readonly name = 'PoolClosedError'
  readonly code: 'ERR_POOL_CLOSED' | 'ERR_POOL_TERMINATED'

  constructor(message: string, code: 'ERR_POOL_CLOSED' | 'ERR_POOL_TERMINATED') {
    super(message)
    this.code = code
  }
}

/** A pipeline that starts while a worker is still loading its modules: the script needs `if (isMainThread) { … }`. */
export class MainThreadGuardError extends Error {
  override readonly name = 'MainThreadGuardError'
  readonly code = 'ERR_MAIN_THREAD_GUARD' as const
}

/** A line that `lines()` cannot give: longer than `maxLength`, or, with `fatal`, not valid UTF-8. */
export class LineError extends Error {
  override readonly name = 'LineError'
  readonly code: 'ERR_LINE_TOO_LONG' | 'ERR_INVALID_UTF8'
  /** Number of the line, from 1. */
  readonly line: number
  /** Where in the (uncompressed) input it is, in bytes from 0: the line's first byte, or the first invalid one. */
  readonly offset: number

  constructor(message: string, code: 'ERR_LINE_TOO_LONG' | 'ERR_INVALID_UTF8', line: number, offset: number) {
    super(message)
    this.code = code
    this.line = line
    this.offset = offset
  }
}

/** A `TypeError` with one of this library's codes. */
export function typeError(code: ErrorCode, message: string): TypeError & { code: ErrorCode } {
  return Object.assign(new TypeError(message), { code })
}

/** A `RangeError` with one of this library's codes. */
export function rangeError(code: ErrorCode, message: string): RangeError & { code: ErrorCode } {
  return Object.assign(new RangeError(message), { code })
}

/** A received value as an error text shows it: short, on one line, and never throwing. */
export function received(value: unknown): string {
  try {
    return inspect(value, { depth: 0, maxStringLength: 80, maxArrayLength: 3, breakLength: Infinity })
  } catch {
    return `a value of type ${typeof value} that cannot be shown`
  }
}
