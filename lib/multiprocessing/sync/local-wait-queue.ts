/**
 * Calls of this thread that wait for one another, or for something that this thread hears of: first in, first out. To come, to be
 * woken and to leave cost the same however many wait. Nothing here is shared memory.
 */
import { MAX_TIMEOUT } from '../../options.js'
import { offAbort, onAbort } from '../../aborts.js'
import type { Limits } from './limits.js'
import { keepAlive, letEnd } from './waiting.js'

interface Call {
  readonly wake: () => void
  before: Call | undefined
  after: Call | undefined
}

export class LocalWaitQueue {
  #first: Call | undefined
  #last: Call | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /**
   * Resolves when the call was woken (true), or its time is over (false); rejects with the reason of its signal. Whatever comes
   * first counts, and takes it out of the line.
   */
  wait(limits: Limits): Promise<boolean> {
    const { signal } = limits
    return new Promise((resolve, reject) => {
      keepAlive()
      let timer: NodeJS.Timeout | undefined
      const end = (): void => {
        clearTimeout(timer)
        if (signal !== undefined) offAbort(signal, abort)
        letEnd()
      }
      const call = this.#add(() => {
        end()
        resolve(true)
      })
      const leave = (): void => {
        this.#remove(call)
        end()
      }
      const abort = (): void => {
        leave()
        reject(signal?.reason as Error)
      }
      const watch = (): void => {
        const { left } = limits
        if (left === Infinity) return
        timer = setTimeout(
          () => {
            if (limits.left > 0) watch()
            else {
              leave()
              resolve(false)
            }
          },
          Math.min(Math.ceil(left), MAX_TIMEOUT),
        )
      }
      watch()
      if (signal === undefined) return
      onAbort(signal, abort)
      // It may have fired before it was listened to.
      if (signal.aborted) abort()
    })
  }

  /** Wakes the call that has waited longest. False if none waits. */
  wakeFirst(): boolean {
    const first = this.#first
    if (first === undefined) return false
    this.#remove(first)
    first.wake()
    return true
  }

  /** Wakes those that wait now. */
  wakeAll(): void {
    for (let count = this.#size; count > 0; count--) this.wakeFirst()
  }

  #add(wake: () => void): Call {
    const call: Call = { wake, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = call
    else this.#last.after = call
    this.#last = call
    this.#size++
    return call
  }

  #remove(call: Call): void {
    if (call.before === undefined) this.#first = call.after
    else call.before.after = call.after
    if (call.after === undefined) this.#last = call.before
    else call.after.before = call.before
    this.#size--
  }
}

/**
 * The calls of this thread that want one thing of which only the first stands in the line that all threads share: the others stand
 * here. So a line is as long as there are threads, not calls.
 */
export class LocalMutex {
  readonly #calls = new LocalWaitQueue()
  #isLocked = false

  /** Whether a call of this thread stands in line, or is about to. */
  get isLocked(): boolean {
    return this.#isLocked
  }

  /** For a call that finds no other one: it may stand in line, and calls `unlock()` when it does not any more. */
  tryLock(): boolean {
    if (this.#isLocked) return false
    return (this.#isLocked = true)
  }

  /** The same, for a call that waits until those before it have ended. False if its time is over before. */
  lock(limits: Limits): Promise<boolean> {
    return this.#calls.wait(limits)
  }

  /** It is the turn of the next. */
  unlock(): void {
    // It stays taken: nobody may come before the one that is woken.
    if (!this.#calls.wakeFirst()) this.#isLocked = false
  }
}
