/**
 * The places of waiting calls in shared memory, by number. A place has its THREAD (plus one; 0 is a free place), and
 * its WORD, in which the queue writes the state of the call.
 */
import { threadId } from 'node:worker_threads'
import type { Memory } from '../../shared/memory.js'

/** The positions of the cells of a place. */
export interface Layout {
  /** The first cell of place 0. */
  readonly first: number
  /** The cells of a place. The first one is its thread. */
  readonly size: number
  /** The one of these cells that is its word. */
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

  /** Frees the place of a thread. Its word must be 0 already. */
  free(place: number, thread: number): void {
    Atomics.compareExchange(this.memory, this.#first + place * this.#size, thread + 1, 0)
  }

  /** The cell of a word. Calls wait for it: it changes with the word. */
  cellOf(place: number): number {
    return this.#first + place * this.#size + this.#word
  }

  /** 0 if there is none. */
  wordOf(place: number): number {
    return Atomics.load(this.memory, this.cellOf(place))
  }

  /** As `wordOf()`, at less cost. If another thread writes it meanwhile, it can be a word that never existed. */
  loadRelaxed(place: number): number {
    return Atomics.load(this.memory, this.cellOf(place))
  }

  /** Writes the word of a place that this thread has. */
  write(place: number, word: number): void {
    Atomics.store(this.memory, this.cellOf(place), word)
  }

  /** Replaces the word if it is `from`. False if it is not. */
  replace(place: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.memory, this.cellOf(place), from, to) === from
  }
}
