/**
 * The consumer's side of a stream. Keeps the parts that have arrived, decodes those that are due, and gives their results: one by one, as
 * arrays, or still encoded. The option `errors` says what a failed item gives. The engine decides when to give.
 */
import { Items, type Batch } from '../codec/batch.js'
import { BadRecord } from '../codec/records/record-data.js'
import type { Chunk, Part } from '../executor/executor.js'
import { Fifo } from '../fifo.js'
import type { OutputLayout } from '../formats/output-layout.js'
import { settlePart } from './settle-part.js'
import { OrderedDelivery, type Delivery } from './delivery.js'
import { isExceeded, limitError } from './error-limit.js'
import type { FailureTarget } from './failure-target.js'
import {
  outcomeOf,
  rejectedAt,
  withFailureInfo,
  type ArrivedPart,
  type DueError,
  type FailedItem,
  type FailureMode,
} from './outcome.js'
import { taskOf, type StreamPlan } from './plan.js'
import type { Window } from './window.js'

/** A decoded part, with what its failed items give. */
export interface DecodedPart {
  readonly values: unknown[]
  /** For each value, how many items have all their results with it; undefined: one each. */
  readonly completes: readonly number[] | undefined
  /** How many items before the first value give nothing. */
  readonly completedBefore: number
  /** Thrown after the values; with `'late'`, after the values of all other items. */
  readonly failure: DueError | undefined
  readonly skipped: number
}

const EMPTY: DecodedPart = { values: [], completes: undefined, completedBefore: 0, failure: undefined, skipped: 0 }

export class PartReader {
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #delivery: Delivery
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
  /** Where failed items go, if they go to a file. */
  target: FailureTarget | undefined
  /** How many items have their outcomes in the parts that were decoded or given, and how many of them have failed. */
  #items = 0
  #failed = 0
  #lastError: unknown
  /** Too many items have failed. */
  #exceeded: DueError | undefined
  /** Set if results go to an output: they are records, which the layout settles when they are due. */
  layout: OutputLayout | undefined
  /** The part that is being given, its values, and the next of them. */
  #part = EMPTY
  #values: unknown[] = EMPTY.values
  #completes: readonly number[] | undefined
  #next = 0
  #late: DueError | undefined

  constructor(plan: StreamPlan, window: Window) {
    this.#plan = plan
    this.#window = window
    this.#delivery = plan.job.ordered ? new OrderedDelivery() : new Fifo()
  }

  get hasValue(): boolean {
    return this.#next < this.#values.length
  }

  /** The error that comes after the values of the decoded part. */
  get failure(): DueError | undefined {
    return this.#plan.errors === 'late' ? undefined : (this.#part.failure ?? this.#exceeded)
  }

