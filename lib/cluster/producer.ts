/**
 * The producer's side of the protocol, for all streams of a `Cluster`: P4 and P5. It keeps units until all their outcomes
 * are in, has them published, and takes results. `results.ts` has P1, `worker-count.ts` P2, and `audit.ts` P6. A lane
 * makes the units of a stream, and gives it the outcomes.
 */
import { unpackBody } from '../wire/body.js'
import { WireError } from '../wire/wire-error.js'
import type { Head } from '../wire/head.js'
import { decodeResult, type Result } from '../wire/result.js'
import { untilDone } from './attempts.js'
import { Audit, type AuditedUnit } from './audit.js'
import type { Broker, Delivery } from './broker.js'
import { every, type Clock } from './clock.js'
import { HeldOpen } from './held-open.js'
import { encodeCancel } from './messages.js'
import { limitOf, type ClusterLimit, type LimitedLane } from './limit.js'
import { hex, randomToken, type Names } from './names.js'
import type { OpenChunk } from './open-chunk.js'
import { Results } from './results.js'
import { Sequence } from './sequence.js'
import { WorkerCount, type CountedLane } from './worker-count.js'

/** How often workers are counted, and how often it is checked whether an audit is due. In milliseconds. */
const COUNT_MS = 2_000
const CHECK_MS = 1_000
/** How often a unit is published again until a consumer that gives no results for it counts as silent. */
const MAX_AGAIN = 1
/** For what the client adds to a message. */
const OVERHEAD_BYTES = 4 * 1024

export interface ProducerOptions {
  readonly broker: Broker
  readonly names: Names
  readonly clock: Clock
  /** What permissions bind this producer to. */
  readonly name: string
  /** The most bytes of units that are kept. */
  readonly maxBytes: number
  /** How long units wait where there is no host, in milliseconds. */
  readonly patience: number
  /** Told of units that are published again, as the broker has lost them. */
  readonly onAgain?: ((unit: SentUnit) => void) | undefined
}

export interface NewUnit {
  readonly number: number
  readonly lane: UnitLane
  readonly of: OpenChunk
  /** The place of its first item in the chunk, and how many it has. */
  readonly start: number
  readonly count: number
  readonly bytes: Uint8Array
}

/** A unit that was sent, and that has not all its outcomes. */
export interface SentUnit extends NewUnit, AuditedUnit {
  bytes: Uint8Array
  /** How many of its items have no outcome. */
  left: number
  /** How often it was published again, as the broker did not have it. */
  again: number
}

/** A stream, as its producer sees it. */
export interface UnitLane extends CountedLane, LimitedLane {
  readonly run: number
  /** The id of its task. */
  readonly task: string
  out: number
  /** @param bytes Those of the body; undefined if they cannot be unpacked. */
  receive(unit: SentUnit, result: Result, bytes: Uint8Array | undefined): void
  /** A result of the unit cannot be read. */
  receiveUnreadable(unit: SentUnit, cause: WireError): void
}

