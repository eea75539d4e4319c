/**
 * A broker that keeps streams as JetStream does, in simulated time. It can be ended and lose what it has stored:
 * `FaultyServer` in `world.ts` decides when. Its clients are in `fake-broker.ts`.
 */
import { BrokerError, type ConsumerOptions, type ConsumerState, type StreamOptions } from '#dist/cluster/broker.js'
import type { Clock } from '#dist/cluster/clock.js'

interface Message {
  readonly subject: string
  readonly data: Uint8Array
}

/** Somebody who gets messages of a consumer. */
export interface Receiver {
  readonly isContinuous: boolean
  readonly give: (message: Message, sequence: number, delivery: number) => void
  /** The consumer is gone. */
  readonly end: () => void
}

export class FakeConsumer {
  readonly options: ConsumerOptions
  readonly receivers = new Set<Receiver>()
  /** The last one that was delivered for the first time. */
  delivered = 0
  /** By sequence number, those that are not acknowledged: `undefined` waits for its next delivery. */
  readonly pending = new Map<number, (() => void) | undefined>()
  readonly deliveries = new Map<number, number>()
  forgets: (() => void) | undefined

  constructor(options: ConsumerOptions) {
    this.options = options
  }

  get floor(): number {
    return this.pending.size === 0 ? this.delivered : Math.min(...this.pending.keys()) - 1
  }
}

export class FakeStream {
  readonly options: StreamOptions
  last = 0
  readonly messages = new Map<number, Message>()
  readonly consumers = new Map<string, FakeConsumer>()
  /** What was acknowledged last: a broker that is killed may find it again. */
  readonly acknowledged = new Map<number, Message>()

  constructor(options: StreamOptions) {
    this.options = options
  }
}

export class FakeServer {
  readonly time: Clock
  readonly streams = new Map<string, FakeStream>()
  #onChange: (() => void)[] = []

  constructor(time: Clock) {
    this.time = time
  }

  /** Settles when something is so that only its streams and their messages decide. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#onChange.push(resolve)
      })
    }
  }

  createStream(options: StreamOptions): void {
    if (!this.streams.has(options.name)) this.streams.set(options.name, new FakeStream(options))
  }

  deleteStream(name: string): void {
    for (const consumer of this.streams.get(name)?.consumers.keys() ?? []) this.deleteConsumer(name, consumer)
    this.streams.delete(name)
    this.#changed()
  }

  createConsumer(stream: string, name: string, options: ConsumerOptions): void {
    const { consumers } = this.#stream(stream)
    if (consumers.has(name)) return
    const consumer = new FakeConsumer(options)
    consumers.set(name, consumer)
    this.#forgetLater(stream, name, consumer)
  }

  deleteConsumer(stream: string, name: string): void {
    const found = this.streams.get(stream)
    const consumer = found?.consumers.get(name)
    if (consumer === undefined) return
    found?.consumers.delete(name)
    for (const cancel of consumer.pending.values()) cancel?.()
    if (found?.options.retention === 'interest') {
      for (const [sequence, { subject }] of found.messages) {
        const isWanted = [...found.consumers.values()].some(({ options }) => matches(options.filter, subject))
        if (!isWanted) found.messages.delete(sequence)
      }
    }
    for (const { end } of [...consumer.receivers]) end()
    this.#changed()
  }

  publish(subject: string, data: Uint8Array): number {
    const stream = [...this.streams.values()].find(({ options }) => options.subjects.some((of) => matches(of, subject)))
    if (stream === undefined) throw new BrokerError('missing', `No stream takes ${subject}`)
    const sequence = ++stream.last
    const isWanted = [...stream.consumers.values()].some(({ options }) => matches(options.filter, subject))
    if (stream.options.retention === 'workqueue' || isWanted) stream.messages.set(sequence, { subject, data })
    this.dispatch(stream)
    return sequence
  }

  state(stream: string, name: string): ConsumerState | undefined {
    const found = this.streams.get(stream)
    const consumer = found?.consumers.get(name)
    if (found === undefined || consumer === undefined) return undefined
    const { receivers, pending, delivered, floor, options } = consumer
    let unprocessed = 0
    for (const [sequence, { subject }] of found.messages) {
      if (sequence > delivered && matches(options.filter, subject)) unprocessed++
    }
    return { waiting: receivers.size, running: pending.size, unprocessed, floor }
  }

  subjects(stream: string, filter: string): Set<string> | undefined {
    const found = this.streams.get(stream)
    return (
      found && new Set([...found.messages.values()].map(({ subject }) => subject).filter((of) => matches(filter, of)))
    )
  }

  /** @returns Undefined: there is no such consumer. */
  receive(stream: string, name: string, receiver: Receiver): (() => void) | undefined {
    const found = this.streams.get(stream)
    const consumer = found?.consumers.get(name)
    if (found === undefined || consumer === undefined) return undefined
    consumer.receivers.add(receiver)
    consumer.forgets?.()
    this.dispatch(found)
    return () => {
      consumer.receivers.delete(receiver)
      this.#forgetLater(stream, name, consumer)
    }
  }

