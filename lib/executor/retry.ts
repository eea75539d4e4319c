/**
 * Tries failed items again: an executor around another one. For the stream it looks as if the item had only taken longer, so window and
 * order stay right.
 */
import { Fifo } from '../fifo.js'
import type { Chunk, Executor, Job, Lane, LaneClient, Part, Reason } from './executor.js'
import { FoldRetries } from './retry-fold.js'
import { ItemRetries } from './retry-items.js'
import { RetryQueue, type RetryPolicy } from './retry-queue.js'

export function retryExecutor(executor: Executor, policy: RetryPolicy): Executor {
  return {
    identify: (worker) => executor.identify(worker),
    open: (job, client) => new RetryLane(executor, policy, job, client),
  }
}

class RetryLane implements Lane {
  readonly #lane: Lane
  readonly #queue: RetryQueue
  readonly #retries: FoldRetries | ItemRetries
  /** For the stream to take. */
  readonly #parts = new Fifo<Part>()

  constructor(executor: Executor, policy: RetryPolicy, job: Job, client: LaneClient) {
    const isFold = job.kind === 'reduce'
    // A fold continues after an item that fails: the item may be tried again.
    this.#lane = executor.open(isFold ? { ...job, stopOnError: false } : job, {
      context: client.context,
      state: client.state,
      wake: () => {
        this.#queue.submitDue()
        client.wake()
      },
    })
    this.#queue = new RetryQueue(this.#lane, policy)
    this.#retries = isFold
      ? new FoldRetries(this.#queue, this.#parts, job.stopOnError)
      : new ItemRetries(this.#queue, this.#parts, job.ordered)
  }

  get encodes(): boolean {
    return this.#lane.encodes
  }

  get readsFiles(): boolean {
    return this.#lane.readsFiles === true
  }

  /** Chunks that are tried again get room before new ones. */
  get ready(): boolean {
    return !this.#queue.hasDue && this.#lane.ready
  }

  get error(): { readonly error: unknown } | undefined {
    return this.#queue.error ?? this.#lane.error
  }

  get retried(): number {
    return this.#queue.retried
  }

  submit(chunk: Chunk): void {
    this.#lane.submit(chunk)
  }

  flush(): void {
    this.#lane.flush()
  }

  /** Calls the option `when`, which may end the stream. */
  take(): Part | undefined {
    for (;;) {
      const part = this.#parts.shift()
      if (part !== undefined) return part
      const outcomes = this.#queue.isClosed ? undefined : this.#lane.take()
      if (outcomes === undefined) return undefined
      this.#retries.accept(outcomes)
    }
  }

  close(reason?: Reason): void {
    this.#queue.close()
    this.#parts.clear()
    this.#lane.close(reason)
  }
}
