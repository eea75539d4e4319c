/**
 * The limits that several files of the codec have in common. Tests set `codecLimits` by environment data, before the
 * library is loaded. So small chunks take each path of the codec, in this thread and in its workers.
 */
import { getEnvironmentData } from 'node:worker_threads'

/**
 * The deepest a value may nest. Cloning recurses, and a worker's stack is four times that of the main thread. So a
 * worker can write values that the main thread cannot read. It reads at least about 1,600 levels.
 */
export const MAX_DEPTH = 1_000
/** In a column, records and arrays stand in one another this many levels below the first; what is deeper is cloned. */
export const MAX_LEVELS = 8
/** Records with more keys are cloned. */
export const MAX_KEYS = 64
/** The most groups of values in a column. */
export const MAX_GROUPS = 16
/** Longer arrays are taken for sparse, and gone through by their keys; others by index, which costs less. */
export const MAX_DENSE_LENGTH = 10_000_000

export interface CodecLimits {
  /** Fewer values than these are cloned: that is faster than to encode them. */
  readonly minValues: number
  /** Code is generated for a shape once there have been this many records of it: it repays its making then. */
  readonly minRecordsForCode: number
}

export const codecLimits: CodecLimits = {
  minValues: 48,
  minRecordsForCode: 100,
  // Its declared type allows no plain object; test/support/codec-path.ts sets it.
  ...(getEnvironmentData('millrace.codecLimits') as unknown as Partial<CodecLimits> | undefined),
}
