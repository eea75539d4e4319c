/**
 * The base of streams that read any source on this thread, only as far as it is asked for. It opens the source, waits
 * for it, and closes it. What is made of the items is the matter of its subclasses.
 */
import { offAbort, onAbort } from '../aborts.js'
import { typeError } from '../errors.js'
import { closeQuietly, closeWithTimeout } from '../io/close-with-timeout.js'
import { assertResult, isDone, isPromise } from '../io/iterator-result.js'
import {
  closeUnopened,
  openBatches,
  openSource,
  type BatchReader,
  type BatchUse,
  type Reader,
  type Source,
} from '../io/source.js'
import type { Batch } from '../codec/batch.js'
import { isThenable } from '../thenable.js'
import { noteOrigin, originOf } from '../stream/origin.js'
import { Results, SerialResults } from '../stream/results.js'

const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true }

export abstract class ReadResults<T, R> extends SerialResults<R> {
  readonly #verb: string
  readonly #signal: AbortSignal | undefined
  /** Dropped when it has ended. */
  #source: Source<T> | undefined
  #items: Reader<T> | undefined
  /** Set when the source gives whole batches. */
  #batches: BatchReader | undefined
  /** What the next read throws. */
  #failure: { readonly error: unknown } | undefined
  /** Ends the waiting for the source. */
  #stopWaiting: (() => void) | undefined

  /** @param verb The function that was called, for error texts. */
  constructor(verb: string, source: Source<T>, signal: AbortSignal | undefined) {
    super()
    this.#verb = verb
    this.#source = source
    this.#signal = signal
    noteOrigin(this, originOf(source))
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    this.#failure = undefined
    await this.#close()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    if (this.#source !== undefined || this.#failure !== undefined) return this
    const verb = this.#verb
    throw typeError(
      'ERR_INVALID_SOURCE',
      `Cannot read the results again as they have been read or left: ${verb}() can be read once; call ${verb}() again`,
    )
  }

  protected get state(): string {
    if (this.#source === undefined) return 'ended'
    return this.#batches === undefined && this.#items === undefined ? 'not started' : 'open'
  }

  protected get hasEnded(): boolean {
    return this.#source === undefined
  }

  protected get givesBatches(): boolean {
    return this.#batches !== undefined
  }

  /** Whether the batches of a source are to be read, where it offers them. */
  protected takesBatches(source: Source<T>): boolean {
    return source instanceof Results
  }

  /** How many values of the source cost least if they are read together: see `BatchReader`. */
  protected get unit(): number | undefined {
    return this.#batches?.unit
  }

  /** Opens the source. @returns Whether it gives batches. @throws If it has been read before. */
  protected open(use?: BatchUse): boolean {
    this[Symbol.asyncIterator]()
    if (this.#source !== undefined) this.#open(this.#source, use)
    return this.givesBatches
  }

  /**
   * Reads, once the source is open. After an error, nothing more is read. `given` is what was made of the items before
   * it, if that is to be given first: the next read then throws the error.
   */
  protected async readOr<V>(read: () => Promise<V | undefined>, given: () => V | undefined): Promise<V | undefined> {
    if (this.#source !== undefined) {
      let result: V | undefined
      try {
        this.#open(this.#source)
        result = await read()
      } catch (error) {
        this.end()
        this.#failure = { error }
        result = given()
      }
      if (result !== undefined) return result
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.error
    return undefined
  }

  /** Undefined at the end. */
  protected async readBatch(max: number): Promise<Batch | undefined> {
    const batch = await this.#settled(this.#batches?.next(max))
    if (batch === undefined) this.end()
    return batch
  }

  /** Gives items to a function until that returns false, or the source ends. Awaits only what is a promise. */
  protected async readItems(take: (item: T) => boolean): Promise<void> {
    const reader = this.#items
    while (reader !== undefined) {
      const given = reader.next()
      const result = isPromise(given) ? await this.#settled(given) : given
      // The reading was ended meanwhile.
      if (this.#source === undefined) return
      assertResult(result)
      if (isDone(result)) {
        this.end()
        return
      }
      let value = result.value as T
      if (reader.givesPromises === true && isThenable(value))
        value = await this.#itemOf(reader, value as PromiseLike<T>)
      if (!take(value)) return
    }
  }

  /** The source has ended, or is not read any more. */
  protected end(): void {
    this.#source = undefined
    this.#items = undefined
    this.#batches = undefined
    if (this.#signal !== undefined) offAbort(this.#signal, this.#abort)
  }

  #open(source: Source<T>, use?: BatchUse): void {
    if (this.#batches !== undefined || this.#items !== undefined) return
    if (this.#signal?.aborted === true) {
      this.#abort()
      return
    }
    if (this.takesBatches(source)) this.#batches = openBatches(source, use)
    if (this.#batches === undefined) this.#items = openSource(source)
    if (this.#signal !== undefined) onAbort(this.#signal, this.#abort)
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
  #settled<V>(given: V | PromiseLike<V>): Promise<V | undefined> {
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
    this.end()
    this.#stopWaiting?.()
    await closeWithTimeout({ close: () => (reader === undefined ? closeUnopened(source) : reader.close()) })
  }
}
