/** The public pool: worker threads with a common set-up, and the verbs that run on them. */
import { availableParallelism } from 'node:os'
import { PoolClosedError, typeError } from './errors.js'
import { isWorkerEnv, type WorkerEnv } from './threads/launch.js'
import { readLimits, type ResourceLimits } from './threads/limits.js'
import { ThreadExecutor, type PoolStats, type ThreadExecutorOptions } from './executor/threads/thread-executor.js'
import { showState } from './inspect.js'
import { OptionReader } from './options.js'
import { assertProcessOptions, assertUnshared } from './processes/process-options.js'
import { plainFunctionError, taskName } from './task-name.js'
import type { Exported, MadeByTask } from './task.js'
import { applyOn, type Apply } from './verbs/apply.js'
import { DEFAULT_IDLE_TIMEOUT_MS, DEFAULT_START_TIMEOUT_MS } from './verbs/default-executor.js'
import { filterOn, type Filter } from './verbs/filter.js'
import { flatMapOn, type FlatMap } from './verbs/flat-map.js'
import { imapOn, type Imap } from './verbs/imap.js'
import { istarmapOn, type Istarmap } from './verbs/istarmap.js'
import { mapOn, starmapOn, type MapVerb, type Starmap } from './verbs/map.js'
import { reduceOn, type Reduce } from './verbs/reduce.js'
import type { Verbs } from './verbs/verbs.js'

/** Options of a pool. */
export interface PoolOptions<A extends readonly unknown[] = readonly never[]> {
  /** The most worker threads that the pool has: an integer from 1 to 1,024. Default: `os.availableParallelism()`. */
  readonly workers?: number
  /** The pool's name in error texts. Its threads are called by this name and a number. Default: `'pool'`. */
  readonly name?: string
  /**
   * Where workers run. `'thread'`: on threads of this process. `'process'`: each in a process of the system. Then a
   * native crash, `process.abort()`, the system's OOM kill or `kill -9` costs one item. A process takes about 50 MB and
   * 100 ms to start, a chunk costs more, and nothing can be shared: see docs/processes.md. Default: `'thread'`.
   */
  readonly isolation?: 'thread' | 'process'
  /**
   * How long idle threads stay after the last stream has ended, in milliseconds: an integer of at least 0, or
   * `Infinity`. They never keep the program alive. Default: 10,000.
   */
  readonly idleTimeout?: number
  /**
   * How long each of these may take: the start of a worker with its initializer, the loading of a task's module, and
   * the `finalizer`. In milliseconds: an integer of at least 1, or `Infinity`. A worker that takes longer is ended. The
   * error says what hung: a `WorkerStartError`, a `TaskLoadError` for the items, or a `TaskTimeoutError` from
   * `close()`. Default: 60,000.
   */
  readonly startTimeout?: number
  /**
   * Node options of each worker, as in `new Worker()`. Default: those of this process; for worker processes without
   * `--inspect`, `--eval` and the like.
   */
  readonly execArgv?: readonly string[]
  /**
   * Environment variables of each worker, as in `new Worker()`. Not `SHARE_ENV` for worker processes. Default: a copy
   * of this thread's.
   */
  readonly env?: WorkerEnv
  /**
   * Memory limits of each worker, in MiB. Worker processes have those of the two generations alone. Default: those of
   * Node, except a young generation of 16 MiB in threads.
   */
  readonly resourceLimits?: ResourceLimits
  /**
   * A worker is replaced after this many items: an integer of at least 1. It is checked between chunks, so a worker may
   * run up to one chunk more. Use it for tasks that leak memory. Default: never.
   */
  readonly maxTasksPerWorker?: number
  /**
   * A worker is replaced when this many bytes of its heap are in use after a chunk: an integer of at least 1. Garbage
   * counts, as in `used_heap_size` of `node:v8`. Default: never.
   */
  readonly maxHeapUsed?: number
  /** A task that each worker runs once, with `...initargs`, before its first item. Default: none. */
  readonly initializer?: (((...args: A) => unknown) & MadeByTask) | Exported<A[0], unknown>
  /** Arguments of the initializer. They are copied to each worker. Default: none. */
  readonly initargs?: A
  /**
   * A task that each worker runs before it ends. A worker ends when the pool is closed, when `maxTasksPerWorker` or
   * `maxHeapUsed` replaces it, or after `idleTimeout`. The finalizer does not run after a crash or `terminate()`, or
   * when the program ends before `close()`. After `startTimeout` the worker is ended. Default: none.
   */
  readonly finalizer?: ((() => unknown) & MadeByTask) | Exported<never, unknown>
}

