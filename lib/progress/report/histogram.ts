/** How many items took how long, in buckets whose bounds grow by the same factor: three of them double the time. */
import type { Bucket } from './run-report.js'

const BUCKETS_PER_DOUBLING = 3
/** The upper bound of the first bucket, in milliseconds, and how many there are: up to half an hour. */
const FIRST_BOUND_MS = 0.001
const BUCKETS = 93

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0

  /** @param time Of each, in milliseconds. */
  add(time: number, items: number): void {
    const exact = Math.ceil(Math.log2(Math.max(time, FIRST_BOUND_MS) / FIRST_BOUND_MS) * BUCKETS_PER_DOUBLING)
    const bucket = Math.min(BUCKETS - 1, exact)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + items
    this.#total += items
  }

  /** From the first bucket that is not empty to the last one. */
  get buckets(): Bucket[] {
    const first = this.#counts.findIndex((items) => items > 0)
    const last = this.#counts.findLastIndex((items) => items > 0)
    if (first === -1) return []
    return Array.from(this.#counts.subarray(first, last + 1), (items, i) => ({ below: boundOf(first + i), items }))
  }

  /** The time that this share of the items did not exceed, in milliseconds: the bound of its bucket. */
  quantile(share: number): number {
    let seen = 0
    for (const [bucket, items] of this.#counts.entries()) {
      seen += items
      if (items > 0 && seen >= share * this.#total) return boundOf(bucket)
    }
    return 0
  }
}

function boundOf(bucket: number): number {
  return Number((FIRST_BOUND_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING)).toPrecision(3))
}
