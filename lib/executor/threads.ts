/**
 * Runs chunks on worker threads: starts them, gives each waiting chunk to one of them, replaces those that die.
 *
 * Each stream has a lane with room for one waiting chunk; waiting chunks are served first come, first served, so streams
 * share the threads chunk by chunk. A thread holds at most two chunks: one that runs, and one that waits there so that
 * no time is lost between them; of very short ones several wait. When the one that runs takes long and another thread has
 * nothing to do, that gets one that waits.
 */
import { PoolClosedError, received, WorkerStartError } from '../errors.js'
import { SLOTS } from '../worker/cells.js'
import { assertMayStart } from '../worker/guard.js'
import type { PartMessage } from '../worker/protocol.js'
import type { Executor, Job, Lane, LaneEvents } from './executor.js'
import { ThreadLane, type Turn } from './lane.js'
import { crashPart, faultPart, Held, partOf, unreadable } from './outcomes.js'
import { Thread, type ThreadOptions } from './thread.js'

/**
 * How long a chunk may run before the one behind it is given to an idle thread, in milliseconds. Moving a chunk costs a
 * message, some microseconds: chunks shorter than that are not worth it.
 */
const LONG = 2
/** After so long, none waits behind a chunk: a thread that gets its next one by a message loses no more than some microseconds. */
const VERY_LONG = 50
/** How long a cancelled chunk may go on before its thread is replaced, in milliseconds. */
const GRACE = 1_000
/** After so many starts in a row that failed, the pool goes on with the threads it has; with none, it is broken. */
const START_ATTEMPTS = 3

export interface ThreadExecutorOptions extends ThreadOptions {
  readonly workers: number
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
}

export class ThreadExecutor implements Executor {
  readonly workers: number
  readonly #options: ThreadExecutorOptions
  /** The living threads, each with the chunks it holds, in the order it runs them. */
  readonly #threads = new Map<Thread, Held[]>()
  readonly #lanes = new Set<ThreadLane>()
  /** Threads that were told to end. */
  readonly #ending = new Set<Promise<unknown>>()
  readonly #queue: Turn[] = []
  #dispatching = false
  #failedStarts = 0
  /** How many threads to start at most. */
  #capacity: number
  #crashes = 0
  /** Chunks of open lanes that wait or run: while there are any, the threads keep the program alive. */
  #outstanding = 0
  #broken: WorkerStartError | undefined
  #closing: { readonly done: Promise<void>; readonly resolve: () => void } | undefined
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

  /** Lets the open streams finish, then ends the threads. */
  async close(): Promise<void> {
    if (this.#closing === undefined) {
      let resolve = (): void => undefined
      const done = new Promise<void>((settle) => {
        resolve = settle
      })
      this.#closing = { done, resolve }
      this.#endIfDrained()
    }
    await this.#closing.done
  }

  /** Ends the threads now, and the open streams with `error`. */
  async terminate(error: Error): Promise<void> {
    const closed = this.close()
    for (const lane of this.#lanes) this.#breakLane(lane, error)
    await closed
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
    }
  }

  // What lanes ask for.

  submit(turn: Turn): void {
    this.#queue.push(turn)
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
      for (const sent of held.filter((chunk) => chunk.lane === lane).reverse()) {
        thread.cancel(sent)
        this.#count(-1)
        this.#replaceUnlessDone(thread, sent.seq)
      }
      thread.forget(lane.job)
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
          this.#onReady()
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

  #onReady(): void {
    this.#failedStarts = 0
    this.#dispatch()
  }

