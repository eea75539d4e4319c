/**
 * A chunk on its way through the threads of a pool, and what is known of its items. When its worker dies, all but the one
 * that is to blame go to another: this tells who that is, and what is left to do.
 */
import { sealError } from '../codec/envelope.js'
import { Items, type Batch } from '../codec/batch.js'
import type { Progress } from '../worker/cells.js'
import type { ChunkDetails } from '../worker/protocol.js'
import type { Chunk, Part } from './executor.js'
import type { ThreadLane } from './lane.js'
import { QueueLinks } from './turn-queue.js'

/** Who is to blame: an item, by its place, or see `Turn.blame()`. */
export type Blame = number | 'none' | 'all' | 'unclear'

export class Turn extends QueueLinks<Turn> {
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
  /** Whether it is sent to workers that hold nothing else, so that it can be told who is to blame. */
  isApart: boolean
  /** Whether buffers of its one item have been moved to a worker: that item cannot be sent again. */
  hasMoved = false
  /** Exit code of the last worker that has ended with it. */
  exitCode = 1
  /** Its items, once they are sent one by one, and the place of the one that was sent. */
  #single: Batch | undefined
  #sent = 0

  constructor(lane: ThreadLane, chunk: Chunk, number: number) {
    super()
    this.lane = lane
    this.chunk = chunk
    this.number = number
    this.culprits = new Map(chunk.failed)
    this.isApart = lane.transfer !== undefined
  }

  /** Whether all items have had their outcomes. */
  get isComplete(): boolean {
    return this.received === this.chunk.items.length
  }

  /** Whether its one item was moved to a worker that has ended, and has no outcome. */
  get isLost(): boolean {
    return this.hasMoved && this.#isOpen(0)
  }

  /** Place of the first item in what was sent last. */
  get offset(): number {
    return this.#sent
  }

  /** What to send to a worker next: what is left of the chunk, or one item of it. */
  next(): { readonly chunk: Chunk; readonly details: ChunkDetails | undefined } {
    // The worker is told the outcome of an item that is not there any more.
    if (this.hasMoved) {
      return { chunk: { first: this.chunk.first, items: new Items([undefined]) }, details: this.#details() }
    }
    if (this.#single === undefined) return { chunk: this.chunk, details: this.#details() }
    this.#sent = this.received
    if (this.places !== undefined) for (this.#sent = 0; this.places.has(this.#sent);) this.#sent++
    const place = this.#sent
    const chunk: Chunk = { first: this.chunk.first + place, items: this.#single.slice(place, place + 1) }
    const failed = this.culprits.has(place) ? sealError(this.culprits.get(place)) : undefined
    return { chunk, details: failed && { settled: [[0, failed]] } }
  }

  /** What a worker must be told so that it does what is left; undefined when that is everything. */
  #details(): ChunkDetails | undefined {
    if (this.received === 0 && this.culprits.size === 0) return undefined
    const done = [...(this.places ?? [])].map((place) => [place, undefined] as const)
    const failed = [...this.culprits].map(([place, error]) => [place, sealError(error)] as const)
    const start = this.places === undefined ? this.received : 0
    return { start, settled: [...done, ...failed] }
  }

  /**
   * Which item is to blame for the end of the worker that ran this chunk. `'none'`: none ran. `'all'`: their task did not
   * load. `'unclear'`: it may have been one of several, which are sent one by one from now on.
   *
   * @param isHung Whether the end was that of an item which takes too long.
   */
  blame({ place, begun, asleep, encoding, encodedFrom }: Progress, isHung: boolean): Blame {
    const { concurrency, kind } = this.lane.job
    // Not an item, but a result ends it: one of those that were to be sent.
    if (encoding > 1 || (encoding > 0 && kind === 'reduce')) return this.suspect()
    if (encoding === 1) return this.#isOpen(this.#sent + encodedFrom) ? this.#sent + encodedFrom : 'none'
    if (concurrency === 1 || kind === 'reduce') {
      if (place === -1) return 'all'
      return this.#isOpen(this.#sent + place) ? this.#sent + place : 'none'
    }
    if (begun === 0) return 'all'
    if (this.isApart) return this.#sent
    const suspects: number[] = []
    for (let suspect = 0; suspect < begun; suspect++) if (this.#isOpen(suspect)) suspects.push(suspect)
    const [first, second] = suspects
    if (first === undefined || second === undefined) return first ?? 'none'
    // The one that began first has had its time, unless another one kept the event loop from its turn.
    if (isHung && asleep < DOZE) return this.#isOpen(place) ? place : 'none'
    return this.suspect()
  }

  /** One of the items is to blame. That is the one that was sent, if they are sent one by one; `'all'`: they have one result. */
  suspect(): Exclude<Blame, 'none'> {
    const isFold = this.lane.job.kind === 'reduce'
    if (this.isApart) return isFold ? 'all' : this.#sent
    this.isApart = true
    // A batch that is encoded would be decoded again for each of them.
    if (!isFold) this.#single = new Items([...this.chunk.items.values()])
    return 'unclear'
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

  #isOpen(place: number): boolean {
    if (this.culprits.has(place)) return false
    return this.places === undefined ? place >= this.received : !this.places.has(place)
  }
}

/** One item has no results. */
const NOTHING = new Uint32Array(1)

/** An event loop that has had no turn for so long is taken to be blocked, in milliseconds: twice the pulse, and some. */
const DOZE = 30
