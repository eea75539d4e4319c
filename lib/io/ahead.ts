/** Reads a source before its blocks are asked for, up to a number of bytes. It does not know what the blocks are. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Fifo } from '../fifo.js'
import { BLOCK_SIZE, Slab } from '../scan/memory.js'
import { DONE, type Reader } from './source.js'

/** How much memory the blocks of one source may take that were not asked for, in bytes. */
export const MAX_AHEAD_BYTES: number = 16 * 1024 * 1024

/** A slab that is retained, or else any memory. */
type Memory = Slab | ArrayBufferLike

interface Held {
  readonly block: Buffer
  /** A short block keeps all of it. A slab that nothing refers to is used again, though it is retained. */
  readonly memory: Memory
}

/** A decoder has one block that it was not asked for, and works at another one. */
const IN_DECODER = 2 * BLOCK_SIZE

export class AheadReader implements Reader<Buffer> {
  readonly #input: Reader<Buffer>
  readonly #blocks = new Fifo<Held>()
  /** How much memory the blocks take, and that of the last one, which the next one may share. */
  #bytes = 0
  #last: Memory | undefined
  /** The block that was given last. */
  #given: Held | undefined
  /** How the input ended. */
  #end: { readonly error?: unknown } | undefined
  #closed = false
  /** Wakes the side that waits for the other one: for a block, or for room. */
  #wake: () => void = () => {}
  readonly #reading: Promise<void>

  constructor(input: Reader<Buffer>) {
    this.#input = input
    this.#reading = this.#read()
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#drop()
    // Decoders report to the event loop. It would not turn as long as there are blocks.
    if (this.#blocks.size > 0) await nextTurn()
    while (this.#blocks.size === 0 && this.#end === undefined) await this.#change()
    this.#given = this.#take()
    if (this.#given !== undefined) {
      this.#wake()
      return { done: false, value: this.#given.block }
    }
    if (this.#end !== undefined && 'error' in this.#end) throw this.#end.error
    return DONE
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    try {
      await this.#input.close()
    } finally {
      await this.#reading
      do this.#drop()
      while ((this.#given = this.#take()) !== undefined)
    }
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    try {
      while (!this.#closed) {
        const result = await this.#input.next()
        if (result.done) break
        this.#keep(result.value)
        this.#wake()
        while (this.#bytes + IN_DECODER > MAX_AHEAD_BYTES && !this.#closed) await this.#change()
      }
      this.#end = {}
    } catch (error) {
      this.#end = { error }
    }
    this.#wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #keep(block: Buffer): void {
    const slab = Slab.of(block)
    slab?.retain()
    const memory = slab ?? block.buffer
    if (memory !== this.#last) this.#bytes += sizeOf(memory)
    this.#last = memory
    this.#blocks.push({ block, memory })
  }

  #take(): Held | undefined {
    const held = this.#blocks.shift()
    if (held === undefined) return undefined
    const next = this.#blocks.peek()
    if (next?.memory !== held.memory) this.#bytes -= sizeOf(held.memory)
    if (next === undefined) this.#last = undefined
    return held
  }

  /** Releases the block that was given last. */
  #drop(): void {
    if (this.#given?.memory instanceof Slab) this.#given.memory.release()
    this.#given = undefined
  }
}

function sizeOf(memory: Memory): number {
  return memory instanceof Slab ? memory.size : memory.byteLength
}
