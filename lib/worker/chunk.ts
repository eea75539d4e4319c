/** The chunk that runs, and the context of its tasks. `poster.ts` has the outcomes of the items. */
import { setMaxListeners } from 'node:events'
import { fileIn, hasAtMost, placeIn, type Data, type Packed } from '../codec/codec.js'
import { decodeError } from '../codec/error-codec/decode.js'
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import type { Place } from '../codec/records/format.js'
import { beginItem, beginTimedItem, isCancelled, type Slot } from './cells.js'
import type { ChunkDetails, ChunkMessage, PartMessage, WorkerJob } from './protocol.js'
import { RecordContext } from './record-context.js'

export interface Host {
  readonly worker: number
  readonly cells: Int32Array
  post(part: PartMessage, transfer: Packed['transfer']): void
  /** Takes the messages that have come while a synchronous task blocked the event loop. */
  receive(): void
  /** In a process: tells the pool what the cells say. A thread has memory in common with its pool, which reads the cells. */
  readonly track?: (() => void) | undefined
}

/** A process notes each item of a chunk that has at most this many. It takes 3 µs, so larger chunks of short items would suffer. */
const MAX_TRACKED_ITEMS = 32

export class RunningChunk {
  readonly job: WorkerJob
  readonly host: Host
  readonly seq: number
  readonly slot: Slot
  /** Index of the first item. */
  readonly first: number
  /** Whether its first outcome is to be posted at once. */
  readonly flushFirst: boolean
  readonly data: Data
  /** How many items, from the first on, have had their outcomes before. */
  readonly start: number
  /** Items that are not to be run: the errors that are their outcomes, or undefined where that has been given. */
  readonly settled: ReadonlyMap<number, EncodedError | undefined> | undefined
  /** In a process: called when an item begins, so that the pool knows which one ended it. Undefined: that is not noted. */
  readonly track: Host['track']
  /** How an item of it begins, of those that run one after the other. */
  readonly begin: typeof beginItem
  #controller: AbortController | undefined
  #isAborting = false
  #reason: EncodedError | undefined

  constructor([seq, slot, , first, flushFirst, data, details]: ChunkMessage, job: WorkerJob, host: Host) {
    this.job = job
    this.host = host
    this.seq = seq
    this.slot = slot
    this.first = first
    this.flushFirst = flushFirst
    this.data = data
    this.start = details?.start ?? 0
    this.settled = details?.settled && new Map(details.settled)
    this.track = host.track && this.#isTracked(details) ? host.track : undefined
    this.begin =
      this.track === undefined ? (job.timeout === undefined ? beginItem : beginTimedItem) : tracked(this.track)
  }

  #isTracked(details: ChunkDetails | undefined): boolean {
    return details?.isTracked === true || this.job.timeout !== undefined || hasAtMost(MAX_TRACKED_ITEMS, this.data)
  }

  get isCancelled(): boolean {
    return isCancelled(this.host.cells, this.slot, this.seq)
  }

  /** Made when a task asks for it. The mark in the cells aborts it even while a synchronous task polls `aborted`. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      const { signal } = this.#controller
      // All items of the chunk that run at once listen to it.
      setMaxListeners(0, signal)
      const aborted = (): boolean => Reflect.get<AbortSignal, 'aborted'>(AbortSignal.prototype, 'aborted', signal)
      Object.defineProperty(signal, 'aborted', {
        get: () => {
          if (!aborted() && this.isCancelled) this.#abort()
          return aborted()
        },
      })
      if (this.isCancelled) this.#abort()
    }
    return this.#controller.signal
  }

  /** Fires the signal of the items that run. @param reason Why the stream was aborted; undefined if it just ended. */
  cancel(reason?: EncodedError): void {
    this.#reason = reason
    this.#abort()
  }

  /** Once: a runtime's `abort()` may ask `aborted` first, which comes here. */
  #abort(): void {
    if (this.#controller === undefined || this.#isAborting) return
    this.#isAborting = true
    // The mark was seen before the message that tells why: it has been posted by then.
    if (this.#reason === undefined) this.host.receive()
    this.#controller.abort(this.#reason === undefined ? streamEnded() : decodeError(this.#reason))
  }

  /** Where an item is in its input, if it is a record. */
  placeOf(chunkOffset: number): Place | undefined {
    return placeIn(this.data, chunkOffset)
  }

  /** The file that an item is from, if it is a record of one. */
  fileOf(chunkOffset: number): string | undefined {
    return fileIn(this.data, chunkOffset)
  }

  encodeError(error: unknown, chunkOffset: number): EncodedError {
    const place = this.placeOf(chunkOffset)
    const record = place === undefined ? '' : `, ${show(place)}`
    const item = `item ${this.first + chunkOffset}${record}, worker ${this.host.worker}`
    return encodeError(error, `task '${this.job.name.id}' (${item})`)
  }
}

function tracked(track: () => void): typeof beginItem {
  return (cells, chunkOffset) => {
    beginTimedItem(cells, chunkOffset)
    track()
  }
}

function show({ file, record }: Place): string {
  return `record ${record}${file === undefined ? '' : ` of '${file}'`}`
}

/** The reason of a task's signal when its stream ended without an abort: by `break`, an error, or enough results. */
export function streamEnded(): DOMException {
  return new DOMException('The stream ended before this item was done', 'AbortError')
}

export class ItemContext extends RecordContext {
  readonly #chunk: RunningChunk
  readonly index: number

  constructor(chunk: RunningChunk, index: number) {
    super()
    this.#chunk = chunk
    this.index = index
  }

  get signal(): AbortSignal {
    return this.#chunk.signal
  }

  get worker(): number {
    return this.#chunk.host.worker
  }

  override get traceparent(): string | undefined {
    return this.#chunk.job.traceparent
  }

  protected override get place(): Place | undefined {
    return this.#chunk.placeOf(this.index - this.#chunk.first)
  }
}
