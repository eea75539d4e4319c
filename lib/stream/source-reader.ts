/**
 * The source's side of a stream. Reads items or batches, one `next()` at a time, counts them in the window, and keeps them until they are
 * taken for a chunk. The engine decides when to read, how much, and when to take.
 */
import type { Batch } from '../codec/batch.js'
import { Mark } from '../resume/mark.js'
import { closeQuietly } from '../io/close-with-timeout.js'
import { closeUnopened, givesRecords, openBatches, openSource } from '../io/source.js'
import type { BatchReader, BatchUse, PipelineEnd, Reader, Source } from '../io/source.js'
import { ReuseCheck } from '../reuse.js'
import { isThenable } from '../thenable.js'
import { ChunkBuffer } from './chunk-buffer.js'
import { assertResult, changedItemError, isDone, isItem, isPromise, lengthOf } from '../io/iterator-result.js'
import type { Window } from './window.js'

/** The most items that are read by one call of `read()`. */
const MAX_ITEMS_PER_READ = 64

/** `'reading'`: somewhere down the call stack. `'halted'`: it can only be closed. */
type State = 'idle' | 'reading' | 'awaiting' | 'halted' | 'ended'

/** What is awaited: a result of `next()`, an item that is a promise, or a batch. */
type Awaited = 'item' | 'value' | 'batch'

/**
 * Its methods are no functions in fields: V8 would compile them anew for each stream, as a field's function is collected with its
 * stream.
 */
export class SourceReader {
  readonly #source: Source<unknown>
  /** Whether whole batches are read, where the source gives them. */
  readonly #isBatched: boolean
  readonly #use: BatchUse
  readonly #window: Window
  readonly #wake: () => void
  readonly #total: number | undefined
  readonly #buffer = new ChunkBuffer()
  readonly #reuse: ReuseCheck | undefined
  #batches: BatchReader | undefined
  #items: Reader<unknown> | undefined
  /** How many more items it may read when the awaited one has come, without being asked again. */
  #granted = 0
  #state: State = 'idle'
  #error: { readonly error: unknown } | undefined
  /** The source has kept a `next()` pending for a turn of the event loop: it has nothing ready. */
  #isSlow = false
  #isTurnScheduled = false
  /** Set while a mark stands behind the items that were read. */
  #mark: Mark | undefined

  /**
   * @param isCopied Whether the executor copies items when it sends them.
   * @param use What batches are read for.
   * @param hasMarks Whether the source gives marks, which stand between batches.
   * @param wake Called when it can be read again, has ended, or waits for a source that has nothing ready.
   */
  constructor(
    source: Source<unknown>,
    isCopied: boolean,
    use: BatchUse,
    hasMarks: boolean,
    window: Window,
    wake: () => void,
  ) {
    this.#source = source
    this.#use = use
    this.#isBatched = isCopied || hasMarks
    this.#window = window
    this.#wake = wake
    this.#total = lengthOf(source)
    // With a window of 1, an item has its result before the next one is read.
    if (isCopied && window.limit > 1) this.#reuse = new ReuseCheck()
  }

  /** Then nothing can be taken. */
  get isReading(): boolean {
    return this.#state === 'reading'
  }

  get isReady(): boolean {
    return this.#state === 'idle'
  }

  /** Whether the source has given a promise that has not settled. */
  get isAwaiting(): boolean {
    return this.#state === 'awaiting'
  }

  /** Whether the source has nothing ready. */
  get isStalled(): boolean {
    return this.#state === 'awaiting' && this.#isSlow
  }

  get hasEnded(): boolean {
    return this.#state === 'ended'
  }

  get size(): number {
    return this.#buffer.size
  }

  /** How many items the source has that were not taken, where that is known. */
  get remaining(): number | undefined {
    return this.#total === undefined ? undefined : Math.max(0, this.#total - this.#window.read + this.#buffer.size)
  }

  /** See `BatchReader`. */
  get unit(): number | undefined {
    return this.#batches?.unit
  }

  /** The error of the source, which is due after the results of all items read before it. */
  get error(): { readonly error: unknown } | undefined {
    return this.#error
  }

  /** Reads up to `max` items. Only while `isReady`. If one must be awaited, those after it are read without another call. */
  read(max: number): void {
    this.#state = 'reading'
    this.#granted = 0
    try {
      this.#readNext(max)
    } catch (error) {
      if (this.isReading) this.#fail(error)
    }
    if (this.isReading) this.#state = 'idle'
  }

