/** One end of a pipe. */
import { threadId } from 'node:worker_threads'
import { rangeError } from '../../errors.js'
import { EndOfFileError, PipeClosedError, QueueEmptyError, QueueFullError } from '../errors.js'
import { pointAtCaller } from '../../call-site.js'
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import type { Channel, Got, Put } from './channel.js'
import { PipeState, type Side } from './pipe-state.js'
import { fromBytes, toBytes } from './item-bytes.js'
import { itemsOf } from './iteration.js'
import { readBlockingLimits, readLimits, type SyncWaitOptions, type WaitOptions } from './limits.js'

const KIND = 34
const SIDE = HEADER
const SEND = 'send through a pipe'
const RECEIVE = 'receive from a pipe'
const POLL = 'poll a pipe'

/**
 * One end of a pipe. The other end receives the items that it sends. See `Pipe()`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 * import { Pipe, type Connection } from 'millrace/multiprocessing'
 *
 * const answer = task(import.meta.url, 'answer', async (end: Connection<string>) => {
 *   for await (const question of end) await end.send(question.toUpperCase())
 * })
 *
 * if (isMainThread) {
 *   const [here, there] = Pipe<string>()
 *   const answering = (async () => {
 *     for await (const _ of imap(answer, [there]));
 *   })()
 *   await here.send('who?')
 *   console.log(await here.recv())
 *   // → WHO?
 *   here.close()
 *   await answering
 * }
 * ```
 */
export class Connection<T> extends Shared implements AsyncIterable<T> {
  readonly #ends: PipeState
  readonly #side: Side
  #isHeld = false
  #isClosed = false

  private constructor(memory: Memory, parts: readonly Shared[]) {
    super(memory, parts)
    const [ends] = this.parts as readonly [PipeState]
    this.#ends = ends
    this.#side = memory[SIDE] === 0 ? 0 : 1
  }

  /** @internal */
  static of<T>(memory: Memory, parts: readonly Shared[]): Connection<T> {
    // A bundler renames a class that names itself.
    return new this<T>(memory, parts)
  }

  /** Whether this thread has closed it. */
  get closed(): boolean {
    return this.#isClosed
  }

  /**
   * Sends an item, by structured clone. Waits only while items of more than 256 MiB are on their way. Await it before
   * `process.exit()`: otherwise the item may not be sent.
   *
   * @param options The longest wait in milliseconds, or `{ timeout, signal }`: see `WaitOptions`.
   * @throws {PipeClosedError} If this end is closed, or one of the ends is gone. The text says which one.
   * @throws {QueueFullError} If the timeout passed. The item was not sent.
   * @throws {NotSerializableError} If a part of the item cannot be copied, such as a function or a shared object.
   * @throws {RangeError} If the item takes more than 256 MiB.
   */
  async send(item: T, options?: number | WaitOptions): Promise<void> {
    const limits = readLimits(SEND, options)
    const channel = this.#outgoing
    this.#checkSent(await channel.put(bytesOf(channel, item), limits), limits.timeout)
  }

  /**
   * The same, but it blocks the thread: for workers.
   *
   * @throws {SyncError} On the main thread.
   */
  sendSync(item: T, options?: number | SyncWaitOptions): void {
    const limits = readBlockingLimits(SEND, options, 'send()')
    const channel = this.#outgoing
    this.#checkSent(channel.putSync(bytesOf(channel, item), limits), limits.timeout)
  }

  /**
   * Receives the next item. Waits while there is none, and keeps the program alive meanwhile.
   *
   * @param options The longest wait in milliseconds, or `{ timeout, signal }`: see `WaitOptions`.
   * @throws {EndOfFileError} If the other end is gone, and all its items were received.
   * @throws {QueueEmptyError} If the timeout passed.
   * @throws {PipeClosedError} If this end is closed, before or during the wait; or if all threads that got it have
   * ended.
   */
  async recv(options?: number | WaitOptions): Promise<T> {
    const limits = readLimits(RECEIVE, options)
    return this.#received(await this.#incoming(RECEIVE).get(limits), limits.timeout) as T
  }

