/**
 * The threads of a pool, and what each holds: starts them, replaces those that are spent, ends them after their finalizers.
 * Which chunk goes to which thread is decided elsewhere (`dispatcher.ts`), and what a death costs (`losses.ts`).
 */
import { isErrorObject, received, WorkerStartError } from '../errors.js'
import { uncaughtInWorker, workerRecycled, type WorkerEvent } from '../log/events.js'
import { addEnding, removeEnding } from '../worker/ending.js'
import type { PartMessage } from '../worker/protocol.js'
import { redefinitions } from '../task.js'
import { cureOf, lacksResources } from './resources.js'
import { Thread, type ThreadOptions } from './thread.js'
import type { Held } from './turn.js'

/** After so many starts in a row that failed, none is tried for a while; where no thread is left, the pool is broken. */
const STARTS = 3
/** How long that while is, in milliseconds. */
const PAUSE = 5_000

export interface CrewOptions extends ThreadOptions {
  readonly workers: number
  /** A thread is replaced when it has been given so many items, or has so many bytes of its heap in use after a chunk. */
  readonly maxTasksPerWorker?: number | undefined
  readonly maxHeapUsed?: number | undefined
}

/** What a crew reports. */
export interface CrewEvents {
  /** A thread can be given chunks, or one can be started that could not be before. */
  ready(): void
  part(thread: Thread, held: Held[], message: PartMessage): void
  /** A thread that had done something, or was to do it, has ended, and was not asked to. `cause` is its uncaught error, if there was one. */
  died(thread: Thread, held: readonly Held[], exitCode: number, cause: unknown): void
  /** A thread has ended that had done nothing: what it held must go to others. */
  failed(held: readonly Held[]): void
  /** No thread can be started. */
  broken(error: WorkerStartError, held: readonly Held[]): void
  /** A thread belongs to the crew no more, whatever became of it. */
  left(thread: Thread): void
}

export class Crew {
  readonly #options: CrewOptions
  readonly #events: CrewEvents
  readonly #threads = new Map<Thread, Held[]>()
  /** Threads that run their finalizers, and all that were told to end. */
  readonly #finishing = new Set<Thread>()
  readonly #ending = new Set<Promise<unknown>>()
  /** Who has been started last with which number. */
  readonly #started = new Map<number, WorkerEvent>()
  #failedStarts = 0
  #pause: NodeJS.Timeout | undefined
  /** Whether a start has failed for lack of handles or memory: from then on threads are started one by one. */
  #isShort = false
  #recycled = 0
  #redefinitions = redefinitions()
  #work = 0
  /** What the finalizers returned. */
  readonly #finalResults: unknown[] = []
  /** The first error of a finalizer. */
  #finalError: { readonly error: unknown } | undefined

  constructor(options: CrewOptions, events: CrewEvents) {
    this.#options = options
    this.#events = events
  }

  /** The living threads, each with the chunks it holds, in the order it runs them. */
  get threads(): ReadonlyMap<Thread, Held[]> {
    return this.#threads
  }

  /** The last thread that was started with this number. */
  identify(number: number): WorkerEvent {
    const { name } = this.#options
    return this.#started.get(number) ?? { name: `${name}-${number}`, pid: -1, pool: name, worker: number }
  }

  /** How many threads were replaced as they were spent. */
  get recycled(): number {
    return this.#recycled
  }

