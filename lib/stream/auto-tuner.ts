/**
 * The tuner of `chunksize: 'auto'`: aims at chunks of a few milliseconds and at most 256 KiB. It reads no clock: times are those
 * that workers measured.
 *
 * It at most doubles, from a full chunk that it knows; and shrinks at once, since a chunk that is too long cannot be
 * taken back. If it has shrunk for nothing (a pause, a single expensive item), the way back is a few doublings, whose
 * round trips together cost far less than what has happened.
 */
import { Rate, type Measure, type Tuner, type Tuning } from './tuner.js'

/**
 * A chunk should take about this long, in milliseconds. A round trip costs a hundredth of it, and longer chunks gain nothing
 * more that could be measured: with 20 µs items, all from 2 to 16 ms were equally fast. Shorter ones spread an input's end better.
 */
const TARGET = 4
/** The least a chunk of the tail should take, in milliseconds, if it is to be worth its round trip. */
const TAIL_TARGET = 0.5
/** A measure of a chunk that is not full is believed from this share of a target on. */
const TELLING = 1 / 4

const MIB = 2 ** 20
/**
 * The most bytes of a chunk. What a chunk makes is alive until it is sent, and garbage collection copies it meanwhile: larger
 * chunks made a log slower.
 */
const MAX_BYTES = MIB / 4
/** The most bytes of all chunks that are encoded, under way or running at a time, some four per worker. */
const MAX_BYTES_IN_FLIGHT = 64 * MIB
/**
 * The most items of a chunk. More gain nothing, and cost: from 16,384 elements on, V8 puts an array among its large
 * objects, which are expensive to make and are not moved.
 */
const MAX_ITEMS = 8_192

/** What an automatic chunksize must suit. */
export interface AutoTunerOptions {
  /** How many chunks run at once. */
  readonly workers: number
  /** Where to start, and the fewest items that a lack of time makes of a chunk; more than 1 if a worker runs items at once. */
  readonly min: number
  /** The most items between source and consumer, if that was given. */
  readonly window?: number | undefined
}

export class AutoTuner implements Tuner {
  readonly #workers: number
  readonly #min: number
  readonly #max: number
  readonly #maxReason: 'items' | 'window'
  readonly #maxBytes: number
  readonly #time = new Rate()
  readonly #bytes = new Rate()
  #chunksize: number
  #reason: Tuning['reason'] = 'start'
  /** The size of the chunk asked for last, if the tail has made it smaller. */
  #tail: number | undefined

  constructor({ workers, min, window = Infinity }: AutoTunerOptions) {
    const share = Math.max(1, Math.floor(window / (2 * workers)))
    this.#workers = workers
    this.#max = Math.min(share, MAX_ITEMS)
    this.#maxReason = share < MAX_ITEMS ? 'window' : 'items'
    this.#min = Math.min(min, this.#max)
    this.#maxBytes = Math.min(MAX_BYTES, MAX_BYTES_IN_FLIGHT / (4 * workers))
    this.#chunksize = this.#min
  }

  get tuning(): Tuning {
    return {
      chunksize: this.#tail ?? this.#chunksize,
      reason: this.#tail === undefined ? this.#reason : 'tail',
      timePerItem: this.#time.perItem,
      bytesPerItem: this.#bytes.perItem,
    }
  }

  next(remaining?: number): number {
    const worthIt = Math.ceil(TAIL_TARGET / (this.#time.perItem ?? Infinity))
    const tail = Math.max(this.#shareOf(remaining ?? Infinity), worthIt)
    this.#tail = tail < this.#chunksize ? tail : undefined
    return this.#tail ?? this.#chunksize
  }

  record({ items, time, bytes }: Measure): void {
    const full = items >= this.#chunksize
    const telling = (amount: number | undefined, target: number): number =>
      full || (amount ?? 0) >= target * TELLING ? 1 : items / this.#chunksize
    const timed = this.#time.learn(time, items, telling(time, TARGET))
    this.#bytes.learn(bytes, items, telling(bytes, this.#maxBytes))
    // Partly filled chunks, of a slow source, and those sent before the last growth say too little to grow by.
    this.#choose(full && timed ? this.#chunksize * 2 : this.#chunksize)
  }

  #choose(most: number): void {
    this.#chunksize = most
    this.#reason = 'growing'
    this.#limit(this.#max, this.#maxReason)
    this.#limit(Math.max(this.#min, fitting(TARGET, this.#time)), 'time')
    this.#limit(Math.max(1, fitting(this.#maxBytes, this.#bytes)), 'bytes')
  }

  #limit(limit: number, reason: Tuning['reason']): void {
    if (limit > this.#chunksize) return
    this.#chunksize = limit
    this.#reason = reason
  }

  /**
   * Guided self-scheduling: each chunk takes a part of what remains, so that chunks get smaller towards the end and workers
   * finish together (C. D. Polychronopoulos and D. J. Kuck, IEEE Transactions on Computers C-36 (12), 1987). Half of their
   * share, since a worker holds two chunks; all of it where a worker runs items at once, as those of the second would wait.
   */
  #shareOf(remaining: number): number {
    const chunks = this.#min > 1 ? 1 : 2
    return remaining >= 1 ? Math.ceil(remaining / (chunks * this.#workers)) : 1
  }
}

/** How many items stay within a target. */
function fitting(target: number, { perItem = 0 }: Rate): number {
  return Math.floor(target / perItem)
}
