/**
 * The public names of `millrace/multiprocessing`, which correspond to Python's `multiprocessing`. It shares its code
 * and state with `millrace`: its objects can be sent to the workers of every stream and pool.
 */
export {
  BrokenBarrierError,
  EndOfFileError,
  PipeClosedError,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  SyncError,
} from './errors.js'
export type { PoolStats } from '../executor/threads/thread-executor.js'
export { currentProcess, parentProcess, type ProcessInfo } from '../identity.js'
export { getLogger, logTo, logToStderr, type Logger, type LogOptions } from './log/logger.js'
export type { LogRecord, LogTarget } from '../log/record.js'
export type { LogLevel } from '../log/settings.js'
export { Pool, type PoolOptions } from '../pool.js'
export { cpuCount } from './process/cpu-count.js'
export type { ProcessOptions } from './process/options.js'
export { activeChildren, Process } from './process/process.js'
export { Barrier, type BarrierOptions } from './sync/barrier.js'
export { Condition } from './sync/condition.js'
export { Connection } from './sync/connection.js'
export { Event } from './sync/event.js'
export { LockGuard } from './sync/lock-guard.js'
export { JoinableQueue } from './sync/joinable-queue.js'
export type { WaitOptions } from './sync/limits.js'
export { Lock } from './sync/lock.js'
export type { LockOptions } from './shared/own-lock.js'
export { Pipe } from './sync/pipe.js'
export { Queue, type QueueOptions } from './sync/queue.js'
export { RLock } from './sync/rlock.js'
export { BoundedSemaphore, Semaphore } from './sync/semaphore.js'
export { SharedArray } from './shared/shared-array.js'
export type { NumberOf, NumberType } from './shared/typecodes.js'
export { Value } from './shared/value.js'
