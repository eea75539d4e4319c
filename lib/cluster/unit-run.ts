/** A unit that a host holds: H3 and H7. Each part is published until it is confirmed. */
import type { Batch } from '../codec/batch.js'
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import type { Chunk, Part } from '../executor/executor.js'
import { TaskLoadError } from '../errors.js'
import { chunkAgain } from '../log/cluster-events.js'
import type { ClusterMember } from '../log/events.js'
import { Fifo } from '../fifo.js'
import { deflatedBody, MIN_DEFLATED, plainBody, takesDeflated, unpackBody, type Body } from '../wire/body.js'
import { ByteReader } from '../wire/byte-reader.js'
import { TooLargeError as MessageTooLarge } from '../wire/byte-writer.js'
import { encodeValues } from '../wire/data.js'
import { thrownBy } from '../wire/error-envelope.js'
import { UNIT } from '../wire/format.js'
import { readHead, type Head } from '../wire/head.js'
import { encodeResult, type Result } from '../wire/result.js'
import { decodeUnit, type Unit } from '../wire/unit.js'
import { WireError } from '../wire/wire-error.js'
import { untilDone, type Tries } from './attempts.js'
import type { Delivery } from './broker.js'
import { unreadable, valuesIn } from './messages.js'
import { hex, type NameOptions } from './names.js'
import type { LaneUnit, RunLane, RunLanes } from './run-lanes.js'
import { cut, encodeBatch, failures, joined, ownerOf, tooLarge, withoutValues, type Outcomes } from './sendable.js'

/** How often a unit is delivered. If it comes again, its items may have ended the hosts that had it. */
const MAX_DELIVERIES = 3
/** For what the client adds to a message. */
const OVERHEAD_BYTES = 4 * 1024
const NOTHING: Body = plainBody(encodeValues([]))

/** A module that a host offers. */
export interface OfferedModule {
  readonly taskKey: string
  /** The URL of its file. */
  readonly url: string
  /** Its exports that may be called without being tasks. */
  readonly exports: ReadonlySet<string>
}

export interface UnitRunOptions extends Tries, NameOptions {
  readonly lanes: RunLanes
  /** Of the host. */
  readonly name: string
}

/** The fields of a result that differ from one to another. */
type Own = Omit<Result, keyof Head | 'time' | 'host'> & Pick<Outcomes, 'time'>

/** A host, as its events name it. */
export function memberOf({ namespace, group, name }: NameOptions & Pick<UnitRunOptions, 'name'>): ClusterMember {
  return { role: 'host', namespace, group, host: name }
}

