/**
 * What the end of a worker costs the chunks that it held: the item that is to blame gets an error. All others without an outcome wait
 * again, to run on other workers.
 */
import { isErrorObject, NotSerializableError, TaskLoadError, TaskTimeoutError, WorkerCrashError } from '../errors.js'
import { uncaughtInWorker } from '../log/events.js'
import type { TaskName } from '../task.js'
import type { Progress } from '../worker/cells.js'
import type { Scheduler } from './scheduler.js'
import type { Chunk, Part } from './executor.js'
import type { ThreadLane } from './lane.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

/**
 * After this many workers have died while they loaded a task, or began a chunk, the crash is the outcome of its items.
 */
const MAX_ATTEMPTS = 3

export class CrashRecovery {
  readonly #scheduler: Scheduler
  readonly #poolName: string

  /** @param poolName For error texts. */
  constructor(scheduler: Scheduler, poolName: string) {
    this.#scheduler = scheduler
    this.#poolName = poolName
  }

  /** It has ended by itself. `cause` is its uncaught error, if there was one. */
  crashed(worker: WorkerHandle, held: readonly Assignment[], exitCode: number, cause: unknown): void {
    const progress = worker.progress()
    const running = held.find(({ seq }) => seq === progress.seq)
    const next = held.find((sent) => !worker.hasTaken(sent))
    if (
      next !== undefined &&
      (running === undefined || (progress.isAwaiting && progress.encoding === 0 && isOutOfMemory(cause)))
    ) {
      this.#lostInReceipt(worker, held, running, next, exitCode, cause)
    } else {
      this.#lost(worker, held, progress, exitCode, (inFlight, place) =>
        crashError(
          inFlight,
          place,
          this.#nameOf(worker),
          exitCode,
          cause,
          progress.encoding > 0 ? 'sent the result of' : undefined,
        ),
      )
    }
  }

  /** A chunk has had its last outcome: what no item of it has failed with belongs to none. */
  settled(lane: ThreadLane, chunk: Chunk): void {
    const stray = lane.takeStray(chunk)
    if (stray !== undefined) uncaughtInWorker(stray.by, stray.error)
  }

  /** Nobody asks for outcomes of this lane any more. */
  released(lane: ThreadLane): void {
    for (const chunk of lane.chunksWithStrays()) this.settled(lane, chunk)
  }

  /** What a thread threw and nobody caught belongs to no item; or it may belong to one of `inFlight`. */
  #stray(worker: WorkerHandle, inFlight?: InFlightChunk): void {
    if (worker.thread.uncaught === undefined) return
    const { error } = worker.thread.uncaught
    if (inFlight?.lane.isOpen === true) inFlight.lane.noteStray(inFlight.chunk, { by: worker.identity, error })
    else uncaughtInWorker(worker.identity, error)
  }

  /** It was ended as its item takes too long. */
  overdue(worker: WorkerHandle, held: readonly Assignment[], progress: Progress): void {
    this.#lost(worker, held, progress, 'hung', (inFlight, place) => timeoutError(inFlight, place, this.#nameOf(worker)))
  }

  /** It was ended as its task was not loaded in time, in milliseconds. Another worker would most likely fare no better. */
  hungLoading(worker: WorkerHandle, held: readonly Assignment[], progress: Progress, startTimeout: number): void {
    this.#scheduler.addAgain(held)
    const inFlight = held.find(({ seq }) => seq === progress.seq)?.inFlight
    if (inFlight?.lane.isOpen !== true) return
    const { lane } = inFlight
    const error = loadTimeoutError(lane.job.name, startTimeout, this.#nameOf(worker))
    if (!lane.hasLoaded) lane.fail({ error, worker: worker.number })
    else if (inFlight.countCrash() === MAX_ATTEMPTS) this.#answer(inFlight, inFlight.failRest(worker.number, error))
  }

  /** It was ended as something that it had posted could not be read back. All that it had posted before was read. */
  unreadable(worker: WorkerHandle, held: readonly Assignment[]): void {
    this.#scheduler.addAgain(held)
    const inFlight = held.find((sent) => worker.hasTaken(sent))?.inFlight
    if (inFlight?.lane.isOpen !== true) return
    const blamed = inFlight.isolate()
    if (blamed === 'unclear') return
    const error = unreadableError(inFlight, blamed)
    const part =
      blamed === 'all' ? inFlight.failRest(worker.number, error) : inFlight.failItem(blamed, worker.number, error)
    this.#answer(inFlight, part)
  }

  /**
   * It may have died while it received the next chunk, of items that are too large for it; or of what was left there before; or,
   * if one ran, of that.
   */
  #lostInReceipt(
    worker: WorkerHandle,
    held: readonly Assignment[],
    running: Assignment | undefined,
    { inFlight }: Assignment,
    exitCode: number,
    cause: unknown,
  ): void {
    this.#scheduler.addAgain(held, exitCode)
    running?.inFlight.isolate()
    this.#stray(worker, inFlight)
    if (!inFlight.lane.isOpen) return
    const blamed = inFlight.isolate()
    if (blamed === 'unclear' || inFlight.countCrash() < MAX_ATTEMPTS) return
    const error = crashError(inFlight, blamed, this.#nameOf(worker), exitCode, cause, 'received')
    const part =
      blamed === 'all' ? inFlight.failRest(worker.number, error) : inFlight.failItem(blamed, worker.number, error)
    this.#answer(inFlight, part)
  }

  #lost(
    worker: WorkerHandle,
    held: readonly Assignment[],
    progress: Progress,
    ended: number | 'hung',
    errorOf: (inFlight: InFlightChunk, place: number | 'all') => Error,
  ): void {
    this.#scheduler.addAgain(held, ended === 'hung' ? undefined : ended)
    const inFlight = held.find(({ seq }) => seq === progress.seq)?.inFlight
    if (inFlight?.lane.isOpen !== true) {
      this.#stray(worker)
      return
    }
    const { lane } = inFlight
    const blamed = inFlight.attribute(progress, ended === 'hung')
    let part: Part | undefined
    if (typeof blamed === 'number') part = inFlight.failItem(blamed, worker.number, errorOf(inFlight, blamed))
    else if (blamed === 'all' && !lane.hasLoaded) {
      // It may have been something else that ended the worker. But to load such a module again and again would not end.
      if (lane.countFailedLoad() === MAX_ATTEMPTS) lane.fail({ error: errorOf(inFlight, 'all'), worker: worker.number })
    } else if (blamed !== 'unclear' && inFlight.countCrash() === MAX_ATTEMPTS) {
      part = inFlight.failRest(worker.number, errorOf(inFlight, 'all'))
    }
    if (blamed !== 'all') lane.loaded()
    if (typeof blamed === 'number' || part !== undefined || lane.fault !== undefined) lane.takeStray(inFlight.chunk)
    else this.#stray(worker, blamed === 'none' ? undefined : inFlight)
    this.#answer(inFlight, part)
  }

  /** Gives outcomes of a chunk that waits, if there are any. If they are the last, it does not wait any more. */
  #answer(inFlight: InFlightChunk, part: Part | undefined): void {
    if (part === undefined) return
    inFlight.lane.takeStray(inFlight.chunk)
    if (part.last) this.#scheduler.remove(inFlight)
    inFlight.lane.answer(part)
  }

  #nameOf(worker: WorkerHandle): string {
    return `Worker ${worker.number} of pool '${this.#poolName}'`
  }
}

