/** A stream's way to the threads: room for one waiting chunk, and the way back for outcomes. */
import type { Chunk, Job, Lane, LaneEvents, Part } from './executor.js'
import { SLOTS } from '../worker/cells.js'
import type { WorkerJob } from '../worker/protocol.js'

/** A chunk that waits for a thread. */
export interface Turn {
  readonly lane: ThreadLane
  readonly chunk: Chunk
}

/** What a lane asks of the executor it belongs to. */
interface Owner {
  submit(turn: Turn): void
  release(lane: ThreadLane): void
}

/** How long the chunks that wait in a thread may take together, in milliseconds. */
const AHEAD = 0.5

export class ThreadLane implements Lane {
  readonly encodes = true
  readonly events: LaneEvents
  readonly #executor: Owner
  /** What the threads are told of the stream. */
  readonly job: WorkerJob
  /** How long the last chunk took, in milliseconds. */
  #time = Infinity
  #waiting = false
  #answered = false
  #closed = false

  constructor(executor: Owner, { name, fn: _fn, ...how }: Job, events: LaneEvents) {
    if (name === undefined) throw new Error('A job for threads needs the name of its task')
    this.#executor = executor
    this.job = { name, ...how }
    this.events = events
  }

  get ready(): boolean {
    return !this.#waiting && !this.#closed
  }

  /** Whether the stream still waits for its first result. */
  get eager(): boolean {
    return !this.#answered
  }

  /** How many chunks a thread may hold so that this lane may give it another: two, and more of very short ones. */
  get depth(): number {
    return Math.min(SLOTS, Math.max(2, 1 + Math.floor(AHEAD / this.#time)))
  }

  /** A chunk has taken so long, in milliseconds. */
  took(time: number): void {
    this.#time = time
  }

  /** Outcomes have come back. */
  answer(part: Part): void {
    this.#answered = true
    this.events.part(part)
  }

  submit(chunk: Chunk): void {
    this.#waiting = true
    this.#executor.submit({ lane: this, chunk })
  }

  /** The waiting chunk has gone to a thread. */
  taken(): void {
    this.#waiting = false
    if (!this.#closed) this.events.room()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#executor.release(this)
  }
}
