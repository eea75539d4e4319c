/**
 * The memory that a decoder of Node writes its text to: slabs, from which lines can be cut in place. It also keeps the
 * text that was not read before the decoder failed, as Node drops it. That is the blocks in the stream, and the text of
 * the step that failed. Node does not tell its length. So memory is filled beforehand with a byte that ends no line:
 * what follows the last other byte was not written.
 */
import { Slab } from '../scan/memory.js'
import type { Decoder } from './compression.js'

/** Not in UTF-8, and no part of a line's end in any encoding. */
const FILL = 0xff

/**
 * Fields of Node's decoders (lib/zlib.js, the same in Node 20 to 26). If a runtime has others, its blocks are not in
 * slabs, and the text of that step is lost.
 */
interface Internals {
  _outBuffer?: unknown
  _outOffset?: unknown
  push: (block: Buffer | null) => boolean
}

export class DecoderOutput {
  readonly #internals: Internals
  readonly #fills: boolean
  /** Blocks that were not read. The slab of each is retained, and must also be referred to. */
  readonly #blocks: { readonly block: Buffer; readonly slab: Slab | undefined }[] = []
  #slab: Slab | undefined

  /**
   * @param decoder That has not begun.
   * @param fills Whether the text of a step that fails can be found. It costs writing all memory twice.
   */
  constructor(decoder: Decoder, fills: boolean) {
    this.#fills = fills
    const internals = decoder as unknown as Internals
    this.#internals = internals
    const push = internals.push.bind(internals)
    internals.push = (block) => {
      if (block !== null) {
        const slab = Slab.of(block)
        slab?.retain()
        this.#blocks.push({ block, slab })
      }
      return push(block)
    }
    let memory = this.#memoryFor(internals._outBuffer)
    Object.defineProperty(internals, '_outBuffer', {
      get: () => memory,
      set: (next: unknown) => {
        // Its blocks retain it.
        this.#slab?.release()
        memory = this.#memoryFor(next)
      },
    })
  }

  /** The oldest block was read. @returns Its slab, which is the reader's to release. */
  read(): Slab | undefined {
    return this.#blocks.shift()?.slab
  }

  /** All that was not read, when the decoder has failed. At its end, bytes of an unfinished line may be missing. */
  take(): Buffer {
    const blocks = this.#blocks.map(({ block }) => block)
    const { _outBuffer: memory, _outOffset: offset } = this.#internals
    if (!this.#fills || !(memory instanceof Buffer) || typeof offset !== 'number') return Buffer.concat(blocks)
    let end = memory.length
    while (end > offset && memory[end - 1] === FILL) end--
    return Buffer.concat([...blocks, memory.subarray(offset, end)])
  }

  /**
   * Releases all blocks that were not read, and the memory of the next one if the decoder has ended. Until then,
   * another thread may be writing to it: it is used again when the decoder is garbage.
   */
  release(hasEnded: boolean): void {
    for (const { slab } of this.#blocks.splice(0)) slab?.release()
    if (!hasEnded) return
    this.#slab?.release()
    this.#slab = undefined
  }

  #memoryFor(given: unknown): unknown {
    if (!(given instanceof Buffer)) return given
    this.#slab = Slab.take(given.length)
    const memory = this.#slab.bytes(given.length)
    return this.#fills ? memory.fill(FILL) : memory
  }
}
