/**
 * Sees to it that no item runs longer than its stream's `timeout`, and that no module of a task is loaded for longer than the pool's
 * `startTimeout`: a timer for each thread that has such a chunk.
 */
import type { Progress } from '../worker/cells.js'
import type { Thread } from './thread.js'
import type { Held } from './turn.js'

/** When to look at a thread again. */
interface Watch {
  readonly timer: NodeJS.Timeout
  /** By `performance.now()`. */
  readonly due: number
}

export class TimeLimits {
  readonly #threads: ReadonlyMap<Thread, readonly Held[]>
  readonly #startTimeout: number
  readonly #overdue: (thread: Thread, held: readonly Held[], progress: Progress) => void
  readonly #watches = new Map<Thread, Watch>()

  /**
   * @param threads The living threads and the chunks they hold.
   * @param startTimeout In milliseconds.
   * @param overdue Called when the item that a thread runs has been running for too long, or its task has been loading for too long.
   */
  constructor(
    threads: ReadonlyMap<Thread, readonly Held[]>,
    startTimeout: number,
    overdue: (thread: Thread, held: readonly Held[], progress: Progress) => void,
  ) {
    this.#threads = threads
    this.#startTimeout = startTimeout
    this.#overdue = overdue
  }

  /** A thread has been given a chunk: an item of any that it holds may begin now. */
  watch(thread: Thread, milliseconds?: number): void {
    const timeouts = this.#threads.get(thread)?.map((held) => this.#limitOf(held)) ?? []
    const wait = Math.min(milliseconds ?? Infinity, ...timeouts)
    const due = performance.now() + wait
    if (due >= (this.#watches.get(thread)?.due ?? Infinity)) return
    this.forget(thread)
    const timer = setTimeout(() => {
      this.#look(thread)
    }, wait)
    this.#watches.set(thread, { timer: timer.unref(), due })
  }

  forget(thread: Thread): void {
    clearTimeout(this.#watches.get(thread)?.timer)
    this.#watches.delete(thread)
  }

  #look(thread: Thread): void {
    this.#watches.delete(thread)
    // Items that have ended meanwhile are not to be taken for those that run.
    thread.link.drain()
    // It is ending already; what it has lost is found out then.
    if (thread.link.isGarbled) return
    const held = this.#threads.get(thread) ?? []
    const progress = thread.link.progress()
    const running = held.find(({ seq }) => seq === progress.seq)
    const timeout = progress.isLoading ? this.#startTimeout : running?.turn.lane.job.timeout
    const isLooking = running !== undefined && (progress.isLoading || progress.place !== -1)
    if (timeout === undefined || !isLooking) this.watch(thread)
    else if (progress.time < timeout) this.watch(thread, timeout - progress.time)
    else this.#overdue(thread, held, progress)
  }
  /** The least time in which something of a chunk may take too long. */
  #limitOf({ turn, known }: Held): number {
    return Math.min(turn.lane.job.timeout ?? Infinity, known.isLoaded ? Infinity : this.#startTimeout)
  }
}
