/**
 * Runs the chunks of a pool's lanes on its workers. Each event leads to `advance()`: a chunk is submitted, or a worker reports something.
 * It alone decides what is done. `WorkerPool` starts and ends workers, `Scheduler` says which of them gets which chunk, and
 * `CrashRecovery` what a dead one costs.
 */
import { encodeError } from '../../codec/error-codec/encode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import type { MainThreadGuardError } from '../../errors.js'
import { Mailbox } from '../../fifo.js'
import { uncaughtInWorker, workerTimedOut } from '../../log/events.js'
import type { Progress } from '../../worker/cells.js'
import type { PartMessage } from '../../worker/protocol.js'
import type { Chunk, Part, Reason } from '../executor.js'
import type { Assignment } from './chunk-sender.js'
import { CrashRecovery, type LostItems } from './crash-recovery.js'
import { InFlightChunk } from './in-flight-chunk.js'
import { REBALANCE_AFTER_MS, Scheduler } from './scheduler.js'
import { WakeList, type ThreadLane } from './thread-lane.js'
import type { Report, WorkerHandle } from './worker-handle.js'
import type { WorkerEnd } from './worker-link.js'
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.js'

/** How long a cancelled chunk may go on before its worker is replaced, in milliseconds. */
const CANCEL_TIMEOUT_MS = 1_000

export class ChunkRunner {
  readonly pool: WorkerPool
  /** Open lanes. */
  readonly lanes: Set<ThreadLane> = new Set<ThreadLane>()
  /** How many workers have died, and how many were ended because something took too long. */
  readonly counts: { crashes: number; timeouts: number } = { crashes: 0, timeouts: 0 }
  readonly #options: WorkerPoolOptions
  readonly #reports: Mailbox<Report>
  readonly #scheduler: Scheduler
  readonly #recovery: CrashRecovery
  readonly #toWake = new WakeList()
  #isAdvancing = false
  /** Something has happened while it advanced. */
  #isWoken = false
  #rebalanceTimer: NodeJS.Timeout | undefined
  #lastNumber = 0
  /** How many more chunks streams that begin will soon submit. */
  #expected = 0
  /** How many chunks of open lanes have not had their last outcomes. */
  #outstanding = 0
  /** Why no worker can be started. */
  broken: Error | undefined
  #isEnded = false
  readonly #wake: () => void

  /** @param wake Called when a lane has been closed. */
  constructor(options: WorkerPoolOptions, wake: () => void) {
    this.#options = options
    this.#wake = wake
    this.#reports = new Mailbox<Report>(this.advance)
    this.pool = new WorkerPool(options, this.#reports)
    this.#scheduler = new Scheduler(this.pool)
    this.#recovery = new CrashRecovery(options.name)
  }

  /** How many chunks wait for a worker. */
  get waiting(): number {
    return this.#scheduler.waiting
  }

  /** A chunk of a lane waits for the next `advance()`. */
  submit(lane: ThreadLane, chunk: Chunk): void {
    this.#scheduler.add(new InFlightChunk(lane, chunk, ++this.#lastNumber))
    this.#countOutstanding(lane, 1)
    this.#expected += lane.takeDemand() - 1
  }

  /** A lane is closed: its waiting chunks are dropped, its running ones cancelled. */
  release(lane: ThreadLane, reason?: Reason): void {
    this.lanes.delete(lane)
    this.#countOutstanding(lane, -lane.outstanding)
    this.#scheduler.removeAll(lane)
    this.#recovery.released(lane)
    let encoded: EncodedError | undefined
    for (const worker of this.pool.workers) {
      // The waiting one first: it must not begin when the running one has stopped.
      for (const held of worker.assignments.filter(({ inFlight }) => inFlight.lane === lane).reverse()) {
        if (worker.withdraw(held)) {
          held.inFlight.chunk.items.release()
          continue
        }
        encoded ??= reason && encodeError(reason.value)
        worker.cancel(held, encoded)
        this.#replaceUnlessDone(worker, held.seq)
      }
      worker.forget(lane.job)
      this.pool.replaceIfSpent(worker)
    }
    this.#wake()
    this.advance()
  }

  /** Ends the workers now, and starts no others. */
  end(): void {
    this.#isEnded = true
    this.pool.endAll()
  }

  /** Ends all streams with an error. */
  breakLanes(error: unknown): void {
    for (const lane of this.lanes) {
      lane.break(error)
      this.#toWake.add(lane)
    }
    this.advance()
  }

  /**
   * Does all that can be done: deals with reports, starts workers, gives them chunks, and wakes streams. To be called when something may
   * have changed. It runs code of the user, where items are sent and where streams are woken. If that calls it again, there is another
   * round.
   */
  readonly advance = (): void => {
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
        this.#toWake.wakeAll()
      } while (this.#isWoken)
    } finally {
      this.#isAdvancing = false
    }
  }

