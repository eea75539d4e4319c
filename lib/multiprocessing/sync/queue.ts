/** Queues: items from any thread to any thread. */
import { rangeError } from '../../errors.js'
import { QueueClosedError, QueueEmptyError, QueueFullError } from '../errors.js'
import { OptionReader } from '../../options.js'
import { isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { Channel, createChannelMemory, type Got, type Put } from './channel.js'
import { fromBytes, toBytes } from './item-bytes.js'
import { itemsOf } from './iteration.js'
import { FairQueue } from './fair-queue.js'
import { readBlockingLimits, readLimits, type SyncWaitOptions, type WaitOptions } from './limits.js'
import { checkInteger } from './checks.js'

const KIND = 32
const MAX_ITEMS = 2 ** 31 - 1
const MAX_ITEM_BYTES = 2 ** 30
const DEFAULT_ITEM_BYTES = 2 ** 28
const PUT = 'put an item in a queue'
const GET = 'get an item of a queue'

/** Options of a `Queue`. */
export interface QueueOptions {
  /**
   * The largest size of an item, in bytes of its structured clone. All items that wait can take about twice as much.
   * Then `put()` waits, as for `maxsize`. The memory is reserved at first, and taken when it is needed. From 1 to 2^30
   * (1 GiB). Default: 2^28 (256 MiB).
   */
  maxBytes?: number
}

/**
 * A queue across threads: many can put items in, and many can get them, first in, first out. Sent to workers in items,
 * results or `initargs`, it is the same queue there.
 *
 * Items are copied by structured clone. Errors keep their fields, as errors of tasks do. Items wait in shared memory:
 * they stay there when the thread that put them ends. An item that a thread has taken is lost if that thread ends.
 * Items that one thread puts come out in its order. If a thread that uses the queue is ended from outside, its parent
 * lets the others continue, as for a `Lock`.
 *
 * Calls that wait are served first come, first served. On one thread that is exact. Between threads it is the order in
 * which they are woken. A busy thread does not delay the others: they can take the next item before it. The memory of a
 * queue grows as needed, and is freed with the queue.
 *
 * Calls that need not wait resolve in a microtask. So a loop over a queue that is never empty does not yield to the
 * event loop.
 *
 * An empty or full queue is an error, as in Python, because every value can be an item. No item may be lost without an
 * error.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 * import { Queue } from 'millrace/multiprocessing'
 *
 * interface Range {
 *   from: number
 *   squares: Queue<number>
 * }
 *
 * const squares = task(import.meta.url, 'squares', async ({ from, squares }: Range) => {
 *   for (let n = from; n < from + 10; n++) await squares.put(n * n)
 * })
 *
 * if (isMainThread) {
 *   const queue = new Queue<number>(5)
 *   const ranges = [0, 10, 20].map((from) => ({ from, squares: queue }))
 *   const filling = (async () => {
 *     for await (const _ of imap(squares, ranges, { chunksize: 1 }));
 *     queue.close()
 *   })()
 *   let sum = 0
 *   for await (const square of queue) sum += square
 *   await filling
 *   console.log(sum)
 *   // → 8555
 * }
 * ```
 */
export class Queue<T> extends Shared implements AsyncIterable<T> {
  readonly #channel: Channel

  /**
   * @param maxsize The most items at once: an integer from 1 to 2,147,483,647; or 0, the default, for no limit.
   * @throws {RangeError | TypeError} If `maxsize` or an option is invalid; or if there is not enough memory.
   */
  constructor(maxsize?: number, options?: QueueOptions)
  /** @internal */
  constructor(maxsize: Memory, options: readonly Shared[])
  /** @internal */
  constructor(maxsize: number | undefined, options: QueueOptions | undefined, kind: number)
  constructor(maxsize: number | Memory = 0, options: QueueOptions | readonly Shared[] = {}, kind: number = KIND) {
    if (isMemory(maxsize)) super(maxsize, options as readonly Shared[])
    else super(createQueueMemory(maxsize, options as QueueOptions, kind), [new FairQueue(), new FairQueue()])
    const [getters, putters] = this.parts as readonly [FairQueue, FairQueue]
    this.#channel = new Channel(this.memory, getters, putters)
  }

  /** The number of items at this moment. It can change at once. */
  get size(): number {
    return this.#channel.size
  }

  /** Whether the queue is empty at this moment. */
  get isEmpty(): boolean {
    return this.size === 0
  }

  /** Whether it has `maxsize` items at this moment. */
  get isFull(): boolean {
    return this.#channel.isFull
  }

  /** Whether it was closed. There may still be items. */
  get closed(): boolean {
    return this.#channel.isClosed
  }

  /**
   * Puts an item at the end. Waits while the queue is full, and keeps the program alive meanwhile. Await it before
   * `process.exit()`: otherwise the item may not be put.
   *
   * @param options The longest wait in milliseconds (0 tries once), or `{ timeout, signal }`: see `WaitOptions`.
   * @throws {QueueFullError} If the timeout passed. The item was not put.
   * @throws {QueueClosedError} If the queue is closed, before or during the wait.
   * @throws {NotSerializableError} If a part of the item cannot be copied, such as a function or a shared object.
   * @throws {RangeError | TypeError} If the item is larger than `maxBytes`; or if an option is invalid.
   */
  async put(item: T, options?: number | WaitOptions): Promise<void> {
    const limits = readLimits(PUT, options)
    checkPut(await this.#channel.put(this.#bytesOf(item), limits), limits.timeout)
  }

  /** Puts an item if there is room now: `put(item, 0)`. */
  putNow(item: T): Promise<void> {
    return this.put(item, 0)
  }

  /**
   * As `put()`, but it blocks the thread: for workers. Do not use it on a thread whose workers use the queue: a blocked
   * thread does not notice that they end.
   *
   * @throws {SyncError} On the main thread.
   */
  putSync(item: T, options?: number | SyncWaitOptions): void {
    const limits = readBlockingLimits(PUT, options, 'put()')
    checkPut(this.#channel.putSync(this.#bytesOf(item), limits), limits.timeout)
  }

  /**
   * Takes the first item. Waits while there is none, and keeps the program alive meanwhile.
   *
   * @param options The longest wait in milliseconds (0 tries once), or `{ timeout, signal }`: see `WaitOptions`.
   * @throws {QueueEmptyError} If the timeout passed.
   * @throws {QueueClosedError} If the queue is closed, and all its items were taken.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  async get(options?: number | WaitOptions): Promise<T> {
    const limits = readLimits(GET, options)
    return opened(await this.#channel.get(limits), limits.timeout) as T
  }

  /** Takes the first item if there is one now: `get(0)`. */
  getNow(): Promise<T> {
    return this.get(0)
  }

  /**
   * As `get()`, but it blocks the thread: for workers. Do not use it on a thread whose workers use the queue.
   *
   * @throws {SyncError} On the main thread.
   */
  getSync(options?: number | SyncWaitOptions): T {
    const limits = readBlockingLimits(GET, options, 'get()')
    return opened(this.#channel.getSync(limits), limits.timeout) as T
  }

  /**
   * Closes the queue: no thread can put an item any more. Consumers get the remaining items, and then the queue ends.
   * You can repeat it.
   */
  close(): void {
    this.#channel.close()
  }

  /**
   * Takes items until the queue is closed and empty. Several consumers, on any threads, share the items. A stream whose
   * source is a queue reads ahead: if it ends early, the items that it has read are lost.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return itemsOf<T>(this.#channel)
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    this.#channel.releaseThreads(threads)
  }

  /** @internal */
  get channel(): Channel {
    return this.#channel
  }

  #bytesOf(item: T): Uint8Array {
    const bytes = toBytes(PUT, item)
    const { maxBytes } = this.#channel
    if (bytes.length <= maxBytes) return bytes
    const message = `Cannot ${PUT} as it takes ${bytes.length} bytes: 'maxBytes' of the queue is ${maxBytes}`
    throw rangeError('ERR_INVALID_OPTION', message)
  }
}

function checkPut(put: Put, timeout: number): void {
  if (put === 'full') throw new QueueFullError(`Cannot ${PUT} as there was no room for it within ${timeout} ms`)
  if (put === 'closed') throw new QueueClosedError(`Cannot ${PUT} as it is closed: close it after the last put()`)
}

function opened(got: Got, timeout: number): unknown {
  if (got === 'empty') throw new QueueEmptyError(`Cannot ${GET} as there was none within ${timeout} ms`)
  if (got === 'ended') throw new QueueClosedError(`Cannot ${GET} as it is closed and empty: 'for await' ends there`)
  return fromBytes(got)
}

function createQueueMemory(maxsize: unknown, options: QueueOptions, kind: number): Memory {
  const action = 'make a queue'
  checkInteger(action, 'maxsize', maxsize, 0, MAX_ITEMS)
  const reader = new OptionReader<QueueOptions>(action, options, ['maxBytes'])
  const maxBytes = reader.integer('maxBytes', 1, MAX_ITEM_BYTES) ?? DEFAULT_ITEM_BYTES
  return createChannelMemory(kind, maxsize as number, maxBytes)
}

defineShared(KIND, (memory, parts) => new Queue(memory, parts))
