/** Timed items that run several at a time. */
import { clock, markTick, markOldest } from './cells.js'

const HEARTBEAT_MS = 10

/**
 * Tells the pool which of several timed items began first, and that the event loop has its turn: no item blocks it.
 */
export class OldestItem {
  readonly #cells: Int32Array
  readonly #track: (() => void) | undefined
  readonly #heartbeat: NodeJS.Timeout
  /** The items that run, in the order in which they began, with their start times. */
  readonly #running = new Map<number, number>()

  /** @param track See `RunningChunk`. */
  constructor(cells: Int32Array, track?: () => void) {
    this.#cells = cells
    this.#track = track
    markTick(cells)
    this.#heartbeat = setInterval(() => {
      markTick(cells)
      track?.()
    }, HEARTBEAT_MS)
  }

  begin(chunkOffset: number): void {
    this.#running.set(chunkOffset, clock())
    if (this.#running.size === 1) this.#mark()
  }

  end(chunkOffset: number): void {
    this.#running.delete(chunkOffset)
    this.#mark()
  }

  close(): void {
    clearInterval(this.#heartbeat)
  }

  #mark(): void {
    for (const [chunkOffset, since] of this.#running) {
      markOldest(this.#cells, chunkOffset, since)
      this.#track?.()
      return
    }
  }
}
