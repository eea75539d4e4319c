/**
 * What the end of a worker costs the chunks that it held: the item that is to blame gets an error. All others without an outcome wait
 * again, to run on other workers.
 */
import { isErrorObject, NotSerializableError, TaskLoadError, TaskTimeoutError, WorkerCrashError } from '../../errors.js'
import { uncaughtInWorker } from '../../log/events.js'
import type { TaskName } from '../../task.js'
import type { Progress } from '../../worker/cells.js'
import type { Chunk, Part } from '../executor.js'
import type { ThreadLane } from './thread-lane.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

/**
 * After this many workers have died while they loaded a task, or began a chunk, the crash is the outcome of its items.
 */
const MAX_ATTEMPTS = 3

/** Outcomes that a chunk has without being run: it waits for what it has left to be run, if there is anything. */
export interface LostItems {
  readonly inFlight: InFlightChunk
  readonly part: Part
}

export class CrashRecovery {
  readonly #poolName: string

  /** @param poolName For error texts. */
  constructor(poolName: string) {
    this.#poolName = poolName
  }

  /** It has ended by itself. `cause` is its uncaught error, if there was one. */
  crashed(worker: WorkerHandle, held: readonly Assignment[], exitCode: number, cause: unknown): LostItems | undefined {
    const progress = worker.progress()
    const running = held.find(({ seq }) => seq === progress.seq)
    const next = held.find((sent) => !worker.hasTaken(sent))
    const isOfNext = running === undefined || (progress.isAwaiting && progress.encoding === 0 && isOutOfMemory(cause))
    if (next !== undefined && isOfNext) return this.#lostInReceipt(worker, running, next, exitCode, cause)
    const how = progress.encoding > 0 ? 'sent the result of' : undefined
    return this.#lost(worker, held, progress, false, (inFlight, chunkOffset) =>
      crashError(inFlight, chunkOffset, this.#nameOf(worker), exitCode, cause, how),
    )
  }

  /** A chunk has had its last outcome: what no item of it has failed with belongs to none. */
  settled(lane: ThreadLane, chunk: Chunk): void {
    const uncaught = lane.hasUncaught ? lane.takeUncaught(chunk) : undefined
    if (uncaught !== undefined) uncaughtInWorker(uncaught.by, uncaught.error)
  }

  /** Nobody asks for outcomes of this lane any more. */
  released(lane: ThreadLane): void {
    if (lane.hasUncaught) for (const chunk of lane.chunksWithUncaught()) this.settled(lane, chunk)
  }

  /** It was ended as its item takes too long. */
  overdue(worker: WorkerHandle, held: readonly Assignment[], progress: Progress): LostItems | undefined {
    return this.#lost(worker, held, progress, true, (inFlight, chunkOffset) =>
      timeoutError(inFlight, chunkOffset, this.#nameOf(worker)),
    )
  }

  /** It was ended as its task was not loaded in time, in milliseconds. Another worker would most likely fare no better. */
  hungLoading(
    worker: WorkerHandle,
    held: readonly Assignment[],
    progress: Progress,
    startTimeout: number,
  ): LostItems | undefined {
    const inFlight = held.find(({ seq }) => seq === progress.seq)?.inFlight
    if (inFlight?.lane.isOpen !== true) return undefined
    const { lane } = inFlight
    const error = loadTimeoutError(lane.job.name, startTimeout, this.#nameOf(worker))
    if (!lane.hasLoaded) lane.fail({ error, worker: worker.number })
    else if (inFlight.countCrash() === MAX_ATTEMPTS) return lostItems(inFlight, 'all', worker, error)
    return undefined
  }

  /** It was ended as something that it had posted could not be read back. All that it had posted before was read. */
  unreadable(worker: WorkerHandle, held: readonly Assignment[]): LostItems | undefined {
    const inFlight = held.find((sent) => worker.hasTaken(sent))?.inFlight
    if (inFlight?.lane.isOpen !== true) return undefined
    const blamed = inFlight.isolate()
    return blamed === 'unclear' ? undefined : lostItems(inFlight, blamed, worker, unreadableError(inFlight, blamed))
  }

  /**
   * It may have died while it received the next chunk, of items that are too large for it; or of what was left there before; or,
   * if one ran, of that.
   */
  #lostInReceipt(
    worker: WorkerHandle,
    running: Assignment | undefined,
    { inFlight }: Assignment,
    exitCode: number,
    cause: unknown,
  ): LostItems | undefined {
    running?.inFlight.isolate()
    this.#noteUncaught(worker, inFlight)
    if (!inFlight.lane.isOpen) return undefined
    const failed = inFlight.isolate()
    if (failed === 'unclear' || inFlight.countCrash() < MAX_ATTEMPTS) return undefined
    const error = crashError(inFlight, failed, this.#nameOf(worker), exitCode, cause, 'received')
    return lostItems(inFlight, failed, worker, error)
  }

  #lost(
    worker: WorkerHandle,
    held: readonly Assignment[],
    progress: Progress,
    isHung: boolean,
    errorOf: (inFlight: InFlightChunk, chunkOffset: number | 'all') => Error,
  ): LostItems | undefined {
    const inFlight = held.find(({ seq }) => seq === progress.seq)?.inFlight
    if (inFlight?.lane.isOpen !== true) {
      this.#noteUncaught(worker)
      return undefined
    }
    const { lane } = inFlight
    const failed = inFlight.attribute(progress, isHung)
    let lost: LostItems | undefined
    if (typeof failed === 'number') lost = lostItems(inFlight, failed, worker, errorOf(inFlight, failed))
    else if (failed === 'all' && !lane.hasLoaded) {
      // It may have been something else that ended the worker. But to load such a module again and again would not end.
      if (lane.countFailedLoad() === MAX_ATTEMPTS) lane.fail({ error: errorOf(inFlight, 'all'), worker: worker.number })
    } else if (failed !== 'unclear' && inFlight.countCrash() === MAX_ATTEMPTS) {
      lost = lostItems(inFlight, 'all', worker, errorOf(inFlight, 'all'))
    }
    if (failed !== 'all') lane.loaded()
    if (typeof failed === 'number' || lost !== undefined || lane.fault !== undefined) lane.takeUncaught(inFlight.chunk)
    else this.#noteUncaught(worker, failed === 'none' ? undefined : inFlight)
    return lost
  }

