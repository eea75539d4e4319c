/**
 * Records of bytes, first in, first out, in shared memory that grows. One thread can write at a time: the caller sees
 * to that. Any number of threads can take.
 *
 * A record is a link to the next one, its length, and its bytes. Lengths and positions are counted in units of 8 bytes.
 * HEAD is the record that was taken last; only its link is still needed. TAIL is the record that was written last. Both
 * are words of 64 bits: the number of the record, its position, and in TAIL whether the ring is closed. One
 * compareExchange of such a word writes or takes a record. A thread that ends before it has changed nothing. Records
 * are numbered, so no word comes twice. A thread that takes a record copies it first. Then it learns whether it was the
 * first to take it. If not, the copy may be garbage.
 *
 * After the end of the memory, records continue at its start. If the memory must grow in that state, no record is
 * moved. The next record goes to the end of the old memory, the MARK. Memory below the mark is not written until HEAD
 * is beyond it.
 */
import type { Growable } from '../../shared/growable.js'
import type { Memory } from '../../shared/memory.js'

const HEAD = 0
const TAIL = 2
const MARK = 4
/** The cells of a ring besides its records. The first must be an even one. */
export const RING_CELLS = 6

const UNIT = 8
const CELLS_PER_UNIT = 2
const LINK = 0
const LENGTH = 1

interface Word {
  readonly whole: bigint
  readonly number: number
  readonly at: number
  readonly closed: boolean
}

/** The units that a record of this many bytes takes. */
export function unitsOf(bytes: number): number {
  return 1 + Math.ceil(bytes / UNIT)
}

/** The largest number of cells of a ring, such that a record of this many bytes fits into the empty ring. */
export function maxCellsFor(bytes: number): number {
  return RING_CELLS + CELLS_PER_UNIT * (2 * unitsOf(bytes) + 1)
}

export class Ring {
  readonly #memory: Memory
  readonly #words: BigInt64Array<SharedArrayBuffer>
  readonly #cell: number
  readonly #base: number
  /** In units. */
  readonly #most: number

  /** `cell`: its first cell. All cells after it belong to the ring. `bytes`: the longest record. */
  constructor(memory: Memory, cell: number, bytes: number) {
    this.#memory = memory
    this.#words = new BigInt64Array(memory.buffer)
    this.#cell = cell
    this.#base = cell + RING_CELLS
    this.#most = 2 * unitsOf(bytes) + 1
  }

  /** The number of records in it. For the thread that writes, it is never too small. */
  get size(): number {
    const { number } = this.#read(HEAD)
    return (this.#read(TAIL).number - number) | 0
  }

  /** The number of records that were ever written, modulo 2^32. */
  get written(): number {
    return this.#read(TAIL).number
  }

  get isClosed(): boolean {
    return this.#read(TAIL).closed
  }

  /** Closes it: records cannot be written any more. */
  close(): void {
    for (let tail = this.#read(TAIL); !tail.closed; tail = this.#read(TAIL)) {
      this.#replace(TAIL, tail, wordOf(tail.number, tail.at, true))
    }
  }

  /** Whether there is room for a record. */
  hasRoom(units: number): boolean {
    return this.#place(units) !== undefined
  }

  /** Writes a record. Only one thread can do that at a time. */
  write(bytes: Uint8Array): 'written' | 'full' | 'closed' {
    const tail = this.#read(TAIL)
    const units = unitsOf(bytes.length)
    const place = this.#place(units)
    if (tail.closed) return 'closed'
    if (place === undefined) return 'full'
    const { at, mark } = place
    this.#grow(at + units)
    const cell = this.#base + at * CELLS_PER_UNIT
    this.#memory[cell + LENGTH] = bytes.length
    new Uint8Array(this.#memory.buffer).set(bytes, (cell + CELLS_PER_UNIT) * Int32Array.BYTES_PER_ELEMENT)
    if (mark !== undefined) Atomics.store(this.#memory, this.#cell + MARK, mark)
    Atomics.store(this.#memory, this.#base + tail.at * CELLS_PER_UNIT + LINK, at)
    return this.#replace(TAIL, tail, wordOf(tail.number + 1, at)) ? 'written' : 'closed'
  }

  /** Takes a record. The bytes are a copy. */
  take(): Uint8Array | 'empty' | 'ended' {
    for (;;) {
      const head = this.#read(HEAD)
      const tail = this.#read(TAIL)
      if (head.number === tail.number) return tail.closed ? 'ended' : 'empty'
      const at = Atomics.load(this.#memory, this.#base + head.at * CELLS_PER_UNIT + LINK)
      const bytes = this.#copy(at)
      if (bytes !== undefined && this.#replace(HEAD, head, wordOf(head.number + 1, at))) return bytes
    }
  }

  /** `undefined` if the record was taken meanwhile. */
  #copy(at: number): Uint8Array | undefined {
    const cell = this.#base + at * CELLS_PER_UNIT
    const length = this.#memory[cell + LENGTH]
    const start = (cell + CELLS_PER_UNIT) * Int32Array.BYTES_PER_ELEMENT
    const { buffer } = this.#memory
    if (length === undefined || length < 0 || start + length > buffer.byteLength) return undefined
    return new Uint8Array(buffer, start, length).slice()
  }

  /** The position of the next record, maybe beyond the current end of the memory; and the new mark, if there is one. */
  #place(units: number): { at: number; mark?: number } | undefined {
    const head = this.#read(HEAD)
    const tail = this.#read(TAIL)
    const most = this.#most
    if (head.number === tail.number) {
      if (units <= head.at) return { at: 0, mark: 0 }
      return head.at + 1 + units <= most ? { at: head.at + 1 } : undefined
    }
    const capacity = this.#capacity
    const end = tail.at + unitsOf(this.#memory[this.#base + tail.at * CELLS_PER_UNIT + LENGTH] ?? 0)
    if (tail.at < head.at) {
      if (end + units <= head.at) return { at: end }
      return capacity + units <= most ? { at: capacity, mark: capacity } : undefined
    }
    const mark = Atomics.load(this.#memory, this.#cell + MARK)
    const isLowInUse = mark > head.at && mark <= tail.at
    if (end + units > capacity && units <= head.at && !isLowInUse) return { at: 0, mark: 0 }
    return end + units <= most ? { at: end } : undefined
  }

  get #capacity(): number {
    return Math.floor((this.#memory.length - this.#base) / CELLS_PER_UNIT)
  }

  #grow(units: number): void {
    const capacity = this.#capacity
    if (units <= capacity) return
    const most = Math.max(units, Math.min(2 * capacity, this.#most))
    const cells = this.#base + CELLS_PER_UNIT * most
    ;(this.#memory.buffer as Growable).grow(cells * Int32Array.BYTES_PER_ELEMENT)
  }

  #read(which: number): Word {
    const whole = Atomics.load(this.#words, (this.#cell + which) / 2)
    const low = Number(whole & 0xffff_ffffn)
    return { whole, number: Number(whole >> 32n) | 0, at: low >>> 1, closed: (low & 1) === 1 }
  }

  #replace(which: number, { whole }: Word, word: bigint): boolean {
    return Atomics.compareExchange(this.#words, (this.#cell + which) / 2, whole, word) === whole
  }
}

function wordOf(number: number, at: number, closed = false): bigint {
  return (BigInt(number | 0) << 32n) | BigInt(2 * at + (closed ? 1 : 0))
}
