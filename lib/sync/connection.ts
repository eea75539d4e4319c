/** The ends of pipes. */
import { threadId } from 'node:worker_threads'
import { EndOfFileError, PipeClosedError, rangeError } from '../errors.js'
import { createMemory, defineShared, HEADER, Shared, type Memory } from '../shared/shared.js'
import type { Channel, Got, Put } from './channel.js'
import { Ends, type Side } from './ends.js'
import { fromBytes, toBytes } from './item.js'
import { itemsOf } from './iteration.js'
import { checkMayBlock, checkTimeout, FOREVER } from './waiting.js'

const KIND = 34
const SIDE = HEADER
const SEND = 'send through a pipe'
const RECEIVE = 'receive from a pipe'
const POLL = 'poll a pipe'

/**
 * One end of a pipe: what it sends, the other end receives. See `Pipe()`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, Pipe, task, type Connection } from 'millrace'
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
  readonly #ends: Ends
  readonly #side: Side
  #isHeld = false
  #isClosed = false

  /** @internal */
  constructor(memory: Memory, parts: readonly Shared[]) {
    super(memory, parts)
    const [ends] = this.parts as readonly [Ends]
    this.#ends = ends
    this.#side = memory[SIDE] === 0 ? 0 : 1
  }

  /** Whether this thread has closed it. */
  get closed(): boolean {
    return this.#isClosed
  }

  /**
   * Sends an item, by structured clone. Waits only while items of more than 256 MiB are on their way. What was not awaited may not
   * have been sent when the thread ends by `process.exit()`.
   *
   * @throws {PipeClosedError} If this end is closed, or the other one is gone.
   * @throws {NotSerializableError} If a part of the item cannot be copied: a function; or what threads share.
   * @throws {RangeError} If the item takes more than 256 MiB.
   */
  async send(item: T): Promise<void> {
    const channel = this.#outgoing
    checkSent(await channel.put(bytesOf(channel, item), FOREVER))
  }

  /**
   * The same, holding the thread: for workers.
   *
   * @throws {SyncError} On the main thread.
   */
  sendSync(item: T): void {
    checkMayBlock(`${SEND} synchronously`, 'send()')
    const channel = this.#outgoing
    checkSent(channel.putSync(bytesOf(channel, item), FOREVER))
  }

  /**
   * Receives the next item; waits while there is none. While it waits it keeps the program alive.
   *
   * @throws {EndOfFileError} If the other end is gone, and all that it had sent was received.
   * @throws {PipeClosedError} If this end is closed, or was while it waited.
   */
  async recv(): Promise<T> {
    return this.#received(await this.#incoming(RECEIVE).get(FOREVER)) as T
  }

  /**
   * The same, holding the thread: for workers. Not for a thread whose own worker has the other end: while it is held it
   * does not hear of its end.
   *
   * @throws {SyncError} On the main thread.
   */
  recvSync(): T {
    checkMayBlock(`${RECEIVE} synchronously`, 'recv()')
    return this.#received(this.#incoming(RECEIVE).getSync(FOREVER)) as T
  }

  /**
   * Whether `recv()` would not wait: there is an item, or the end.
   *
   * @param timeout How long to wait for that at most, in milliseconds; 0 by default, or `Infinity`.
   * @throws {RangeError} If `timeout` is negative or `NaN`.
   * @throws {PipeClosedError} If this end is closed.
   */
  async poll(timeout = 0): Promise<boolean> {
    checkTimeout(POLL, timeout)
    return this.#incoming(POLL).poll(timeout)
  }

  /**
   * The same, holding the thread: for workers.
   *
   * @throws {SyncError} On the main thread.
   */
  pollSync(timeout = 0): boolean {
    checkTimeout(POLL, timeout)
    checkMayBlock(`${POLL} synchronously`, 'poll()')
    return this.#incoming(POLL).pollSync(timeout)
  }

  /** This thread uses the end no more. If no other has it, the other end will find the end of what was sent. Harmless when repeated. */
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

  /** Its memory and parts see to that themselves. @internal */
  bury(threads: ReadonlySet<number>): void {
    this.#ends.bury(threads)
  }

  /** @internal */
  override hand(thread: number): void {
    if (!this.#isClosed) this.#ends.hold(this.#side, thread)
  }

  /** This thread was given it, or uses it. @internal */
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

  #received(got: Got): unknown {
    if (typeof got !== 'string') return fromBytes(got)
    // It may have been closed here meanwhile.
    this.#use(RECEIVE)
    throw new EndOfFileError(`Cannot ${RECEIVE} as its other end is gone, and all was received`)
  }

  #use(action: string): void {
    if (this.#isClosed) throw new PipeClosedError(`Cannot ${action} as this end of it is closed`)
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

function checkSent(put: Put): void {
  if (put !== 'put') throw new PipeClosedError(`Cannot ${SEND} as its other end is gone`)
}

defineShared(KIND, (memory, parts) => {
  const connection = new Connection(memory, parts)
  connection.hold()
  return connection
})