/** What a unit begins with. Undefined: it is not a unit of this version. */
export function headOf(data: Uint8Array): Head | undefined {
  try {
    return readHead(new ByteReader(data), UNIT)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

export class UnitRun implements LaneUnit {
  readonly delivery: Delivery
  readonly head: Head
  readonly #options: UnitRunOptions
  readonly #module: OfferedModule
  /** Where its results go. */
  readonly #subject: string
  /** Where it runs, and as which chunk. */
  #running: { readonly lane: RunLane; readonly chunk: Chunk } | undefined
  readonly #parts = new Fifo<Part>()
  #error: { readonly error: unknown } | undefined
  #isCancelled = false
  #wake = (): void => undefined
  #part = 0
  readonly #started: number

  constructor(options: UnitRunOptions, module: OfferedModule, delivery: Delivery, head: Head, subject: string) {
    this.#options = options
    this.#module = module
    this.delivery = delivery
    this.head = head
    this.#subject = subject
    this.#started = options.clock.now()
  }

  /** Nobody wants its outcomes any more. The caller says so to the broker. */
  cancel(): void {
    this.#isCancelled = true
    if (this.#running !== undefined) this.#running.lane.drop(this.#running.chunk)
    this.#wake()
  }

  receive(part: Part): void {
    this.#parts.push(part)
    this.#wake()
  }

  fail(error: unknown): void {
    this.#error = { error }
    this.#wake()
  }

  /** Runs it, publishes its outcomes, and acknowledges it. @throws What stops the host: its workers do not start, or it may not publish. */
  async run(): Promise<void> {
    if (this.#isCancelled) return
    // H7
    if (this.delivery.delivery > MAX_DELIVERIES) await this.#publish({ isLost: true, isLast: true })
    else {
      const unit = await this.#read()
      if (unit instanceof Error) await this.#publishFault(unit)
      else if (!this.#isCancelled) await this.#runUnit(unit)
    }
    if (!this.#isCancelled) this.delivery.ack()
  }

  /** The unit, or why it cannot be run. */
  async #read(): Promise<(Unit & { readonly items: Batch }) | Error> {
    try {
      const unit = decodeUnit(this.delivery.data)
      const { task, exported, count } = unit
      if (exported && !this.#module.exports.has(task)) {
        return new TaskLoadError(
          `Cannot run '${task}' of ${this.#module.taskKey} as this host does not allow that export`,
        )
      }
      return { ...unit, items: valuesIn(await unpackBody(unit.body), count) }
    } catch (error) {
      if (error instanceof WireError) return unreadable('items', error)
      throw error
    }
  }

  async #runUnit(unit: Unit & { readonly items: Batch }): Promise<void> {
    const { delivery: times } = this.delivery
    if (times > 1) {
      chunkAgain(memberOf(this.#options), { task: unit.task, index: unit.first, items: unit.count, times })
    }
    const { first, items, failed } = unit
    const chunk = { first, items, failed: new Map(failed.map(([place, error]) => [place, thrownBy(error)])) }
    const lane = this.#laneOf(unit)
    this.#running = { lane, chunk }
    lane.submit(chunk, this)
    try {
      for (let isLast = false; !isLast && !this.#isCancelled;) {
        const part = this.#takeParts()
        if (part === undefined) {
          if (this.#error !== undefined) throw this.#error.error
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        } else {
          await this.#publishPart(unit, part)
          isLast = part.last
        }
      }
    } finally {
      lane.done(chunk)
    }
  }

  /** H3: the outcomes that have come while others were published, as one part. A fault is alone. */
  #takeParts(): Part | undefined {
    const first = this.#parts.shift()
    if (first === undefined || first.isFault === true) return first
    const parts = [first]
    for (let next = this.#parts.peek(); next !== undefined && next.isFault !== true; next = this.#parts.peek()) {
      parts.push(next)
      this.#parts.shift()
    }
    return { ...first, ...joined(parts), last: parts.at(-1)?.last === true }
  }

  /** That of its stream. A fold has its own, because of the value where it begins. */
  #laneOf(unit: Unit): RunLane {
    const { task, exported, kind, initial, spread, concurrency, ordered, stopOnError, timeout, eager, traceparent } =
      unit
    const name = { module: this.#module.url, id: task, exported }
    const how = { kind, spread, concurrency, ordered, stopOnError, timeout, traceparent }
    const own = initial === undefined ? undefined : this.head.unit
    const key = JSON.stringify([hex(this.head.token), this.head.run, own, name, how])
    const job = { ...how, name, initial: initial?.value, eager, deep: false, width: 1 }
    return this.#options.lanes.of(key, job)
  }

  async #publishPart(unit: Unit, { last, ...outcomes }: Part): Promise<void> {
    const { errors, isFault = false } = outcomes
    const [error] = errors?.values() ?? []
    if (isFault) await this.#publishFault(error, outcomes)
    else await this.#publishOutcomes(unit, outcomes, last)
  }

  /** Publishes outcomes: in halves, if they are too large for a message. */
  async #publishOutcomes(unit: Unit, outcomes: Outcomes, isLast: boolean): Promise<void> {
    const { from, chunkOffsets, count, counts, isFolded = false } = outcomes
    const indexOf = (offset: number): number => unit.first + (chunkOffsets?.[offset] ?? from + offset)
    const isFold = unit.kind === 'reduce'
    const sendable = encodeBatch('result', outcomes.results, (value) => indexOf(isFold ? 0 : ownerOf(counts, value)))
    if (sendable !== undefined && sendable.failed.size > 0) {
      const [error] = sendable.failed.values()
      // The items of a fold have one result together.
      if (isFold) await this.#publishFault(error, outcomes)
      else await this.#publishOutcomes(unit, withoutValues(outcomes, sendable.failed), isLast)
      return
    }
    const errors = [...(outcomes.errors ?? [])].sort(([one], [other]) => one - other)
    const result = sendable && {
      ...outcomes,
      places: chunkOffsets,
      counts,
      isFolded,
      isLast,
      errors: errors.map(([offset, error]): [number, EncodedError] => [offset, encodeError(error)]),
      body: sendable.body,
    }
    const encoded = result && this.#encode(result)
    if (result !== undefined && encoded !== undefined) await this.#send((await this.#packed(unit, result)) ?? encoded)
    else if (isFold) await this.#publishFault(this.#tooLarge(indexOf(0)), outcomes)
    else if (count === 1)
      await this.#publishOutcomes(unit, { ...failures(from, [this.#tooLarge(indexOf(0))]), chunkOffsets }, isLast)
    else {
      const half = Math.ceil(count / 2)
      await this.#publishOutcomes(unit, cut(outcomes, 0, half), false)
      await this.#publishOutcomes(unit, cut(outcomes, half, count), isLast)
    }
  }

  /** The same, compressed on another thread; undefined if that would not make it shorter, or if it is not wanted. */
  async #packed(unit: Unit, result: Partial<Own> & { readonly body: Body }): Promise<Uint8Array | undefined> {
    const { bytes } = result.body
    if (!takesDeflated(unit.body) || bytes.length < MIN_DEFLATED) return undefined
    const body = await deflatedBody(bytes)
    return body.isDeflated ? this.#encode({ ...result, body }) : undefined
  }

  /** The error of all items that have no outcome. */
  async #publishFault(error: unknown, { worker, time }: Partial<Outcomes> = {}): Promise<void> {
    await this.#publish({ fault: encodeError(error), isUnread: true, isLast: true, worker: worker ?? 0, time })
  }

  async #publish(result: Partial<Own>): Promise<void> {
    const encoded = this.#encode(result) ?? this.#encode({ ...result, fault: encodeError(this.#tooLarge(0)) })
    if (encoded !== undefined) await this.#send(encoded)
  }

  /** Undefined: it is too large. */
  #encode(result: Partial<Own>): Uint8Array | undefined {
    try {
      const encoded = encodeResult({
        from: 0,
        count: 0,
        places: undefined,
        counts: undefined,
        errors: [],
        fault: undefined,
        isUnread: false,
        isLost: false,
        isFolded: false,
        isLast: false,
        worker: 0,
        body: NOTHING,
        ...result,
        ...this.head,
        part: this.#part,
        time: result.time ?? this.#options.clock.now() - this.#started,
        host: this.#options.name,
      })
      return encoded.length <= this.#maxBytes ? encoded : undefined
    } catch (error) {
      if (error instanceof MessageTooLarge) return undefined
      throw error
    }
  }

  get #maxBytes(): number {
    return this.#options.broker.maxPayload - OVERHEAD_BYTES
  }

  #tooLarge(index: number): Error {
    return tooLarge('result', index, `a message of the broker has at most ${this.#maxBytes} bytes`)
  }

  async #send(encoded: Uint8Array): Promise<void> {
    const { broker, names } = this.#options
    this.#part++
    const isWanted = (): boolean => !this.#isCancelled
    await untilDone(this.#options, names.results, isWanted, () => broker.publish(this.#subject, encoded))
  }
}
