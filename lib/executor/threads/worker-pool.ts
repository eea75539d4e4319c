/**
 * The workers of a pool: starts them, replaces those that are spent, and ends them after their finalizers. `scheduler.ts` decides which
 * chunk goes to which worker, and `crash-recovery.ts` what the death of a worker costs.
 */
import { isErrorObject, received, WorkerStartError } from '../../errors.js'
import { uncaughtInWorker, workerRecycled, type WorkerEvent } from '../../log/events.js'
import { addEnding, removeEnding } from '../../worker/ending.js'
import { redefinitions } from '../../task.js'
import { cureOf, lacksResources } from '../../threads/resources.js'
import type { Assignment } from './chunk-sender.js'
import type { Mailbox } from '../../fifo.js'
import { WorkerHandle, type Report } from './worker-handle.js'
import type { WorkerEnd, WorkerOptions } from './worker-link.js'

/** After this many failed starts in a row, the pool waits before it tries again. If it has no thread left, it is broken. */
const MAX_FAILED_STARTS = 3
/** How long it waits, in milliseconds. */
const START_PAUSE_MS = 5_000
/** A terminal or a service manager sends them to all processes of a program. Only workers that have started ignore them. */
const GROUP_SIGNALS: ReadonlySet<NodeJS.Signals | undefined> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)

export interface WorkerPoolOptions extends WorkerOptions {
  readonly workers: number
  /** A thread is replaced after this many items, or when it has this many bytes of its heap in use after a chunk. */
  readonly maxTasksPerWorker?: number | undefined
  readonly maxHeapUsed?: number | undefined
}

