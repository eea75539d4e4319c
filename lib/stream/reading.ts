/**
 * The reading of a source, item by item or in batches: one `next()` at a time, at once as long as the source gives
 * something at once. It takes places in the window for what it reads. It does not decide how much that may be, and does
 * not know what happens to it.
 */
import type { Batch } from '../codec/batch.js'
import {
  closeUnopened,
  openBatches,
  openSource,
  type BatchReader,
  type PipelineEnd,
  type Reader,
  type Source,
} from '../io/source.js'
import { ReuseCheck } from '../reuse.js'
import { assertResult, changedItemError, isDone, isItem, isPromise, isThenable } from './foreign.js'
import type { Gathered } from './gathered.js'
import type { Window } from './window.js'

/** How long a synchronous source may be drained before the event loop gets its turn, in milliseconds. */
const SLICE = 5
/** The clock is read after this many items at the latest. */
const CLOCK_EVERY = 64

/** `'reading'`: somewhere down the call stack. `'halted'`: to be closed, and nothing else. */
type State = 'idle' | 'reading' | 'awaiting' | 'halted' | 'ended'

/** What the reading asks of the intake. */
export interface ReadingEvents {
  /** How many items may be read now. */
  room(): number
  /** An awaited read has settled, or the event loop has had its turn. */
  resumed(): void
  /** No item will be read any more. */
  ended(): void
}

export class Reading {
  readonly #source: Source<unknown>
  /** Whether the executor copies items when it sends them, and has a use for whole batches. */
  readonly #isCopied: boolean
  readonly #window: Window
  readonly #gathered: Gathered
  readonly #events: ReadingEvents
  /** Where items are copied, later than they are read. */
  readonly #reuse: ReuseCheck | undefined
  /** Set when the source gives whole batches. */
  #batches: BatchReader | undefined
  #items: Reader<unknown> | undefined
  /** Places taken for the read under way, which may turn out to be of fewer items. */
  #reserved = 0
  #state: State = 'idle'
  #error: { readonly error: unknown } | undefined
  /** The source has kept a `next()` pending for a turn of the event loop: nothing is ready there. */
  #sourceIsSlow = false
  #turnScheduled = false

  constructor(source: Source<unknown>, isCopied: boolean, window: Window, gathered: Gathered, events: ReadingEvents) {
    this.#source = source
    this.#isCopied = isCopied
    this.#window = window
    this.#gathered = gathered
    this.#events = events
    // In a window of one, an item has its result before the next one is read.
    if (isCopied && window.limit > 1) this.#reuse = new ReuseCheck()
  }

  get state(): State {
    return this.#state
  }

  /** Whether it waits for a source that has nothing ready. */
  get isStalled(): boolean {
    return this.#state === 'awaiting' && this.#sourceIsSlow
  }

  /** How many items have places in the window that the read under way may turn out not to need. */
  get reserved(): number {
    return this.#reserved
  }

  /** What the source threw. It has ended then. */
  get error(): { readonly error: unknown } | undefined {
    return this.#error
  }

  /** Reads what there is room for. Only when `'idle'`. */
  read(): void {
    this.#state = 'reading'
    const started = performance.now()
    for (let most = this.#room(); most > 0; most = this.#room()) {
      this.#readNext(most)
      if (this.#state === 'reading' && performance.now() - started > SLICE) {
        this.#resumeNextTurn()
        break
      }
    }
    if (this.#state === 'reading') this.#state = 'idle'
  }

  /**
   * Reads no more, and forgets what it has read. Closes the source if it was opened and has not ended by itself; returns what its
   * `close()` returned. Throws what it throws.
   */
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

  #room(): number {
    return this.#state === 'reading' ? this.#events.room() : 0
  }

