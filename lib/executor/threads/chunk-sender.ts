/**
 * Sends chunks to a worker: packs their items, numbers them, gives each a slot in the shared cells, and introduces their jobs. It also
 * keeps the shared objects in them for as long as the worker may have them.
 */
import { assertPackedApart } from '../../codec/apart.js'
import { withNotes, pack, cloneEach, type Data, type Packed } from '../../codec/codec.js'
import { encodeError } from '../../codec/error-codec/encode.js'
import type { EncodedError } from '../../codec/error-codec/types.js'
import { BadRecord } from '../../codec/records/record-data.js'
import { transferOf } from '../../codec/transfer-list.js'
import { formatApart } from '../../formats/output-format.js'
import type { SharedObject } from '../../shared/registry.js'
import { isRedefined, redefinitions } from '../../task.js'
import { markCancelled, publish, claim, MAX_SLOTS, type Slot } from '../../worker/cells.js'
import type { ChunkDetails, ChunkMessage, CollectedMessage, ToWorker, WorkerJob } from '../../worker/protocol.js'
import type { Chunk } from '../executor.js'
import { lockablesOf, SentObjects } from './sent-objects.js'
import type { InFlightChunk } from './in-flight-chunk.js'
import type { WorkerPort } from './worker-link.js'

/** A chunk that a worker holds, and how it was sent there. */
export interface Assignment {
  readonly inFlight: InFlightChunk
  /** Its number in the worker, from 1. */
  readonly seq: number
  /** Its place in the shared cells. */
  readonly slot: Slot
  /** How many items and, roughly, how many bytes were sent. */
  readonly items: number
  readonly sentBytes: number
  readonly known: KnownJob
  /** Shared objects that came with it. */
  readonly given: readonly SharedObject[] | undefined
  /** Whether a worker process was asked for it: it comes back if it has not begun. */
  isAskedBack: boolean
  /** When it became the first in its worker, or else when it was sent, by `performance.now()`. Changed by its worker's handle. */
  since: number
}

/** A job as a worker knows it. */
export interface KnownJob {
  /** Its number there. */
  readonly id: number
  /** Whether the worker has given an outcome of it, and so has loaded its task. Set by its worker's handle. */
  isLoaded: boolean
  /** Shared objects in the initial accumulator of a fold: the worker unpacks them with the first chunk that it runs. */
  readonly given: readonly SharedObject[] | undefined
}

export class ChunkSender {
  readonly #port: WorkerPort
  readonly #cells: Int32Array
  readonly #sharesMemory: boolean
  readonly #jobs = new Map<WorkerJob, KnownJob>()
  #lastJob = 0
  /** The modules that the worker was told to load, and how many redefinitions there were at that time. */
  readonly #modules = new Map<string, number>()
  #redefinitions = 0
  #isOutdated = false
  readonly #given = new SentObjects()
  #lastSeq = 0
  /** A bit for each slot that a chunk has. */
  #slots = 0
  #itemsSent = 0
  /** Chunks that are posted together with the next ones. */
  #unposted: ChunkMessage[] = []
  #flushTimer: NodeJS.Immediate | undefined

  /** @param sharesMemory Whether the worker has the cells. Otherwise it takes all that it is sent, and nothing in that can be shared. */
  constructor(port: WorkerPort, cells: Int32Array, sharesMemory = true) {
    this.#port = port
    this.#cells = cells
    this.#sharesMemory = sharesMemory
  }

  get itemsSent(): number {
    return this.#itemsSent
  }

  get isOutdated(): boolean {
    if (this.#redefinitions !== redefinitions()) {
      this.#redefinitions = redefinitions()
      this.#isOutdated = [...this.#modules].some(([module, since]) => isRedefined(module, since))
    }
    return this.#isOutdated
  }

