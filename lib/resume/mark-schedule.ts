/** When marks are asked for: now and then, after some bytes of the input, and a last time before the run ends early. */
import type { MarkRequest } from './mark.js'
import type { ResumeSettings } from './options.js'

/** How long the end of an aborted run may wait for its last checkpoint, in milliseconds. */
const LAST_WAIT = 2_000

export class MarkSchedule {
  readonly #request: MarkRequest
  readonly #settings: Pick<ResumeSettings, 'interval' | 'bytes'>
  /** How many bytes of the input have been read; and at the last mark. */
  readonly #bytesRead: () => number
  #lastBytes = 0
  #timer: NodeJS.Timeout | undefined
  /** Between the asking for a mark and its arrival. */
  #isAsked = false
  /** Between the arrival of a mark and the end of what is done with it. */
  #isBusy = false
  #onLast: (() => void) | undefined

  constructor(request: MarkRequest, settings: Pick<ResumeSettings, 'interval' | 'bytes'>, bytesRead: () => number) {
    this.#request = request
    this.#settings = settings
    this.#bytesRead = bytesRead
  }

  start(): void {
    this.#lastBytes = this.#bytesRead()
    this.#timer = setInterval(this.#askInTurn, this.#settings.interval)
    this.#timer.unref()
  }

  /** To be called now and then: asks for a mark if much was read since the last one. */
  readOn(): void {
    if (this.#bytesRead() - this.#lastBytes >= this.#settings.bytes) this.#askInTurn()
  }

  /** A mark has come. No other one is asked for until `handled()`, except the last one. */
  arrived(): void {
    this.#isAsked = false
    this.#isBusy = true
    this.#lastBytes = this.#bytesRead()
  }

  /** What is done with the mark is done, or has failed. */
  handled(): void {
    this.#isBusy = false
    if (!this.#isAsked) this.#onLast?.()
  }

  /** Asks for a last mark, at once. Settles when it is handled, or when that takes too long. */
  async last(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LAST_WAIT)
      this.#onLast = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#ask()
    })
  }

  /** Asks for no more marks, and waits for none. */
  stop(): void {
    clearInterval(this.#timer)
    this.#onLast?.()
  }

  readonly #askInTurn = (): void => {
    if (!this.#isBusy) this.#ask()
  }

  #ask(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    this.#request.ask()
  }
}
