/** Where the failed items of a part are among its results. */
import type { ArrivedPart, FailureMode } from './outcome.js'

export interface FailedAt {
  readonly partOffset: number
  /** How many results of the part are given before it. */
  readonly position: number
}

/** @returns In item order. In an unordered stream: in the order in which they failed. */
export function failedIn({ counts }: ArrivedPart, errors: ReadonlyMap<number, unknown>, mode: FailureMode): FailedAt[] {
  const failed: FailedAt[] = []
  let item = 0
  let position = 0
  for (const partOffset of [...errors.keys()].sort((one, other) => one - other)) {
    if (counts === undefined) position += partOffset - item
    else for (; item < partOffset; item++) position += counts[item] ?? 0
    failed.push({ partOffset, position })
    item = partOffset + 1
    // Its outcome is a result.
    if (mode === 'settle') position++
  }
  return failed
}
