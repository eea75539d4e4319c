/**
 * The consumer's side of a stream: keeps the parts that have arrived, decodes those that are due, and gives what is in them, value by
 * value, as arrays, or as it came. It does with failed items as the stream's `errors` ask. When to give is for the engine to decide.
 */
import { Items, type Batch } from '../codec/batch.js'
import type { Chunk, Part } from '../executor/executor.js'
import { OrderedDelivery, UnorderedDelivery, type Delivery } from './delivery.js'
import { outcomeOf, withFailureInfo, type ArrivedPart, type FailureMode, type DueError } from './outcome.js'
import { taskOf, type StreamPlan } from './plan.js'
import type { Window } from './window.js'

/** A part whose results are being given: decoded, and with the failed items dealt with. */
export interface DecodedPart {
  readonly values: unknown[]
  /** How many items have had all their results when a value is given; undefined: one each. */
  readonly completes: readonly number[] | undefined
  /** How many items before the first value give nothing. */
  readonly completedBefore: number
  /** Thrown after the values; where errors are `'late'`, after those of all other items. */
  readonly failure: DueError | undefined
  readonly skipped: number
}

/** Nothing to give. */
const EMPTY: DecodedPart = { values: [], completes: undefined, completedBefore: 0, failure: undefined, skipped: 0 }

export class PartReader {
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #delivery: Delivery
  /** The part that is being given, its values, and how far it has been. */
  #part = EMPTY
  #values: unknown[] = EMPTY.values
  #completes: readonly number[] | undefined
  #next = 0
  #chunks = 0
  #delivered = 0
  #skipped = 0
  #late: DueError | undefined

  constructor(plan: StreamPlan, window: Window) {
    this.#plan = plan
    this.#window = window
    this.#delivery = plan.job.ordered ? new OrderedDelivery() : new UnorderedDelivery()
  }

  /** How many chunks have gone to the executor. */
  get chunks(): number {
    return this.#chunks
  }

  /** How many results (or outcomes) it has given. */
  get delivered(): number {
    return this.#delivered
  }

  /** How many failed items it has left out. */
  get skipped(): number {
    return this.#skipped
  }

  /** Whether a decoded part has more to give. */
  get hasValue(): boolean {
    return this.#next < this.#values.length
  }

  /** The error that comes after the values of the decoded part. */
  get failure(): DueError | undefined {
    return this.#plan.errors === 'late' ? undefined : this.#part.failure
  }

  /** The error that comes after the results of all items, the first in the order in which they are given. */
  get late(): DueError | undefined {
    return this.#late
  }

  /** A chunk goes to the executor. */
  expect(chunk: Chunk): void {
    this.#chunks++
    this.#delivery.admit(chunk)
  }

