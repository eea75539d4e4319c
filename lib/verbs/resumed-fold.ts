/** A fold that goes on where an earlier run was: its accumulator is stored in a checkpoint. */
import { offAbort, onAbort } from '../aborts.js'
import { cloned } from '../codec/codec.js'
import { InputFiles } from '../disk/input-files.js'
import { openBatches, type BatchReader } from '../io/source.js'
import { withCheckpointPath } from '../resume/checkpoint-error.js'
import { Checkpoints, type EndedRun } from '../resume/checkpoints.js'
import { hashOfFunction } from '../resume/code.js'
import { Mark } from '../resume/mark.js'
import type { ResumeSettings } from '../resume/options.js'
import type { WriteCounts } from '../resume/run-counts.js'
import { restoredValue, storedValue } from '../resume/values.js'
import { countsOf, inputsOf, originOf, type Origin } from '../stream/origin.js'
import type { Stream } from '../stream/stream.js'
import type { HeldFold } from './held-fold.js'
import { withPartials, type Merge, type Result } from './merge-partials.js'

/** What is stored, for errors. */
const STORED = 'the accumulator'

export interface FoldPlan {
  readonly initial: unknown
  readonly merge: Merge
}

/**
 * What is merged when a mark comes is all before it, and nothing behind it.
 *
 * @param signal Ends the fold, after a last checkpoint.
 */
export async function resumedValue(
  partials: Stream<unknown>,
  fold: FoldPlan,
  signal: AbortSignal | undefined,
  settings: ResumeSettings,
  held: HeldFold,
): Promise<unknown> {
  const { initial, merge } = fold
  const plan = {
    plan: { verb: 'reduce', initial: storedValue(initial, "'initial'") },
    code: { merge: hashOfFunction(merge) },
  }
  const origin = originOf(partials)
  const bytesRead = (): number => origin?.input?.read ?? 0
  const checkpoints = await Checkpoints.open(settings.checkpoint, settings, partials, plan, bytesRead)
  const inputs = new InputFiles(() => inputsOf(origin))
  const end = async (run: EndedRun, isDone: boolean): Promise<void> => {
    try {
      if (isDone) await checkpoints.publish(run, { overwrite: true, inputs })
    } finally {
      await checkpoints.release()
    }
  }
  try {
    const run = checkpoints.ended ?? (await new FoldRun(partials, fold, checkpoints, signal).run())
    // Of an earlier run, it has not been read.
    if (checkpoints.ended !== undefined) await partials.return()
    // As a later run would get it, if this one is stopped here.
    const value = restoredValue(run.value, STORED)
    await checkpoints.complete(run)
    await held.give((isDone) => end(run, isDone))
    return value
  } catch (error) {
    await partials.return()
    await checkpoints.settle()
    await checkpoints.release()
    throw withCheckpointPath(error, settings.checkpoint)
  }
}

class FoldRun {
  readonly #partials: Stream<unknown>
  readonly #fold: FoldPlan
  readonly #checkpoints: Checkpoints
  readonly #signal: AbortSignal | undefined
  readonly #origin: Origin
  readonly #started = performance.now()
  #failure: { readonly error: unknown } | undefined
  /** Ends the waiting for the partials, or for a merge. */
  #stopWaiting: ((error: unknown) => void) | undefined
  /** Set if it was aborted: settles when its last checkpoint is made, or that has taken too long. It has failed then. */
  #ending: Promise<void> | undefined

  constructor(partials: Stream<unknown>, fold: FoldPlan, checkpoints: Checkpoints, signal: AbortSignal | undefined) {
    this.#partials = partials
    this.#origin = originOf(partials) ?? { input: undefined, stages: [] }
    this.#fold = fold
    this.#checkpoints = checkpoints
    this.#signal = signal
  }

  async run(): Promise<EndedRun> {
    const signal = this.#signal
    if (signal?.aborted === true) throw signal.reason
    const checkpoints = this.#checkpoints
    await checkpoints.beginPipeline()
    const before = await checkpoints.outputs()
    const reader = openBatches(this.#partials)
    if (reader === undefined) throw new Error('A stream gives batches')
    checkpoints.start(this.#counts, this.#fail)
    if (signal !== undefined) onAbort(signal, this.#abort)
    try {
      const result = await this.#readAll(reader, before && (restoredValue(before.state, STORED) as Result))
      const value = result === undefined ? cloned(this.#fold.initial) : result.value
      return { counts: this.#counts(), files: [], value: storedValue(value, STORED) }
    } finally {
      if (signal !== undefined) offAbort(signal, this.#abort)
    }
  }

  async #readAll(reader: BatchReader, before: Result): Promise<Result> {
    let result = before
    for (;;) {
      const batch = await this.#unlessFailed(reader.next(Infinity))
      if (batch === undefined) break
      if (batch instanceof Mark) {
        const state = storedValue(result, STORED)
        await this.#checkpoints.take(batch, () => ({ safe: () => Promise.resolve({ state, rests: [] }) }))
        await this.#unlessFailed(this.#ending)
      } else result = await this.#unlessFailed(withPartials(result, batch.values(), this.#fold.merge, []))
      this.#checkpoints.marks.readOn()
    }
    // No mark comes any more.
    if (this.#ending !== undefined) throw this.#signal?.reason
    return result
  }

  readonly #counts = (): WriteCounts => {
    const { read = 0, ...counts } = countsOf(this.#origin)
    const duration = performance.now() - this.#started + this.#checkpoints.before.duration
    return { read, ...counts, written: 0, bytesWritten: 0, duration }
  }

  /** Rejects if the fold fails, or is aborted, before that. */
  #unlessFailed<T>(given: T | PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = reject
      Promise.resolve(given).then(resolve, reject)
      if (this.#failure !== undefined) reject(this.#failure.error)
    })
  }

  readonly #fail = (error: unknown): void => {
    this.#failure ??= { error }
    this.#stopWaiting?.(this.#failure.error)
  }

  readonly #abort = (): void => {
    this.#ending ??= this.#checkpoints.marks.last().then(() => {
      this.#fail(this.#signal?.reason)
    })
  }
}
