/** A stream's way to the threads: room for one waiting chunk, and the queue of the outcomes that have come back. */
import { outside } from '../../async-context.js'
import type { ThreadEvent } from '../../log/events.js'
import { Fifo } from '../../fifo.js'
import type { Chunk, Job, Lane, LaneClient, Part, Reason } from '../executor.js'
import { MAX_SLOTS } from '../../worker/cells.js'
import type { WorkerJob } from '../../worker/protocol.js'

/** An error that nobody has caught in a worker. */
export interface UncaughtError {
  readonly by: ThreadEvent
  readonly error: unknown
}

/** Why the task does not load, and on which worker it did not. */
export interface Fault {
  readonly error: unknown
  readonly worker: number
}

/** The executor of a lane. */
interface LaneExecutor {
  readonly submit: (lane: ThreadLane, chunk: Chunk) => void
  readonly flush: () => void
  readonly release: (lane: ThreadLane, reason?: Reason) => void
}

/** How long the chunks that wait in a worker may take together, in milliseconds. */
const MAX_AHEAD_MS = 0.5

export class ThreadLane implements Lane {
  readonly encodes = true
  readonly retried = 0
  readonly client: LaneClient
  readonly #executor: LaneExecutor
  readonly #deep: boolean
  #width: number
  /** How many chunks have not had their last outcomes. Changed by the executor. */
  outstanding = 0
  /** Its place in the list of those that are to be woken; -1 if it is not there. Changed by that list, and when the lane is closed. */
  wakeAt = -1
  /** How many workers may hold chunks of it at once. */
  readonly maxWorkers: number
  /** Tells which buffers of an item are moved. Each chunk has one item then, and a worker that has it has nothing else. */
  readonly transfer: Job['transfer']
  /** What the workers are told of the stream. */
  readonly job: WorkerJob
  #fault: Fault | undefined
  #hasLoaded = false
  #failedLoads = 0
  /** Uncaught errors of workers that may be those of an item of a chunk: it is not known yet. */
  readonly #uncaught = new Map<Chunk, UncaughtError>()
  /** How long the last chunk took, in milliseconds. */
  #time = Infinity
  /** Outcomes that the stream has not taken. */
  readonly #parts = new Fifo<Part>()
  #error: { readonly error: unknown } | undefined
  #waiting = false
  #answered = false
  #closed = false

  constructor(
    executor: LaneExecutor,
    { name, fn: _fn, deep, width = Infinity, maxWorkers = Infinity, transfer, ...how }: Job,
    client: LaneClient,
  ) {
    if (name === undefined) throw new Error('A job for threads needs the name of its task')
    this.#executor = executor
    this.#deep = deep
    this.maxWorkers = maxWorkers
    this.transfer = transfer
    this.#width = Math.min(width, maxWorkers)
    this.job = { name, ...how }
    this.client = client
  }

  get ready(): boolean {
    return !this.#waiting && !this.#closed
  }

  /** Whether there is still somebody to give outcomes to. */
  get isOpen(): boolean {
    return !this.#closed
  }

  /** Whether the stream still waits for its first result. */
  get flushFirst(): boolean {
    return !this.#answered
  }

  /** The error of every item from now on: workers end while they load the task. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  /** No item is to be run any more. */
  fail(fault: Fault): void {
    this.#fault = fault
  }

  /** Whether a worker has loaded the task. */
  get hasLoaded(): boolean {
    return this.#hasLoaded
  }

  /** A worker has loaded the task. */
  loaded(): void {
    this.#hasLoaded = true
  }

  /** A worker has ended while it loaded the task. @returns How many have. */
  countFailedLoad(): number {
    return ++this.#failedLoads
  }

  /** Whether there are uncaught errors that may belong to an item of a chunk. */
  get hasUncaught(): boolean {
    return this.#uncaught.size > 0
  }

  chunksWithUncaught(): readonly Chunk[] {
    return [...this.#uncaught.keys()]
  }

  addUncaught(chunk: Chunk, error: UncaughtError): void {
    this.#uncaught.set(chunk, error)
  }

  /** Forgets the uncaught error of a chunk. @returns The error, if there was one. */
  takeUncaught(chunk: Chunk): UncaughtError | undefined {
    const error = this.#uncaught.get(chunk)
    if (error !== undefined) this.#uncaught.delete(chunk)
    return error
  }

  /** For how many workers a new chunk is a reason to be there: the first one for all that the stream can use. */
  takeDemand(): number {
    const demand = this.#width
    this.#width = 1
    return demand
  }

  /** How many chunks a worker may hold so that this lane may give it another: two, and more of very short ones. */
  get depth(): number {
    return this.#deep ? Math.min(MAX_SLOTS, Math.max(2, 1 + Math.floor(MAX_AHEAD_MS / this.#time))) : 2
  }

  /** A chunk has taken so long, in milliseconds. */
  recordDuration(time: number): void {
    this.#time = time
  }

  /** Outcomes have come back. */
  answer(part: Part): void {
    this.#answered = true
    this.#parts.push(part)
  }

  flush(): void {
    outside.runInAsyncScope(this.#executor.flush, this.#executor)
  }

  take(): Part | undefined {
    return this.#parts.shift()
  }

  get error(): { readonly error: unknown } | undefined {
    return this.#error
  }

  submit(chunk: Chunk): void {
    this.#waiting = true
    this.#executor.submit(this, chunk)
  }

  /** The waiting chunk has gone to a worker. */
  taken(): void {
    this.#waiting = false
  }

  /** The executor can give no more results. */
  break(error: unknown): void {
    if (this.#closed) return
    this.#error = { error }
    this.#release()
  }

  close(reason?: Reason): void {
    this.#parts.clear()
    this.#error = undefined
    this.wakeAt = -1
    if (!this.#closed) this.#release(reason)
  }

  #release(reason?: Reason): void {
    this.#closed = true
    outside.runInAsyncScope(this.#executor.release, this.#executor, this, reason)
  }
}

/**
 * The lanes that have something new for their streams. A stream submits its next chunk when it is woken: so streams take turns in the order
 * in which their last chunks were given, and a lane that is added again goes to the end.
 */
export class WakeList {
  readonly #lanes: ThreadLane[] = []

  add(lane: ThreadLane): void {
    lane.wakeAt = this.#lanes.push(lane) - 1
  }

  wakeAll(): void {
    // By index: others may be added meanwhile.
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]
      if (lane?.wakeAt !== i) continue
      lane.wakeAt = -1
      lane.client.wake()
    }
    this.#lanes.length = 0
  }
}
