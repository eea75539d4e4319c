/**
 * A byte source as blocks of whole lines: opened, decompressed, without byte order mark, cut at a line end, and without
 * bad lines. Other files make strings or batches of a block.
 */
import { NO_BYTES } from '../codec/line-end.js'
import type { LineError } from '../errors.js'
import { findBadLine, lineError, type BadLine, type LineLimits } from './bad-line.js'
import { LineCutter } from './cutter.js'
import type { Reader } from './source.js'
import type { TextOptions } from './text.js'
import type { TextSource } from './text-source.js'
import type { Transcoder } from './transcode.js'

/** How the source is read, and how bad lines are treated. */
export interface BlockOptions extends LineLimits, TextOptions {
  readonly tooLong: 'error' | 'skip'
}

/**
 * Gives blocks that end with a line end; only the last may lack it. A block is valid until the next one is asked for.
 */
export class LineBlocks {
  /**
   * How many lines have been given out of the blocks. The code that splits them counts here. Errors take their line
   * number from it.
   */
  lines = 0
  /** How many lines were left out. */
  skipped = 0
  /** How many of them before the last block that was given. Undefined: none was given. */
  skippedBefore: number | undefined
  /** Where the last block begins in the input; in its UTF-8 text, if it is decoded first. */
  offset = 0
  readonly #source: TextSource
  readonly #options: BlockOptions
  readonly #cutter: LineCutter
  #text: Reader<Buffer> | undefined
  #transcoder: Transcoder | undefined
  #encoding: string
  #ended = false
  /** Where in the input the text begins, behind a byte order mark; 0 if it is decoded first. */
  #textStart = 0
  /** The next lines, where they are in a block of which some have been given. */
  #rest: Buffer = NO_BYTES
  #restStart = 0
  #error: (() => LineError) | undefined

  constructor(source: TextSource, options: BlockOptions) {
    this.#source = source
    this.#options = options
    this.#encoding = options.text.input ?? options.text.blocks
    this.#cutter = new LineCutter(options.lineEnd, options.maxLength)
    this.lines = (source.from?.line ?? 1) - 1
  }

  /** The source, which knows places in it. */
  get source(): TextSource {
    return this.#source
  }

  /** The path, if the source is a file. */
  get path(): string | undefined {
    return this.#source.path
  }

  /** The next block, if it is there already. */
  take(): Buffer | undefined {
    while (this.#error === undefined && !this.#source.isClosed) {
      const rest = this.#rest
      const block = rest.length > 0 ? rest : this.#cutter.next()
      if (block === undefined) return undefined
      this.#rest = NO_BYTES
      const start = rest.length > 0 ? this.#restStart : this.#cutter.start
      this.#transcoder?.forget(start)
      this.offset = this.#textStart + start
      const bad = findBadLine(block, this.#options)
      if (bad === undefined) return this.#give(block)
      if (bad.start > 0) {
        // The bad line is looked at again when those before it have been counted.
        this.#keep(block, bad.start, start)
        return this.#give(block.subarray(0, bad.start))
      }
      if (bad.kind === 'long' && this.#options.tooLong === 'skip') {
        this.#keep(block, this.#options.lineEnd.after(block, 0), start)
        this.#countSkipped()
      } else {
        const offset = this.#inputOffset(start + bad.at)
        this.#error = () => this.#errorOf(bad, offset)
      }
    }
    return undefined
  }

  /**
   * The next block, or undefined at the end. Throws errors of the source, and a `LineError` after all lines before it.
   */
  async read(): Promise<Buffer | undefined> {
    const text = this.#text ?? (await this.#open())
    while (text !== undefined) {
      const block = this.take()
      if (block !== undefined) return block
      if (this.#error !== undefined) throw this.#error()
      if (this.#ended || this.#source.isClosed) return undefined
      await this.#readOn(text)
    }
    return undefined
  }

  /** Closes the source; a `read()` that is pending then gives nothing. May be called at any time and again. */
  close(): Promise<unknown> {
    return this.#source.close()
  }

  #give(block: Buffer): Buffer {
    this.skippedBefore = this.skipped
    return block
  }

  /** The next block is the rest of this one, which begins at `start` in the text. */
  #keep(block: Buffer, from: number, start: number): void {
    this.#rest = block.subarray(from)
    this.#restStart = start + from
  }

  async #readOn(text: Reader<Buffer>): Promise<void> {
    const cutter = this.#cutter
    if (cutter.overflows && this.#options.tooLong === 'skip') {
      cutter.leaveOut()
      this.#countSkipped()
    }
    const result = cutter.overflows ? undefined : await text.next()
    if (result !== undefined && !result.done) {
      cutter.feed(result.value)
      return
    }
    this.#ended = true
    const invalid = this.#transcoder?.invalid
    if (invalid === undefined) cutter.end()
    else this.#error = () => this.#errorOf({ kind: 'invalid', found: invalid.byte }, invalid.offset)
  }

  /** It counts as a line, because later errors tell their line numbers. */
  #countSkipped(): void {
    this.lines++
    this.skipped++
  }

  #errorOf(bad: Pick<BadLine, 'kind' | 'found'>, offset: number): LineError {
    return lineError(bad, this.lines + 1, offset, { encoding: this.#encoding, maxLength: this.#options.maxLength })
  }

  #inputOffset(textOffset: number): number {
    return this.#transcoder?.inputOffset(textOffset) ?? this.#textStart + textOffset
  }

  /** Undefined if it was closed meanwhile. */
  async #open(): Promise<Reader<Buffer> | undefined> {
    const open = await this.#source.open()
    if (open === undefined) return undefined
    this.#text = open.text
    this.#transcoder = open.transcoder
    this.#textStart = open.transcoder === undefined ? open.start : 0
    this.#encoding = open.encoding
    const { from } = this.#source
    if (from !== undefined) this.#cutter.startAt(from.offset - this.#textStart)
    return open.text
  }
}
