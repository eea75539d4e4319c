/**
 * The calls of this thread that wait until one cell changes: they wait together, so that each can leave by itself, when
 * its time is over or its signal fires, at no cost to the others.
 *
 * Who changes the cell notifies it afterwards, or its `releaseThreads()` does. So what is waited for here is woken, or
 * has changed before.
 */
import type { Memory } from '../../shared/memory.js'
import { LocalWaitQueue } from './local-wait-queue.js'
import type { Limits } from './limits.js'
import { waitAsync } from './cell-wait.js'
import type { Wait } from './steps.js'

/** Those for which calls wait. Nothing else may refer to them. */
const waiting = new Set<CellWatch>()

export class CellWatch {
  readonly #memory: Memory
  readonly #cell: number
  readonly #calls = new LocalWaitQueue()
  /** The value that the cell had when it was last watched; undefined if it has been notified since. */
  #watched: number | undefined

  constructor(memory: Memory, cell: number) {
    this.#memory = memory
    this.#cell = cell
  }

  /** Waits until the cell may have changed from that value. */
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
    // If nobody waits any more, the object may be collected before it is notified.
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
