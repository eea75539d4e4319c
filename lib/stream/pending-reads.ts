/** The consumer's calls that wait, in the order in which they were made. Each gets results, an error, or the end. */
import { Fifo } from '../fifo.js'

export interface PendingRead {
  /** Takes the results for it; undefined when they have not arrived. */
  readonly take: () => unknown
  /** Its answer when the stream has ended. */
  readonly done: unknown
  resolve(given: unknown): void
  reject(error: unknown): void
}

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

  /** Answers the first call, if its results have arrived. @returns Whether they have. */
  serve(): boolean {
    const read = this.#reads.peek()
    const given = read?.take()
    if (given === undefined) return false
    this.#reads.shift()
    read?.resolve(given)
    return true
  }

  /** Rejects the first call. @returns Whether there was one. */
  fail(error: unknown): boolean {
    const read = this.#reads.shift()
    read?.reject(error)
    return read !== undefined
  }

  /** The stream has ended. */
  end(): void {
    for (let read = this.#reads.shift(); read !== undefined; read = this.#reads.shift()) {
      read.resolve(read.done)
    }
  }
}
