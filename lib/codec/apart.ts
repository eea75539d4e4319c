/** Values on their way to another process, with which nothing can be shared. */
import { attempt } from '../errors.js'
import { encodeFrame } from './frame.js'

/** A value cannot go to another process. */
export class NotSharedError extends Error {}

/** Throws for a value that threads can send each other and processes cannot, such as a lock or a `Blob`. */
export function assertApart(value: unknown): void {
  try {
    encodeFrame(value)
  } catch (cause) {
    // What threads cannot send either has a separate error.
    if (attempt(() => [structuredClone(value)]) === undefined) return
    throw new NotSharedError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
