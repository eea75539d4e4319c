/**
 * The errors that this library makes itself. Each has a `code` that stays the same from version to version. Errors of
 * tasks and sources are not wrapped, so they have no class here.
 */
import { inspect, types } from 'node:util'
import { pointAtCaller } from './call-site.js'

/** Every `code` that an error of this library can have. */
export type ErrorCode =
  | 'ERR_BROKEN_BARRIER'
  | 'ERR_BUNDLED'
  | 'ERR_CHECKPOINT_CODE'
  | 'ERR_CHECKPOINT_DAMAGED'
  | 'ERR_CHECKPOINT_INPUT'
  | 'ERR_CHECKPOINT_LOCKED'
  | 'ERR_CHECKPOINT_OUTPUT'
  | 'ERR_CHECKPOINT_PLAN'
  | 'ERR_CHECKPOINT_VERSION'
  | 'ERR_CLUSTER_CONNECT'
  | 'ERR_CLUSTER_REFUSED'
  | 'ERR_CLUSTER_SETUP'
  | 'ERR_CSV_FIELDS'
  | 'ERR_CSV_HEADER'
  | 'ERR_CSV_QUOTE'
  | 'ERR_CSV_TYPE'
  | 'ERR_CSV_UNCLOSED_QUOTE'
  | 'ERR_DAMAGED_INPUT'
  | 'ERR_DATA_FOLDER'
  | 'ERR_DEADLOCK'
  | 'ERR_DECOMPRESS'
  | 'ERR_END_OF_FILE'
  | 'ERR_FIXED_LINE'
  | 'ERR_FIXED_TYPE'
  | 'ERR_HOST_LOST'
  | 'ERR_INPUT_COLUMN'
  | 'ERR_INPUT_FORMAT'
  | 'ERR_INPUT_URL'
  | 'ERR_INVALID_ARGUMENTS'
  | 'ERR_INVALID_OPTION'
  | 'ERR_INVALID_RESULT'
  | 'ERR_INVALID_SOURCE'
  | 'ERR_INVALID_TASK'
  | 'ERR_INVALID_TEXT'
  | 'ERR_INVALID_UTF8'
  | 'ERR_INVALID_VALUE'
  | 'ERR_JSON'
  | 'ERR_LINE_FULL'
  | 'ERR_LINE_TOO_LONG'
  | 'ERR_MAIN_THREAD_GUARD'
  | 'ERR_MAIN_THREAD_WAIT'
  | 'ERR_MISSING_PACKAGE'
  | 'ERR_NOTHING_TO_DO'
  | 'ERR_NO_FILES'
  | 'ERR_NO_HOSTS'
  | 'ERR_NOT_OWNER'
  | 'ERR_NOT_RESUMABLE'
  | 'ERR_NOT_SERIALIZABLE'
  | 'ERR_OUTPUT_CLOSED'
  | 'ERR_OUTPUT_EXISTS'
  | 'ERR_OUTPUT_FORMAT'
  | 'ERR_OUTPUT_IS_INPUT'
  | 'ERR_OUTPUT_PARTITION'
  | 'ERR_OUTPUT_REPLACED'
  | 'ERR_PARQUET'
  | 'ERR_PIPE_CLOSED'
  | 'ERR_POOL_CLOSED'
  | 'ERR_POOL_TERMINATED'
  | 'ERR_PROCESS_STATE'
  | 'ERR_QUEUE_CLOSED'
  | 'ERR_QUEUE_EMPTY'
  | 'ERR_QUEUE_FULL'
  | 'ERR_RECORD_TOO_LONG'
  | 'ERR_TASK_LOAD'
  | 'ERR_TASK_TIMEOUT'
  | 'ERR_TOO_LARGE'
  | 'ERR_TOO_MANY_ERRORS'
  | 'ERR_WAIT_TIMEOUT'
  | 'ERR_WORKER_CRASHED'
  | 'ERR_WORKER_START'

/**
 * The base of the error classes of this library: `error instanceof MillraceError` is true for each of them. `code` says
 * what went wrong. It stays the same from version to version.
 *
 * Errors of wrong calls are not of this class. As in Node, they are a `TypeError` or a `RangeError`. They also have a
 * `code` of this library. To recognise every error of this library, check `code`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, MillraceError } from 'millrace'
 *
 * if (isMainThread) {
 *   try {
 *     for await (const _ of imap({ module: 'node:zlib', export: 'unzipp' }, [1]));
 *   } catch (error) {
 *     console.log(error instanceof MillraceError && error.code)
 *     // → ERR_TASK_LOAD
 *   }
 * }
 * ```
 */
