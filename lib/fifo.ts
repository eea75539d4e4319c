/** A first-in, first-out queue with constant cost per step. `Array.shift()` moves all elements when there are many. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (this.#head === this.#items.length) return undefined
    // An item that was taken can be garbage collected.
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= COMPACT_AT && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
  }
}

/** From this many empty places at the front on, the rest is copied to a new array. */
const COMPACT_AT = 1_024

/** A queue that wakes its reader, which then deals with all messages in it. */
export class Mailbox<M> {
  readonly #messages = new Fifo<M>()
  /** Also to be called when something has changed that needs no message. */
  readonly wake: () => void

  constructor(wake: () => void) {
    this.wake = wake
  }

  post(message: M): void {
    this.#messages.push(message)
    this.wake()
  }

  take(): M | undefined {
    return this.#messages.shift()
  }
}
