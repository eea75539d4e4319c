/** What an error is while it crosses to another thread: plain data, and the name of a class that both threads have. */
import * as own from '../errors.js'

/** What was thrown, and every error it leads to; `errors[0]` is the thrown one, if it is an error. */
export interface Envelope {
  readonly thrown: Sealed
  readonly errors: readonly SealedError[]
}

/** A clone, the number of an error, or a list in which there are errors. */
export type Sealed = { readonly value: unknown } | { readonly error: number } | { readonly list: readonly Sealed[] }

/** One error of an envelope. What it refers to has a number, so that depth and cycles are no matter. */
export interface SealedError {
  /** The key of its class in `CLASSES`. */
  readonly kind: string
  readonly name: string | undefined
  readonly message: string | undefined
  stack: string | undefined
  readonly fields: readonly SealedField[]
}

/** A property of an error; hidden means not enumerable. */
export interface SealedField {
  readonly key: string
  readonly hidden: boolean
  readonly content: Sealed
}

type ErrorClass = (abstract new (...args: never[]) => Error) & { readonly prototype: Error }

/** The classes that every realm has under the same names. */
export const BUILT_IN: Readonly<Record<string, ErrorClass>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
  DOMException,
  ...(typeof SuppressedError === 'function' && { SuppressedError }),
}

/** The classes that an error can arrive as. By key: a bundler may rename the classes themselves. */
export const CLASSES: Readonly<Record<string, ErrorClass>> = {
  ...BUILT_IN,
  NotSerializableError: own.NotSerializableError,
  WorkerCrashError: own.WorkerCrashError,
  WorkerStartError: own.WorkerStartError,
  TaskLoadError: own.TaskLoadError,
  TaskTimeoutError: own.TaskTimeoutError,
  PoolClosedError: own.PoolClosedError,
  MainThreadGuardError: own.MainThreadGuardError,
  InputError: own.InputError,
  LineError: own.LineError,
  SyncError: own.SyncError,
  BrokenBarrierError: own.BrokenBarrierError,
  QueueEmptyError: own.QueueEmptyError,
  QueueFullError: own.QueueFullError,
  QueueClosedError: own.QueueClosedError,
  EndOfFileError: own.EndOfFileError,
  PipeClosedError: own.PipeClosedError,
}