export class MillraceError extends Error {
  override readonly name: string = 'MillraceError'
  /** What went wrong. docs/errors.md lists all codes. */
  readonly code: ErrorCode

  /**
   * @param message What went wrong, and how to correct it.
   * @param code The kind of the error.
   * @param options `cause`: the error that caused this one.
   */
  constructor(message: string, code: ErrorCode, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * An item, argument or result cannot be copied to another thread: it contains a function, a socket, or a getter that
 * throws. Only that item fails. Cure: send plain data, and open handles inside the task.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, NotSerializableError, task } from 'millrace'
 *
 * const size = task(import.meta.url, 'size', (item: object) => Object.keys(item).length)
 *
 * if (isMainThread) {
 *   try {
 *     for await (const n of imap(size, [{ log: () => undefined }])) console.log(n)
 *   } catch (error) {
 *     console.log(error instanceof NotSerializableError && error.message)
 *     // → Cannot send item 0 to a worker as item.log is a function: send plain data and open handles inside the task
 *   }
 * }
 * ```
 */
export class NotSerializableError extends MillraceError {
  override readonly name = 'NotSerializableError'
  declare readonly code: 'ERR_NOT_SERIALIZABLE'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_NOT_SERIALIZABLE', options)
  }
}

/**
 * The worker that ran the item died: because of an uncaught exception, `process.exit()`, or its memory limit. `cause`
 * is the uncaught error, if there was one. `exitCode` is that of the worker. Another worker replaces it, and runs the
 * items that the dead one had not reported. This item runs again only with the option `retries`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task, WorkerCrashError } from 'millrace'
 *
 * const quit = task(import.meta.url, 'quit', (code: number) => process.exit(code))
 *
 * if (isMainThread) {
 *   try {
 *     for await (const _ of imap(quit, [3]));
 *   } catch (error) {
 *     console.log(error instanceof WorkerCrashError && error.exitCode)
 *     // → 3
 *   }
 * }
 * ```
 */
export class WorkerCrashError extends MillraceError {
  override readonly name = 'WorkerCrashError'
  declare readonly code: 'ERR_WORKER_CRASHED'
  /** The exit code of the worker: 1 after an uncaught error. If a signal has ended a process: minus its number. */
  readonly exitCode: number
  /** The name of the signal that has ended a worker process (`isolation: 'process'`), such as `'SIGSEGV'`. */
  declare readonly signal?: string

  constructor(message: string, exitCode: number, options?: ErrorOptions, signal?: string) {
    super(message, 'ERR_WORKER_CRASHED', options)
    this.exitCode = exitCode
    if (signal !== undefined) this.signal = signal
  }
}

/**
 * An item took longer than the option `timeout` allows. Causes: an endless loop, a promise that never settles, or too
 * much work. Its worker is replaced. Cure: a longer `timeout`, or smaller items.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task, TaskTimeoutError } from 'millrace'
 *
 * const hang = task(import.meta.url, 'hang', (_: number): never => {
 *   for (;;);
 * })
 *
 * if (isMainThread) {
 *   try {
 *     for await (const _ of imap(hang, [1], { timeout: 100 }));
 *   } catch (error) {
 *     console.log(error instanceof TaskTimeoutError && error.code)
 *     // → ERR_TASK_TIMEOUT
 *   }
 * }
 * ```
 */
export class TaskTimeoutError extends MillraceError {
  override readonly name = 'TaskTimeoutError'
  declare readonly code: 'ERR_TASK_TIMEOUT'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_TASK_TIMEOUT', options)
  }
}

/**
 * The workers of a pool could not start three times in a row, or its initializer threw three times in a row. `cause` is
 * the error of the last attempt. The pool stays broken: correct the cause, and make a new pool.
 *
 * @example
 * ```ts
 * import { isMainThread, Pool, task, WorkerStartError } from 'millrace'
 *
 * const connect = task(import.meta.url, 'connect', (): void => {
 *   throw new Error('no such database')
 * })
 * const double = task(import.meta.url, 'double', (x: number) => 2 * x)
 *
 * if (isMainThread) {
 *   await using pool = new Pool({ initializer: connect })
 *   try {
 *     for await (const _ of pool.imap(double, [1]));
 *   } catch (error) {
 *     console.log(error instanceof WorkerStartError && error.message)
 *     // → Cannot start the workers of pool 'pool' (3 attempts failed): no such database
 *   }
 * }
 * ```
 */
