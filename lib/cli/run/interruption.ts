/**
 * Signals of the system that end a command line. The first one ends the run in an orderly way, and is then raised again, so
 * that the process ends by it. A second one is not caught: it ends the process at once.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class Interruption implements Disposable {
  /** The first signal. */
  caught: NodeJS.Signals | undefined
  readonly #controller = new AbortController()
  readonly #status: () => void

  /** @param status Tells how far the run is: called at SIGUSR2. */
  constructor(status: () => void) {
    this.#status = status
    for (const name of SIGNALS) process.on(name, this.#catch)
    if (process.platform !== 'win32') process.on('SIGUSR2', status)
  }

  /** Fires at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  readonly #catch = (name: NodeJS.Signals): void => {
    this.caught = name
    this[Symbol.dispose]()
    this.#controller.abort(new Error(`ended by ${name}`))
  };

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#catch)
    process.off('SIGUSR2', this.#status)
  }
}
