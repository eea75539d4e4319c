/**
 * The source's side of a stream: has items read while the window has room, gathers them into chunks, and submits a chunk when
 * it is full; or earlier, when no more items are ready and the lane has room for it.
 *
 * At most one chunk is gathered ahead of what the executor can take, so nothing is read that no worker waits for.
 */
import type { Chunk, Lane } from '../executor/executor.js'
import type { PipelineEnd, Source } from '../io/source.js'
import { lengthOf } from './foreign.js'
import { Gathered } from './gathered.js'
import { Reading } from './reading.js'
import type { Tuner } from './tuner.js'
import type { Window } from './window.js'

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
  readonly #lane: Lane
  readonly #window: Window
  readonly #tuner: Tuner
  readonly #events: IntakeEvents
  /** How many items the source has, where that is known. */
  readonly #total: number | undefined
  readonly #gathered = new Gathered()
  readonly #reading: Reading
  /** The most items in the chunk that is being gathered. */
  #limit = 1
  #appetite = Infinity
  /** Index of the first item of the next chunk. */
  #first = 0

  constructor(source: Source<unknown>, lane: Lane, window: Window, tuner: Tuner, events: IntakeEvents) {
    this.#lane = lane
    this.#window = window
    this.#tuner = tuner
    this.#events = events
    this.#total = lengthOf(source)
    this.#reading = new Reading(source, lane.encodes, window, this.#gathered, {
      room: () => this.#room(),
      resumed: () => {
        this.pump()
      },
      ended: () => {
        events.ended()
      },
    })
  }

  /** Whether every item of the source has been read and submitted. */
  get drained(): boolean {
    return this.#reading.state === 'ended' && this.#gathered.size === 0
  }

  /** How many items have places in the window that the read under way may turn out not to need. */
  get reserved(): number {
    return this.#reading.reserved
  }

  /** How much room in the window is worth a `pump()`: enough for a whole chunk. Where room is not what is missing: infinite. */
  get appetite(): number {
    return this.#appetite
  }

  /** The source's error, due after the results of all items read before it. */
  get sourceError(): { readonly error: unknown } | undefined {
    return this.#reading.error
  }

  /** Reads and submits as much as window, lane and source allow. Call it whenever one of them may allow more. */
  pump(): void {
    const { state } = this.#reading
    if (state === 'reading' || state === 'halted') return
    this.#appetite = Infinity
    if (state === 'idle') {
      this.#adjustLimit()
      this.#reading.read()
    }
    this.#submitGathered()
  }

  /**
   * Reads no more. Closes the source if it was opened and has not ended by itself; returns what its `close()` returned.
   * Throws what it throws.
   */
  close(end?: PipelineEnd): unknown {
    return this.#reading.close(end)
  }

  /** Reads and submits no more, and leaves the source to be closed: an item has failed, those after it are not wanted. */
  halt(): void {
    this.#reading.halt()
  }

  #adjustLimit(): void {
    const { read } = this.#window
    const { size } = this.#gathered
    this.#limit = this.#tuner.next(this.#total === undefined ? undefined : Math.max(0, this.#total - read + size))
  }

  /** How many items may be read now, for the chunk that is being gathered; a full one is submitted before. */
  #room(): number {
    if (this.#gathered.size >= this.#limit && !this.#submit()) return 0
    const missing = this.#limit - this.#gathered.size
    const { room, limit } = this.#window
    if (room > 0) return Math.min(missing, room)
    this.#appetite = Math.min(missing, limit)
    return 0
  }

  /** Submits a chunk that is full, or that nothing more will be added to for now. */
  #submitGathered(): void {
    const { size } = this.#gathered
    if (size === 0) return
    const isComplete = this.#reading.state === 'ended' || size >= this.#limit
    if (isComplete || this.#reading.isStalled || this.#windowIsStuck()) this.#submit()
  }

  /** No item can be read before the consumer has got one, and it gets none before these are submitted. */
  #windowIsStuck(): boolean {
    return this.#window.room <= 0 && this.#events.consumerWaits()
  }

  /** @returns Whether the lane had room for it. */
  #submit(): boolean {
    if (!this.#lane.ready) return false
    const items = this.#gathered.take()
    const chunk: Chunk = { first: this.#first, items }
    this.#first += items.length
    this.#adjustLimit()
    this.#events.submitted(chunk)
    this.#lane.submit(chunk)
    return true
  }
}
