/**
 * This side's end of the data port of a worker, and of the cells it shares with it: chunks go out, parts come in. What a chunk is
 * for, and whose turn it is, is not known here.
 */
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { marked, pack, sift, type Packed } from '../codec/codec.js'
import type { Envelope } from '../codec/envelope.js'
import { transferOf } from '../codec/transfer-list.js'
import type { Shared } from '../shared/shared.js'
import { isRedefined, redefinitions } from '../task.js'
import {
  createCells,
  heapOf,
  isOffered,
  markCancelled,
  offer,
  progressOf,
  settleOffer,
  SLOTS,
  type Progress,
  type Slot,
} from '../worker/cells.js'
import { claimsOf, Given } from './given.js'
import {
  LISTENING,
  type ChunkDetails,
  type FromWorker,
  type PartMessage,
  type ToWorker,
  type WorkerJob,
} from '../worker/protocol.js'
import type { Chunk, Job } from './executor.js'

/** A chunk that a worker was sent: its number there, its slot in the shared cells, and how many items and bytes that was, roughly. */
export interface Sent {
  readonly seq: number
  readonly slot: Slot
  readonly items: number
  readonly sentBytes: number
  readonly known: KnownJob
  /** The objects in it that threads share. */
  readonly given: readonly Shared[] | undefined
  /** Whether buffers of its items were moved there. */
  readonly hasMoved: boolean
}

/** A job as a worker knows it. */
export interface KnownJob {
  /** Its number there. */
  readonly id: number
  /** Whether the worker has given an outcome of it, and so has loaded its task. */
  isLoaded: boolean
  /** The objects that threads share in what its fold begins with: the worker gets them with the first chunk that it runs. */
  readonly given: readonly Shared[] | undefined
}

/** What a link reports. */
export interface LinkEvents {
  part(message: PartMessage): void
  /** A part could not be read back: the link is of no use any more, and reports nothing from now on. */
  garbled(): void
}

export class Link {
  readonly #events: LinkEvents
  readonly #cells = createCells()
  readonly #port: MessagePort
  /** The worker's end, until it is given away. */
  readonly port: MessagePort
  /** Resolves when the worker listens. */
  readonly listening: Promise<void>
  /** The jobs that the worker knows. */
  readonly #jobs = new Map<WorkerJob, KnownJob>()
  #lastJob = 0
  /** The modules whose tasks it was sent, and how many redefinitions there were when it loaded them. */
  readonly #modules = new Map<string, number>()
  #redefinitions = 0
  #isOutdated = false
  #seq = 0
  /** A bit for each slot that a chunk has. */
  #slots = 0
  #itemsSent = 0
  #isGarbled = false
  readonly #given = new Given()

  constructor(events: LinkEvents) {
    this.#events = events
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.port = port2
    this.listening = new Promise<void>((resolve) => {
      port1.on('message', (message: FromWorker) => {
        if (message === LISTENING) resolve()
        else this.#report(message)
      })
    })
    port1.on('messageerror', () => {
      this.#onGarbled()
    })
    // The worker alone keeps the program alive, and only while it has work.
    port1.unref()
  }

  /** The memory that the worker shares. */
  get cells(): SharedArrayBuffer {
    return this.#cells.buffer as SharedArrayBuffer
  }

  get isGarbled(): boolean {
    return this.#isGarbled
  }

