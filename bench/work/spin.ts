/** Work that only takes time of a processor. It is a number of steps, not of microseconds, so that all do the same. */

/** A few steps of Marsaglia's xorshift. */
export function spin(steps: number): number {
  // It becomes an integer of 32 bits at once: if the optimizer sees a larger number first, it computes in floating
  // point.
  let x = 2_463_534_242 | 0
  for (let i = 0; i < steps; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
  }
  return x >>> 0
}

/** The items of a case: numbers of steps. They differ a little, so that each result shows its item. */
export function* spins(steps: number, items: number): Generator<number> {
  for (let i = 0; i < items; i++) yield steps + (i % 64)
}

/** Adds one more result. The order counts. */
export function digest(digested: number, result: number): number {
  return (Math.imul(digested, 31) + result) >>> 0
}

/** The number of steps that take this many microseconds on this thread, in the best of many tries. */
export function calibrate(microseconds: number): number {
  const steps = 10_000
  let best = Infinity
  for (let i = 0; i < 2_000; i++) {
    const start = performance.now()
    spin(steps + (i % 2))
    best = Math.min(best, performance.now() - start)
  }
  return Math.round((steps * microseconds) / (best * 1_000))
}
