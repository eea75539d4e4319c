/**
 * Listens to a signal for many calls or streams at once. One listener serves all of them, because Node warns about more
 * than ten. Each call or stream can leave at constant cost.
 */

interface Heard {
  readonly calls: Set<() => void>
  readonly listener: () => void
}

const heard = new WeakMap<AbortSignal, Heard>()

/** Calls `call` once when the signal fires. If it has fired already, it is not called: look at `aborted` after this. */
export function onAbort(signal: AbortSignal, call: () => void): void {
  let known = heard.get(signal)
  if (known === undefined) {
    const calls = new Set<() => void>()
    const listener = (): void => {
      for (const each of [...calls]) each()
    }
    known = { calls, listener }
    heard.set(signal, known)
    signal.addEventListener('abort', listener)
  }
  known.calls.add(call)
}

/** Removes a call that was added. The last one also removes the listener. Repeating it does no harm. */
export function offAbort(signal: AbortSignal, call: () => void): void {
  const known = heard.get(signal)
  if (known?.calls.delete(call) !== true || known.calls.size > 0) return
  heard.delete(signal)
  signal.removeEventListener('abort', known.listener)
}
