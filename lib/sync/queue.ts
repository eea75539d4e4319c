/** Queues: items from any thread to any thread. */
import { QueueClosedError, QueueEmptyError, QueueFullError, rangeError } from '../errors.js'
import { OptionReader } from '../options.js'
import { createMemory, defineShared, HEADER, Shared, type Memory } from '../shared/shared.js'
import { fromBytes, toBytes } from './item.js'
import { Latch } from './latch.js'
import { mostCells, Ring, RING_CELLS, unitsOf } from './ring.js'
import { Turns, type Wanted } from './turns.js'
import { checkInteger, checkMayBlock, checkTimeout, FOREVER } from './waiting.js'

const KIND = 32
const WRITER = HEADER
/** How many units the item takes that waits for room; 0 if none does, or it is not known. */
const NEEDED = HEADER + 1
const MAX_SIZE = HEADER + 2
const MAX_BYTES = HEADER + 3
/** How many items are done, modulo 2^32: for a queue that can be joined. */
export const DONE: number = HEADER + 4
const RING = HEADER + 6
/** What the records have at first. */
const FEW = 128

const MOST_ITEMS = 2 ** 31 - 1
const MOST_BYTES = 2 ** 30
const DEFAULT_BYTES = 2 ** 28
const PUT = 'put an item in a queue'
const GET = 'get an item of a queue'
const ENDED = Symbol('ended')

/** Options of a `Queue`. */
export interface QueueOptions {
  /**
   * How many bytes an item may take, as structured clone writes it. All that wait take about twice as much at most: then `put()`
   * waits, as for `maxsize`. The memory is reserved, and taken when it is needed. From 1 to 2^30 (1 GiB); by default 2^28 (256 MiB).
   */
  maxBytes?: number
}