  /** The worker loads a module, unless it has done so before. */
  loads(module: string): void {
    if (!this.#modules.has(module)) this.#modules.set(module, redefinitions())
  }

  /** Whether it has loaded a module of tasks that this thread has evaluated again since. */
  get isOutdated(): boolean {
    if (this.#redefinitions !== redefinitions()) {
      this.#redefinitions = redefinitions()
      this.#isOutdated = [...this.#modules].some(([module, since]) => isRedefined(module, since))
    }
    return this.#isOutdated
  }

  /** How many items the worker has been sent and has kept. */
  get itemsSent(): number {
    return this.#itemsSent
  }

  /** The heap that the worker had in use after its last chunk, in bytes, garbage included; 0 unless it was asked to tell. */
  get heapUsed(): number {
    return heapOf(this.#cells)
  }

  /**
   * Posts a chunk. Items that cannot be cloned go as errors of their own.
   *
   * @param transfer Tells which buffers of an item are moved. It is not asked about what has been sent before.
   */
  send(
    { items, first }: Chunk,
    job: WorkerJob,
    eager: boolean,
    details?: ChunkDetails,
    transfer?: Job['transfer'],
  ): Sent {
    const seq = ++this.#seq
    const slot = lowestZeroBit(this.#slots)
    // Another chunk's mark would be overwritten.
    if (slot >= SLOTS) throw new Error(`Cannot send a chunk as the worker holds ${SLOTS}: the most that it may hold`)
    this.#slots |= 1 << slot
    this.#itemsSent += items.length
    const known = this.#jobs.get(job) ?? this.#introduce(job)
    const { id } = known
    offer(this.#cells, slot, seq)
    const asked = details === undefined ? transfer : undefined
    if (asked === undefined) {
      try {
        const packed = items.pack()
        this.#post([seq, slot, id, first, eager, packed.data, details], packed.transfer)
        const given = packed.shared === undefined ? known.given : claimsOf(known.given, packed.shared)
        if (given !== undefined) this.#given.add(given)
        return { seq, slot, items: items.length, sentBytes: packed.bytes, known, given, hasMoved: false }
      } catch {
        // One of the items cannot be sent: the others are, below.
      }
    }
    const all = items.values()
    const moves = asked && ((place: number) => transferOf(all[place], asked))
    const sifted = sift('item', all, (place) => first + place, moves)
    const settled = [...sifted.refused, ...(details?.settled ?? [])]
    const data = marked(sifted.values, sifted.notes)
    this.#post([seq, slot, id, first, eager, data, { ...details, settled }], sifted.transfer)
    const given = claimsOf(known.given, sifted.notes.shared)
    if (given !== undefined) this.#given.add(given)
    const hasMoved = sifted.transfer.length > 0
    return { seq, slot, items: items.length, sentBytes: sifted.bytes, known, given, hasMoved }
  }

  /** No more chunks of this job will come. */
  forget(job: WorkerJob): void {
    const known = this.#jobs.get(job)
    if (known === undefined) return
    this.#jobs.delete(job)
    this.#post({ type: 'end', id: known.id })
  }

  /** Whether the worker has begun a chunk, and maybe ended it. */
  hasTaken({ slot, seq }: Sent): boolean {
    return !isOffered(this.#cells, slot, seq)
  }

  /** Takes back a chunk that the worker has not begun; false when it has. */
  withdraw(sent: Sent): boolean {
    if (!settleOffer(this.#cells, sent.slot, sent.seq)) return false
    this.#itemsSent -= sent.items
    this.settle(sent, false)
    return true
  }

  /** The worker holds this chunk no more. @param wasRead Whether it has unpacked the items. */
  settle({ slot, seq, given }: Sent, wasRead: boolean): void {
    this.#slots &= ~(1 << slot)
    if (given !== undefined) this.#given.settle(given, wasRead ? seq : 0)
  }

  /** Asks for a chunk to stop: the mark reaches synchronous code, the message fires the signal of what awaits. */
  cancel({ slot, seq }: Sent, reason?: Envelope): void {
    // In this order: a task that sees the mark finds the message.
    this.#post({ type: 'cancel', seq, reason })
    markCancelled(this.#cells, slot, seq)
  }

  /** Asks the worker to end by itself. */
  dismiss(): void {
    this.#post({ type: 'leave' })
  }

  /** How far the worker is; when it has ended, how far it got. */
  progress(): Progress {
    return progressOf(this.#cells)
  }

  /** Reports what the worker has posted and nobody has heard of yet. */
  drain(): void {
    type Message = Exclude<FromWorker, typeof LISTENING>
    const next = (): Message | undefined => receiveMessageOnPort(this.#port)?.message as Message | undefined
    try {
      for (let message = next(); message !== undefined; message = next()) this.#report(message)
    } catch {
      this.#onGarbled()
    }
  }

  close(): void {
    this.#port.close()
  }

  #introduce(job: WorkerJob): KnownJob {
    const { initial, ...rest } = job
    const packed = job.kind === 'reduce' ? pack([initial]) : undefined
    const known = { id: ++this.#lastJob, isLoaded: false, given: claimsOf(packed?.shared) }
    this.#jobs.set(job, known)
    this.loads(job.name.module)
    this.#post({ type: 'job', id: known.id, job: rest, initial: packed?.data })
    return known
  }

  #post(message: ToWorker, transfer: Packed['transfer'] = []): void {
    this.#port.postMessage(message, transfer)
  }

  #report(message: Exclude<FromWorker, typeof LISTENING>): void {
    if ('ids' in message) this.#given.collected(message.ids, message.seq)
    else if (!this.#isGarbled) this.#events.part(message)
  }

  #onGarbled(): void {
    this.#isGarbled = true
    this.#events.garbled()
  }
}

function lowestZeroBit(bits: number): number {
  return 31 - Math.clz32(~bits & (bits + 1))
}
