/**
 * The executor of worker threads. Each stream has a lane with room for one waiting chunk. Here: its lanes, its figures, and its end. How
 * chunks are run is in `chunk-runner.ts`.
 */
import type { WorkerEvent } from '../../log/events.js'
import { PoolClosedError } from '../../errors.js'
import { assertMayStart } from '../../worker/guard.js'
import type { Chunk, Job, Lane, LaneClient, PoolExecutor, Reason } from '../executor.js'
import { ChunkRunner } from './chunk-runner.js'
import { ThreadLane } from './thread-lane.js'
import type { WorkerPoolOptions } from './worker-pool.js'

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
  readonly #runner: ChunkRunner
  /** What close() gives: what the finalizers of the last workers returned. */
  #closing: Promise<unknown[]> | undefined
  /** Called when the last stream has ended after close(). */
  #drained: (() => void) | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(options: ThreadExecutorOptions) {
    this.name = options.name
    this.workers = options.workers
    this.#options = options
    this.#runner = new ChunkRunner(options)
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  get broken(): boolean {
    return this.#runner.broken !== undefined
  }

  /** Whether a stream may be opened; throws the reason when not. */
  assertOpen(): void {
    if (this.#runner.broken !== undefined) throw this.#runner.broken
    if (this.closed) {
      throw new PoolClosedError(
        `Cannot use pool '${this.#options.name}' as it is closed: make a new Pool`,
        'ERR_POOL_CLOSED',
      )
    }
  }

  identify(worker: number): WorkerEvent {
    return this.#runner.pool.identify(worker)
  }

  open(job: Job, client: LaneClient): Lane {
    this.assertOpen()
    assertMayStart()
    const lane = new ThreadLane(this, job, client)
    this.#runner.lanes.add(lane)
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
    this.#runner.end()
    const closed = this.close()
    this.#runner.breakLanes(error)
    // What finalizers failed of is for close() to tell.
    await closed.catch(() => undefined)
  }

  stats(): PoolStats {
    const workers = [...this.#runner.pool.workers]
    return {
      starting: workers.filter(({ thread }) => thread.state === 'starting').length,
      ready: workers.filter(({ isReady }) => isReady).length,
      busy: workers.filter(({ assignments }) => assignments.length > 0).length,
      waiting: this.#runner.waiting,
      streams: this.#runner.lanes.size,
      crashes: this.#runner.counts.crashes,
      timeouts: this.#runner.counts.timeouts,
      recycled: this.#runner.pool.recycled,
    }
  }

  /** For a lane: a chunk waits. */
  submit(lane: ThreadLane, chunk: Chunk): void {
    this.#runner.submit(lane, chunk)
  }

  /** For a lane: its stream can be woken. */
  flush(): void {
    this.#runner.advance()
  }

  /** For a lane that is closed. */
  release(lane: ThreadLane, reason?: Reason): void {
    if (!this.#runner.release(lane, reason)) return
    this.#resolveIfDrained()
    this.#startIdleTimer()
    // A worker may be free now that nothing else could be given to.
    this.#runner.advance()
  }

  async #finish(drained: Promise<void>): Promise<unknown[]> {
    await drained
    const results = await this.#runner.pool.finishAll()
    this.#runner.pool.assertFinalized()
    return results
  }

  #resolveIfDrained(): void {
    if (this.#drained === undefined || this.#runner.lanes.size > 0) return
    clearTimeout(this.#idleTimer)
    this.#drained()
  }

  #startIdleTimer(): void {
    const { idleTimeout } = this.#options
    if (this.closed || this.#runner.lanes.size > 0 || idleTimeout === Infinity) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      void this.#runner.pool.finishAll()
    }, idleTimeout).unref()
  }
}