  /** A read has given this many items, or will give none that is needed. */
  #settleReserved(read: number): void {
    this.#window.withdraw(this.#reserved - read)
    this.#reserved = 0
  }

  #forget(): void {
    this.#reuse?.clear()
    this.#settleReserved(0)
    this.#gathered.clear()
  }

  #closeReader(end?: PipelineEnd): unknown {
    if (this.#batches !== undefined) return this.#batches.close(end)
    return this.#items === undefined ? closeUnopened(this.#source, end) : this.#items.close(end)
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
    if (this.#isCopied) this.#batches = openBatches(this.#source)
    if (this.#batches === undefined) this.#items = openSource(this.#source)
  }

  /** Reads items as long as the source gives them at once, up to a limit; and then one that may have to be awaited. */
  #readItems(items: Reader<unknown>, most: number): void {
    const gathered = this.#gathered.items
    const start = gathered.length
    const givesPromises = items.givesPromises === true
    let result: unknown
    let later: PromiseLike<unknown> | undefined
    let isGiven = true
    try {
      // What opens the source may have ended the stream, and so may each read.
      while (isGiven && gathered.length - start < most && this.#state === 'reading') {
        result = items.next()
        if (!isItem(result)) isGiven = false
        else if (givesPromises && isThenable(result.value)) {
          later = result.value
          isGiven = false
        } else this.#gather(items, result.value)
      }
    } finally {
      this.#window.enter(gathered.length - start)
    }
    if (isGiven || this.#state !== 'reading') return
    this.#window.enter((this.#reserved = 1))
    if (later !== undefined) this.#awaitItem(items, later)
    else if (!isPromise(result)) this.#acceptItem(items, result)
    else {
      this.#awaitRead(result, (settled) => {
        this.#acceptItem(items, settled)
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

  /** An item of an `Iterable` is a promise. Where it rejects, that is an error of the source, which is closed then. */
  #awaitItem(items: Reader<unknown>, item: PromiseLike<unknown>): void {
    this.#awaitRead(
      item,
      (value) => {
        this.#gather(items, value)
        this.#settleReserved(1)
      },
      () => {
        void closeQuietly(items)
      },
    )
  }

  #awaitRead<T>(result: PromiseLike<T>, accept: (result: T) => void, reject: () => void = noop): void {
    if (this.#state === 'reading') this.#state = 'awaiting'
    this.#sourceIsSlow = false
    this.#resumeNextTurn()
    Promise.resolve(result).then(
      (settled) => {
        this.#resume(() => {
          accept(settled)
        })
      },
      (error: unknown) => {
        this.#resume(() => {
          reject()
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
    else this.#events.resumed()
  }

  #acceptItem(items: Reader<unknown>, result: unknown): void {
    assertResult(result)
    if (isDone(result)) this.#end()
    else {
      this.#gather(items, result.value)
      this.#settleReserved(1)
    }
  }

  #gather(items: Reader<unknown>, item: unknown): void {
    if (typeof item === 'object' && item !== null && this.#reuse?.isChanged(item) === true) {
      void closeQuietly(items)
      throw changedItemError(item)
    }
    this.#gathered.items.push(item)
  }

  #acceptBatch(batch: Batch | undefined): void {
    if (batch === undefined) this.#end()
    else {
      this.#settleReserved(batch.length)
      this.#gathered.add(batch)
    }
  }

  #fail(error: unknown): void {
    this.#error = { error }
    this.#end()
  }

  #end(): void {
    this.#reuse?.clear()
    this.#settleReserved(0)
    this.#state = 'ended'
    this.#events.ended()
  }

  #resumeNextTurn(): void {
    if (this.#turnScheduled) return
    this.#turnScheduled = true
    setImmediate(() => {
      this.#turnScheduled = false
      this.#sourceIsSlow = true
      this.#events.resumed()
    })
  }
}

function noop(): void {
  // Nothing is to be done.
}

/** The error that ended the reading is the one to tell, whatever closing throws. */
async function closeQuietly(reader: Reader<unknown>): Promise<void> {
  try {
    await reader.close()
  } catch {
    // Observed, so that it is no unhandled rejection.
  }
}
