/** The result of `acquire()`, which is released once; and `withLock()`, which does that. */
import { SyncError } from '../errors.js'

/**
 * The time during which a thread holds a lock. `wait()` of a condition ends it, and begins another one for the same
 * guards.
 */
export interface Acquisition {
  ticket: number
  abandoned: boolean
}

/**
 * The result of `acquire()`: the lock, or the permit of a semaphore, until it is released.
 * `using hold = await lock.acquire()` releases it at the end of the block.
 *
 * @example
 * ```ts
 * import { Lock } from 'millrace/multiprocessing'
 *
 * const lock = new Lock()
 * const hold = await lock.acquire()
 * console.log(lock.locked, hold.abandoned)
 * // → true false
 * hold.release()
 * console.log(lock.locked)
 * // → false
 * ```
 */
export class LockGuard implements Disposable {
  readonly #holding: Acquisition
  #giveBack: ((holding: Acquisition) => void) | undefined

  private constructor(holding: Acquisition, giveBack: (holding: Acquisition) => void) {
    this.#holding = holding
    this.#giveBack = giveBack
  }

  /** @internal */
  static of(holding: Acquisition, giveBack: (holding: Acquisition) => void): LockGuard {
    return new LockGuard(holding, giveBack)
  }

  /**
   * Whether the thread that held the lock before has ended without releasing it. The data that the lock protects may be
   * half changed. Only the next holder is told. A semaphore never sets it.
   */
  get abandoned(): boolean {
    return this.#holding.abandoned
  }

  /** Releases the lock or the permit. You can repeat it. */
  release(): void {
    const giveBack = this.#giveBack
    this.#giveBack = undefined
    giveBack?.(this.#holding)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** The body of `withLock()`. `action`: what `acquire()` does, for the error text. */
export async function withGuard<T>(
  action: string,
  acquire: () => Promise<LockGuard | undefined>,
  run: (guard: LockGuard) => T | PromiseLike<T>,
): Promise<T> {
  const guard = await acquire()
  if (guard === undefined) {
    throw new SyncError(`Cannot ${action} as its timeout has passed: give a longer 'timeout'`, 'ERR_WAIT_TIMEOUT')
  }
  try {
    return await run(guard)
  } finally {
    guard.release()
  }
}
