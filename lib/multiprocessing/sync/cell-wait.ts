/** How one call waits until a cell of shared memory changes or is notified; never by polling. */
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
// In every supported Node, but not in the ES2023 library.
export const waitAsync: WaitAsync = (Atomics as typeof Atomics & { readonly waitAsync: WaitAsync }).waitAsync

/** Ends when the cell is notified, and at once if it has another value. */
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

  /** When the signal fires, Node goes on waiting for the cell: notify it, if it is a cell of this call alone. */
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
    // It may have fired before it was listened to.
    if (signal.aborted) abort()
    void promise.then((value) => {
      offAbort(signal, abort)
      resolve(value)
    })
  })
}
