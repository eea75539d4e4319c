/**
 * Calls of this thread that wait for one another, or for something that this thread hears of: first in, first out. To
 * come, to be woken and to leave cost the same however many wait. Nothing here is shared memory.
 */
import { MAX_TIMEOUT } from '../../options.js'
import { offAbort, onAbort } from '../../aborts.js'
import type { Limits } from './limits.js'
import { keepAlive, letEnd } from './keep-alive.js'
import type { Wait } from './steps.js'

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
   * Resolves when the call was woken (true), or its time is over (false); rejects with the reason of its signal.
   * Whatever comes first counts, and takes it out of the queue.
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
 * Lets one call of this thread at a time stand in the queue that all threads share; the others wait here. So that queue
 * is as long as there are threads, not calls.
 */
export class LocalMutex {
  readonly #calls = new LocalWaitQueue()
  #isLocked = false

  get isLocked(): boolean {
    return this.#isLocked
  }

  /** Whether no other call has it. Then this one has it, until `unlock()`. */
  tryLock(): boolean {
    if (this.#isLocked) return false
    return (this.#isLocked = true)
  }

  /** For a call that did not get it: waits until the calls before it have ended. */
  turn(limits: Limits): Wait {
    return { settle: () => this.#calls.wait(limits), block: neverEnding }
  }

  /** Gives it to the next call. */
  unlock(): void {
    // It stays locked then: no call may come before the one that is woken.
    if (!this.#calls.wakeFirst()) this.#isLocked = false
  }
}

function neverEnding(): never {
  throw new Error('Cannot wait for other calls of this thread as they cannot go on while it is blocked')
}
