/**
 * The source's side of a stream: reads items one `next()` at a time while the window has room, gathers them into chunks,
 * and submits a chunk when it is full; or earlier, when no more items are ready and the lane has room for it.
 *
 * At most one chunk is gathered ahead of what the executor can take, so nothing is read that no worker waits for.
 */
import type { Chunk, Lane } from '../executor/executor.js'
import { received, typeError } from '../errors.js'
import { openSource, type Reader, type Source } from '../io/source.js'
import type { Tuner } from './tuner.js'
import type { Window } from './window.js'

/** How long a synchronous source may be drained before the event loop gets its turn, in milliseconds. */
const SLICE = 5
/** Every so many items the clock is read. */
const CLOCK_EVERY = 32

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
  #reader: Reader<unknown> | undefined
  #gathered: unknown[] = []
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
  }

  /** Whether every item of the source has been read and submitted. */
  get drained(): boolean {
    return this.#state === 'ended' && this.#gathered.length === 0
  }

  /** Whether a `next()` of the source is pending. */
  get awaiting(): boolean {
    return this.#state === 'awaiting'
  }

  /** The source's error, due after the results of all items read before it. */
  get sourceError(): { readonly error: unknown } | undefined {
    return this.#sourceError
  }

  /** Reads and submits as much as window, lane and source allow. Call it whenever one of them may allow more. */
  pump(): void {
    if (this.#state === 'reading' || this.#state === 'halted') return
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
    this.#gathered = []
    // A source that ended the stream from within its own `next()` can be closed only when that has come back.
    if (before === 'reading') return Promise.resolve().then(() => this.#reader?.close())
    return before === 'ended' ? undefined : this.#reader?.close()
  }

  /** Reads and submits no more, and leaves the source to be closed: an item has failed, those after it are not wanted. */
  halt(): void {
    if (this.#state !== 'ended') this.#state = 'halted'
    this.#gathered = []
  }

  #read(): void {
    this.#state = 'reading'
    const started = performance.now()
    let count = 0
    while (this.#state === 'reading' && this.#hasRoom()) {
      if (++count % CLOCK_EVERY === 0 && performance.now() - started > SLICE) {
        this.#pumpNextTurn()
        break
      }
      this.#readOne()
    }
    if (this.#state === 'reading') this.#state = 'idle'
  }

  #hasRoom(): boolean {
    if (this.#gathered.length >= this.#tuner.chunksize && !this.#submit()) return false
    return this.#window.room > 0
  }

  #readOne(): void {
    this.#window.enter()
    try {
      this.#reader ??= openSource(this.#source)
      const result = this.#state === 'reading' ? this.#reader.next() : DONE
      if (isPromise(result)) this.#awaitNext(result)
      else if (this.#state === 'reading') this.#accept(result)
    } catch (error) {
      if (this.#state === 'reading') this.#fail(error)
    }
  }

  #awaitNext(result: Promise<IteratorResult<unknown>>): void {
    if (this.#state === 'reading') this.#state = 'awaiting'
    this.#sourceIsSlow = false
    this.#pumpNextTurn()
    Promise.resolve(result).then(
      (settled) => {
        this.#resume(() => {
          this.#accept(settled)
        })
      },
      (error: unknown) => {
        this.#resume(() => {
          this.#fail(error)
        })
      },
    )
  }

  /** The awaited `next()` has settled. After a halt only one thing matters: whether there is still a source to close. */
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

  #accept(result: IteratorResult<unknown>): void {
    // What a source gives is not ours: it may not keep to its type.
    const given: unknown = result
    if (typeof given !== 'object' || given === null) {
      throw typeError(
        'ERR_INVALID_SOURCE',
        `Cannot read the source as its next() must give an object { value, done }: received ${received(given)}`,
      )
    }
    if (isDone(result)) {
      this.#window.withdraw()
      this.#end()
    } else {
      this.#gathered.push(result.value)
    }
  }

  #fail(error: unknown): void {
    this.#window.withdraw()
    this.#sourceError = { error }
    this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.#events.ended()
  }

  /** Submits a chunk that is full, or that nothing more will be added to for now. */
  #submitGathered(): void {
    if (this.#gathered.length === 0) return
    const complete = this.#state === 'ended' || this.#gathered.length >= this.#tuner.chunksize
    const stalled = (this.#state === 'awaiting' && this.#sourceIsSlow) || this.#windowIsStuck()
    if (complete || stalled) this.#submit()
  }

  /** No item can be read before the consumer has got one, and it gets none before these are submitted. */
  #windowIsStuck(): boolean {
    return this.#window.room <= 0 && this.#events.consumerWaits()
  }

  #submit(): boolean {
    if (!this.#lane.ready) return false
    const size = this.#gathered.length
    const chunk: Chunk = { first: this.#first, items: this.#gathered }
    this.#first += size
    this.#gathered = []
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

/** Stands for a `next()` that was not called any more. */
const DONE: IteratorResult<unknown> = { value: undefined, done: true }

/** As the language asks: whatever is truthy ends the source. */
function isDone(result: { readonly done?: unknown }): boolean {
  return Boolean(result.done)
}

/** Asks a value that is not ours, and may be anything. */
function isPromise(result: unknown): result is Promise<IteratorResult<unknown>> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function'
}
