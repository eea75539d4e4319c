/**
 * A byte source as blocks of whole lines: opened, decompressed where it is gzip, without byte order mark, cut at a line
 * end, and without what cannot be given. What becomes of a block (strings, or a batch) is not decided here.
 */
import { findBadLine, type BadLine, type LineLimits } from './bad-line.js'
import type { Bytes } from './bytes.js'
import { LineCutter } from './cutter.js'
import { gzip } from './compression.js'
import { decompress } from './decompress.js'
import { beginsWith, readHead, withHead } from './head.js'
import type { Reader } from './source.js'

const GZIP_MARK = Buffer.from([0x1f, 0x8b])
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Gives blocks that end with `\n`; only the last may lack it. Each is the caller's until it asks for the next. */
export class LineBlocks {
  /** How many lines have been given out of the blocks. Whoever splits them counts here: an error tells its line from it. */
  lines = 0
  readonly #bytes: Bytes
  readonly #limits: LineLimits
  readonly #cutter: LineCutter
  #input: Reader<Buffer> | undefined
  #ended = false
  #closing: Promise<unknown> | undefined
  /** Where in the source the next block begins. */
  #offset = 0
  #badLine: BadLine | undefined

  constructor(bytes: Bytes, limits: LineLimits) {
    this.#bytes = bytes
    this.#limits = limits
    this.#cutter = new LineCutter(limits.maxLength)
  }

  /** The file it reads, where it does. */
  get path(): string | undefined {
    return this.#bytes.path
  }

  /** The next block, if that takes no reading. */
  take(): Buffer | undefined {
    if (this.#badLine !== undefined || this.#closing !== undefined) return undefined
    const block = this.#cutter.next()
    if (block === undefined) return undefined
    this.#badLine = findBadLine(block, this.#offset, this.#limits)
    this.#offset += block.length
    if (this.#badLine === undefined) return block
    return this.#badLine.start === 0 ? undefined : block.subarray(0, this.#badLine.start)
  }

  /** The next block, or undefined at the end. Throws what the source does, and a `LineError` after all lines before it. */
  async read(): Promise<Buffer | undefined> {
    const input = this.#input ?? (await this.#open())
    for (;;) {
      const block = this.take()
      if (block !== undefined) return block
      if (this.#badLine !== undefined) throw this.#badLine.error(this.lines)
      if (this.#ended || this.#closing !== undefined) return undefined
      await this.#readOn(input)
    }
  }

  /** Closes the source; a `read()` that is pending then gives nothing. May be called at any time and again. */
  close(): Promise<unknown> {
    this.#closing ??= Promise.resolve(this.#input?.close())
    return this.#closing
  }

  async #readOn(input: Reader<Buffer>): Promise<void> {
    const result = this.#cutter.overflows ? undefined : await input.next()
    if (result !== undefined && !result.done) {
      this.#cutter.feed(result.value)
    } else {
      this.#ended = true
      this.#cutter.end()
    }
  }

  async #open(): Promise<Reader<Buffer>> {
    const opened = this.#bytes.open()
    let input: Reader<Buffer> = (this.#input = opened)
    const head = await readHead(input, GZIP_MARK)
    // The input may have been closed meanwhile, and nobody would close what is opened now.
    if (this.#closing !== undefined) return input
    input = this.#input = withHead(head, input)
    if (beginsWith(head, GZIP_MARK)) input = this.#input = decompress(gzip, input, (offset) => opened.openAt?.(offset))
    if (this.#limits.encoding !== 'utf8') return input
    const start = await readHead(input, BYTE_ORDER_MARK)
    if (beginsWith(start, BYTE_ORDER_MARK)) this.#offset = BYTE_ORDER_MARK.length
    this.#input = withHead(start.subarray(this.#offset), input)
    return this.#input
  }
}