  /** What a worker threw and nobody caught belongs to no item; or it may belong to one of `inFlight`. */
  #noteUncaught({ thread, identity }: WorkerHandle, inFlight?: InFlightChunk): void {
    if (thread.uncaught === undefined) return
    const { error } = thread.uncaught
    if (inFlight?.lane.isOpen === true) inFlight.lane.addUncaught(inFlight.chunk, { by: identity, error })
    else uncaughtInWorker(identity, error)
  }

  #nameOf(worker: WorkerHandle): string {
    return `Worker ${worker.number} of pool '${this.#poolName}'`
  }
}

/** Gives an item an error, or all that have no outcome. @returns What is due of it now: the rest comes when the others are run. */
function lostItems(
  inFlight: InFlightChunk,
  failed: number | 'all',
  { number }: WorkerHandle,
  error: Error,
): LostItems | undefined {
  const part = failed === 'all' ? inFlight.failRest(number, error) : inFlight.failItem(failed, number, error)
  if (part === undefined) return undefined
  inFlight.lane.takeUncaught(inFlight.chunk)
  return { inFlight, part }
}

function isOutOfMemory(cause: unknown): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

/** The worker has died while it ran an item, or loaded the task of all of them; or did `how` with an item, as 'received'. */
function crashError(
  { lane, chunk }: InFlightChunk,
  chunkOffset: number | 'all',
  worker: string,
  exitCode: number,
  cause: unknown,
  how?: string,
): WorkerCrashError {
  const task = `task '${lane.job.name.id}'`
  const item = chunkOffset === 'all' ? 'items' : `item ${chunk.first + chunkOffset}`
  const begun = lane.hasLoaded ? `began a chunk of ${task}` : `loaded ${task}`
  const ran = chunkOffset === 'all' ? begun : `ran ${task} on ${item}`
  const what = how === undefined ? ran : `${how} ${item} of ${task}`
  const reason = isErrorObject(cause) ? `: ${cause.message}` : ''
  const message = `${worker} ended with exit code ${exitCode} while it ${what}${reason}`
  return new WorkerCrashError(message, exitCode, cause === undefined ? {} : { cause })
}

function timeoutError({ lane, chunk }: InFlightChunk, chunkOffset: number | 'all', worker: string): TaskTimeoutError {
  const { name, timeout } = lane.job
  return new TaskTimeoutError(
    `Task '${name.id}' did not end within ${timeout} ms on ${itemsOf(chunk, chunkOffset)} (${worker})`,
  )
}

function itemsOf({ first, items }: Chunk, chunkOffset: number | 'all'): string {
  return chunkOffset === 'all' ? `items ${first} to ${first + items.length - 1}` : `item ${first + chunkOffset}`
}

function loadTimeoutError({ id, module }: TaskName, startTimeout: number, worker: string): TaskLoadError {
  return new TaskLoadError(
    `Cannot run task '${id}' as its module ${module} did not load within ${startTimeout} ms (${worker}): ` +
      'it may await something at its top level that never settles; await it inside the task, or give a new Pool a longer startTimeout',
  )
}

/** The worker could write the result of an item, or of a whole fold, and this thread could not read it. */
function unreadableError({ chunk }: InFlightChunk, chunkOffset: number | 'all'): NotSerializableError {
  return new NotSerializableError(
    `Cannot read the result of ${itemsOf(chunk, chunkOffset)} as this thread cannot decode it: it may be nested too deeply; return flatter data`,
  )
}
