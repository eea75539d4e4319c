/**
 * The common part of queues and pipes. It has bytes that any thread puts and any thread gets, and the queues of the
 * calls that wait for room or for an item. It does not know values or errors.
 */
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { InternalLock } from './internal-lock.js'
import type { Limits } from './limits.js'
import { maxCellsFor, Ring, RING_CELLS, unitsOf } from './ring.js'
import { FairQueue, type Wanted } from './fair-queue.js'

const WRITER = HEADER
/** The units of the item that waits for room; 0 if no item waits, or if its units are not known. */
const NEEDED = HEADER + 1
const MAX_SIZE = HEADER + 2
const MAX_BYTES = HEADER + 3
/** A cell for the owner of the memory. */
export const SPARE: number = HEADER + 4
const RING = HEADER + 6
/** The cells for items before the memory grows. */
const MIN_RECORD_CELLS = 128

export type Put = 'put' | 'full' | 'closed'
/** The bytes of an item, or why there are none: none came in time, or the channel is closed and empty. */
export type Got = Uint8Array | 'empty' | 'ended'

/** Memory for a channel of at most `maxsize` items at once (0: no limit), each of at most `maxBytes` bytes. */
export function createChannelMemory(kind: number, maxsize: number, maxBytes: number): Memory {
  const most = RING - HEADER + maxCellsFor(maxBytes)
  const memory = createMemory(kind, Math.min(RING - HEADER + RING_CELLS + MIN_RECORD_CELLS, most), most)
  memory[MAX_SIZE] = maxsize
  memory[MAX_BYTES] = maxBytes
  return memory
}

export class Channel {
  /** The largest size of an item, in bytes. */
  readonly maxBytes: number
  readonly #memory: Memory
  readonly #ring: Ring
  readonly #writeLock: InternalLock
  readonly #getters: FairQueue
  readonly #putters: FairQueue
  readonly #maxsize: number
  readonly #items: Wanted<Uint8Array | 'ended'>
  /** As `#items`, but nothing is taken. */
  readonly #ready: Wanted<true>
  readonly #places: Pick<Wanted<unknown>, 'available'>

  constructor(memory: Memory, getters: FairQueue, putters: FairQueue) {
    this.maxBytes = memory[MAX_BYTES] ?? 0
    this.#memory = memory
    this.#getters = getters
    this.#putters = putters
    this.#writeLock = new InternalLock(memory, WRITER)
    this.#ring = new Ring(memory, RING, this.maxBytes)
    this.#maxsize = memory[MAX_SIZE] ?? 0
    this.#items = {
      available: () => (this.#ring.isClosed ? Infinity : this.#ring.size),
      attempt: () => this.#take(),
    }
    this.#ready = { ...this.#items, attempt: () => this.#hasItem || undefined }
    this.#places = { available: () => this.#room }
  }

  get size(): number {
    return this.#ring.size
  }

  get isFull(): boolean {
    return this.#maxsize > 0 && this.size >= this.#maxsize
  }

  get isClosed(): boolean {
    return this.#ring.isClosed
  }

  /** The number of items that were put so far, modulo 2^32. */
  get written(): number {
    return this.#ring.written
  }

  close(): void {
    this.#ring.close()
    this.#serve()
  }

  /** Puts an item of at most `maxBytes`. */
  async put(bytes: Uint8Array, limits: Limits): Promise<Put> {
    const put = this.#putting(bytes)
    try {
      return (await this.#putters.wait(put, limits)) ?? 'full'
    } finally {
      put.end()
    }
  }

  putSync(bytes: Uint8Array, limits: Limits): Put {
    const put = this.#putting(bytes)
    try {
      return this.#putters.waitSync(put, limits) ?? 'full'
    } finally {
      put.end()
    }
  }

  async get(limits: Limits): Promise<Got> {
    return (await this.#getters.wait(this.#items, limits)) ?? 'empty'
  }

  getSync(limits: Limits): Got {
    return this.#getters.waitSync(this.#items, limits) ?? 'empty'
  }

  /** Waits until there is an item, or the channel has ended. False if the timeout passed. */
  async poll(limits: Limits): Promise<boolean> {
    return (await this.#getters.wait(this.#ready, limits)) ?? this.#hasItem
  }

  pollSync(limits: Limits): boolean {
    return this.#getters.waitSync(this.#ready, limits) ?? this.#hasItem
  }

  releaseThreads(threads: ReadonlySet<number>): void {
    this.#writeLock.releaseThreads(threads)
    this.#getters.releaseThreads(threads)
    this.#putters.releaseThreads(threads)
    // It is not known which call needed the room. If that call is alive, it will note its need again.
    Atomics.store(this.#memory, NEEDED, 0)
    this.#serve()
  }

  get #hasItem(): boolean {
    return this.isClosed || this.size > 0
  }

  /** The number of calls that may try to put an item. */
  get #room(): number {
    if (this.isClosed) return Infinity
    const needed = Atomics.load(this.#memory, NEEDED)
    if (needed > 0) return this.#ring.hasRoom(needed) && !this.isFull ? 1 : 0
    return this.#maxsize === 0 ? Infinity : this.#maxsize - this.size
  }

  #serve(): void {
    this.#getters.serve(this.#items)
    this.#putters.serve(this.#places)
  }

  #take(): Uint8Array | 'ended' | undefined {
    const bytes = this.#ring.take()
    if (bytes === 'empty') return undefined
    if (bytes !== 'ended') this.#putters.serve(this.#places)
    return bytes
  }

  /** The attempts to put one item, one thread at a time; and `end()`, to be called at the end of the call. */
  #putting(bytes: Uint8Array): Wanted<Put> & { readonly end: () => void } {
    const units = unitsOf(bytes.length)
    let isNeeded = false
    const attempt = (): Put | undefined => {
      if (this.isFull && !this.isClosed) return undefined
      const done = this.#ring.write(bytes)
      if (done === 'closed') return done
      if (done === 'full') {
        isNeeded = true
        Atomics.store(this.#memory, NEEDED, units)
        return undefined
      }
      this.#getters.serve(this.#items)
      return 'put'
    }
    const end = (): void => {
      if (!isNeeded) return
      Atomics.compareExchange(this.#memory, NEEDED, units, 0)
      this.#putters.serve(this.#places)
    }
    return { available: this.#places.available, attempt, lock: this.#writeLock, end }
  }
}
