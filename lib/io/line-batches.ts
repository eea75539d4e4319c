/** The lines of an input as batches of bytes: here they are counted and copied into shared memory, elsewhere split. */
import { LineBatch } from '../codec/line-batch.js'
import { LineEnd, NO_BYTES } from '../codec/line-end.js'
import type { LineFormat } from '../codec/split.js'
import type { LineInput } from './line-input.js'
import { SlabWriter } from './slabs.js'
import type { BatchReader } from './source.js'

export class LineBatches implements BatchReader {
  readonly #input: LineInput
  readonly #format: LineFormat
  readonly #lineEnd: LineEnd
  /**
   * Reading files into shared memory would save the copy, and lose more: Node finds newlines in shared memory at half
   * the speed, and short files and reads would hold a slab each.
   */
  readonly #slabs = new SlabWriter()
  #block = NO_BYTES
  #start = 0
  #closed = false
  #stopWaiting: (() => void) | undefined

  constructor(input: LineInput, format: LineFormat) {
    this.#input = input
    this.#format = format
    this.#lineEnd = new LineEnd(format.delimiter)
  }

  /** The next lines of the block at hand, as many as one slab takes; those of the next block if there are none. */
  next(max: number): LineBatch | undefined | Promise<LineBatch | undefined> {
    if (this.#start === this.#block.length) {
      const block = this.#input.take()
      if (block === undefined) return this.#readOn(max)
      this.#use(block)
    }
    return this.#cut(max)
  }

  /** A `next()` that is pending gives undefined. Settles when the source is closed, or after a second. */
  close(): Promise<void> {
    this.#end()
    this.#stopWaiting?.()
    return this.#input.close()
  }

  #readOn(max: number): Promise<LineBatch | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => {
        resolve(undefined)
      }
      this.#read(max).then(resolve, reject)
    })
  }

  async #read(max: number): Promise<LineBatch | undefined> {
    try {
      const block = await this.#input.read()
      if (block !== undefined && !this.#closed) {
        this.#use(block)
        return this.#cut(max)
      }
    } catch (error) {
      this.#end()
      throw error
    }
    this.#end()
    return undefined
  }

  #use(block: Buffer): void {
    this.#block = block
    this.#start = 0
  }

  #cut(max: number): LineBatch {
    const block = this.#block
    const start = this.#start
    const lineEnd = this.#lineEnd
    let end = lineEnd.after(block, start)
    const limit = start + this.#slabs.roomFor(end - start)
    let count = 1
    for (; count < max && end < block.length; count++) {
      const next = lineEnd.after(block, end)
      if (next > limit) break
      end = next
    }
    this.#start = end
    this.#input.count(count)
    return new LineBatch(this.#format, count, [this.#slabs.copy(block.subarray(start, end))])
  }

  #end(): void {
    this.#closed = true
    this.#block = NO_BYTES
    this.#start = 0
    this.#slabs.close()
  }
}
