/** What ends the run of a sink before its source ends: an error, or a signal. All that the run waits for ends then, too. */
import { reasonOf } from '../io/pipeline.js'

/** The signals that end a run. */
export interface RunSignals {
  readonly signals: readonly AbortSignal[]
  /** The one of them that Node's `pipeline` gave to the stage. */
  readonly pipeline: AbortSignal | undefined
}

/** Why a run is aborted; undefined if none of its signals has fired. */
export function abortOf({ signals, pipeline }: RunSignals): { readonly reason: unknown } | undefined {
  const signal = signals.find(({ aborted }) => aborted)
  return signal && { reason: signal === pipeline ? reasonOf(signal) : signal.reason }
}

export class EarlyEnd {
  #cause: { readonly error: unknown } | undefined
  #stopWaiting: (() => void) | undefined

  get hasCome(): boolean {
    return this.#cause !== undefined
  }

  /** The run is to end with this error. Only the first one counts. */
  readonly come = (error: unknown): void => {
    this.#cause ??= { error }
    this.#stopWaiting?.()
  }

  /** Awaits a promise; undefined if the end comes before that. One at a time. */
  unlessCome<T>(given: T | PromiseLike<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => {
        resolve(undefined)
      }
      Promise.resolve(given).then(resolve, reject)
      if (this.hasCome) resolve(undefined)
    })
  }

  /** Throws the error of the end, if that has come. */
  assertNotCome(): void {
    if (this.#cause !== undefined) throw this.#cause.error
  }
}
