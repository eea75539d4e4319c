/** The limits of a call that waits: its `timeout` and its `signal`. All calls read them here. */
import { rangeError, received, typeError } from '../../errors.js'
import { isAbortSignal, isPlainObject, optionsHint, signalHint } from '../../options.js'
import { checkMayBlock } from './checks.js'

/**
 * The limits of a call that waits. Calls that block the thread (`acquireSync()`) do not take a signal, because it could
 * not fire meanwhile.
 *
 * @example
 * ```ts
 * import { Lock } from 'millrace/multiprocessing'
 *
 * const lock = new Lock()
 * const hold = await lock.acquire()
 * console.log(await lock.acquire({ timeout: 10 }))
 * // → undefined
 * try {
 *   await lock.acquire({ signal: AbortSignal.abort(new Error('not needed any more')) })
 * } catch (error) {
 *   console.log(String(error))
 *   // → Error: not needed any more
 * }
 * hold.release()
 * ```
 */
export interface WaitOptions {
  /** The longest wait in milliseconds. 0 tries once. Default: `Infinity`. */
  readonly timeout?: number | undefined
  /** When it fires, the call rejects with its reason, and has not taken anything. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** As `WaitOptions`, without a timeout: the call never gives `undefined`. */
export interface SignalOptions {
  readonly timeout?: undefined
  /** See `WaitOptions`. */
  readonly signal?: AbortSignal | undefined
}

/** As `WaitOptions`, for a call that blocks its thread. */
export interface SyncWaitOptions {
  /** See `WaitOptions`. */
  readonly timeout?: number | undefined
}

/** The limits of one call. */
export class Limits {
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  readonly #end: number

  constructor(timeout: number, signal?: AbortSignal) {
    this.timeout = timeout
    this.signal = signal
    this.#end = timeout === Infinity ? Infinity : performance.now() + timeout
  }

  /** The time that is left, in milliseconds. */
  get left(): number {
    return this.#end === Infinity ? Infinity : Math.max(0, this.#end - performance.now())
  }

  throwIfAborted(): void {
    // A polyfill may lack `throwIfAborted()`.
    if (this.signal?.aborted === true) throw this.signal.reason
  }
}

export const UNLIMITED: Limits = new Limits(Infinity)

/**
 * The limits of a call that does not block its thread. Throws the signal's reason if it has already fired.
 *
 * @param action The start of the error text ("acquire a lock").
 * @param timeout The default.
 */
export function readLimits(action: string, given: unknown, timeout: number = Number.POSITIVE_INFINITY): Limits {
  if (given === undefined && timeout === Infinity) return UNLIMITED
  const { timeout: own = timeout, signal } = read(action, given)
  if (signal !== undefined && !isAbortSignal(signal)) {
    const text = `Cannot ${action} as 'signal' must be an AbortSignal: received ${received(signal)}${signalHint(signal)}`
    throw typeError('ERR_INVALID_OPTION', text)
  }
  const limits = new Limits(checkTimeout(action, own), signal)
  limits.throwIfAborted()
  return limits
}

/**
 * The limits of a call that blocks its thread.
 *
 * @param instead The form that takes a signal ("acquire()").
 */
export function readSyncLimits(
  action: string,
  given: unknown,
  instead: string,
  timeout: number = Number.POSITIVE_INFINITY,
): Limits {
  const { timeout: own = timeout, signal } = read(action, given)
  if (signal === undefined) return new Limits(checkTimeout(action, own))
  throw typeError(
    'ERR_INVALID_OPTION',
    `Cannot ${action} synchronously with a signal as it cannot fire while the thread is blocked: await ${instead}, or give a timeout`,
  )
}

/** As `readSyncLimits()`. Throws on the main thread. */
export function readBlockingLimits(action: string, given: unknown, instead: string, timeout?: number): Limits {
  const limits = readSyncLimits(action, given, instead, timeout)
  checkMayBlock(`${action} synchronously`, instead)
  return limits
}

function read(action: string, given: unknown): { timeout?: unknown; signal?: unknown } {
  if (typeof given !== 'object') return { timeout: given }
  if (!isPlainObject(given)) {
    const expected = 'a timeout in milliseconds or { timeout, signal }'
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as it takes ${expected}: received ${received(given)}${optionsHint(given)}`,
    )
  }
  for (const name of Object.keys(given)) {
    if (name === 'timeout' || name === 'signal') continue
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as it has no option '${name}': the options are timeout, signal`,
    )
  }
  return given
}

function checkTimeout(action: string, timeout: unknown): number {
  if (typeof timeout === 'number' && timeout >= 0) return timeout
  const error = typeof timeout === 'number' ? rangeError : typeError
  const expected = "'timeout' must be a number of milliseconds of at least 0, or Infinity"
  throw error('ERR_INVALID_OPTION', `Cannot ${action} as ${expected}: received ${received(timeout)}`)
}
