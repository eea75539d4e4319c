/**
 * Gives waiting chunks to workers, first come, first served, so streams share the workers chunk by chunk.
 *
 * A worker holds at most two chunks: one that runs, and one that waits there so that no time is lost between them. Of very
 * short ones several wait. When the one that runs takes long and another worker has nothing to do, that gets one that waits.
 */
import { MAX_SLOTS } from '../worker/cells.js'
import type { Chunk } from './executor.js'
import type { WorkerPool } from './worker-pool.js'
import type { ThreadLane } from './lane.js'
import type { TimeLimits } from './time-limits.js'
import { InFlightChunk } from './in-flight-chunk.js'
import { ChunkQueue } from './chunk-queue.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

/**
 * How long a chunk may run before the one behind it is given to an idle thread, in milliseconds. Moving a chunk costs a
 * message, some microseconds: chunks shorter than that are not worth it.
 */
const REBALANCE_AFTER_MS = 2
/** After so long, none waits behind a chunk: a thread that gets its next one by a message loses no more than some microseconds. */
const SOLO_AFTER_MS = 50

export class Scheduler {
  readonly #pool: WorkerPool
  readonly #limits: TimeLimits
  /** Of open lanes. */
  readonly #queue = new ChunkQueue<InFlightChunk>()
  /** Of lanes whose chunks are in as many threads as they may be. There are few: each such lane has a chunk in a thread. */
  readonly #parked = new Set<InFlightChunk>()
  #lastNumber = 0
  #dispatching = false
  #rebalanceTimer: NodeJS.Timeout | undefined

  constructor(pool: WorkerPool, limits: TimeLimits) {
    this.#pool = pool
    this.#limits = limits
  }

