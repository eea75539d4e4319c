/** A first-in, first-out queue with constant cost per step. `Array.shift()` moves all elements when there are many. */
export class Fifo<T> {
  /** From `#head` up to `#tail`. What was taken is not kept alive: its places are cleared, and used again. */
  #items: (T | undefined)[] = []
  #head = 0
  #tail = 0

  get size(): number {
    return this.#tail - this.#head
  }

  push(item: T): void {
    this.#items[this.#tail++] = item
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[this.#head]
    // An item that was taken can be garbage collected.
    this.#items[this.#head++] = undefined
    if (this.#head >= COMPACT_AT && this.#head * 2 > this.#tail) {
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    } else if (this.#head === this.#tail) this.#head = this.#tail = 0
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = this.#tail = 0
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
