/**
 * A chunk on its way through the workers of a pool. It knows which of its items have had their outcomes, and makes the parts for the
 * stream. When its worker dies, it tells which item caused that, and what is left for another worker.
 */
import { Encoded, Items, type Batch } from '../../codec/batch.js'
import { unpack, type Data } from '../../codec/codec.js'
import { decodeError } from '../../codec/error-codec/decode.js'
import { encodeError } from '../../codec/error-codec/encode.js'
import { WorkerCrashError } from '../../errors.js'
import { Formatted, isFormattedData } from '../../formats/formatted.js'
import { UNTRACKED, type Progress } from '../../worker/cells.js'
import type { ChunkDetails, PartDetails, PartMessage } from '../../worker/protocol.js'
import type { Chunk, Part } from '../executor.js'
import type { ThreadLane } from './thread-lane.js'

/** The item that made a worker end, by its offset in the chunk; or see `InFlightChunk.attribute()`. */
type Attribution = number | 'none' | 'all' | 'unclear'

/** An event loop without a turn for so long counts as blocked, in milliseconds: somewhat more than twice the pulse of a worker. */
const BLOCKED_AFTER_MS = 30

const NO_DETAILS: PartDetails = {}

/** The number of results of one item that has none. */
const NO_RESULTS = new Uint32Array(1)

export class InFlightChunk {
  readonly lane: ThreadLane
  readonly chunk: Chunk
  /** Later chunks of an executor have higher ones. */
  readonly number: number
  /** The links of the queue in which it waits. Only the queue changes them. */
  isQueued = false
  before: InFlightChunk | undefined
  after: InFlightChunk | undefined
  /** How many of its items have had their outcomes; and which, if those came out of order. */
  #received = 0
  #settledOffsets: Set<number> | undefined
  /** The bytes of its results so far. */
  #bytes = 0
  /** The errors of items that must not run (again), by their offset in the chunk. One may have killed a worker. */
  readonly #failedItems: Map<number, unknown>
  #crashesInARow = 0
  #isIsolated: boolean
  /** Whether worker processes note each of its items. */
  #isTracked = false
  /** Whether buffers of its one item have been moved to a worker. Then it cannot be sent again. */
  #hasMoved = false
  /** The exit code of the last worker that has died with it. */
  #exitCode = 1
  /** Its items, when they are sent one by one, and the chunk offset of the first item that was sent last. */
  #single: Batch | undefined
  #offset = 0

  constructor(lane: ThreadLane, chunk: Chunk, number: number) {
    this.lane = lane
    this.chunk = chunk
    this.number = number
    this.#failedItems = new Map(chunk.failed)
    this.#isIsolated = lane.transfer !== undefined
  }

  /** Whether all items have had their outcomes. */
  get isComplete(): boolean {
    return this.#received === this.chunk.items.length
  }

  /** Whether it is sent only to workers that hold nothing else, so that the item that kills them is known. */
  get isIsolated(): boolean {
    return this.#isIsolated
  }