/**
 * A pool of worker threads that you configure and close yourself, for example with another number of workers, an
 * initializer or memory limits. The module-level verbs run on a default pool.
 *
 * Threads start when the first item is read, and only as many as there is work for. A start takes some tens of
 * milliseconds. Threads end when the pool is closed, or after `idleTimeout`. A worker that dies is replaced. You can
 * end the program without closing the pool.
 *
 * @throws {TypeError | RangeError} `ERR_INVALID_OPTION`: an option has a wrong type or value. `ERR_INVALID_TASK`: the
 * initializer or finalizer is not a task.
 *
 * @example
 * ```ts
 * import { isMainThread, Pool, task } from 'millrace'
 *
 * const double = task(import.meta.url, 'double', (x: number) => {
 *   return 2 * x
 * })
 *
 * if (isMainThread) {
 *   await using pool = new Pool({ workers: 2, name: 'doubles' })
 *   for await (const y of pool.imap(double, [1, 2, 3], { window: 2 })) console.log(y)
 *   // → 2
 *   // → 4
 *   // → 6
 * }
 * ```
 */
export class Pool<A extends readonly unknown[] = readonly never[]> implements Verbs, AsyncDisposable {
  /** The pool's name. */
  readonly name: string
  /** The most worker threads that the pool has. */
  readonly workers: number
  /** As the module-level `imap`, on this pool. */
  readonly imap: Imap
  /** As the module-level `imapUnordered`, on this pool. */
  readonly imapUnordered: Imap
  /** As the module-level `istarmap`, on this pool. */
  readonly istarmap: Istarmap
  /** As the module-level `istarmapUnordered`, on this pool. */
  readonly istarmapUnordered: Istarmap
  /** As the module-level `filter`, on this pool. */
  readonly filter: Filter
  /** As the module-level `filterUnordered`, on this pool. */
  readonly filterUnordered: Filter
  /** As the module-level `flatMap`, on this pool. */
  readonly flatMap: FlatMap
  /** As the module-level `flatMapUnordered`, on this pool. */
  readonly flatMapUnordered: FlatMap
  /** As the module-level `reduce`, on this pool. */
  readonly reduce: Reduce
  /** As the module-level `map`, on this pool. */
  readonly map: MapVerb
  /** As the module-level `starmap`, on this pool. */
  readonly starmap: Starmap
  /** As the module-level `apply`, on this pool. */
  readonly apply: Apply
  readonly #executor: ThreadExecutor

  static {
    showState(
      this.prototype as Pool,
      (pool) => {
        const { ready, busy, waiting, streams } = pool.stats()
        return { name: pool.name, workers: pool.workers, ready, busy, waiting, streams }
      },
      'Pool',
    )
  }

  constructor(options?: PoolOptions<A>) {
    this.#executor = new ThreadExecutor(readOptions(options))
    const { name, workers } = this.#executor
    this.name = name
    this.workers = workers
    const executor = (): ThreadExecutor => this.#executor
    this.imap = imapOn(executor, true)
    this.imapUnordered = imapOn(executor, false)
    this.istarmap = istarmapOn(executor, true)
    this.istarmapUnordered = istarmapOn(executor, false)
    this.filter = filterOn(executor, true)
    this.filterUnordered = filterOn(executor, false)
    this.flatMap = flatMapOn(executor, true)
    this.flatMapUnordered = flatMapOn(executor, false)
    this.reduce = reduceOn(executor)
    this.map = mapOn(executor)
    this.starmap = starmapOn(executor)
    this.apply = applyOn(executor)
  }

