/**
 * Runs chunks on worker threads. Each stream has a lane with room for one waiting chunk. The pool keeps the workers alive, the scheduler
 * gives them chunks, time limits end slow items, and crash recovery decides what a dead worker costs. This class connects them.
 */
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { uncaughtInWorker, workerTimedOut, type WorkerEvent } from '../log/events.js'
import { PoolClosedError, type MainThreadGuardError } from '../errors.js'
import type { Progress } from '../worker/cells.js'
import { assertMayStart } from '../worker/guard.js'
import type { PartMessage } from '../worker/protocol.js'
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.js'
import { Scheduler } from './scheduler.js'
import type { Chunk, Job, Lane, LaneClient, PoolExecutor, Reason } from './executor.js'
import { ThreadLane } from './lane.js'
import { CrashRecovery } from './crash-recovery.js'
import { TimeLimits } from './time-limits.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

/** How long a cancelled chunk may go on before its thread is replaced, in milliseconds. */
const CANCEL_TIMEOUT_MS = 1_000

export interface ThreadExecutorOptions extends WorkerPoolOptions {
  /** How long the threads outlive the last stream, in milliseconds. */
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
  readonly #pool: WorkerPool
  readonly #limits: TimeLimits
  readonly #scheduler: Scheduler
  readonly #recovery: CrashRecovery
  readonly #lanes = new Set<ThreadLane>()
  #crashes = 0
  #timeouts = 0
  #broken: Error | undefined
  /** What close() gives: what the finalizers of the last threads returned. */
  #closing: Promise<unknown[]> | undefined
  /** Called when the last stream has ended after close(). */
  #drained: (() => void) | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(options: ThreadExecutorOptions) {
    this.name = options.name
    this.workers = options.workers
    this.#options = options
    this.#pool = new WorkerPool(options, {
      ready: () => {
        this.#recover()
      },
      part: (worker, held, message) => {
        this.#onPart(worker, held, message)
      },
      died: (worker, held, exitCode, cause) => {
        this.#onDied(worker, held, exitCode, cause)
      },
      failed: (held) => {
        this.#scheduler.addAgain(held)
        this.#recover()
      },
      broken: (error, held) => {
        this.#broken = error
        this.#scheduler.addAgain(held)
        this.#breakLanes(error)
      },
      left: (worker) => {
        this.#limits.forget(worker)
      },
    })
    this.#limits = new TimeLimits(options.startTimeout, (worker, progress) => {
      this.#onOverdue(worker, progress)
    })
    this.#scheduler = new Scheduler(this.#pool, this.#limits)
    this.#recovery = new CrashRecovery(this.#scheduler, options.name)
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

  /** Lets the open streams finish, then ends the threads. Resolves with what their finalizers returned. */
  close(): Promise<unknown[]> {
    if (this.#closing === undefined) {
      const drained = new Promise<void>((resolve) => {
        this.#drained = resolve
      })
      this.#closing = this.#finish(drained)
      // Who waits for it is told; others need not know.
      this.#closing.catch(() => undefined)
      this.#tellIfDrained()
    }
    return this.#closing
  }

  /** Ends the threads now, and the open streams with `error`. */
  async terminate(error: Error): Promise<void> {
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

  // What lanes ask for.

  submit(lane: ThreadLane, chunk: Chunk): void {
    this.#scheduler.add(lane, chunk)
    this.#recover(lane.takeDemand() - 1)
  }

  /** Forgets a lane: its waiting chunks are dropped, its running ones cancelled. */
  release(lane: ThreadLane, reason?: Reason): void {
    if (!this.#lanes.delete(lane)) return
    this.#scheduler.removeAll(lane)
    if (lane.hasStrays) this.#recovery.released(lane)
    let encoded: EncodedError | undefined
    for (const worker of this.#pool.workers) {
      // The waiting one first: it must not begin when the running one has stopped.
      for (const held of worker.assignments.filter(({ inFlight }) => inFlight.lane === lane).reverse()) {
        this.#pool.count(-1)
        if (worker.withdraw(held)) continue
        encoded ??= reason && encodeError(reason.value)
        worker.cancel(held, encoded)
        this.#replaceUnlessDone(worker, held.seq)
      }
      worker.forget(lane.job)
      this.#pool.replaceIfSpent(worker)
    }
    this.#tellIfDrained()
    this.#startIdleTimer()
    // A thread may be free now that nothing else could be given to. None is started: the end of a pool comes here, too.
    this.#scheduler.dispatch()
  }

  /** Starts threads where there is something for them to do, and gives it to them. @param more For how many more there soon is. */
  #recover(more = 0): void {
    this.#pool.replaceOutdated()
    const { waiting } = this.#scheduler
    if (waiting > 0) this.#pool.start(waiting + more)
    this.#scheduler.dispatch()
  }

  #replaceUnlessDone(worker: WorkerHandle, seq: number): void {
    setTimeout(() => {
      if (worker.thread.state === 'dead' || worker.progress().seq !== seq) return
      this.#scheduler.addAgain(this.#pool.giveUp(worker).slice(1))
      this.#recover()
    }, CANCEL_TIMEOUT_MS).unref()
  }

  // What workers report.

  #onPart(worker: WorkerHandle, held: Assignment, message: PartMessage): void {
    const { inFlight } = held
    const { lane } = inFlight
    lane.loaded()
    const part = lane.isOpen ? inFlight.accept(message, worker.number, held.sentBytes) : undefined
    if (message[3]) {
      lane.took(message[4])
      if (part?.last === true) this.#pool.count(-1)
      else this.#scheduler.addAgain([held])
      if (inFlight.isComplete && lane.hasStrays) this.#recovery.settled(lane, inFlight.chunk)
      this.#pool.replaceIfSpent(worker)
      this.#scheduler.dispatch()
    }
    if (part !== undefined) lane.answer(part)
  }

  #onDied(worker: WorkerHandle, held: readonly Assignment[], exitCode: number, cause: unknown): void {
    this.#crashes++
    if ((cause as Partial<MainThreadGuardError> | undefined)?.code === 'ERR_MAIN_THREAD_GUARD') {
      // Each worker would end so, once its module has run for a while, whatever its items are.
      this.#scheduler.addAgain(held)
      if (this.#lanes.size === 0 && worker.thread.uncaught !== undefined) uncaughtInWorker(worker.identity, cause)
      this.#breakLanes(cause)
    } else if (worker.isUnreadable) this.#recovery.unreadable(worker, held)
    else this.#recovery.crashed(worker, held, exitCode, cause)
    this.#recover()
  }

  #onOverdue(worker: WorkerHandle, progress: Progress): void {
    this.#timeouts++
    const running = worker.assignments.find(({ seq }) => seq === progress.seq)
    const { isLoading } = progress
    const timeout = isLoading ? this.#options.startTimeout : (running?.inFlight.lane.job.timeout ?? 0)
    workerTimedOut({ ...worker.identity, timeout }, isLoading ? 'the module of a task takes longer to load' : undefined)
    const held = this.#pool.end(worker)
    if (isLoading) this.#recovery.hungLoading(worker, held, progress, timeout)
    else this.#recovery.overdue(worker, held, progress)
    this.#recover()
  }

  // The end.

  async #finish(drained: Promise<void>): Promise<unknown[]> {
    await drained
    const results = await this.#pool.finishAll()
    this.#pool.assertFinalized()
    return results
  }

  #tellIfDrained(): void {
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

  #breakLanes(error: unknown): void {
    for (const lane of this.#lanes) lane.break(error)
  }
}
