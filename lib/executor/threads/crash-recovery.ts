/**
 * Decides what the end of a worker costs the chunks that it held. The item that caused it gets an error. All others without an outcome
 * wait again, to run on other workers.
 */
import { isErrorObject, NotSerializableError, TaskLoadError, TaskTimeoutError, WorkerCrashError } from '../../errors.js'
import { uncaughtInWorker, type ThreadEvent } from '../../log/events.js'
import type { TaskName } from '../../task.js'
import type { Progress } from '../../worker/cells.js'
import type { Chunk, Part } from '../executor.js'
import type { ThreadLane } from './thread-lane.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerEnd } from './worker-link.js'
import type { WorkerHandle } from './worker-handle.js'

/** After this many workers have died while they loaded a task, or began a chunk, its items fail. */
const MAX_ATTEMPTS = 3

/** Outcomes that a chunk has without being run. The rest of it, if there is any, waits to be run. */
export interface LostItems {
  readonly inFlight: InFlightChunk
  readonly part: Part
}

export class CrashRecovery {
  readonly #poolName: string
  /** Uncaught errors of workers that may be those of an item of a chunk: that is not known yet. */
  readonly #uncaught = new Map<InFlightChunk, { readonly by: ThreadEvent; readonly error: unknown }>()

  /** @param poolName For error texts. */
  constructor(poolName: string) {
    this.#poolName = poolName
  }

  /** A worker has ended by itself. */
  crashed(worker: WorkerHandle, held: readonly Assignment[], end: WorkerEnd): LostItems | undefined {
    const progress = worker.progress()
    const running = held.find(({ seq }) => seq === progress.seq)
    const done = running === undefined ? held.find((sent) => worker.hasTaken(sent)) : undefined
    if (done !== undefined) return this.#lostOutcomes(worker, done, end)
    const next = held.find((sent) => !worker.hasTaken(sent))
    const isOfNext =
      running === undefined || (progress.isAwaiting && progress.encoding === 0 && isOutOfMemory(end.cause))
    if (next !== undefined && isOfNext) return this.#lostInReceipt(worker, running, next, end)
    const how = progress.encoding > 0 ? 'sent the result of' : undefined
    return this.#lost(worker, held, progress, false, (inFlight, chunkOffset) =>
      crashError(inFlight, chunkOffset, this.#nameOf(worker), end, how),
    )
  }

  /** A chunk has had its last outcome: an uncaught error that is left belongs to no item of it. */
  settled(inFlight: InFlightChunk): void {
    const uncaught = this.#uncaught.get(inFlight)
    this.#uncaught.delete(inFlight)
    if (uncaught !== undefined) uncaughtInWorker(uncaught.by, uncaught.error)
  }

  /** The lane is closed: its chunks will have no outcomes. */
  released(lane: ThreadLane): void {
    for (const inFlight of this.#uncaught.keys()) if (inFlight.lane === lane) this.settled(inFlight)
  }

  /** A worker was ended because its item takes too long. */
  overdue(worker: WorkerHandle, held: readonly Assignment[], progress: Progress): LostItems | undefined {
    return this.#lost(worker, held, progress, true, (inFlight, chunkOffset) =>
      timeoutError(inFlight, chunkOffset, this.#nameOf(worker)),
    )
  }

  /** A worker was ended because it did not load its task within `startTimeout` ms. Others most likely would not either. */
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
    if (!lane.hasLoaded) lane.fault = { error, worker: worker.link.number }
    else if (inFlight.countCrash() === MAX_ATTEMPTS) return this.#lostItems(inFlight, 'all', worker, error)
    return undefined
  }

  /** A worker was ended because a message of it could not be read. All that it had posted before was read. */
  unreadable(worker: WorkerHandle, held: readonly Assignment[]): LostItems | undefined {
    const inFlight = held.find((sent) => worker.hasTaken(sent))?.inFlight
    if (inFlight?.lane.isOpen !== true) return undefined
    const blamed = inFlight.isolate()
    if (blamed === 'unclear') return undefined
    return this.#lostItems(inFlight, blamed, worker, unreadableError(inFlight, blamed))
  }

