/** The failed items of a stream: how many there may be, by `maxErrors`, and the file that they go to, by `rejects()`. */
import { isExceeded, limitError } from './error-limit.js'
import type { FailureTarget, HeldFailures, KeptFailures } from './failure-target.js'
import { failedIn, type FailedAt } from './failed-in.js'
import { rejectedAt, type ArrivedPart, type DueError, type FailureMode } from './outcome.js'
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
  /** The part that is being given, and its failed items: those that the consumer has come past are counted. */
  #part: ArrivedPart | undefined
  #failed: readonly FailedAt[] = []
  #next = 0
  /** Set if too many have failed with the last of them. */
  #exceeding: { readonly items: number } | undefined
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
   * A part is given next. Its failed items go to their target, and are counted, when the consumer has come past them: it may
   * leave before.
   *
   * @param before How many items came before the part.
   * @returns The part, up to the item with which too many will have failed.
   */
  begin(part: ArrivedPart, errors: ReadonlyMap<number, unknown>, before: number, mode: FailureMode): ArrivedPart {
    const { maxErrors } = this.#plan
    const failed = failedIn(part, errors, mode)
    const itemsAt = (at: number): number => before + (failed[at]?.partOffset ?? 0) + 1
    const last =
      maxErrors === undefined
        ? -1
        : failed.findIndex((_, at) => isExceeded(maxErrors, this.#count + at + 1, itemsAt(at), false))
    this.#part = part
    this.#failed = last < 0 ? failed : failed.slice(0, last + 1)
    this.#next = 0
    if (last < 0) return part
    this.#exceeding = { items: itemsAt(last) }
    return { ...part, count: (failed[last]?.partOffset ?? 0) + 1 }
  }

  /** How many results of the part come before its next failed item. */
  get due(): number {
    return this.#failed[this.#next]?.position ?? Infinity
  }

  /** The consumer has come past those before the result with this index in the part. @returns How many they are. */
  pass(result: number): number {
    const { maxErrors } = this.#plan
    const first = this.#next
    for (let one = this.#failed[first]; one !== undefined && one.position <= result; one = this.#failed[this.#next]) {
      this.#next++
      this.#count++
      this.#last = this.#part?.errors?.get(one.partOffset)
      if (this.#part !== undefined) this.target?.add(rejectedAt(this.#part, one.partOffset, taskOf(this.#plan)))
    }
    const passed = this.#next - first
    if (this.#next < this.#failed.length) return passed
    if (maxErrors !== undefined && this.#exceeding !== undefined) {
      const error = limitError(maxErrors, this.#count, this.#exceeding.items, this.#last)
      this.exceeded = { error }
    }
    this.clear()
    return passed
  }

  /** Forgets those that the consumer has not come past. */
  clear(): void {
    this.#part = undefined
    this.#failed = []
    this.#next = 0
    this.#exceeding = undefined
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
