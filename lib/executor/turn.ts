/**
 * A chunk on its way through the threads of a pool, and what is known of its items. When its worker dies, all but the one
 * that is to blame go to another: this tells who that is, and what is left to do.
 */
import { sealError } from '../codec/envelope.js'
import { Items } from '../codec/batch.js'
import type { Progress, Slot } from '../worker/cells.js'
import type { ChunkDetails } from '../worker/protocol.js'
import type { Chunk, Part } from './executor.js'
import type { ThreadLane } from './lane.js'
import type { Sent } from './link.js'

export class Turn {
  readonly lane: ThreadLane
  readonly chunk: Chunk
  /** Later chunks of an executor have higher ones. */
  readonly number: number
  /** How many of its items have had their outcomes, and, when those came out of order, which. */
  received = 0
  places: Set<number> | undefined
  /** The bytes of its results so far. */
  bytes = 0
  /** Items that are not to be run (again), as those that have cost a worker, by their place, with the errors that are their outcomes. */
  readonly culprits: Map<number, unknown>
  /** How many workers in a row have ended with it that no item is to blame for, and that have reported nothing of it. */
  fruitless = 0
  /** Its items are to run one by one, each outcome posted by itself, so that it can be told who is to blame. */
  #alone = false

  constructor(lane: ThreadLane, chunk: Chunk, number: number) {
    this.lane = lane
    this.chunk = chunk
    this.number = number
    this.culprits = new Map(chunk.failed)
  }

  /** Whether all items have had their outcomes. */
  get isComplete(): boolean {
    return this.received === this.chunk.items.length
  }

  /** What a worker must be told so that it does what is left; undefined when that is everything. */
  details(): ChunkDetails | undefined {
    if (this.received === 0 && this.culprits.size === 0 && !this.#alone) return undefined
    const done = [...(this.places ?? [])].map((place) => [place, undefined] as const)
    const failed = [...this.culprits].map(([place, error]) => [place, sealError(error)] as const)
    const start = this.places === undefined ? this.received : 0
    return { start, settled: [...done, ...failed], alone: this.#alone }
  }

  /**
   * Which item is to blame for the end of the worker that ran this chunk. `'none'`: none ran. `'all'`: their task did not
   * load. `'unclear'`: several ran, and will run one by one from now on.
   *
   * @param isHung Whether the end was that of an item which takes too long.
   */
  blame({ place, begun, asleep }: Progress, isHung: boolean): number | 'none' | 'all' | 'unclear' {
    const { concurrency, kind } = this.lane.job
    if (concurrency === 1 || kind === 'reduce') {
      if (place === -1) return 'all'
      return this.#isOpen(place) ? place : 'none'
    }
    if (begun === 0) return 'all'
    const suspects: number[] = []
    for (let suspect = 0; suspect < begun; suspect++) if (this.#isOpen(suspect)) suspects.push(suspect)
    const [first, second] = suspects
    if (first === undefined || second === undefined) return first ?? 'none'
    // The one that began first has had its time, unless another one kept the event loop from its turn.
    if (isHung && asleep < DOZE) return this.#isOpen(place) ? place : 'none'
    // Alone they were already, and what became of the first could not be read.
    if (this.#alone) return first
    this.#alone = true
    return 'unclear'
  }

  /**
   * Which item is to blame when a part with outcomes of this chunk could not be read back. `'all'`: they have one result.
   * Undefined: that is not known yet, and will be when they have run one by one.
   */
  blameUnreadable(): number | 'all' | undefined {
    if (this.lane.job.kind === 'reduce') return 'all'
    if (this.#alone) return this.#firstOpen()
    this.#alone = true
    return undefined
  }

  /** An item is to blame. @returns Its outcome, if nothing is due before it. */
  convict(place: number, worker: number, error: unknown): Part | undefined {
    const { kind, ordered, concurrency } = this.lane.job
    const isScattered = concurrency > 1 && !ordered
    // What a chunk folds to is known only when all of it has been folded.
    if (kind === 'reduce' || (place !== this.received && !isScattered)) {
      this.culprits.set(place, error)
      return undefined
    }
    this.received++
    if (isScattered) (this.places ??= new Set()).add(place)
    const nothing = kind === 'map' ? { results: new Items([undefined]) } : { results: new Items([]), counts: NOTHING }
    const errors = new Map([[0, error]])
    return { chunk: this.chunk, from: place, count: 1, ...nothing, errors, worker, last: this.isComplete }
  }

  #firstOpen(): number {
    let place = 0
    while (!this.#isOpen(place)) place++
    return place
  }

  #isOpen(place: number): boolean {
    if (this.culprits.has(place)) return false
    return this.places === undefined ? place >= this.received : !this.places.has(place)
  }
}

/** One item has no results. */
const NOTHING = new Uint32Array(1)

/** An event loop that has had no turn for so long is taken to be blocked, in milliseconds: twice the pulse, and some. */
const DOZE = 30

/** A turn that a thread has been given. */
export class Held implements Sent {
  readonly turn: Turn
  /** Number of the thread. */
  readonly worker: number
  readonly seq: number
  readonly slot: Slot
  readonly items: number
  readonly sentBytes: number
  /** When it was first in its thread, by `performance.now()`. */
  since: number = performance.now()

  constructor(turn: Turn, worker: number, { seq, slot, items, sentBytes }: Sent) {
    this.turn = turn
    this.worker = worker
    this.seq = seq
    this.slot = slot
    this.items = items
    this.sentBytes = sentBytes
  }
}
