/**
 * From how many values on the codec uses its columns. Tests set other limits by environment data, before the library is loaded,
 * so that small chunks take each of its paths, in this thread and in its workers.
 */
import { getEnvironmentData } from 'node:worker_threads'

export interface CodecLimits {
  /** Fewer values than these are cloned: that is faster than to encode them. */
  readonly minValues: number
  /** Code is generated for a shape once there have been this many records of it: it repays its making then. */
  readonly minRecordsForCode: number
}

const DEFAULTS: CodecLimits = { minValues: 48, minRecordsForCode: 100 }

export const codecLimits: CodecLimits = {
  ...DEFAULTS,
  // Its declared type allows no plain object; test/support/codec-path.ts sets it.
  ...(getEnvironmentData('millrace.codecLimits') as unknown as Partial<CodecLimits> | undefined),
}
