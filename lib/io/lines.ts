/** The lines of a file, stream or other byte source. This file is the iterator; blocks.ts reads, splitter.ts splits. */
import { constants } from 'node:buffer'
import { OptionReader } from '../options.js'
import { LineBlocks } from './blocks.js'
import { bytesOf, type ByteSource, type Bytes } from './bytes.js'
import { closeInTime } from './closing.js'
import { LineSplitter, type SplitterOptions } from './splitter.js'

export type { ByteSource } from './bytes.js'

const ACTION = 'read lines'
const DEFAULT_MAX_LENGTH = 16 * 1024 * 1024

/** The options of `lines()`. */
export interface LinesOptions {
  /**
   * How bytes become characters. In `'utf8'` a byte order mark at the start is dropped; in `'latin1'` each byte is one
   * character. Default: `'utf8'`.
   */
  encoding?: 'utf8' | 'latin1' | undefined
  /**
   * The most bytes a line may have, its end not counted, uncompressed. A longer one is a `LineError` (`ERR_LINE_TOO_LONG`).
   * Default: 16,777,216 (16 MiB); minimum: 1; maximum: the longest string there can be.
   */
  maxLength?: number | undefined
  /**
   * What becomes of bytes that are not valid UTF-8: a `LineError` (`ERR_INVALID_UTF8`) if true, a replacement character
   * (U+FFFD) if false. Default: false.
   */
  fatal?: boolean | undefined
}

/**
 * Gives the lines of a file, a stream or any source of bytes, as strings without their ends. Lines end with `\n` or
 * `\r\n`; empty lines are kept, and a last line needs no end. Gzip is recognised by its first two bytes and decompressed.
 *
 * Nothing is opened before the first `next()`. At every end (the last line, an error, `break`, `return()`) the file is
 * closed before you are told, and a source of chunks that has not ended itself is closed once; waiting for that is
 * limited to one second.
 *
 * It holds two blocks of 512 KiB and the longest line, whatever the size of the file. A line is decoded when you ask for
 * it, and keeps nothing else alive.
 *
 * @param source A path, a `file:` URL, or what gives byte chunks (`Uint8Array`): a Node `Readable` without encoding, a web
 * `ReadableStream`, any iterable or async iterable.
 * @param options `encoding` (default `'utf8'`), `maxLength` (bytes, default 16 MiB), `fatal` (default false).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. From `next()`, after all lines before it:
 * the system's own error, with `path` set, for a file that cannot be read and for broken gzip; `LineError` for a line
 * that is too long or, with `fatal`, not UTF-8; `TypeError` (`ERR_INVALID_SOURCE`) for a chunk that is not bytes; the
 * source's own error, as it was thrown.
 * @example
 * ```ts
 * import { lines } from 'millrace'
 *
 * for await (const line of lines([Buffer.from('one\ntw'), Buffer.from('o\n')])) {
 *   console.log(line)
 * }
 * // → one
 * // → two
 * ```
 */
export function lines(source: ByteSource, options?: LinesOptions): Lines {
  const bytes = bytesOf(ACTION, source)
  const read = new OptionReader<LinesOptions>(ACTION, options, ['encoding', 'maxLength', 'fatal'])
  return new Lines(bytes, {
    encoding: read.oneOf('encoding', ['utf8', 'latin1']) ?? 'utf8',
    maxLength: read.integer('maxLength', 1, constants.MAX_STRING_LENGTH) ?? DEFAULT_MAX_LENGTH,
    fatal: read.boolean('fatal') ?? false,
  })
}

interface Waiter {
  resolve(result: IteratorResult<string, undefined>): void
  reject(error: unknown): void
}

/** What `lines()` gives: an iterator over the lines, which also `await using` closes. */
export class Lines implements AsyncIterableIterator<string, undefined>, AsyncDisposable {
  readonly #path: string | undefined
  readonly #options: SplitterOptions
  readonly #blocks: LineBlocks
  #splitter: LineSplitter | undefined
  /** The calls of `next()` that no line is there for yet, oldest first. */
  readonly #waiting: Waiter[] = []
  #done = false
  #closing: Promise<void> | undefined

  /** Only `lines()` makes these: it checks what comes in. */
  constructor(bytes: Bytes, options: SplitterOptions) {
    this.#path = bytes.path
    this.#options = options
    this.#blocks = new LineBlocks(bytes, options.encoding === 'utf8', options.maxLength)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next line. Calls may overlap: they are answered in order. */
  next(): Promise<IteratorResult<string, undefined>> {
    if (this.#waiting.length === 0) {
      if (this.#done) return Promise.resolve({ done: true, value: undefined })
      try {
        const line = this.#splitter?.next()
        if (line !== undefined) return Promise.resolve({ done: false, value: line })
      } catch {
        // Found again, and thrown, by the call that waits until the source is closed.
      }
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#waiting.length === 1) void this.#answer()
    })
  }

  /** Ends the reading at once: calls of `next()` that still wait get "done". Settles when the source is closed. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#done) {
      this.#done = true
      for (const waiter of this.#waiting.splice(0)) waiter.resolve({ done: true, value: undefined })
    }
    await this.#close()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Answers the waiting calls one after the other, until none is left. Never rejects. */
  async #answer(): Promise<void> {
    for (let waiter = this.#waiting[0]; waiter !== undefined; waiter = this.#waiting[0]) {
      let answer: () => void
      try {
        const result = await this.#advance()
        answer = waiter.resolve.bind(waiter, result)
      } catch (error) {
        answer = waiter.reject.bind(waiter, this.#located(error))
      }
      // `return()` has answered it already.
      if (this.#waiting[0] !== waiter) return
      this.#waiting.shift()
      answer()
    }
  }

  async #advance(): Promise<IteratorResult<string, undefined>> {
    try {
      while (!this.#done) {
        const line = this.#splitter?.next()
        if (line !== undefined) return { done: false, value: line }
        const { done, value } = await this.#blocks.next()
        if (done) break
        this.#splitter ??= new LineSplitter(this.#options, this.#blocks.skipped)
        this.#splitter.feed(value)
      }
    } catch (error) {
      this.#done = true
      // The error to tell is this one, whatever closing throws.
      await this.#close().catch(() => {})
      throw error
    }
    this.#done = true
    await this.#close()
    return { done: true, value: undefined }
  }

  #close(): Promise<void> {
    this.#splitter = undefined
    this.#closing ??= closeInTime(this.#blocks)
    return this.#closing
  }

  /** The same error, saying which file it is about. */
  #located(error: unknown): unknown {
    const path = this.#path
    if (path === undefined || !(error instanceof Error)) return error
    const { message, stack } = error
    Object.assign(error, { path })
    if (message.includes(`'${path}'`)) return error
    error.message = `${message} (in '${path}')`
    if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
    return error
  }
}
