/**
 * The consumer's side of a stream: opens the parts that are due and gives what is in them, value by value, as arrays, or as it
 * came. It counts what it gives, and does not decide when: that is the stream's part.
 */
import { Items, type Batch } from '../codec/batch.js'
import type { Delivery } from './delivery.js'
import { isPlain, NOTHING_OPEN, openPart, type Arrived, type Noted } from './outcome.js'
import { modeOf, taskOf, type StreamPlan } from './plan.js'
import type { Window } from './window.js'

export class Outlet {
  readonly #plan: StreamPlan
  readonly #delivery: Delivery
  readonly #window: Window
  /** The part that is being given, its values, and how far it has been. */
  #opened = NOTHING_OPEN
  #values: unknown[] = NOTHING_OPEN.values
  #frees: readonly number[] | undefined
  #position = 0
  #delivered = 0
  #skipped = 0
  #late: Noted | undefined

  constructor(plan: StreamPlan, delivery: Delivery, window: Window) {
    this.#plan = plan
    this.#delivery = delivery
    this.#window = window
  }

  /** How many results (or outcomes) it has given. */
  get delivered(): number {
    return this.#delivered
  }

  /** How many failed items it has left out. */
  get skipped(): number {
    return this.#skipped
  }

  /** Whether the opened part has more to give. */
  get isOpen(): boolean {
    return this.#position < this.#values.length
  }

  /** The error that comes after the values of the opened part. */
  get failure(): Noted | undefined {
    return this.#plan.errors === 'late' ? undefined : this.#opened.failure
  }

  /** The error that comes after the results of all items, the first in the order in which they are given. */
  get late(): Noted | undefined {
    return this.#late
  }

  /** The next value of the opened part. There must be one. */
  takeOpened(): { readonly value: unknown; readonly done: false } {
    const position = this.#position++
    const value = this.#values[position]
    // What has been delivered is not kept alive by what has not.
    this.#values[position] = undefined
    this.#window.hand(this.#frees === undefined ? 1 : (this.#frees[position] ?? 1))
    this.#delivered++
    return { value, done: false }
  }

  /** The next result; undefined when it is not there yet, or when an error is due, or the end. So for all that follow. */
  readonly takeOne = (): IteratorResult<unknown, undefined> | undefined => {
    while (!this.isOpen) {
      const part = this.#nextPart()
      if (part === undefined) return undefined
      this.#open(part)
    }
    return this.takeOpened()
  }

  /** The next results, as an array. */
  readonly takeChunk = (): IteratorResult<unknown[], undefined> | undefined => {
    const batch = this.takeBatch(Infinity)
    return batch && { value: batch.values(), done: false }
  }

  /** The next results, at most `max`, as they came, if they can stay encoded. */
  takeBatch(max: number): Batch | undefined {
    while (!this.isOpen) {
      const part = this.#nextPart()
      if (part === undefined) return undefined
      if (isPlain(part, this.#plan.errors) && part.results.length <= max) {
        this.#window.hand(part.count)
        this.#delivered += part.results.length
        return part.results
      }
      this.#open(part)
    }
    const values: unknown[] = []
    while (this.isOpen && values.length < max) values.push(this.takeOpened().value)
    return new Items(values)
  }

  /** Forgets what has not been given. */
  clear(): void {
    this.#opened = NOTHING_OPEN
    this.#values = NOTHING_OPEN.values
    this.#position = 0
    this.#delivery.clear()
  }

  #nextPart(): Arrived | undefined {
    return this.failure === undefined ? this.#delivery.take() : undefined
  }

  #open(part: Arrived): void {
    // An error that comes again is told as that of the item that failed with it first.
    const mode = this.#late === undefined ? modeOf(this.#plan, part) : 'skip'
    this.#opened = openPart(part, mode, taskOf(this.#plan), this.#plan.job.ordered)
    if (this.#plan.errors === 'late') this.#late ??= this.#opened.failure
    this.#values = this.#opened.values
    this.#frees = this.#opened.frees
    this.#position = 0
    this.#skipped += this.#opened.skipped
    this.#window.leaveOut(this.#opened.freed)
  }
}
