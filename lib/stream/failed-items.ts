/** The failed items of a stream: how many there may be, by `maxErrors`, and the file that they go to, by `rejects()`. */
import { isExceeded, limitError } from './error-limit.js'
import type { FailureTarget, KeptFailures } from './failure-target.js'
import { rejectedAt, type ArrivedPart, type DueError } from './outcome.js'
import { taskOf, type StreamPlan } from './plan.js'

export class FailedItems {
  readonly #plan: StreamPlan
  /** Where they go, if they go to a file: from the start of the stream. */
  target: FailureTarget | undefined
  /** Set when too many items have failed. */
  exceeded: DueError | undefined
  #count = 0
  #last: unknown
  /** Of the target. */
  #finishing: 'running' | 'done' | undefined

  constructor(plan: StreamPlan) {
    this.#plan = plan
  }

  /** The stream starts. Throws what opening the target throws. @param kept Set if an earlier run is continued. */
  open(wake: () => void, inputs: () => readonly string[], kept?: KeptFailures): void {
    this.target = this.#plan.rejects?.(wake, inputs, kept)
  }

  /** How many items have failed. */
  get count(): number {
    return this.#count
  }

  /** So many items have failed in an earlier run, which is continued. */
  countFrom(count: number): void {
    this.#count = count
  }

  /**
   * Failed items go to their target, and are counted.
   *
   * @param before How many items came before the part.
   * @returns The part, up to the item with which too many have failed.
   */
  take(part: ArrivedPart, errors: ReadonlyMap<number, unknown>, before: number): ArrivedPart {
    const { maxErrors } = this.#plan
    if (this.target === undefined && maxErrors === undefined) {
      this.#count += errors.size
      return part
    }
    // In an unordered stream, they come in the order in which they failed.
    for (const partOffset of [...errors.keys()].sort((one, other) => one - other)) {
      this.#count++
      this.#last = errors.get(partOffset)
      this.target?.add(rejectedAt(part, partOffset, taskOf(this.#plan)))
      const items = before + partOffset + 1
      if (maxErrors === undefined || !isExceeded(maxErrors, this.#count, items, false)) continue
      this.exceeded = { error: limitError(maxErrors, this.#count, items, this.#last) }
      return { ...part, count: partOffset + 1 }
    }
    return part
  }

  /** The error of too many failed items of a stream that has given all its outcomes. */
  errorAtEnd(items: number): DueError | undefined {
    const { maxErrors } = this.#plan
    if (maxErrors === undefined || !isExceeded(maxErrors, this.#count, items, true)) return undefined
    return { error: limitError(maxErrors, this.#count, items, this.#last) }
  }

  /** Whether the target can be seen. Begins to finish it. @param wake Called when something has changed. */
  isFinished(wake: () => void): boolean {
    if (this.target === undefined) return true
    if (this.#finishing === undefined) {
      this.#finishing = 'running'
      this.target.finish().then(
        () => {
          this.#finishing = 'done'
          wake()
        },
        // It has noted its failure.
        wake,
      )
    }
    return this.#finishing === 'done'
  }
}
