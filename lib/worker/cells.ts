/**
 * A worker's shared cells, which both sides read and write without a message, and which can be read after the worker
 * has died. Each chunk that a worker holds has a slot of two cells. The other cells say how far the worker is.
 */

/** The most chunks that a worker may hold. */
export const MAX_SLOTS = 16
/** Number of the chunk to stop, by slot. */
const CANCELLED = 0
/** Number of the chunk that is offered and not yet taken, by slot. */
const PUBLISHED = MAX_SLOTS
/** Number of the chunk that runs; 0 when none does. */
const RUNNING = 2 * MAX_SLOTS
/** How many of its items have begun. */
const BEGUN = RUNNING + 1
/** Place of the item that runs, of several the one that began first; -1 while the task is being loaded. */
const CHUNK_OFFSET = RUNNING + 2
/** When that item began, and the last turn of the worker's event loop: by `clock()`, for jobs with a time limit. */
const SINCE = RUNNING + 3
const LAST_TICK = RUNNING + 4
/** The heap in use, in KiB, when the last chunk had ended. */
const HEAP = RUNNING + 5
/** Whether the event loop may have its turn while the chunk runs. */
const AWAITING = RUNNING + 6
/** Whether the task's module is being loaded, since the time in `SINCE`. */
const LOADING = RUNNING + 7
/** How many outcomes are being encoded, to be posted, and the offset of the first. */
const ENCODING = RUNNING + 8
const ENCODED_FROM = RUNNING + 9
/** Since when, for jobs with a time limit. */
const ENCODED_SINCE = RUNNING + 10
/** Number of the last chunk that the worker has taken. Only processes write it: see `noteTaken()`. */
const TAKEN = RUNNING + 11
const CELLS = RUNNING + 12

/** In place of an item's offset: some item of the chunk runs, and it is not noted which one. */
export const UNTRACKED = -2

/** From 0 to `MAX_SLOTS` - 1. */
export type Slot = number

export function createCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT))
}

/** The cells that say how far the worker is: all that a worker process tells its pool. They share no memory. */
export function progressCells(cells: Int32Array): Int32Array {
  return cells.subarray(RUNNING)
}

/** Asks the worker to stop chunk `seq` at the next item boundary. */
export function markCancelled(cells: Int32Array, slot: Slot, seq: number): void {
  Atomics.store(cells, CANCELLED + slot, seq)
}

export function isCancelled(cells: Int32Array, slot: Slot, seq: number): boolean {
  return Atomics.load(cells, CANCELLED + slot) === seq
}

/** Offers chunk `seq` to the worker: it runs the chunk if it takes the offer before it is withdrawn. */
export function publish(cells: Int32Array, slot: Slot, seq: number): void {
  Atomics.store(cells, PUBLISHED + slot, seq)
}

/** Takes an offer (as the worker) or withdraws it (as the pool). True for the first of the two. */
export function claim(cells: Int32Array, slot: Slot, seq: number): boolean {
  return Atomics.compareExchange(cells, PUBLISHED + slot, seq, 0) === seq
}

export function isPublished(cells: Int32Array, slot: Slot, seq: number): boolean {
  return Atomics.load(cells, PUBLISHED + slot) === seq
}

/** A worker process has taken a chunk. It takes them in the order of their numbers. */
export function noteTaken(cells: Int32Array, seq: number): void {
  cells[TAKEN] = seq
}

/** The number of the last chunk that a worker process has taken. */
export function lastTaken(cells: Int32Array): number {
  return cells[TAKEN] ?? 0
}

export interface Progress {
  /** Number of the chunk that runs; 0 when none does. */
  readonly seq: number
  readonly begun: number
  /**
   * Whether the worker may receive other chunks while this one runs: the task is being loaded, or items are awaited.
   */
  readonly isAwaiting: boolean
  /** Whether the module of the task is being loaded, for `time` milliseconds. */
  readonly isLoading: boolean
  /** Place of the item that runs, of several the one that began first; -1 while the task is being loaded; or `UNTRACKED`. */
  readonly chunkOffset: number
  /** How many outcomes are being encoded, and the offset of the first. Getters of results may run then. */
  readonly encoding: number
  readonly encodedFrom: number
  /** For how long that item has been running, or outcomes being encoded, in milliseconds. For timed jobs alone. */
  readonly time: number
  /** For how long the event loop has had no turn, in milliseconds. For timed jobs alone. */
  readonly blockedFor: number
}

