/** The public names of millrace, nothing else. */
export { apply } from './apply.js'
export { batch, type Batch, type BatchStage } from './batch.js'
export {
  BrokenBarrierError,
  EndOfFileError,
  InputError,
  LineError,
  MainThreadGuardError,
  MillraceError,
  NotSerializableError,
  PipeClosedError,
  PoolClosedError,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  SyncError,
  TaskLoadError,
  TaskTimeoutError,
  WorkerCrashError,
  WorkerStartError,
  type ErrorCode,
  type SyncErrorCode,
} from './errors.js'
export { failure, type Failure } from './failure.js'
export { currentProcess, parentProcess, type ProcessInfo } from './identity.js'
export { filter, filterUnordered, flatMap, flatMapUnordered, imap, imapUnordered } from './imap.js'
export type { ByteSource } from './io/bytes.js'
export { lines, type Lines, type LinesOptions } from './io/lines.js'
export type { Source } from './io/source.js'
export { istarmap, istarmapUnordered } from './istarmap.js'
export type { Diagnostics, TaskFailure, ThreadEvent, WorkerEvent } from './log/events.js'
export { getLogger, logTo, logToStderr, type Logger, type LogOptions } from './log/logger.js'
export type { LogRecord, LogTarget } from './log/record.js'
export type { LogLevel } from './log/settings.js'
export { map, starmap } from './map.js'
export type { PoolStats } from './executor/threads.js'
export type { ResourceLimits } from './executor/limits.js'
export { pipe, type PipeFunction, type PipeInput } from './pipe.js'
export { Pool, type PoolOptions } from './pool.js'
export { activeChildren, cpuCount, Process, type ProcessOptions } from './process.js'
export { reduce } from './reduce.js'
export type { Chunks } from './stream/chunks.js'
export type { ErrorMode, Outcome } from './stream/outcome.js'
export type { Results } from './stream/results.js'
export type { Stream, StreamStats } from './stream/stream.js'
export type { Tuning } from './stream/tuner.js'
export { Barrier, type BarrierOptions } from './sync/barrier.js'
export { Condition } from './sync/condition.js'
export { Connection } from './sync/connection.js'
export { Event } from './sync/event.js'
export { Hold } from './sync/hold.js'
export { JoinableQueue } from './sync/joinable-queue.js'
export type { SignalOptions, SyncWaitOptions, WaitOptions } from './sync/limits.js'
export { Lock } from './sync/lock.js'
export type { LockOptions } from './sync/own-lock.js'
export { Pipe } from './sync/pipe.js'
export { Queue, type QueueOptions } from './sync/queue.js'
export { RLock } from './sync/rlock.js'
export { BoundedSemaphore, Semaphore } from './sync/semaphore.js'
export { SharedArray } from './sync/shared-array.js'
export type { IfInteger, NameOf, NumberOf, NumberType, TypedArrayOf } from './sync/typecodes.js'
export { Value } from './sync/value.js'
export * from './task-module.js'
export type { Apply, ApplyOptions, InlineApplyOptions } from './verb/apply.js'
export type { MapVerb, Starmap } from './verb/collect.js'
export type { Fold, InlineReduceOptions, Reduce, ReduceOptions, Sink } from './verb/fold.js'
export type {
  Callable,
  Expandable,
  Filter,
  FlatMap,
  Given,
  Guard,
  Imap,
  Istarmap,
  Runnable,
  ThrowOrSkip,
} from './verb/lazy.js'
export type { InlineOptions, RetryOptions, Stage, StageOf, StreamOptions, ThreadedOptions } from './verb/options.js'