  /**
   * Accepts no new streams, lets open streams finish, and then ends the threads. Resolves when they have ended. It
   * waits for a stream that you hold and do not read; `terminate()` does not wait. It waits for a stream that you
   * dropped until that is garbage collected.
   *
   * @returns The values that the `finalizer` returned in all workers since the pool was made, in the order in which the
   * workers ended. Without a finalizer, an empty array. The values are kept until then. If the pool replaces many
   * workers, return small values.
   * @throws The first error of a finalizer, in any worker that the pool has had. The threads have ended even then.
   */
  async close(): Promise<unknown[]> {
    return await this.#executor.close()
  }

  /** Ends the threads now. Open streams throw a `PoolClosedError` with the code `ERR_POOL_TERMINATED`. */
  async terminate(): Promise<void> {
    await this.#executor.terminate(
      new PoolClosedError(`Pool '${this.name}' was terminated before the stream ended`, 'ERR_POOL_TERMINATED'),
    )
  }

  /** Figures of the pool. */
  stats(): PoolStats {
    return this.#executor.stats()
  }

  /** The same as `terminate()`, for `await using`. When the scope ends, also by an error, no stream is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }
}

/** More threads than this are a mistake, because each takes several MiB. */
const MAX_WORKERS = 1_024

function readOptions<A extends readonly unknown[]>(options: PoolOptions<A> | undefined): ThreadExecutorOptions {
  const action = 'make a pool'
  const read = new OptionReader<PoolOptions<A>>(action, options, [
    'workers',
    'name',
    'isolation',
    'idleTimeout',
    'startTimeout',
    'execArgv',
    'env',
    'resourceLimits',
    'maxTasksPerWorker',
    'maxHeapUsed',
    'initializer',
    'initargs',
    'finalizer',
  ])
  const initargs = read.value('initargs', 'an array', Array.isArray)
  if (initargs !== undefined && initargs.length > 0 && options?.initializer === undefined) {
    throw typeError('ERR_INVALID_OPTION', `Cannot ${action} as 'initargs' needs an 'initializer': received none`)
  }
  const maxHeapUsed = read.integer('maxHeapUsed', 1)
  const isolation = read.oneOf('isolation', ['thread', 'process']) ?? 'thread'
  if (isolation === 'process') {
    assertProcessOptions(read)
    assertUnshared(action, initargs ?? [], 'initargs')
  }
  return {
    workers: read.integer('workers', 1, MAX_WORKERS) ?? availableParallelism(),
    name: read.value('name', 'a string', (value) => typeof value === 'string') ?? 'pool',
    isolation,
    idleTimeout: read.milliseconds('idleTimeout') ?? DEFAULT_IDLE_TIMEOUT_MS,
    startTimeout: read.milliseconds('startTimeout', 1) ?? DEFAULT_START_TIMEOUT_MS,
    execArgv: read.value('execArgv', 'an array of strings', isStrings),
    env: read.value('env', 'an object of strings or SHARE_ENV', isWorkerEnv),
    resourceLimits: readLimits(read),
    maxTasksPerWorker: read.integer('maxTasksPerWorker', 1),
    maxHeapUsed,
    watchHeap: maxHeapUsed !== undefined,
    initializer: nameOf(action, options?.initializer),
    finalizer: nameOf(action, options?.finalizer),
    initargs: initargs ?? [],
  }
}

function nameOf(action: string, fn: unknown): ReturnType<typeof taskName> {
  if (fn === undefined) return undefined
  const name = taskName(action, fn)
  if (name === undefined) throw plainFunctionError(action, fn, '')
  return name
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}