  #onStartFailed(thread: Thread, cause: unknown): void {
    if (!this.#threads.delete(thread)) return
    this.#failedStarts++
    if (this.#failedStarts < START_ATTEMPTS) {
      this.#recover()
      return
    }
    // Fewer threads than were asked for are better than none, and than trying for ever.
    this.#capacity = this.#threads.size
    if (this.#capacity > 0) return
    const reason = cause instanceof Error ? cause.message : received(cause)
    this.#broken = new WorkerStartError(
      `Cannot start the workers of pool '${this.#options.name}' (${START_ATTEMPTS} attempts failed): ${reason}`,
      { cause },
    )
    for (const lane of this.#lanes) this.#breakLane(lane, this.#broken)
    this.#endThreads()
  }

  /** The item that ran costs itself and what its chunk had not reported; the chunk behind it runs elsewhere. */
  #onDied(thread: Thread, exitCode: number, cause: unknown): void {
    const held = this.#threads.get(thread)
    if (held === undefined) return
    this.#threads.delete(thread)
    this.#crashes++
    const [running, ...waiting] = held
    this.#requeue(waiting)
    if (running !== undefined && this.#lanes.has(running.lane)) {
      this.#count(-1)
      running.lane.answer(crashPart(running, thread.number, this.#options.name, exitCode, cause))
    }
    this.#recover()
  }

  /** Chunks that a thread held go to others, before those that have not been given out. */
  #requeue(held: readonly Held[]): void {
    this.#queue.unshift(...held.filter(({ lane }) => this.#lanes.has(lane)))
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

  /** Ends a thread on purpose: what it holds is no concern of anyone any more. */
  #endThread(thread: Thread): void {
    this.#threads.delete(thread)
    const ended: Promise<unknown> = thread.terminate().then(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  #endThreads(): void {
    for (const thread of this.#threads.keys()) this.#endThread(thread)
  }

  #endIfDrained(): void {
    const closing = this.#closing
    if (closing === undefined || this.#lanes.size > 0) return
    clearTimeout(this.#idleTimer)
    this.#endThreads()
    void Promise.all(this.#ending).then(closing.resolve)
  }

  #startIdleTimer(): void {
    const { idleTimeout } = this.#options
    if (this.closed || this.#lanes.size > 0 || idleTimeout === Infinity) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      this.#endThreads()
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
      this.#give(turn, thread, this.#threads.get(thread) ?? [])
      turn.lane.taken()
    }
  }

  /** The thread to give the next chunk to: the one that holds the fewest, if it may hold another. */
  #freeThread(): Thread | undefined {
    const [turn] = this.#queue
    if (turn === undefined) return undefined
    let free: Thread | undefined
    let fewest = turn.lane.depth
    for (const [thread, held] of this.#threads) {
      if (thread.state !== 'ready' || held.length >= fewest) continue
      if (held.length === 0) return thread
      if (held.length >= mostFor(held)) continue
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
      if (idle.state !== 'ready' || none.length > 0) continue
      const waiting = this.#withdrawOne()
      if (waiting === undefined) return
      this.#give(waiting, idle, none)
    }
  }

  #withdrawOne(): Held | undefined {
    for (const [thread, held] of this.#threads) {
      const waiting = held.at(1)
      if (waiting === undefined || !this.#lanes.has(waiting.lane)) continue
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

  #give({ lane, chunk }: Turn, thread: Thread, held: Held[]): void {
    held.push(new Held(lane, chunk, thread.send(chunk, lane.job, lane.eager)))
  }

  #onPart(thread: Thread, message: PartMessage): void {
    const [seq, from, , last, time, , , details] = message
    const held = this.#threads.get(thread)
    const chunk = held?.find((sent) => sent.seq === seq)
    if (held === undefined || chunk === undefined) return
    const { lane } = chunk
    const open = this.#lanes.has(lane)
    if (last) {
      held.splice(held.indexOf(chunk), 1)
      thread.settle(chunk)
      if (held[0] !== undefined) held[0].since = performance.now()
      lane.took(time)
      if (open) this.#count(-1)
      this.#dispatch()
    }
    if (!open) return
    if (details?.places === undefined && from > chunk.received) this.#answerLost(chunk, from)
    const part = partOf(chunk, message)
    const isComplete = !last || chunk.received === chunk.chunk.items.length
    lane.answer(isComplete ? part : { ...part, last: false })
    if (!isComplete) lane.answer(faultPart(chunk, unreadable(chunk)))
  }

  /** Parts before this one could not be read back. */
  #answerLost(held: Held, end: number): void {
    held.lane.answer({ ...faultPart(held, unreadable(held), end), last: false })
    held.received = end
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
