/**
 * The time limits of a worker: the `timeout` of a stream for each item, and the `startTimeout` of the pool for a module of tasks.
 * A timer runs while the worker holds a chunk with such a limit.
 */
import type { Progress } from '../../worker/cells.js'
import type { Assignment } from './chunk-sender.js'

interface Watched {
  readonly assignments: readonly Assignment[]
  readonly isUnreadable: boolean
  progress(): Progress
  drain(): void
}

export class TimeLimit {
  readonly #worker: Watched
  readonly #startTimeout: number
  readonly #overdue: (progress: Progress) => void
  #timer: NodeJS.Timeout | undefined
  /** When it looks at the worker again, by `performance.now()`. */
  #due = Infinity

  /**
   * @param startTimeout In milliseconds.
   * @param overdue Called when an item or the loading of its task takes too long.
   */
  constructor(worker: Watched, startTimeout: number, overdue: (progress: Progress) => void) {
    this.#worker = worker
    this.#startTimeout = startTimeout
    this.#overdue = overdue
  }

  /** The worker has been given a chunk: an item of any that it holds may begin now. */
  watch(atMost?: number): void {
    const wait = Math.min(atMost ?? Infinity, ...this.#worker.assignments.map((held) => this.#limitOf(held)))
    const due = performance.now() + wait
    if (due >= this.#due) return
    this.stop()
    this.#due = due
    this.#timer = setTimeout(this.#look, wait).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#due = Infinity
  }

  readonly #look = (): void => {
    this.#due = Infinity
    const worker = this.#worker
    // First the messages that have come: the items in them do not run any more.
    worker.drain()
    // It is ending already.
    if (worker.isUnreadable) return
    const progress = worker.progress()
    const running = worker.assignments.find(({ seq }) => seq === progress.seq)
    const timeout = progress.isLoading ? this.#startTimeout : running?.inFlight.lane.job.timeout
    const isLooking = running !== undefined && (progress.isLoading || progress.chunkOffset !== -1)
    if (timeout === undefined || !isLooking) this.watch()
    else if (progress.time < timeout) this.watch(timeout - progress.time)
    else this.#overdue(progress)
  }

  /** The least time in which something of a chunk may take too long. */
  #limitOf({ inFlight, known }: Assignment): number {
    return Math.min(inFlight.lane.job.timeout ?? Infinity, known.isLoaded ? Infinity : this.#startTimeout)
  }
}
