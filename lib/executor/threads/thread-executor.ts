/** The executor of worker threads: opens and closes, and tells its figures. `chunk-runner.ts` runs the chunks. */
import type { WorkerEvent } from '../../log/events.js'
import { PoolClosedError } from '../../errors.js'
import { assertUnshared } from '../../processes/process-options.js'
import { assertMayStart } from '../../worker/guard.js'
import type { Job, Lane, LaneClient, PoolExecutor } from '../executor.js'
import { ChunkRunner } from './chunk-runner.js'
import { ThreadLane } from './thread-lane.js'
import type { WorkerPoolOptions } from './worker-pool.js'

export interface ThreadExecutorOptions extends WorkerPoolOptions {
  /** How long the workers outlive the last stream, in milliseconds. */
  readonly idleTimeout: number
}

/** Figures of a pool, at this moment. */
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
  /** Threads that died without being asked to end, since the pool was made. */
  readonly crashes: number
  /** Threads that were ended because an item took longer than `timeout`, or the loading of a module longer than `startTimeout`. */
  readonly timeouts: number
  /** Threads that were replaced: by `maxTasksPerWorker` or `maxHeapUsed`, or because their module was evaluated again. */
  readonly recycled: number
}

export class ThreadExecutor implements PoolExecutor {
  readonly name: string
  readonly workers: number
  readonly #options: ThreadExecutorOptions
  readonly #runner: ChunkRunner
  /** The promise that `close()` returns. */
  #closing: Promise<unknown[]> | undefined
  /** To be called when the last stream has ended after `close()`. */
  #drained: (() => void) | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(options: ThreadExecutorOptions) {
    this.name = options.name
    this.workers = options.workers
    this.#options = options
    this.#runner = new ChunkRunner(options, () => {
      this.#advance()
    })
  }

  get broken(): boolean {
    return this.#runner.broken !== undefined
  }

  assertOpen(): void {
    if (this.#runner.broken !== undefined) throw this.#runner.broken
    if (this.#closing !== undefined) {
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
    if (this.#options.isolation === 'process') assertUnshared('open a stream', job.initial, 'initial')
    const lane = new ThreadLane(this.#runner, job, client)
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
      // If nobody waits for it, its rejection must not end the program.
      this.#closing.catch(() => undefined)
      this.#advance()
    }
    return this.#closing
  }

  /** Ends the workers now, and the open streams with `error`. */
  async terminate(error: Error): Promise<void> {
    this.#runner.end()
    const closed = this.close()
    this.#runner.breakLanes(error)
    // `close()` tells of the errors of finalizers.
    await closed.catch(() => undefined)
  }

  stats(): PoolStats {
    const workers = [...this.#runner.pool.workers]
    return {
      starting: workers.filter(({ link }) => link.state === 'starting').length,
      ready: workers.filter(({ isReady }) => isReady).length,
      busy: workers.filter(({ assignments }) => assignments.length > 0).length,
      waiting: this.#runner.waiting,
      streams: this.#runner.lanes.size,
      crashes: this.#runner.counts.crashes,
      timeouts: this.#runner.counts.timeouts,
      recycled: this.#runner.pool.recycled,
    }
  }

  async #finish(drained: Promise<void>): Promise<unknown[]> {
    await drained
    const results = await this.#runner.pool.finishAll()
    this.#runner.pool.assertFinalized()
    return results
  }

  /** A stream or the pool has been closed: ends the workers if nothing needs them, now or after the idle time. */
  #advance(): void {
    if (this.#runner.lanes.size > 0) return
    clearTimeout(this.#idleTimer)
    const { idleTimeout } = this.#options
    if (this.#drained !== undefined) this.#drained()
    else if (idleTimeout !== Infinity) {
      this.#idleTimer = setTimeout(() => {
        void this.#runner.pool.finishAll()
      }, idleTimeout).unref()
    }
  }
}
