/**
 * Runs chunks on worker threads. Each stream has a lane with room for one waiting chunk. What threads there are is a matter of
 * the crew, who gets which chunk of the dispatcher, how long an item may take of the time limits, and what the end of a thread
 * costs of the losses: here their news meet.
 */
import { sealError, type Envelope } from '../codec/envelope.js'
import { uncaughtInWorker, workerTimedOut, type WorkerEvent } from '../log/events.js'
import { PoolClosedError, type MainThreadGuardError } from '../errors.js'
import type { Progress } from '../worker/cells.js'
import { assertMayStart } from '../worker/guard.js'
import type { PartMessage } from '../worker/protocol.js'
import { Crew, type CrewOptions } from './crew.js'
import { Dispatcher } from './dispatcher.js'
import type { Chunk, Job, Lane, LaneEvents, PoolExecutor, Reason } from './executor.js'
import { ThreadLane } from './lane.js'
import { Losses } from './losses.js'
import { partOf } from './outcomes.js'
import type { Thread } from './thread.js'
import { TimeLimits } from './time-limits.js'
import type { Held } from './turn.js'

/** How long a cancelled chunk may go on before its thread is replaced, in milliseconds. */
const GRACE = 1_000

export interface ThreadExecutorOptions extends CrewOptions {
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
  readonly #crew: Crew
  readonly #limits: TimeLimits
  readonly #dispatcher: Dispatcher
  readonly #losses: Losses
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
    this.#crew = new Crew(options, {
      ready: () => {
        this.#recover()
      },
      part: (thread, held, message) => {
        this.#onPart(thread, held, message)
      },
      died: (thread, held, exitCode, cause) => {
        this.#onDied(thread, held, exitCode, cause)
      },
      failed: (held) => {
        this.#dispatcher.addAgain(held)
        this.#recover()
      },
      broken: (error, held) => {
        this.#broken = error
        this.#dispatcher.addAgain(held)
        this.#breakLanes(error)
      },
      left: (thread) => {
        this.#limits.forget(thread)
      },
    })
    this.#limits = new TimeLimits(this.#crew.threads, options.startTimeout, (thread, held, progress) => {
      this.#onOverdue(thread, held, progress)
    })
    this.#dispatcher = new Dispatcher(this.#crew, this.#limits)
    this.#losses = new Losses(this.#dispatcher, options.name)
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
    return this.#crew.identify(worker)
  }

  open(job: Job, events: LaneEvents): Lane {
    this.assertOpen()
    assertMayStart()
    const lane = new ThreadLane(this, job, events)
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
    this.#crew.endAll()
    const closed = this.close()
    this.#breakLanes(error)
    // What finalizers failed of is for close() to tell.
    await closed.catch(() => undefined)
  }

  stats(): PoolStats {
    const threads = [...this.#crew.threads]
    return {
      starting: threads.filter(([thread]) => thread.state === 'starting').length,
      ready: threads.filter(([thread]) => thread.state === 'ready').length,
      busy: threads.filter(([, held]) => held.length > 0).length,
      waiting: this.#dispatcher.waiting,
      streams: this.#lanes.size,
      crashes: this.#crashes,
      timeouts: this.#timeouts,
      recycled: this.#crew.recycled,
    }
  }

  // What lanes ask for.

  submit(lane: ThreadLane, chunk: Chunk): void {
    this.#dispatcher.add(lane, chunk)
    this.#recover(lane.takeDemand() - 1)
  }

  /** Forgets a lane: its waiting chunks are dropped, its running ones cancelled. */
  release(lane: ThreadLane, reason?: Reason): void {
    if (!this.#lanes.delete(lane)) return
    this.#dispatcher.removeAll(lane)
    if (lane.strays.size > 0) this.#losses.released(lane)
    let sealed: Envelope | undefined
    for (const [thread, held] of this.#crew.threads) {
      // The waiting one first: it must not begin when the running one has stopped.
      for (const sent of held.filter(({ turn }) => turn.lane === lane).reverse()) {
        this.#crew.count(-1)
        if (thread.link.withdraw(sent)) held.splice(held.indexOf(sent), 1)
        else {
          sealed ??= reason && sealError(reason.value)
          thread.link.cancel(sent, sealed)
          this.#replaceUnlessDone(thread, sent.seq)
        }
      }
      thread.link.forget(lane.job)
      this.#crew.replaceIfSpent(thread)
    }
    this.#tellIfDrained()
    this.#startIdleTimer()
    // A thread may be free now that nothing else could be given to. None is started: the end of a pool comes here, too.
    this.#dispatcher.dispatch()
  }

  /** Starts threads where there is something for them to do, and gives it to them. @param more For how many more there soon is. */
  #recover(more = 0): void {
    this.#crew.replaceOutdated()
    const { waiting } = this.#dispatcher
    if (waiting > 0) this.#crew.start(waiting + more)
    this.#dispatcher.dispatch()
  }

  #replaceUnlessDone(thread: Thread, seq: number): void {
    setTimeout(() => {
      if (thread.state === 'dead' || thread.link.progress().seq !== seq) return
      const held = this.#crew.threads.get(thread) ?? []
      this.#crew.giveUp(thread)
      this.#dispatcher.addAgain(held.slice(1))
      this.#recover()
    }, GRACE).unref()
  }

  // What threads report.

  #onPart(thread: Thread, all: Held[], message: PartMessage): void {
    const [seq, , , last, time, , , details] = message
    const held = all.find((sent) => sent.seq === seq)
    if (held === undefined) return
    const { turn } = held
    const { lane } = turn
    lane.hasLoaded = true
    held.known.isLoaded = true
    turn.fruitless = 0
    const part = lane.isOpen ? partOf(held, message) : undefined
    if (last) {
      all.splice(all.indexOf(held), 1)
      thread.link.settle(held, details?.isUnread !== true)
      if (all[0] !== undefined) all[0].since = performance.now()
      lane.took(time)
      if (part?.last === true) this.#crew.count(-1)
      else this.#dispatcher.addAgain([held])
      if (turn.isComplete && lane.strays.size > 0) this.#losses.settled(lane, turn.chunk)
      this.#crew.replaceIfSpent(thread)
      this.#dispatcher.dispatch()
    }
    if (part !== undefined) lane.answer(part)
  }

  #onDied(thread: Thread, held: readonly Held[], exitCode: number, cause: unknown): void {
    this.#crashes++
    if ((cause as Partial<MainThreadGuardError> | undefined)?.code === 'ERR_MAIN_THREAD_GUARD') {
      // Each worker would end so, once its module has run for a while, whatever its items are.
      this.#dispatcher.addAgain(held)
      if (this.#lanes.size === 0 && thread.uncaught !== undefined) uncaughtInWorker(thread.identity, cause)
      this.#breakLanes(cause)
    } else if (thread.link.isGarbled) this.#losses.garbled(thread, held)
    else this.#losses.crashed(thread, held, exitCode, cause)
    this.#recover()
  }

  #onOverdue(thread: Thread, held: readonly Held[], progress: Progress): void {
    this.#timeouts++
    const running = held.find(({ seq }) => seq === progress.seq)
    const { isLoading } = progress
    const timeout = isLoading ? this.#options.startTimeout : (running?.turn.lane.job.timeout ?? 0)
    workerTimedOut({ ...thread.identity, timeout }, isLoading ? 'the module of a task takes longer to load' : undefined)
    this.#crew.end(thread)
    if (isLoading) this.#losses.hungLoading(thread, held, progress, timeout)
    else this.#losses.overdue(thread, held, progress)
    this.#recover()
  }

  // The end.

  async #finish(drained: Promise<void>): Promise<unknown[]> {
    await drained
    const results = await this.#crew.finishAll()
    this.#crew.assertFinalized()
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
      void this.#crew.finishAll()
    }, idleTimeout).unref()
  }

  #breakLanes(error: unknown): void {
    for (const lane of this.#lanes) lane.break(error)
  }
}
