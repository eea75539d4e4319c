/** The consumer's calls that wait, in the order in which they were made: each is given what it asks for, or told of the end. */
import { Fifo } from '../fifo.js'

/** A call that waits: for one result, or for several. */
export interface Waiter {
  /** Takes what it is to be given; undefined when that is not there yet. */
  readonly take: () => unknown
  /** How it is told that the stream has ended. */
  readonly done: unknown
  resolve(given: unknown): void
  reject(error: unknown): void
}

export class Waiters {
  readonly #waiters = new Fifo<Waiter>()

  get size(): number {
    return this.#waiters.size
  }

  add(waiter: Waiter): void {
    this.#waiters.push(waiter)
  }

  /** Gives the first call what is there for it. @returns Whether there was any. */
  serve(): boolean {
    const waiter = this.#waiters.peek()
    const given = waiter?.take()
    if (given === undefined) return false
    this.#waiters.shift()
    waiter?.resolve(given)
    return true
  }

  /** Tells the first call of an error. @returns Whether there was one to tell. */
  fail(error: unknown): boolean {
    const waiter = this.#waiters.shift()
    waiter?.reject(error)
    return waiter !== undefined
  }

  /** Tells all calls that the stream has ended. */
  end(): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.resolve(waiter.done)
    }
  }
}
