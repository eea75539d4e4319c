/**
 * Runs chunks on worker threads: starts them, gives each waiting chunk to one of them, replaces those that die.
 *
 * Each stream has a lane with room for one waiting chunk; waiting chunks are served first come, first served, so streams
 * share the threads chunk by chunk. A thread holds at most two chunks: one that runs, and one that waits there so that
 * no time is lost between them; of very short ones several wait. When the one that runs takes long and another thread has
 * nothing to do, that gets one that waits.
 */
import { PoolClosedError, received, WorkerStartError, type MainThreadGuardError } from '../errors.js'
import { SLOTS, type Progress } from '../worker/cells.js'
import { assertMayStart } from '../worker/guard.js'
import type { PartMessage } from '../worker/protocol.js'
import type { Chunk, Executor, Job, Lane, LaneEvents, Part } from './executor.js'
import { ThreadLane } from './lane.js'
import { crashError, faultPart, partOf, timeoutError, unreadable } from './outcomes.js'
import { Thread, type ThreadOptions } from './thread.js'
import { Held, Turn } from './turn.js'

/**
 * How long a chunk may run before the one behind it is given to an idle thread, in milliseconds. Moving a chunk costs a
 * message, some microseconds: chunks shorter than that are not worth it.
 */
const LONG = 2
/** After so long, none waits behind a chunk: a thread that gets its next one by a message loses no more than some microseconds. */
const VERY_LONG = 50
/** How long a cancelled chunk may go on before its thread is replaced, in milliseconds. */
const GRACE = 1_000
/**
 * After so many starts in a row that failed, the pool goes on with the threads it has; with none, it is broken. A task is
 * loaded as often while its workers die of it, and a chunk is begun as often.
 */
const ATTEMPTS = 3

export interface ThreadExecutorOptions extends ThreadOptions {
  readonly workers: number
  /** How long the threads outlive the last stream, in milliseconds. */
  readonly idleTimeout: number
  /** A thread is replaced when it has been given so many items, or has so many bytes of its heap in use after a chunk. */
  readonly maxTasksPerWorker?: number | undefined
  readonly maxHeapUsed?: number | undefined
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
  /** Threads that were ended since an item took longer than its `timeout`. */
  readonly timeouts: number
  /** Threads that were replaced by `maxTasksPerWorker` or `maxHeapUsed`. */
  readonly recycled: number
}

export class ThreadExecutor implements Executor {
  readonly workers: number
  readonly #options: ThreadExecutorOptions
  /** The living threads, each with the chunks it holds, in the order it runs them. */
  readonly #threads = new Map<Thread, Held[]>()
  readonly #lanes = new Set<ThreadLane>()
  /** Threads that run their finalizers, and all that were told to end. */
  readonly #finishing = new Set<Thread>()
  readonly #ending = new Set<Promise<unknown>>()
  /** In the order of their numbers. */
  readonly #queue: Turn[] = []
  #lastTurn = 0
  #dispatching = false
  #failedStarts = 0
  /** How many threads to start at most. */
  #capacity: number
  #crashes = 0
  #timeouts = 0
  #recycled = 0
  /** When to look whether a thread's item takes too long, by thread. */
  readonly #watches = new Map<Thread, { readonly timer: NodeJS.Timeout; readonly due: number }>()
  /** Chunks of open lanes that wait or run: while there are any, the threads keep the program alive. */
  #outstanding = 0
  #broken: WorkerStartError | undefined
  /** What close() gives: what the finalizers of the last threads returned. */
  #closing: Deferred<unknown[]> | undefined
  /** The first error of a finalizer, which close() tells of. */
  #finalError: { readonly error: unknown } | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #rebalanceTimer: NodeJS.Timeout | undefined

