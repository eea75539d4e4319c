/**
 * The records of several inputs as batches, one input after the other. A kind of records, such as CSV, says how an input
 * begins and where its records end.
 */
import { NO_BYTES } from '../codec/line-end.js'
import type { RecordFormat, RecordSegment } from '../codec/records/format.js'
import { RecordBatch } from '../codec/records/record-batch.js'
import { recordError } from '../codec/records/record-error.js'
import { RecordError } from '../errors.js'
import type { ByteInput } from '../io/bytes.js'
import { closeWithTimeout } from '../io/close-with-timeout.js'
import type { InputMeter } from '../io/input-meter.js'
import { located } from '../io/located.js'
import { peek, prepend } from '../io/peek.js'
import type { InputsReader } from '../io/inputs-point.js'
import type { Reader } from '../io/source.js'
import type { TextOptions } from '../io/text.js'
import type { TextSource } from '../io/text-source.js'
import type { InputsPlace } from '../io/text-place.js'
import { TextSources } from '../io/text-sources.js'
import type { Transcoder } from '../io/transcode.js'
import type { NamedTask } from '../resume/code.js'
import type { FileIdentity } from '../resume/identity.js'
import type { HeldSegment } from '../codec/records/record-batch.js'
import { RecordScanner, type Splitter } from './record-scanner.js'

/** How the records of one input are read. */
export interface Beginning {
  readonly splitter: Splitter
  /** How many of the first bytes are not read. */
  readonly skipped: number
  /** The format of the records; or it depends on the first one. */
  readonly format: RecordFormat | ((first: RecordSegment) => RecordFormat)
  /** Whether the first record is a header, which is not given. */
  readonly hasHeader: boolean
}

/** A kind of records. */
export interface RecordKind {
  readonly text: TextOptions
  readonly maxLength: number
  /** Tasks that make values of fields. */
  readonly tasks?: readonly NamedTask[]
  /** Whether the first bytes of an input are enough for `begin()`. */
  isDecided(head: Buffer): boolean
  begin(head: Buffer, file: string | undefined): Beginning
  /** The error of an input in which no record ends within `maxLength`. */
  tooLong?(scanner: RecordScanner): RecordError | undefined
}

interface Input {
  readonly source: TextSource
  readonly text: Reader<Buffer>
  readonly transcoder: Transcoder | undefined
  readonly scanner: RecordScanner
  /** The first bytes, which are not records. */
  readonly head: Buffer
  readonly format: RecordFormat
  hasEnded: boolean
}

/** Of the first record of an input, before its format is known. */
const RAW: RecordFormat = { kind: 'json', encoding: 'utf8' }

export class RecordReader implements InputsReader {
  readonly #kind: RecordKind
  readonly #sources: TextSources
  /** What is open of the input at hand; its text is undefined until it begins. */
  #source: TextSource | undefined
  #input: Input | undefined
  /** The input at hand. Its start may be read first, as another source. */
  #taken: TextSource | undefined
  /** The first record of an input that has no header. */
  #first: HeldSegment | undefined
  #isClosed = false
  #closing: Promise<void> | undefined
  #stopWaiting: (() => void) | undefined

  constructor(sources: readonly ByteInput[], kind: RecordKind) {
    this.#kind = kind
    this.#sources = new TextSources(sources, kind.text)
  }

  /** Counts the bytes that are read. */
  get meter(): InputMeter {
    return this.#sources.meter
  }

