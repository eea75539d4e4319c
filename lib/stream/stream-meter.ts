/**
 * The figures of a stream, for `stats()`, progress and reports. They refer to no stream that a consumer holds, and stay
 * when the stream has ended.
 */
import type { Lane, Part } from '../executor/executor.js'
import { lengthOf } from '../io/iterator-result.js'
import type { Source } from '../io/source.js'
import type { HeldFailures } from './failure-target.js'
import { Occupancy, type Limit } from './occupancy.js'
import { inputsOf, originOf, type Origin, type StageMeter, type StreamEnd } from './origin.js'
import type { PartReader } from './part-reader.js'
import { taskOf, type StreamPlan, type StreamStats } from './plan.js'
import type { Window } from './window.js'

export class StreamMeter implements StageMeter {
  readonly occupancy: Occupancy
  readonly length: number | undefined
  readonly #plan: StreamPlan
  readonly #window: Window
  readonly #parts: PartReader
  /** Where its items come from. */
  readonly #before: Origin | undefined
  /** While the stream is open. */
  #lane: Lane | undefined
  #failed = 0
  #retried = 0
  #observer: ((part: Part) => void) | undefined
  readonly #endListeners: ((end: StreamEnd) => void)[] = []
  #how: StreamEnd | undefined

  constructor(plan: StreamPlan, source: Source<unknown>, window: Window, parts: PartReader) {
    this.occupancy = new Occupancy(plan.workers)
    this.length = lengthOf(source)
    this.#plan = plan
    this.#window = window
    this.#parts = parts
    this.#before = originOf(source)
  }

  /** The stream has opened its lane. */
  open(lane: Lane): void {
    this.#lane = lane
  }

  /** Outcomes have arrived. */
  add(part: Part): void {
    this.#failed += part.errors?.size ?? 0
    this.occupancy.workers = this.#plan.workers
    this.occupancy.add(part)
    this.#observer?.(part)
  }

  /** The stream ends: its figures do not change any more. */
  stop(): void {
    this.occupancy.end()
    this.#retried = this.#lane?.retried ?? 0
    this.#lane = undefined
    this.#observer = undefined
  }

  /** The stream has ended. */
  end(how: StreamEnd): void {
    this.#how = how
    for (const listener of this.#endListeners.splice(0)) listener(how)
  }

  stats(): StreamStats {
    const { chunks, delivered, skipped } = this.#parts.counts
    const rejected = this.#parts.failedItems.target?.count ?? 0
    return {
      read: this.#parts.before + this.#window.read,
      delivered,
      failed: this.failed,
      skipped: skipped - rejected,
      rejected,
      retried: this.#lane?.retried ?? this.#retried,
      chunks,
      chunksize: this.#plan.tuner.tuning.chunksize,
      tuning: this.#plan.tuner.tuning,
      window: this.#window.limit,
      bytesRead: this.#before?.input?.read,
      bytesTotal: this.#before?.input?.total,
      busy: this.occupancy.busy,
      limit: this.limit,
    }
  }

  get task(): string {
    return taskOf(this.#plan)
  }

  get workers(): number {
    return this.#plan.workers
  }

  get done(): number {
    return this.#window.done
  }

  get failed(): number {
    const { failedItems, failedBefore, counts } = this.#parts
    // Of a stream that was left: what has failed behind its last result differs from run to run.
    return this.#how?.how === 'left' ? failedItems.count : failedBefore + this.#failed + counts.refused
  }

  get failedItems(): HeldFailures | undefined {
    return this.#plan.rejects === undefined ? this.before?.failedItems : this.#parts.failedItems
  }

  /** The stage before. */
  get before(): StageMeter | undefined {
    return this.#before?.stages.at(-1)
  }

  /** Where the results of the stream come from. */
  get origin(): Origin {
    return { input: this.#before?.input, stages: [...(this.#before?.stages ?? []), this] }
  }

  /** The paths of the inputs, as far as they are known. */
  get inputs(): readonly string[] {
    return inputsOf(this.#before)
  }

  get limit(): Limit | undefined {
    const { limit } = this.occupancy
    const before = limit === 'source' ? this.before?.limit : undefined
    return before === undefined || before === 'consumer' ? limit : before
  }

  observe(observer: (part: Part) => void): void {
    const before = this.#observer
    this.#observer =
      before === undefined
        ? observer
        : (part) => {
            before(part)
            observer(part)
          }
  }

  onEnd(listener: (end: StreamEnd) => void): void {
    if (this.#how === undefined) this.#endListeners.push(listener)
    else listener(this.#how)
  }
}
