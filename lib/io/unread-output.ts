/**
 * Output of a decoder of Node that was not read before the decoder failed. Node drops it: the blocks in the stream, and
 * the text of the step that failed, whose length it does not tell. So the decoder's memory is filled beforehand with a
 * byte that ends no line: what follows the last other byte was not written.
 */
import type { Decoder } from './compression.js'

/** Not in UTF-8, and no part of a line's end in any encoding. */
const FILL = 0xff

/**
 * Fields of Node's decoders (lib/zlib.js, the same in Node 20 to 26). If a runtime has others, the text of that step is
 * lost.
 */
interface Internals {
  _outBuffer?: unknown
  _outOffset?: unknown
  push: (block: Buffer | null) => boolean
}

export class UnreadOutput {
  readonly #internals: Internals
  readonly #blocks: Buffer[] = []

  /** @param decoder That has not begun. */
  constructor(decoder: Decoder) {
    const internals = decoder as unknown as Internals
    this.#internals = internals
    const push = internals.push.bind(internals)
    internals.push = (block) => {
      if (block !== null) this.#blocks.push(block)
      return push(block)
    }
    let memory = filled(internals._outBuffer)
    Object.defineProperty(internals, '_outBuffer', {
      get: () => memory,
      set: (next: unknown) => {
        memory = filled(next)
      },
    })
  }

  read(): void {
    this.#blocks.shift()
  }

  /** All of it, when the decoder has failed. At its end, bytes of an unfinished line may be missing. */
  take(): Buffer {
    const { _outBuffer: memory, _outOffset: offset } = this.#internals
    if (!(memory instanceof Buffer) || typeof offset !== 'number') return Buffer.concat(this.#blocks)
    let end = memory.length
    while (end > offset && memory[end - 1] === FILL) end--
    return Buffer.concat([...this.#blocks, memory.subarray(offset, end)])
  }
}

function filled(memory: unknown): unknown {
  return memory instanceof Buffer ? memory.fill(FILL) : memory
}
