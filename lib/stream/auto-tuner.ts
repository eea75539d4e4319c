/**
 * The tuner of `chunksize: 'auto'`: aims at chunks of a few milliseconds and at most 256 KiB of objects. It does not read a clock: workers measure
 * the times.
 *
 * After a full chunk it at most doubles. It shrinks at once, because a chunk that is too long cannot be taken back. A pause or a single
 * expensive item may shrink it without need. Then a few doublings lead back, and their round trips cost little.
 */
import type { Grain } from '../executor/executor.js'
import { Rate, type Measure, type Tuner, type Tuning } from './tuner.js'

/**
 * A chunk should take about this long. A round trip costs a hundredth of it. With items of 20 µs, all chunks from 2 to 16 ms were equally
 * fast. Shorter ones spread the end of an input better.
 */
const TARGET_MS = 4
/** A chunk of the tail should take at least this share of that time, to be worth its round trip. */
const TAIL_SHARE = 1 / 8
/** From this share of a target on, the measure of a chunk that is not full counts fully. */
const TELLING = 1 / 4

const MIB = 2 ** 20
/**
 * The most bytes of a chunk that become objects: its items or its results. Objects live until they are sent, and garbage collection copies
 * them meanwhile: larger chunks made a log slower.
 */
const MAX_COPIED_BYTES = MIB / 4
/** The most bytes of a chunk with those that travel by reference, such as lines: each chunk costs a message and its answer. */
const MAX_BYTES = MIB
/** The most bytes of all chunks that are encoded, under way or running at a time, about four per worker. */
const MAX_BYTES_IN_FLIGHT = 64 * MIB
/**
 * The most items of a chunk. More do not make it faster. From 16,384 elements on, an array is a large object of V8, which is expensive to
 * make and is not moved.
 */
const MAX_ITEMS = 8_192

export interface AutoTunerOptions {
  /** How many chunks run at once. Asked for each chunk: it may change. */
  readonly workers: number
  /** Targets other than those of threads. Asked for each chunk, too. */
  readonly grain?: Grain | undefined
  /** The first chunksize, and the smallest one that long items lead to. More than 1 if a worker runs items at once. */
  readonly min: number
  /** The option `window`. */
  readonly window?: number | undefined
}

export class AutoTuner implements Tuner {
  readonly #options: AutoTunerOptions
  readonly #time = new Rate()
  readonly #bytes = new Rate()
  readonly #copied = new Rate()
  #chunksize: number
  #reason: Tuning['reason'] = 'start'
  /** The size of the last chunk, if the tail has made it smaller. */
  #tail: number | undefined

  constructor(options: AutoTunerOptions) {
    this.#options = options
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
    const worthIt = Math.ceil((TAIL_SHARE * this.#targetTime) / (this.#time.perItem ?? Infinity))
    const tail = Math.max(this.#shareOf(remaining ?? Infinity), worthIt)
    this.#tail = tail < this.#chunksize ? tail : undefined
    return this.#tail ?? this.#chunksize
  }

  record({ items, time, bytes, copied = bytes }: Measure): void {
    const full = items >= this.#chunksize
    const telling = (amount: number | undefined, target: number): number =>
      full || (amount ?? 0) >= target * TELLING ? 1 : items / this.#chunksize
    const timed = this.#time.learn(time, items, telling(time, this.#targetTime))
    this.#bytes.learn(bytes, items, telling(bytes, this.#maxBytes))
    this.#copied.learn(copied, items, telling(copied, this.#maxCopied))
    // It does not grow after partly filled chunks of a slow source, or chunks from before the last growth.
    this.#choose(full && timed ? this.#chunksize * 2 : this.#chunksize)
  }

  /** The share of each worker in the window. */
  get #share(): number {
    const { window = Infinity, workers } = this.#options
    return Math.max(1, Math.floor(window / (2 * workers)))
  }

  get #min(): number {
    return Math.min(this.#options.min, this.#share, MAX_ITEMS)
  }

  get #targetTime(): number {
    return this.#options.grain?.time ?? TARGET_MS
  }

  get #maxInFlight(): number {
    const { grain, workers } = this.#options
    return (grain?.windowBytes ?? MAX_BYTES_IN_FLIGHT) / (4 * workers)
  }

  get #maxBytes(): number {
    return Math.min(this.#options.grain?.bytes ?? MAX_BYTES, this.#maxInFlight)
  }

  get #maxCopied(): number {
    return Math.min(this.#options.grain?.bytes ?? MAX_COPIED_BYTES, this.#maxInFlight)
  }

  #choose(wanted: number): void {
    this.#chunksize = wanted
    this.#reason = 'growing'
    const share = this.#share
    this.#limit(Math.min(share, MAX_ITEMS), share < MAX_ITEMS ? 'window' : 'items')
    this.#limit(Math.max(this.#min, fitting(this.#targetTime, this.#time)), 'time')
    const most = Math.min(fitting(this.#maxBytes, this.#bytes), fitting(this.#maxCopied, this.#copied))
    this.#limit(Math.max(1, most), 'bytes')
  }

  #limit(limit: number, reason: Tuning['reason']): void {
    if (limit > this.#chunksize) return
    this.#chunksize = limit
    this.#reason = reason
  }

  /**
   * Guided self-scheduling: each chunk takes a part of what remains, so that chunks get smaller towards the end and workers finish
   * together (C. D. Polychronopoulos and D. J. Kuck, IEEE Transactions on Computers C-36 (12), 1987). It takes half of a worker's share,
   * because a worker holds two chunks. If a worker runs items at once, it takes all of it: items of the second chunk would wait.
   */
  #shareOf(remaining: number): number {
    const chunks = this.#min > 1 ? 1 : 2
    return remaining >= 1 ? Math.ceil(remaining / (chunks * this.#options.workers)) : 1
  }
}

/** How many items stay within a target. */
function fitting(target: number, { perItem = 0 }: Rate): number {
  return Math.floor(target / perItem)
}
