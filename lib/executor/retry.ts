/**
 * Tries failed items again: an executor around another one. Its stream gets the outcomes of a chunk as if the item had only
 * taken longer, so that neither its window nor its order knows of it.
 *
 * An item goes again as a chunk of its own, before new chunks of the stream. A chunk of a fold goes again whole, since what it
 * folds to is known only when all of it has been folded.
 */
import { Items } from '../codec/batch.js'
import { NotSerializableError, TaskLoadError } from '../errors.js'
import type { Chunk, Executor, Job, Lane, LaneEvents, Part } from './executor.js'

/** When failed items are tried again. */
export interface RetryPolicy {
  /** How often an item is tried again, at most. */
  readonly attempts: number
  /** How long to wait before the first further try, doubled before each one after it, and the longest wait; in milliseconds. */
  readonly minDelay: number
  readonly maxDelay: number
  /** How much of a wait is left to chance, from 0 to 1. */
  readonly jitter: number
  readonly when?: ((error: unknown) => unknown) | undefined
}

export class RetryExecutor implements Executor {
  readonly #executor: Executor
  readonly #policy: RetryPolicy

  constructor(executor: Executor, policy: RetryPolicy) {
    this.#executor = executor
    this.#policy = policy
  }

  get workers(): number {
    return this.#executor.workers
  }

  open(job: Job, events: LaneEvents): Lane {
    return new RetryLane(this.#executor, this.#policy, job, events)
  }
}

/** A chunk of which items are tried again. */
interface Open {
  readonly chunk: Chunk
  /** Its items, decoded. */
  items: readonly unknown[] | undefined
  /** What has not been given to the stream, in the order of the items. */
  readonly held: Set<Held>
  /** Its last part, when that has come: its figures go with the part that is given last. */
  ended: Part | undefined
}

/** Some outcomes, or the place of an item whose outcome is not known. */
interface Held {
  part?: Part
}

/** An item that is tried again. */
interface Again {
  readonly open: Open
  readonly held: Held
  readonly place: number
  /** How often it has failed. */
  readonly failures: number
}

/** A chunk of a fold. */
interface Fold {
  readonly chunk: Chunk
  /** How often items have failed, by their place. */
  readonly failures: Map<number, number>
  /** Those that are not tried again, with their errors. */
  readonly failed: Map<number, unknown>
}

class RetryLane implements Lane {
  readonly #lane: Lane
  readonly #policy: RetryPolicy
  readonly #events: LaneEvents
  readonly #ordered: boolean
  /** Whether a fold is lost with its first item. */
  readonly #stopOnError: boolean
  readonly #open = new Map<Chunk, Open>()
  /** What chunks that were made here are for. */
  readonly #again = new Map<Chunk, Again>()
  readonly #folds = new Map<Chunk, Fold>()
  /** Those that wait for their time, and those that wait for room. */
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #due: Chunk[] = []
  #closed = false

