/**
 * The lines of several byte sources, one source after the other, as blocks. Each source is closed before its end or an
 * error is told. It splits nothing.
 */
import { LineBlocks, type BlockOptions } from './blocks.js'
import type { ByteInput } from './bytes.js'
import { closeWithTimeout } from './close-with-timeout.js'
import type { InputMeter } from './input-meter.js'
import type { LinePlace } from './line-scanner.js'
import { located } from './located.js'
import type { InputsPlace } from './text-place.js'
import { TextSources } from './text-sources.js'

export class LineInput {
  readonly #options: BlockOptions
  /** Those not yet reached. */
  readonly #sources: TextSources
  #blocks: LineBlocks | undefined
  #closing: Promise<void> | undefined
  /** How many lines were left out of the sources before the one at hand. */
  #skipped = 0

  constructor(sources: readonly ByteInput[], options: BlockOptions, filesAtOnce?: number) {
    this.#sources = new TextSources(sources, options, filesAtOnce)
    this.#options = options
  }

  /**
   * Says how many lines of the last block were given, as errors name the line. Call it before you ask for the next
   * block.
   */
  count(lines: number): void {
    if (this.#blocks !== undefined) this.#blocks.lines += lines
  }

  /** The sources, which know whether they are those of an earlier run. */
  get sources(): TextSources {
    return this.#sources
  }

  /** Where reading can go on in another run, if this is the next line. */
  placeOf({ line, offset }: LinePlace): InputsPlace {
    const blocks = this.#blocks
    const skipped = this.#skipped + (blocks?.skippedBefore ?? 0)
    const { given, nextFrom } = this.#sources
    if (blocks === undefined) return { input: given, skipped, ...(nextFrom && { at: nextFrom }) }
    const isNew = blocks.skippedBefore === undefined
    const at = isNew ? blocks.source.from : blocks.source.placeOf({ record: line, line, offset })
    return { input: given - 1, skipped, ...(at && { at }) }
  }

  /** How many lines an earlier run has left out. To be called before the first read. */
  countSkipped(lines: number): void {
    this.#skipped = lines
  }

  /** Counts the bytes that are read. */
  get meter(): InputMeter {
    return this.#sources.meter
  }

  /** How many lines were left out. */
  get skipped(): number {
    return this.#skipped + (this.#blocks?.skipped ?? 0)
  }

  /** Where the first line of the last block is. */
  get place(): LinePlace {
    const blocks = this.#blocks
    return { file: blocks?.path, line: (blocks?.lines ?? 0) + 1, offset: blocks?.offset ?? 0 }
  }

  /** The next block, if that takes no reading. It is the caller's until it asks for another. */
  take(): Buffer | undefined {
    return this.#blocks?.take()
  }

  /** The next block, or undefined at the end. After it has rejected nothing is open any more. */
  async read(): Promise<Buffer | undefined> {
    let path: string | undefined
    try {
      for (;;) {
        const finding = this.#blocks === undefined ? this.#sources.find() : undefined
        // Only then: a source that is there is opened at once, so that `return()` reaches it.
        if (finding !== undefined) await finding
        const blocks = this.#source()
        if (blocks === undefined) return undefined
        path = blocks.path
        const block = await blocks.read()
        if (block !== undefined) return block
        await this.#closeSource()
        path = undefined
      }
    } catch (error) {
      // This error is told, not one of closing.
      await this.close().catch(() => {})
      throw path === undefined ? error : located(error, path)
    }
  }

  /** Reads no more: a `read()` that is pending gives nothing. May be called at any time and again. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#closeSource(), this.#sources.close()]).then(() => {})
    return this.#closing
  }

  /** The source at hand, or else the next one. */
  #source(): LineBlocks | undefined {
    if (this.#blocks !== undefined) return this.#blocks
    const source = this.#sources.next()
    if (source !== undefined) this.#blocks = new LineBlocks(source, this.#options)
    return this.#blocks
  }

  async #closeSource(): Promise<void> {
    if (this.#blocks !== undefined) await closeWithTimeout(this.#blocks)
    this.#skipped = this.skipped
    this.#blocks = undefined
  }
}
