/**
 * Sees to it that no item runs longer than its stream's `timeout`, and that no module of a task is loaded for longer than the pool's
 * `startTimeout`: a timer for each worker that has such a chunk.
 */
import type { Progress } from '../worker/cells.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

/** When to look at a worker again. */
interface Watch {
  readonly timer: NodeJS.Timeout
  /** By `performance.now()`. */
  readonly due: number
}

export class TimeLimits {
  readonly #startTimeout: number
  readonly #overdue: (worker: WorkerHandle, progress: Progress) => void
  readonly #watches = new Map<WorkerHandle, Watch>()

  /**
   * @param startTimeout In milliseconds.
   * @param overdue Called when the item that a worker runs has been running for too long, or its task has been loading for too long.
   */
  constructor(startTimeout: number, overdue: (worker: WorkerHandle, progress: Progress) => void) {
    this.#startTimeout = startTimeout
    this.#overdue = overdue
  }

  /** A worker has been given a chunk: an item of any that it holds may begin now. */
  watch(worker: WorkerHandle, milliseconds?: number): void {
    const timeouts = worker.assignments.map((held) => this.#limitOf(held))
    const wait = Math.min(milliseconds ?? Infinity, ...timeouts)
    const due = performance.now() + wait
    if (due >= (this.#watches.get(worker)?.due ?? Infinity)) return
    this.forget(worker)
    const timer = setTimeout(() => {
      this.#look(worker)
    }, wait)
    this.#watches.set(worker, { timer: timer.unref(), due })
  }

  forget(worker: WorkerHandle): void {
    clearTimeout(this.#watches.get(worker)?.timer)
    this.#watches.delete(worker)
  }

  #look(worker: WorkerHandle): void {
    this.#watches.delete(worker)
    // Items that have ended meanwhile are not to be taken for those that run.
    worker.drain()
    // It is ending already; what it has lost is found out then.
    if (worker.isUnreadable) return
    const progress = worker.progress()
    const running = worker.assignments.find(({ seq }) => seq === progress.seq)
    const timeout = progress.isLoading ? this.#startTimeout : running?.inFlight.lane.job.timeout
    const isLooking = running !== undefined && (progress.isLoading || progress.place !== -1)
    if (timeout === undefined || !isLooking) this.watch(worker)
    else if (progress.time < timeout) this.watch(worker, timeout - progress.time)
    else this.#overdue(worker, progress)
  }

  /** The least time in which something of a chunk may take too long. */
  #limitOf({ inFlight, known }: Assignment): number {
    return Math.min(inFlight.lane.job.timeout ?? Infinity, known.isLoaded ? Infinity : this.#startTimeout)
  }
}
