/**
 * Runs chunks on worker threads. Each stream has a lane with room for one waiting chunk. Whatever happens (a chunk is submitted, a worker
 * reports something) leads to `#advance()`, the one place that decides what is done. The pool keeps the workers alive, the scheduler says
 * which of them gets what, and crash recovery what a dead one costs.
 */
import { encodeError } from '../../codec/error-codec/encode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import { uncaughtInWorker, workerTimedOut, type WorkerEvent } from '../../log/events.js'
import { PoolClosedError, type MainThreadGuardError } from '../../errors.js'
import type { Progress } from '../../worker/cells.js'
import { assertMayStart } from '../../worker/guard.js'
import type { PartMessage } from '../../worker/protocol.js'
import type { Chunk, Job, Lane, LaneClient, Part, PoolExecutor, Reason } from '../executor.js'
import type { Assignment } from './chunk-sender.js'
import { CrashRecovery, type LostItems } from './crash-recovery.js'
import { InFlightChunk } from './in-flight-chunk.js'
import { Reports } from './reports.js'
import { REBALANCE_AFTER_MS, Scheduler } from './scheduler.js'
import { ThreadLane } from './thread-lane.js'
import type { Report, WorkerHandle } from './worker-handle.js'
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.js'

/** How long a cancelled chunk may go on before its worker is replaced, in milliseconds. */
const CANCEL_TIMEOUT_MS = 1_000

export interface ThreadExecutorOptions extends WorkerPoolOptions {
  /** How long the workers outlive the last stream, in milliseconds. */
  readonly idleTimeout: number
}

/** What a pool is doing, at this moment. */
export interface PoolStats {
  /** Threads that are starting. */
  readonly starting: number
  /** Threads that have started, busy or not. */
  readonly ready: number
  /** Threads that hold a chunk. */
  readonly busy: number
  /** Chunks that wait for a thread. */
  readonly waiting: number
  /** Streams that are open. */
  readonly streams: number
  /** Threads that died while they were not asked to, since the pool was made. */
  readonly crashes: number
  /** Threads that were ended since an item took longer than its `timeout`, or a module longer to load than `startTimeout`. */
  readonly timeouts: number
  /** Threads that were replaced: by `maxTasksPerWorker` or `maxHeapUsed`, or as their module of tasks was evaluated again. */
  readonly recycled: number
}

export class ThreadExecutor implements PoolExecutor {
  readonly name: string
  readonly workers: number
  readonly #options: ThreadExecutorOptions
  readonly #reports: Reports<Report>
  readonly #pool: WorkerPool
  readonly #scheduler: Scheduler
  readonly #recovery: CrashRecovery
  readonly #lanes = new Set<ThreadLane>()
  /** Those that have something new for their streams. */
  readonly #toWake: ThreadLane[] = []
  #isAdvancing = false
  /** Something has happened while it advanced. */
  #isWoken = false
  #rebalanceTimer: NodeJS.Timeout | undefined
  #lastNumber = 0
  /** How many more chunks will soon wait: of streams that begin. */
  #expected = 0
  /** How many chunks of open lanes have not had their last outcomes. */
  #outstanding = 0
  #crashes = 0
  #timeouts = 0
  #broken: Error | undefined
  #isTerminated = false
  /** What close() gives: what the finalizers of the last workers returned. */
  #closing: Promise<unknown[]> | undefined
  /** Called when the last stream has ended after close(). */
  #drained: (() => void) | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(options: ThreadExecutorOptions) {
    this.name = options.name
    this.workers = options.workers
    this.#options = options
    this.#reports = new Reports(this.#advance)
    this.#pool = new WorkerPool(options, this.#reports)
    this.#scheduler = new Scheduler(this.#pool)
    this.#recovery = new CrashRecovery(options.name)
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  get broken(): boolean {
    return this.#broken !== undefined
  }

