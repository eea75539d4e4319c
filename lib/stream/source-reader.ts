/**
 * The source's side of a stream: reads items or batches, one `next()` at a time, and keeps what it has read until it is taken for a
 * chunk. It counts what it reads in the window. When to read, how much, and when to take it: that is for the engine to decide.
 */
import type { Batch } from '../codec/batch.js'
import { closeQuietly } from '../io/close-with-timeout.js'
import { closeUnopened, openBatches, openSource } from '../io/source.js'
import type { BatchReader, PipelineEnd, Reader, Source } from '../io/source.js'
import { ReuseCheck } from '../reuse.js'
import { isThenable } from '../thenable.js'
import { ChunkBuffer } from './chunk-buffer.js'
import { assertResult, changedItemError, isDone, isItem, isPromise, lengthOf } from '../io/iterator-result.js'
import type { Window } from './window.js'

/** The most items that are read by one call of `read()`. */
const MAX_ITEMS_PER_READ = 64

/** `'reading'`: somewhere down the call stack. `'halted'`: to be closed, and nothing else. */
type State = 'idle' | 'reading' | 'awaiting' | 'halted' | 'ended'

export class SourceReader {
  readonly #source: Source<unknown>
  /** Whether the executor copies items when it sends them, and has a use for whole batches. */
  readonly #isCopied: boolean
  readonly #window: Window
  readonly #wake: () => void
  /** How many items the source has, where that is known. */
  readonly #total: number | undefined
  readonly #buffer = new ChunkBuffer()
  readonly #reuse: ReuseCheck | undefined
  /** Set when the source gives whole batches. */
  #batches: BatchReader | undefined
  #items: Reader<unknown> | undefined
  /** Places taken for the read under way, which may turn out to be of fewer items. */
  #reserved = 0
  /** How many more items it may read without being asked, once one that is awaited has come. */
  #granted = 0
  #state: State = 'idle'
  #error: { readonly error: unknown } | undefined
  /** The source has kept a `next()` pending for a turn of the event loop: nothing is ready there. */
  #isSlow = false
  #isTurnScheduled = false

  /** @param wake Called when it can be read again, has ended, or waits for a source that has nothing ready. */
  constructor(source: Source<unknown>, isCopied: boolean, window: Window, wake: () => void) {
    this.#source = source
    this.#isCopied = isCopied
    this.#window = window
    this.#wake = wake
    this.#total = lengthOf(source)
    // In a window of one, an item has its result before the next one is read.
    if (isCopied && window.limit > 1) this.#reuse = new ReuseCheck()
  }

  /** Whether it reads now, somewhere down the call stack: what it has read cannot be taken. */
  get isReading(): boolean {
    return this.#state === 'reading'
  }

  /** Whether it can be read. */
  get isReady(): boolean {
    return this.#state === 'idle'
  }

  /** Whether the source has nothing ready. */
  get isStalled(): boolean {
    return this.#state === 'awaiting' && this.#isSlow
  }

  /** Whether no more items will come. */
  get hasEnded(): boolean {
    return this.#state === 'ended'
  }

  /** How many items it has read that were not taken. */
  get size(): number {
    return this.#buffer.size
  }

  /** How many items the source has that were not taken, where that is known. */
  get remaining(): number | undefined {
    return this.#total === undefined ? undefined : Math.max(0, this.#total - this.#window.read + this.#buffer.size)
  }

  /** How many items have places in the window that the read under way may turn out not to need. */
  get reserved(): number {
    return this.#reserved
  }

  /** What the source threw. It has ended then. */
  get error(): { readonly error: unknown } | undefined {
    return this.#error
  }

  /** Reads on, only when ready: up to `max` items, and those after an awaited one without being asked again. */
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

  /** Calls `wake` when the event loop has had its turn. */
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

