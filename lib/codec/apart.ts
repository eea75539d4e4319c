/** Values on their way to another process, with which nothing can be shared. */
import { attempt } from '../errors.js'
import { encodeFrame } from './frame.js'
import { SharingCheck } from './sharing-check.js'

const LOSES_CLASS = 'an object would arrive without its class'

/** A value cannot go to another process. */
export class NotSharedError extends Error {}

/** Throws for packed values of which one would lose its class. @returns The same values. */
export function assertPackedApart<P extends { readonly isForThreads?: boolean }>(packed: P): P {
  if (packed.isForThreads === true) throw new NotSharedError(LOSES_CLASS)
  return packed
}

/** Throws for a value that threads can send each other and processes cannot, such as a lock or a `Blob`. */
export function assertApart(value: unknown): void {
  const check = new SharingCheck(Infinity)
  check.isIndependent(value)
  if (check.holdsForThreads) throw new NotSharedError(LOSES_CLASS)
  try {
    encodeFrame(value)
  } catch (cause) {
    // What threads cannot send either has a separate error.
    if (attempt(() => [structuredClone(value)]) === undefined) return
    throw new NotSharedError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
