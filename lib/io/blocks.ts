/**
 * A byte source as blocks of whole lines: opened, decompressed where it is gzip, without byte order mark, cut at a line
 * end. What becomes of a block (strings here, or in a worker) is not decided here.
 */
import type { Bytes } from './bytes.js'
import { LineCutter } from './cutter.js'
import { gunzip, GZIP_MARK } from './gunzip.js'
import { beginsWith, readHead, withHead } from './head.js'
import type { Reader } from './source.js'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Gives blocks that end with `\n`; only the last may lack it. A line longer than `maxLength` that has no end in sight
 * is cut off just beyond that length and given as the last block: whoever splits it finds the line too long.
 */
export class LineBlocks implements Reader<Buffer> {
  readonly #bytes: Bytes
  readonly #dropsMark: boolean
  readonly #cutter: LineCutter
  #input: Reader<Buffer> | undefined
  #ended = false
  #skipped = 0

  constructor(bytes: Bytes, dropsMark: boolean, maxLength: number) {
    this.#bytes = bytes
    this.#dropsMark = dropsMark
    this.#cutter = new LineCutter(maxLength)
  }

  /** How many bytes of a byte order mark were dropped before the first block. */
  get skipped(): number {
    return this.#skipped
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    const input = this.#input ?? (await this.#open())
    while (!this.#ended) {
      const block = this.#cutter.next() ?? (await this.#refill(input))
      if (block !== undefined) return { done: false, value: block }
    }
    return { done: true, value: undefined }
  }

  /** May be called at any time and again. */
  close(): unknown {
    this.#ended = true
    return this.#input?.close()
  }

  /** Reads on; at the end of the reading gives the line that has no end. */
  async #refill(input: Reader<Buffer>): Promise<Buffer | undefined> {
    const result = this.#cutter.overflows ? undefined : await input.next()
    if (result !== undefined && !result.done) {
      this.#cutter.feed(result.value)
      return undefined
    }
    this.#ended = true
    return this.#cutter.flush()
  }

  async #open(): Promise<Reader<Buffer>> {
    let input = (this.#input = this.#bytes.open())
    const head = await readHead(input, GZIP_MARK)
    // The input may have been closed meanwhile, and nobody would close what is opened now.
    if (this.#ended) return input
    input = this.#input = withHead(head, input)
    if (beginsWith(head, GZIP_MARK)) input = this.#input = gunzip(input)
    if (!this.#dropsMark) return input
    const start = await readHead(input, BYTE_ORDER_MARK)
    if (beginsWith(start, BYTE_ORDER_MARK)) this.#skipped = BYTE_ORDER_MARK.length
    this.#input = withHead(start.subarray(this.#skipped), input)
    return this.#input
  }
}
