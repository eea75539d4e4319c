/** How fast an amount has grown of late: over the last seconds, so that bursts do not show. */

/** How far back it looks, and the least time between two samples, in milliseconds. */
const SPAN_MS = 10_000
const MIN_INTERVAL_MS = 250

interface Sample {
  readonly time: number
  readonly amount: number
}

export class Pace {
  /** The oldest first: at most `SPAN_MS / MIN_INTERVAL_MS` and two more. */
  readonly #samples: Sample[] = []

  /** @param begun When the amount was zero. */
  note(time: number, amount: number, begun: number): void {
    const samples = this.#samples
    if (samples.length === 0 && begun < time) samples.push({ time: begun, amount: 0 })
    const before = samples.at(-2)
    // The last sample is replaced until it is far enough from the one before it.
    if (before !== undefined && time - before.time < MIN_INTERVAL_MS) samples.pop()
    samples.push({ time, amount })
    while (samples.length > 2 && time - (samples[1]?.time ?? time) >= SPAN_MS) samples.shift()
  }

  /** Amount per second; undefined while nothing has been measured. */
  get perSecond(): number | undefined {
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.time <= first.time) return undefined
    return ((last.amount - first.amount) * 1000) / (last.time - first.time)
  }
}