  /** The next records of the block at hand; those of the next block if there are none. */
  next(max: number): RecordBatch | undefined | Promise<RecordBatch | undefined> {
    const segment = this.#cut(max)
    if (segment !== undefined) return new RecordBatch([segment])
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => {
        resolve(undefined)
      }
      this.#read(max).then(resolve, reject)
    })
  }

  place(): InputsPlace {
    const [source, scanner] = [this.#taken, this.#input?.scanner]
    const { given, nextFrom } = this.#sources
    if (source === undefined) return { input: given, ...(nextFrom && { at: nextFrom }) }
    const next = this.#first === undefined ? scanner?.place : undefined
    const isAtStart = next === undefined || next.record <= 1
    const at = isAtStart ? source.from : source.placeOf(next, scanner?.state)
    return { input: given - 1, ...(at && { at }) }
  }

  goOn(place: InputsPlace, known: readonly FileIdentity[]): Promise<readonly string[]> {
    return this.#sources.goOn(place, known)
  }

  identities(place: InputsPlace): Promise<readonly FileIdentity[]> {
    return this.#sources.identities(place)
  }

  /** A `next()` that is pending gives undefined. Settles when the source is closed, or after a second. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#forget()
    this.#stopWaiting?.()
    this.#closing ??= Promise.all([this.#closeSource(), this.#sources.close()]).then(() => {})
    return this.#closing
  }

  #cut(max: number): HeldSegment | undefined {
    const first = this.#first
    if (first !== undefined) {
      this.#first = undefined
      return first
    }
    return this.#input?.scanner.cut(max, this.#input.format)
  }

  async #read(max: number): Promise<RecordBatch | undefined> {
    try {
      while (!this.#isClosed) {
        const input = this.#input ?? (await this.#begin())
        if (input === undefined) break
        if (this.#isClosed) break
        const segment = this.#cut(max)
        if (segment !== undefined) return new RecordBatch([segment])
        if (await this.#readOn(input)) continue
        await this.#closeSource()
        this.#taken = undefined
      }
      this.#forget()
      return undefined
    } catch (error) {
      const path = this.#source?.path
      // The read that is pending gives this error, and not one of closing.
      this.#stopWaiting = undefined
      await this.close().catch(() => {})
      throw path === undefined || error instanceof RecordError ? error : located(error, path)
    }
  }

  /** @returns Whether the input at hand may have other records. */
  async #readOn(input: Omit<Input, 'format'>): Promise<boolean> {
    const { scanner, text } = input
    if (scanner.isTooLong) throw this.#tooLong(scanner)
    const { failure } = scanner
    if (failure !== undefined) throw failure
    if (input.hasEnded) return false
    const result = await text.next()
    if (this.#isClosed) return false
    // Places of records are in its text.
    input.transcoder?.forget(Infinity)
    if (!result.done) scanner.feed(result.value)
    else {
      input.hasEnded = true
      const error = scanner.end()
      if (error !== undefined) throw error
    }
    return true
  }

  #tooLong(scanner: RecordScanner): RecordError {
    const { maxLength } = this.#kind
    const told = this.#kind.tooLong?.(scanner)
    if (told !== undefined) return told
    return recordError(
      scanner.place,
      'ERR_RECORD_TOO_LONG',
      `it must not be longer than 'maxLength': received more than ${maxLength} bytes`,
    )
  }

  /** Begins the next input; undefined if there is none. */
  async #begin(): Promise<Input | undefined> {
    const finding = this.#sources.find()
    // Only then: a source that is there is opened at once, so that `close()` reaches it.
    if (finding !== undefined) await finding
    const source = this.#sources.next()
    if (source === undefined) return undefined
    this.#taken = source
    return (this.#input = source.from === undefined ? await this.#openAtStart(source) : await this.#goOnIn(source))
  }

  async #openAtStart(source: TextSource): Promise<Input | undefined> {
    this.#source = source
    const open = await source.open()
    if (open === undefined || this.#isClosed) return undefined
    const { transcoder } = open
    const head = await peek(open.text, (head) => this.#kind.isDecided(head))
    const { splitter, skipped, format, hasHeader } = this.#kind.begin(head, source.path)
    const text = prepend(head.subarray(skipped), open.text)
    const start = (transcoder === undefined ? open.start : 0) + skipped
    const scanner = new RecordScanner(splitter, source.path, this.#kind.maxLength, start)
    const input = { source, text, transcoder, scanner, head: Buffer.from(head.subarray(0, skipped)), hasEnded: false }
    if (typeof format !== 'function') return { ...input, format }
    if (hasHeader) scanner.countFrom(0)
    let first = scanner.cut(1, RAW)
    while (first === undefined && (await this.#readOn(input))) first = scanner.cut(1, RAW)
    if (first === undefined || this.#isClosed) return { ...input, format: RAW }
    const known = { ...input, format: format(first) }
    if (hasHeader) releaseSegment(first)
    else this.#first = { ...first, format: known.format }
    return known
  }

  /** Continues where an earlier run was. The format may depend on the start of the input, which is then read first. */
  async #goOnIn(source: TextSource): Promise<Input | undefined> {
    let beginning = this.#kind.begin(NO_BYTES, source.path)
    let { format } = beginning
    if (typeof format === 'function') {
      const start = await this.#openAtStart(source.atStart())
      if (start === undefined) return undefined
      format = start.format
      beginning = this.#kind.begin(start.head, source.path)
      this.#leaveFirst()
      start.scanner.close()
      await this.#closeSource()
    }
    const { from } = source
    this.#source = source
    const open = await source.open()
    if (open === undefined || from === undefined || this.#isClosed) return undefined
    const scanner = new RecordScanner(beginning.splitter, source.path, this.#kind.maxLength, from.offset)
    scanner.goOn(from, from.state)
    const { text, transcoder } = open
    return { source, text, transcoder, scanner, head: NO_BYTES, format, hasEnded: false }
  }

  #forget(): void {
    this.#input?.scanner.close()
    this.#leaveFirst()
  }

  #leaveFirst(): void {
    if (this.#first !== undefined) releaseSegment(this.#first)
    this.#first = undefined
  }

  async #closeSource(): Promise<void> {
    this.#input?.scanner.close()
    this.#input = undefined
    const source = this.#source
    if (source !== undefined) await closeWithTimeout(source)
    this.#source = undefined
  }
}

function releaseSegment({ bytesIn, endsIn }: HeldSegment): void {
  bytesIn.release()
  endsIn.release()
}
