/** The compute time of each part of a chunk. A part carries the time of its chunk from the beginning. */
import type { Chunk, Part } from '../executor/executor.js'

export class ChunkTimes {
  /** By chunk whose last part has not come: the time up to its last part so far. */
  readonly #before = new Map<Chunk, number>()

  /** To be called once for each part, as they come. @returns Milliseconds; 0 if it is unknown. */
  timeOf({ chunk, time, last }: Part): number {
    // So it is with most chunks.
    if (last && this.#before.size === 0) return time ?? 0
    const before = this.#before.get(chunk) ?? 0
    if (last) this.#before.delete(chunk)
    else if (time !== undefined) this.#before.set(chunk, time)
    // After a crash, another worker begins at zero with what was left.
    return time === undefined ? 0 : time < before ? time : time - before
  }

  clear(): void {
    this.#before.clear()
  }
}
