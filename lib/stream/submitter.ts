/**
 * Makes chunks of what is read, and submits them: has as much read as the window and the lane have room for. At most one chunk is read
 * ahead of what the executor can take, so nothing is read that no worker waits for.
 */
import type { Chunk, Lane } from '../executor/executor.js'
import type { PartReader } from './part-reader.js'
import type { SourceReader } from './source-reader.js'
import type { Tuner } from './tuner.js'
import type { Window } from './window.js'

/** How long a synchronous source may be drained before the event loop gets its turn, in milliseconds. */
const READ_SLICE_MS = 5

export class Submitter {
  readonly #reader: SourceReader
  readonly #lane: Lane
  readonly #window: Window
  readonly #tuner: Tuner
  readonly #parts: PartReader
  /** The most items in the chunk that is being read. */
  #limit = 1
  /** Index of the first item of the next chunk. */
  #first = 0
  #refillThreshold = Infinity

  constructor(reader: SourceReader, lane: Lane, window: Window, tuner: Tuner, parts: PartReader) {
    this.#reader = reader
    this.#lane = lane
    this.#window = window
    this.#tuner = tuner
    this.#parts = parts
  }

  /** How much room in the window is worth reading on: enough for the whole chunk. Where room is not what is missing: infinite. */
  get refillThreshold(): number {
    return this.#refillThreshold
  }

  /** Reads and submits what it can. @param isAwaited Whether the consumer waits, and nothing has arrived for it. */
  fill(isAwaited: boolean): void {
    this.#refillThreshold = Infinity
    if (this.#reader.isReady) this.#read()
    if (this.#isDue(isAwaited)) this.#submit()
  }

  #read(): void {
    const reader = this.#reader
    this.#adjustLimit()
    const end = performance.now() + READ_SLICE_MS
    while (reader.isReady) {
      if (reader.size >= this.#limit && !this.#submit()) return
      const missing = this.#limit - reader.size
      const room = Math.min(missing, this.#window.room)
      if (room <= 0) {
        this.#refillThreshold = Math.min(missing, this.#window.limit)
        return
      }
      reader.read(room)
      if (reader.isReady && performance.now() > end) {
        reader.wakeNextTurn()
        return
      }
    }
  }

  /** Whether what was read is to be submitted as it is. */
  #isDue(isAwaited: boolean): boolean {
    const { size, hasEnded, isStalled } = this.#reader
    if (size === 0) return false
    if (size >= this.#limit || hasEnded || isStalled) return true
    // No item can be read before the consumer has got one, and it gets none before these are submitted.
    return isAwaited && this.#window.room <= 0
  }

  /** @returns Whether the lane had room for it. */
  #submit(): boolean {
    if (!this.#lane.ready) return false
    const chunk: Chunk = { first: this.#first, items: this.#reader.take() }
    this.#first += chunk.items.length
    this.#adjustLimit()
    this.#parts.expect(chunk)
    this.#lane.submit(chunk)
    return true
  }

  #adjustLimit(): void {
    this.#limit = this.#tuner.next(this.#reader.remaining)
  }
}