export class Producer {
  /** New for each `Cluster`, so that nothing of an earlier one fits. */
  readonly token: Uint8Array = randomToken()
  readonly id: string = hex(randomToken())
  readonly counts = { sentAgain: 0, duplicates: 0, rejected: 0 }
  readonly #options: ProducerOptions
  readonly #lanes = new Set<UnitLane>()
  /** By number: the oldest one first. */
  readonly #out = new Map<number, SentUnit>()
  readonly #workers: WorkerCount
  readonly #audit: Audit<SentUnit>
  readonly #results: Results
  readonly #taking = new Sequence()
  #bytes = 0
  #lastRun = 0
  #lastUnit = 0
  /** Streams and `ready()` need the connection. */
  readonly #connection = new HeldOpen(
    () => this.#open(),
    () => this.#close(),
  )
  #timers: readonly (() => void)[] = []

  constructor(options: ProducerOptions) {
    this.#options = options
    const { broker, names, name, clock } = options
    this.#workers = new WorkerCount(options, this.#lanes)
    const filter = names.unitsOf({ name, producer: this.id })
    this.#audit = new Audit({ broker, names, clock, filter }, this.#out, (unit) => void this.#publishAgain(unit))
    this.#results = new Results({
      ...{ broker, names, clock },
      consumer: hex(this.token),
      filter: names.result({ name, producer: this.id }),
      isWanted: () => this.#connection.isNeeded,
      take: this.#take,
      onGone: () => void this.#resume(() => this.#results.open()),
    })
    broker.onChange((isUp) => {
      if (isUp && this.isOpen) void this.#resume(() => this.#results.open())
    })
  }

  get isOpen(): boolean {
    return this.#connection.isOpen
  }

  get out(): number {
    return this.#out.size
  }

  /** Of the units that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  get audits(): number {
    return this.#audit.count
  }

  /** What holds the streams back; undefined without a stream. */
  get limit(): ClusterLimit | undefined {
    return limitOf(this.#lanes, {
      isUp: this.isOpen && this.#options.broker.isUp,
      hasRoom: this.hasRoom,
      counted: (module) => this.#workers.counted(module),
    })
  }

  /** The most bytes of a unit. Once it is open. */
  get maxUnitBytes(): number {
    return this.#options.broker.maxPayload - OVERHEAD_BYTES
  }

  /** P3: whether a unit of any size may be made. */
  get hasRoom(): boolean {
    return this.#bytes === 0 || this.#bytes + this.maxUnitBytes <= this.#options.maxBytes
  }

  /** P2. At least 2. */
  workersOf(module: string): number {
    return this.#workers.of(module)
  }

  /** Of the module that has the most. */
  get workers(): number {
    return this.#workers.most
  }

  newRun(): number {
    return ++this.#lastRun
  }

  newUnit(): number {
    return ++this.#lastUnit
  }

  /** A stream begins. */
  join(lane: UnitLane): void {
    this.#lanes.add(lane)
    this.hold().then(
      () => {
        // The first units need no count.
        lane.advance()
        void this.#workers.count()
      },
      (error: unknown) => {
        lane.break(error)
      },
    )
  }

  /** P7: a stream ends. Hosts are told, if units of it are out. */
  leave(lane: UnitLane): void {
    if (!this.#lanes.delete(lane)) return
    if (lane.out > 0) {
      for (const unit of this.#out.values()) if (unit.lane === lane) this.done(unit)
      const { broker, names, name } = this.#options
      broker.broadcast(names.cancel({ name, producer: this.id }), encodeCancel(this.token, lane.run))
    }
    void this.release()
  }

  /** Opens the connection, and keeps it open until `release()`. @throws ClusterError */
  hold(): Promise<void> {
    return this.#connection.hold()
  }

  /** @returns When the connection is closed, if nobody else holds it. */
  release(): Promise<void> {
    return this.#connection.release()
  }

  /** Resolves when nobody needs the connection, and it is closed. */
  closed(): Promise<void> {
    return this.#connection.closed()
  }

  /** Ends all streams with an error. */
  breakAll(error: unknown): void {
    for (const lane of [...this.#lanes]) lane.break(error)
  }

  /** @param packed A shorter form of its bytes, if there is one: the unit is published when that is known. */
  send(unit: NewUnit, packed?: Promise<Uint8Array | undefined>): void {
    const { clock, names, name } = this.#options
    const { number, lane, bytes, count } = unit
    const { module } = lane
    const sent: SentUnit = {
      ...unit,
      module,
      subject: names.unit({ module, name, producer: this.id }, number),
      sentAt: clock.now(),
      stored: undefined,
      absentSince: undefined,
      left: count,
      again: 0,
    }
    this.#out.set(number, sent)
    this.#bytes += bytes.length
    lane.out++
    void (packed === undefined ? this.#publish(sent) : this.#publishPacked(sent, packed))
  }

  /** P4: a unit has all its outcomes, or nobody wants them. Its own lane sees by itself that there is room. */
  done(unit: SentUnit): void {
    const hadRoom = this.hasRoom
    if (!this.#out.delete(unit.number)) return
    this.#bytes -= unit.bytes.length
    unit.lane.out--
    if (hadRoom) return
    for (const lane of this.#lanes) if (lane !== unit.lane) lane.advance()
  }

  async #open(): Promise<void> {
    const { broker, clock } = this.#options
    await broker.open()
    try {
      await this.#results.open()
    } catch (error) {
      await broker.close()
      throw error
    }
    this.#timers = [
      every(clock, COUNT_MS, () => void this.#workers.count()),
      every(clock, CHECK_MS, () => void this.#audit.runIfDue()),
    ]
  }

  async #close(): Promise<void> {
    for (const cancel of this.#timers) cancel()
    await this.#results.close()
    await this.#options.broker.close()
  }

  /** Takes results again, and looks for units that were lost meanwhile. */
  async #resume(results: () => Promise<void>): Promise<void> {
    try {
      await results()
    } catch (error) {
      this.breakAll(error)
    }
    await this.#audit.run()
  }

  /** P6: the broker does not have a unit. */
  async #publishAgain(unit: SentUnit): Promise<void> {
    this.counts.sentAgain++
    unit.again++
    unit.stored = undefined
    this.#options.onAgain?.(unit)
    // Hosts have run it, and no result has come. After its stream was deleted, a consumer of some servers is silent.
    if (unit.again > MAX_AGAIN) await this.#resume(() => this.#results.replace())
    await this.#publish(unit)
  }

  /** Until its shorter form is known, a unit counts with all its bytes. */
  async #publishPacked(unit: SentUnit, packed: Promise<Uint8Array | undefined>): Promise<void> {
    try {
      const bytes = await packed
      if (this.#out.get(unit.number) !== unit) return
      const hadRoom = this.hasRoom
      if (bytes !== undefined) {
        this.#bytes += bytes.length - unit.bytes.length
        unit.bytes = bytes
      }
      void this.#publish(unit)
      if (!hadRoom) for (const lane of this.#lanes) lane.advance()
    } catch (error) {
      unit.lane.break(error)
    }
  }

  /** P4: publishes a unit until the broker confirms it. */
  async #publish(unit: SentUnit): Promise<void> {
    unit.stored = unit.absentSince = undefined
    const { broker, names, clock } = this.#options
    const isWanted = (): boolean => this.#out.get(unit.number) === unit
    try {
      const publish = (): Promise<number> => broker.publish(unit.subject, unit.bytes)
      const sequence = await untilDone(this.#options, names.tasks, isWanted, publish)
      if (sequence !== undefined) unit.stored = { sequence, at: clock.now() }
    } catch (error) {
      unit.lane.break(error)
    }
  }

  /** P5: results are taken in the order in which they come, also if some of them have to be unpacked. */
  readonly #take = (delivery: Delivery): void => {
    this.#taking.run(() => {
      const taken = this.#read(delivery)
      const take = (bytes: Uint8Array | undefined): void => {
        // The stream may have ended while its result was unpacked.
        if (taken !== undefined && this.#out.get(taken.unit.number) === taken.unit) {
          taken.unit.lane.receive(taken.unit, taken.result, bytes)
        }
        delivery.ack()
      }
      const bytes = taken && unpackBody(taken.result.body)
      if (bytes instanceof Promise) return bytes.then(take)
      take(bytes)
      return undefined
    })
  }

  /** Checks a result. Undefined: it is not one that a unit waits for. */
  #read({ data }: Delivery): { readonly unit: SentUnit; readonly result: Result } | undefined {
    let unit: SentUnit | undefined
    try {
      const result = decodeResult(data, (head) => (unit = this.#find(head))?.count)
      return unit && result && { unit, result }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      if (unit === undefined) this.counts.rejected++
      else unit.lane.receiveUnreadable(unit, error)
      return undefined
    }
  }

  #find({ token, run, unit: number }: Head): SentUnit | undefined {
    if (Buffer.compare(token, this.token) !== 0) {
      this.counts.rejected++
      return undefined
    }
    const unit = this.#out.get(number)
    if (unit?.lane.run === run) return unit
    this.counts.duplicates++
    return undefined
  }
}