  constructor(executor: Executor, policy: RetryPolicy, job: Job, events: LaneEvents) {
    this.#policy = policy
    this.#events = events
    this.#ordered = job.ordered
    this.#stopOnError = job.stopOnError
    const isFold = job.kind === 'reduce'
    // A fold goes on behind an item that fails: it may be tried again.
    this.#lane = executor.open(isFold ? { ...job, stopOnError: false } : job, {
      room: () => {
        this.#submitDue()
        if (this.ready) events.room()
      },
      part: (part) => {
        if (isFold) this.#onFold(part)
        else this.#onPart(part)
      },
      retried: () => {
        events.retried()
      },
      broken: (error) => {
        events.broken(error)
      },
    })
  }

  get encodes(): boolean {
    return this.#lane.encodes
  }

  get ready(): boolean {
    return !this.#closed && this.#due.length === 0 && this.#lane.ready
  }

  submit(chunk: Chunk): void {
    this.#lane.submit(chunk)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#due.length = 0
    this.#open.clear()
    this.#again.clear()
    this.#folds.clear()
    this.#lane.close()
  }

  #onPart(part: Part): void {
    const again = this.#again.get(part.chunk)
    if (again === undefined) this.#onFirst(part)
    else {
      if (part.last) this.#again.delete(part.chunk)
      if (part.count > 0) this.#onAgain(again, part)
    }
  }

  /** Outcomes of items that were tried for the first time. */
  #onFirst(part: Part): void {
    const { chunk, from, places, last } = part
    const failed = this.#retriable(part, 1)
    if (this.#closed) return
    let open = this.#open.get(chunk)
    if (open === undefined) {
      if (failed.length === 0) {
        this.#events.part(part)
        return
      }
      open = { chunk, items: undefined, held: new Set(), ended: undefined }
      this.#open.set(chunk, open)
    }
    if (last) open.ended = part
    for (const [i, piece] of without(part, failed).entries()) {
      if (piece.count > 0) open.held.add({ part: piece })
      const position = failed[i]
      if (position === undefined) continue
      const held: Held = {}
      open.held.add(held)
      this.#tryAgain({ open, held, place: places?.[position] ?? from + position, failures: 1 })
    }
    if (last && open.held.size === 0) this.#give(open, { part })
    else this.#giveDue(open, open.held)
  }

  /** The outcome of an item that was tried again. */
  #onAgain({ open, held, place, failures }: Again, part: Part): void {
    const failed = part.errors !== undefined
    const attempts = failures + 1
    const again = this.#retriable(part, attempts).length > 0
    if (this.#closed) return
    if (again) {
      this.#tryAgain({ open, held, place, failures: attempts })
      return
    }
    const of = { chunk: open.chunk, from: place, places: undefined }
    held.part = { ...part, ...of, attempts: failed ? new Map([[0, attempts]]) : undefined }
    this.#giveDue(open, this.#ordered ? open.held : [held])
  }

  /** Gives the stream what is known; where there is an order, only what nothing is held before. */
  #giveDue(open: Open, all: Iterable<Held>): void {
    for (const held of all) {
      if (this.#closed) return
      if (held.part !== undefined) this.#give(open, held)
      else if (this.#ordered) return
    }
  }

  #give(open: Open, held: Held): void {
    const { chunk, ended } = open
    open.held.delete(held)
    const last = ended !== undefined && open.held.size === 0
    if (last) this.#open.delete(chunk)
    if (held.part !== undefined) this.#events.part({ ...held.part, last, time: ended?.time, bytes: ended?.bytes })
  }

  /** What a chunk was folded to; or its items that have failed, and with them all of it. */
  #onFold(part: Part): void {
    const fold: Fold = this.#folds.get(part.chunk) ?? { chunk: part.chunk, failures: new Map(), failed: new Map() }
    const { chunk, failures, failed } = fold
    this.#folds.delete(part.chunk)
    if (part.errors === undefined || part.isFault === true) {
      this.#events.part({ ...part, chunk })
      return
    }
    let most = 0
    for (const [place, error] of part.errors) {
      if (failed.has(place)) continue
      const attempts = (failures.get(place) ?? 0) + 1
      failures.set(place, attempts)
      if (!this.#isRetriable(error, attempts)) failed.set(place, error)
      else {
        this.#events.retried()
        most = Math.max(most, attempts)
      }
      if (this.#closed) return
    }
    if (most === 0 || (this.#stopOnError && failed.size > 0)) {
      this.#events.part({ ...part, chunk, errors: failed, attempts: failures })
    } else {
      const whole: Chunk = { ...chunk, failed: new Map(failed) }
      this.#folds.set(whole, fold)
      this.#submitLater(whole, most)
    }
  }

  /** The positions of those items that are to be tried again, in order. */
  #retriable({ errors, isFault }: Part, attempts: number): number[] {
    if (errors === undefined || isFault === true) return []
    const positions = [...errors.keys()].filter((position) => this.#isRetriable(errors.get(position), attempts))
    return positions.sort((one, other) => one - other)
  }

  #isRetriable(error: unknown, attempts: number): boolean {
    const { when } = this.#policy
    if (this.#closed || attempts > this.#policy.attempts) return false
    // It would fail in the same way.
    if (error instanceof NotSerializableError || error instanceof TaskLoadError) return false
    if (when === undefined) return true
    try {
      return Boolean(when(error))
    } catch (thrown) {
      this.#events.broken(thrown)
      return false
    }
  }

  #tryAgain(again: Again): void {
    const { open, place, failures } = again
    open.items ??= open.chunk.items.values()
    const chunk: Chunk = { first: open.chunk.first + place, items: new Items([open.items[place]]) }
    this.#again.set(chunk, again)
    this.#events.retried()
    this.#submitLater(chunk, failures)
  }

  /** Until then the timer keeps the program alive, as an item does that runs. */
  #submitLater(chunk: Chunk, failures: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#due.push(chunk)
        this.#submitDue()
      },
      delayAfter(failures, this.#policy),
    )
    this.#timers.add(timer)
  }

  #submitDue(): void {
    while (this.#lane.ready) {
      const chunk = this.#due.shift()
      if (chunk === undefined) return
      this.#lane.submit(chunk)
    }
  }
}

/** How long to wait after so many failures, in milliseconds. */
function delayAfter(failures: number, { minDelay, maxDelay, jitter }: RetryPolicy): number {
  const delay = Math.min(maxDelay, minDelay * 2 ** (failures - 1))
  return delay * (1 - jitter * Math.random())
}

/** What a part is without some of its outcomes: what comes before the first of them, what is between them, and the rest. */
function without(part: Part, positions: readonly number[]): Part[] {
  if (positions.length === 0) return [part]
  const { from, places, count, counts, errors } = part
  const results = part.results.values()
  const pieces: Part[] = []
  let start = 0
  let next = 0
  for (const end of [...positions, count]) {
    const own = counts?.slice(start, end)
    const first = next
    next += own === undefined ? end - start : own.reduce((sum, n) => sum + n, 0)
    const failed = [...(errors ?? [])].filter(([position]) => position >= start && position < end)
    pieces.push({
      ...part,
      from: from + start,
      places: places?.slice(start, end),
      count: end - start,
      results: new Items(results.slice(first, next)),
      counts: own,
      errors: failed.length > 0 ? new Map(failed.map(([position, error]) => [position - start, error])) : undefined,
    })
    // Something stands in the place of a failed item's result, where there is one each.
    if (counts === undefined) next++
    start = end + 1
  }
  return pieces
}
