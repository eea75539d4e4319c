/**
 * A stream without its threads, in simulated time. It has a source, an ordered consumer, and workers, each with one
 * chunk that runs and one that waits. It shows the sizes that a tuner chooses for items with known costs. Every run is
 * the same.
 */
import type { Tuner, Tuning } from '#dist/stream/tuner.js'

/**
 * The cost of a chunk besides its items, in milliseconds: the part that its worker measures, and the part that it does
 * not.
 */
const MEASURED_COST = 0.015
const HIDDEN_COST = 0.035

/** Times are milliseconds. */
export interface Scenario {
  readonly tuner: Tuner
  readonly workers: number
  /** Compute time of each item. */
  readonly costs: ArrayLike<number>
  /** Bytes of an item's result. */
  readonly bytes?: (index: number) => number
  /**
   * The most items between source and consumer, from the tuner and the window up to now. The consumer takes results in
   * order, as soon as they are done.
   */
  readonly window?: (tuning: Tuning, before: number | undefined) => number
  /** When the source has an item ready. Without it: always. */
  readonly arrival?: (index: number) => number
  /** Whether the tuner gets the number of items that are left. */
  readonly lengthKnown?: boolean
  /** The real time of the items of a chunk. */
  readonly disturb?: (compute: number) => number
}

export interface SimulatedChunk {
  readonly first: number
  readonly items: number
  readonly submitted: number
  readonly finished: number
  /** The compute time with all disturbances. */
  readonly compute: number
  /** The size that the tuner chose. */
  readonly tuning: Tuning
}

export interface Simulated {
  /** In the order of their items. */
  readonly chunks: readonly SimulatedChunk[]
  readonly makespan: number
  /** The share of time in which workers computed. */
  readonly efficiency: number
}

export function simulate(scenario: Scenario): Simulated {
  const simulation = new Simulation(scenario)
  while (simulation.step());
  const { chunks, now: makespan } = simulation
  const compute = chunks.reduce((sum, chunk) => sum + chunk.compute, 0)
  return { chunks, makespan, efficiency: compute / (scenario.workers * makespan) }
}

class SimulatedWorker {
  readonly chunks: SimulatedChunk[] = []
  freeAt = 0
}

class Simulation {
  readonly chunks: SimulatedChunk[] = []
  now = 0
  readonly #scenario: Scenario
  readonly #workers: readonly SimulatedWorker[]
  readonly #done = new Set<SimulatedChunk>()
  /** The numbers of items that have come, were read, and were delivered; and the number of delivered chunks. */
  #arrived = 0
  #read = 0
  #delivered = 0
  #chunksDelivered = 0
  #window: number

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#window = this.#windowFor(undefined)
    this.#workers = Array.from({ length: scenario.workers }, () => new SimulatedWorker())
  }

  /** Submits all possible chunks, and continues to the next event. False if there is none. */
  step(): boolean {
    while (this.#submit());
    const busy = this.#workers.filter(({ chunks }) => chunks.length > 0)
    const next = busy.sort((a, b) => finishOf(a) - finishOf(b))[0]
    const arrival = this.#nextArrival()
    if (next !== undefined && finishOf(next) <= arrival) this.#finish(next)
    else if (arrival < Infinity) this.now = arrival
    else return false
    return true
  }

  /** Submits a chunk if it is full, or if a worker is idle and the source has no item ready. */
  #submit(): boolean {
    const { costs, arrival = () => 0, lengthKnown = false, tuner } = this.#scenario
    const worker = this.#workers.find(({ chunks }) => chunks.length === 0) ?? this.#workers.find(hasRoom)
    while (this.#arrived < costs.length && arrival(this.#arrived) <= this.now) this.#arrived++
    const ready = Math.min(this.#arrived - this.#read, this.#window - (this.#read - this.#delivered))
    if (worker === undefined || ready <= 0) return false
    const size = tuner.next(lengthKnown ? costs.length - this.#read : undefined)
    const mayFill = ready < size && this.#read + ready < costs.length
    if (mayFill && worker.chunks.length > 0) return false
    this.#give(worker, Math.min(ready, size))
    return true
  }

  #give(worker: SimulatedWorker, items: number): void {
    const { costs, disturb = (time: number) => time, tuner } = this.#scenario
    const first = this.#read
    this.#read += items
    let compute = 0
    for (let index = first; index < this.#read; index++) compute += costs[index] ?? 0
    compute = disturb(compute)
    worker.freeAt = Math.max(this.now, worker.freeAt) + HIDDEN_COST + MEASURED_COST + compute
    const chunk = { first, items, submitted: this.now, finished: worker.freeAt, compute, tuning: tuner.tuning }
    worker.chunks.push(chunk)
    this.chunks.push(chunk)
  }

  #finish(worker: SimulatedWorker): void {
    const chunk = worker.chunks.shift()
    if (chunk === undefined) return
    this.now = chunk.finished
    this.#done.add(chunk)
    this.#deliver()
    const { tuner, bytes } = this.#scenario
    const time = MEASURED_COST + chunk.compute
    tuner.record({ items: chunk.items, time, bytes: bytes && total(bytes, chunk) })
    this.#window = this.#windowFor(this.#window)
  }

  #windowFor(before: number | undefined): number {
    const { tuner, window = () => Infinity } = this.#scenario
    return window(tuner.tuning, before)
  }

  #deliver(): void {
    for (;;) {
      const head = this.chunks[this.#chunksDelivered]
      if (head === undefined || !this.#done.delete(head)) return
      this.#chunksDelivered++
      this.#delivered += head.items
    }
  }

  /** The time of the next item for which an idle worker waits. A chunk need not finish before it. */
  #nextArrival(): number {
    const { costs, arrival } = this.#scenario
    const idle = this.#workers.some(({ chunks }) => chunks.length === 0)
    return arrival !== undefined && idle && this.#arrived < costs.length ? arrival(this.#arrived) : Infinity
  }
}

function hasRoom({ chunks }: SimulatedWorker): boolean {
  return chunks.length < 2
}

function finishOf({ chunks }: SimulatedWorker): number {
  return chunks[0]?.finished ?? Infinity
}

function total(of: (index: number) => number, { first, items }: SimulatedChunk): number {
  let sum = 0
  for (let index = first; index < first + items; index++) sum += of(index)
  return sum
}

/** Numbers from 0 up to 1, the same for the same seed: the generator of "Numerical Recipes" (Press et al.), 32 bits. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