  /** Reads no more, and forgets what it has read. Closes the source, unless it has ended by itself: returns or throws as that does. */
  close(end?: PipelineEnd): unknown {
    const before = this.#state
    this.#state = 'ended'
    this.#forget()
    // A source that ended the stream from within its own `next()` can be closed only when that has come back.
    if (before === 'reading') return Promise.resolve().then(() => this.#closeReader(end))
    return before === 'ended' ? undefined : this.#closeReader(end)
  }

  /** Reads no more, forgets what it has read, and leaves the source to be closed. */
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
    if (this.#isCopied) this.#batches = openBatches(this.#source)
    if (this.#batches === undefined) this.#items = openSource(this.#source)
  }

  /** Reads items as long as the source gives them at once, and then one that may have to be awaited: `max` in all, with those after it. */
  #readItems(items: Reader<unknown>, max: number): void {
    const read = this.#buffer.items
    const start = read.length
    const givesPromises = items.givesPromises === true
    const atOnce = Math.min(max, MAX_ITEMS_PER_READ)
    let result: unknown
    let later: PromiseLike<unknown> | undefined
    let isGiven = true
    try {
      // What opens the source may have ended the stream, and so may each read.
      while (isGiven && read.length - start < atOnce && this.#state === 'reading') {
        result = items.next()
        if (!isItem(result)) isGiven = false
        else if (givesPromises && isThenable(result.value)) {
          later = result.value
          isGiven = false
        } else this.#add(items, result.value)
      }
    } finally {
      this.#window.enter(read.length - start)
    }
    if (isGiven || !this.isReading) return
    this.#window.enter((this.#reserved = 1))
    this.#granted = max - (read.length - start) - 1
    if (later !== undefined) this.#awaitItem(items, later)
    else if (!isPromise(result)) this.#acceptItem(items, result)
    else {
      this.#awaitRead(result, (settled) => {
        this.#acceptItem(items, settled)
      })
    }
  }

  #readBatch(batches: BatchReader, max: number): void {
    this.#window.enter((this.#reserved = max))
    const batch = batches.next(max)
    if (isPromise(batch)) {
      this.#awaitRead(batch, (settled) => {
        this.#acceptBatch(settled)
      })
    } else if (this.isReading) this.#acceptBatch(batch)
  }

  /** An item of an `Iterable` is a promise. Where it rejects, that is an error of the source, which is closed then. */
  #awaitItem(items: Reader<unknown>, item: PromiseLike<unknown>): void {
    this.#awaitRead(
      item,
      (value) => {
        this.#acceptValue(items, value)
      },
      () => {
        void closeQuietly(items)
      },
    )
  }

  #awaitRead<T>(result: PromiseLike<T>, accept: (result: T) => void, reject?: () => void): void {
    if (this.isReading) this.#state = 'awaiting'
    this.#isSlow = false
    this.wakeNextTurn()
    Promise.resolve(result).then(
      (settled) => {
        this.#resume(() => {
          accept(settled)
        })
      },
      (error: unknown) => {
        this.#resume(() => {
          reject?.()
          this.#fail(error)
        })
      },
    )
  }

  /** The awaited read has settled. After a halt only one thing matters: whether there is still a source to close. */
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

  /** Reads what it may without being asked. @returns Whether it waits for the source again: nothing else has changed then. */
  #readsOn(): boolean {
    if (this.#state !== 'idle' || this.#granted === 0) return false
    this.read(this.#granted)
    return !this.isReady && !this.hasEnded
  }

  #acceptItem(items: Reader<unknown>, result: unknown): void {
    assertResult(result)
    if (isDone(result)) this.#end()
    else this.#acceptValue(items, result.value)
  }

  #acceptValue(items: Reader<unknown>, value: unknown): void {
    this.#add(items, value)
    this.#settleReserved(1)
  }

  #acceptBatch(batch: Batch | undefined): void {
    if (batch === undefined) this.#end()
    else {
      this.#settleReserved(batch.length)
      this.#buffer.add(batch)
    }
  }

  #add(items: Reader<unknown>, item: unknown): void {
    if (typeof item === 'object' && item !== null && this.#reuse?.isChanged(item) === true) {
      void closeQuietly(items)
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
    this.#settleReserved(0)
    this.#state = 'ended'
  }

  #forget(): void {
    this.#reuse?.clear()
    this.#settleReserved(0)
    this.#buffer.clear()
  }

  /** A read has given this many items, or will give none that is needed. */
  #settleReserved(read: number): void {
    this.#window.withdraw(this.#reserved - read)
    this.#reserved = 0
  }

  #closeReader(end?: PipelineEnd): unknown {
    if (this.#batches !== undefined) return this.#batches.close(end)
    return this.#items === undefined ? closeUnopened(this.#source, end) : this.#items.close(end)
  }
}
