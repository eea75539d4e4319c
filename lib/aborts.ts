/** Listening to a signal, for many calls or streams at once: one listener for all, as Node warns of more than ten. Each leaves at the same cost. */

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

/** Takes it back. With the last one the listener goes. Harmless when repeated. */
export function offAbort(signal: AbortSignal, call: () => void): void {
  const known = heard.get(signal)
  if (known?.calls.delete(call) !== true || known.calls.size > 0) return
  heard.delete(signal)
  signal.removeEventListener('abort', known.listener)
}
