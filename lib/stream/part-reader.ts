/**
 * The consumer's side of a stream. Keeps the parts that have arrived, decodes those that are due, and gives their results: one by one, as
 * arrays, or still encoded. The option `errors` says what a failed item gives. The engine decides when to give.
 */
import { Items, type Batch } from '../codec/batch.js'
import type { Chunk, Part } from '../executor/executor.js'
import { Fifo } from '../fifo.js'
import type { OutputLayout } from '../formats/output-layout.js'
import type { Mark } from '../resume/mark.js'
import { settlePart, withoutFailed } from './settle-part.js'
import { decodePart, EMPTY, isPlain } from './decode-part.js'
import { MarkedDelivery, OrderedDelivery, type Delivery } from './delivery.js'
import { detachItems } from './detach-items.js'
import { FailedItems } from './failed-items.js'
import type { ArrivedPart, DueError, FailureMode } from './outcome.js'
import { taskOf, type StreamPlan } from './plan.js'
import type { Window } from './window.js'

export class PartReader {
  readonly #plan: StreamPlan
  readonly #window: Window
  #delivery: Delivery
  /**
   * Chunks that have gone to the executor, results (or outcomes) that were given, and failed items that were left out.
   * Also items that an output could not take.
   */
  readonly counts: { chunks: number; delivered: number; skipped: number; refused: number } = {
    chunks: 0,
    delivered: 0,
    skipped: 0,
    refused: 0,
  }
  /** Those of the parts that were decoded. */
  readonly failedItems: FailedItems
  /** How many items an earlier run has done, and how many have failed in it, without those that an output could not take. */
  before = 0
  failedBefore = 0
  /** How many items have their outcomes in the parts that were decoded or given; those of an earlier run, too. */
  #items = 0
  /** Set if results go to an output: they are records, which the layout settles when they are due. */
  layout: OutputLayout | undefined
  /** The part that is being given, its values, and the next of them. */
  #part = EMPTY
  #values: unknown[] = EMPTY.values
  #completes: readonly number[] | undefined
  #next = 0
  /** Whether failed items of the part are left out. */
  #skips = false
  #late: DueError | undefined
  /** The mark that is on its way, and how many items are before it. */
  #mark: { readonly mark: Mark; readonly at: number } | undefined
  /** Notes on a mark what is done before it. */
  #noteOn: ((mark: Mark) => void) | undefined

  constructor(plan: StreamPlan, window: Window) {
    this.#plan = plan
    this.#window = window
    this.failedItems = new FailedItems(plan)
    this.#delivery = plan.job.ordered ? new OrderedDelivery() : new Fifo()
  }

  get hasValue(): boolean {
    return this.#next < this.#values.length
  }

  /** The error that comes after the values of the decoded part. */
  get failure(): DueError | undefined {
    return this.#plan.errors === 'late' ? undefined : (this.#part.failure ?? this.failedItems.exceeded)
  }

  /** The error that comes after the results of all items: the first one that was due. */
  get late(): DueError | undefined {
    return this.#late
  }

  /** How many items have their outcomes in what was given. */
  get items(): number {
    return this.#items
  }