  /** The worker loads a module, unless it has done so before. */
  loads(module: string): void {
    if (!this.#modules.has(module)) this.#modules.set(module, redefinitions())
  }

  /** How many chunks were sent that the worker cannot see yet. */
  get unposted(): number {
    return this.#unposted.length
  }

  /**
   * Sends a chunk. Items that cannot be cloned are sent as errors.
   *
   * @param mayWait Whether it may be posted together with others, in this turn of the event loop: a post costs more than many a chunk.
   */
  send(
    inFlight: InFlightChunk,
    { items, first }: Chunk,
    details: ChunkDetails | undefined,
    mayWait: boolean,
  ): Assignment {
    const { job, flushFirst, transfer } = inFlight.lane
    const seq = ++this.#lastSeq
    const slot = lowestZeroBit(this.#slots)
    // Another chunk's mark would be overwritten.
    if (slot >= MAX_SLOTS)
      throw new Error(`Cannot send a chunk as the worker holds ${MAX_SLOTS}: the most that it may hold`)
    this.#slots |= 1 << slot
    this.#itemsSent += items.length
    const known = this.#jobs.get(job) ?? this.#introduce(job)
    const { id } = known
    if (this.#sharesMemory) publish(this.#cells, slot, seq)
    // `transfer` was called for items that were sent before.
    const asked = details === undefined ? transfer : undefined
    let sent: Pick<Packed, 'bytes' | 'shared'> | undefined
    if (asked === undefined) {
      try {
        const packed = this.#sharesMemory ? items.pack() : assertPackedApart(items.packApart?.() ?? items.pack())
        const message: ChunkMessage = [seq, slot, id, first, flushFirst, packed.data, details]
        if (mayWait && isPrimitive(packed.data)) this.#postLater(message)
        else this.#post(message, packed.transfer)
        sent = packed
      } catch {
        // One of the items cannot be sent: the others are, below.
      }
    }
    if (sent === undefined) {
      const { all, bad } = withoutBad(items.values())
      const moves =
        asked && ((chunkOffset: number) => (bad.has(chunkOffset) ? undefined : transferOf(all[chunkOffset], asked)))
      const cloned = cloneEach('item', all, (chunkOffset) => first + chunkOffset, moves, this.#sharesMemory)
      const settled = [...cloned.refused, ...bad, ...(details?.settled ?? [])]
      const data = withNotes(cloned.values, cloned.notes)
      this.#post([seq, slot, id, first, flushFirst, data, { ...details, settled }], cloned.transfer)
      if (cloned.transfer.length > 0) inFlight.markMoved()
      sent = { bytes: cloned.bytes, shared: cloned.notes.shared }
    }
    const given = sent.shared === undefined ? known.given : lockablesOf(known.given, sent.shared)
    if (given !== undefined) this.#given.add(given)
    return {
      inFlight,
      seq,
      slot,
      items: items.length,
      sentBytes: sent.bytes,
      known,
      given,
      isAskedBack: false,
      since: performance.now(),
    }
  }

  /**
   * Takes back a chunk, unless the worker has begun it. A process is only asked for it, and may give it back later.
   *
   * @returns Whether it did.
   */
  withdraw(sent: Assignment): boolean {
    if (!this.#sharesMemory) {
      this.#askBack(sent)
      return false
    }
    if (!claim(this.#cells, sent.slot, sent.seq)) return false
    this.givenBack(sent)
    return true
  }

  #askBack(sent: Assignment): void {
    if (sent.isAskedBack) return
    sent.isAskedBack = true
    this.#post({ type: 'giveBack', seq: sent.seq })
  }

  /** The worker has not begun this chunk, and does not have it any more. */
  givenBack(sent: Assignment): void {
    this.#itemsSent -= sent.items
    this.settle(sent, false)
  }

  /** The worker does not have this chunk any more. @param wasRead Whether it has unpacked the items. */
  settle({ slot, seq, given }: Assignment, wasRead: boolean): void {
    this.#slots &= ~(1 << slot)
    if (given !== undefined) this.#given.settle(given, wasRead ? seq : 0)
  }

  /** Asks for a chunk to stop: the mark reaches synchronous code, the message fires the signal of what awaits. */
  cancel({ slot, seq }: Assignment, reason?: EncodedError): void {
    // In this order: a task that sees the mark finds the message.
    this.#post({ type: 'cancel', seq, slot, reason })
    markCancelled(this.#cells, slot, seq)
  }

  /** The worker gets no other chunks of this job. */
  forget(job: WorkerJob): void {
    const known = this.#jobs.get(job)
    if (known === undefined) return
    this.#jobs.delete(job)
    this.#post({ type: 'end', id: known.id })
  }

  collected({ ids, seq }: CollectedMessage): void {
    this.#given.collected(ids, seq)
  }

  /** Asks the worker to end by itself. */
  dismiss(): void {
    this.#post({ type: 'leave' })
  }

  #introduce(job: WorkerJob): KnownJob {
    const { initial, ...whole } = job
    const { format } = job
    const rest = this.#sharesMemory || format === undefined ? whole : { ...whole, format: formatApart(format) }
    const packed = job.kind === 'reduce' ? pack([initial]) : undefined
    const known = { id: ++this.#lastJob, isLoaded: false, given: lockablesOf(packed?.shared) }
    this.#jobs.set(job, known)
    this.loads(job.name.module)
    this.#post({ type: 'job', id: known.id, job: rest, initial: packed?.data })
    return known
  }

  /** Posts the chunks that wait for it. */
  flush(): void {
    if (this.#unposted.length === 0) return
    const chunks = this.#unposted
    this.#unposted = []
    this.#port.postMessage({ type: 'chunks', chunks } satisfies ToWorker)
  }

  #post(message: ToWorker, transfer: Packed['transfer'] = []): void {
    this.flush()
    this.#port.postMessage(message, transfer)
  }

  #postLater(message: ChunkMessage): void {
    this.#unposted.push(message)
    this.#flushTimer ??= setImmediate(() => {
      this.#flushTimer = undefined
      this.flush()
    })
  }
}

/** The items, without bad records, and the errors of those. */
function withoutBad(items: readonly unknown[]): {
  readonly all: readonly unknown[]
  readonly bad: ReadonlyMap<number, EncodedError>
} {
  const bad = new Map<number, EncodedError>()
  const all = items.map((item, chunkOffset) => {
    if (!(item instanceof BadRecord)) return item
    bad.set(chunkOffset, encodeError(item.error))
    return undefined
  })
  return { all, bad }
}

const PRIMITIVES: ReadonlySet<string> = new Set(['undefined', 'boolean', 'number', 'bigint', 'string'])

/** Whether a chunk can be posted at any time: its values cannot change, and posting them cannot fail. */
function isPrimitive(data: Data): boolean {
  return Array.isArray(data) && data.every((value) => PRIMITIVES.has(typeof value))
}

function lowestZeroBit(bits: number): number {
  return 31 - Math.clz32(~bits & (bits + 1))
}
