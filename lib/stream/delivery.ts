/**
 * The queue between executor and consumer. An unordered stream gives parts as they come, so its queue is a plain `Fifo`.
 * An ordered stream gives the parts of a chunk after those of the chunk before it.
 */
import type { Chunk } from '../executor/executor.js'
import { Fifo } from '../fifo.js'
import type { ArrivedPart } from './outcome.js'

export interface Delivery extends Pick<Fifo<ArrivedPart>, 'push' | 'shift' | 'clear'> {
  /** A chunk goes to the executor. */
  admit?(chunk: Chunk): void
  /** Parts of chunks from this item on wait until `release()`. */
  hold?(from: number): void
  release?(): void
}

/** Gives parts as they come, but none of the items behind a mark before it. */
export class MarkedDelivery implements Delivery {
  readonly #parts = new Fifo<ArrivedPart>()
  readonly #held = new Fifo<ArrivedPart>()
  #from = Infinity

  push(part: ArrivedPart): void {
    if (part.chunk.first < this.#from) this.#parts.push(part)
    else this.#held.push(part)
  }

  shift(): ArrivedPart | undefined {
    return this.#parts.shift()
  }

  hold(from: number): void {
    this.#from = from
  }

  release(): void {
    this.#from = Infinity
    for (let part = this.#held.shift(); part !== undefined; part = this.#held.shift()) this.#parts.push(part)
  }

  clear(): void {
    this.#parts.clear()
    this.#held.clear()
  }
}

export class OrderedDelivery implements Delivery {
  readonly #chunks = new Fifo<Chunk>()
  readonly #parts = new Map<Chunk, Fifo<ArrivedPart>>()

  admit(chunk: Chunk): void {
    this.#chunks.push(chunk)
    this.#parts.set(chunk, new Fifo())
  }

  push(part: ArrivedPart): void {
    this.#parts.get(part.chunk)?.push(part)
  }

  shift(): ArrivedPart | undefined {
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
