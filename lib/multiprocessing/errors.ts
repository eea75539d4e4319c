/**
 * The error classes of `millrace/multiprocessing`. They arrive as themselves from other threads: see
 * `addOwnErrorClasses()`. Their codes are in `lib/errors.ts`, with all others.
 */
import { pointAtCaller } from '../call-site.js'
import { addOwnErrorClasses } from '../codec/error-classes.js'
import { MillraceError } from '../errors.js'

/** The values of `code` of a `SyncError`. */
type SyncErrorCode =
  'ERR_DEADLOCK' | 'ERR_LINE_FULL' | 'ERR_MAIN_THREAD_WAIT' | 'ERR_NOTHING_TO_DO' | 'ERR_NOT_OWNER' | 'ERR_WAIT_TIMEOUT'

/**
 * A lock, semaphore, condition, event, barrier or queue was used in a wrong way. The `code` says how:
 *
 * - `ERR_NOT_OWNER`: a thread released a lock that it does not hold.
 * - `ERR_MAIN_THREAD_WAIT`: a synchronous form was called on the main thread. Await the other form.
 * - `ERR_DEADLOCK`: a synchronous form would wait for earlier calls of the same thread, which cannot end while the
 *   thread is blocked. Await here, too.
 * - `ERR_LINE_FULL`: more than a million calls wait at once, or too many threads hold an end of a pipe.
 * - `ERR_NOTHING_TO_DO`: `taskDone()` of a `JoinableQueue` was called more often than items were put.
 * - `ERR_WAIT_TIMEOUT`: `withLock()` did not get the lock in time.
 *
 * @example
 * ```ts
 * import { Lock, SyncError } from 'millrace/multiprocessing'
 *
 * try {
 *   new Lock().release()
 * } catch (error) {
 *   console.log(error instanceof SyncError && error.message)
 *   // → Cannot release a lock as nobody holds it: acquire() it first
 * }
 * ```
 */
export class SyncError extends MillraceError {
  override readonly name = 'SyncError'
  declare readonly code: SyncErrorCode

  constructor(message: string, code: SyncErrorCode) {
    super(message, code)
    pointAtCaller(this)
  }
}

/**
 * The barrier that a call waits at is broken: another `wait()` ran out of time, a waiting thread ended, or `abort()` or
 * `reset()` was called. Cure: `reset()`, once all participants know that it was broken.
 *
 * @example
 * ```ts
 * import { Barrier, BrokenBarrierError } from 'millrace/multiprocessing'
 *
 * try {
 *   await new Barrier(2).wait(10)
 * } catch (error) {
 *   console.log(error instanceof BrokenBarrierError && error.code)
 *   // → ERR_BROKEN_BARRIER
 * }
 * ```
 */
export class BrokenBarrierError extends MillraceError {
  override readonly name = 'BrokenBarrierError'
  declare readonly code: 'ERR_BROKEN_BARRIER'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_BROKEN_BARRIER', options)
  }
}

/**
 * A queue had no item within the time given to `get()`, or when `getNow()` was called.
 *
 * @example
 * ```ts
 * import { Queue, QueueEmptyError } from 'millrace/multiprocessing'
 *
 * try {
 *   await new Queue().get(10)
 * } catch (error) {
 *   console.log(error instanceof QueueEmptyError && error.message)
 *   // → Cannot get an item of a queue as there was none within 10 ms
 * }
 * ```
 */
export class QueueEmptyError extends MillraceError {
  override readonly name = 'QueueEmptyError'
  declare readonly code: 'ERR_QUEUE_EMPTY'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_QUEUE_EMPTY', options)
  }
}

/**
 * A queue had no room within the time given to `put()`, or when `putNow()` was called. The item was not put.
 *
 * @example
 * ```ts
 * import { Queue, QueueFullError } from 'millrace/multiprocessing'
 *
 * const queue = new Queue<string>(1)
 * await queue.put('first')
 * try {
 *   await queue.putNow('second')
 * } catch (error) {
 *   console.log(error instanceof QueueFullError && error.code)
 *   // → ERR_QUEUE_FULL
 * }
 * ```
 */
export class QueueFullError extends MillraceError {
  override readonly name = 'QueueFullError'
  declare readonly code: 'ERR_QUEUE_FULL'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_QUEUE_FULL', options)
  }
}

/**
 * A queue is closed, and an item was put into it, or an item was taken after the last one. Cure: read with `for await`,
 * which ends there. Call `close()` only after the last `put()`.
 *
 * @example
 * ```ts
 * import { Queue, QueueClosedError } from 'millrace/multiprocessing'
 *
 * const queue = new Queue<string>()
 * await queue.put('last')
 * queue.close()
 * console.log(await queue.get())
 * // → last
 * try {
 *   await queue.get()
 * } catch (error) {
 *   console.log(error instanceof QueueClosedError && error.message)
 *   // → Cannot get an item of a queue as it is closed and empty: 'for await' ends there
 * }
 * ```
 */
export class QueueClosedError extends MillraceError {
  override readonly name = 'QueueClosedError'
  declare readonly code: 'ERR_QUEUE_CLOSED'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_QUEUE_CLOSED', options)
  }
}

/**
 * All items of a pipe were received, and the other end was closed or its thread has ended. This is the normal end:
 * `for await` ends there without an error.
 *
 * @example
 * ```ts
 * import { EndOfFileError, Pipe } from 'millrace/multiprocessing'
 *
 * const [a, b] = Pipe<string>()
 * await a.send('all')
 * a.close()
 * console.log(await b.recv())
 * // → all
 * try {
 *   await b.recv()
 * } catch (error) {
 *   console.log(error instanceof EndOfFileError && error.code)
 *   // → ERR_END_OF_FILE
 * }
 * ```
 */
export class EndOfFileError extends MillraceError {
  override readonly name = 'EndOfFileError'
  declare readonly code: 'ERR_END_OF_FILE'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_END_OF_FILE', options)
  }
}

/**
 * A connection was used after `close()`, or an item was sent to an end that is gone, so that nobody would receive it.
 *
 * @example
 * ```ts
 * import { Pipe, PipeClosedError } from 'millrace/multiprocessing'
 *
 * const [a, b] = Pipe<string>()
 * b.close()
 * try {
 *   await a.send('hello?')
 * } catch (error) {
 *   console.log(error instanceof PipeClosedError && error.message)
 *   // → Cannot send through a pipe as its other end is gone
 * }
 * ```
 */
export class PipeClosedError extends MillraceError {
  override readonly name = 'PipeClosedError'
  declare readonly code: 'ERR_PIPE_CLOSED'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_PIPE_CLOSED', options)
  }
}

addOwnErrorClasses('millrace/multiprocessing', {
  SyncError,
  BrokenBarrierError,
  QueueEmptyError,
  QueueFullError,
  QueueClosedError,
  EndOfFileError,
  PipeClosedError,
})
