/** Time, as the protocol sees it. Tests pass another one, in which hours take milliseconds. */
export interface Clock {
  /** In milliseconds, from any beginning. */
  now(): number
  /** Calls a function once, after this many milliseconds. @returns Cancels it. */
  after(ms: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, call) => {
    // The connection keeps the program alive, and ends with it.
    const timer = setTimeout(call, ms).unref()
    return () => {
      clearTimeout(timer)
    }
  },
}

/** Calls a function again and again. @returns Ends that. */
export function every(clock: Clock, ms: number, call: () => void): () => void {
  let cancel = clock.after(ms, again)
  function again(): void {
    cancel = clock.after(ms, again)
    call()
  }
  return () => {
    cancel()
  }
}

/** Resolves after a time. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
  })
}