  settle(streamName: string, name: string, sequence: number, how: 'ack' | 'nak' | 'working'): void {
    const stream = this.streams.get(streamName)
    const consumer = stream?.consumers.get(name)
    if (stream === undefined || !consumer?.pending.has(sequence)) return
    consumer.pending.get(sequence)?.()
    if (how === 'working') this.#await(stream, consumer, sequence)
    else if (how === 'nak') consumer.pending.set(sequence, undefined)
    else {
      const message = stream.messages.get(sequence)
      if (message !== undefined) stream.acknowledged.set(sequence, message)
      consumer.pending.delete(sequence)
      stream.messages.delete(sequence)
    }
    this.dispatch(stream)
  }

  /** Gives messages to those who wait for them. */
  dispatch(stream: FakeStream): void {
    for (const consumer of stream.consumers.values()) {
      for (let receiver = first(consumer.receivers); receiver !== undefined; receiver = first(consumer.receivers)) {
        const sequence = nextOf(stream, consumer)
        const message = sequence === undefined ? undefined : stream.messages.get(sequence)
        if (sequence === undefined || message === undefined) break
        if (!receiver.isContinuous) consumer.receivers.delete(receiver)
        const delivery = (consumer.deliveries.get(sequence) ?? 0) + 1
        consumer.deliveries.set(sequence, delivery)
        this.#await(stream, consumer, sequence)
        receiver.give(message, sequence, delivery)
      }
    }
    this.#changed()
  }

  #changed(): void {
    const waiting = this.#onChange
    this.#onChange = []
    for (const resolve of waiting) resolve()
  }

  #await(stream: FakeStream, consumer: FakeConsumer, sequence: number): void {
    const cancel = this.time.after(consumer.options.ackWait, () => {
      consumer.pending.set(sequence, undefined)
      this.dispatch(stream)
    })
    consumer.pending.set(sequence, cancel)
  }

  #forgetLater(stream: string, name: string, consumer: FakeConsumer): void {
    consumer.forgets?.()
    if (consumer.receivers.size > 0) return
    consumer.forgets = this.time.after(consumer.options.inactive, () => {
      if (this.streams.get(stream)?.consumers.get(name) === consumer) this.deleteConsumer(stream, name)
    })
  }

  #stream(name: string): FakeStream {
    const stream = this.streams.get(name)
    if (stream === undefined) throw new BrokerError('missing', `There is no stream ${name}`)
    return stream
  }
}

/** The message that a consumer gives next: one that was given before, or a new one. */
function nextOf(stream: FakeStream, consumer: FakeConsumer): number | undefined {
  for (const [sequence, cancel] of consumer.pending) {
    if (cancel !== undefined) continue
    if (stream.messages.has(sequence)) return sequence
    consumer.pending.delete(sequence)
  }
  for (const [sequence, { subject }] of stream.messages) {
    if (sequence <= consumer.delivered || !matches(consumer.options.filter, subject)) continue
    consumer.delivered = sequence
    return sequence
  }
  return undefined
}

function first<T>(values: ReadonlySet<T>): T | undefined {
  const [value] = values
  return value
}

const filters = new Map<string, RegExp>()

/** Whether a filter, with `*` and `>`, takes a subject. */
export function matches(filter: string, subject: string): boolean {
  let known = filters.get(filter)
  if (known === undefined) {
    const pattern = filter.replace(/[.*>]/g, (sign) => ({ '.': '[.]', '*': '[^.]+', '>': '.+' })[sign] ?? sign)
    known = new RegExp(`^${pattern}$`)
    if (filters.size > 1_000) filters.clear()
    filters.set(filter, known)
  }
  return known.test(subject)
}