  /** Whether a stream may be opened; throws the reason when not. */
  assertOpen(): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.closed) {
      throw new PoolClosedError(
        `Cannot use pool '${this.#options.name}' as it is closed: make a new Pool`,
        'ERR_POOL_CLOSED',
      )
    }
  }

  identify(worker: number): WorkerEvent {
    return this.#pool.identify(worker)
  }

  open(job: Job, client: LaneClient): Lane {
    this.assertOpen()
    assertMayStart()
    const lane = new ThreadLane(this, job, client)
    this.#lanes.add(lane)
    clearTimeout(this.#idleTimer)
    return lane
  }

  /** Lets the open streams finish, then ends the workers. Resolves with what their finalizers returned. */
  close(): Promise<unknown[]> {
    if (this.#closing === undefined) {
      const drained = new Promise<void>((resolve) => {
        this.#drained = resolve
      })
      this.#closing = this.#finish(drained)
      // Who waits for it is told; others need not know.
      this.#closing.catch(() => undefined)
      this.#resolveIfDrained()
    }
    return this.#closing
  }

  /** Ends the workers now, and the open streams with `error`. */
  async terminate(error: Error): Promise<void> {
    this.#isTerminated = true
    this.#pool.endAll()
    const closed = this.close()
    this.#breakLanes(error)
    // What finalizers failed of is for close() to tell.
    await closed.catch(() => undefined)
  }

  stats(): PoolStats {
    const workers = [...this.#pool.workers]
    return {
      starting: workers.filter(({ thread }) => thread.state === 'starting').length,
      ready: workers.filter(({ isReady }) => isReady).length,
      busy: workers.filter(({ assignments }) => assignments.length > 0).length,
      waiting: this.#scheduler.waiting,
      streams: this.#lanes.size,
      crashes: this.#crashes,
      timeouts: this.#timeouts,
      recycled: this.#pool.recycled,
    }
  }

  /** For a lane: a chunk waits. */
  submit(lane: ThreadLane, chunk: Chunk): void {
    this.#scheduler.add(new InFlightChunk(lane, chunk, ++this.#lastNumber))
    this.#countOutstanding(lane, 1)
    this.#expected += lane.takeDemand() - 1
  }

  /** For a lane: its stream can be woken. */
  flush(): void {
    this.#advance()
  }

  /** For a lane that is closed: its waiting chunks are dropped, its running ones cancelled. */
  release(lane: ThreadLane, reason?: Reason): void {
    if (!this.#lanes.delete(lane)) return
    this.#countOutstanding(lane, -lane.outstanding)
    this.#scheduler.removeAll(lane)
    this.#recovery.released(lane)
    let encoded: EncodedError | undefined
    for (const worker of this.#pool.workers) {
      // The waiting one first: it must not begin when the running one has stopped.
      for (const held of worker.assignments.filter(({ inFlight }) => inFlight.lane === lane).reverse()) {
        if (worker.withdraw(held)) continue
        encoded ??= reason && encodeError(reason.value)
        worker.cancel(held, encoded)
        this.#replaceUnlessDone(worker, held.seq)
      }
      worker.forget(lane.job)
      this.#pool.replaceIfSpent(worker)
    }
    this.#resolveIfDrained()
    this.#startIdleTimer()
    // A worker may be free now that nothing else could be given to.
    this.#advance()
  }

  /**
   * Does all that can be done: deals with what was reported, starts workers, gives them chunks, and wakes streams. To be called
   * whenever anything may have changed. Code of the user runs where items are sent, and in streams that are woken: where it leads
   * here again, there is another round.
   */
  readonly #advance = (): void => {
    this.#isWoken = this.#isAdvancing
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      let isFirst = true
      do {
        this.#isWoken = false
        this.#handleReports()
        if (isFirst) this.#takeBackSurplus()
        isFirst = false
        this.#startWorkers()
        this.#giveChunks()
        this.#wakeStreams()
      } while (this.#isWoken)
    } finally {
      this.#isAdvancing = false
    }
  }

  // What workers have reported.

  #handleReports(): void {
    for (let report = this.#reports.take(); report !== undefined; report = this.#reports.take()) this.#handle(report)
  }

  #handle(report: Report): void {
    if (report.kind === 'part') this.#onPart(report.worker, report.held, report.message)
    else if (report.kind === 'working') this.#pool.started()
    else if (report.kind === 'ended') this.#onEnded(report.worker)
    else this.#onOverdue(report.worker, report.progress)
  }

  #onPart(worker: WorkerHandle, held: Assignment, message: PartMessage): void {
    const { inFlight } = held
    const { lane } = inFlight
    const isLast = message[3]
    lane.loaded()
    const part = lane.isOpen ? inFlight.accept(message, worker.number, held.sentBytes) : undefined
    if (part !== undefined) this.#answer(lane, part)
    if (!isLast) return
    lane.recordDuration(message[4])
    if (part?.last !== true) this.#requeue([held])
    if (inFlight.isComplete) this.#recovery.settled(lane, inFlight.chunk)
    this.#pool.replaceIfSpent(worker)
  }

  #onEnded(worker: WorkerHandle): void {
    const loss = this.#pool.lose(worker)
    if (loss === undefined) return
    this.#requeue(loss.held, loss.kind === 'died' ? loss.exitCode : undefined)
    if (loss.kind === 'broken') {
      this.#broken = loss.error
      this.#breakLanes(loss.error)
    } else if (loss.kind === 'died') {
      this.#crashes++
      this.#onDied(worker, loss.held, loss.exitCode, loss.cause)
    }
  }

  #onDied(worker: WorkerHandle, held: readonly Assignment[], exitCode: number, cause: unknown): void {
    if ((cause as Partial<MainThreadGuardError> | undefined)?.code === 'ERR_MAIN_THREAD_GUARD') {
      // Each worker would end so, once its module has run for a while, whatever its items are.
      if (this.#lanes.size === 0 && worker.thread.uncaught !== undefined) uncaughtInWorker(worker.identity, cause)
      this.#breakLanes(cause)
    } else if (worker.isUnreadable) this.#settle(this.#recovery.unreadable(worker, held))
    else this.#settle(this.#recovery.crashed(worker, held, exitCode, cause))
  }

  #onOverdue(worker: WorkerHandle, progress: Progress): void {
    this.#timeouts++
    const running = worker.assignments.find(({ seq }) => seq === progress.seq)
    const { isLoading } = progress
    const timeout = isLoading ? this.#options.startTimeout : (running?.inFlight.lane.job.timeout ?? 0)
    workerTimedOut({ ...worker.identity, timeout }, isLoading ? 'the module of a task takes longer to load' : undefined)
    const held = this.#pool.end(worker)
    this.#requeue(held)
    if (isLoading) this.#settle(this.#recovery.hungLoading(worker, held, progress, timeout))
    else this.#settle(this.#recovery.overdue(worker, held, progress))
  }

  /** Chunks that a worker held go to others, each in its turn. @param exitCode Of the worker, if it has ended. */
  #requeue(held: readonly Assignment[], exitCode = 1): void {
    for (const { inFlight } of held) {
      inFlight.returned(exitCode)
      if (inFlight.lane.isOpen) this.#scheduler.add(inFlight)
    }
  }

  /** Gives outcomes of a chunk that waits. If they are the last, it does not wait any more. */
  #settle(outcome: LostItems | undefined): void {
    if (outcome === undefined) return
    const { inFlight, part } = outcome
    if (part.last) this.#scheduler.remove(inFlight)
    this.#answer(inFlight.lane, part)
  }

  #answer(lane: ThreadLane, part: Part): void {
    lane.answer(part)
    if (part.last) this.#countOutstanding(lane, -1)
    this.#wakeLater(lane)
  }

  /**
   * Its stream is woken at the end of the round, after those that have been noted before it. A stream submits its next chunk then: so
   * streams take turns in the order in which their last chunks were given.
   */
  #wakeLater(lane: ThreadLane): void {
    lane.wakeAt = this.#toWake.push(lane) - 1
  }

  #wakeStreams(): void {
    // By index: others may be added meanwhile.
    for (let i = 0; i < this.#toWake.length; i++) {
      const lane = this.#toWake[i]
      if (lane?.wakeAt !== i) continue
      lane.wakeAt = -1
      lane.client.wake()
    }
    this.#toWake.length = 0
  }

  #countOutstanding(lane: ThreadLane, change: number): void {
    lane.outstanding += change
    this.#outstanding += change
    this.#pool.keepAlive(this.#outstanding > 0)
  }

  /** Starts workers where there is something for them to do. */
  #startWorkers(): void {
    if (this.#isTerminated || this.broken) return
    this.#pool.replaceOutdated()
    const { waiting } = this.#scheduler
    if (waiting > 0) this.#pool.start(waiting + this.#expected)
    this.#expected = 0
  }

  /** Chunks were given to a worker as those before them were expected to be short: where one is not, the others go back. */
  #takeBackSurplus(): void {
    for (const worker of this.#pool.workers) {
      let back: Assignment[] | undefined
      // From the last one on: the worker passes over those that were withdrawn, and so takes the next one sooner.
      for (let held = this.#scheduler.surplusOf(worker); held !== undefined; held = this.#scheduler.surplusOf(worker)) {
        if (!worker.withdraw(held)) break
        back ??= []
        back.unshift(held)
      }
      if (back !== undefined) this.#requeue(back)
    }
  }

  /** Gives chunks to workers, as long as there are both. */
  #giveChunks(): void {
    // First of all those that wait in no worker: one that took a later chunk could not take them until that is done.
    do {
      this.#scheduler.unpark()
      for (let next = this.#scheduler.next(); next !== undefined; next = this.#scheduler.next()) {
        this.#give(next.inFlight, next.worker)
      }
    } while (this.#rebalance())
  }

  #give(inFlight: InFlightChunk, worker: WorkerHandle): void {
    const { lane } = inFlight
    if (lane.fault === undefined) worker.assign(inFlight)
    else this.#answer(lane, inFlight.failRest(lane.fault.worker, lane.fault.error))
    lane.taken()
    this.#wakeLater(lane)
  }

  /** Gives a worker that has nothing to do a chunk that waits behind another one. @returns Whether there were both. */
  #rebalance(): boolean {
    for (let move = this.#scheduler.move(); move !== undefined; move = this.#scheduler.move()) {
      if (move === 'later') {
        this.#rebalanceTimer ??= setTimeout(this.#rebalanceLater, REBALANCE_AFTER_MS).unref()
        return false
      }
      if (!move.from.withdraw(move.held)) continue
      move.to.assign(move.held.inFlight)
      return true
    }
    return false
  }

  readonly #rebalanceLater = (): void => {
    this.#rebalanceTimer = undefined
    this.#advance()
  }

  #replaceUnlessDone(worker: WorkerHandle, seq: number): void {
    setTimeout(() => {
      if (worker.thread.state === 'dead' || worker.progress().seq !== seq) return
      this.#requeue(this.#pool.giveUp(worker).slice(1))
      this.#advance()
    }, CANCEL_TIMEOUT_MS).unref()
  }

  // The end.

  async #finish(drained: Promise<void>): Promise<unknown[]> {
    await drained
    const results = await this.#pool.finishAll()
    this.#pool.assertFinalized()
    return results
  }

  #resolveIfDrained(): void {
    if (this.#drained === undefined || this.#lanes.size > 0) return
    clearTimeout(this.#idleTimer)
    this.#drained()
  }

  #startIdleTimer(): void {
    const { idleTimeout } = this.#options
    if (this.closed || this.#lanes.size > 0 || idleTimeout === Infinity) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      void this.#pool.finishAll()
    }, idleTimeout).unref()
  }

  /** Ends all streams with an error. */
  #breakLanes(error: unknown): void {
    for (const lane of this.#lanes) {
      lane.break(error)
      this.#wakeLater(lane)
    }
    this.#advance()
  }
}
