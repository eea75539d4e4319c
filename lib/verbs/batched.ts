/** The stream of `batch(n)`: items of any source in arrays of equal length. It reads only the items of the array that is asked for. */
import { Items, type Batch } from '../codec/batch.js'
import { showState } from '../inspect.js'
import { closeWithTimeout, closeQuietly } from '../io/close-with-timeout.js'
import {
  closeUnopened,
  offerBatches,
  openBatches,
  openSource,
  type BatchReader,
  type Reader,
  type Source,
} from '../io/source.js'
import { typeError } from '../errors.js'
import { offAbort, onAbort } from '../aborts.js'
import { isThenable } from '../thenable.js'
import { assertResult, isDone, isPromise } from '../io/iterator-result.js'
import { Mark, offerResume, type Json, type ResumePoint } from '../resume/mark.js'
import { restoredValue, storedValue } from '../resume/values.js'
import { noteOrigin, originOf } from '../stream/origin.js'
import { Results, SerialResults } from '../stream/results.js'

/** What is stored of it, for errors. */
const WHAT = 'the items of the last batch'

export class Batched<T> extends SerialResults<T[]> {
  static {
    showState(
      this.prototype as Batched<unknown>,
      (batched) => ({ size: batched.#size, state: batched.#state }),
      'Batched',
    )
  }

  readonly #size: number
  readonly #signal: AbortSignal | undefined
  /** Dropped when it has ended. */
  #source: Source<T> | undefined
  #items: Reader<T> | undefined
  /** Set when the source is a stream, which gives whole batches. */
  #batches: BatchReader | undefined
  #failure: { readonly error: unknown } | undefined
  /** The items of the next array. */
  #next: T[] = []
  /** Whether marks are passed on; and one that has come, behind the items of the next array. */
  #hasMarks = false
  #mark: Mark | undefined
  readonly #point: ResumePoint
  /** Ends the waiting for the source. */
  #stopWaiting: (() => void) | undefined

  constructor(source: Source<T>, size: number, signal?: AbortSignal) {
    super()
    this.#size = size
    this.#source = source
    this.#signal = signal
    noteOrigin(this, originOf(source))
    this.#point = { source, plan: { verb: 'batch', size }, begin: this.#begin }
    offerResume(this, this.#point)
    offerBatches(this, () =>
      this.#hasMarks
        ? { next: () => this.inTurn(() => this.#readBatchOrMark()), close: () => this.return() }
        : undefined,
    )
  }

  async return(): Promise<IteratorResult<T[], undefined>> {
    this.#failure = undefined
    await this.#close()
    return { value: undefined, done: true }
  }

  get #state(): string {
    if (this.#source === undefined) return 'ended'
    return this.#batches === undefined && this.#items === undefined ? 'not started' : 'open'
  }

  [Symbol.asyncIterator](): this {
    if (this.#source !== undefined || this.#failure !== undefined) return this
    throw typeError(
      'ERR_INVALID_SOURCE',
      'Cannot read the batches again as they have been read or left: they can be read once; call batch() again',
    )
  }

  protected async readNext(): Promise<IteratorResult<T[], undefined>> {
    const value = await this.#readArray()
    return value === undefined ? { value, done: true } : { value, done: false }
  }

  /** Undefined at the end, and behind a mark. */
  async #readArray(): Promise<T[] | undefined> {
    if (this.#source !== undefined) {
      const items = this.#next
      try {
        this.#open(this.#source)
        await this.#fill(items)
      } catch (error) {
        this.#end()
        this.#failure = { error }
      }
      if (this.#mark !== undefined) return undefined
      this.#next = []
      if (items.length > 0) return items
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.error
    return undefined
  }

  async #readBatchOrMark(): Promise<Batch | undefined> {
    const array = await this.#readArray()
    const mark = this.#mark
    this.#mark = undefined
    mark?.notes.set(this.#point, storedValue(this.#next, WHAT))
    return mark ?? (array && new Items([array]))
  }

  readonly #begin = (_: unknown, note?: Json): void => {
    this.#hasMarks = true
    if (note !== undefined) this.#next = restoredValue(note, WHAT) as T[]
  }

  #open(source: Source<T>): void {
    if (this.#batches !== undefined || this.#items !== undefined) return
    if (this.#signal?.aborted === true) {
      this.#abort()
      return
    }
    if (source instanceof Results || this.#hasMarks) this.#batches = openBatches(source)
    if (this.#batches === undefined) this.#items = openSource(source)
    if (this.#signal !== undefined) onAbort(this.#signal, this.#abort)
  }

  async #fill(items: T[]): Promise<void> {
    while (items.length < this.#size && this.#source !== undefined && this.#mark === undefined) {
      if (this.#batches !== undefined) await this.#readBatch(this.#batches, items)
      else if (this.#items !== undefined) await this.#readItem(this.#items, items)
    }
  }

  async #readBatch(batches: BatchReader, items: T[]): Promise<void> {
    const batch = await this.#settled(batches.next(this.#size - items.length))
    if (batch === undefined) this.#end()
    else if (batch instanceof Mark) this.#mark = batch
    else {
      for (const item of batch.values()) items.push(item as T)
      batch.release()
    }
  }

  /** Awaits only what is a promise. */
  async #readItem(reader: Reader<T>, items: T[]): Promise<void> {
    for (;;) {
      const given = reader.next()
      const result = isPromise(given) ? await this.#settled(given) : given
      // The reading was ended meanwhile.
      if (this.#source === undefined) return
      assertResult(result)
      if (isDone(result)) {
        this.#end()
        return
      }
      let value = result.value as T
      if (reader.givesPromises === true && isThenable(value))
        value = await this.#itemOf(reader, value as PromiseLike<T>)
      items.push(value)
      if (items.length === this.#size) return
    }
  }

  /** Awaits an item that is a promise. If it rejects, the source is closed, as `for await` does it. */
  async #itemOf(reader: Reader<T>, item: PromiseLike<T>): Promise<T> {
    try {
      return (await this.#settled(item)) as T
    } catch (error) {
      await closeQuietly({ close: () => closeWithTimeout(reader) })
      throw error
    }
  }

  /** Awaits the source; undefined when the reading ends before. */
  #settled<R>(given: R | PromiseLike<R>): Promise<R | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => {
        resolve(undefined)
      }
      Promise.resolve(given).then(resolve, reject)
    })
  }

  readonly #abort = (): void => {
    this.#failure = { error: this.#signal?.reason as unknown }
    this.#close().catch(() => undefined)
  }

  /** Ends the reading and closes the source, if that has not ended by itself. Settles when it has closed, or after one second. */
  async #close(): Promise<void> {
    const source = this.#source
    if (source === undefined) return
    const reader = this.#batches ?? this.#items
    this.#end()
    this.#stopWaiting?.()
    await closeWithTimeout({ close: () => (reader === undefined ? closeUnopened(source) : reader.close()) })
  }

  #end(): void {
    this.#source = undefined
    this.#items = undefined
    this.#batches = undefined
    if (this.#signal !== undefined) offAbort(this.#signal, this.#abort)
  }
}
