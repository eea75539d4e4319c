/**
 * Where waiting calls stand: places in shared memory, by number. A place has its THREAD (plus one; 0 is a free place),
 * and its WORD, in which the queue writes what is to be known of the call.
 */
import { threadId } from 'node:worker_threads'
import type { Memory } from '../../shared/memory.js'

/** Where the cells of a place are. */
export interface Layout {
  /** The first cell of place 0. */
  readonly first: number
  /** How many cells a place takes. The first is its thread. */
  readonly size: number
  /** Which of them is its word. */
  readonly word: number
}

export class Places {
  readonly memory: Memory
  readonly #first: number
  readonly #size: number
  readonly #word: number

  constructor(memory: Memory, { first, size, word }: Layout) {
    this.memory = memory
    this.#first = first
    this.#size = size
    this.#word = word
  }

  /** The thread of a call; -1 if there is none. */
  threadOf(place: number): number {
    return Atomics.load(this.memory, this.#first + place * this.#size) - 1
  }

  isFree(place: number): boolean {
    return Atomics.load(this.memory, this.#first + place * this.#size) === 0
  }

  /** Takes a place for this thread. False if it is not free. */
  claim(place: number): boolean {
    const at = this.#first + place * this.#size
    return this.isFree(place) && Atomics.compareExchange(this.memory, at, 0, threadId + 1) === 0
  }

  /** Makes the place of a thread free, which has no word any more. */
  free(place: number, thread: number): void {
    Atomics.compareExchange(this.memory, this.#first + place * this.#size, thread + 1, 0)
  }

  /** The cell of a word: it changes when the word does, for calls to wait for. */
  cellOf(place: number): number {
    return this.#first + place * this.#size + this.#word
  }

  /** 0 if there is none. */
  wordOf(place: number): number {
    return Atomics.load(this.memory, this.cellOf(place))
  }

  /** The same at less cost; but if others write it meanwhile, maybe a word that was never there. */
  loadRelaxed(place: number): number {
    return Atomics.load(this.memory, this.cellOf(place))
  }

  /** Writes the word of a place that this thread has. */
  write(place: number, word: number): void {
    Atomics.store(this.memory, this.cellOf(place), word)
  }

  /** Whether the word was `from`, and is `to` now. */
  replace(place: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.memory, this.cellOf(place), from, to) === from
  }
}
