/**
 * Decides which blocks of a file this thread reads itself, and which the thread pool reads ahead. A block in the page cache is there
 * sooner than another thread is woken. A block on a disk must not hold the event loop up. Only the time of a read tells which is the case.
 */

/** A block of 512 KiB takes 0.1 ms from the page cache, and several times as long from a fast disk. */
const MAX_READ_MS = 0.5
/** How many blocks are read ahead after a slow one, at first; twice as many after each further one. */
const MIN_AHEAD = 16
const MAX_AHEAD = 1_024

export class ReadPolicy {
  /** The first block is likely to come from a disk. */
  #ahead = 1
  #nextAhead = MIN_AHEAD

  /** Whether the thread pool is to read the next block. */
  takesAhead(): boolean {
    if (this.#ahead === 0) return false
    this.#ahead--
    return true
  }

  /** This thread has read a block. @param time How long that took, in milliseconds. */
  record(time: number): void {
    if (time <= MAX_READ_MS) {
      this.#nextAhead = MIN_AHEAD
      return
    }
    this.#ahead = this.#nextAhead
    this.#nextAhead = Math.min(2 * this.#nextAhead, MAX_AHEAD)
  }
}
