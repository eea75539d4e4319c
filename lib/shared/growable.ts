/** Growing memory that other threads may be growing, too. */
import type { Memory } from '../shared/shared.js'

// In every supported Node, but not in the ES2023 library.
type Growable = SharedArrayBuffer & { grow(bytes: number): void }

/** Makes the memory at least so many cells long: at once twice as long, but not longer than `most`. */
export function growTo(memory: Memory, cells: number, most: number): void {
  const buffer = memory.buffer as Growable
  while (memory.length < cells) {
    const bytes = 8 * Math.ceil((Math.min(2 * cells, most) * Int32Array.BYTES_PER_ELEMENT) / 8)
    try {
      buffer.grow(bytes)
    } catch (error) {
      // Another thread has made it larger than that meanwhile.
      if (memory.length < cells) throw error
    }
  }
}