  /** The error that comes after the results of all items: the first one that was due. */
  get late(): DueError | undefined {
    return this.#late
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
      const part = this.#nextPart()
      if (part === undefined) return undefined
      if (isPlain(part, this.#plan.errors) && part.results.length <= max) {
        this.#items += part.count
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

  /** Forgets what has not been given. */
  clear(): void {
    this.#part = EMPTY
    this.#values = EMPTY.values
    this.#next = 0
    this.#delivery.clear()
  }

  #nextPart(): ArrivedPart | undefined {
    const part = this.failure === undefined ? this.#delivery.shift() : undefined
    return part === undefined || this.layout === undefined ? part : this.#settle(part, this.layout)
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
  get limitError(): unknown {
    const { maxErrors } = this.#plan
    if (maxErrors === undefined || !isExceeded(maxErrors, this.#failed, this.#items, true)) return undefined
    return limitError(maxErrors, this.#failed, this.#items, this.#lastError)
  }

  /**
   * Failed items go to their file, and are counted.
   *
   * @returns The part, up to the item with which too many have failed.
   */
  #tell(part: ArrivedPart, errors: ReadonlyMap<number, unknown>): ArrivedPart {
    const { maxErrors } = this.#plan
    if (this.target === undefined && maxErrors === undefined) return part
    // In an unordered stream, they come in the order in which they failed.
    for (const partOffset of [...errors.keys()].sort((one, other) => one - other)) {
      this.#failed++
      this.#lastError = errors.get(partOffset)
      this.target?.add(rejectedAt(part, partOffset, taskOf(this.#plan)))
      const items = this.#items + partOffset + 1
      if (maxErrors === undefined || !isExceeded(maxErrors, this.#failed, items, false)) continue
      this.#exceeded = { error: limitError(maxErrors, this.#failed, items, this.#lastError) }
      return { ...part, count: partOffset + 1 }
    }
    return part
  }

  #decode(arrived: ArrivedPart): void {
    const { job } = this.#plan
    const part = arrived.errors === undefined ? arrived : this.#tell(arrived, arrived.errors)
    this.#items += part.count
    // If items share one error, `failure()` of it names the first of them.
    const mode = this.#late === undefined ? modeOf(this.#plan, part) : 'skip'
    this.#part = decodePart(part, mode, taskOf(this.#plan), job.ordered)
    if (this.#plan.errors === 'late') this.#late ??= this.#part.failure
    this.#values = this.#part.values
    this.#completes = this.#part.completes
    this.#next = 0
    this.counts.skipped += this.#part.skipped
    this.#window.leaveOut(this.#part.completedBefore)
  }
}

/** The mode for the failed items of a part. A fold cannot skip a fault, because it takes other items with it. */
function modeOf({ job, errors }: StreamPlan, { isFault }: Part): FailureMode {
  return isFault === true && job.kind === 'reduce' ? 'throw' : errors
}

/**
 * Drops the items of a part, except those that failed and will be asked for. Once for each part.
 *
 * @param keepsAll Whether all failed items will be asked for; otherwise, with errors that are thrown, the first one.
 */
export function detachItems(part: Part, mode: FailureMode, keepsAll: boolean = mode === 'settle'): ArrivedPart {
  const hasFailed = part.errors !== undefined && part.errors.size > 0
  const isAsked = mode !== 'skip' || keepsAll
  const arrived = hasFailed && isAsked ? { ...part, items: failedItems(part, !keepsAll) } : part
  const { chunk, from, chunkOffsets, count, last } = part
  // The executor has finished with these items, and nobody else needs them.
  if (last) chunk.items.release()
  else if (chunkOffsets === undefined) chunk.items.forget(from, from + count)
  else for (const chunkOffset of chunkOffsets) chunk.items.forget(chunkOffset, chunkOffset + 1)
  return arrived
}

/** The items that failed, or the first of them, by their offset in the part. Decodes only those from the first to the last. */
function failedItems({ chunk, from, chunkOffsets, errors }: Part, onlyFirst: boolean): Map<number, FailedItem> {
  const failed = new Map<number, number>()
  let first = Infinity
  let last = -Infinity
  for (const partOffset of onlyFirst ? [firstKey(errors)] : (errors?.keys() ?? [])) {
    const chunkOffset = chunkOffsets?.[partOffset] ?? from + partOffset
    failed.set(partOffset, chunkOffset)
    first = Math.min(first, chunkOffset)
    last = Math.max(last, chunkOffset)
  }
  const batch = chunk.items.slice(first, last + 1)
  const values = batch.values()
  const items = new Map(
    [...failed].map(([partOffset, chunkOffset]) => {
      const value = values[chunkOffset - first]
      const place = batch.placeOf?.(chunkOffset - first)
      const { text: item, format } = value instanceof BadRecord ? value : { text: value, format: undefined }
      return [partOffset, { item, format, place }]
    }),
  )
  batch.release()
  return items
}

/** `Math.min()` does not take as many arguments as there may be keys. */
function firstKey(errors: Part['errors']): number {
  let first = Infinity
  for (const partOffset of errors?.keys() ?? []) first = Math.min(first, partOffset)
  return first
}

/** Whether the results can be given without decoding them. */
export function isPlain({ errors, results }: Part, mode: FailureMode): boolean {
  return mode !== 'settle' && errors === undefined && results.length > 0
}

/**
 * Decodes a part, and applies the error mode to its failed items.
 *
 * @param task For the errors of items.
 * @param ordered With `'throw'`: an ordered stream gives no results behind a failed item. An unordered one gives all that are known.
 */
export function decodePart(part: ArrivedPart, mode: FailureMode, task: string, ordered = true): DecodedPart {
  const values = part.results.values()
  if (mode === 'settle') return { ...EMPTY, values: values.map((value, i) => outcomeOf(part, i, value, task)) }
  if (part.isFolded === true) return { ...EMPTY, values, completedBefore: part.count - 1, completes: [1] }
  if (part.errors === undefined && part.counts === undefined) return { ...EMPTY, values }
  return applyErrorMode(part, values, mode, task, ordered)
}

/** For a part in which items have failed, or have several results or none. */
function applyErrorMode(
  part: ArrivedPart,
  values: readonly unknown[],
  mode: FailureMode,
  task: string,
  ordered: boolean,
): DecodedPart {
  const { count, counts, errors } = part
  const given: unknown[] = []
  const completes: number[] = []
  let completedBefore = 0
  let skipped = 0
  let next = 0
  let failure: DecodedPart['failure']
  for (let partOffset = 0; partOffset < count; partOffset++) {
    const failed = errors?.has(partOffset) === true
    if (failed && mode === 'throw' && ordered) {
      return { values: given, completes, completedBefore, failure: withFailureInfo(part, partOffset, task), skipped }
    }
    if (failed && mode !== 'throw') skipped++
    if (failed && mode !== 'skip') failure ??= withFailureInfo(part, partOffset, task)
    const end = next + (counts?.[partOffset] ?? 1)
    // Where each item has one result, a failed one has a placeholder.
    if (failed) next = end
    for (; next < end; next++) {
      given.push(values[next])
      completes.push(0)
    }
    // An item is done with its last result; one without any, with that of the item before it.
    if (completes.length === 0) completedBefore++
    else completes[completes.length - 1]++
  }
  return { values: given, completes, completedBefore, failure, skipped }
}
