/** What a call of `acquire()` has taken, to be given back once. */

/**
 * One time during which a thread holds a lock; a condition's `wait()` ends it, and begins another for the same holds.
 */
export interface Acquisition {
  ticket: number
  abandoned: boolean
}

/**
 * What `acquire()` gives: the lock, or the semaphore's permit, until it is released. `using hold = await
 * lock.acquire()` releases it at the end of the block.
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
   * Whether the thread that held the lock before has ended without releasing it: what the lock guards may be half done.
   * Only the next holder is told. Never true of a semaphore.
   */
  get abandoned(): boolean {
    return this.#holding.abandoned
  }

  /** Gives back what was taken. Harmless when repeated. */
  release(): void {
    const giveBack = this.#giveBack
    this.#giveBack = undefined
    giveBack?.(this.#holding)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
