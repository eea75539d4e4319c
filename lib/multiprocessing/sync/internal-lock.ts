/**
 * A lock for a few steps that never wait: a thread that has it is running, or has ended. Not fair, and not for users:
 * that is `Lock`, which is given to a call, even if its thread is busy with something else for long.
 *
 * One cell: the thread (plus one) that has it; 0 if nobody.
 */
import { threadId } from 'node:worker_threads'
import type { Memory } from '../../shared/memory.js'
import { FOREVER } from './limits.js'
import { wait, waitSync } from './waiting.js'

export class InternalLock {
  readonly #memory: Memory
  readonly #cell: number

  constructor(memory: Memory, cell: number) {
    this.#memory = memory
    this.#cell = cell
  }

  /** Runs a function that neither waits nor calls foreign code, when nobody else does: at once, if that is now. */
  async run<R>(steps: () => R): Promise<R> {
    for (let other = this.#enter(); other !== 0; other = this.#enter()) {
      await wait(this.#memory, this.#cell, other, FOREVER)
    }
    return this.#finish(steps)
  }

  /** The same, holding the thread. */
  runSync<R>(steps: () => R): R {
    for (let other = this.#enter(); other !== 0; other = this.#enter()) {
      waitSync(this.#memory, this.#cell, other, FOREVER)
    }
    return this.#finish(steps)
  }

  releaseThreads(threads: ReadonlySet<number>): void {
    const thread = Atomics.load(this.#memory, this.#cell)
    if (threads.has(thread - 1)) Atomics.compareExchange(this.#memory, this.#cell, thread, 0)
    // It may have ended just before it did this.
    Atomics.notify(this.#memory, this.#cell)
  }

  #enter(): number {
    return Atomics.compareExchange(this.#memory, this.#cell, 0, threadId + 1)
  }

  #finish<R>(steps: () => R): R {
    try {
      return steps()
    } finally {
      Atomics.store(this.#memory, this.#cell, 0)
      Atomics.notify(this.#memory, this.#cell)
    }
  }
}
