/** The sink that hands results and their position to a function of yours, which writes both in one transaction. */
import { InputFiles } from '../disk/input-files.js'
import { received, typeError } from '../errors.js'
import { withEndOf } from '../failure.js'
import { closeQuietly } from '../io/close-with-timeout.js'
import { joinPipeline } from '../io/pipeline.js'
import { closeUnopened, type Source } from '../io/source.js'
import { isAbortSignal } from '../options.js'
import { Positions } from '../resume/positions.js'
import type { CommitCounts } from '../resume/run-counts.js'
import { assertSource } from '../verbs/arguments.js'
import type { Sink } from '../verbs/reduce.js'
import { asStage } from '../verbs/stage.js'
import { ACTION, planCommit, type CommitOptions, type CommitPlan, type CommitTarget } from './commit-options.js'
import { CommitRun } from './commit-run.js'
import { traceSource } from './origin.js'
import { showRun } from './shown-run.js'

/** What `commit()` has done, with the runs before it that had the same position. */
export interface CommitResult extends CommitCounts {
  /** Whether there was a position, and it went on from there. */
  readonly resumed: boolean
}

/**
 * Hands results to a function of yours, many at a time, with a position to store in the same transaction. The last part
 * of a `pipe`. Run the program again after any stop, also after `kill -9`: it goes on at the position that your database
 * has. So each result is written once, if your function writes its rows and the position together, or neither.
 *
 * **The source** is a file, several files, an array, or `resumable()`. `imap`, `filter`, `flatMap`, `batch`, `take` and
 * `drop` may follow, ordered or not. A run that goes on checks that the inputs, the stages, the options and the code of
 * the tasks are the same as before.
 *
 * **The end** is a position as well. Run the program again after it, and it reads what is new: lines at the end of the
 * last file, and files behind it. If there is nothing new, nothing is committed. To load the inputs again, remove the
 * position.
 *
 * **Failed items** of `rejects()` are safe on disk before the position behind them is committed. The file gets its name
 * after the last transaction. One more call without items stores that.
 *
 * A transaction has at least `items` items, and those that were on their way by then: at most a window of each stage.
 * They are in memory until it is done. Meanwhile, workers go on until the window is full. The position has a kilobyte,
 * and half a kilobyte for each input file.
 *
 * @param target `position()` gives the stored position, or null. `commit(items, position, { previous, first })` writes
 * items and position in one transaction. It may be async. It returns false if `previous` is not what is stored.
 * @param options `items` (default 1,000), `interval` (default 5,000 ms), `allowChangedCode` (default false), `progress`
 * (default false), `report`, `signal`.
 * @returns A function from a source to the promise of a `CommitResult`.
 * @throws {TypeError | RangeError} At the call: `ERR_INVALID_ARGUMENTS`, `ERR_INVALID_OPTION`. The promise rejects with
 * an error of your functions or of the source, with the reason of an aborted `signal`, and with a `CheckpointError`. The
 * source is closed then, and the position stays as it was committed last.
 *
 * @example
 * ```ts
 * import { commit, filter, pipe } from 'millrace'
 *
 * // Stands for a database.
 * let table: { rows: number[]; position: string | null } = { rows: [], position: null }
 *
 * const load = () =>
 *   pipe(
 *     [1, 2, 3, 4, 5],
 *     filter((n: number) => n % 2 === 1, { workers: 0 }),
 *     commit({
 *       position: () => table.position,
 *       commit: (rows: number[], position) => {
 *         table = { rows: [...table.rows, ...rows], position }
 *       },
 *     }),
 *   )
 * console.log((await load()).written, table.rows)
 * // → 3 [ 1, 3, 5 ]
 * console.log((await load()).resumed, table.rows)
 * // → true [ 1, 3, 5 ]
 * ```
 */
export function commit<T>(target: CommitTarget<T>, options?: CommitOptions): Sink<T, CommitResult> {
  const plan = planCommit(target, options)
  const sink: Sink<T, CommitResult> = (source, context) => {
    assertSource(ACTION, source)
    const pipeline = isAbortSignal(context?.signal) ? context.signal : undefined
    if (pipeline !== undefined) joinPipeline(pipeline, source)
    return withEndOf(
      showRun(plan.shown, source, () => commitFrom(plan, source, pipeline)),
      source,
    )
  }
  return asStage(sink, 'commit', '')
}

async function commitFrom(
  plan: CommitPlan,
  source: Source<unknown>,
  pipeline: AbortSignal | undefined,
): Promise<CommitResult> {
  const trace = traceSource(source)
  let positions: Positions
  try {
    positions = await Positions.open(source, () => positionOf(plan), plan.allowChangedCode)
  } catch (error) {
    await closeQuietly({ close: () => closeUnopened(source) })
    throw error
  }
  try {
    const run = new CommitRun(
      plan,
      {
        source,
        inputs: new InputFiles(trace.paths),
        bytesRead: () => trace.counts().bytesRead,
        signals: [plan.signal, pipeline].filter((signal) => signal !== undefined),
        pipeline,
      },
      positions,
    )
    return { ...(await run.run()), resumed: positions.before !== undefined }
  } finally {
    await positions.release()
  }
}

async function positionOf({ target }: CommitPlan): Promise<string | null> {
  const position: unknown = (await target.position()) ?? null
  if (position === null || typeof position === 'string') return position
  const cure = Buffer.isBuffer(position) || typeof position === 'object' ? ' (store it as text)' : ''
  throw typeError(
    'ERR_INVALID_RESULT',
    `Cannot ${ACTION} as position() must give a string, or null: received ${received(position)}${cure}`,
  )
}
