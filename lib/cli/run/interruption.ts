/**
 * What ends a run from outside: a signal of the system, or an error of the user's code on this thread that nothing
 * catches. The first one ends the run in an orderly way. A signal is then raised again, so that the process ends by it. A
 * second signal is not caught: it ends the process at once.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** How long a run may take to end, in milliseconds: code of the user may never end. */
const GRACE_MS = 2_000
/** The same, if it makes a last checkpoint. */
const CHECKPOINT_GRACE_MS = 4_000

export class Interruption implements Disposable {
  /** The first signal. */
  caught: NodeJS.Signals | undefined
  readonly #controller = new AbortController()
  readonly #signals: readonly NodeJS.Signals[]
  readonly #status: () => void
  readonly #grace: number

  /**
   * @param isHere Whether the stages run on this thread. Signals that end the process then do so at once: a stage that
   * never ends would keep this thread from seeing them.
   * @param status Tells how far the run is: called at SIGUSR2.
   * @param isResumable Whether it makes a last checkpoint.
   */
  constructor(isHere: boolean, status: () => void, isResumable: boolean) {
    this.#grace = isResumable ? CHECKPOINT_GRACE_MS : GRACE_MS
    this.#signals = isHere ? [] : SIGNALS
    this.#status = status
    for (const name of this.#signals) process.on(name, this.#catch)
    process.on('uncaughtException', this.#end)
    if (process.platform !== 'win32') process.on('SIGUSR2', status)
  }

  /** Fires at the first signal, or error. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What a run gives. Rejects if it does not end in time after it was interrupted. */
  async bound<T>(run: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      this.signal.addEventListener('abort', () => {
        timer = setTimeout(reject, this.#grace, this.signal.reason)
      })
    })
    try {
      const result = await Promise.race([run, late])
      // Without a signal, only an error can have ended it.
      if (this.signal.aborted && this.caught === undefined) throw this.signal.reason
      return result
    } finally {
      clearTimeout(timer)
    }
  }

  readonly #catch = (name: NodeJS.Signals): void => {
    this.caught = name
    this.#releaseSignals()
    this.#end(new Error(`ended by ${name}`))
  }

  readonly #end = (reason: unknown): void => {
    this.#controller.abort(reason)
  }

  /** They have their default effect again. */
  #releaseSignals(): void {
    for (const name of this.#signals) process.off(name, this.#catch)
  }

  [Symbol.dispose](): void {
    this.#releaseSignals()
    process.off('SIGUSR2', this.#status)
    process.off('uncaughtException', this.#end)
  }
}