/**
 * A queue for many threads to put items in, and many to get them from: first in, first out. Sent to workers in items, results or
 * `initargs`, it is the same queue there.
 *
 * Items are copied by structured clone; errors keep their fields, as those of tasks. They wait in shared memory: what `put()` has
 * put stays there, whatever becomes of its thread. An item that a thread has got is that thread's: it ends with it.
 * Items that one thread puts come out in its order.
 *
 * Calls that wait are served first come, first served: on one thread exactly, between threads as to which is woken first (a thread that
 * is busy then does not hold up the others, which may get the next item before it). Memory that the queue has grown to is freed with it.
 *
 * An empty and a full queue are told by errors, as in Python, since any value can be an item, and no item is to be lost in silence.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, Queue, task } from 'millrace'
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
  readonly #ring: Ring
  readonly #latch: Latch
  readonly #getters: Turns
  readonly #putters: Turns
  readonly #maxsize: number
  readonly #items: Wanted<Uint8Array | typeof ENDED | undefined>
  readonly #places: Pick<Wanted<unknown>, 'available'> = { available: () => this.#room }

  /**
   * @param maxsize How many items there may be at once: an integer from 1 to 2,147,483,647; or 0, the default, for no limit.
   * @throws {RangeError | TypeError} If it or an option is not as it may be; or if there is no memory.
   */
  constructor(maxsize?: number, options?: QueueOptions)
  /** @internal */
  constructor(maxsize: Memory, options: readonly Shared[])
  /** @internal */
  constructor(maxsize: number | undefined, options: QueueOptions | undefined, kind: number)
  constructor(maxsize: number | Memory = 0, options: QueueOptions | readonly Shared[] = {}, kind: number = KIND) {
    if (typeof maxsize === 'object') super(maxsize, options as readonly Shared[])
    else super(createQueueMemory(maxsize, options as QueueOptions, kind), [new Turns(), new Turns()])
    const [getters, putters] = this.parts as readonly [Turns, Turns]
    this.#getters = getters
    this.#putters = putters
    this.#latch = new Latch(this.memory, WRITER)
    this.#ring = new Ring(this.memory, RING, this.#maxBytes)
    this.#maxsize = this.memory[MAX_SIZE] ?? 0
    this.#items = {
      available: () => (this.#ring.isClosed ? Infinity : this.#ring.size),
      attempt: () => this.#take(),
    }
  }

  /** How many items there are: a look at the moment, which the next may change. */
  get size(): number {
    return this.#ring.size
  }

  /** Whether there is no item at the moment. */
  get isEmpty(): boolean {
    return this.size === 0
  }

  /** Whether there are `maxsize` items at the moment. */
  get isFull(): boolean {
    return this.#maxsize > 0 && this.size >= this.#maxsize
  }

  /** Whether it was closed; there may still be items. */
  get closed(): boolean {
    return this.#ring.isClosed
  }

  /**
   * Puts an item at the end; waits while there is no room. While it waits it keeps the program alive.
   *
   * @param timeout How long to wait at most, in milliseconds, from 0, which tries once; without one it waits for ever.
   * @throws {QueueFullError} If time was over: the item was not put.
   * @throws {QueueClosedError} If the queue is closed, or was while it waited.
   * @throws {NotSerializableError} If a part of the item cannot be copied: a function; or what threads share.
   * @throws {RangeError} If the item is larger than `maxBytes`; or if `timeout` is negative or `NaN`.
   */
  async put(item: T, timeout: number = FOREVER): Promise<void> {
    checkTimeout(PUT, timeout)
    const put = this.#putting(item)
    const wanted = { ...this.#places, attempt: () => this.#latch.run(put.attempt) }
    try {
      if ((await this.#putters.wait(wanted, timeout)) === undefined) throw this.#full(timeout)
    } finally {
      put.end()
    }
  }

  /** Puts an item if there is room now: `put(item, 0)`. */
  putNow(item: T): Promise<void> {
    return this.put(item, 0)
  }

  /**
   * `put()`, holding the thread: for workers. Not for a thread whose own workers use the queue: while it is held it does not
   * hear of their end.
   *
   * @throws {SyncError} On the main thread.
   */
  putSync(item: T, timeout: number = FOREVER): void {
    checkTimeout(PUT, timeout)
    checkMayBlock(`${PUT} synchronously`, 'put()')
    const put = this.#putting(item)
    const wanted = { ...this.#places, attempt: () => this.#latch.runSync(put.attempt) }
    try {
      if (this.#putters.waitSync(wanted, timeout) === undefined) throw this.#full(timeout)
    } finally {
      put.end()
    }
  }

  /**
   * Takes the first item; waits while there is none. While it waits it keeps the program alive.
   *
   * @param timeout How long to wait at most, in milliseconds, from 0, which tries once; without one it waits for ever.
   * @throws {QueueEmptyError} If time was over.
   * @throws {QueueClosedError} If the queue is closed, and all its items were taken.
   * @throws {RangeError} If `timeout` is negative or `NaN`.
   */
  async get(timeout: number = FOREVER): Promise<T> {
    checkTimeout(GET, timeout)
    return this.#opened(await this.#getters.wait(this.#items, timeout), timeout)
  }

  /** Takes the first item if there is one now: `get(0)`. */
  getNow(): Promise<T> {
    return this.get(0)
  }

  /**
   * `get()`, holding the thread: for workers. Not for a thread whose own workers use the queue.
   *
   * @throws {SyncError} On the main thread.
   */
  getSync(timeout: number = FOREVER): T {
    checkTimeout(GET, timeout)
    checkMayBlock(`${GET} synchronously`, 'get()')
    return this.#opened(this.#getters.waitSync(this.#items, timeout), timeout)
  }

  /**
   * No more items can be put, by any thread; those that are there can be got, and then there is an end. Harmless when
   * repeated.
   */
  close(): void {
    this.#ring.close()
    this.#serve()
  }

  /**
   * Takes items until the queue is closed and empty. Several consumers, on any threads, share the items. A stream that has a queue as its source
   * reads ahead: items that it has read when it is ended early are gone.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const stop = new AbortController()
    const { available } = this.#items
    const attempt = (): Uint8Array | typeof ENDED | undefined => (stop.signal.aborted ? ENDED : this.#take())
    const iterator: AsyncIterableIterator<T> = {
      next: async () => {
        const bytes = stop.signal.aborted
          ? ENDED
          : await this.#getters.wait({ available, attempt }, FOREVER, stop.signal)
        if (bytes === undefined || bytes === ENDED) return { done: true, value: undefined }
        return { done: false, value: fromBytes(bytes) as T }
      },
      // Also of a `next()` that waits, so that it takes no item any more.
      return: () => {
        stop.abort()
        return Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** @internal */
  bury(threads: ReadonlySet<number>): void {
    this.#latch.bury(threads)
    this.#getters.bury(threads)
    this.#putters.bury(threads)
    // Whose need it was is not known: if that call is alive, it will find out again.
    Atomics.store(this.memory, NEEDED, 0)
    this.#serve()
  }

  /** How many items were put so far, modulo 2^32. @internal */
  protected get written(): number {
    return this.#ring.written
  }

  get #maxBytes(): number {
    return this.memory[MAX_BYTES] ?? 0
  }

  /** How many calls may try to put an item. */
  get #room(): number {
    if (this.#ring.isClosed) return Infinity
    const needed = Atomics.load(this.memory, NEEDED)
    if (needed > 0) return this.#ring.hasRoom(needed) && !this.isFull ? 1 : 0
    return this.#maxsize === 0 ? Infinity : this.#maxsize - this.#ring.size
  }

  #serve(): void {
    this.#getters.serve(this.#items)
    this.#putters.serve(this.#places)
  }

  #take(): Uint8Array | typeof ENDED | undefined {
    const bytes = this.#ring.take()
    if (typeof bytes === 'string') return bytes === 'ended' ? ENDED : undefined
    this.#putters.serve(this.#places)
    return bytes
  }

  /** One item's way in: what to try, alone, until it is put; and what to do in the end. */
  #putting(item: T): { readonly attempt: () => true | undefined; readonly end: () => void } {
    const bytes = toBytes(PUT, item)
    if (bytes.length > this.#maxBytes) throw tooLarge(bytes.length, this.#maxBytes)
    const units = unitsOf(bytes.length)
    let isWaiting = false
    const attempt = (): true | undefined => {
      if (this.isFull && !this.#ring.isClosed) return undefined
      const done = this.#ring.write(bytes)
      if (done === 'closed') throw new QueueClosedError(`Cannot ${PUT} as it is closed`)
      if (done === 'full') {
        isWaiting = true
        Atomics.store(this.memory, NEEDED, units)
        return undefined
      }
      this.#getters.serve(this.#items)
      return true
    }
    const end = (): void => {
      if (!isWaiting) return
      Atomics.compareExchange(this.memory, NEEDED, units, 0)
      this.#putters.serve(this.#places)
    }
    return { attempt, end }
  }

  #full(timeout: number): QueueFullError {
    return new QueueFullError(`Cannot ${PUT} as there was no room for it within ${timeout} ms`)
  }

  #opened(bytes: Uint8Array | typeof ENDED | undefined, timeout: number): T {
    if (bytes === undefined) throw new QueueEmptyError(`Cannot ${GET} as there was none within ${timeout} ms`)
    if (bytes === ENDED) throw new QueueClosedError(`Cannot ${GET} as it is closed and empty`)
    return fromBytes(bytes) as T
  }
}

function tooLarge(bytes: number, most: number): RangeError {
  const message = `Cannot ${PUT} as it takes ${bytes} bytes: 'maxBytes' of the queue is ${most}`
  return rangeError('ERR_INVALID_OPTION', message)
}

function createQueueMemory(maxsize: unknown, options: QueueOptions, kind: number): Memory {
  const action = 'make a queue'
  checkInteger(action, 'maxsize', maxsize, 0, MOST_ITEMS)
  const reader = new OptionReader<QueueOptions>(action, options, ['maxBytes'])
  const maxBytes = reader.integer('maxBytes', 1, MOST_BYTES) ?? DEFAULT_BYTES
  const most = RING - HEADER + mostCells(maxBytes)
  const memory = createMemory(kind, Math.min(RING - HEADER + RING_CELLS + FEW, most), most)
  memory[MAX_SIZE] = maxsize as number
  memory[MAX_BYTES] = maxBytes
  return memory
}

defineShared(KIND, (memory, parts) => new Queue(memory, parts))
