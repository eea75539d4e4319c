/**
 * What the end of a thread costs the chunks that it held: the item that is to blame gets an error; whatever else had no outcome
 * yet waits again, to run on other threads.
 */
import { uncaughtInWorker } from '../log/events.js'
import type { Progress } from '../worker/cells.js'
import type { Dispatcher } from './dispatcher.js'
import type { Chunk, Part } from './executor.js'
import type { ThreadLane } from './lane.js'
import { crashError, faultPart, loadTimeoutError, timeoutError, unreadableError } from './outcomes.js'
import type { Turn } from './turn.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

/** After so many workers that die while they load a task, or begin a chunk, their end is the outcome of its items. */
const ATTEMPTS = 3

export class Losses {
  readonly #dispatcher: Dispatcher
  readonly #pool: string

  /** @param pool Its name. */
  constructor(dispatcher: Dispatcher, pool: string) {
    this.#dispatcher = dispatcher
    this.#pool = pool
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
      this.#lost(worker, held, progress, exitCode, (turn, place) =>
        crashError(
          turn,
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
    const stray = lane.strays.get(chunk)
    if (stray === undefined) return
    lane.strays.delete(chunk)
    uncaughtInWorker(stray.by, stray.error)
  }

  /** Nobody asks for outcomes of this lane any more. */
  released(lane: ThreadLane): void {
    for (const chunk of [...lane.strays.keys()]) this.settled(lane, chunk)
  }

  /** What a thread threw and nobody caught belongs to no item; or it may belong to one of `turn`. */
  #stray(worker: WorkerHandle, turn?: Turn): void {
    if (worker.thread.uncaught === undefined) return
    const { error } = worker.thread.uncaught
    if (turn?.lane.isOpen === true) turn.lane.strays.set(turn.chunk, { by: worker.identity, error })
    else uncaughtInWorker(worker.identity, error)
  }

  /** It was ended as its item takes too long. */
  overdue(worker: WorkerHandle, held: readonly Assignment[], progress: Progress): void {
    this.#lost(worker, held, progress, 'hung', (turn, place) => timeoutError(turn, place, this.#nameOf(worker)))
  }

  /** It was ended as its task was not loaded in time, in milliseconds. Another worker would most likely fare no better. */
  hungLoading(worker: WorkerHandle, held: readonly Assignment[], progress: Progress, startTimeout: number): void {
    this.#dispatcher.addAgain(held)
    const turn = held.find(({ seq }) => seq === progress.seq)?.turn
    if (turn?.lane.isOpen !== true) return
    const { lane } = turn
    const error = loadTimeoutError(lane.job.name, startTimeout, this.#nameOf(worker))
    if (!lane.hasLoaded) lane.fault = { error, worker: worker.number }
    else if (++turn.fruitless === ATTEMPTS) this.#answer(turn, faultPart(turn, worker.number, error))
  }

  /** It was ended as something that it had posted could not be read back. All that it had posted before was read. */
  unreadable(worker: WorkerHandle, held: readonly Assignment[]): void {
    this.#dispatcher.addAgain(held)
    const turn = held.find((sent) => worker.hasTaken(sent))?.turn
    if (turn?.lane.isOpen !== true) return
    const blamed = turn.suspect()
    if (blamed === 'unclear') return
    const error = unreadableError(turn, blamed)
    const part = blamed === 'all' ? faultPart(turn, worker.number, error) : turn.convict(blamed, worker.number, error)
    this.#answer(turn, part)
  }

  /**
   * It may have died while it received the next chunk, of items that are too large for it; or of what was left there before; or,
   * if one ran, of that.
   */
  #lostInReceipt(
    worker: WorkerHandle,
    held: readonly Assignment[],
    running: Assignment | undefined,
    { turn }: Assignment,
    exitCode: number,
    cause: unknown,
  ): void {
    this.#dispatcher.addAgain(held, exitCode)
    running?.turn.suspect()
    this.#stray(worker, turn)
    if (!turn.lane.isOpen) return
    const blamed = turn.suspect()
    if (blamed === 'unclear' || ++turn.fruitless < ATTEMPTS) return
    const error = crashError(turn, blamed, this.#nameOf(worker), exitCode, cause, 'received')
    const part = blamed === 'all' ? faultPart(turn, worker.number, error) : turn.convict(blamed, worker.number, error)
    this.#answer(turn, part)
  }

  #lost(
    worker: WorkerHandle,
    held: readonly Assignment[],
    progress: Progress,
    ended: number | 'hung',
    errorOf: (turn: Turn, place: number | 'all') => Error,
  ): void {
    this.#dispatcher.addAgain(held, ended === 'hung' ? undefined : ended)
    const turn = held.find(({ seq }) => seq === progress.seq)?.turn
    if (turn?.lane.isOpen !== true) {
      this.#stray(worker)
      return
    }
    const { lane } = turn
    const blamed = turn.blame(progress, ended === 'hung')
    let part: Part | undefined
    if (typeof blamed === 'number') part = turn.convict(blamed, worker.number, errorOf(turn, blamed))
    else if (blamed === 'all' && !lane.hasLoaded) {
      // It may have been something else that ended the worker. But to load such a module again and again would not end.
      if (++lane.failedLoads === ATTEMPTS) lane.fault = { error: errorOf(turn, 'all'), worker: worker.number }
    } else if (blamed !== 'unclear' && ++turn.fruitless === ATTEMPTS) {
      part = faultPart(turn, worker.number, errorOf(turn, 'all'))
    }
    if (blamed !== 'all') lane.hasLoaded = true
    if (typeof blamed === 'number' || part !== undefined || lane.fault !== undefined) lane.strays.delete(turn.chunk)
    else this.#stray(worker, blamed === 'none' ? undefined : turn)
    this.#answer(turn, part)
  }

  /** Gives outcomes of a turn that waits, if there are any; it waits no more if they are the last. */
  #answer(turn: Turn, part: Part | undefined): void {
    if (part === undefined) return
    turn.lane.strays.delete(turn.chunk)
    if (part.last) this.#dispatcher.remove(turn)
    turn.lane.answer(part)
  }

  #nameOf(worker: WorkerHandle): string {
    return `Worker ${worker.number} of pool '${this.#pool}'`
  }
}

function isOutOfMemory(cause: unknown): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
}
