/**
 * Tries failed items again: an executor around another one. Its stream gets the outcomes of a chunk as if the item had only
 * taken longer, so that neither its window nor its order knows of it.
 */
import type { WorkerEvent } from '../log/events.js'
import type { Chunk, Executor, Job, Lane, LaneEvents, Reason } from './executor.js'
import { FoldRetries } from './retry-fold.js'
import { ItemRetries } from './retry-items.js'
import type { RetryPolicy } from './retry-policy.js'
import { RetryQueue } from './retry-queue.js'

export class RetryExecutor implements Executor {
  readonly #executor: Executor
  readonly #policy: RetryPolicy

  constructor(executor: Executor, policy: RetryPolicy) {
    this.#executor = executor
    this.#policy = policy
  }

  get workers(): number {
    return this.#executor.workers
  }

  identify(worker: number): WorkerEvent {
    return this.#executor.identify(worker)
  }

  open(job: Job, events: LaneEvents): Lane {
    return new RetryLane(this.#executor, this.#policy, job, events)
  }
}

class RetryLane implements Lane {
  readonly #lane: Lane
  readonly #queue: RetryQueue
  /** Undefined when closed: it holds outcomes. */
  #retries: FoldRetries | ItemRetries | undefined

  constructor(executor: Executor, policy: RetryPolicy, job: Job, events: LaneEvents) {
    const isFold = job.kind === 'reduce'
    // A fold goes on behind an item that fails: it may be tried again.
    this.#lane = executor.open(isFold ? { ...job, stopOnError: false } : job, {
      context: events.context,
      room: () => {
        this.#queue.submitDue()
        if (this.ready) events.room()
      },
      part: (part) => {
        this.#retries?.onPart(part)
      },
      retried: () => {
        events.retried()
      },
      broken: (error) => {
        events.broken(error)
      },
    })
    this.#queue = new RetryQueue(this.#lane, policy, events)
    this.#retries = isFold
      ? new FoldRetries(this.#queue, events, job.stopOnError)
      : new ItemRetries(this.#queue, events, job.ordered)
  }

  get encodes(): boolean {
    return this.#lane.encodes
  }

  get ready(): boolean {
    return !this.#queue.hasDue && this.#lane.ready
  }

  submit(chunk: Chunk): void {
    this.#lane.submit(chunk)
  }

  close(reason?: Reason): void {
    this.#retries = undefined
    this.#queue.close()
    this.#lane.close(reason)
  }
}
