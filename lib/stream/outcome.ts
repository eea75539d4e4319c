/** The outcome of an item, as the consumer gets it: its result or its error. And the information about an item that has failed. */
import type { Place, RecordFormat } from '../codec/records/format.js'
import type { Executor, Part } from '../executor/executor.js'
import { noteFailure, type Failure } from '../failure.js'
import { taskFailed, tellsFailures } from '../log/events.js'
import type { Rejected } from './failure-target.js'

/** What `rejects()` makes, for the option `errors`: failed items go to a file. */
export interface Rejects {
  /** Where the file is. */
  readonly path: string
}

/** How a failed item is treated: the stream throws its error, gives it as an outcome, leaves it out, or writes it to a file. */
export type ErrorMode = 'throw' | 'settle' | 'skip' | Rejects

/** Also an internal mode, `'late'`: failed items are left out, and the first error ends the stream after all other items. */
export type FailureMode = Exclude<ErrorMode, Rejects> | 'late'

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
      /** On a cluster: the name of the host that tried it last. Absent on a pool, and for an item that no host has run. */
      readonly host?: string | undefined
      /** How often it was tried. */
      readonly attempts: number
    }

export interface ArrivedPart extends Part {
  /** The failed items that will be asked for, by their offset in the part. */
  readonly items?: ReadonlyMap<number, FailedItem> | undefined
}

export interface FailedItem {
  /** Of a record that cannot be read: its text. */
  readonly item: unknown
  /** The format of that text. */
  readonly format: RecordFormat | undefined
  /** Where it is in its input, if it is a record. */
  readonly place: Place | undefined
}

/** An error that ends a stream, and its item, unless an earlier item has failed with the same error. */
export interface DueError {
  readonly error: unknown
  readonly told?: Failure | undefined
}

export function outcomeOf(
  part: ArrivedPart,
  partOffset: number,
  value: unknown,
  task: string,
): Outcome<unknown, unknown> {
  if (part.errors?.has(partOffset) !== true) return { status: 'fulfilled', value, index: indexOf(part, partOffset) }
  const { error: reason } = withFailureInfo(part, partOffset, task)
  return { status: 'rejected', reason, item: part.items?.get(partOffset)?.item, ...failureAt(part, partOffset, task) }
}

/** The error of an item that has failed. From now on, `failure()` of it names the item. */
export function withFailureInfo(part: ArrivedPart, partOffset: number, task: string): DueError {
  const error = part.errors?.get(partOffset)
  // If all items of a chunk share one error, it counts as that of the first of them.
  if (part.isFault === true && partOffset > 0) return { error, told: undefined }
  const { item, place } = part.items?.get(partOffset) ?? {}
  const { file, record, line, offset } = place ?? {}
  const where = place && { file, record, line, offset }
  const told = { ...failureAt(part, partOffset, task), item, ...where }
  noteFailure(error, told)
  return { error, told }
}

/** Tells listeners and the log of the failed items of a part. */
export function publishFailures(part: Part, task: string, executor: Executor): void {
  if (part.errors === undefined || !tellsFailures()) return
  const by = executor.identify(part.worker)
  for (const [partOffset, error] of part.errors) {
    taskFailed({ ...failureAt(part, partOffset, task), error, pool: by.pool }, by)
  }
}

/** An item that has failed, for the target of failed items. */
export function rejectedAt(part: ArrivedPart, partOffset: number, task: string): Rejected {
  const { index, attempts } = failureAt(part, partOffset, task)
  const { item, format, place } = part.items?.get(partOffset) ?? {}
  return { index, item, format, place, error: part.errors?.get(partOffset), task, attempts }
}

function failureAt(part: ArrivedPart, partOffset: number, task: string): Omit<Failure, 'item'> {
  const { worker, host, attempts } = part
  return {
    index: indexOf(part, partOffset),
    task,
    worker,
    ...(host === undefined ? undefined : { host }),
    attempts: attempts?.get(partOffset) ?? 1,
  }
}

function indexOf({ chunk, chunkOffsets, from }: Part, partOffset: number): number {
  return chunk.first + (chunkOffsets?.[partOffset] ?? from + partOffset)
}
