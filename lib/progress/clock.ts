/** The time, and timers that do not keep the program alive. Tests have another clock. */
export interface Clock {
  /** Milliseconds since some time in the past. */
  now(): number
  /** Calls `tick` again and again. @returns Stops that. */
  every(milliseconds: number, tick: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every: (milliseconds, tick) => {
    const timer = setInterval(tick, milliseconds).unref()
    return () => {
      clearInterval(timer)
    }
  },
}
