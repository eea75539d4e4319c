/**
 * The time limits of a worker: the `timeout` of a stream for each item, and the `startTimeout` of the pool for a module of tasks.
 * A timer runs while the worker holds a chunk with such a limit.
 */
import type { Progress } from '../../worker/cells.js'
import type { Assignment } from './chunk-sender.js'

export class TimeLimit {
  readonly #startTimeout: number
  readonly #wake: () => void
  #timer: NodeJS.Timeout | undefined
  /** When the worker is to be looked at, by `performance.now()`. */
  #dueAt = Infinity
  #isDue = false

  /**
   * @param startTimeout In milliseconds.
   * @param wake Called when it is due: then `check()` tells whether something takes too long.
   */
  constructor(startTimeout: number, wake: () => void) {
    this.#startTimeout = startTimeout
    this.#wake = wake
  }

  get isDue(): boolean {
    return this.#isDue
  }

  /** The worker has these chunks: an item of any of them may begin now. */
  watch(assignments: readonly Assignment[], atMost?: number): void {
    const wait = Math.min(atMost ?? Infinity, ...assignments.map((held) => this.#limitOf(held)))
    const dueAt = performance.now() + wait
    if (dueAt >= this.#dueAt) return
    this.stop()
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => {
      this.#dueAt = Infinity
      this.#isDue = true
      this.#wake()
    }, wait).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#dueAt = Infinity
    this.#isDue = false
  }

  /** Whether the item that runs, or the loading of its task, takes too long. If not, it watches on. */
  check(assignments: readonly Assignment[], progress: Progress): boolean {
    this.#isDue = false
    const running = assignments.find(({ seq }) => seq === progress.seq)
    const timeout = progress.isLoading ? this.#startTimeout : running?.inFlight.lane.job.timeout
    const isRunning = running !== undefined && (progress.isLoading || progress.chunkOffset !== -1)
    if (timeout === undefined || !isRunning) this.watch(assignments)
    else if (progress.time < timeout) this.watch(assignments, timeout - progress.time)
    else return true
    return false
  }

  /** The least time in which something of a chunk may take too long. */
  #limitOf({ inFlight, known }: Assignment): number {
    return Math.min(inFlight.lane.job.timeout ?? Infinity, known.isLoaded ? Infinity : this.#startTimeout)
  }
}
