/**
 * A lock for a few steps that never wait: the thread that has it is running, or has ended. It is internal, and not
 * fair. `Lock` is the public one: it can belong to a call whose thread is busy with something else.
 *
 * It has one cell: the thread that has it, plus one; or 0.
 */
import { threadId } from 'node:worker_threads'
import type { Memory } from '../../shared/memory.js'
import { CellWait } from './cell-wait.js'
import { UNLIMITED } from './limits.js'
import type { Steps } from './steps.js'

export class InternalLock {
  readonly #memory: Memory
  readonly #cell: number

  constructor(memory: Memory, cell: number) {
    this.#memory = memory
    this.#cell = cell
  }

  /** Runs a function when no other thread does. The function must not wait, or call code of users. */
  *run<R>(critical: () => R): Steps<R> {
    for (let other = this.#enter(); other !== 0; other = this.#enter()) {
      yield new CellWait(this.#memory, this.#cell, other, UNLIMITED)
    }
    return this.#finish(critical)
  }

  /** As `run()`, if that is possible at once; otherwise `undefined`. */
  tryRun<R>(critical: () => R): R | undefined {
    return this.#enter() === 0 ? this.#finish(critical) : undefined
  }

  releaseThreads(threads: ReadonlySet<number>): void {
    const thread = Atomics.load(this.#memory, this.#cell)
    if (threads.has(thread - 1)) Atomics.compareExchange(this.#memory, this.#cell, thread, 0)
    // It may have ended just before its notification.
    Atomics.notify(this.#memory, this.#cell)
  }

  #enter(): number {
    return Atomics.compareExchange(this.#memory, this.#cell, 0, threadId + 1)
  }

  #finish<R>(critical: () => R): R {
    try {
      return critical()
    } finally {
      Atomics.store(this.#memory, this.#cell, 0)
      Atomics.notify(this.#memory, this.#cell)
    }
  }
}