export class WorkerStartError extends MillraceError {
  override readonly name = 'WorkerStartError'
  declare readonly code: 'ERR_WORKER_START'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_WORKER_START', options)
  }
}

/**
 * A worker cannot import the module of a task, or the module does not define that task. Every item fails with this
 * error at once. The workers stay alive. `cause` is the error that the import threw, if it threw one.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, TaskLoadError } from 'millrace'
 *
 * if (isMainThread) {
 *   try {
 *     for await (const _ of imap({ module: 'node:zlib', export: 'unzipp' }, [1]));
 *   } catch (error) {
 *     console.log(error instanceof TaskLoadError && error.message)
 *     // → Cannot run task 'unzipp' as node:zlib has no function exported as 'unzipp'
 *   }
 * }
 * ```
 */
export class TaskLoadError extends MillraceError {
  override readonly name = 'TaskLoadError'
  declare readonly code: 'ERR_TASK_LOAD'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_TASK_LOAD', options)
  }
}

/**
 * A pool was used after `close()` (`ERR_POOL_CLOSED`), or was terminated while a stream used it
 * (`ERR_POOL_TERMINATED`).
 *
 * @example
 * ```ts
 * import { isMainThread, Pool, PoolClosedError, task } from 'millrace'
 *
 * const double = task(import.meta.url, 'double', (x: number) => 2 * x)
 *
 * if (isMainThread) {
 *   const pool = new Pool()
 *   await pool.close()
 *   try {
 *     pool.imap(double, [1])
 *   } catch (error) {
 *     console.log(error instanceof PoolClosedError && error.code)
 *     // → ERR_POOL_CLOSED
 *   }
 * }
 * ```
 */
export class PoolClosedError extends MillraceError {
  override readonly name = 'PoolClosedError'
  declare readonly code: 'ERR_POOL_CLOSED' | 'ERR_POOL_TERMINATED'

  constructor(message: string, code: 'ERR_POOL_CLOSED' | 'ERR_POOL_TERMINATED') {
    super(message, code)
    pointAtCaller(this)
  }
}

/**
 * The top-level code of a module starts a stream, and a worker imports that module for its tasks. Without this error,
 * each worker would start workers. Cure: start streams inside `if (isMainThread) { … }`, or in another module.
 *
 * @example
 * ```ts
 * import { imap, task, TaskLoadError, MainThreadGuardError } from 'millrace'
 *
 * const double = task(import.meta.url, 'double', (x: number) => 2 * x)
 *
 * try {
 *   for await (const _ of imap(double, [1])); // not guarded
 * } catch (error) {
 *   if (error instanceof MainThreadGuardError) throw error // in the worker: its import of this module fails
 *   console.log(error instanceof TaskLoadError && error.cause instanceof MainThreadGuardError)
 *   // → true
 * }
 * ```
 */
export class MainThreadGuardError extends MillraceError {
  override readonly name = 'MainThreadGuardError'
  declare readonly code: 'ERR_MAIN_THREAD_GUARD'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_MAIN_THREAD_GUARD', options)
  }
}

/**
 * A line that `lines()` cannot give. It is longer than `maxLength`, or, with `fatal`, it is not valid text in its
 * encoding.
 *
 * @example
 * ```ts
 * import { LineError, lines } from 'millrace'
 *
 * try {
 *   for await (const line of lines([Buffer.from('short\na very long line')], { maxLength: 10 })) console.log(line)
 *   // → short
 * } catch (error) {
 *   if (error instanceof LineError) console.log(error.code, error.line, error.offset)
 *   // → ERR_LINE_TOO_LONG 2 6
 * }
 * ```
 */
export class LineError extends MillraceError {
  override readonly name = 'LineError'
  declare readonly code: 'ERR_LINE_TOO_LONG' | 'ERR_INVALID_UTF8' | 'ERR_INVALID_TEXT'
  /** The number of the line, from 1. */
  readonly line: number
  /**
   * The position in the (uncompressed) input, in bytes from 0: of the first byte of the line, or of the first invalid
   * byte.
   */
  readonly offset: number

  constructor(
    message: string,
    code: 'ERR_LINE_TOO_LONG' | 'ERR_INVALID_UTF8' | 'ERR_INVALID_TEXT',
    line: number,
    offset: number,
  ) {
    super(message, code)
    this.line = line
    this.offset = offset
  }
}