  /** Takes a part that has arrived, and tells the tuner of its chunk. @returns Whether it ends the stream, with what is known before its first failed item. */
  put(part: Part): boolean {
    const { tuner, windowFor } = this.#plan
    const mode = modeOf(this.#plan, part)
    const hasFailed = part.errors !== undefined && part.errors.size > 0
    if (part.last) {
      tuner.record({ items: part.chunk.items.length, time: part.time, bytes: part.bytes })
      this.#window.limit = windowFor(tuner.tuning, this.#window.limit)
    }
    this.#delivery.put(detachItems(part, mode))
    return hasFailed && mode === 'throw'
  }

  /** The next value of the decoded part. There must be one. */
  takeValue(): { readonly value: unknown; readonly done: false } {
    const next = this.#next++
    const value = this.#values[next]
    // What has been delivered is not kept alive by what has not.
    this.#values[next] = undefined
    this.#window.hand(this.#completes === undefined ? 1 : (this.#completes[next] ?? 1))
    this.#delivered++
    return { value, done: false }
  }

  /** The next result; undefined when it is not there yet, or when an error is due, or the end. So for all that follow. */
  readonly takeOne = (): IteratorResult<unknown, undefined> | undefined => {
    while (!this.hasValue) {
      const part = this.#nextPart()
      if (part === undefined) return undefined
      this.#decode(part)
    }
    return this.takeValue()
  }

  /** The next results, as an array. */
  readonly takeChunk = (): IteratorResult<unknown[], undefined> | undefined => {
    const batch = this.takeBatch(Infinity)
    return batch && { value: batch.values(), done: false }
  }

  /** The next results, at most `max`, as they came, if they can stay encoded. */
  takeBatch(max: number): Batch | undefined {
    while (!this.hasValue) {
      const part = this.#nextPart()
      if (part === undefined) return undefined
      if (isPlain(part, this.#plan.errors) && part.results.length <= max) {
        this.#window.hand(part.count)
        this.#delivered += part.results.length
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
    return this.failure === undefined ? this.#delivery.take() : undefined
  }

  #decode(part: ArrivedPart): void {
    const { job } = this.#plan
    // An error that comes again is told as that of the item that failed with it first.
    const mode = this.#late === undefined ? modeOf(this.#plan, part) : 'skip'
    this.#part = decodePart(part, mode, taskOf(this.#plan), job.ordered)
    if (this.#plan.errors === 'late') this.#late ??= this.#part.failure
    this.#values = this.#part.values
    this.#completes = this.#part.completes
    this.#next = 0
    this.#skipped += this.#part.skipped
    this.#window.leaveOut(this.#part.completedBefore)
  }
}

/** How a part's failed items are treated. A fold cannot skip a fault: it takes other items with it. */
function modeOf({ job, errors }: StreamPlan, { isFault }: Part): FailureMode {
  return isFault === true && job.kind === 'reduce' ? 'throw' : errors
}

/** Lets go of the items of a part; before that, takes out those that failed and will be asked for. Once for each part. */
export function detachItems(part: Part, mode: FailureMode): ArrivedPart {
  const hasFailed = part.errors !== undefined && part.errors.size > 0
  const arrived = hasFailed && mode !== 'skip' ? { ...part, items: failedItems(part, mode !== 'settle') } : part
  const { chunk, from, chunkOffsets, count, last } = part
  // The executor has finished with these items, and nobody else needs them.
  if (last) chunk.items.release()
  else if (chunkOffsets === undefined) chunk.items.forget(from, from + count)
  else for (const chunkOffset of chunkOffsets) chunk.items.forget(chunkOffset, chunkOffset + 1)
  return arrived
}

/** The items that failed, by their offset in the part, or the first of them. Those from the first to the last are decoded, once. */
function failedItems({ chunk, from, chunkOffsets, errors }: Part, onlyFirst: boolean): Map<number, unknown> {
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
  const items = new Map([...failed].map(([partOffset, chunkOffset]) => [partOffset, values[chunkOffset - first]]))
  batch.release()
  return items
}

/** The lowest key: there may be too many for `Math.min()`. */
function firstKey(errors: Part['errors']): number {
  let first = Infinity
  for (const partOffset of errors?.keys() ?? []) first = Math.min(first, partOffset)
  return first
}

/** Whether the results can be given as they are, without being looked at. */
export function isPlain({ errors, results }: Part, mode: FailureMode): boolean {
  return mode !== 'settle' && errors === undefined && results.length > 0
}

/**
 * Decodes a part, and makes of it what the consumer is to be given.
 *
 * @param task What the items' errors are to name.
 * @param ordered Whether results behind a failed item are not given, where errors are thrown. Without an order, all that is
 * known is given before the error.
 */
export function decodePart(part: ArrivedPart, mode: FailureMode, task: string, ordered = true): DecodedPart {
  const values = part.results.values()
  if (mode === 'settle') return { ...EMPTY, values: values.map((value, i) => outcomeOf(part, i, value, task)) }
  if (part.errors === undefined && part.counts === undefined) return { ...EMPTY, values }
  return applyErrorMode(part, values, mode, task, ordered)
}

/** Goes through the items: some have failed, or have more results than one, or none. */
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
    // Where items have one result each, something stands in the place of a failed one.
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