  /**
   * The same, but it blocks the thread: for workers. Do not use it on a thread whose worker has the other end: a
   * blocked thread does not notice that the worker ends.
   *
   * @throws {SyncError} On the main thread.
   */
  recvSync(options?: number | SyncWaitOptions): T {
    const limits = readBlockingLimits(RECEIVE, options, 'recv()')
    return this.#received(this.#incoming(RECEIVE).getSync(limits), limits.timeout) as T
  }

  /**
   * Whether `recv()` would not wait, because there is an item, or the other end is gone.
   *
   * @param options The longest wait for that in milliseconds, or `{ timeout, signal }`: see `WaitOptions`. Default: 0.
   * `Infinity`: no limit.
   * @throws {RangeError | TypeError} If an option is invalid.
   * @throws {PipeClosedError} If this end is closed.
   */
  async poll(options?: number | WaitOptions): Promise<boolean> {
    const limits = readLimits(POLL, options, 0)
    return this.#incoming(POLL).poll(limits)
  }

  /**
   * The same, but it blocks the thread: for workers.
   *
   * @throws {SyncError} On the main thread.
   */
  pollSync(options?: number | SyncWaitOptions): boolean {
    const limits = readBlockingLimits(POLL, options, 'poll()', 0)
    return this.#incoming(POLL).pollSync(limits)
  }

  /**
   * Tells that this thread does not use the end any more. If no other thread has it, the other side then receives the
   * remaining items, and ends. You can repeat it.
   */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ends.release(this.#side, new Set([threadId]))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Receives items until the other end is gone. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return itemsOf<T>(this.#incoming(RECEIVE))
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    this.#ends.releaseThreads(threads)
  }

  /** @internal */
  override transferTo(thread: number): void {
    if (!this.#isClosed) this.#ends.hold(this.#side, thread)
  }

  /** This thread got it, or uses it. @internal */
  hold(): void {
    if (this.#isHeld) return
    this.#ends.hold(this.#side, threadId)
    this.#isHeld = true
  }

  get #outgoing(): Channel {
    this.#use(SEND)
    return this.#ends.queue(this.#side).channel
  }

  #incoming(action: string): Channel {
    this.#use(action)
    return this.#ends.queue(this.#side === 0 ? 1 : 0).channel
  }

  #received(got: Got, timeout: number): unknown {
    if (typeof got !== 'string') return fromBytes(got)
    if (got === 'empty')
      throw new QueueEmptyError(`Cannot ${RECEIVE} as there was nothing to receive within ${timeout} ms`)
    // This thread may have closed it meanwhile.
    this.#use(RECEIVE)
    this.#checkNotLost(RECEIVE)
    throw new EndOfFileError(`Cannot ${RECEIVE} as its other end is gone, and all items were received`)
  }

  #checkSent(put: Put, timeout: number): void {
    if (put === 'put') return
    if (put === 'full') throw new QueueFullError(`Cannot ${SEND} as there was no room for it within ${timeout} ms`)
    // This thread may have closed it meanwhile.
    this.#use(SEND)
    this.#checkNotLost(SEND)
    throw new PipeClosedError(`Cannot ${SEND} as its other end is gone`)
  }

  /** Throws if the pipe is closed because this end is gone: it was passed on, and all threads that had it let go. */
  #checkNotLost(action: string): void {
    if (!this.#ends.wasLost(this.#side)) return
    throw new PipeClosedError(
      `Cannot ${action} as all threads that had this end have closed it or ended: use it here before you pass it on, or make a new pipe`,
    )
  }

  #use(action: string): void {
    if (this.#isClosed) throw pointAtCaller(new PipeClosedError(`Cannot ${action} as this end of it is closed`))
    this.hold()
  }
}

/** Memory for an end. */
export function createConnectionMemory(side: Side): Memory {
  const memory = createMemory(KIND, 1)
  memory[SIDE] = side
  return memory
}

function bytesOf(channel: Channel, item: unknown): Uint8Array {
  const bytes = toBytes(SEND, item)
  if (bytes.length <= channel.maxBytes) return bytes
  const message = `Cannot ${SEND} as the item takes ${bytes.length} bytes: the most is ${channel.maxBytes}`
  throw rangeError('ERR_INVALID_OPTION', message)
}

defineShared(KIND, (memory, parts) => {
  const connection = Connection.of(memory, parts)
  connection.hold()
  return connection
})
