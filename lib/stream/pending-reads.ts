/** The consumer's calls that wait, in the order in which they were made: each is given what it asks for, or told of the end. */
import { Fifo } from '../fifo.js'

/** A call that waits: for one result, or for several. */
export interface PendingRead {
  /** Takes what it is to be given; undefined when that is not there yet. */
  readonly take: () => unknown
  /** How it is told that the stream has ended. */
  readonly done: unknown
  resolve(given: unknown): void
  reject(error: unknown): void
}

/** How `next()` tells that the stream has ended. */
export function doneResult(): IteratorReturnResult<undefined> {
  return { value: undefined, done: true }
}

export class PendingReads {
  readonly #reads = new Fifo<PendingRead>()

  get size(): number {
    return this.#reads.size
  }

  add(read: PendingRead): void {
    this.#reads.push(read)
  }

  /** Gives the first call what is there for it. @returns Whether there was any. */
  serve(): boolean {
    const read = this.#reads.peek()
    const given = read?.take()
    if (given === undefined) return false
    this.#reads.shift()
    read?.resolve(given)
    return true
  }

  /** Tells the first call of an error. @returns Whether there was one to tell. */
  fail(error: unknown): boolean {
    const read = this.#reads.shift()
    read?.reject(error)
    return read !== undefined
  }

  /** Tells all calls that the stream has ended. */
  end(): void {
    for (let read = this.#reads.shift(); read !== undefined; read = this.#reads.shift()) {
      read.resolve(read.done)
    }
  }
}
