/**
 * The lanes of a host. All units of a stream share one, so that workers learn its job once. It is closed when its
 * last unit is dropped, or when it has had none for a while.
 */
import { outside } from '../async-context.js'
import type { Chunk, Job, Lane, Part, PoolExecutor } from '../executor/executor.js'
import { Fifo } from '../fifo.js'

/** A unit, as its lane sees it. */
export interface LaneUnit {
  /** Some outcomes have come, in their order. */
  receive(part: Part): void
  /** The executor can give no other outcomes. */
  fail(error: unknown): void
}

export class RunLane {
  readonly #lane: Lane
  readonly #closed: () => void
  readonly #units = new Map<Chunk, LaneUnit>()
  /** They have not been submitted. */
  readonly #waiting = new Fifo<Chunk>()
  /** Whether it has had no unit since `closeIfIdle()` was called. */
  #isIdle = false

  constructor(executor: PoolExecutor, job: Job, closed: () => void) {
    this.#closed = closed
    this.#lane = executor.open(job, { context: outside, wake: this.#advance })
  }

  submit(chunk: Chunk, unit: LaneUnit): void {
    this.#units.set(chunk, unit)
    this.#waiting.push(chunk)
    this.#advance()
  }

  /** The unit is done, and gets nothing more. */
  done(chunk: Chunk): void {
    this.#units.delete(chunk)
    this.#isIdle = false
  }

  /** Nobody wants the outcomes of the unit. What runs is cancelled when this holds for all units of the stream. */
  drop(chunk: Chunk): void {
    if (this.#units.delete(chunk) && this.#units.size === 0) this.close()
  }

  closeIfIdle(): void {
    if (this.#isIdle && this.#units.size === 0) this.close()
    this.#isIdle = true
  }

  close(): void {
    this.#lane.close()
    this.#closed()
  }

  readonly #advance = (): void => {
    const lane = this.#lane
    while (lane.ready) {
      const chunk = this.#waiting.shift()
      if (chunk === undefined) break
      // It may have been dropped.
      if (!this.#units.has(chunk)) continue
      lane.submit(chunk)
      lane.flush()
    }
    for (let part = lane.take(); part !== undefined; part = lane.take()) this.#units.get(part.chunk)?.receive(part)
    if (lane.error === undefined) return
    for (const unit of this.#units.values()) unit.fail(lane.error.error)
  }
}

export class RunLanes {
  readonly #executor: PoolExecutor
  readonly #lanes = new Map<string, RunLane>()

  constructor(executor: PoolExecutor) {
    this.#executor = executor
  }

  /** @param key Of the stream and its job. */
  of(key: string, job: Job): RunLane {
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const lane = new RunLane(this.#executor, job, () => this.#lanes.delete(key))
    this.#lanes.set(key, lane)
    return lane
  }

  closeAll(): void {
    for (const lane of this.#lanes.values()) lane.close()
  }

  /** Closes those that have had no unit since the last call. */
  closeIdle(): void {
    for (const lane of this.#lanes.values()) lane.closeIfIdle()
  }
}
