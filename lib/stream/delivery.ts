/**
 * The queue between executor and consumer. One engine serves both orders; they differ in this file alone: an ordered
 * stream gives the parts of one chunk after those of the chunk before it, an unordered one gives parts as they come.
 */
import type { Chunk } from '../executor/executor.js'
import { Fifo } from '../fifo.js'
import type { ArrivedPart } from './outcome.js'

export interface Delivery {
  /** A chunk goes to the executor. */
  admit(chunk: Chunk): void
  /** Some of a chunk's outcomes have come back. */
  put(part: ArrivedPart): void
  /** Takes the part whose outcomes are due next, if it is there. */
  take(): ArrivedPart | undefined
  /** Forgets what has not been taken. */
  clear(): void
}

export class UnorderedDelivery implements Delivery {
  readonly #parts = new Fifo<ArrivedPart>()

  admit(): void {
    // Order of completion needs no memory of the order of items.
  }

  put(part: ArrivedPart): void {
    this.#parts.push(part)
  }

  take(): ArrivedPart | undefined {
    return this.#parts.shift()
  }

  clear(): void {
    this.#parts.clear()
  }
}

export class OrderedDelivery implements Delivery {
  readonly #chunks = new Fifo<Chunk>()
  readonly #parts = new Map<Chunk, Fifo<ArrivedPart>>()

  admit(chunk: Chunk): void {
    this.#chunks.push(chunk)
    this.#parts.set(chunk, new Fifo())
  }

  put(part: ArrivedPart): void {
    this.#parts.get(part.chunk)?.push(part)
  }

  take(): ArrivedPart | undefined {
    const chunk = this.#chunks.peek()
    const part = chunk && this.#parts.get(chunk)?.shift()
    if (part?.last === true) {
      this.#chunks.shift()
      this.#parts.delete(part.chunk)
    }
    return part
  }

  clear(): void {
    this.#chunks.clear()
    this.#parts.clear()
  }
}