/** What can be wrong with a record. */
export type RecordErrorCode =
  | 'ERR_CSV_FIELDS'
  | 'ERR_CSV_HEADER'
  | 'ERR_CSV_QUOTE'
  | 'ERR_CSV_TYPE'
  | 'ERR_CSV_UNCLOSED_QUOTE'
  | 'ERR_FIXED_LINE'
  | 'ERR_FIXED_TYPE'
  | 'ERR_JSON'
  | 'ERR_PARQUET'
  | 'ERR_RECORD_TOO_LONG'

/**
 * A record that a source such as `csv()` or `ndjson()` cannot give. Such a record fails alone, as the item of the next
 * stage. The option `errors` of that stage says what happens. These errors end the source, because it cannot be read
 * further: `ERR_CSV_HEADER`, `ERR_CSV_UNCLOSED_QUOTE`, `ERR_RECORD_TOO_LONG`, and `ERR_JSON` for the document of `json()`.
 *
 * @example
 * ```ts
 * import { csv, RecordError } from 'millrace'
 *
 * try {
 *   for await (const row of csv([Buffer.from('id,name\n1,Ann\n2\n')])) console.log(row)
 *   // → { id: '1', name: 'Ann' }
 * } catch (error) {
 *   if (error instanceof RecordError) console.log(error.code, error.record, error.line)
 *   // → ERR_CSV_FIELDS 2 3
 * }
 * ```
 */
export class RecordError extends MillraceError {
  override readonly name = 'RecordError'
  declare readonly code: RecordErrorCode
  /** The path, if the input is a file. */
  readonly file: string | undefined
  /** The number of the record in its input, from 1. The header of CSV is not counted: its number is 0. */
  readonly record: number
  /**
   * The number of the line where the record begins, from 1. For a quote that is not closed: where that is. Parquet has no
   * lines: the number of the record.
   */
  readonly line: number
  /** Where that is in the (uncompressed) input, in bytes from 0. Of a row of Parquet: where its row group begins. */
  readonly offset: number

  constructor(
    message: string,
    code: RecordErrorCode,
    place: {
      readonly file: string | undefined
      readonly record: number
      readonly line: number
      readonly offset: number
    },
    options?: ErrorOptions,
  ) {
    super(message, code, options)
    this.file = place.file
    this.record = place.record
    this.line = place.line
    this.offset = place.offset
  }
}

/**
 * An input that `lines()` or another source cannot read. Compressed data, or a Parquet file, are damaged
 * (`ERR_DAMAGED_INPUT`). The program of the option `decompress` has failed (`ERR_DECOMPRESS`). The format is not the one
 * that is read, such as a zip archive in the place of text (`ERR_INPUT_FORMAT`). A Parquet file does not have a column
 * that is asked for (`ERR_INPUT_COLUMN`). Or the server of a URL does not answer, or not with all of it
 * (`ERR_INPUT_URL`). All whole lines before that are given first.
 * `path` is the file or the URL. `cause` is the error of Node's decoder, of the start of the program, or of `fetch()`, if
 * there is one.
 *
 * @example
 * ```ts
 * import { gzipSync } from 'node:zlib'
 * import { InputError, lines } from 'millrace'
 *
 * const input = Buffer.concat([gzipSync('one\ntwo\n'), Buffer.from('garbage')])
 * try {
 *   for await (const line of lines([input])) console.log(line)
 *   // → one
 *   // → two
 * } catch (error) {
 *   if (error instanceof InputError) console.log(error.code, error.offset)
 *   // → ERR_DAMAGED_INPUT 28
 * }
 * ```
 */
export class InputError extends MillraceError {
  override readonly name = 'InputError'
  declare readonly code:
    'ERR_DAMAGED_INPUT' | 'ERR_DECOMPRESS' | 'ERR_INPUT_COLUMN' | 'ERR_INPUT_FORMAT' | 'ERR_INPUT_URL'
  /**
   * Where the damage was found: a position in the input as it is stored, in bytes from 0. For a program: how many bytes
   * it had been given. For a URL: how many bytes had come.
   */
  readonly offset: number

  constructor(message: string, code: InputError['code'], offset: number, options?: ErrorOptions) {
    super(message, code, options)
    this.offset = offset
  }
}

