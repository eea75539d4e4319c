/**
 * Counts what is between the source and the consumer: items read whose results the consumer has not yet been given.
 *
 * A result counts as given when the consumer comes back for the next one (or has asked for it already), and not while it
 * may still `break`: so a loop that breaks at its first result has read one window at most.
 */
export class Window {
  /** The most items between source and consumer. */
  limit: number
  #read = 0
  #given = 0
  #handed = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** How many items may be read now. */
  get room(): number {
    return this.limit - (this.#read - this.#given)
  }

  get read(): number {
    return this.#read
  }

  /** Items read whose results have not been handed out. */
  get held(): number {
    return this.#read - this.#given - this.#handed
  }

  /** Items whose results were handed out, to a consumer that has not come back. */
  get handed(): number {
    return this.#handed
  }

  /** Takes the places of items before they are read. */
  enter(count: number): void {
    this.#read += count
  }

  /** Gives places back: the source had fewer. */
  withdraw(count: number): void {
    this.#read -= count
  }

  /** The results of this many items go to the consumer. */
  hand(count: number): void {
    this.#handed += count
  }

  /** This many items have no results for the consumer: their places are free. */
  leaveOut(count: number): void {
    this.#given += count
  }

  /** The consumer has come back: what was handed out is given, or the first `count` of it, and its places are free. */
  acknowledge(count: number = this.#handed): void {
    const given = Math.min(count, this.#handed)
    this.#given += given
    this.#handed -= given
  }
}
