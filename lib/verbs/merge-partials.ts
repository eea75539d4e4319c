/** Merges the accumulators of chunks into one, on this thread. */
import { isThenable } from '../thenable.js'

export type Merge = (into: never, partial: never) => unknown

/** Undefined: nothing has been folded. */
export type Result = { readonly value: unknown } | undefined

export async function withPartials(
  before: Result,
  partials: readonly unknown[],
  merge: Merge,
  signals: readonly AbortSignal[],
): Promise<Result> {
  let result = before
  for (const partial of partials) {
    const value = result === undefined ? partial : merge(result.value as never, partial as never)
    result = { value: isThenable(value) ? await unlessAborted(Promise.resolve(value), signals) : value }
  }
  return result
}

/** The promise, or a rejection when a signal fires first. The stream tells of an abort only at the next read. */
async function unlessAborted(promise: Promise<unknown>, signals: readonly AbortSignal[]): Promise<unknown> {
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signals.find((signal) => signal.aborted)?.reason as Error)
    }
  })
  for (const signal of signals) {
    signal.addEventListener('abort', abort)
    // If merge() itself has aborted it, no event will come.
    if (signal.aborted) abort()
  }
  try {
    // Both are watched, so that a rejection of merge() after an abort is not unhandled.
    return await Promise.race([aborted, promise])
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
}
