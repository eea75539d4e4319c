/**
 * Decides which worker gets which waiting chunk: first come, first served, so streams share the workers chunk by chunk. It changes only
 * its queue: the chunk runner sends and takes back what it says.
 *
 * A worker holds at most two chunks: one that runs, and one that waits there, so that no time is lost between them. If chunks are very
 * short, several wait. If the one that runs takes long, an idle worker gets one that waits behind it.
 */
import { MAX_SLOTS } from '../../worker/cells.js'
import { ChunkQueue } from './chunk-queue.js'
import type { Assignment } from './chunk-sender.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { ThreadLane } from './thread-lane.js'
import type { WorkerHandle } from './worker-handle.js'
import type { WorkerPool } from './worker-pool.js'

/**
 * How long a chunk may run before the one behind it is given to an idle worker, in milliseconds. A move costs a message, which takes some
 * microseconds: it does not pay for shorter chunks.
 */
export const REBALANCE_AFTER_MS = 2
/** No chunk waits behind one that has run for so long: the message with the next one then costs comparatively little. */
const SOLO_AFTER_MS = 50

/** A chunk that waits in a worker behind another one, and an idle worker. */
interface Move {
  readonly from: WorkerHandle
  readonly held: Assignment
  readonly to: WorkerHandle
}

export class Scheduler {
  readonly #pool: WorkerPool
  /** Of open lanes. */
  readonly #queue = new ChunkQueue()
  /** Chunks of lanes at their limit of workers. There are few, because each such lane has a chunk in a worker. */
  readonly #parked = new Set<InFlightChunk>()

  constructor(pool: WorkerPool) {
    this.#pool = pool
  }

  /** How many chunks wait, without those of lanes at their limit of workers. */
  get waiting(): number {
    if (this.#parked.size === 0) return this.#queue.size
    let parked = 0
    for (const { lane } of this.#parked) if (!this.#isAtLimit(lane)) parked++
    return this.#queue.size + parked
  }

  /** How many chunks wait in a worker, behind the one that runs, and could run in another worker. */
  get behind(): number {
    let behind = 0
    for (const { assignments: held } of this.#pool.workers) {
      for (const one of held) if (one !== held[0] && one.inFlight.lane.isOpen && !this.#isBound(one, held)) behind++
    }
    return behind
  }

  /** A chunk waits: a new one, or one that comes back from a worker. Its number gives its place. */
  add(inFlight: InFlightChunk): void {
    this.#queue.add(inFlight)
  }

  /** Takes out a chunk that waits. */
  remove(inFlight: InFlightChunk): void {
    if (!this.#parked.delete(inFlight)) this.#queue.remove(inFlight)
  }

  /** The lane is closed. */
  removeAll(lane: ThreadLane): void {
    const waiting = [...this.#parked].filter((inFlight) => inFlight.lane === lane)
    for (const inFlight of [...waiting, ...this.#queue.ofLane(lane)]) {
      this.remove(inFlight)
      // Nobody else has a use for the items.
      inFlight.chunk.items.release()
    }
    this.#queue.forget(lane)
  }

  /** The last chunk that a worker holds, if that is one too many: those before it take longer than was expected. */
  surplusOf(worker: WorkerHandle): Assignment | undefined {
    const held = worker.assignments
    return held.length > 1 && held.length > maxFor(held) ? held.at(-1) : undefined
  }

  /** Parked chunks for which a worker is free go back to their places in the queue. */
  unpark(): void {
    if (this.#parked.size === 0) return
    for (const inFlight of this.#parked) {
      if (this.#freeWorker(inFlight) === undefined) continue
      this.#parked.delete(inFlight)
      this.#queue.add(inFlight)
    }
  }

  /** Takes the next chunk for which a worker is free out of the queue. */
  next(): { readonly inFlight: InFlightChunk; readonly worker: WorkerHandle } | undefined {
    for (let inFlight = this.#queue.first; inFlight !== undefined; inFlight = this.#queue.first) {
      const worker = this.#freeWorker(inFlight)
      // Chunks of other lanes may pass one whose lane is at its limit.
      if (worker === undefined && !this.#isAtLimit(inFlight.lane)) return undefined
      this.#queue.shift()
      if (worker !== undefined) return { inFlight, worker }
      this.#parked.add(inFlight)
    }
    return undefined
  }

  /** A chunk that waits behind another one, for an idle worker. @returns `'later'`: there are both, but it is too soon. */
  move(): Move | 'later' | undefined {
    const to = this.#idleWorker()
    if (to === undefined) return undefined
    let isSoon = false
    for (const from of this.#pool.workers) {
      const all = from.assignments
      // Chunks of a lane at its limit must stay behind the one that runs.
      const held = all.find(
        (one, at) => at > 0 && !one.isAskedBack && one.inFlight.lane.isOpen && !this.#isBound(one, all),
      )
      if (held === undefined) continue
      if (runningFor(all) < REBALANCE_AFTER_MS) isSoon = true
      // Otherwise the worker has come to it by itself.
      else if (!from.mayGiveBack || !from.hasTaken(held)) return { from, held, to }
    }
    return isSoon ? 'later' : undefined
  }

  #idleWorker(): WorkerHandle | undefined {
    for (const worker of this.#pool.workers) {
      if (worker.isReady && worker.assignments.length === 0 && !this.#pool.isSpent(worker)) return worker
    }
    return undefined
  }

  /** Whether as many workers as the lane may use hold chunks of it. */
  #isAtLimit(lane: ThreadLane): boolean {
    if (lane.maxWorkers === Infinity) return false
    let used = 0
    for (const worker of this.#pool.workers) if (worker.holds(lane)) used++
    return used >= lane.maxWorkers
  }

  /**
   * The worker that gets a chunk: the one that holds the fewest, if it may hold another. Not one with a later chunk, which may wait for
   * this one. Not one with an isolated chunk. For a lane at its limit, only one that holds chunks of that lane.
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
      if (held[0]?.inFlight.isIsolated || !(worker.mayGiveBack || areShort(held))) continue
      if (held.length >= maxFor(held) || (held.at(-1)?.inFlight.number ?? 0) > inFlight.number) continue
      free = worker
      fewest = held.length
    }
    return free
  }

  /** Whether a chunk must stay in its worker: in another one, its lane would use more workers than it may. */
  #isBound(waiting: Assignment, held: readonly Assignment[]): boolean {
    const { lane } = waiting.inFlight
    return held.some((other) => other !== waiting && other.inFlight.lane === lane) && this.#isAtLimit(lane)
  }
}

/** How long the chunk that runs has been running, in milliseconds; there must be one. */
function runningFor([running]: readonly Assignment[]): number {
  return performance.now() - (running?.since ?? Infinity)
}

/** Whether chunks of the same streams took so little time that another one may wait behind them for good. */
function areShort(held: readonly Assignment[]): boolean {
  return held.every(({ inFlight: { lane } }) => (lane.duration ?? Infinity) < SOLO_AFTER_MS)
}

/** How many chunks a worker may hold, by how long the one that runs takes. */
function maxFor(held: readonly Assignment[]): number {
  const time = runningFor(held)
  if (time < REBALANCE_AFTER_MS) return MAX_SLOTS
  return time < SOLO_AFTER_MS ? 2 : 1
}
