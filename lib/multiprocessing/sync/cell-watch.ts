/**
 * The calls of this thread that wait until one cell changes. They wait together. When the time of a call is over, or
 * its signal fires, it leaves, and that costs the other calls nothing.
 *
 * A thread that changes the cell notifies it afterwards. If it ends before that, `releaseThreads()` does. So each call
 * that waits here is woken, or sees the change before it waits.
 */
import type { Memory } from '../../shared/memory.js'
import { LocalWaitQueue } from './local-wait-queue.js'
import type { Limits } from './limits.js'
import { waitAsync } from './cell-wait.js'
import type { Wait } from './steps.js'

/** Keeps the objects that have waiting calls: often nothing else refers to them. */
const waiting = new Set<CellWatch>()

export class CellWatch {
  readonly #memory: Memory
  readonly #cell: number
  readonly #calls = new LocalWaitQueue()
  /** The value of the cell when it was last watched; `undefined` if it was notified since then. */
  #watched: number | undefined

  constructor(memory: Memory, cell: number) {
    this.#memory = memory
    this.#cell = cell
  }

  /** Waits until the cell has another value, or may have had one. */
  wait(value: number, limits: Limits): Wait {
    return {
      settle: () => this.#change(value, limits),
      block: () => Atomics.wait(this.#memory, this.#cell, value, limits.left) !== 'timed-out',
    }
  }

  /** False if the timeout passed. Keeps the program alive. */
  async #change(value: number, limits: Limits): Promise<boolean> {
    if (this.#watched !== value && !this.#watch(value)) return true
    if (limits.left === 0) return Atomics.load(this.#memory, this.#cell) !== value
    waiting.add(this)
    try {
      return await this.#calls.wait(limits)
    } finally {
      if (this.#calls.size === 0) waiting.delete(this)
    }
  }

  /** False if the cell has another value. */
  #watch(value: number): boolean {
    const woken = waitAsync(this.#memory, this.#cell, value, Infinity)
    if (!woken.async) return false
    this.#watched = value
    // If no call waits any more, the object can be collected before it is notified.
    const reference = new WeakRef(this)
    void (woken.value as Promise<unknown>).then(() => {
      const watch = reference.deref()
      if (watch !== undefined) watch.#onNotified(value)
    })
    return true
  }

  #onNotified(value: number): void {
    if (this.#watched === value) this.#watched = undefined
    this.#calls.wakeAll()
  }
}
