/**
 * A worker's shared cells: what both sides read and write without a message. Each chunk that a worker holds has a slot of its
 * own, with two cells.
 */

/** The most chunks that a worker may hold. */
export const SLOTS = 16
/** Number of the chunk to stop, by slot. */
const CANCELLED = 0
/** Number of the chunk that is offered and not yet taken, by slot. */
const OFFERED = SLOTS

/** From 0 to `SLOTS` - 1. */
export type Slot = number

export function createCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(2 * SLOTS * Int32Array.BYTES_PER_ELEMENT))
}

/** Asks the worker to stop chunk `seq` at the next item boundary. */
export function markCancelled(cells: Int32Array, slot: Slot, seq: number): void {
  Atomics.store(cells, CANCELLED + slot, seq)
}

export function isCancelled(cells: Int32Array, slot: Slot, seq: number): boolean {
  return Atomics.load(cells, CANCELLED + slot) === seq
}

/** Offers chunk `seq` to the worker: it runs the chunk if it takes the offer before it is withdrawn. */
export function offer(cells: Int32Array, slot: Slot, seq: number): void {
  Atomics.store(cells, OFFERED + slot, seq)
}

/** Takes an offer (as the worker) or withdraws it (as the pool): true for the one who comes first. */
export function settleOffer(cells: Int32Array, slot: Slot, seq: number): boolean {
  return Atomics.compareExchange(cells, OFFERED + slot, seq, 0) === seq
}
