/**
 * Reads a gzip file. Node's decoder for whole files also computes checksums, in the thread pool. On this thread that
 * would take a third of the time that lines take. But it does not tell what is wrong where, and it ends at zeros. So a
 * file in which it finds anything is read again from its start, with all checks made here.
 */
import { InputError } from '../errors.js'
import { gzip, wholeGzip } from './compression.js'
import { Decompressor } from './decompress.js'
import type { Blocks } from './salvage.js'
import { openSource, type Reader } from './source.js'

export class GzipFile implements Reader<Buffer> {
  readonly #readFrom: (offset: number) => Blocks | undefined
  readonly #whole: Decompressor
  /** It reads the file again, from its start. */
  #exact: Decompressor | undefined
  /** How many bytes of text were given by the first reading, and not yet left out of the second one. */
  #known = 0

  constructor(input: Reader<Buffer>, readFrom: (offset: number) => Blocks | undefined) {
    this.#readFrom = readFrom
    this.#whole = new Decompressor(wholeGzip, input, readFrom)
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    return this.#exact === undefined ? this.#nextOfWhole(this.#whole) : this.#nextOfExact(this.#exact)
  }

  async close(): Promise<void> {
    await Promise.all([this.#exact?.close(), this.#whole.close()])
  }

  async #nextOfWhole(whole: Decompressor): Promise<IteratorResult<Buffer, undefined>> {
    try {
      const result = await whole.next()
      this.#known += result.value?.length ?? 0
      return result
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      this.#exact = new Decompressor(gzip, openSource(this.#readFrom(0) ?? []), this.#readFrom)
      return this.#nextOfExact(this.#exact)
    }
  }

  async #nextOfExact(exact: Decompressor): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      const result = await exact.next()
      const left = (result.value?.length ?? 0) - this.#known
      if (result.done || left > 0) {
        const known = this.#known
        this.#known = 0
        return result.done ? result : { done: false, value: result.value.subarray(known) }
      }
      this.#known = -left
    }
  }
}