  /** How many chunks wait for a thread that they may have. */
  get waiting(): number {
    let parked = 0
    for (const { lane } of this.#parked) if (!this.#isAtLimit(lane)) parked++
    return this.#queue.size + parked
  }

  add(lane: ThreadLane, chunk: Chunk): void {
    this.#queue.add(new InFlightChunk(lane, chunk, ++this.#lastNumber))
    this.#pool.count(1)
  }

  /** Chunks that a thread held go to others, each in its turn. @param exitCode Of the thread, if it has ended. */
  addAgain(held: readonly Assignment[], exitCode = 1): void {
    for (const { inFlight } of held) {
      inFlight.returned(exitCode)
      if (inFlight.lane.isOpen) this.#queue.add(inFlight)
    }
  }

  remove(inFlight: InFlightChunk): void {
    if (!this.#parked.delete(inFlight)) this.#queue.remove(inFlight)
    this.#pool.count(-1)
  }

  removeAll(lane: ThreadLane): void {
    for (const inFlight of this.#parked) if (inFlight.lane === lane) this.remove(inFlight)
    for (const inFlight of this.#queue.ofLane(lane)) this.remove(inFlight)
    this.#queue.forget(lane)
  }

  /** Gives chunks to threads, as long as there are both. A lane told of room submits its next chunk meanwhile. */
  dispatch(): void {
    if (this.#dispatching) return
    this.#dispatching = true
    try {
      this.#relieve()
      // First of all those that wait in no thread: a thread that took a later one could not take them until that is done.
      do {
        this.#unpark()
        this.#giveOut()
      } while (this.#rebalance())
    } finally {
      this.#dispatching = false
    }
  }

  #giveOut(): void {
    for (let inFlight = this.#queue.first; inFlight !== undefined; inFlight = this.#queue.first) {
      const { lane } = inFlight
      const worker = this.#freeWorker(inFlight)
      if (worker === undefined) {
        if (!this.#isAtLimit(lane)) break
        // Others may pass it.
        this.#queue.shift()
        this.#parked.add(inFlight)
        continue
      }
      this.#queue.shift()
      if (lane.fault === undefined) this.#give(inFlight, worker)
      else {
        this.#pool.count(-1)
        lane.answer(inFlight.failRest(lane.fault.worker, lane.fault.error))
      }
      lane.taken()
    }
  }

  /** Chunks that a worker is free for again go back to their places in the queue. */
  #unpark(): void {
    for (const inFlight of this.#parked) {
      if (this.#freeWorker(inFlight) === undefined) continue
      this.#parked.delete(inFlight)
      this.#queue.add(inFlight)
    }
  }

  /** Whether a lane's chunks are in as many threads as they may be. */
  #isAtLimit(lane: ThreadLane): boolean {
    if (lane.maxWorkers === Infinity) return false
    let used = 0
    for (const worker of this.#pool.workers) if (worker.holds(lane)) used++
    return used >= lane.maxWorkers
  }

  /**
   * The thread to give a chunk to: the one that holds the fewest, if it may hold another. Never one with a later chunk,
   * which may last until this one is done; and an isolated one has its worker for itself. Of a lane that is at its limit, only
   * threads that hold chunks of it.
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
      if (held.length >= mostFor(held) || (held.at(-1)?.inFlight.number ?? 0) > inFlight.number) continue
      free = worker
      fewest = held.length
    }
    return free
  }

  /** Chunks were given to a worker as those before them were expected to be short: where one is not, the others go back. */
  #relieve(): void {
    for (const worker of this.#pool.workers) {
      const held = worker.assignments
      if (held.length < 2) continue
      const most = mostFor(held)
      const back: Assignment[] = []
      // From the last one on: it passes over those that were withdrawn, and so takes the next one sooner.
      for (let last = held.at(-1); last !== undefined && held.length > most; last = held.at(-1)) {
        if (!worker.withdraw(last)) break
        back.unshift(last)
      }
      if (back.length > 0) this.addAgain(back)
    }
  }

  /** Gives workers that have nothing to do a chunk that waits behind another one. @returns Whether there were both. */
  #rebalance(): boolean {
    let isMoved = false
    for (const idle of this.#pool.workers) {
      if (!idle.isReady || idle.assignments.length > 0 || this.#pool.isSpent(idle)) continue
      const waiting = this.#withdrawOne()
      if (waiting === undefined) break
      this.#give(waiting.inFlight, idle)
      isMoved = true
    }
    return isMoved
  }

  #withdrawOne(): Assignment | undefined {
    for (const worker of this.#pool.workers) {
      const held = worker.assignments
      // Behind the one that runs there may be some that must stay, of a lane that is at its limit.
      const waiting = held.find((one, at) => at > 0 && one.inFlight.lane.isOpen && !this.#isBound(one, held))
      if (waiting === undefined) continue
      if (runningFor(held) < REBALANCE_AFTER_MS)
        this.#rebalanceTimer ??= setTimeout(this.#rebalanceLater, REBALANCE_AFTER_MS).unref()
      else if (worker.withdraw(waiting)) return waiting
    }
    return undefined
  }

  /** Whether a chunk must stay in its worker: in another one its lane would be in more workers than it may be. */
  #isBound(waiting: Assignment, held: readonly Assignment[]): boolean {
    const { lane } = waiting.inFlight
    return held.some((other) => other !== waiting && other.inFlight.lane === lane) && this.#isAtLimit(lane)
  }

  readonly #rebalanceLater = (): void => {
    this.#rebalanceTimer = undefined
    this.dispatch()
  }

  #give(inFlight: InFlightChunk, worker: WorkerHandle): void {
    const { lane } = inFlight
    const assignment = worker.assign(inFlight)
    // A getter of an item has ended the stream meanwhile.
    if (!lane.isOpen) this.#pool.count(-1)
    if (assignment === undefined) return
    if (lane.job.timeout !== undefined || !assignment.known.isLoaded) this.#limits.watch(worker)
  }
}

/** How long the chunk that runs has been running, in milliseconds; there must be one. */
function runningFor([running]: readonly Assignment[]): number {
  return performance.now() - (running?.since ?? Infinity)
}

/** How many chunks a thread may hold while the one that runs takes so long. */
function mostFor(held: readonly Assignment[]): number {
  const time = runningFor(held)
  if (time < REBALANCE_AFTER_MS) return MAX_SLOTS
  return time < SOLO_AFTER_MS ? 2 : 1
}
