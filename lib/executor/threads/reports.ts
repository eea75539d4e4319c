/** Records what has happened, in order. The part that is woken handles all of it. */
import { Fifo } from '../../fifo.js'

export class Reports<R> {
  readonly #reports = new Fifo<R>()
  readonly #wake: () => void

  /** @param wake Called when there is a report to take, or when something else has changed. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  add(report: R): void {
    this.#reports.push(report)
    this.#wake()
  }

  /** There is nothing to tell but that something has changed. */
  wake(): void {
    this.#wake()
  }

  take(): R | undefined {
    return this.#reports.shift()
  }
}