  #handleReports(): void {
    for (let report = this.#reports.take(); report !== undefined; report = this.#reports.take()) {
      if (report.kind === 'part') this.#onPart(report.worker, report.held, report.message)
      else if (report.kind === 'working') this.pool.started()
      else if (report.kind === 'givenBack') this.#onGivenBack(report.worker, report.held)
      else if (report.kind === 'ended') this.#onEnded(report.worker)
      else this.#onOverdue(report.worker, report.progress)
    }
  }

  #onPart(worker: WorkerHandle, held: Assignment, message: PartMessage): void {
    const { inFlight } = held
    const { lane } = inFlight
    const isLast = message[3]
    lane.hasLoaded = true
    const part = lane.isOpen ? inFlight.accept(message, worker.link.number, held.sentBytes) : undefined
    if (part !== undefined) this.#answer(lane, part)
    if (!isLast) return
    lane.duration = message[4]
    if (!lane.isOpen) inFlight.chunk.items.release()
    else if (part?.last !== true) this.#requeue([held])
    if (inFlight.isComplete) this.#recovery.settled(inFlight)
    this.pool.replaceIfSpent(worker)
  }

  #onGivenBack(worker: WorkerHandle, held: Assignment): void {
    const { lane, chunk } = held.inFlight
    if (lane.isOpen) this.#requeue([held])
    else chunk.items.release()
    this.pool.replaceIfSpent(worker)
  }

  #onEnded(worker: WorkerHandle): void {
    const loss = this.pool.lose(worker)
    if (loss === undefined) return
    this.#requeue(loss.held, loss.kind === 'died' ? loss.end.exitCode : undefined)
    if (loss.kind === 'broken') {
      this.broken = loss.error
      this.breakLanes(loss.error)
    } else if (loss.kind === 'died') {
      this.counts.crashes++
      this.#onDied(worker, loss.held, loss.end)
    }
  }

  #onDied(worker: WorkerHandle, held: readonly Assignment[], end: WorkerEnd): void {
    const { cause } = end
    if ((cause as Partial<MainThreadGuardError> | undefined)?.code === 'ERR_MAIN_THREAD_GUARD') {
      // Every other worker would end in the same way, whatever its items are.
      if (this.lanes.size === 0 && worker.link.uncaught !== undefined) uncaughtInWorker(worker.link.identity, cause)
      this.breakLanes(cause)
    } else if (worker.isUnreadable) this.#settle(this.#recovery.unreadable(worker, held))
    else this.#settle(this.#recovery.crashed(worker, held, end))
  }

  #onOverdue(worker: WorkerHandle, progress: Progress): void {
    this.counts.timeouts++
    const running = worker.assignments.find(({ seq }) => seq === progress.seq)
    const { isLoading } = progress
    const timeout = isLoading ? this.#options.startTimeout : (running?.inFlight.lane.job.timeout ?? 0)
    const reason = isLoading ? 'the module of a task takes longer to load' : undefined
    workerTimedOut({ ...worker.link.identity, timeout }, reason)
    const held = this.pool.end(worker)
    this.#requeue(held)
    if (isLoading) this.#settle(this.#recovery.hungLoading(worker, held, progress, timeout))
    else this.#settle(this.#recovery.overdue(worker, held, progress))
  }

  /** Chunks that a worker held wait again, for any worker. @param exitCode Of the worker, if it has ended. */
  #requeue(held: readonly Assignment[], exitCode = 1): void {
    for (const { inFlight } of held) {
      inFlight.returned(exitCode)
      if (inFlight.lane.isOpen) this.#scheduler.add(inFlight)
    }
  }

  /** Gives outcomes of a chunk that waits. After the last ones, it does not wait any more. */
  #settle(outcome: LostItems | undefined): void {
    if (outcome === undefined) return
    const { inFlight, part } = outcome
    if (part.last) this.#scheduler.remove(inFlight)
    this.#answer(inFlight.lane, part)
  }

  #answer(lane: ThreadLane, part: Part): void {
    lane.answer(part)
    if (part.last) this.#countOutstanding(lane, -1)
    this.#toWake.add(lane)
  }

  #countOutstanding(lane: ThreadLane, change: number): void {
    lane.outstanding += change
    this.#outstanding += change
    this.pool.keepAlive(this.#outstanding > 0)
  }

  #startWorkers(): void {
    if (this.#isEnded || this.broken !== undefined) return
    this.pool.replaceOutdated()
    const { waiting } = this.#scheduler
    if (waiting > 0 && this.pool.isSmall) this.pool.start(waiting + this.#scheduler.behind + this.#expected)
    this.#expected = 0
  }

  /** A worker gets several chunks if they are expected to be short. If one is not, those behind it are taken back. */
  #takeBackSurplus(): void {
    for (const worker of this.pool.workers) {
      let back: Assignment[] | undefined
      // From the last one on: the worker skips those that were withdrawn, and so takes the next one sooner.
      for (let held = this.#scheduler.surplusOf(worker); held !== undefined; held = this.#scheduler.surplusOf(worker)) {
        if (!worker.withdraw(held)) break
        back ??= []
        back.unshift(held)
      }
      if (back !== undefined) this.#requeue(back)
    }
  }

  #giveChunks(): void {
    // Chunks that wait in no worker come first: a worker that took a later chunk could not take them until that is done.
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
    this.#toWake.add(lane)
  }

  /** Gives an idle worker a chunk that waits behind another one. @returns Whether there were both. */
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
    this.advance()
  }

  #replaceUnlessDone(worker: WorkerHandle, seq: number): void {
    setTimeout(() => {
      if (worker.link.state === 'dead' || worker.progress().seq !== seq) return
      this.#requeue(this.pool.giveUp(worker).slice(1))
      this.advance()
    }, CANCEL_TIMEOUT_MS).unref()
  }
}
