/**
 * The lines of several byte sources, one source after the other, as blocks. Each source is opened when it is reached,
 * but compressed files are opened and inflated side by side. Each is closed before its end or an error is told. It
 * splits nothing.
 */
import { availableParallelism } from 'node:os'
import { LineBlocks, type BlockOptions } from './blocks.js'
import type { Bytes } from './bytes.js'
import { closeWithTimeout } from './close-with-timeout.js'
import { addToMessage, isErrorObject } from '../errors.js'
import { Fifo } from '../fifo.js'

/** Files are inflated in the pool of libuv, which has this many threads by default. */
const MAX_FILES_AT_ONCE = 4
/** How many compressed files are inflated at once: the one that is read, and the next ones. */
const FILES_AT_ONCE = Math.min(availableParallelism(), MAX_FILES_AT_ONCE)

export class LineInput {
  readonly #options: BlockOptions
  readonly #filesAtOnce: number
  /** Those not yet looked at. */
  #sources: Iterator<Bytes>
  #blocks: LineBlocks | undefined
  /** The next ones. Those of them that are compressed files are open. */
  readonly #ahead = new Fifo<LineBlocks>()
  #closing: Promise<void> | undefined
  /** How many lines were left out of the sources before the one at hand. */
  #skipped = 0

  constructor(sources: readonly Bytes[], options: BlockOptions, filesAtOnce: number = FILES_AT_ONCE) {
    this.#sources = sources.values()
    this.#options = options
    this.#filesAtOnce = filesAtOnce
  }

  /**
   * Says how many lines of the last block were given, as errors name the line. Call it before you ask for the next
   * block.
   */
  count(lines: number): void {
    if (this.#blocks !== undefined) this.#blocks.lines += lines
  }

  /** How many lines were left out. */
  get skipped(): number {
    return this.#skipped + (this.#blocks?.skipped ?? 0)
  }

  /** The next block, if that takes no reading. It is the caller's until it asks for another. */
  take(): Buffer | undefined {
    return this.#blocks?.take()
  }

  /** The next block, or undefined at the end. After it has rejected nothing is open any more. */
  async read(): Promise<Buffer | undefined> {
    let path: string | undefined
    try {
      for (let blocks = this.#source(); blocks !== undefined; blocks = this.#source()) {
        path = blocks.path
        const block = await blocks.read()
        if (block !== undefined) return block
        await this.#closeSource()
      }
      return undefined
    } catch (error) {
      // This error is told, not one of closing.
      await this.close().catch(() => {})
      throw path === undefined ? error : located(error, path)
    }
  }

  /** Reads no more: a `read()` that is pending gives nothing. May be called at any time and again. */
  close(): Promise<void> {
    this.#sources = [].values()
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  /** The source at hand, or else the next one. */
  #source(): LineBlocks | undefined {
    if (this.#blocks !== undefined) return this.#blocks
    while (this.#ahead.size < this.#filesAtOnce) {
      const next = this.#sources.next()
      if (next.done) break
      const blocks = new LineBlocks(next.value, this.#options)
      if (this.#ahead.size > 0) blocks.openAhead()
      this.#ahead.push(blocks)
    }
    this.#blocks = this.#ahead.shift()
    return this.#blocks
  }

  async #closeAll(): Promise<void> {
    const closed = [this.#closeSource()]
    for (let next = this.#ahead.shift(); next !== undefined; next = this.#ahead.shift()) {
      closed.push(closeWithTimeout(next))
    }
    await Promise.all(closed)
  }

  async #closeSource(): Promise<void> {
    if (this.#blocks !== undefined) await closeWithTimeout(this.#blocks)
    this.#skipped = this.skipped
    this.#blocks = undefined
  }
}

/** The same error, saying which file it is about. */
function located(error: unknown, path: string): unknown {
  if (!isErrorObject(error)) return error
  Object.assign(error, { path })
  if (!error.message.includes(`'${path}'`)) addToMessage(error, ` (in '${path}')`)
  return error
}
