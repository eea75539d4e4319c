/** The lines of files, streams or other byte sources. This file is the iterator; line-input.ts reads. */
import { constants } from 'node:buffer'
import { types } from 'node:util'
import { LineEnd } from '../codec/line-end.js'
import type { LineFormat } from '../codec/records/format.js'
import { LineDecoder } from '../codec/records/line-decoder.js'
import type { HeldSegment } from '../codec/records/record-batch.js'
import { typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { offerResume, type Json } from '../resume/mark.js'
import { OptionReader, VERBS_HINT } from '../options.js'
import type { BlockOptions } from './blocks.js'
import { inputName, sourcesOf, type ByteInput, type ByteSource } from './bytes.js'
import { textEncoding } from './encoding.js'
import { offerMeter, type SourceBytes } from './input-meter.js'
import { InputsPoint } from './inputs-point.js'
import { LineBatches } from './line-batches.js'
import { LineInput } from './line-input.js'
import { LineScanner } from './line-scanner.js'
import { isProgram, PROGRAM_EXPECTED, programHint } from './program.js'
import { offerBatches, type BatchReader } from './source.js'

const ACTION = 'read lines'
const OPTIONS = ['encoding', 'delimiter', 'maxLength', 'tooLong', 'fatal', 'detect', 'decompress'] as const
const DEFAULT_MAX_LENGTH = 16 * 1024 * 1024

/** The options of `lines()`. */
export interface LinesOptions {
  /**
   * The encoding of the text: `'utf8'`, `'latin1'` (ISO-8859-1: each byte is the character of its number), or any label
   * of `TextDecoder`. Some of them are `'windows-1252'`, `'shift_jis'` and `'utf-16le'`. A byte order mark is dropped in
   * UTF-8 and UTF-16. In `'utf8'`, an input that begins with the byte order mark of UTF-16 is read as UTF-16. Default:
   * `'utf8'`.
   */
  encoding?: string | undefined
  /**
   * What ends a line: a string, or bytes in the encoding of the input; at least one byte. Use `'\0'` for the output of
   * `find -print0`, and `'\r'` for old Mac files. Default: `\n`, and a `\r` before it belongs to the end.
   */
  delimiter?: string | Uint8Array | undefined
  /**
   * The most bytes a line may have, its end not counted, uncompressed. Lines of UTF-16 are measured in UTF-8. Default:
   * 16,777,216 (16 MiB); minimum: 1; maximum: the longest string there can be.
   */
  maxLength?: number | undefined
  /**
   * What happens with a line longer than `maxLength`. `'error'`: it throws a `LineError` (`ERR_LINE_TOO_LONG`).
   * `'skip'`: the line is left out, and `skipped` counts it. Default: `'error'`.
   */
  tooLong?: 'error' | 'skip' | undefined
  /**
   * What happens with bytes that are invalid in the encoding. `true`: a `LineError` (`ERR_INVALID_UTF8`,
   * `ERR_INVALID_TEXT`). `false`: a replacement character (U+FFFD). Default: false.
   */
  fatal?: boolean | undefined
  /**
   * Whether the first bytes decide how the input is read. Gzip and zstd are decompressed, and so are files named `.br`.
   * UTF-16 is decoded. Other formats that are not text are refused. With false, all bytes are text in `encoding`.
   * Default: true.
   */
  detect?: boolean | undefined
  /**
   * A program and its arguments, such as `['xz', '-dc']`. It is started for each input, gets its bytes, and its output
   * is read. No shell is used. If it does not end with exit code 0, an `InputError` (`ERR_DECOMPRESS`) says what it
   * wrote to its standard error. When you leave the loop, it is ended. Default: no program.
   */
  decompress?: readonly string[] | undefined
}

/**
 * Gives the lines of files, streams or any sources of bytes, as strings without their ends. Lines end with `\n` or
 * `\r\n`, or with the `delimiter`; empty lines are kept, and a last line needs no end. Gzip, zstd (before Node 22.15 with
 * the package `fzstd`) and files named `.br` are decompressed. Zip, xz and other formats that are not text are refused,
 * unless a program decompresses them.
 *
 * Nothing is opened before the first `next()`. At every end (the last line, an error, `break`, `return()`) the file is
 * closed first. A source of chunks that has not ended by itself is closed once. Waiting for that takes at most one
 * second.
 *
 * Several sources are read one after the other, each as if it were alone. A last line ends with its source. Errors
 * count lines and bytes from the start of their source. A source is opened when the one before it has ended. After an
 * earlier end, sources that were not reached stay unopened. Compressed files are inflated side by side, one per core and
 * at most four. So files named `.gz`, `.zst` or `.br` are opened when they are among the next three.
 *
 * It holds two blocks of 512 KiB and the longest line, for a file of any size. Of each compressed file that is open it
 * holds up to 16 MiB of text. A line is decoded when you ask for it,
 * together with its neighbours. A line that you keep can keep up to 2 KiB of them in memory. As the source of a stage
 * with workers it hands over bytes. The workers decode them, and the window still counts lines.
 *
 * @param source A path or a URL (`file:`, `http:`, `https:`). Or what gives byte chunks (`Uint8Array`): a Node `Readable`
 * without encoding, a web `ReadableStream`, any iterable or async iterable. Or an array of these, or `files()`; an array
 * of byte chunks is one source.
 * @param options `encoding` (default `'utf8'`), `delimiter` (default `\n` or `\r\n`), `maxLength` (bytes, default 16
 * MiB), `tooLong` (default `'error'`), `fatal` (default false). Also `detect` (default true), `decompress` (a program and
 * its arguments, default none).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. All other errors come from `next()`,
 * after the lines before them. A file that cannot be read gives the error of the system, with `path` set. Damaged
 * compressed data, a program that fails, a server that does not answer with 2xx, and input that is not text give an
 * `InputError`. A line that is too long or, with `fatal`, not valid gives a `LineError`. A chunk that is not bytes gives
 * a `TypeError` (`ERR_INVALID_SOURCE`). Errors of the source come as they were thrown.
 * @example
 * ```ts
 * import { lines } from 'millrace'
 *
 * for await (const line of lines([Buffer.from('one\ntw'), Buffer.from('o\n')])) {
 *   console.log(line)
 * }
 * // → one
 * // → two
 *
 * const reports = [[Buffer.from('one\ntwo')], [Buffer.from('three')]] // or paths: ['a.log', 'b.log.gz']
 * for await (const line of lines(reports)) console.log(line)
 * // → one
 * // → two
 * // → three
 * ```
 */
export function lines(source: ByteSource | readonly ByteSource[], options?: LinesOptions): Lines {
  const sources = sourcesOf(ACTION, source)
  const read = new OptionReader<LinesOptions>(ACTION, options, OPTIONS, VERBS_HINT)
  const text = textEncoding(
    ACTION,
    read.value('encoding', 'the name of an encoding', (value) => typeof value === 'string'),
    read.value('delimiter', 'a string or bytes, not empty', isDelimiter),
  )
  const decompress = read.value('decompress', PROGRAM_EXPECTED, isProgram, programHint)
  return new LineReader(sources, {
    text,
    encoding: text.blocks,
    lineEnd: new LineEnd(text.delimiter),
    maxLength: read.integer('maxLength', 1, constants.MAX_STRING_LENGTH) ?? DEFAULT_MAX_LENGTH,
    fatal: read.boolean('fatal') ?? false,
    tooLong: read.oneOf('tooLong', ['error', 'skip']) ?? 'error',
    detect: read.boolean('detect') ?? true,
    decompress: decompress && [...decompress],
  })
}

/** The options that change which lines there are, or their text. */
function planOf({ text, lineEnd, maxLength, fatal, tooLong, detect, decompress }: BlockOptions): Record<string, Json> {
  const delimiter = lineEnd.delimiter && Buffer.from(lineEnd.delimiter).toString('latin1')
  return {
    encoding: text.input ?? text.blocks,
    ...(delimiter !== undefined && { delimiter }),
    maxLength,
    fatal,
    tooLong,
    detect,
    ...(decompress && { decompress }),
  }
}

function isDelimiter(value: unknown): boolean {
  return (typeof value === 'string' || types.isUint8Array(value)) && value.length > 0
}

/** What `lines()` returns: an iterator over the lines. `await using` closes it. */
export interface Lines extends AsyncIterableIterator<string, undefined>, AsyncDisposable {
  [Symbol.asyncIterator](): this
  /** How many lines were left out so far, with `tooLong: 'skip'`. It also counts lines that were read ahead. */
  readonly skipped: number
  /** How many bytes have been read, and how many there are, as they are stored: for progress and the time that is left. */
  readonly bytes: SourceBytes
  /** The next line. Calls may overlap: they are answered in order. */
  next(): Promise<IteratorResult<string, undefined>>
  /** Ends the reading at once: pending calls of `next()` get "done". Settles when the source is closed. */
  return(): Promise<IteratorReturnResult<undefined>>
}

interface Waiter {
  resolve(result: IteratorResult<string, undefined>): void
  reject(error: unknown): void
}

class LineReader implements Lines {
  static {
    showState(
      this.prototype,
      (lines) => {
        const state = { new: 'not started', open: 'open', done: 'ended' }[lines.#state]
        return { sources: lines.#sources, state }
      },
      'Lines',
    )
  }

  /** How the sources are shown. */
  readonly #sources: readonly string[]
  readonly #input: LineInput
  readonly #scanner: LineScanner
  readonly #decoder: LineDecoder
  /** The lines that the decoder gives. */
  #segment: HeldSegment | undefined
  #state: 'new' | 'open' | 'done' = 'new'
  /** How many lines of the block at hand were given. */
  #given = 0
  /** The calls of `next()` that no line is there for yet, oldest first. */
  readonly #waiting: Waiter[] = []
  #batches: BatchReader | undefined
  readonly #point: InputsPoint

  constructor(sources: readonly ByteInput[], options: BlockOptions) {
    const { blocks, delimiter } = options.text
    const format: LineFormat = { kind: 'lines', encoding: blocks, ...(delimiter && { delimiter }) }
    this.#sources = sources.map(inputName)
    this.#input = new LineInput(sources, options)
    this.#scanner = new LineScanner(options.lineEnd, format)
    this.#decoder = new LineDecoder(format)
    offerBatches(this, () => this.#openBatches(), true)
    offerMeter(this, this.#input.meter)
    this.#point = new InputsPoint('lines', sources, planOf(options), new LineBatches(this.#input, this.#scanner))
    offerResume(this, this.#point)
  }

  get skipped(): number {
    return this.#input.skipped
  }

  get bytes(): SourceBytes {
    return this.#input.meter.bytes
  }

  [Symbol.asyncIterator](): this {
    if (this.#state !== 'done') return this
    throw typeError(
      'ERR_INVALID_SOURCE',
      'Cannot read the lines again as they have been read or left: lines() can be read once; call lines() again',
    )
  }

  next(): Promise<IteratorResult<string, undefined>> {
    if (this.#waiting.length === 0) {
      if (this.#state === 'done') return Promise.resolve({ done: true, value: undefined })
      const line = this.#decoder.next()
      if (line !== undefined) {
        this.#given++
        return Promise.resolve({ done: false, value: line })
      }
    }
    if (this.#state === 'new') this.#state = 'open'
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#waiting.length === 1) void this.#answer()
    })
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end()
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ done: true, value: undefined })
    await (this.#batches ?? this.#input).close()
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
        answer = waiter.resolve.bind(waiter, await this.#nextLine())
      } catch (error) {
        this.#end()
        answer = waiter.reject.bind(waiter, error)
      }
      // `return()` has answered it already.
      if (this.#waiting[0] !== waiter) return
      this.#waiting.shift()
      answer()
    }
  }

  async #nextLine(): Promise<IteratorResult<string, undefined>> {
    while (this.#state === 'open') {
      const line = this.#decoder.next()
      if (line !== undefined) {
        this.#given++
        return { done: false, value: line }
      }
      if (!this.#cut()) {
        this.#input.count(this.#given)
        this.#given = 0
        const block = this.#input.take() ?? (await this.#input.read())
        if (block === undefined) break
        this.#scanner.feed(block, this.#input.place)
      }
    }
    this.#end()
    return { done: true, value: undefined }
  }

  /** Gives the next lines of the block at hand to the decoder. @returns Whether there were any. */
  #cut(): boolean {
    this.#releaseSegment()
    this.#segment = this.#scanner.cut(Infinity)
    if (this.#segment !== undefined) this.#decoder.feed(this.#segment)
    return this.#segment !== undefined
  }

  #end(): void {
    this.#state = 'done'
    this.#decoder.clear()
    this.#releaseSegment()
    this.#scanner.close()
  }

  #releaseSegment(): void {
    this.#segment?.bytesIn.release()
    this.#segment?.endsIn.release()
    this.#segment = undefined
  }

  /**
   * Gives the lines away as batches, for a stage; undefined once reading has begun or ended. From then on `next()` says
   * done, and `return()` closes what the batches are read from.
   */
  #openBatches(): BatchReader | undefined {
    if (this.#state !== 'new') return undefined
    this.#state = 'done'
    this.#batches = this.#point.open()
    return this.#batches
  }
}
