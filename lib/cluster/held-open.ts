/** Something that is open while anybody needs it: it is opened for the first one, and closed after the last. */
export class HeldOpen {
  readonly #open: () => Promise<void>
  readonly #close: () => Promise<void>
  /** How many need it. */
  #users = 0
  #isOpen = false
  /** Called when it is closed and nobody needs it. */
  #idle: (() => void)[] = []
  /** Settles when it is open or closed, as it is to be. */
  #settling: Promise<void> = Promise.resolve()

  constructor(open: () => Promise<void>, close: () => Promise<void>) {
    this.#open = open
    this.#close = close
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isNeeded(): boolean {
    return this.#users > 0
  }

  /** Keeps it open until `release()`, which is due also if it cannot be opened. @throws what opening it throws. */
  hold(): Promise<void> {
    this.#users++
    return this.#settle()
  }

  /** @returns When it is closed, if nobody else holds it. */
  release(): Promise<void> {
    this.#users--
    return this.#settle()
  }

  /** Resolves when nobody needs it, and it is closed. */
  async closed(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#idle.push(resolve)
    })
    await this.#settle()
    await idle
  }

  #settle(): Promise<void> {
    const settled = this.#settling.then(async () => {
      if (this.#users > 0 && !this.#isOpen) {
        await this.#open()
        this.#isOpen = true
      } else if (this.#users === 0 && this.#isOpen) {
        this.#isOpen = false
        await this.#close()
      }
      if (this.#users === 0) for (const resolve of this.#idle.splice(0)) resolve()
    })
    this.#settling = settled.catch(() => undefined)
    return settled
  }
}
