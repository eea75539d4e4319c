/** One call that waits until a cell of shared memory changes or is notified. It never polls. */
import { offAbort, onAbort } from '../../aborts.js'
import type { Memory } from '../../shared/memory.js'
import { keepAlive, letEnd } from './keep-alive.js'
import type { Limits } from './limits.js'
import type { Wait } from './steps.js'

type Woken = 'ok' | 'not-equal' | 'timed-out'
type WaitAsync = (
  memory: Memory,
  cell: number,
  value: number,
  timeout: number,
) => { readonly async: boolean; readonly value: Promise<Woken> | Woken }
// Every supported Node has it. The ES2023 types do not.
export const waitAsync: WaitAsync = (Atomics as typeof Atomics & { readonly waitAsync: WaitAsync }).waitAsync

/** Ends when the cell is notified, or at once if it has another value. */
export class CellWait implements Wait {
  readonly #memory: Memory
  readonly #cell: number
  readonly #value: number
  readonly #limits: Limits

  constructor(memory: Memory, cell: number, value: number, limits: Limits) {
    this.#memory = memory
    this.#cell = cell
    this.#value = value
    this.#limits = limits
  }

  /** After the signal has fired, Node still waits for the cell. If only this call uses the cell, notify it. */
  async settle(): Promise<boolean> {
    const { left, signal } = this.#limits
    const woken = waitAsync(this.#memory, this.#cell, this.#value, left)
    if (!woken.async) return woken.value !== 'timed-out'
    keepAlive()
    try {
      const promise = woken.value as Promise<Woken>
      return (await (signal === undefined ? promise : unlessAborted(promise, signal))) !== 'timed-out'
    } finally {
      letEnd()
    }
  }

  block(): boolean {
    return Atomics.wait(this.#memory, this.#cell, this.#value, this.#limits.left) !== 'timed-out'
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      offAbort(signal, abort)
      reject(signal.reason as Error)
    }
    onAbort(signal, abort)
    // It may have fired before the listener was added.
    if (signal.aborted) abort()
    void promise.then((value) => {
      offAbort(signal, abort)
      resolve(value)
    })
  })
}