  /**
   * Starts threads that are missing.
   *
   * @param demand For how many there is something to do, beside those that hold a chunk.
   */
  start(demand: number): void {
    if (!this.#mayStart) return
    let busy = 0
    for (const held of this.#threads.values()) if (held.length > 0) busy++
    this.#startUpTo(busy + demand)
  }

  get #mayStart(): boolean {
    // Those that end give back what the next one needs.
    if (this.#isShort && this.#ending.size > 0) return false
    return this.#threads.size < this.#options.workers && (this.#pause === undefined || this.#threads.size === 0)
  }

  #startUpTo(wanted: number): void {
    const { size } = this.#threads
    const count = Math.min(wanted, this.#options.workers, this.#isShort ? size + 1 : Infinity)
    if (size >= count || !this.#mayStart) return
    if (this.#isShort) this.#pauseStarts()
    const numbers = new Set([...this.#threads.keys()].map((thread) => thread.number))
    for (let number = 1; this.#threads.size < count; number++) {
      if (!numbers.has(number)) this.#threads.set(this.#startOne(number), [])
    }
  }

  /** Whether a thread is to be given nothing more. */
  isSpent(thread: Thread): boolean {
    const { maxTasksPerWorker = Infinity, maxHeapUsed = Infinity } = this.#options
    const { link } = thread
    return link.itemsSent >= maxTasksPerWorker || link.heapUsed > maxHeapUsed || link.isOutdated
  }

  /** Replaces a thread that is spent and holds nothing. */
  replaceIfSpent(thread: Thread): void {
    if (this.#threads.get(thread)?.length !== 0 || !this.isSpent(thread)) return
    this.#recycled++
    void this.#finish(thread)
    this.#startUpTo(this.#threads.size + 1)
    // Last: a listener may end a stream, which leads here again.
    workerRecycled({ ...thread.identity, items: thread.link.itemsSent, heapUsed: thread.link.heapUsed })
  }

  /** Replaces threads that hold nothing, and have loaded tasks that were defined again since. */
  replaceOutdated(): void {
    if (this.#redefinitions === redefinitions()) return
    this.#redefinitions = redefinitions()
    for (const thread of [...this.#threads.keys()]) this.replaceIfSpent(thread)
  }

  /** Ends a thread on purpose, at once: what it holds is no concern of it any more. */
  end(thread: Thread): void {
    this.#remove(thread)
    this.#await(thread.terminate())
  }

  /** As `end()`, for a thread that may be about to end after its finalizer, and that does not get there. */
  giveUp(thread: Thread): void {
    if (!this.#finishing.delete(thread)) this.end(thread)
    else void thread.terminate()
  }

  /** Ends all threads at once, also those that run their finalizers. */
  endAll(): void {
    for (const thread of this.#threads.keys()) this.end(thread)
    for (const thread of this.#finishing) void thread.terminate()
  }

  /** Ends all threads after their finalizers. Resolves with what those and all before them returned, when every thread has ended; never rejects. */
  async finishAll(): Promise<unknown[]> {
    await Promise.all([...this.#threads.keys()].map((thread) => this.#finish(thread)))
    await Promise.all(this.#ending)
    // Others of the program may have given handles back by the next time.
    if (this.#threads.size === 0) this.#isShort = false
    return this.#finalResults
  }

  /** As the program ends: lets all threads end by themselves, as far as that takes no time of its own. */
  readonly #leaveAll = async (): Promise<void> => {
    const left = [...this.#threads.keys()].map((thread) => {
      this.#remove(thread)
      return thread.leave()
    })
    await Promise.all(left)
  }

  /** Throws the first error that a finalizer has had. */
  assertFinalized(): void {
    if (this.#finalError !== undefined) throw this.#finalError.error
  }

  /** So many chunks more, or less, wait or run for somebody: while there are any, the threads keep the program alive. */
  count(change: 1 | -1): void {
    const before = this.#work
    this.#work += change
    if (before > 0 === this.#work > 0) return
    for (const thread of this.#threads.keys()) thread.keepAlive(this.#work > 0)
  }

  #startOne(number: number): Thread {
    const thread: Thread = new Thread(number, this.#options, {
      ready: () => {
        this.#events.ready()
      },
      failed: (cause) => {
        this.#onFailed(thread, cause)
      },
      part: (message) => {
        // Its first one: it did start, and can work.
        if (!thread.hasWorked) this.#onStarted()
        const held = this.#threads.get(thread)
        if (held !== undefined) this.#events.part(thread, held, message)
      },
      died: (exitCode, cause) => {
        this.#onDied(thread, exitCode, cause)
      },
    })
    this.#started.set(number, thread.identity)
    addEnding(this.#leaveAll)
    thread.keepAlive(this.#work > 0)
    return thread
  }

  #onStarted(): void {
    this.#failedStarts = 0
    if (this.#threads.size === this.#options.workers) this.#isShort = false
  }

  #onFailed(thread: Thread, cause: unknown): void {
    const held = this.#threads.get(thread)
    if (held === undefined) return
    this.#remove(thread)
    if (!thread.isOverdue && lacksResources(cause)) {
      this.#isShort = true
      // Of several at once, each may have taken what another one needed: only the last one counts.
      if (this.#threads.size > 0) this.#pauseStarts()
      else if (this.#ending.size === 0) this.#failedStarts++
    } else {
      // What hangs once hangs again: it is not waited for several times.
      this.#failedStarts = thread.isOverdue ? STARTS : this.#failedStarts + 1
    }
    if (this.#failedStarts >= STARTS) {
      if (this.#threads.size === 0) {
        this.#events.broken(this.#startError(thread, cause), held)
        return
      }
      // Fewer threads than were asked for are better than none, and than trying without end.
      this.#pauseStarts()
    }
    this.#events.failed(held)
  }

  #onDied(thread: Thread, exitCode: number, cause: unknown): void {
    const held = this.#threads.get(thread)
    if (held === undefined) return
    if (thread.hasWorked || held.length > 0) {
      this.#remove(thread)
      // It did start: others may be expected to.
      if (this.#threads.size === 0) this.#failedStarts = 0
      this.#events.died(thread, held, exitCode, cause)
    } else {
      // Another one would do the same.
      if (thread.uncaught !== undefined) uncaughtInWorker(thread.identity, thread.uncaught.error)
      this.#onFailed(thread, cause ?? new Error(`it ended with exit code ${exitCode} before its first item`))
    }
  }

  #startError({ isOverdue }: Thread, cause: unknown): WorkerStartError {
    const reason = isErrorObject(cause) ? cause.message : received(cause)
    const attempts = isOverdue ? '' : ` (${STARTS} attempts failed)`
    const message = `Cannot start the workers of pool '${this.#options.name}'${attempts}: ${reason}${cureOf(reason)}`
    return new WorkerStartError(message, { cause })
  }

  #pauseStarts(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined
      this.#events.ready()
    }, PAUSE).unref()
  }

  /** Lets a thread end, after its finalizer. */
  async #finish(thread: Thread): Promise<void> {
    const isBusy = this.#threads.get(thread)?.length !== 0
    this.#remove(thread)
    this.#finishing.add(thread)
    const finished = thread.finish(isBusy)
    this.#await(finished)
    const finalized = await finished
    const wasGivenUp = !this.#finishing.delete(thread)
    if (finalized === undefined || wasGivenUp) return
    if ('value' in finalized) this.#finalResults.push(finalized.value)
    else this.#finalError ??= finalized
  }

  #remove(thread: Thread): void {
    this.#threads.delete(thread)
    if (this.#threads.size === 0) removeEnding(this.#leaveAll)
    this.#events.left(thread)
  }

  #await(ended: Promise<unknown>): void {
    const settled: Promise<unknown> = ended.then(() => {
      this.#ending.delete(settled)
      if (this.#isShort && this.#ending.size === 0) this.#events.ready()
    })
    this.#ending.add(settled)
  }
}
