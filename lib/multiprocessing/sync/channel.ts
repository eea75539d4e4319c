/**
 * What queues and pipes are made of: bytes, put by any thread and got by any other, and the queues of those who wait
 * for a place or for an item. It knows neither values nor errors.
 */
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { InternalLock } from './internal-lock.js'
import type { Limits } from './limits.js'
import { maxCellsFor, Ring, RING_CELLS, unitsOf } from './ring.js'
import { FairQueue, type Wanted } from './fair-queue.js'

const WRITER = HEADER
/** How many units the item takes that waits for room; 0 if none does, or it is not known. */
const NEEDED = HEADER + 1
const MAX_SIZE = HEADER + 2
const MAX_BYTES = HEADER + 3
/** For the owner of the memory. */
export const SPARE: number = HEADER + 4
const RING = HEADER + 6
/** Cells for items, before the memory grows. */
const MIN_RECORD_CELLS = 128

export type Put = 'put' | 'full' | 'closed'
/** The bytes of an item; or that there was none in time; or that there will be none any more. */
export type Got = Uint8Array | 'empty' | 'ended'

/** Memory for a channel of at most `maxsize` items at once (0: any number), each of at most `maxBytes` bytes. */
export function createChannelMemory(kind: number, maxsize: number, maxBytes: number): Memory {
  const most = RING - HEADER + maxCellsFor(maxBytes)
  const memory = createMemory(kind, Math.min(RING - HEADER + RING_CELLS + MIN_RECORD_CELLS, most), most)
  memory[MAX_SIZE] = maxsize
  memory[MAX_BYTES] = maxBytes
  return memory
}

export class Channel {
  /** How many bytes an item may take. */
  readonly maxBytes: number
  readonly #memory: Memory
  readonly #ring: Ring
  readonly #writeLock: InternalLock
  readonly #getters: FairQueue
  readonly #putters: FairQueue
  readonly #maxsize: number
  readonly #items: Wanted<Uint8Array | 'ended'>
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

  /** How many items were put so far, modulo 2^32. */
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

  /** Waits until there is an item to get, or the end. False if the timeout passed. */
  async poll(limits: Limits): Promise<boolean> {
    const attempt = (): true | undefined => this.#hasItem || undefined
    return (await this.#getters.wait({ ...this.#items, attempt }, limits)) ?? this.#hasItem
  }

  pollSync(limits: Limits): boolean {
    const attempt = (): true | undefined => this.#hasItem || undefined
    return this.#getters.waitSync({ ...this.#items, attempt }, limits) ?? this.#hasItem
  }

  releaseThreads(threads: ReadonlySet<number>): void {
    this.#writeLock.releaseThreads(threads)
    this.#getters.releaseThreads(threads)
    this.#putters.releaseThreads(threads)
    // Whose need it was is not known: if that call is alive, it will find out again.
    Atomics.store(this.#memory, NEEDED, 0)
    this.#serve()
  }

  get #hasItem(): boolean {
    return this.isClosed || this.size > 0
  }

  /** How many calls may try to put an item. */
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

  /** One item's way in: what to try, alone, until it is put; and what to do in the end. */
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
