/** The public names of `millrace`. The names of `millrace/multiprocessing` are in multiprocessing/index.ts. */
export { apply } from './apply.js'
export { batch } from './batch.js'
export {
  InputError,
  LineError,
  MainThreadGuardError,
  MillraceError,
  NotSerializableError,
  PoolClosedError,
  TaskLoadError,
  TaskTimeoutError,
  WorkerCrashError,
  WorkerStartError,
  type ErrorCode,
} from './errors.js'
export { failure, type Failure } from './failure.js'
export { filter, filterUnordered, flatMap, flatMapUnordered, imap, imapUnordered } from './imap.js'
export type { ByteSource } from './io/bytes.js'
export { lines, type Lines, type LinesOptions } from './io/lines.js'
export type { Source } from './io/source.js'
export { istarmap, istarmapUnordered } from './istarmap.js'
export type { Diagnostics } from './log/events.js'
export { map, starmap } from './map.js'
export type { PoolStats } from './executor/thread-executor.js'
export { pipe } from './pipe.js'
export { Pool, type PoolOptions } from './pool.js'
export { reduce } from './reduce.js'
export type { ErrorMode, Outcome } from './stream/outcome.js'
export type { Results } from './stream/results.js'
export type { Stream, StreamStats } from './stream/stream.js'
export * from './task-module.js'
export type { ApplyOptions } from './verb/apply.js'
export type { ReduceOptions } from './verb/fold.js'
export type { RetryOptions, Stage, StreamOptions } from './verb/options.js'