/** How a worker has ended, and what it held. */
type Loss =
  /** It had or held chunks, and was not asked to end. */
  | { readonly kind: 'died'; readonly held: readonly Assignment[]; readonly end: WorkerEnd }
  /** It has run nothing. */
  | { readonly kind: 'notStarted'; readonly held: readonly Assignment[] }
  /** It has run nothing, and no worker can be started. */
  | { readonly kind: 'broken'; readonly held: readonly Assignment[]; readonly error: WorkerStartError }

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #reports: Mailbox<Report>
  readonly #workers = new Set<WorkerHandle>()
  /** Threads that run their finalizers, and the ends of all that were told to end. */
  readonly #finishing = new Set<WorkerHandle>()
  readonly #ending = new Set<Promise<unknown>>()
  /** By number, the thread that was started last with it. */
  readonly #started = new Map<number, WorkerEvent>()
  #failedStarts = 0
  #pause: NodeJS.Timeout | undefined
  /** Whether a start has failed for lack of handles or memory. Then threads are started one by one. */
  #isShort = false
  #recycled = 0
  #redefinitions = redefinitions()
  #hasWork = false
  /** The values that finalizers returned. */
  readonly #finalResults: unknown[] = []
  /** The first error of a finalizer. */
  #finalError: { readonly error: unknown } | undefined

  /** @param reports For its workers. It is also woken when a start becomes possible that was not possible before. */
  constructor(options: WorkerPoolOptions, reports: Mailbox<Report>) {
    this.#options = options
    this.#reports = reports
  }

  /** The living workers, in the order in which they were started. */
  get workers(): ReadonlySet<WorkerHandle> {
    return this.#workers
  }

  /** The last thread that was started with this number. */
  identify(number: number): WorkerEvent {
    const { name } = this.#options
    return this.#started.get(number) ?? { name: `${name}-${number}`, pid: -1, pool: name, worker: number }
  }

  /** How many threads were replaced because they were spent. */
  get recycled(): number {
    return this.#recycled
  }

  /** Whether it has fewer workers than it may have. */
  get isSmall(): boolean {
    return this.#workers.size < this.#options.workers
  }

  /** Starts threads that are missing. @param demand How many are needed, besides those that hold a chunk. */
  start(demand: number): void {
    if (!this.#mayStart) return
    let busy = 0
    for (const { assignments } of this.#workers) if (assignments.length > 0) busy++
    this.#startUpTo(busy + demand)
  }

  get #mayStart(): boolean {
    // A thread that ends frees what the next one needs.
    if (this.#isShort && this.#ending.size > 0) return false
    return this.isSmall && (this.#pause === undefined || this.#workers.size === 0)
  }

  #startUpTo(wanted: number): void {
    const { size } = this.#workers
    const count = Math.min(wanted, this.#options.workers, this.#isShort ? size + 1 : Infinity)
    if (size >= count || !this.#mayStart) return
    if (this.#isShort) this.#pauseStarts()
    const numbers = new Set([...this.#workers].map(({ link }) => link.number))
    for (let number = 1; this.#workers.size < count; number++) {
      if (!numbers.has(number)) this.#workers.add(this.#startOne(number))
    }
  }

  /** Whether a thread is to be replaced, and gets no chunks. */
  isSpent(worker: WorkerHandle): boolean {
    const { maxTasksPerWorker = Infinity, maxHeapUsed = Infinity } = this.#options
    return worker.itemsSent >= maxTasksPerWorker || worker.heapUsed > maxHeapUsed || worker.isOutdated
  }

  /** Replaces a thread that is spent and holds nothing. */
  replaceIfSpent(worker: WorkerHandle): void {
    if (!this.#workers.has(worker) || worker.assignments.length > 0 || !this.isSpent(worker)) return
    this.#recycled++
    void this.#finish(worker)
    this.#startUpTo(this.#workers.size + 1)
    // Last, because a listener may end a stream, which leads here again.
    workerRecycled({ ...worker.link.identity, items: worker.itemsSent, heapUsed: worker.heapUsed })
  }

  /** Replaces threads that hold nothing and have loaded tasks that were defined again later. */
  replaceOutdated(): void {
    if (this.#redefinitions === redefinitions()) return
    this.#redefinitions = redefinitions()
    for (const worker of [...this.#workers]) this.replaceIfSpent(worker)
  }

  /** Ends a worker on purpose, at once. @returns What it held. */
  end(worker: WorkerHandle): readonly Assignment[] {
    this.#remove(worker)
    this.#await(worker.link.terminate())
    return worker.lost()
  }

  /** As `end()`, also for a thread that waits for its finalizer and does not get there. */
  giveUp(worker: WorkerHandle): readonly Assignment[] {
    if (!this.#finishing.delete(worker)) return this.end(worker)
    void worker.link.terminate()
    return worker.lost()
  }

  /** Ends all threads at once, also those that run their finalizers. */
  endAll(): void {
    for (const worker of this.#workers) this.end(worker)
    for (const worker of this.#finishing) void worker.link.terminate()
  }

  /** Ends all threads after their finalizers. Resolves when all have ended, with what all finalizers so far returned. Never rejects. */
  async finishAll(): Promise<unknown[]> {
    await Promise.all([...this.#workers].map((worker) => this.#finish(worker)))
    await Promise.all(this.#ending)
    // By the next start, the program may have closed other handles.
    if (this.#workers.size === 0) this.#isShort = false
    return this.#finalResults
  }

  /** At the end of the program: asks all threads to end. */
  readonly #leaveAll = async (): Promise<void> => {
    const left = [...this.#workers].map((worker) => {
      this.#remove(worker)
      return worker.leave()
    })
    await Promise.all(left)
  }

  /** Throws the first error that a finalizer has had. */
  assertFinalized(): void {
    if (this.#finalError !== undefined) throw this.#finalError.error
  }

  /** While chunks of open lanes wait or run, the threads keep the program alive. */
  keepAlive(hasWork: boolean): void {
    if (hasWork === this.#hasWork) return
    this.#hasWork = hasWork
    for (const worker of this.#workers) worker.link.keepAlive(hasWork)
  }

  #startOne(number: number): WorkerHandle {
    const worker = new WorkerHandle(number, this.#options, this.#reports)
    this.#started.set(number, worker.link.identity)
    addEnding(this.#leaveAll)
    worker.link.keepAlive(this.#hasWork)
    return worker
  }

  /** A worker has started, and can work: most likely others can, too. */
  started(): void {
    this.#failedStarts = 0
    if (this.#workers.size === this.#options.workers) this.#isShort = false
  }

  /** A worker has ended. @returns undefined if it was asked to. */
  lose(worker: WorkerHandle): Loss | undefined {
    const { end, uncaught } = worker.link
    if (end === undefined || !this.#workers.has(worker)) return undefined
    const { wasReady, exitCode, signal, cause } = end
    if (!wasReady && GROUP_SIGNALS.has(signal)) {
      // It says nothing about the next start.
      this.#remove(worker)
      return { kind: 'notStarted', held: worker.lost() }
    }
    if (!wasReady) return this.#notStarted(worker, cause)
    if (worker.hasWorked || worker.assignments.length > 0) {
      this.#remove(worker)
      // It had started: most likely others can, too.
      if (this.#workers.size === 0) this.#failedStarts = 0
      return { kind: 'died', held: worker.lost(), end }
    }
    // Another one would do the same.
    if (uncaught !== undefined) uncaughtInWorker(worker.link.identity, uncaught.error)
    return this.#notStarted(worker, cause ?? new Error(`it ended with exit code ${exitCode} before its first item`))
  }

  #notStarted(worker: WorkerHandle, cause: unknown): Loss {
    this.#remove(worker)
    const held = worker.lost()
    if (!worker.link.isOverdue && lacksResources(cause)) {
      this.#isShort = true
      // Of several starts at once, each may have taken what another one needed. So only the last one counts.
      if (this.#workers.size > 0) this.#pauseStarts()
      else if (this.#ending.size === 0) this.#failedStarts++
    } else {
      // A start that hangs would hang again, so there is only one attempt.
      this.#failedStarts = worker.link.isOverdue ? MAX_FAILED_STARTS : this.#failedStarts + 1
    }
    if (this.#failedStarts >= MAX_FAILED_STARTS) {
      if (this.#workers.size === 0) {
        return { kind: 'broken', held, error: this.#startError(worker, cause) }
      }
      // The pool works with the threads that it has, instead of trying without end.
      this.#pauseStarts()
    }
    return { kind: 'notStarted', held }
  }

  #startError({ link: { isOverdue } }: WorkerHandle, cause: unknown): WorkerStartError {
    const reason = isErrorObject(cause) ? cause.message : received(cause)
    const attempts = isOverdue ? '' : ` (${MAX_FAILED_STARTS} attempts failed)`
    const message = `Cannot start the workers of pool '${this.#options.name}'${attempts}: ${reason}${cureOf(reason)}`
    return new WorkerStartError(message, { cause })
  }

  #pauseStarts(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined
      this.#reports.wake()
    }, START_PAUSE_MS).unref()
  }

  /** Lets a thread end, after its finalizer. */
  async #finish(worker: WorkerHandle): Promise<void> {
    this.#remove(worker)
    this.#finishing.add(worker)
    const finished = worker.finish()
    this.#await(finished)
    const finalized = await finished
    const wasGivenUp = !this.#finishing.delete(worker)
    if (finalized === undefined || wasGivenUp) return
    if ('value' in finalized) this.#finalResults.push(finalized.value)
    else this.#finalError ??= finalized
  }

  #remove(worker: WorkerHandle): void {
    this.#workers.delete(worker)
    if (this.#workers.size === 0) removeEnding(this.#leaveAll)
  }

  #await(ended: Promise<unknown>): void {
    const settled: Promise<unknown> = ended.then(() => {
      this.#ending.delete(settled)
      if (this.#isShort && this.#ending.size === 0) this.#reports.wake()
    })
    this.#ending.add(settled)
  }
}
