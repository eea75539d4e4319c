/** The lock of a `Value` or a `SharedArray`. It is a part of the object, and is sent with it. */
import { typeError } from '../../errors.js'
import { OptionReader } from '../../options.js'
import type { Shared } from '../shared-object.js'
import { Lock } from '../sync/lock.js'
import { RLock } from '../sync/rlock.js'

/** Options of `Value` and `SharedArray`. */
export interface LockOptions {
  /**
   * Whether it has a lock for `getLock()`; or the lock itself, which other objects can use, too. Default: true, a new
   * `Lock`.
   */
  readonly lock?: boolean | Lock | RLock | undefined
}

/** The lock, as the parts of a new object. */
export function lockParts(what: 'Value' | 'SharedArray', options: LockOptions | undefined): readonly Shared[] {
  const read = new OptionReader<LockOptions>(`make a ${what}`, options, ['lock'])
  const isLock = (value: unknown): boolean => value instanceof Lock || value instanceof RLock
  const lock = read.value(
    'lock',
    'true, false, a Lock or an RLock',
    (value) => typeof value === 'boolean' || isLock(value),
  )
  if (lock === false) return []
  return [lock === undefined || lock === true ? new Lock() : lock]
}

/** The lock among the parts of an object. */
export function lockIn(what: 'Value' | 'SharedArray', [lock]: readonly Shared[] = []): Lock | RLock {
  if (lock !== undefined) return lock as Lock | RLock
  const text = `Cannot get the lock of a ${what} as it was made without one: received { lock: false }`
  throw typeError('ERR_INVALID_OPTION', text)
}
