/** A stream's way to hosts: P3, P5 and P7. It makes units of chunks, and parts of results. */
import type { Chunk, Lane, LaneClient, Part, StreamState } from '../executor/executor.js'
import { Fifo } from '../fifo.js'
import { thrownBy } from '../wire/error-envelope.js'
import type { Result } from '../wire/result.js'
import type { Unit } from '../wire/unit.js'
import type { WireError } from '../wire/wire-error.js'
import { HostLostError } from './errors.js'
import { formatted } from './formatted-part.js'
import { outcomesOf, unreadable } from './messages.js'
import { OpenChunk } from './open-chunk.js'
import type { Producer, SentUnit, UnitLane } from './producer.js'
import { encodeBatch, failures, tooLarge, type Outcomes, type Sendable } from './sendable.js'
import { moduleName } from './task-key.js'
import { traceparentOf } from './traceparent.js'
import { messageOf, packedMessageOf, unitOf, type Compression, type RemoteJob } from './unit-message.js'

/** How many units a stream may have out for each worker. */
const UNITS_PER_WORKER = 4

interface LaneOptions {
  readonly client: LaneClient
  readonly taskKey: string
  readonly compression: Compression | undefined
  /** Gives the trace of a unit. */
  readonly traceparent: (() => unknown) | undefined
  /** The number of a host's worker here. */
  readonly numberOf: (host: string, worker: number) => number
}

/** Items of a chunk that are to be sent together. */
interface Piece {
  readonly of: OpenChunk
  readonly start: number
  readonly count: number
}

export class RemoteLane implements Lane, UnitLane {
  readonly encodes = true
  readonly retried = 0
  readonly run: number
  readonly taskKey: string
  readonly module: string
  out = 0
  error: { readonly error: unknown } | undefined
  readonly #producer: Producer
  readonly #job: RemoteJob
  readonly #client: LaneClient
  readonly #numberOf: LaneOptions['numberOf']
  readonly #traceparent: LaneOptions['traceparent']
  readonly #compression: Compression
  readonly #chunks = new Set<OpenChunk>()
  /** The next one last. */
  readonly #pieces: Piece[] = []
  /** Items of units that were lost, the next one last; and the unit of one of them, which is out. */
  readonly #suspects: Piece[] = []
  #suspect: number | undefined
  readonly #parts = new Fifo<Part>()
  /** Whether somebody waits for the stream's first outcome, and no unit was sent. */
  #isFirst = true
  #isOpen = true

  constructor(
    producer: Producer,
    job: RemoteJob,
    { client, taskKey, traceparent, compression = 'none', numberOf }: LaneOptions,
  ) {
    this.#producer = producer
    this.#job = job
    this.#client = client
    this.#numberOf = numberOf
    this.#traceparent = traceparent
    this.#compression = compression
    this.run = producer.newRun()
    this.taskKey = taskKey
    this.module = moduleName(taskKey)
  }

  get task(): string {
    return this.#job.name.id
  }

  get unsettled(): number {
    let sum = 0
    for (const { left } of this.#chunks) sum += left
    return sum
  }

  get state(): StreamState | undefined {
    return this.#client.state?.()
  }

  get ready(): boolean {
    return this.#pieces.length === 0 && this.#hasRoom
  }

  /** P3 */
  get #hasRoom(): boolean {
    if (!this.#isOpen || !this.#producer.isOpen || !this.#producer.hasRoom) return false
    const { maxWorkers = Infinity } = this.#job
    return this.out < Math.min(UNITS_PER_WORKER * this.#producer.workersOf(this.module), maxWorkers)
  }

  submit(chunk: Chunk): void {
    const of = new OpenChunk(chunk, this.#job)
    this.#chunks.add(of)
    this.#pieces.push({ of, start: 0, count: chunk.items.length })
    this.#sendPieces()
  }

  flush(): void {
    // A unit is published when it has been made.
  }

  take(): Part | undefined {
    const part = this.#parts.shift()
    const { format } = this.#job
    return part === undefined || format === undefined ? part : formatted(part, format)
  }

  close(): void {
    this.#parts.clear()
    this.error = undefined
    this.#end()
  }

  break(error: unknown): void {
    if (!this.#isOpen) return
    this.error = { error }
    this.#end()
    this.#client.wake()
  }

  advance(): void {
    this.#sendPieces()
    if (this.ready) this.#client.wake()
  }

  receive(unit: SentUnit, result: Result, bytes: Uint8Array | undefined): void {
    const worker = this.#numberOf(result.host, result.worker)
    if (result.isLost) this.#onLost(unit)
    else if (result.fault !== undefined)
      this.#failRest(unit, thrownBy(result.fault), true, { worker, host: result.host })
    else this.#receive(unit, outcomesOf(result, bytes, unit.start, worker), result.isLast)
  }

  receiveUnreadable(unit: SentUnit, cause: WireError): void {
    this.#failRest(unit, unreadable('results', cause), true)
  }

  #receive(unit: SentUnit, outcomes: Outcomes, isLast: boolean): void {
    unit.left -= this.#take(unit.of, outcomes, isLast)
    if (unit.left === 0) {
      this.#producer.done(unit)
      if (unit.number === this.#suspect) this.#suspect = undefined
    }
    this.#sendPieces()
    this.#client.wake()
  }

  /** P5. @returns How many outcomes were new. */
  #take(of: OpenChunk, outcomes: Outcomes, isLast: boolean): number {
    const { taken, parts } = of.take(outcomes, isLast)
    for (const part of parts) {
      this.#parts.push(part)
      if (part.last) this.#chunks.delete(of)
    }
    return taken
  }

  #failRest(unit: SentUnit, error: unknown, isFault: boolean, by?: Pick<Part, 'worker' | 'host'>): void {
    const places = unit.of.open(unit.start, unit.start + unit.count)
    const failed = failures(
      unit.start,
      places.map(() => error),
    )
    this.#receive(unit, { ...failed, ...by, chunkOffsets: places, isFault }, true)
  }

  /**
   * P7: a unit was lost with several hosts, because of one of its items or of those that ran beside it. They are sent
   * one after the other. So an item that is lost again is the one that did it.
   */
  #onLost(unit: SentUnit): void {
    const { of, start, count, number } = unit
    if (number === this.#suspect) {
      const item = `item ${of.chunk.first + start} of task '${this.#job.name.id}'`
      this.#failRest(unit, new HostLostError(`Cannot run ${item} as all hosts that ran it were lost`), false)
      return
    }
    for (const place of of.open(start, start + count).reverse()) this.#suspects.push({ of, start: place, count: 1 })
    this.#producer.done(unit)
    this.#sendPieces()
  }

  #sendPieces(): void {
    while (this.#hasRoom) {
      const hasSuspect = this.#suspect === undefined && this.#suspects.length > 0
      const piece = hasSuspect ? this.#suspects.pop() : this.#pieces.pop()
      if (piece === undefined) return
      const number = this.#send(piece)
      if (hasSuspect) this.#suspect = number
    }
  }

