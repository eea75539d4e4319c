/**
 * The source's side of a stream: reads items one `next()` at a time while the window has room, gathers them into chunks,
 * and submits a chunk when it is full; or earlier, when no more items are ready and the lane has room for it.
 *
 * At most one chunk is gathered ahead of what the executor can take, so nothing is read that no worker waits for.
 */
import { Encoded, Items, type Batch } from '../codec/batch.js'
import type { Chunk, Lane } from '../executor/executor.js'
import { received, typeError } from '../errors.js'
import { openBatches, openSource, type BatchReader, type Reader, type Source } from '../io/source.js'
import type { Tuner } from './tuner.js'
import type { Window } from './window.js'

/** How long a synchronous source may be drained before the event loop gets its turn, in milliseconds. */
const SLICE = 5
/** After so many items, at the latest, the clock is read. */
const CLOCK_EVERY = 64

/** What the intake asks of its stream. */
export interface IntakeEvents {
  /** A chunk goes to the executor now. */
  submitted(chunk: Chunk): void
  /** No item will be read any more. */
  ended(): void
  /** Whether the consumer waits for a result. */
  consumerWaits(): boolean
}

export class Intake {
  readonly #source: Source<unknown>
  readonly #lane: Lane
  readonly #window: Window
  readonly #tuner: Tuner
  readonly #events: IntakeEvents
  /** How many items the source has, where that is known. */
  readonly #total: number | undefined
  /** Set when the source gives whole batches, if the executor has a use for them. */
  #batches: BatchReader | undefined
  #items: Reader<unknown> | undefined
  /** What has been read and not submitted: single items, or a batch. */
  #gathered: unknown[] = []
  #gatheredBatch: Batch | undefined
  /** Places taken for the read under way, which may turn out to be of fewer items. */
  #reserved = 0
  /** The most items in the chunk that is being gathered. */
  #limit = 1
  #appetite = Infinity
  #first = 0
  #state: 'idle' | 'reading' | 'awaiting' | 'halted' | 'ended' = 'idle'
  #sourceError: { readonly error: unknown } | undefined
  /** The source has kept a `next()` pending for a turn of the event loop: nothing is ready there. */
  #sourceIsSlow = false
  #turnScheduled = false

  constructor(source: Source<unknown>, lane: Lane, window: Window, tuner: Tuner, events: IntakeEvents) {
    this.#source = source
    this.#lane = lane
    this.#window = window
    this.#tuner = tuner
    this.#events = events
    this.#total = lengthOf(source)
  }

  /** Whether every item of the source has been read and submitted. */
  get drained(): boolean {
    return this.#state === 'ended' && this.#size === 0
  }

  /** How many items have places in the window that the read under way may turn out not to need. */
  get reserved(): number {
    return this.#reserved
  }

  /** How much room in the window is worth a `pump()`: enough for a whole chunk. Where room is not what is missing: infinite. */
  get appetite(): number {
    return this.#appetite
  }

  /** The source's error, due after the results of all items read before it. */
  get sourceError(): { readonly error: unknown } | undefined {
    return this.#sourceError
  }

  /** Reads and submits as much as window, lane and source allow. Call it whenever one of them may allow more. */
  pump(): void {
    if (this.#state === 'reading' || this.#state === 'halted') return
    this.#appetite = Infinity
    if (this.#state === 'idle') this.#read()
    this.#submitGathered()
  }

  /**
   * Reads no more. Closes the source if it was opened and has not ended by itself; returns what its `close()` returned.
   * Throws what it throws.
   */
  close(): unknown {
    const before = this.#state
    this.#state = 'ended'
    this.#forget()
    // A source that ended the stream from within its own `next()` can be closed only when that has come back.
    if (before === 'reading') return Promise.resolve().then(() => this.#closeReader())
    return before === 'ended' ? undefined : this.#closeReader()
  }

  /** Reads and submits no more, and leaves the source to be closed: an item has failed, those after it are not wanted. */
  halt(): void {
    if (this.#state !== 'ended') this.#state = 'halted'
    this.#forget()
  }

  /** How many items have been gathered. */
  get #size(): number {
    return this.#gathered.length + (this.#gatheredBatch?.length ?? 0)
  }

  /** A read has given so many items, or will give none that is wanted. */
  #settleReserved(read: number): void {
    this.#window.withdraw(this.#reserved - read)
    this.#reserved = 0
  }

  #forget(): void {
    this.#settleReserved(0)
    this.#gathered = []
    this.#gatheredBatch?.release()
    this.#gatheredBatch = undefined
  }

  #closeReader(): unknown {
    return this.#batches === undefined ? this.#items?.close() : this.#batches.close()
  }

  #read(): void {
    this.#state = 'reading'
    this.#adjustLimit()
    const started = performance.now()
    while (this.#state === 'reading' && this.#hasRoom()) {
      this.#readNext(Math.min(this.#limit - this.#size, this.#window.room))
      if (this.#state === 'reading' && performance.now() - started > SLICE) {
        this.#pumpNextTurn()
        break
      }
    }
    if (this.#state === 'reading') this.#state = 'idle'
  }