function isOutOfMemory(cause: unknown): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

/** The worker has died while it ran an item, or loaded the task of all of them; or did `how` with an item, as 'received'. */
function crashError(
  { lane, chunk }: InFlightChunk,
  place: number | 'all',
  worker: string,
  exitCode: number,
  cause: unknown,
  how?: string,
): WorkerCrashError {
  const task = `task '${lane.job.name.id}'`
  const item = place === 'all' ? 'items' : `item ${chunk.first + place}`
  const begun = lane.hasLoaded ? `began a chunk of ${task}` : `loaded ${task}`
  const ran = place === 'all' ? begun : `ran ${task} on ${item}`
  const what = how === undefined ? ran : `${how} ${item} of ${task}`
  const reason = isErrorObject(cause) ? `: ${cause.message}` : ''
  const message = `${worker} ended with exit code ${exitCode} while it ${what}${reason}`
  return new WorkerCrashError(message, exitCode, cause === undefined ? {} : { cause })
}

function timeoutError({ lane, chunk }: InFlightChunk, place: number | 'all', worker: string): TaskTimeoutError {
  const { name, timeout } = lane.job
  return new TaskTimeoutError(
    `Task '${name.id}' did not end within ${timeout} ms on ${itemsOf(chunk, place)} (${worker})`,
  )
}

function itemsOf({ first, items }: Chunk, place: number | 'all'): string {
  return place === 'all' ? `items ${first} to ${first + items.length - 1}` : `item ${first + place}`
}

function loadTimeoutError({ id, module }: TaskName, startTimeout: number, worker: string): TaskLoadError {
  return new TaskLoadError(
    `Cannot run task '${id}' as its module ${module} did not load within ${startTimeout} ms (${worker}): ` +
      'it may await something at its top level that never settles; await it inside the task, or give a new Pool a longer startTimeout',
  )
}

/** The worker could write the result of an item, or of a whole fold, and this thread could not read it. */
function unreadableError({ chunk }: InFlightChunk, place: number | 'all'): NotSerializableError {
  return new NotSerializableError(
    `Cannot read the result of ${itemsOf(chunk, place)} as this thread cannot decode it: it may be nested too deeply; return flatter data`,
  )
}