  /** The part of the chunk to send next: all that is left, or one item. */
  next(): { readonly chunk: Chunk; readonly details: ChunkDetails | undefined } {
    // The item is gone, so the worker gets an error as its outcome.
    if (this.#hasMoved) {
      if (this.#isOpen(0)) this.#failedItems.set(0, this.#movedError())
      return { chunk: { first: this.chunk.first, items: new Items([undefined]) }, details: this.#details() }
    }
    if (this.#single === undefined) return { chunk: this.chunk, details: this.#details() }
    this.#offset = this.#received
    if (this.#settledOffsets !== undefined)
      for (this.#offset = 0; this.#settledOffsets.has(this.#offset);) this.#offset++
    const chunkOffset = this.#offset
    const chunk: Chunk = {
      first: this.chunk.first + chunkOffset,
      items: this.#single.slice(chunkOffset, chunkOffset + 1),
    }
    const failed = this.#failedItems.has(chunkOffset) ? encodeError(this.#failedItems.get(chunkOffset)) : undefined
    return { chunk, details: failed && { settled: [[0, failed]] } }
  }

  markMoved(): void {
    this.#hasMoved = true
  }

  /** It has come back from a worker. @param exitCode Of the worker, if that has ended. */
  returned(exitCode: number): void {
    this.#exitCode = exitCode
  }

  /** Makes a part of a worker's message; the results stay encoded. @param sentBytes Roughly how many bytes the worker was sent. */
  accept(message: PartMessage, worker: number, sentBytes: number): Part {
    const [, sentFrom, count, last, time, bytes, data, details = NO_DETAILS] = message
    const { chunkOffsets: sentOffsets, counts, errors, failedItems, fault, isFolded, isForThreads } = details
    this.#crashesInARow = 0
    if (fault !== undefined) return this.failRest(worker, decodeError(fault))
    const offset = this.#offset
    const from = sentFrom + offset
    const chunkOffsets = offset === 0 ? sentOffsets : sentOffsets?.map((chunkOffset) => chunkOffset + offset)
    this.#received += count
    this.#bytes += bytes
    if (chunkOffsets !== undefined) {
      this.#settledOffsets ??= new Set()
      for (const chunkOffset of chunkOffsets) this.#settledOffsets.add(chunkOffset)
    }
    const opened = errors?.map(([partOffset, error]) => {
      const chunkOffset = chunkOffsets?.[partOffset] ?? from + partOffset
      return [
        partOffset,
        this.#failedItems.has(chunkOffset) ? this.#failedItems.get(chunkOffset) : decodeError(error),
      ] as const
    })
    return {
      chunk: this.chunk,
      from,
      chunkOffsets,
      count,
      results: isFormattedData(data)
        ? Formatted.received(data)
        : new Encoded(isFolded === true ? 1 : counts === undefined ? count : sumOf(counts), data, bytes, isForThreads),
      counts,
      isFolded,
      errors: opened && new Map(opened),
      failedItems: failedItems && itemsOf(failedItems, errors),
      worker,
      last: last && this.isComplete,
      time,
      bytes: Math.max(this.#bytes, sentBytes),
      resultBytes: this.#bytes,
    }
  }

  /** A worker has died with it, but not because of an item. @returns How many have in a row, without outcomes of it between them. */
  countCrash(): number {
    return ++this.#crashesInARow
  }

  /**
   * The item that made the worker of this chunk end. `'none'`: none ran. `'all'`: their task did not load. `'unclear'`: it is one of
   * several, which are sent one by one from now on.
   *
   * @param isHung Whether the worker was ended because an item takes too long.
   */
  attribute({ chunkOffset, begun, blockedFor, encoding, encodedFrom }: Progress, isHung: boolean): Attribution {
    const { concurrency, kind } = this.lane.job
    if (chunkOffset === UNTRACKED) return this.#track()
    // It died while it encoded several results.
    if (encoding > 1 || (encoding > 0 && kind === 'reduce')) return this.isolate()
    if (encoding === 1) return this.#isOpen(this.#offset + encodedFrom) ? this.#offset + encodedFrom : 'none'
    if (concurrency === 1 || kind === 'reduce') {
      if (chunkOffset === -1) return 'all'
      return this.#isOpen(this.#offset + chunkOffset) ? this.#offset + chunkOffset : 'none'
    }
    if (begun === 0) return 'all'
    if (this.#isIsolated) return this.#offset
    const candidates: number[] = []
    for (let candidate = 0; candidate < begun; candidate++) if (this.#isOpen(candidate)) candidates.push(candidate)
    const [first, second] = candidates
    if (first === undefined || second === undefined) return first ?? 'none'
    // The item that began first takes too long, unless another one blocks the event loop.
    if (isHung && blockedFor < BLOCKED_AFTER_MS) return this.#isOpen(chunkOffset) ? chunkOffset : 'none'
    return this.isolate()
  }

  /** One of the items made a worker process end. The next one notes which of them runs. */
  #track(): Attribution {
    this.#isTracked = true
    return 'unclear'
  }

  /** One of the items made a worker end: the one that was sent, if they are sent one by one. `'all'`: they have one result. */
  isolate(): Exclude<Attribution, 'none'> {
    const isFold = this.lane.job.kind === 'reduce'
    if (this.#isIsolated) return isFold ? 'all' : this.#offset
    this.#isIsolated = true
    // An encoded batch would be decoded again for each of them; records are cut without that.
    const { items } = this.chunk
    if (!isFold) this.#single = items.isShared === true ? items : new Items([...items.values()])
    return 'unclear'
  }

  /** Gives an item an error. @returns The outcome, if it is due now. Otherwise it comes when the rest is run. */
  failItem(chunkOffset: number, worker: number, error: unknown): Part | undefined {
    const { kind, ordered, concurrency } = this.lane.job
    const isScattered = concurrency > 1 && !ordered
    // The accumulator of a chunk is known only when all of it has been folded.
    if (kind === 'reduce' || (chunkOffset !== this.#received && !isScattered)) {
      this.#failedItems.set(chunkOffset, error)
      return undefined
    }
    this.#received++
    if (isScattered) (this.#settledOffsets ??= new Set()).add(chunkOffset)
    const nothing =
      kind === 'map' ? { results: new Items([undefined]) } : { results: new Items([]), counts: NO_RESULTS }
    const errors = new Map([[0, error]])
    return { chunk: this.chunk, from: chunkOffset, count: 1, ...nothing, errors, worker, last: this.isComplete }
  }

  /** Gives all items that have no outcome the same error. */
  failRest(worker: number, error: unknown): Part {
    const all = Array.from({ length: this.chunk.items.length }, (_, chunkOffset) => chunkOffset)
    const chunkOffsets = all.filter((chunkOffset) => !this.#isSettled(chunkOffset))
    const errors = new Map(chunkOffsets.map((_, partOffset) => [partOffset, error]))
    return {
      chunk: this.chunk,
      from: this.#received,
      chunkOffsets,
      count: chunkOffsets.length,
      results: new Items(chunkOffsets.map(() => undefined)),
      errors,
      worker,
      isFault: true,
      last: true,
    }
  }

  /** Tells a worker what is left of the chunk; undefined: all of it. */
  #details(): ChunkDetails | undefined {
    if (this.#received === 0 && this.#failedItems.size === 0 && !this.#isTracked) return undefined
    const done = [...(this.#settledOffsets ?? [])].map((chunkOffset) => [chunkOffset, undefined] as const)
    const failed = [...this.#failedItems].map(([chunkOffset, error]) => [chunkOffset, encodeError(error)] as const)
    const start = this.#settledOffsets === undefined ? this.#received : 0
    return { start, settled: [...done, ...failed], isTracked: this.#isTracked }
  }

  #isSettled(chunkOffset: number): boolean {
    return this.#settledOffsets?.has(chunkOffset) ?? chunkOffset < this.#received
  }

  #isOpen(chunkOffset: number): boolean {
    return !this.#failedItems.has(chunkOffset) && !this.#isSettled(chunkOffset)
  }

  /** The worker has ended before it began the item, whose buffers are gone. */
  #movedError(): WorkerCrashError {
    const item = `item ${this.chunk.first} of task '${this.lane.job.name.id}'`
    return new WorkerCrashError(
      `Cannot run ${item} on another worker as its buffers were moved to a worker that ended with exit code ${this.#exitCode} before it began the item: ` +
        "make the item again, or omit the option 'transfer'",
      this.#exitCode,
    )
  }
}

/** Items that failed, by their offset in the part. */
function itemsOf(failed: Data, errors: PartDetails['errors']): ReadonlyMap<number, unknown> {
  const items = unpack(failed)
  return new Map(errors?.map(([partOffset], i) => [partOffset, items[i]]))
}

function sumOf(counts: Uint32Array): number {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}
