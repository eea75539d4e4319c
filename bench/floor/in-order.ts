/** The parts of a job in their order, for `for await`. They wait here until their turn. There is no bound. */
import type { Job, Threads } from './threads.js'

type Numbers = Float64Array<ArrayBuffer>

/** One array of numbers for each part. */
export class PartsInOrder implements AsyncIterableIterator<Numbers> {
  readonly #parts: number
  readonly #arrived: (Numbers | undefined)[] = []
  #turn = 0
  #wake: (() => void) | undefined
  readonly #done: Promise<unknown>

  constructor(threads: Threads, job: Job, parts: number) {
    this.#parts = parts
    this.#done = threads.run(job, parts, ({ part, numbers }) => {
      this.#arrived[part] = numbers
      if (part === this.#turn) this.#wake?.()
    })
  }

  async next(): Promise<IteratorResult<Numbers, undefined>> {
    if (this.#turn === this.#parts) {
      await this.#done
      return { done: true, value: undefined }
    }
    for (;;) {
      const numbers = this.#arrived[this.#turn]
      if (numbers !== undefined) {
        this.#arrived[this.#turn++] = undefined
        return { done: false, value: numbers }
      }
      const arrival = new Promise<void>((resolve) => (this.#wake = resolve))
      await Promise.race([arrival, this.#done])
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** The items of the parts, one by one. An item that is there costs one promise and one result. */
export class ItemsInOrder<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<Numbers, undefined>
  readonly #width: number
  readonly #itemAt: (numbers: Numbers, place: number) => T
  #numbers: Numbers = new Float64Array(0)
  #place = 0

  /** Every `width` numbers make an item. */
  constructor(
    source: AsyncIterator<Numbers, undefined>,
    width: number,
    itemAt: (numbers: Numbers, place: number) => T,
  ) {
    this.#source = source
    this.#width = width
    this.#itemAt = itemAt
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const place = this.#place
    if (place === this.#numbers.length) return this.#nextPart()
    this.#place = place + this.#width
    return Promise.resolve({ done: false, value: this.#itemAt(this.#numbers, place) })
  }

  async #nextPart(): Promise<IteratorResult<T, undefined>> {
    const next = await this.#source.next()
    if (next.done === true) return next
    this.#numbers = next.value
    this.#place = 0
    return this.next()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