  /** @returns The number of its unit; undefined: it is not sent, or in parts. */
  #send({ of, start, count }: Piece): number | undefined {
    const { chunk, failed } = of
    const number = this.#producer.newUnit()
    const sendable = this.#encode({ of, start, count })
    const trace = this.#trace()
    // Getters of items may have ended the stream, and so may the option `traceparent`.
    if (!this.#isOpen) return undefined
    for (const [position, error] of sendable?.failed ?? []) failed.set(start + position, error)
    const unit = sendable && this.#unit(number, { of, start, count }, sendable, trace)
    const bytes = unit && messageOf(unit)
    if (bytes === undefined || bytes.length > this.#producer.maxUnitBytes) {
      if (count > 1) {
        const half = Math.ceil(count / 2)
        this.#pieces.push({ of, start: start + half, count: count - half }, { of, start, count: half })
        return undefined
      }
      const limit = `a message of the broker has at most ${this.#producer.maxUnitBytes} bytes`
      if (!failed.has(start)) failed.set(start, tooLarge('item', chunk.first + start, limit))
    }
    const errors = Array.from({ length: count }, (_, position) => failed.get(start + position))
    if (unit === undefined || bytes === undefined || errors.every((_, position) => failed.has(start + position))) {
      this.#take(of, failures(start, errors), true)
      this.#client.wake()
      return undefined
    }
    this.#isFirst = false
    of.sent(bytes.length)
    this.#producer.send({ number, lane: this, of, start, count, bytes }, packedMessageOf(unit))
    return number
  }

  /** Undefined: it must be halved. */
  #encode({ of: { chunk, failed }, start, count }: Piece): Sendable | undefined {
    const isWhole = count === chunk.items.length
    const batch = isWhole ? chunk.items : chunk.items.slice(start, start + count)
    const skipped = new Map([...failed].map(([place, error]) => [place - start, error]))
    for (const position of skipped.keys()) if (position < 0 || position >= count) skipped.delete(position)
    const encode = (): Sendable | undefined =>
      encodeBatch('item', batch, (position) => chunk.first + start + position, skipped)
    const sendable = this.#client.context.runInAsyncScope(encode)
    if (!isWhole) batch.release()
    return sendable
  }

  #trace(): string | undefined {
    try {
      return this.#client.context.runInAsyncScope(traceparentOf, undefined, this.#traceparent)
    } catch (error) {
      this.break(error)
      return undefined
    }
  }

  #unit(number: number, { of, start, count }: Piece, sendable: Sendable, traceparent: string | undefined): Unit {
    return unitOf(this.#job, {
      ...sendable,
      token: this.#producer.token,
      run: this.run,
      unit: number,
      eager: this.#isFirst,
      first: of.chunk.first + start,
      count,
      traceparent,
      compression: this.#compression,
    })
  }

  #end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#pieces.length = this.#suspects.length = 0
    this.#producer.leave(this)
    for (const { chunk } of this.#chunks) chunk.items.release()
    this.#chunks.clear()
  }
}