  /** Before the first read: marks are passed on, and an earlier run has given this. */
  passMarks(
    done: { readonly items: number; readonly failed: number } & Omit<PartReader['counts'], 'chunks'>,
    noteOn: (mark: Mark) => void,
  ): void {
    this.#noteOn = noteOn
    this.#items = this.before = done.items
    this.failedBefore = done.failed - done.refused
    this.failedItems.countFrom(done.failed)
    this.counts.delivered = done.delivered
    this.counts.skipped = done.skipped
    this.counts.refused = done.refused
    if (!this.#plan.job.ordered) this.#delivery = new MarkedDelivery()
  }

  /** A mark stands behind this many items. Only one is on its way at a time. */
  expectMark(mark: Mark, at: number): void {
    this.#mark = { mark, at }
    this.#delivery.hold?.(at)
  }

  /** Whether a mark is on its way to the consumer. */
  get hasMark(): boolean {
    return this.#mark !== undefined
  }

  /** A chunk goes to the executor. */
  expect(chunk: Chunk): void {
    this.counts.chunks++
    this.#delivery.admit?.(chunk)
  }

  /** Takes a part that has arrived, and tells the tuner of its chunk. @returns Whether the error of an item in it ends the stream. */
  put(part: Part): boolean {
    const { tuner, windowFor } = this.#plan
    const mode = modeOf(this.#plan, part)
    const hasFailed = part.errors !== undefined && part.errors.size > 0
    if (part.last) {
      const { items } = part.chunk
      const copied = items.isShared === true ? part.resultBytes : part.bytes
      tuner.record({ items: items.length, time: part.time, bytes: part.bytes, copied })
      this.#window.limit = windowFor(tuner.tuning, this.#window.limit)
    }
    // An item that the output refuses later is asked for, too.
    this.#delivery.push(this.layout?.mayRefuse === true ? part : this.#detach(part))
    return hasFailed && mode === 'throw'
  }

  /** Only while `hasValue`. */
  takeValue(): { readonly value: unknown; readonly done: false } {
    const next = this.#next++
    if (this.failedItems.due <= next) this.#pass(next)
    const value = this.#values[next]
    // A value that was delivered can be garbage collected before the others are.
    this.#values[next] = undefined
    this.#window.hand(this.#completes === undefined ? 1 : (this.#completes[next] ?? 1))
    this.counts.delivered++
    return { value, done: false }
  }

  /** The next result. Undefined when it has not arrived, or when an error or the end is due: so in all methods below. */
  readonly takeOne = (): IteratorResult<unknown, undefined> | undefined => {
    while (!this.hasValue) {
      this.#pass(Infinity)
      const part = this.#nextPart()
      if (part === undefined) return undefined
      this.#decode(part)
    }
    return this.takeValue()
  }

  readonly takeChunk = (): IteratorResult<unknown[], undefined> | undefined => {
    const batch = this.takeBatch(Infinity)
    return batch && { value: batch.values(), done: false }
  }

  /** The next results, at most `max`, still encoded if they can be. */
  takeBatch(max: number): Batch | undefined {
    while (!this.hasValue) {
      this.#pass(Infinity)
      const mark = this.#dueMark()
      if (mark !== undefined) return mark
      const part = this.#nextPart()
      if (part === undefined) return undefined
      if (isPlain(part, this.#plan.errors) && part.results.length <= max) {
        this.#items += part.count
        this.#pass(part.results.length - 1)
        this.#window.hand(part.count)
        this.counts.delivered += part.results.length
        return part.results
      }
      this.#decode(part)
    }
    const values: unknown[] = []
    while (this.hasValue && values.length < max) values.push(this.takeValue().value)
    return new Items(values)
  }

  /** The mark, if all before it has been given. */
  #dueMark(): Mark | undefined {
    if (this.#mark?.at !== this.#items || this.failure !== undefined) return undefined
    const { mark } = this.#mark
    this.#mark = undefined
    this.#noteOn?.(mark)
    this.#delivery.release?.()
    return mark
  }

  /** Forgets what has not been given. */
  clear(): void {
    this.#mark = undefined
    this.failedItems.clear()
    this.#part = EMPTY
    this.#values = EMPTY.values
    this.#next = 0
    this.#delivery.clear()
  }

  #nextPart(): ArrivedPart | undefined {
    const part = this.failure === undefined ? this.#delivery.shift() : undefined
    return part === undefined || this.layout === undefined ? part : this.#leaveOut(this.#settle(part, this.layout))
  }

  /** Leaves out failed items whose stream goes to an output, so that the records of the others need not be decoded. */
  #leaveOut(part: ArrivedPart): ArrivedPart {
    const { errors } = part
    if (errors === undefined || modeOf(this.#plan, part) !== 'skip') return part
    return withoutFailed(this.#begin(part, errors, 'skip'))
  }

  #begin(part: ArrivedPart, errors: ReadonlyMap<number, unknown>, mode: FailureMode): ArrivedPart {
    this.#skips = mode === 'skip' || mode === 'late'
    return this.failedItems.begin(part, errors, this.#items, mode)
  }

  /** The consumer has come past the failed items before the result with this index in the part. */
  #pass(result: number): void {
    const passed = this.failedItems.pass(result)
    if (this.#skips) this.counts.skipped += passed
  }

  #settle(part: ArrivedPart, layout: OutputLayout): ArrivedPart {
    const settled = settlePart(part, layout)
    this.counts.refused += (settled.errors?.size ?? 0) - (part.errors?.size ?? 0)
    return layout.mayRefuse ? this.#detach(settled) : settled
  }

  #detach(part: Part): ArrivedPart {
    const mode = modeOf(this.#plan, part)
    return detachItems(part, mode, mode === 'settle' || this.#plan.rejects !== undefined)
  }

  /** The error of too many failed items, once all items have their outcomes. */
  get limitError(): DueError | undefined {
    return this.failedItems.errorAtEnd(this.#items)
  }

  #decode(arrived: ArrivedPart): void {
    const { job } = this.#plan
    // If items share one error, `failure()` of it names the first of them.
    const mode = this.#late === undefined ? modeOf(this.#plan, arrived) : 'skip'
    const part = arrived.errors === undefined ? arrived : this.#begin(arrived, arrived.errors, mode)
    this.#items += part.count
    this.#part = decodePart(part, mode, taskOf(this.#plan), job.ordered)
    if (this.#plan.errors === 'late') this.#late ??= this.#part.failure
    this.#values = this.#part.values
    this.#completes = this.#part.completes
    this.#next = 0
    this.#window.leaveOut(this.#part.completedBefore)
  }
}

/** The mode for the failed items of a part. A fold cannot skip a fault, because it takes other items with it. */
function modeOf({ job, errors }: StreamPlan, { isFault }: Part): FailureMode {
  return isFault === true && job.kind === 'reduce' ? 'throw' : errors
}
