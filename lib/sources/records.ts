/** What sources of records return: an iterator over their values. record-reader.ts and row-reader.ts read. */
import type { Batch } from '../codec/batch.js'
import { typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { inputName, type ByteInput } from '../io/bytes.js'
import { offerMeter, type InputMeter, type SourceBytes } from '../io/input-meter.js'
import { InputsPoint } from '../io/inputs-point.js'
import { offerBatches, type BatchReader, type BatchUse } from '../io/source.js'
import { offerResume, type Json, type ResumePoint } from '../resume/mark.js'
import { RecordReader, type RecordKind } from './record-reader.js'

/** The records of files, streams or other byte sources: an iterator over their values. `await using` closes it. */
export interface Records<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  [Symbol.asyncIterator](): this
  /** How many bytes have been read, and how many there are, as they are stored: for progress and the time that is left. */
  readonly bytes: SourceBytes
  /** The next record. Calls may overlap: they are answered in order. */
  next(): Promise<IteratorResult<T, undefined>>
  /** Ends the reading at once: pending calls of `next()` get "done". Settles when the source is closed. */
  return(): Promise<IteratorReturnResult<undefined>>
}

/** Records whose values are made one by one. */
interface RecordValues extends Batch {
  /** Gives the next value at each call. Throws the error of a bad record, and continues behind it. */
  cursor(): () => unknown
}

/** What an iterator reads, and how a run goes on there. */
export interface ReadRecords {
  readonly meter: InputMeter
  /** How a later run goes on. */
  readonly point: ResumePoint
  /** The next records, at most `max`, for values on this thread. */
  next(max: number): RecordValues | undefined | Promise<RecordValues | undefined>
  close(): unknown
  /** The records as batches, for a stage. Nothing has been read. */
  open(use: BatchUse): BatchReader
}

/**
 * The records of files of text.
 *
 * @param plan The options that change which records there are, or their values.
 */
export function recordsOf<T>(
  name: string,
  sources: readonly ByteInput[],
  kind: RecordKind,
  plan: Readonly<Record<string, Json>>,
): Records<T> {
  const reader = new RecordReader(sources, kind)
  const point = new InputsPoint(name, sources, plan, reader, kind.tasks)
  return new RecordIterator<T>(name, sources, {
    point,
    meter: reader.meter,
    next: (max) => reader.next(max),
    close: () => reader.close(),
    open: () => point.open(),
  })
}

/** Records that are decoded here together. */
const MAX_RECORDS_AT_ONCE = 1_000
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

export class RecordIterator<T> implements Records<T> {
  static {
    showState(
      this.prototype as RecordIterator<unknown>,
      (records) => {
        const state = { new: 'not started', open: 'open', done: 'ended' }[records.#state]
        return { sources: records.#sources, state }
      },
      'Records',
    )
  }

  /** The function that was called, for error texts. */
  readonly #name: string
  /** How the sources are shown. */
  readonly #sources: readonly string[]
  readonly #reader: ReadRecords
  #state: 'new' | 'open' | 'done' = 'new'
  #batch: RecordValues | undefined
  #decode: (() => unknown) | undefined
  #left = 0
  /** Calls of `next()` that are not answered. */
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string, sources: readonly ByteInput[], reader: ReadRecords) {
    this.#name = name
    this.#sources = sources.map(inputName)
    this.#reader = reader
    offerResume(this, reader.point)
    offerBatches(this, (use) => this.#openBatches(use), true)
    offerMeter(this, reader.meter)
  }

  get bytes(): SourceBytes {
    return this.#reader.meter.bytes
  }

  [Symbol.asyncIterator](): this {
    if (this.#state !== 'done') return this
    const name = this.#name
    throw typeError(
      'ERR_INVALID_SOURCE',
      `Cannot read the records again as they have been read or left: ${name}() can be read once; call ${name}() again`,
    )
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting === 0 && this.#left > 0) return this.#take()
    this.#waiting++
    const result = this.#last.then(() => this.#readNext())
    this.#last = result.then(this.#answered, this.#answered)
    return result
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end()
    await this.#reader.close()
    return DONE
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  readonly #answered = (): void => {
    this.#waiting--
  }

  async #readNext(): Promise<IteratorResult<T, undefined>> {
    if (this.#left === 0) {
      this.#batch?.release()
      this.#batch = undefined
      if (this.#state === 'done') return DONE
      this.#state = 'open'
      let batch: RecordValues | undefined
      try {
        batch = await this.#reader.next(MAX_RECORDS_AT_ONCE)
      } catch (error) {
        this.#end()
        throw error
      }
      if (batch === undefined || this.#isDone) {
        batch?.release()
        this.#end()
        return DONE
      }
      this.#batch = batch
      this.#decode = batch.cursor()
      this.#left = batch.length
    }
    return this.#take()
  }

  #take(): Promise<IteratorResult<T, undefined>> {
    this.#left--
    try {
      return Promise.resolve({ done: false, value: this.#decode?.() as T })
    } catch (error) {
      this.#end()
      return this.#closeWith(error)
    }
  }

  /** Rejects with the error of a record, when the source is closed. */
  async #closeWith(error: unknown): Promise<never> {
    // This error is told, not one of closing.
    await Promise.resolve(this.#reader.close()).catch(() => undefined)
    throw error
  }

  get #isDone(): boolean {
    return this.#state === 'done'
  }

  #end(): void {
    this.#state = 'done'
    this.#left = 0
    this.#decode = undefined
    this.#batch?.release()
    this.#batch = undefined
  }

  /** Gives the records away as batches, for a stage; undefined once reading has begun or ended. */
  #openBatches(use: BatchUse): BatchReader | undefined {
    if (this.#state !== 'new') return undefined
    this.#state = 'done'
    return this.#reader.open(use)
  }
}