  #adjustLimit(): void {
    const { read } = this.#window
    this.#limit = this.#tuner.next(this.#total === undefined ? undefined : Math.max(0, this.#total - read + this.#size))
  }

  #hasRoom(): boolean {
    if (this.#size >= this.#limit && !this.#submit()) return false
    if (this.#window.room > 0) return true
    this.#appetite = Math.min(this.#limit - this.#size, this.#window.limit)
    return false
  }

  #readNext(most: number): void {
    try {
      if (this.#items === undefined && this.#batches === undefined) this.#open()
      if (this.#batches !== undefined) this.#readBatch(this.#batches, most)
      else if (this.#items !== undefined) this.#readItems(this.#items, Math.min(most, CLOCK_EVERY))
    } catch (error) {
      if (this.#state === 'reading') this.#fail(error)
    }
  }

  #open(): void {
    if (this.#lane.encodes) this.#batches = openBatches(this.#source)
    if (this.#batches === undefined) this.#items = openSource(this.#source)
  }

  /** Reads items as long as the source gives them at once, at most so many; and then one that may have to be awaited. */
  #readItems(items: Reader<unknown>, most: number): void {
    const gathered = this.#gathered
    const start = gathered.length
    let result: unknown
    let isGiven = true
    try {
      // What opens the source may have ended the stream, and so may each read.
      while (isGiven && gathered.length - start < most && this.#state === 'reading') {
        result = items.next()
        isGiven = isItem(result)
        if (isGiven) gathered.push((result as { value: unknown }).value)
      }
    } finally {
      this.#window.enter(gathered.length - start)
    }
    if (isGiven || this.#state !== 'reading') return
    this.#window.enter((this.#reserved = 1))
    if (!isPromise(result)) this.#acceptItem(result)
    else {
      this.#awaitRead(result, (settled) => {
        this.#acceptItem(settled)
      })
    }
  }

  #readBatch(batches: BatchReader, most: number): void {
    this.#window.enter((this.#reserved = most))
    const batch = batches.next(most)
    if (isPromise(batch)) {
      this.#awaitRead(batch, (settled) => {
        this.#acceptBatch(settled)
      })
    } else if (this.#state === 'reading') this.#acceptBatch(batch)
  }

  #awaitRead<T>(result: Promise<T>, accept: (result: T) => void): void {
    if (this.#state === 'reading') this.#state = 'awaiting'
    this.#sourceIsSlow = false
    this.#pumpNextTurn()
    Promise.resolve(result).then(
      (settled) => {
        this.#resume(() => {
          accept(settled)
        })
      },
      (error: unknown) => {
        this.#resume(() => {
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
    else this.pump()
  }

  #acceptItem(given: unknown): void {
    // What a source gives is not ours: it may not keep to its type.
    if (typeof given !== 'object' || given === null) {
      throw typeError(
        'ERR_INVALID_SOURCE',
        `Cannot read the source as its next() must give an object { value, done }: received ${received(given)}`,
      )
    }
    const result = given as IteratorResult<unknown>
    if (isDone(result)) this.#end()
    else {
      this.#gathered.push(result.value)
      this.#settleReserved(1)
    }
  }

  #acceptBatch(batch: Batch | undefined): void {
    if (batch === undefined) {
      this.#end()
      return
    }
    this.#settleReserved(batch.length)
    if (this.#gathered.length > 0) this.#gather(batch)
    else if (this.#gatheredBatch === undefined) this.#gatheredBatch = batch
    else {
      const joined = this.#gatheredBatch.join(batch)
      if (joined !== undefined) this.#gatheredBatch = joined
      else {
        this.#gather(this.#gatheredBatch)
        this.#gatheredBatch = undefined
        this.#gather(batch)
      }
    }
    // What is nearly a chunk goes as it is, where it would have to be decoded to be filled up.
    if (this.#gatheredBatch instanceof Encoded && 2 * this.#size >= this.#limit) this.#limit = this.#size
  }

  /** Decodes a batch, for a chunk of single items. */
  #gather(batch: Batch): void {
    for (const item of batch.values()) this.#gathered.push(item)
    batch.release()
  }

  #fail(error: unknown): void {
    this.#sourceError = { error }
    this.#end()
  }

  #end(): void {
    this.#settleReserved(0)
    this.#state = 'ended'
    this.#events.ended()
  }

  /** Submits a chunk that is full, or that nothing more will be added to for now. */
  #submitGathered(): void {
    if (this.#size === 0) return
    const complete = this.#state === 'ended' || this.#size >= this.#limit
    const stalled = (this.#state === 'awaiting' && this.#sourceIsSlow) || this.#windowIsStuck()
    if (complete || stalled) this.#submit()
  }

  /** No item can be read before the consumer has got one, and it gets none before these are submitted. */
  #windowIsStuck(): boolean {
    return this.#window.room <= 0 && this.#events.consumerWaits()
  }

  #submit(): boolean {
    if (!this.#lane.ready) return false
    const items = this.#gatheredBatch ?? new Items(this.#gathered)
    const chunk: Chunk = { first: this.#first, items }
    this.#first += items.length
    this.#gathered = []
    this.#gatheredBatch = undefined
    this.#adjustLimit()
    this.#events.submitted(chunk)
    this.#lane.submit(chunk)
    return true
  }

  #pumpNextTurn(): void {
    if (this.#turnScheduled) return
    this.#turnScheduled = true
    setImmediate(() => {
      this.#turnScheduled = false
      this.#sourceIsSlow = true
      this.pump()
    })
  }
}

/** Whether this is an item, there already; if not, it is the end, a promise, or garbage. */
function isItem(result: unknown): boolean {
  return typeof result === 'object' && result !== null && !isDone(result) && !isPromise(result)
}

/** As the language asks: whatever is truthy ends the source. */
function isDone(result: { readonly done?: unknown }): boolean {
  return Boolean(result.done)
}

/** Asks a value that is not ours, and may be anything. */
function isPromise<T>(result: T | Promise<T>): result is Promise<T> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function'
}

/** How many items a collection in memory has. */
function lengthOf(source: Source<unknown>): number | undefined {
  // A source is no ArrayLike by its type; these two are. A DataView is none, and no source either.
  if (Array.isArray(source) || ArrayBuffer.isView(source)) return (source as unknown as ArrayLike<unknown>).length
  return source instanceof Set || source instanceof Map ? source.size : undefined
}
