/** The lines of a file for `for await`, by hand: one read and one string for each block, and a slice for each line. */
import { closeSync, openSync, readSync } from 'node:fs'
import { PIECE_BYTES } from './jobs.js'

const NEWLINE = 10

export class LinesByHand implements AsyncIterableIterator<string> {
  readonly #file: number
  readonly #block = Buffer.allocUnsafeSlow(PIECE_BYTES)
  /** Bytes at the start of the block: the begin of a line. */
  #kept = 0
  #text = ''
  #from = 0

  constructor(path: string) {
    this.#file = openSync(path, 'r')
  }

  next(): Promise<IteratorResult<string, undefined>> {
    const from = this.#from
    const to = this.#text.indexOf('\n', from)
    if (to === -1) return this.#nextBlock()
    this.#from = to + 1
    return Promise.resolve({ done: false, value: this.#text.slice(from, to) })
  }

  /** Reads synchronously: the thread has nothing else to do. */
  #nextBlock(): Promise<IteratorResult<string, undefined>> {
    const read = readSync(this.#file, this.#block, this.#kept, PIECE_BYTES - this.#kept, null)
    if (read === 0) {
      closeSync(this.#file)
      return Promise.resolve({ done: true, value: undefined })
    }
    const end = this.#kept + read
    const lines = this.#block.lastIndexOf(NEWLINE, end - 1) + 1
    this.#text = this.#block.toString('latin1', 0, lines)
    this.#from = 0
    this.#block.copyWithin(0, lines, end)
    this.#kept = end - lines
    return this.next()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