/**
 * An output that `write()` cannot make. A format cannot take an item (`ERR_OUTPUT_FORMAT`). No record has the column of
 * the option `partition` (`ERR_OUTPUT_PARTITION`). The file exists, with `overwrite: false` (`ERR_OUTPUT_EXISTS`), or is
 * one of the inputs (`ERR_OUTPUT_IS_INPUT`). Another program writes the same file (`ERR_OUTPUT_REPLACED`). Or the stream
 * to write to was closed before its end (`ERR_OUTPUT_CLOSED`). Errors of the system keep their own class and code.
 *
 * @example
 * ```ts
 * import { OutputError, write } from 'millrace'
 *
 * try {
 *   await write('ids.ndjson')([1, 2n])
 * } catch (error) {
 *   if (error instanceof OutputError) console.log(error.code, error.message)
 *   // → ERR_OUTPUT_FORMAT Cannot write item 1 as ndjson as JSON.stringify() threw 'Do not know how to serialize a BigInt': received 2n (give plain data)
 * }
 * ```
 */
export class OutputError extends MillraceError {
  override readonly name = 'OutputError'
  declare readonly code:
    | 'ERR_OUTPUT_CLOSED'
    | 'ERR_OUTPUT_EXISTS'
    | 'ERR_OUTPUT_FORMAT'
    | 'ERR_OUTPUT_IS_INPUT'
    | 'ERR_OUTPUT_PARTITION'
    | 'ERR_OUTPUT_REPLACED'
}

/**
 * A run that cannot go on where an earlier one was. An input has changed (`ERR_CHECKPOINT_INPUT`), or an option or a
 * stage (`ERR_CHECKPOINT_PLAN`), or the code of a task (`ERR_CHECKPOINT_CODE`). What the earlier run has written is not
 * there as it was (`ERR_CHECKPOINT_OUTPUT`). Another run is at work (`ERR_CHECKPOINT_LOCKED`). The checkpoint is that of
 * a newer version (`ERR_CHECKPOINT_VERSION`), or not one (`ERR_CHECKPOINT_DAMAGED`). Or a part of the pipeline can only
 * begin at its start, such as a pipe (`ERR_NOT_RESUMABLE`). The message says what differs, and what to do.
 *
 * @example
 * ```ts
 * import { CheckpointError, write } from 'millrace'
 *
 * try {
 *   await write('numbers.txt', { resume: true })(process.stdin)
 * } catch (error) {
 *   if (error instanceof CheckpointError) console.log(error.code)
 *   // → ERR_NOT_RESUMABLE
 * }
 * ```
 */
export class CheckpointError extends MillraceError {
  override readonly name = 'CheckpointError'
  declare readonly code:
    | 'ERR_CHECKPOINT_CODE'
    | 'ERR_CHECKPOINT_DAMAGED'
    | 'ERR_CHECKPOINT_INPUT'
    | 'ERR_CHECKPOINT_LOCKED'
    | 'ERR_CHECKPOINT_OUTPUT'
    | 'ERR_CHECKPOINT_PLAN'
    | 'ERR_CHECKPOINT_VERSION'
    | 'ERR_NOT_RESUMABLE'
}

/** Of any realm: the code of a test runner may have another `Error` class than Node's own errors. */
export function isErrorObject(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

/** A `TypeError` with one of this library's codes. */
export function typeError(code: ErrorCode, message: string): TypeError & { code: ErrorCode } {
  return pointAtCaller(Object.assign(new TypeError(message), { code }))
}

/** A `RangeError` with one of this library's codes. */
export function rangeError(code: ErrorCode, message: string): RangeError & { code: ErrorCode } {
  return pointAtCaller(Object.assign(new RangeError(message), { code }))
}

/** The longest text of a received value, in characters. */
const MAX_RECEIVED_LENGTH = 160

/** A received value as an error text shows it: short, and on one line. It never throws. */
export function received(value: unknown): string {
  try {
    const text = inspect(value, { depth: 0, maxStringLength: 80, maxArrayLength: 3, breakLength: Infinity })
    const [line = ''] = text.split('\n', 1)
    return line.length > MAX_RECEIVED_LENGTH ? `${line.slice(0, MAX_RECEIVED_LENGTH)}…` : line
  } catch {
    return `a value of type ${typeof value} that cannot be shown`
  }
}

/** What a call gives; undefined if it throws. */
export function attempt<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch {
    return undefined
  }
}

/** Adds to the text of an error. The stack changes too, because Node prints the stack. */
export function addToMessage(error: Error, text: string): void {
  const { message, stack } = error
  error.message = message + text
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
}

/** Makes an error without recording its stack. That takes half a kilobyte, and the error gets another stack. */
export function withoutStack<T extends Error>(make: () => T): T {
  const { stackTraceLimit } = Error
  // Where the class is frozen, this has no effect.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
