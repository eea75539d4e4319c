/** What sources of records return: an iterator over their values. record-reader.ts reads. */
import { recordCursor } from '../codec/records/record-data.js'
import type { RecordBatch } from '../codec/records/record-batch.js'
import { typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { inputName, type ByteInput } from '../io/bytes.js'
import { offerMeter, type SourceBytes } from '../io/input-meter.js'
import { InputsPoint } from '../io/inputs-point.js'
import { offerBatches, type BatchReader } from '../io/source.js'
import { offerResume, type Json } from '../resume/mark.js'
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
  readonly #reader: RecordReader
  readonly #point: InputsPoint
  #state: 'new' | 'open' | 'done' = 'new'
  #batch: RecordBatch | undefined
  #decode: (() => unknown) | undefined
  #left = 0
  /** Calls of `next()` that are not answered. */
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  /** @param plan The options that change which records there are, or their values. */
  constructor(name: string, sources: readonly ByteInput[], kind: RecordKind, plan: Readonly<Record<string, Json>>) {
    this.#name = name
    this.#sources = sources.map(inputName)
    this.#reader = new RecordReader(sources, kind)
    this.#point = new InputsPoint(name, sources, plan, this.#reader)
    offerResume(this, this.#point)
    offerBatches(this, () => this.#openBatches(), true)
    offerMeter(this, this.#reader.meter)
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
      let batch: RecordBatch | undefined
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
      this.#decode = recordCursor(batch.pack().data).next
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
    await this.#reader.close().catch(() => undefined)
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
  #openBatches(): BatchReader | undefined {
    if (this.#state !== 'new') return undefined
    this.#state = 'done'
    return this.#point.open()
  }
}
