/** A worker's shared cells: what both sides read and write without a message. */

/** Room for the cancel marks of the two chunks a worker can have. */
const CELLS = 2

export function createCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT))
}

/** Asks the worker to stop chunk `seq` at the next item boundary. */
export function markCancelled(cells: Int32Array, seq: number): void {
  Atomics.store(cells, seq & 1, seq)
}

export function isCancelled(cells: Int32Array, seq: number): boolean {
  return Atomics.load(cells, seq & 1) === seq
}
