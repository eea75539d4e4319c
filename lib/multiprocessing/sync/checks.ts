/** Checks the arguments of calls, and the thread that makes them. */
import { isMainThread } from 'node:worker_threads'
import { rangeError, received, typeError } from '../../errors.js'
import { SyncError } from '../errors.js'

/** Throws unless `run` can be called. */
export function checkFunction(run: unknown): void {
  if (typeof run === 'function') return
  throw typeError('ERR_INVALID_OPTION', `Cannot call withLock() as it takes a function: received ${received(run)}`)
}

/** Throws unless `value` is an integer of at least `min`, and at most `max`. */
export function checkInteger(action: string, name: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  const error = typeof value === 'number' ? rangeError : typeError
  throw error(
    'ERR_INVALID_OPTION',
    `Cannot ${action} as '${name}' must be an integer from ${min} to ${max}: received ${received(value)}`,
  )
}

/** Throws on the main thread. `instead`: the form to use there. */
export function checkMayBlock(action: string, instead: string): void {
  if (!isMainThread) return
  throw new SyncError(
    `Cannot ${action} on the main thread as that would stop its event loop: await ${instead} instead`,
    'ERR_MAIN_THREAD_WAIT',
  )
}
