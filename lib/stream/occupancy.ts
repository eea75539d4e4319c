/**
 * Measures what a stream waits for: the time that workers compute, that the source takes to give items, and that the
 * consumer takes between results. The side with the largest share of the time holds the stream back. The clock is read
 * when a side begins or ends to be busy, at most once for each advance of the engine.
 */
import type { Part } from '../executor/executor.js'
import { ChunkTimes } from './chunk-times.js'

/** What holds a stream back. */
export type Limit = 'source' | 'workers' | 'consumer'

/** Shares of the time since the start of a stream, each from 0 to 1. Several sides can be busy at once. */
export interface Shares {
  readonly source: number
  readonly workers: number
  readonly consumer: number
}

/** `'here'`: its code runs on this thread. `'pending'`: it is awaited. */
type Reading = 'none' | 'here' | 'pending'

const NOTHING: Shares = { source: 0, workers: 0, consumer: 0 }

export class Occupancy {
  /** How many workers the stream may use. */
  workers: number
  readonly #clock: () => number
  /** The time of the present advance, once it has been read. */
  #now: number | undefined
  #started: number | undefined
  #ended: number | undefined
  /** When the time was last added to the sums below. */
  #since = 0
  #reading: Reading = 'none'
  /** Whether the consumer waits for a result. */
  #isAwaited = true
  /** Sums, in milliseconds. In `#rest` there is nothing to wait for but the workers. */
  #source = 0
  #consumer = 0
  #rest = 0
  /** Compute time of all workers together. */
  #computed = 0
  readonly #times = new ChunkTimes()

  /** @param workers How many the stream may use. @param now A clock in milliseconds, for tests. */
  constructor(workers: number, now: () => number = () => performance.now()) {
    this.workers = workers
    this.#clock = now
  }

  /** The time, which is read once for each advance. */
  get now(): number {
    this.#now ??= this.#clock()
    return this.#now
  }

  /** An advance of the engine has ended: from now on the time is another one. */
  endAdvance(): void {
    this.#now = undefined
  }

  start(): void {
    this.#started = this.now
    this.#since = this.#started
  }

  end(): void {
    if (this.#started === undefined || this.#ended !== undefined) return
    this.#ended = this.#clock()
    this.#charge(this.#ended)
    this.#times.clear()
  }

  /** The consumer waits for a result, or no longer. */
  noteAwaited(isAwaited: boolean): void {
    if (this.#isAwaited === isAwaited) return
    this.#charge(this.now)
    this.#isAwaited = isAwaited
  }

  /** The source is asked for items. */
  beginReading(): void {
    if (this.#reading === 'here') return
    this.#charge(this.now)
    this.#reading = 'here'
  }

  /** The source has given items. @param now The time, which the caller has read. */
  noteTime(now: number): void {
    this.#now = now
  }

  /** The source is not asked again. @param isPending Whether it has given a promise. */
  endReading(isPending: boolean): void {
    const reading = isPending ? 'pending' : 'none'
    if (this.#reading === reading) return
    this.#charge(this.now)
    this.#reading = reading
  }

  /** Outcomes have arrived. */
  add(part: Part): void {
    this.#computed += this.#times.timeOf(part)
  }

  /** Milliseconds since the start; undefined before it. */
  get elapsed(): number | undefined {
    return this.#started === undefined ? undefined : (this.#ended ?? this.#clock()) - this.#started
  }

  /** Compute time of all workers together, in milliseconds. */
  get computed(): number {
    return this.#computed
  }

  /** The share of the time of its workers that they have computed for the stream, from 0 to 1. */
  get busy(): number {
    const { elapsed = 0 } = this
    return shareOf(this.#computed, elapsed * this.workers)
  }

  /** The shares of the time that each side was busy. */
  get shares(): Shares {
    if (this.#started === undefined) return NOTHING
    if (this.#ended === undefined) this.#charge(this.#clock())
    const { elapsed = 0 } = this
    return {
      source: shareOf(this.#source, elapsed),
      // A pool has other streams, too: a worker that serves one of them is not busy for this one, but it is waited for.
      workers: Math.max(this.busy, shareOf(this.#rest, elapsed)),
      consumer: shareOf(this.#consumer, elapsed),
    }
  }

  /** The side with the largest share; undefined before the start. */
  get limit(): Limit | undefined {
    if (this.#started === undefined) return undefined
    const { source, workers, consumer } = this.shares
    if (workers >= source && workers >= consumer) return 'workers'
    return source >= consumer ? 'source' : 'consumer'
  }

  /** Adds the time since the last change. */
  #charge(now: number): void {
    const time = Math.max(0, now - this.#since)
    this.#since += time
    // While the source computes on this thread, the consumer cannot.
    if (this.#reading !== 'none') this.#source += time
    if (!this.#isAwaited && this.#reading !== 'here') this.#consumer += time
    if (this.#isAwaited && this.#reading === 'none') this.#rest += time
  }
}

function shareOf(part: number, total: number): number {
  return total > 0 ? Math.min(1, part / total) : 0
}