  /** Calls `wake` in the next turn of the event loop. */
  wakeNextTurn(): void {
    if (this.#isTurnScheduled) return
    this.#isTurnScheduled = true
    setImmediate(() => {
      this.#isTurnScheduled = false
      this.#isSlow = true
      this.#wake()
    })
  }

  take(): Batch {
    return this.#buffer.take()
  }

  /** The mark behind the items that were read, which are to be taken before anything else is read. */
  get mark(): Mark | undefined {
    return this.#mark
  }

  /** The mark is passed on: once all items before it have been taken. */
  takeMark(): void {
    this.#mark = undefined
  }

  /** Forgets what it has read, and closes the source, unless that has ended by itself. Returns and throws what its `close()` does. */
  close(end?: PipelineEnd): unknown {
    const before = this.#state
    this.#state = 'ended'
    this.#forget()
    // A source may end the stream from within its own `next()`. It can be closed only when that has returned.
    if (before === 'reading') return Promise.resolve().then(() => this.#closeReader(end))
    return before === 'ended' ? undefined : this.#closeReader(end)
  }

  /** Reads no more, and forgets what it has read. The source can still be closed. */
  halt(): void {
    if (this.#state !== 'ended') this.#state = 'halted'
    this.#forget()
  }

  #readNext(max: number): void {
    if (this.#items === undefined && this.#batches === undefined) this.#open()
    if (this.#batches !== undefined) this.#readBatch(this.#batches, max)
    else if (this.#items !== undefined) this.#readItems(this.#items, max)
  }

  #open(): void {
    if (this.#isBatched || givesRecords(this.#source)) this.#batches = openBatches(this.#source, this.#use)
    if (this.#batches === undefined) this.#items = openSource(this.#source)
  }

  /** Reads items while the source gives them at once, and then one that may have to be awaited. */
  #readItems(items: Reader<unknown>, max: number): void {
    const read = this.#buffer.items
    const start = read.length
    const givesPromises = items.givesPromises === true
    const atOnce = Math.min(max, MAX_ITEMS_PER_READ)
    let result: unknown
    let later: PromiseLike<unknown> | undefined
    let isGiven = true
    try {
      // Opening the source may have ended the stream, and so may each read.
      while (isGiven && read.length - start < atOnce && this.#state === 'reading') {
        result = items.next()
        if (!isItem(result)) isGiven = false
        else if (givesPromises && isThenable(result.value)) {
          later = result.value
          isGiven = false
        } else this.#add(result.value)
      }
    } finally {
      this.#window.enter(read.length - start)
    }
    if (isGiven || !this.isReading) return
    this.#window.reserve(1)
    this.#granted = max - (read.length - start) - 1
    // A promise that an `Iterable` gives as an item may reject: that is an error of the source, which is then closed.
    if (later !== undefined) this.#awaitRead('value', later)
    else if (isPromise(result)) this.#awaitRead('item', result)
    else this.#acceptItem(result)
  }

  #readBatch(batches: BatchReader, max: number): void {
    this.#window.reserve(max)
    const batch = batches.next(max)
    if (isPromise(batch)) this.#awaitRead('batch', batch)
    else if (this.isReading) this.#acceptBatch(batch)
  }

  #awaitRead(kind: Awaited, result: PromiseLike<unknown>): void {
    if (this.isReading) this.#state = 'awaiting'
    this.#isSlow = false
    this.wakeNextTurn()
    Promise.resolve(result).then(
      (settled) => {
        this.#resume(() => {
          this.#accept(kind, settled)
        })
      },
      (error: unknown) => {
        this.#resume(() => {
          if (kind === 'value') this.#closeSource()
          this.#fail(error)
        })
      },
    )
  }

  /** The awaited read has settled. After a halt this only tells whether the source has ended, or is to be closed. */
  #resume(take: () => void): void {
    if (this.#state === 'ended') return
    const halted = this.#state === 'halted'
    this.#state = 'idle'
    try {
      take()
    } catch (error) {
      this.#fail(error)
    }
    if (halted) this.halt()
    else if (!this.#readsOn()) this.#wake()
  }

  /** Reads what it may without being asked. @returns Whether it waits for the source again: then nothing else has changed. */
  #readsOn(): boolean {
    if (this.#state !== 'idle' || this.#granted === 0) return false
    this.read(this.#granted)
    return !this.isReady && !this.hasEnded
  }

  #accept(kind: Awaited, settled: unknown): void {
    if (kind === 'item') this.#acceptItem(settled)
    else if (kind === 'value') this.#acceptValue(settled)
    else this.#acceptBatch(settled as Batch | undefined)
  }

  #acceptItem(result: unknown): void {
    assertResult(result)
    if (isDone(result)) this.#end()
    else this.#acceptValue(result.value)
  }

  #acceptValue(value: unknown): void {
    this.#add(value)
    this.#window.settle(1)
  }

  #acceptBatch(batch: Batch | undefined): void {
    if (batch === undefined) this.#end()
    else {
      this.#window.settle(batch.length)
      if (batch instanceof Mark) this.#mark = batch
      else this.#buffer.add(batch)
    }
  }

  #add(item: unknown): void {
    if (typeof item === 'object' && item !== null && this.#reuse?.isChanged(item) === true) {
      this.#closeSource()
      throw changedItemError(item)
    }
    this.#buffer.items.push(item)
  }

  #fail(error: unknown): void {
    this.#error = { error }
    this.#end()
  }

  #end(): void {
    this.#reuse?.clear()
    this.#window.settle(0)
    this.#state = 'ended'
  }

  #forget(): void {
    this.#mark = undefined
    this.#reuse?.clear()
    this.#window.settle(0)
    this.#buffer.clear()
  }

  #closeSource(): void {
    void closeQuietly({ close: () => this.#closeReader() })
  }

  #closeReader(end?: PipelineEnd): unknown {
    if (this.#batches !== undefined) return this.#batches.close(end)
    return this.#items === undefined ? closeUnopened(this.#source, end) : this.#items.close(end)
  }
}
