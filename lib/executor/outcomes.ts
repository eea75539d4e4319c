/**
 * What becomes of a chunk that a thread holds: the parts that its worker posts, made into parts for the stream, and the
 * errors of items that will have no other outcome, because their worker died or its message could not be read.
 */
import { Encoded, Items } from '../codec/batch.js'
import { openError } from '../codec/envelope.js'
import { isErrorObject, NotSerializableError, TaskLoadError, TaskTimeoutError, WorkerCrashError } from '../errors.js'
import type { PartDetails, PartMessage } from '../worker/protocol.js'
import type { TaskName } from '../task.js'
import type { Chunk, Part } from './executor.js'
import type { Turn } from './turn.js'
import type { Assignment } from './chunk-sender.js'

/** Opens what a worker posted; the results stay encoded. */
export function partOf({ turn, sentBytes }: Assignment, worker: number, message: PartMessage): Part {
  const [, sentFrom, count, last, time, bytes, data, { places: sentPlaces, counts, errors, fault } = NO_DETAILS] =
    message
  const { chunk, offset } = turn
  const from = sentFrom + offset
  const places = offset === 0 ? sentPlaces : sentPlaces?.map((place) => place + offset)
  if (fault !== undefined) return faultPart(turn, worker, openError(fault))
  turn.received += count
  turn.bytes += bytes
  if (places !== undefined) {
    turn.places ??= new Set()
    for (const place of places) turn.places.add(place)
  }
  const opened = errors?.map(([position, error]) => {
    const place = places?.[position] ?? from + position
    return [position, turn.culprits.has(place) ? turn.culprits.get(place) : openError(error)] as const
  })
  return {
    chunk,
    from,
    places,
    count,
    results: new Encoded(counts === undefined ? count : counts.reduce((sum, n) => sum + n, 0), data, bytes),
    counts,
    errors: opened && new Map(opened),
    worker,
    last: last && turn.isComplete,
    time,
    bytes: Math.max(turn.bytes, sentBytes),
  }
}

const NO_DETAILS: PartDetails = {}

/** The worker has died while it ran an item, or loaded the task of all of them; or did `how` with an item, as 'received'. */
export function crashError(
  { lane, chunk }: Turn,
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

/** The worker has ended before it began the item, which is gone with it. */
export function movedError({ lane, chunk, exitCode }: Turn): WorkerCrashError {
  const item = `item ${chunk.first} of task '${lane.job.name.id}'`
  return new WorkerCrashError(
    `Cannot run ${item} on another worker as its buffers were moved to one that ended with exit code ${exitCode} before it began the item: ` +
      "make the item again, or leave out the option 'transfer'",
    exitCode,
  )
}

export function timeoutError({ lane, chunk }: Turn, place: number | 'all', worker: string): TaskTimeoutError {
  const { name, timeout } = lane.job
  return new TaskTimeoutError(
    `Task '${name.id}' did not end within ${timeout} ms on ${itemsOf(chunk, place)} (${worker})`,
  )
}

function itemsOf({ first, items }: Chunk, place: number | 'all'): string {
  return place === 'all' ? `items ${first} to ${first + items.length - 1}` : `item ${first + place}`
}

export function loadTimeoutError({ id, module }: TaskName, startTimeout: number, worker: string): TaskLoadError {
  return new TaskLoadError(
    `Cannot run task '${id}' as its module ${module} did not load within ${startTimeout} ms (${worker}): ` +
      'it may wait at its top level for what never comes; wait inside the task, or give a new Pool a longer startTimeout',
  )
}

/** The worker could write the result of an item, or of a whole fold, and this thread could not read it. */
export function unreadableError({ chunk }: Turn, place: number | 'all'): NotSerializableError {
  return new NotSerializableError(
    `Cannot read the result of ${itemsOf(chunk, place)} as it was sent: it may be nested too deeply; return flatter data`,
  )
}

/** One error as the outcome of every item of a chunk that has none yet. */
export function faultPart({ chunk, received, places: known }: Turn, worker: number, error: unknown): Part {
  const all = Array.from({ length: chunk.items.length }, (_, place) => place)
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
    worker,
    isFault: true,
    last: true,
  }
}
