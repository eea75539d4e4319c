/**
 * Decides which worker gets which waiting chunk: first come, first served, so streams share the workers chunk by chunk. It changes
 * nothing but its queue: the executor sends and takes back what it says.
 *
 * A worker holds at most two chunks: one that runs, and one that waits there so that no time is lost between them. Of very
 * short ones several wait. When the one that runs takes long and another worker has nothing to do, that gets one that waits.
 */
import { MAX_SLOTS } from '../../worker/cells.js'
import { ChunkQueue } from './chunk-queue.js'
import type { Assignment } from './chunk-sender.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { ThreadLane } from './thread-lane.js'
import type { WorkerHandle } from './worker-handle.js'

/**
 * How long a chunk may run before the one behind it is given to an idle worker, in milliseconds. Moving a chunk costs a
 * message, some microseconds: chunks shorter than that are not worth it.
 */
export const REBALANCE_AFTER_MS = 2
/** After so long, none waits behind a chunk: a worker that gets its next one by a message loses no more than some microseconds. */
const SOLO_AFTER_MS = 50

/** The workers of a pool, as far as they matter here. */
export interface Workers {
  readonly workers: ReadonlySet<WorkerHandle>
  /** Whether a worker is to be given nothing more. */
  isSpent(worker: WorkerHandle): boolean
}

/** A chunk that waits in a worker behind another one, and a worker that has nothing to do. */
export interface Move {
  readonly from: WorkerHandle
  readonly held: Assignment
  readonly to: WorkerHandle
}

export class Scheduler {
  readonly #pool: Workers
  /** Of open lanes. */
  readonly #queue = new ChunkQueue<InFlightChunk>()
  /** Of lanes whose chunks are in as many workers as they may be. There are few: each such lane has a chunk in a worker. */
  readonly #parked = new Set<InFlightChunk>()

  constructor(pool: Workers) {
    this.#pool = pool
  }

  /** How many chunks wait for a worker that they may have. */
  get waiting(): number {
    if (this.#parked.size === 0) return this.#queue.size
    let parked = 0
    for (const { lane } of this.#parked) if (!this.#isAtLimit(lane)) parked++
    return this.#queue.size + parked
  }

  /** A chunk waits: a new one, or one that comes back from a worker. Each has its place by its number. */
  add(inFlight: InFlightChunk): void {
    this.#queue.add(inFlight)
  }

  /** Takes out a chunk that waits. */
  remove(inFlight: InFlightChunk): void {
    if (!this.#parked.delete(inFlight)) this.#queue.remove(inFlight)
  }

  /** The lane's chunks wait no more, and it adds no others. */
  removeAll(lane: ThreadLane): void {
    for (const inFlight of this.#parked) if (inFlight.lane === lane) this.#parked.delete(inFlight)
    for (const inFlight of this.#queue.ofLane(lane)) this.#queue.remove(inFlight)
    this.#queue.forget(lane)
  }

  /** The last chunk that a worker holds, if that is one too many: those before it were expected to be shorter than they are. */
  surplusOf(worker: WorkerHandle): Assignment | undefined {
    const held = worker.assignments
    return held.length > 1 && held.length > maxFor(held) ? held.at(-1) : undefined
  }

  /** Chunks that a worker is free for again go back to their places in the queue. */
  unpark(): void {
    if (this.#parked.size === 0) return
    for (const inFlight of this.#parked) {
      if (this.#freeWorker(inFlight) === undefined) continue
      this.#parked.delete(inFlight)
      this.#queue.add(inFlight)
    }
  }

  /** Takes the next chunk that a worker is free for out of the queue; undefined when there is none. */
  next(): { readonly inFlight: InFlightChunk; readonly worker: WorkerHandle } | undefined {
    for (let inFlight = this.#queue.first; inFlight !== undefined; inFlight = this.#queue.first) {
      const worker = this.#freeWorker(inFlight)
      // Others may pass a chunk whose lane is at its limit.
      if (worker === undefined && !this.#isAtLimit(inFlight.lane)) return undefined
      this.#queue.shift()
      if (worker !== undefined) return { inFlight, worker }
      this.#parked.add(inFlight)
    }
    return undefined
  }

  /**
   * A chunk that waits behind another one, for a worker that has nothing to do.
   *
   * @returns `'later'`: there are both, but it is too soon.
   */
  move(): Move | 'later' | undefined {
    const to = this.#idleWorker()
    if (to === undefined) return undefined
    let isSoon = false
    for (const from of this.#pool.workers) {
      const all = from.assignments
      // Behind the one that runs there may be some that must stay, of a lane that is at its limit.
      const held = all.find((one, at) => at > 0 && one.inFlight.lane.isOpen && !this.#isBound(one, all))
      if (held === undefined) continue
      if (runningFor(all) < REBALANCE_AFTER_MS) isSoon = true
      // Otherwise the worker has come to it by itself.
      else if (!from.hasTaken(held)) return { from, held, to }
    }
    return isSoon ? 'later' : undefined
  }

  #idleWorker(): WorkerHandle | undefined {
    for (const worker of this.#pool.workers) {
      if (worker.isReady && worker.assignments.length === 0 && !this.#pool.isSpent(worker)) return worker
    }
    return undefined
  }

  /** Whether a lane's chunks are in as many workers as they may be. */
  #isAtLimit(lane: ThreadLane): boolean {
    if (lane.maxWorkers === Infinity) return false
    let used = 0
    for (const worker of this.#pool.workers) if (worker.holds(lane)) used++
    return used >= lane.maxWorkers
  }

  /**
   * The worker to give a chunk to: the one that holds the fewest, if it may hold another. Never one with a later chunk,
   * which may last until this one is done; and an isolated one has its worker for itself. Of a lane that is at its limit, only
   * workers that hold chunks of it.
   */
  #freeWorker(inFlight: InFlightChunk): WorkerHandle | undefined {
    let free: WorkerHandle | undefined
    let fewest = inFlight.isIsolated ? 1 : inFlight.lane.depth
    const isAtLimit = this.#isAtLimit(inFlight.lane)
    for (const worker of this.#pool.workers) {
      const held = worker.assignments
      if (!worker.isReady || held.length >= fewest || this.#pool.isSpent(worker)) continue
      if (isAtLimit && !worker.holds(inFlight.lane)) continue
      if (held.length === 0) return worker
      if (held[0]?.inFlight.isIsolated) continue
      if (held.length >= maxFor(held) || (held.at(-1)?.inFlight.number ?? 0) > inFlight.number) continue
      free = worker
      fewest = held.length
    }
    return free
  }

  /** Whether a chunk must stay in its worker: in another one its lane would be in more workers than it may be. */
  #isBound(waiting: Assignment, held: readonly Assignment[]): boolean {
    const { lane } = waiting.inFlight
    return held.some((other) => other !== waiting && other.inFlight.lane === lane) && this.#isAtLimit(lane)
  }
}

/** How long the chunk that runs has been running, in milliseconds; there must be one. */
function runningFor([running]: readonly Assignment[]): number {
  return performance.now() - (running?.since ?? Infinity)
}

/** How many chunks a worker may hold while the one that runs takes so long. */
function maxFor(held: readonly Assignment[]): number {
  const time = runningFor(held)
  if (time < REBALANCE_AFTER_MS) return MAX_SLOTS
  return time < SOLO_AFTER_MS ? 2 : 1
}
