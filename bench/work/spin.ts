/** Work that is nothing but time of a processor: so many steps, not so many microseconds, so that all do the same. */

/** A few steps of Marsaglia's xorshift. */
export function spin(steps: number): number {
  // Made an integer of 32 bits at once: where the optimizer sees a larger number first, it computes in floating point.
  let x = 2_463_534_242 | 0
  for (let i = 0; i < steps; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
  }
  return x >>> 0
}

/** The items of a case: numbers of steps, which differ a little, so that each result shows which item it is of. */
export function* spins(steps: number, items: number): Generator<number> {
  for (let i = 0; i < items; i++) yield steps + (i % 64)
}

/** Takes in one more result; the order counts. */
export function digest(digested: number, result: number): number {
  return (Math.imul(digested, 31) + result) >>> 0
}

/** How many steps take so many microseconds on this thread, in the best of many tries. */
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