  constructor(options: ThreadExecutorOptions) {
    this.workers = options.workers
    this.#capacity = options.workers
    this.#options = options
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
      this.#closing = new Deferred()
      // Who waits for it is told; others need not know.
      this.#closing.promise.catch(() => undefined)
      this.#endIfDrained()
    }
    return this.#closing.promise
  }

  /** Ends the threads now, and the open streams with `error`. */
  async terminate(error: Error): Promise<void> {
    this.#endThreads()
    for (const thread of this.#finishing) void thread.terminate()
    const closed = this.close()
    for (const lane of this.#lanes) this.#breakLane(lane, error)
    // What finalizers failed of is for close() to tell.
    await closed.catch(() => undefined)
  }

  stats(): PoolStats {
    const threads = [...this.#threads.entries()]
    return {
      starting: threads.filter(([thread]) => thread.state === 'starting').length,
      ready: threads.filter(([thread]) => thread.state === 'ready').length,
      busy: threads.filter(([, held]) => held.length > 0).length,
      waiting: this.#queue.length,
      streams: this.#lanes.size,
      crashes: this.#crashes,
      timeouts: this.#timeouts,
      recycled: this.#recycled,
    }
  }

  // What lanes ask for.

  submit(lane: ThreadLane, chunk: Chunk): void {
    this.#queue.push(new Turn(lane, chunk, ++this.#lastTurn))
    this.#count(1)
    this.#startThreads()
    this.#dispatch()
  }

  /** Forgets a lane: its waiting chunks are dropped, its running ones cancelled. */
  release(lane: ThreadLane): void {
    if (!this.#lanes.delete(lane)) return
    for (let i = this.#queue.length - 1; i >= 0; i--) {
      if (this.#queue[i]?.lane !== lane) continue
      this.#queue.splice(i, 1)
      this.#count(-1)
    }
    for (const [thread, held] of this.#threads) {
      // The waiting one first: it must not begin when the running one has stopped.
      for (const sent of held.filter(({ turn }) => turn.lane === lane).reverse()) {
        this.#count(-1)
        if (thread.withdraw(sent)) held.splice(held.indexOf(sent), 1)
        else {
          thread.cancel(sent)
          this.#replaceUnlessDone(thread, sent.seq)
        }
      }
      thread.forget(lane.job)
      this.#retireIfSpent(thread, held)
    }
    this.#endIfDrained()
    this.#startIdleTimer()
  }

  // The threads' life.

  #startThreads(): void {
    if (this.#threads.size >= this.#capacity) return
    const numbers = new Set([...this.#threads.keys()].map((thread) => thread.number))
    for (let number = 1; this.#threads.size < this.#capacity; number++) {
      if (numbers.has(number)) continue
      const thread = new Thread(number, this.#options, {
        ready: () => {
          this.#dispatch()
        },
        failed: (failed, cause) => {
          this.#onStartFailed(failed, cause)
        },
        part: (from, message) => {
          this.#onPart(from, message)
        },
        died: (dead, exitCode, cause) => {
          this.#onDied(dead, exitCode, cause)
        },
      })
      thread.keepAlive(this.#outstanding > 0)
      this.#threads.set(thread, [])
    }
  }

  /** Also for a thread that ended before it had done anything at all: another one would do the same. */
  #onStartFailed(thread: Thread, cause: unknown): void {
    if (!this.#threads.delete(thread)) return
    this.#unwatch(thread)
    this.#failedStarts++
    if (this.#failedStarts < ATTEMPTS) {
      this.#recover()
      return
    }
    // Fewer threads than were asked for are better than none, and than trying for ever.
    this.#capacity = this.#threads.size
    if (this.#capacity > 0) return
    const reason = cause instanceof Error ? cause.message : received(cause)
    this.#broken = new WorkerStartError(
      `Cannot start the workers of pool '${this.#options.name}' (${ATTEMPTS} attempts failed): ${reason}`,
      { cause },
    )
    for (const lane of this.#lanes) this.#breakLane(lane, this.#broken)
    this.#endThreads()
  }

  #onDied(thread: Thread, exitCode: number, cause: unknown): void {
    const held = this.#threads.get(thread)
    if (held === undefined) return
    const progress = thread.progress()
    if (!thread.hasWorked && !held.some((sent) => thread.hasTaken(sent))) {
      this.#requeue(held)
      this.#onStartFailed(thread, cause ?? new Error(`it ended with exit code ${exitCode} before its first item`))
      return
    }
    if ((cause as Partial<MainThreadGuardError> | undefined)?.code === 'ERR_MAIN_THREAD_GUARD') {
      // Each worker would end so, once its module has run for a while, whatever its items are.
      for (const lane of this.#lanes) this.#breakLane(lane, cause)
    }
    this.#threads.delete(thread)
    this.#unwatch(thread)
    this.#crashes++
    this.#onLost(thread, held, progress, false, (turn, place) =>
      crashError(turn, place, this.#nameOf(thread), exitCode, cause),
    )
  }

  /**
   * A thread is gone. The item that is to blame costs itself; whatever else had no outcome yet goes to other threads.
   *
   * @param isHung Whether it was ended since the item takes too long.
   */
  #onLost(
    thread: Thread,
    held: readonly Held[],
    progress: Progress,
    isHung: boolean,
    errorOf: (turn: Turn, place: number | 'all') => Error,
  ): void {
    const turn = held.find(({ seq }) => seq === progress.seq)?.turn
    // All that a dead thread has posted was read: what it had ended and is not known could not be read back.
    const ended = held.filter((sent) => !isHung && sent.seq !== progress.seq && thread.hasTaken(sent))
    this.#requeue(held.filter((sent) => !ended.includes(sent)))
    // Who is to blame comes first: an answer may bring the next chunk, and with it the requeued one gets its thread.
    const part =
      turn !== undefined && this.#lanes.has(turn.lane)
        ? this.#judge(turn, thread.number, turn.blame(progress, isHung), (place) => errorOf(turn, place))
        : undefined
    for (const { turn, worker } of ended) {
      if (!this.#lanes.has(turn.lane)) continue
      this.#count(-1)
      turn.lane.answer(faultPart(turn, worker, unreadable(turn)))
    }
    if (part !== undefined && turn !== undefined && this.#lanes.has(turn.lane)) turn.lane.answer(part)
    this.#recover()
  }

  /** What the end of a worker costs a turn that is in the queue again. @returns Outcomes, if they are due. */
  #judge(
    turn: Turn,
    worker: number,
    blamed: ReturnType<Turn['blame']>,
    errorOf: (place: number | 'all') => Error,
  ): Part | undefined {
    const { lane } = turn
    let part: Part | undefined
    if (typeof blamed === 'number') part = turn.convict(blamed, worker, errorOf(blamed))
    else if (blamed === 'all' && !lane.hasLoaded) {
      // It may have been something else that ended the worker. But to load such a module again and again would not end.
      if (++lane.failedLoads === ATTEMPTS) lane.fault = { error: errorOf('all'), worker }
    } else if (blamed !== 'unclear' && ++turn.fruitless === ATTEMPTS) {
      part = faultPart(turn, worker, errorOf('all'))
    }
    if (blamed !== 'all') lane.hasLoaded = true
    if (part?.last === true) this.#dequeue(turn)
    return part
  }

  /** Chunks that a thread held go to others, each in its turn. */
  #requeue(held: readonly Held[]): void {
    this.#queue.unshift(...held.map(({ turn }) => turn).filter(({ lane }) => this.#lanes.has(lane)))
    this.#queue.sort((one, other) => one.number - other.number)
  }

  #dequeue(turn: Turn): void {
    this.#queue.splice(this.#queue.indexOf(turn), 1)
    this.#count(-1)
  }

  #nameOf(thread: Thread): string {
    return `Worker ${thread.number} of pool '${this.#options.name}'`
  }

  #recover(): void {
    if (this.#queue.length > 0) this.#startThreads()
    this.#dispatch()
  }

  #replaceUnlessDone(thread: Thread, seq: number): void {
    setTimeout(() => {
      const held = this.#threads.get(thread)
      if (held?.[0]?.seq !== seq) return
      this.#endThread(thread)
      this.#requeue(held.slice(1))
      this.#recover()
    }, GRACE).unref()
  }

  /** Ends a thread on purpose, at once: what it holds is no concern of anyone any more. */
  #endThread(thread: Thread): void {
    this.#threads.delete(thread)
    this.#unwatch(thread)
    this.#await(thread.terminate())
  }

  /** Ends a thread that holds nothing, after its finalizer. */
  async #finishThread(thread: Thread): Promise<{ readonly result: unknown } | undefined> {
    this.#threads.delete(thread)
    this.#unwatch(thread)
    this.#finishing.add(thread)
    const finished = thread.finish()
    this.#await(finished)
    const finalized = await finished
    this.#finishing.delete(thread)
    if (finalized === undefined) return undefined
    if ('value' in finalized) return { result: finalized.value }
    this.#finalError ??= finalized
    return undefined
  }

  #await(ended: Promise<unknown>): void {
    const settled: Promise<unknown> = ended.then(() => this.#ending.delete(settled))
    this.#ending.add(settled)
  }

  // Time limits.

  /** Sees to it that a thread is looked at when an item may have taken too long, if it began now. */
  #watch(thread: Thread, held: readonly Held[], milliseconds = Infinity): void {
    const timeouts = held.map(({ turn }) => turn.lane.job.timeout ?? Infinity)
    const wait = Math.min(milliseconds, ...timeouts)
    const due = performance.now() + wait
    if (due >= (this.#watches.get(thread)?.due ?? Infinity)) return
    this.#unwatch(thread)
    const timer = setTimeout(() => {
      this.#look(thread)
    }, wait)
    this.#watches.set(thread, { timer: timer.unref(), due })
  }

  #look(thread: Thread): void {
    this.#watches.delete(thread)
    // Items that have ended meanwhile are not to be taken for those that run.
    thread.drain()
    const held = this.#threads.get(thread)
    if (held === undefined) return
    const progress = thread.progress()
    const timeout = held.find(({ seq }) => seq === progress.seq)?.turn.lane.job.timeout
    if (timeout === undefined || progress.place === -1) this.#watch(thread, held)
    else if (progress.time < timeout) this.#watch(thread, held, timeout - progress.time)
    else {
      this.#timeouts++
      this.#endThread(thread)
      this.#onLost(thread, held, progress, true, (turn, place) =>
        timeoutError(turn, Number(place), this.#nameOf(thread)),
      )
    }
  }

  #unwatch(thread: Thread): void {
    clearTimeout(this.#watches.get(thread)?.timer)
    this.#watches.delete(thread)
  }

  /** Whether a thread is to be given nothing more. */
  #isSpent(thread: Thread): boolean {
    const { maxTasksPerWorker = Infinity, maxHeapUsed = Infinity } = this.#options
    return thread.itemsSent >= maxTasksPerWorker || thread.heapUsed > maxHeapUsed
  }

  #retireIfSpent(thread: Thread, held: readonly Held[]): void {
    if (held.length > 0 || !this.#isSpent(thread)) return
    this.#recycled++
    void this.#finishThread(thread)
    this.#startThreads()
  }

  #endThreads(): void {
    for (const thread of this.#threads.keys()) this.#endThread(thread)
  }

  async #finishThreads(): Promise<unknown[]> {
    const finished = [...this.#threads.keys()].map((thread) => this.#finishThread(thread))
    const results = (await Promise.all(finished)).filter((result) => result !== undefined)
    await Promise.all(this.#ending)
    return results.map(({ result }) => result)
  }

  #endIfDrained(): void {
    const closing = this.#closing
    if (closing === undefined || this.#lanes.size > 0) return
    clearTimeout(this.#idleTimer)
    closing.resolve(
      this.#finishThreads().then((results) => {
        if (this.#finalError !== undefined) throw this.#finalError.error
        return results
      }),
    )
  }

  #startIdleTimer(): void {
    const { idleTimeout } = this.#options
    if (this.closed || this.#lanes.size > 0 || idleTimeout === Infinity) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      void this.#finishThreads()
    }, idleTimeout).unref()
  }

  /** Keeps the program alive while there is work, by the threads, and lets it end otherwise. */
  #count(change: 1 | -1): void {
    const before = this.#outstanding
    this.#outstanding += change
    if (before > 0 === this.#outstanding > 0) return
    for (const thread of this.#threads.keys()) thread.keepAlive(this.#outstanding > 0)
  }

  // The chunks' way.

  /** Gives waiting chunks to threads, as long as there are both. A lane told of room submits its next chunk meanwhile. */
  #dispatch(): void {
    if (this.#dispatching) return
    this.#dispatching = true
    try {
      this.#relieve()
      this.#rebalance()
      this.#giveOut()
    } finally {
      this.#dispatching = false
    }
  }

  #giveOut(): void {
    for (let thread = this.#freeThread(); thread !== undefined; thread = this.#freeThread()) {
      const turn = this.#queue.shift()
      if (turn === undefined) break
      const { lane } = turn
      if (lane.fault === undefined) this.#give(turn, thread, this.#threads.get(thread) ?? [])
      else {
        this.#count(-1)
        lane.answer(faultPart(turn, lane.fault.worker, lane.fault.error))
      }
      lane.taken()
    }
  }

  /**
   * The thread to give the next chunk to: the one that holds the fewest, if it may hold another. Never one with a later chunk,
   * which may last until this one is done.
   */
  #freeThread(): Thread | undefined {
    const [turn] = this.#queue
    if (turn === undefined) return undefined
    let free: Thread | undefined
    let fewest = turn.lane.depth
    for (const [thread, held] of this.#threads) {
      if (thread.state !== 'ready' || held.length >= fewest || this.#isSpent(thread)) continue
      if (held.length === 0) return thread
      if (held.length >= mostFor(held) || (held.at(-1)?.turn.number ?? 0) > turn.number) continue
      free = thread
      fewest = held.length
    }
    return free
  }

  /** Chunks were given to a thread as those before them were expected to be short: where one is not, the others go back. */
  #relieve(): void {
    for (const [thread, held] of this.#threads) {
      if (held.length < 2) continue
      const most = mostFor(held)
      const back: Held[] = []
      // From the last one on: it passes over those that were withdrawn, and so takes the next one sooner.
      for (let last = held.at(-1); last !== undefined && held.length > most; last = held.at(-1)) {
        if (!thread.withdraw(last)) break
        back.unshift(last)
        held.pop()
      }
      if (back.length > 0) this.#requeue(back)
    }
  }

  /** Gives threads that have nothing to do a chunk that waits behind another one. */
  #rebalance(): void {
    for (const [idle, none] of this.#threads) {
      if (idle.state !== 'ready' || none.length > 0 || this.#isSpent(idle)) continue
      const waiting = this.#withdrawOne()
      if (waiting === undefined) return
      this.#give(waiting.turn, idle, none)
    }
  }

  #withdrawOne(): Held | undefined {
    for (const [thread, held] of this.#threads) {
      const waiting = held.at(1)
      if (waiting === undefined || !this.#lanes.has(waiting.turn.lane)) continue
      if (runningFor(held) < LONG) this.#rebalanceTimer ??= setTimeout(this.#rebalanceLater, LONG).unref()
      else if (thread.withdraw(waiting)) {
        held.splice(1, 1)
        return waiting
      }
    }
    return undefined
  }

  readonly #rebalanceLater = (): void => {
    this.#rebalanceTimer = undefined
    this.#dispatch()
  }

  #give(turn: Turn, thread: Thread, held: Held[]): void {
    const { lane, chunk } = turn
    held.push(new Held(turn, thread.number, thread.send(chunk, lane.job, lane.eager, turn.details())))
    if (lane.job.timeout !== undefined) this.#watch(thread, held)
  }

  #onPart(thread: Thread, message: PartMessage): void {
    const [seq, from, , last, time, , , details] = message
    const all = this.#threads.get(thread)
    const held = all?.find((sent) => sent.seq === seq)
    if (all === undefined || held === undefined) return
    const { turn } = held
    const { lane } = turn
    const open = this.#lanes.has(lane)
    this.#failedStarts = 0
    lane.hasLoaded = true
    turn.fruitless = 0
    if (last) {
      all.splice(all.indexOf(held), 1)
      thread.settle(held)
      if (all[0] !== undefined) all[0].since = performance.now()
      lane.took(time)
      if (open) this.#count(-1)
      this.#retireIfSpent(thread, all)
      this.#dispatch()
    }
    if (!open) return
    if (details?.places === undefined && from > turn.received) this.#answerLost(held, from)
    const part = partOf(held, message)
    const isComplete = !last || turn.isComplete
    lane.answer(isComplete ? part : { ...part, last: false })
    if (!isComplete) lane.answer(faultPart(turn, thread.number, unreadable(turn)))
  }

  /** Parts before this one could not be read back. */
  #answerLost({ turn, worker }: Held, end: number): void {
    turn.lane.answer({ ...faultPart(turn, worker, unreadable(turn), end), last: false })
    turn.received = end
  }

  #breakLane(lane: ThreadLane, error: unknown): void {
    lane.close()
    lane.events.broken(error)
  }
}

/** How long the chunk that runs has been running, in milliseconds; there must be one. */
function runningFor([running]: readonly Held[]): number {
  return performance.now() - (running?.since ?? Infinity)
}

/** How many chunks a thread may hold while the one that runs takes so long. */
function mostFor(held: readonly Held[]): number {
  const time = runningFor(held)
  if (time < LONG) return SLOTS
  return time < VERY_LONG ? 2 : 1
}

/** A promise to be settled from without. */
class Deferred<T> {
  readonly promise: Promise<T>
  resolve!: (value: T | Promise<T>) => void

  constructor() {
    this.promise = new Promise((resolve) => {
      this.resolve = resolve
    })
  }
}
