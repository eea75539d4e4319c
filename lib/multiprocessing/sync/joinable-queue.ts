/** A queue that knows which items are done. */
import { SyncError } from '../errors.js'
import { isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, type Shared } from '../shared-object.js'
import { SPARE } from './channel.js'
import { Queue, type QueueOptions } from './queue.js'
import { readBlockingLimits, readLimits, type Limits, type SyncWaitOptions, type WaitOptions } from './limits.js'
import { block, settle, type Steps } from './steps.js'
import { CellWatch } from './cell-watch.js'

const KIND = 33
/** The number of items that are done, modulo 2^32. */
const DONE = SPARE
const JOIN = 'join a queue'

/**
 * A `Queue` that you can join: `join()` waits until all its items are done. A consumer calls `taskDone()` when it has
 * processed an item. If its thread ends before that, the item is never done.
 *
 * @example
 * ```ts
 * import { JoinableQueue } from 'millrace/multiprocessing'
 *
 * const queue = new JoinableQueue<string>()
 * for (const name of ['a', 'b', 'c']) await queue.put(name)
 * const consumer = (async () => {
 *   for await (const name of queue) {
 *     console.log(name)
 *     queue.taskDone()
 *   }
 * })()
 * // → a
 * // → b
 * // → c
 * await queue.join()
 * console.log(queue.unfinished)
 * // → 0
 * queue.close()
 * await consumer
 * ```
 */
export class JoinableQueue<T> extends Queue<T> {
  readonly #watch: CellWatch

  /**
   * @param maxsize The most items at once: an integer from 1 to 2,147,483,647; or 0, the default, for no limit.
   * @throws {RangeError | TypeError} If `maxsize` or an option is invalid; or if there is not enough memory.
   */
  constructor(maxsize?: number, options?: QueueOptions)
  /** @internal */
  constructor(maxsize: Memory, options: readonly Shared[])
  constructor(maxsize: number | Memory = 0, options: QueueOptions | readonly Shared[] = {}) {
    if (isMemory(maxsize)) super(maxsize, options as readonly Shared[])
    else super(maxsize, options as QueueOptions, KIND)
    this.#watch = new CellWatch(this.memory, DONE)
  }

  /** The number of items that were put and are not done, at this moment. */
  get unfinished(): number {
    const done = Atomics.load(this.memory, DONE)
    return (this.channel.written - done) | 0
  }

  /**
   * Marks an item as done. Call it once for each item that you got.
   *
   * @throws {SyncError} If all items that were put are already done.
   */
  taskDone(): void {
    for (;;) {
      const done = Atomics.load(this.memory, DONE)
      if (done === this.channel.written)
        throw new SyncError('Cannot call taskDone() as all items are done', 'ERR_NOTHING_TO_DO')
      if (Atomics.compareExchange(this.memory, DONE, done, (done + 1) | 0) === done) break
    }
    if (this.unfinished === 0) Atomics.notify(this.memory, DONE)
  }

  /**
   * Waits until all items that were put are done. While it waits it keeps the program alive.
   *
   * @param options The longest wait in milliseconds (0: do not wait), or `{ timeout, signal }`: see `WaitOptions`.
   * @returns Whether all are done; `false` if the timeout passed.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  async join(options?: number | WaitOptions): Promise<boolean> {
    return settle(this.#joining(readLimits(JOIN, options)))
  }

  /**
   * As `join()`, but it blocks the thread: for workers. Do not use it on a thread whose workers use the queue.
   *
   * @throws {SyncError} On the main thread.
   */
  joinSync(options?: number | SyncWaitOptions): boolean {
    const limits = readBlockingLimits(JOIN, options, 'join()')
    return block(this.#joining(limits))
  }

  *#joining(limits: Limits): Steps<boolean> {
    for (;;) {
      const done = Atomics.load(this.memory, DONE)
      if (done === this.channel.written) return true
      if (!(yield this.#watch.wait(done, limits))) return this.unfinished === 0
    }
  }

  /** @internal */
  override releaseThreads(threads: ReadonlySet<number>): void {
    super.releaseThreads(threads)
    // A thread may have ended after the last item was done, and before its notification.
    Atomics.notify(this.memory, DONE)
  }
}

defineShared(KIND, (memory, parts) => new JoinableQueue(memory, parts))
