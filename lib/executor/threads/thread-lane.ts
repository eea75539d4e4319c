/** A stream's connection to the threads: room for one waiting chunk, and the queue of the outcomes that have come back. */
import { outside } from '../../async-context.js'
import { Fifo } from '../../fifo.js'
import type { Chunk, Job, Lane, LaneClient, Part, Reason } from '../executor.js'
import { MAX_SLOTS } from '../../worker/cells.js'
import type { WorkerJob } from '../../worker/protocol.js'

/** Why the task does not load, and in which worker. */
interface Fault {
  readonly error: unknown
  readonly worker: number
}

/** Runs the chunks of a lane. */
interface LaneRunner {
  readonly submit: (lane: ThreadLane, chunk: Chunk) => void
  readonly advance: () => void
  readonly release: (lane: ThreadLane, reason?: Reason) => void
}

/** How long the chunks that wait in a worker may take together, in milliseconds. */
const MAX_AHEAD_MS = 0.5

export class ThreadLane implements Lane {
  readonly encodes = true
  readonly readsFiles = true
  readonly retried = 0
  readonly client: LaneClient
  readonly #runner: LaneRunner
  readonly #deep: boolean
  #width: number
  /** How many workers may hold chunks of it at once. */
  readonly maxWorkers: number
  /** Tells which buffers of an item are moved. Then each chunk has one item, and its worker holds nothing else. */
  readonly transfer: Job['transfer']
  /** The job that workers get. */
  readonly job: WorkerJob
  /** How many chunks have not had their last outcomes. Changed by the runner. */
  outstanding = 0
  /** Its place in the list of lanes to wake; -1 if it is not there. Changed by that list, and when the lane is closed. */
  wakeAt = -1
  /** How long the last chunk took, in milliseconds. Set by the runner. */
  duration: number | undefined
  /** Whether a worker has loaded the task, and how many have ended while they loaded it. Set by the runner and by crash recovery. */
  hasLoaded = false
  failedLoads = 0
  /** The error of every item from now on, because the task does not load. Set by crash recovery. */
  fault: Fault | undefined
  /** Whether the stream still waits for its first result. */
  flushFirst: boolean
  /** Whether the stream takes outcomes. */
  isOpen = true
  error: { readonly error: unknown } | undefined
  readonly #parts = new Fifo<Part>()
  #waiting = false

  constructor(
    runner: LaneRunner,
    { name, fn: _fn, deep, width = Infinity, maxWorkers = Infinity, transfer, eager = true, ...how }: Job,
    client: LaneClient,
  ) {
    if (name === undefined) throw new Error('A job for threads needs the name of its task')
    this.#runner = runner
    this.#deep = deep
    this.maxWorkers = maxWorkers
    this.transfer = transfer
    this.flushFirst = eager
    this.#width = Math.min(width, maxWorkers)
    this.job = { name, ...how }
    this.client = client
  }

  get ready(): boolean {
    return !this.#waiting && this.isOpen
  }

  /** How many workers a new chunk needs: the first one, all that the stream can use. */
  takeDemand(): number {
    const demand = this.#width
    this.#width = 1
    return demand
  }

  /** How many chunks a worker may hold so that this lane may give it another: two, and more of very short ones. */
  get depth(): number {
    return this.#deep ? Math.min(MAX_SLOTS, Math.max(2, 1 + Math.floor(MAX_AHEAD_MS / (this.duration ?? Infinity)))) : 2
  }

  /** Outcomes have come back. */
  answer(part: Part): void {
    this.flushFirst = false
    this.#parts.push(part)
  }

  flush(): void {
    outside.runInAsyncScope(this.#runner.advance)
  }

  take(): Part | undefined {
    return this.#parts.shift()
  }

  submit(chunk: Chunk): void {
    this.#waiting = true
    this.#runner.submit(this, chunk)
  }

  /** The waiting chunk has gone to a worker. */
  taken(): void {
    this.#waiting = false
  }

  /** The executor can give no other results. */
  break(error: unknown): void {
    if (!this.isOpen) return
    this.error = { error }
    this.#release()
  }

  close(reason?: Reason): void {
    this.#parts.clear()
    this.error = undefined
    this.wakeAt = -1
    if (this.isOpen) this.#release(reason)
  }

  #release(reason?: Reason): void {
    this.isOpen = false
    outside.runInAsyncScope(this.#runner.release, this.#runner, this, reason)
  }
}

/**
 * The lanes with news for their streams. A stream submits its next chunk when it is woken. So streams take turns in the order in which
 * their last chunks were given, and a lane that is added again goes to the end.
 */
export class WakeList {
  /** Up to `#count`. Places are used again: to shorten an array costs more than to wake a lane. */
  readonly #lanes: (ThreadLane | undefined)[] = []
  #count = 0

  add(lane: ThreadLane): void {
    lane.wakeAt = this.#count
    this.#lanes[this.#count++] = lane
  }

  wakeAll(): void {
    // By index, because others may be added meanwhile.
    for (let i = 0; i < this.#count; i++) {
      const lane = this.#lanes[i]
      this.#lanes[i] = undefined
      if (lane?.wakeAt !== i) continue
      lane.wakeAt = -1
      lane.client.wake()
    }
    this.#count = 0
  }
}
