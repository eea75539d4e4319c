/**
 * What becomes of a chunk that a thread holds: the parts that its worker posts, made into parts for the stream, and the
 * errors of items that will have no outcome any more, because their worker died or its message could not be read.
 */
import { Encoded, Items } from '../codec/batch.js'
import { openError } from '../codec/envelope.js'
import { NotSerializableError, WorkerCrashError } from '../errors.js'
import type { Slot } from '../worker/cells.js'
import type { PartDetails, PartMessage } from '../worker/protocol.js'
import type { Chunk, Part } from './executor.js'
import type { ThreadLane } from './lane.js'
import type { Sent } from './thread.js'

/** A chunk that a thread holds. */
export class Held implements Sent {
  readonly lane: ThreadLane
  readonly chunk: Chunk
  readonly seq: number
  readonly slot: Slot
  readonly sentBytes: number
  /** When it was first in its thread, by `performance.now()`. */
  since: number = performance.now()
  /** How many of its items have their outcomes, and, when those came out of order, which. */
  received = 0
  places: Set<number> | undefined
  /** The bytes of its results so far. */
  bytes = 0

  constructor(lane: ThreadLane, chunk: Chunk, { seq, slot, sentBytes }: Sent) {
    this.lane = lane
    this.chunk = chunk
    this.seq = seq
    this.slot = slot
    this.sentBytes = sentBytes
  }
}

/** Opens what a worker posted; the results stay encoded. */
export function partOf(held: Held, message: PartMessage): Part {
  const [, from, count, last, time, bytes, data, { places, counts, errors, fault } = NO_DETAILS] = message
  const { chunk } = held
  if (fault !== undefined) {
    const part = faultPart(held, openError(fault))
    held.received = chunk.items.length
    return part
  }
  held.received += count
  held.bytes += bytes
  if (places !== undefined) {
    held.places ??= new Set()
    for (const place of places) held.places.add(place)
  }
  return {
    chunk,
    from,
    places,
    count,
    results: new Encoded(counts === undefined ? count : counts.reduce((sum, n) => sum + n, 0), data, bytes),
    counts,
    errors: errors && new Map(errors.map(([position, error]) => [position, openError(error)])),
    last,
    time,
    bytes: Math.max(held.bytes, held.sentBytes),
  }
}

const NO_DETAILS: PartDetails = {}

/** The worker has died: the error of every item that it had not reported. */
export function crashPart(held: Held, worker: number, pool: string, exitCode: number, cause: unknown): Part {
  const { lane, chunk } = held
  const last = chunk.first + chunk.items.length - 1
  const items = last === chunk.first ? `item ${last}` : `items ${chunk.first} to ${last}`
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  const message = `Worker ${worker} of pool '${pool}' ended with exit code ${exitCode} while it ran task '${lane.job.name.id}' on ${items}${reason}`
  return faultPart(held, new WorkerCrashError(message, exitCode, cause === undefined ? {} : { cause }))
}

/** A part did not arrive: the worker could write it, and this thread could not read it. */
export function unreadable({ chunk }: Held): NotSerializableError {
  return new NotSerializableError(
    `Cannot read results of items ${chunk.first} to ${chunk.first + chunk.items.length - 1} as they were sent: ` +
      'one of them may be nested too deeply; return flatter data',
  )
}

/** One error as the outcome of every item of a chunk, or of those before `end`, that has none yet. */
export function faultPart({ chunk, received, places: known }: Held, error: unknown, end?: number): Part {
  const all = Array.from({ length: end ?? chunk.items.length }, (_, place) => place)
  const places = known === undefined ? all.slice(received) : all.filter((place) => !known.has(place))
  const count = places.length
  const errors = new Map(places.map((_, position) => [position, error]))
  return {
    chunk,
    from: received,
    places,
    count,
    results: new Items(places.map(() => undefined)),
    errors,
    isFault: true,
    last: true,
  }
}
