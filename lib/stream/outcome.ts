/** How an outcome is delivered to the consumer: its types, and the part that is opened for delivery. */
import type { Executor, Part } from '../executor/executor.js'
import { taskFailed } from '../log/events.js'
import { noteFailure, type Failure } from '../failure.js'

/** How a failed item is treated: the stream throws its error, gives it as an outcome, or leaves it out. */
export type ErrorMode = 'throw' | 'settle' | 'skip'

/** The same, and one that no user asks for: failed items are left out, and the first error ends the stream after all others. */
export type FailureMode = ErrorMode | 'late'

/** An item's outcome, under `errors: 'settle'`. */
export type Outcome<I, R> =
  | { readonly status: 'fulfilled'; readonly value: R; readonly index: number }
  | {
      readonly status: 'rejected'
      readonly reason: unknown
      readonly index: number
      readonly item: I
      /** The id of the task; of a function that runs on this thread, its name. */
      readonly task: string
      /** Number of the worker that tried it last, as tasks see it; 0 on this thread. */
      readonly worker: number
      /** How often it was tried. */
      readonly attempts: number
    }

/** A part that has arrived. */
export interface Arrived extends Part {
  /** The failed items themselves, by their position, where they will be asked for. */
  readonly items?: ReadonlyMap<number, unknown> | undefined
}

/** An item's error, and what is known of it; undefined where that is told of another item that has failed with the same. */
export interface Noted {
  readonly error: unknown
  readonly told: Failure | undefined
}

/** A part whose results are being given: decoded, and with the failed items dealt with. */
export interface Opened {
  readonly values: unknown[]
  /** How many items have had all their results when a value is given; undefined: one each. */
  readonly frees: readonly number[] | undefined
  /** How many items before the first value give nothing. */
  readonly freed: number
  /** Thrown after the values; where errors are `'late'`, after those of all other items. */
  readonly failure: Noted | undefined
  readonly skipped: number
}

/** Nothing to give. */
export const NOTHING_OPEN: Opened = { values: [], frees: undefined, freed: 0, failure: undefined, skipped: 0 }

/**
 * Decodes a part, and makes of it what the consumer is to be given.
 *
 * @param task What the items' errors are to name.
 * @param ordered Whether results behind a failed item are not given, where errors are thrown. Without an order, all that is
 * known is given before the error.
 */
export function openPart(part: Arrived, mode: FailureMode, task: string, ordered = true): Opened {
  const values = part.results.values()
  if (mode === 'settle') return { ...NOTHING_OPEN, values: values.map((value, i) => outcomeOf(part, i, value, task)) }
  if (part.errors === undefined && part.counts === undefined) return { ...NOTHING_OPEN, values }
  return sorted(part, values, mode, task, ordered)
}

/** Whether the results can be given as they are, without being looked at. */
export function isPlain({ errors, results }: Part, mode: FailureMode): boolean {
  return mode !== 'settle' && errors === undefined && results.length > 0
}

/** Goes through the items: some have failed, or have more results than one, or none. */
function sorted(part: Arrived, values: readonly unknown[], mode: FailureMode, task: string, ordered: boolean): Opened {
  const { count, counts, errors } = part
  const given: unknown[] = []
  const frees: number[] = []
  let freed = 0
  let skipped = 0
  let next = 0
  let failure: Opened['failure']
  for (let position = 0; position < count; position++) {
    const failed = errors?.has(position) === true
    if (failed && mode === 'throw' && ordered) {
      return { values: given, frees, freed, failure: noted(part, position, task), skipped }
    }
    if (failed && mode !== 'throw') skipped++
    if (failed && mode !== 'skip') failure ??= noted(part, position, task)
    const end = next + (counts?.[position] ?? 1)
    // Where items have one result each, something stands in the place of a failed one.
    if (failed) next = end
    for (; next < end; next++) {
      given.push(values[next])
      frees.push(0)
    }
    // An item is done with its last result; one without any, with that of the item before it.
    if (frees.length === 0) freed++
    else frees[frees.length - 1]++
  }
  return { values: given, frees, freed, failure, skipped }
}

function outcomeOf(part: Arrived, position: number, value: unknown, task: string): Outcome<unknown, unknown> {
  if (part.errors?.has(position) !== true) return { status: 'fulfilled', value, index: indexOf(part, position) }
  const { error: reason } = noted(part, position, task)
  return { status: 'rejected', reason, item: part.items?.get(position), ...failureAt(part, position, task) }
}

/** The error of an item that has failed; what is known of it can be asked for from now on. */
function noted(part: Arrived, position: number, task: string): Noted {
  const error = part.errors?.get(position)
  // All items of a chunk may have one: then it is that of the first of them.
  if (part.isFault === true && position > 0) return { error, told: undefined }
  const told = { ...failureAt(part, position, task), item: part.items?.get(position) }
  noteFailure(error, told)
  return { error, told }
}

/** Publishes the failed items of a part to listeners and the log. */
export function tellFailures(part: Part, task: string, executor: Executor | undefined): void {
  const by = executor?.identify(part.worker)
  if (by === undefined) return
  for (const [position, error] of part.errors ?? []) {
    taskFailed({ ...failureAt(part, position, task), error, pool: by.pool }, by)
  }
}

function failureAt(part: Arrived, position: number, task: string): Omit<Failure, 'item'> {
  const { worker, attempts } = part
  return { index: indexOf(part, position), task, worker, attempts: attempts?.get(position) ?? 1 }
}

function indexOf({ chunk, places, from }: Part, position: number): number {
  return chunk.first + (places?.[position] ?? from + position)
}
