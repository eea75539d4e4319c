/** The failed items of a stream: how many there may be, by `maxErrors`, and the file that they go to, by `rejects()`. */
import { isExceeded, limitError } from './error-limit.js'
import type { FailureTarget, HeldFailures, KeptFailures } from './failure-target.js'
import { rejectedAt, type ArrivedPart, type DueError } from './outcome.js'
import { taskOf, type StreamPlan } from './plan.js'

export class FailedItems implements HeldFailures {
  readonly #plan: StreamPlan
  /** Where they go, if they go to a file: from the start of the stream. */
  target: FailureTarget | undefined
  /** Set when they could not be made to be seen. */
  failure: { readonly error: unknown } | undefined
  /** Set when too many items have failed. */
  exceeded: DueError | undefined
  /** Those of the stage before, which are seen together with these. */
  #before: HeldFailures | undefined
  #count = 0
  #last: unknown
  /** How many hold them: the stream itself does until its end. */
  #holders = 1
  /** Set at the end of the stream. */
  #ended: Promise<void> | undefined
  #isReleased = false

  constructor(plan: StreamPlan) {
    this.#plan = plan
  }

  /**
   * The stream starts. Throws what opening the target throws.
   *
   * @param before The failed items of the stage before.
   * @param kept Set if an earlier run is continued.
   */
  open(wake: () => void, inputs: () => readonly string[], before: HeldFailures | undefined, kept?: KeptFailures): void {
    before?.hold()
    this.#before = before
    this.target = this.#plan.rejects?.(wake, inputs, kept)
  }

  /** How many items have failed. */
  get count(): number {
    return this.#count
  }

  /** How many items have failed in the earlier run that is continued. */
  countFrom(count: number): void {
    this.#count = count
  }

  hold(): void {
    this.#holders++
  }

  async release(): Promise<void> {
    await this.target?.finish()
    if (--this.#holders > 0) return
    await this.#before?.release()
    await this.target?.publish()
  }

  async discard(): Promise<void> {
    await Promise.all([this.#before?.discard(), this.target?.discard()])
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

  /** The stream has ended: it holds them no longer. */
  end(): Promise<void> {
    this.#ended ??= this.release()
    return this.#ended
  }

  /** Whether the stream, which has given all its results, has released them. @param wake Called when that has changed. */
  isReleased(wake: () => void): boolean {
    if (this.target === undefined && this.#before === undefined) return true
    if (this.#ended === undefined) {
      this.end().then(
        () => {
          this.#isReleased = true
          wake()
        },
        (error: unknown) => {
          this.failure = { error }
          wake()
        },
      )
    }
    return this.#isReleased
  }
}
