/**
 * Calls of this thread that wait for one another, or for an event of this thread: first in, first out. The cost to
 * join, to wake and to leave does not depend on how many wait. Nothing here is shared memory.
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
   * Resolves with true when the call is woken, or with false when its time is over. Rejects with the reason of its
   * signal. The first of these takes the call out of the queue.
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
      // It may have fired before the listener was added.
      if (signal.aborted) abort()
    })
  }

  /** Wakes the call that has waited longest. False if no call waits. */
  wakeFirst(): boolean {
    const first = this.#first
    if (first === undefined) return false
    this.#remove(first)
    first.wake()
    return true
  }

  /** Wakes the calls that wait now. */
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
 * Lets one call of this thread at a time stand in the queue that all threads share. The others wait here. So the length
 * of that queue depends on the number of threads, not of calls.
 */
export class LocalMutex {
  readonly #calls = new LocalWaitQueue()
  #isLocked = false

  get isLocked(): boolean {
    return this.#isLocked
  }

  /** Locks it for this call, until `unlock()`. False if another call has it. */
  tryLock(): boolean {
    if (this.#isLocked) return false
    return (this.#isLocked = true)
  }

  /** For a call that did not get it: waits for its turn, after all earlier calls. */
  turn(limits: Limits): Wait {
    return { settle: () => this.#calls.wait(limits), block: neverEnding }
  }

  /** Unlocks it, and gives it to the next call. */
  unlock(): void {
    // If a call is woken, it stays locked: no other call may come before that one.
    if (!this.#calls.wakeFirst()) this.#isLocked = false
  }
}

function neverEnding(): never {
  throw new Error('Cannot wait for other calls of this thread as they cannot go on while it is blocked')
}