export function progressOf(cells: Int32Array): Progress {
  const now = clock()
  const encoding = Atomics.load(cells, ENCODING)
  return {
    seq: Atomics.load(cells, RUNNING),
    begun: Atomics.load(cells, BEGUN),
    isAwaiting: Atomics.load(cells, AWAITING) === 1,
    isLoading: Atomics.load(cells, LOADING) === 1,
    chunkOffset: Atomics.load(cells, CHUNK_OFFSET),
    encoding,
    encodedFrom: Atomics.load(cells, ENCODED_FROM),
    time: (now - Atomics.load(cells, encoding > 0 ? ENCODED_SINCE : SINCE)) | 0,
    blockedFor: (now - Atomics.load(cells, LAST_TICK)) | 0,
  }
}

export function beginChunk(cells: Int32Array, seq: number): void {
  cells[BEGUN] = 0
  cells[AWAITING] = 1
  cells[CHUNK_OFFSET] = -1
  Atomics.store(cells, RUNNING, seq)
}

export function beginLoading(cells: Int32Array): void {
  Atomics.store(cells, SINCE, clock())
  Atomics.store(cells, LOADING, 1)
}

export function endLoading(cells: Int32Array): void {
  Atomics.store(cells, LOADING, 0)
}

export function endChunk(cells: Int32Array): void {
  Atomics.store(cells, RUNNING, 0)
}

/**
 * An item begins that runs alone. A plain write, which costs next to nothing per item: without a time limit, the pool
 * reads it only after the thread has ended.
 */
export function beginItem(cells: Int32Array, chunkOffset: number): void {
  cells[CHUNK_OFFSET] = chunkOffset
}

/** Any of the items of the chunk may run from now on. */
export function beginUntracked(cells: Int32Array): void {
  cells[CHUNK_OFFSET] = UNTRACKED
}

export function beginTimedItem(cells: Int32Array, chunkOffset: number): void {
  Atomics.store(cells, SINCE, clock())
  Atomics.store(cells, CHUNK_OFFSET, chunkOffset)
}

/** Outcomes are encoded from now on. A plain write, as in `beginItem()`, unless the job has a time limit. */
export function beginEncoding(cells: Int32Array, from: number, count: number, isTimed: boolean): void {
  cells[ENCODED_FROM] = from
  if (isTimed) {
    Atomics.store(cells, ENCODED_SINCE, clock())
    Atomics.store(cells, ENCODING, count)
  } else cells[ENCODING] = count
}

export function endEncoding(cells: Int32Array): void {
  Atomics.store(cells, ENCODING, 0)
}

/** The number of items that have begun, of a chunk that runs several at once. */
export function countBegun(cells: Int32Array, begun: number): void {
  cells[BEGUN] = begun
}

/** Of several items at once this one began first, at that time by `clock()`. */
export function markOldest(cells: Int32Array, chunkOffset: number, since: number): void {
  Atomics.store(cells, SINCE, since)
  Atomics.store(cells, CHUNK_OFFSET, chunkOffset)
}

export function markAwaiting(cells: Int32Array, isAwaiting: boolean): void {
  cells[AWAITING] = isAwaiting ? 1 : 0
}

/** The item that runs, or what is being encoded, counts as begun now. */
export function restartTime(cells: Int32Array): void {
  const now = clock()
  cells[SINCE] = now
  cells[ENCODED_SINCE] = now
}

export function markTick(cells: Int32Array): void {
  Atomics.store(cells, LAST_TICK, clock())
}

export function noteHeap(cells: Int32Array, bytes: number): void {
  Atomics.store(cells, HEAP, bytes / 1_024)
}

/** The heap in use when the last chunk had ended, in bytes; 0 where nobody asked for it. */
export function heapOf(cells: Int32Array): number {
  return Atomics.load(cells, HEAP) * 1_024
}

/** Milliseconds of a clock that all threads share, modulo 2³²: only differences mean anything. */
export function clock(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return (seconds * 1_000 + nanoseconds / 1e6) | 0
}
