/** Shared memory that grows while other threads use it, and may be growing it, too. */

// In every supported Node, but not in the ES2023 library: hence these types.
export type Growable = SharedArrayBuffer & { grow(bytes: number): void }
type GrowableConstructor = new (bytes: number, options: { maxByteLength: number }) => Growable

/** Memory of this many cells, with the limit to which it can grow. */
export function createGrowable(cells: number, most: number): Growable {
  const Constructor = SharedArrayBuffer as unknown as GrowableConstructor
  return new Constructor(bytesOf(cells), { maxByteLength: bytesOf(most) })
}

/** Makes the memory at least this many cells long. It at least doubles the length, up to `most`. */
export function growTo(memory: Int32Array<SharedArrayBuffer>, cells: number, most: number): void {
  const buffer = memory.buffer as Growable
  while (memory.length < cells) {
    try {
      buffer.grow(bytesOf(Math.min(2 * cells, most)))
    } catch (error) {
      // Another thread has made it larger than that.
      if (memory.length < cells) throw error
    }
  }
}

/** Whole words of 64 bits, which some objects have among their cells. */
export function bytesOf(cells: number): number {
  return 8 * Math.ceil((cells * Int32Array.BYTES_PER_ELEMENT) / 8)
}