  /**
   * The worker may have died because it received the next chunk, with items that are too large for it. It may also have died because of
   * earlier work, or of the chunk that ran.
   */
  #lostInReceipt(
    worker: WorkerHandle,
    running: Assignment | undefined,
    { inFlight }: Assignment,
    end: WorkerEnd,
  ): LostItems | undefined {
    running?.inFlight.isolate()
    this.#noteUncaught(worker, inFlight)
    if (!inFlight.lane.isOpen) return undefined
    const failed = inFlight.isolate()
    if (failed === 'unclear' || inFlight.countCrash() < MAX_ATTEMPTS) return undefined
    const error = crashError(inFlight, failed, this.#nameOf(worker), end, 'received')
    return this.#lostItems(inFlight, failed, worker, error)
  }

  /** A process has ended after a chunk, and before its outcomes were on their way: it may do so again. */
  #lostOutcomes(worker: WorkerHandle, { inFlight }: Assignment, end: WorkerEnd): LostItems | undefined {
    this.#noteUncaught(worker, inFlight)
    if (!inFlight.lane.isOpen) return undefined
    const failed = inFlight.isolate()
    if (failed === 'unclear' || inFlight.countCrash() < MAX_ATTEMPTS) return undefined
    return this.#lostItems(
      inFlight,
      failed,
      worker,
      crashError(inFlight, failed, this.#nameOf(worker), end, 'sent the result of'),
    )
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
    if (typeof failed === 'number') lost = this.#lostItems(inFlight, failed, worker, errorOf(inFlight, failed))
    else if (failed === 'all' && !lane.hasLoaded) {
      // Something else may have ended the worker. But the module must not be loaded again without end.
      if (++lane.failedLoads === MAX_ATTEMPTS) {
        lane.fault = { error: errorOf(inFlight, 'all'), worker: worker.link.number }
      }
    } else if (failed !== 'unclear' && inFlight.countCrash() === MAX_ATTEMPTS) {
      lost = this.#lostItems(inFlight, 'all', worker, errorOf(inFlight, 'all'))
    }
    if (failed !== 'all') lane.hasLoaded = true
    if (typeof failed === 'number' || lost !== undefined || lane.fault !== undefined) this.#uncaught.delete(inFlight)
    else this.#noteUncaught(worker, failed === 'none' ? undefined : inFlight)
    return lost
  }

  /** An uncaught error of a worker may belong to an item of `inFlight`. Without that, it belongs to none. */
  #noteUncaught({ link: { uncaught, identity } }: WorkerHandle, inFlight?: InFlightChunk): void {
    if (uncaught === undefined) return
    const { error } = uncaught
    if (inFlight?.lane.isOpen === true) this.#uncaught.set(inFlight, { by: identity, error })
    else uncaughtInWorker(identity, error)
  }

  #nameOf({ link }: WorkerHandle): string {
    return `Worker ${link.number} of pool '${this.#poolName}'`
  }

  /** Gives an item an error, or all that have no outcome. @returns The outcomes that are due now: others come when the rest is run. */
  #lostItems(
    inFlight: InFlightChunk,
    failed: number | 'all',
    { link: { number } }: WorkerHandle,
    error: Error,
  ): LostItems | undefined {
    const part = failed === 'all' ? inFlight.failRest(number, error) : inFlight.failItem(failed, number, error)
    if (part === undefined) return undefined
    this.#uncaught.delete(inFlight)
    return { inFlight, part }
  }
}

function isOutOfMemory(cause: unknown): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

/** The worker has died while it ran an item, or loaded the task; or, with `how`, while it for example 'received' an item. */
function crashError(
  { lane, chunk }: InFlightChunk,
  chunkOffset: number | 'all',
  worker: string,
  { exitCode, signal, cause }: WorkerEnd,
  how?: string,
): WorkerCrashError {
  const task = `task '${lane.job.name.id}'`
  const item = chunkOffset === 'all' ? 'items' : `item ${chunk.first + chunkOffset}`
  const begun = lane.hasLoaded ? `began a chunk of ${task}` : `loaded ${task}`
  const ran = chunkOffset === 'all' ? begun : `ran ${task} on ${item}`
  const what = how === undefined ? ran : `${how} ${item} of ${task}`
  const reason = isErrorObject(cause) ? `: ${cause.message}` : ''
  const end = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`
  const message = `${worker} ${end} while it ${what}${reason}`
  return new WorkerCrashError(message, exitCode, cause === undefined ? {} : { cause }, signal)
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

/** The worker could send the result of an item, or of a fold, and this thread could not read it. */
function unreadableError({ chunk }: InFlightChunk, chunkOffset: number | 'all'): NotSerializableError {
  return new NotSerializableError(
    `Cannot read the result of ${itemsOf(chunk, chunkOffset)} as this thread cannot decode it: it may be nested too deeply; return flatter data`,
  )
}
