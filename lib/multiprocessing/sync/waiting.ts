/** How a call waits until a cell of shared memory changes: without holding the thread, or holding it; never by polling. */
import { isMainThread } from 'node:worker_threads'
import { rangeError, received, typeError } from '../../errors.js'
import { SyncError } from '../errors.js'
import type { Memory } from '../../shared/memory.js'

type Woken = 'ok' | 'not-equal' | 'timed-out'
type WaitAsync = (
  memory: Memory,
  cell: number,
  value: number,
  timeout: number,
) => { readonly async: boolean; readonly value: Promise<Woken> | Woken }
// In every supported Node, but not in the ES2023 library.
export const waitAsync: WaitAsync = (Atomics as typeof Atomics & { readonly waitAsync: WaitAsync }).waitAsync

/** The longest interval of a timer: it is there to be alive, not to fire. */
const MAX_INTERVAL_MS = 2 ** 30
let calls = 0
let alive: NodeJS.Timeout | undefined

/** Whether the cell was notified, or had another value from the start; `false` when the time was over. Keeps the program alive. */
export async function wait(memory: Memory, cell: number, value: number, timeout: number): Promise<boolean> {
  const woken = waitAsync(memory, cell, value, timeout)
  if (!woken.async) return woken.value !== 'timed-out'
  keepAlive()
  try {
    return (await woken.value) !== 'timed-out'
  } finally {
    letEnd()
  }
}

/** A call waits: the program does not end before `letEnd()`. */
export function keepAlive(): void {
  if (calls++ === 0) alive = setInterval(() => {}, MAX_INTERVAL_MS)
}

export function letEnd(): void {
  if (--calls === 0) clearInterval(alive)
}

/** The same, holding the thread. */
export function waitSync(memory: Memory, cell: number, value: number, timeout: number): boolean {
  return Atomics.wait(memory, cell, value, timeout) !== 'timed-out'
}

/** Throws unless `run` can be called. */
export function checkFunction(run: unknown): void {
  if (typeof run === 'function') return
  throw typeError('ERR_INVALID_OPTION', `Cannot call withLock() as it takes a function: received ${received(run)}`)
}

/** Throws unless `value` is an integer of at least `min`, and at most `max`. */
export function checkInteger(action: string, name: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  const error = typeof value === 'number' ? rangeError : typeError
  throw error(
    'ERR_INVALID_OPTION',
    `Cannot ${action} as '${name}' must be an integer from ${min} to ${max}: received ${received(value)}`,
  )
}

/** Throws on the main thread. `instead` is the form that waits there. */
export function checkMayBlock(action: string, instead: string): void {
  if (!isMainThread) return
  throw new SyncError(
    `Cannot ${action} on the main thread as that would stop its event loop: await ${instead} instead`,
    'ERR_MAIN_THREAD_WAIT',
  )
}

/** Of a call that gives nothing when time is over. */
export function timeoutError(action: string): SyncError {
  return new SyncError(`Cannot ${action} as its timeout has passed: give a longer 'timeout'`, 'ERR_WAIT_TIMEOUT')
}
