/**
 * Figures over time in bounded memory. When it is full, each two neighbours become one, and samples are taken half as
 * often. So a second and a night have about the same number of them.
 */
import type { Samples } from './run-report.js'

/** The most samples; an even number. */
const MAX_SAMPLES = 600

/** What was counted by a moment, since the start, and what was seen since the moment before. */
export interface Sample {
  /** Milliseconds since the start. */
  readonly time: number
  readonly items: number
  readonly bytes: number | undefined
  readonly failed: number
  /** Compute time of all workers together, in milliseconds. */
  readonly computed: number
  readonly memory: number
  readonly heap: number
  /** Items whose results came since the moment before, their time together, and the longest; and how many chunks. */
  readonly arrived: number
  readonly arrivedTime: number
  readonly slowest: number
  readonly chunks: number
}

const START: Sample = {
  time: 0,
  items: 0,
  bytes: 0,
  failed: 0,
  computed: 0,
  memory: 0,
  heap: 0,
  arrived: 0,
  arrivedTime: 0,
  slowest: 0,
  chunks: 0,
}

export class Timeline {
  #samples: Sample[] = []
  #interval: number
  #peakMemory = 0

  /** @param interval Milliseconds between the first samples. */
  constructor(interval: number) {
    this.#interval = interval
  }

  /** Milliseconds from one sample to the next. */
  get interval(): number {
    return this.#interval
  }

  get peakMemory(): number {
    return this.#peakMemory
  }

  /** @returns Whether the interval has changed. */
  add(sample: Sample): boolean {
    this.#peakMemory = Math.max(this.#peakMemory, sample.memory)
    const last = this.#samples.at(-1)
    // The rates of a very short time would be noise.
    if (last !== undefined && this.#samples.length > 1 && sample.time - last.time < this.#interval / 2) {
      this.#samples[this.#samples.length - 1] = joined(last, sample)
      return false
    }
    this.#samples.push(sample)
    if (this.#samples.length < MAX_SAMPLES) return false
    this.#interval *= 2
    this.#samples = this.#samples.flatMap((later, i, all) => {
      const earlier = all[i - 1]
      return i % 2 === 1 && earlier !== undefined ? [joined(earlier, later)] : []
    })
    return true
  }

  /** @param workers How many there are, for their load. */
  columns(workers: number): Samples {
    const all = this.#samples
    const of = <T>(column: (sample: Sample, before: Sample, seconds: number) => T): T[] =>
      all.map((sample, i) => {
        const before = all[i - 1] ?? START
        return column(sample, before, Math.max(0.001, (sample.time - before.time) / 1000))
      })
    return {
      time: of(({ time }) => rounded(time / 1000)),
      itemsPerSecond: of(({ items }, before, seconds) => rounded((items - before.items) / seconds)),
      bytesPerSecond: of(({ bytes }, before, seconds) =>
        bytes === undefined ? null : Math.round((bytes - (before.bytes ?? 0)) / seconds),
      ),
      busy: of(({ computed }, before, seconds) =>
        rounded(Math.max(0, Math.min(1, (computed - before.computed) / (seconds * 1000 * Math.max(1, workers))))),
      ),
      itemTime: of(({ arrived, arrivedTime }) => (arrived === 0 ? null : rounded(arrivedTime / arrived))),
      slowestItemTime: of(({ arrived, slowest }) => (arrived === 0 ? null : rounded(slowest))),
      itemsPerChunk: of(({ arrived, chunks }) => (chunks === 0 ? null : rounded(arrived / chunks))),
      failed: of(({ failed }) => failed),
      memory: of(({ memory }) => memory),
      heap: of(({ heap }) => heap),
    }
  }
}

/** Two samples as one: what was counted by the later one, and all that was seen in both. */
function joined(earlier: Sample, later: Sample): Sample {
  return {
    ...later,
    memory: Math.max(earlier.memory, later.memory),
    heap: Math.max(earlier.heap, later.heap),
    arrived: earlier.arrived + later.arrived,
    arrivedTime: earlier.arrivedTime + later.arrivedTime,
    slowest: Math.max(earlier.slowest, later.slowest),
    chunks: earlier.chunks + later.chunks,
  }
}

/** Four digits are enough for a chart, and keep the file small. */
function rounded(n: number): number {
  return Number(n.toPrecision(4))
}
