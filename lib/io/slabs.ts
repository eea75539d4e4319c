/**
 * Shared memory for the bytes of lines, in slabs. Slabs are filled one after the other, and used again when no batch
 * refers to them. The callers decide what is copied, and who refers to it.
 */
import type { HeldSegment, LineMemory } from '../codec/line-batch.js'
import { BLOCK_SIZE } from './file.js'

/**
 * The free slabs of this thread, by size. V8 does not count shared memory, so slabs that are merely dropped pile up
 * until it happens to collect garbage. A stream takes slabs from here first. They are held weakly, so the next full
 * collection still frees them.
 */
const idle = new Map<number, WeakRef<Slab>[]>()

class Slab implements LineMemory {
  readonly bytes: Buffer<SharedArrayBuffer>
  #references = 1

  constructor(size: number) {
    this.bytes = Buffer.from(new SharedArrayBuffer(size))
  }

  retain(): void {
    this.#references++
  }

  release(): void {
    if (--this.#references === 0) idleOf(this.bytes.length).push(new WeakRef(this))
  }

  /** An idle slab of this size, or a new one, with one reference to it. */
  static take(size: number): Slab {
    const slabs = idleOf(size)
    while (slabs.length > 0) {
      const slab = slabs.pop()?.deref()
      if (slab === undefined) continue
      slab.#references = 1
      return slab
    }
    return new Slab(size)
  }
}

function idleOf(size: number): WeakRef<Slab>[] {
  const slabs = idle.get(size) ?? []
  idle.set(size, slabs)
  return slabs
}

/** Copies bytes into one slab after the other. It holds at most the slab that is being filled. */
export class SlabWriter {
  #slab: Slab | undefined
  #used = 0

  /**
   * How many bytes `copy` can best take: what fits into the current slab, or, if that is less than `least`, into
   * another.
   */
  roomFor(least: number): number {
    const room = (this.#slab?.bytes.length ?? 0) - this.#used
    return least <= room ? room : Math.max(least, BLOCK_SIZE)
  }

  /** Copies the bytes, directly behind the last where they fit; the segment retains their slab. */
  copy(bytes: Buffer): HeldSegment {
    const memory = this.#slabFor(bytes.length)
    const start = this.#used
    this.#used += bytes.length
    // Not `copy()`: where memory is shared that goes byte by byte, unless source and target happen to be aligned alike.
    memory.bytes.fill(bytes, start, this.#used)
    memory.retain()
    return { memory, start, end: this.#used }
  }

  /** Nothing more is copied. */
  close(): void {
    this.#slab?.release()
    this.#slab = undefined
    this.#used = 0
  }

  #slabFor(length: number): Slab {
    if (this.#slab !== undefined && length <= this.#slab.bytes.length - this.#used) return this.#slab
    this.close()
    // Few sizes, so that slabs for long lines fit others too.
    this.#slab = Slab.take(Math.max(BLOCK_SIZE, 2 ** Math.ceil(Math.log2(length))))
    return this.#slab
  }
}
