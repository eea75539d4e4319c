/** The broker on NATS JetStream, by the client @nats-io: streams, consumers and messages. */
import { setTimeout as sleep } from 'node:timers/promises'
import type * as JetStream from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import {
  BrokerError,
  type Broker,
  type Closer,
  type ConsumerOptions,
  type ConsumerState,
  type Delivery,
  type StreamOptions,
} from '../cluster/broker.js'
import { loadClient, type Client, type ConnectionOptions } from './connection.js'
import { Consumption } from './consumption.js'
import { ownBytes } from './delivery.js'
import { brokerError, CONSUMER_EXISTS, isUnanswered } from './faults.js'
import { KeptConnection, lost } from './kept-connection.js'
import { Pulls } from './pulls.js'
import { setUpStream, type StreamChange, type StreamSettings } from './streams.js'

/** The most bytes that are on their way to a producer. */
const AHEAD_BYTES = 32 * 2 ** 20
/**
 * How long the server may take to delete a stream, in milliseconds. nats-server 2.9 says that it is gone while it still
 * deletes it. A consumer that is created in this time never gives a message. A stream that is created in this time loses
 * its folder: it stays there, and never stores a message.
 */
const SETTLE_MS = 1_000
/** More hosts than this do not wait at one consumer, and more units do not run. */
const MANY = 100_000

export class NatsBroker implements Broker {
  readonly #options: ConnectionOptions
  readonly #client: Client
  readonly #kept: KeptConnection
  /** What is known of the server until the connection is lost: the streams that were there, and consumers by where they are asked. */
  readonly #streams = new Set<string>()
  readonly #consumers = new Set<string>()
  /** When streams that had been there were found to be missing. */
  readonly #missing = new Map<string, number>()
  /** The requests of hosts, by where they go. */
  readonly #pulls = new Map<string, { readonly signal: AbortSignal; readonly pulls: Pulls }>()

  /** @throws ClusterError: the packages of the client are missing. */
  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#client = loadClient()
    this.#kept = new KeptConnection(this.#client, options)
    this.onChange((isUp) => {
      // A server that comes back deletes nothing.
      if (!isUp) for (const known of [this.#streams, this.#consumers, this.#missing]) known.clear()
    })
  }

  get maxPayload(): number {
    return this.#kept.maxPayload
  }

  get isUp(): boolean {
    return this.#kept.isUp
  }

  /** How long `open()` tries to reach a server, in milliseconds. */
  set wait(ms: number) {
    this.#kept.wait = ms
  }

  open(): Promise<void> {
    return this.#kept.open()
  }

  close(): Promise<void> {
    return this.#kept.close()
  }

  onChange(changed: (isUp: boolean) => void): void {
    this.#kept.onChange(changed)
  }

  async publish(subject: string, data: Uint8Array): Promise<number> {
    return await this.#kept.run(`publish to ${subject}`, subject, async ({ jetstream }) => {
      try {
        const { stream, seq } = await jetstream.publish(subject, data)
        this.#streams.add(stream)
        return seq
      } catch (error) {
        if (!isUnanswered(error)) throw error
        throw new BrokerError('missing', `Cannot publish to ${subject} as no stream takes it`, { cause: error })
      }
    })
  }

  async createStream(stream: StreamOptions): Promise<void> {
    const { name } = stream
    if (this.#streams.delete(name)) this.#missing.set(name, performance.now())
    const since = this.#missing.get(name) ?? -Infinity
    await sleep(Math.max(0, since + SETTLE_MS - performance.now()))
    await this.setUpStream(stream)
  }

  /** Creates a stream; with settings, also changes those of one that exists. @throws BrokerError */
  async setUpStream(stream: StreamOptions, settings?: StreamSettings): Promise<StreamChange> {
    return await this.#kept.run(`create stream ${stream.name}`, undefined, ({ manager }) =>
      setUpStream(manager, stream, settings),
    )
  }

  async createConsumer(stream: string, name: string, { filter, ackWait, inactive }: ConsumerOptions): Promise<void> {
    await this.#kept.run(`create consumer ${name} of ${stream}`, undefined, async ({ manager }) => {
      try {
        await manager.consumers.add(stream, {
          name,
          durable_name: name,
          filter_subject: filter,
          ack_policy: 'explicit',
          ack_wait: ackWait * 1e6,
          max_deliver: -1,
          max_ack_pending: MANY,
          max_waiting: MANY,
          inactive_threshold: inactive * 1e6,
        })
        this.#consumers.add(nextSubject(stream, name))
      } catch (error) {
        if ((error as JetStream.JetStreamApiError).code !== CONSUMER_EXISTS) throw error
      }
      this.#streams.add(stream)
    })
  }

  async deleteConsumer(stream: string, name: string): Promise<void> {
    await this.#kept.run(`delete consumer ${name} of ${stream}`, undefined, async ({ manager }) => {
      this.#consumers.delete(nextSubject(stream, name))
      await undefinedIfMissing(manager.consumers.delete(stream, name))
    })
  }

  async consumerState(stream: string, name: string): Promise<ConsumerState | undefined> {
    return await this.#kept.run(`look up consumer ${name} of ${stream}`, undefined, async ({ manager }) => {
      const info = await undefinedIfMissing(manager.consumers.info(stream, name))
      if (info === undefined) return undefined
      const { num_waiting, num_ack_pending, num_pending, ack_floor } = info
      return {
        waiting: num_waiting,
        running: num_ack_pending,
        unprocessed: num_pending,
        floor: ack_floor.stream_seq,
      }
    })
  }

  async subjects(stream: string, filter: string): Promise<ReadonlySet<string> | undefined> {
    return await this.#kept.run(`list ${filter} of ${stream}`, undefined, async ({ manager }) => {
      const info = await undefinedIfMissing(manager.streams.info(stream, { subjects_filter: filter }))
      return info && new Set(Object.keys(info.state.subjects ?? {}))
    })
  }

  async fetch(stream: string, name: string, signal: AbortSignal): Promise<Delivery | undefined> {
    const subject = nextSubject(stream, name)
    return await this.#kept.run(`fetch from ${name} of ${stream}`, subject, async ({ nats }) => {
      if (signal.aborted) return undefined
      try {
        return await this.#pullsOf(nats, subject, signal).next()
      } catch (error) {
        if (!this.isUp) throw error
        // A request to a consumer that does not exist is not answered.
        if ((await this.consumerState(stream, name)) !== undefined) throw error
        throw new BrokerError('missing', `Cannot fetch from ${name} of ${stream} as it does not exist`)
      }
    })
  }

  async consume(
    stream: string,
    name: string,
    take: (delivery: Delivery) => void,
    ended: (error: BrokerError) => void,
  ): Promise<Closer> {
    const action = `consume ${name} of ${stream}`
    const subject = nextSubject(stream, name)
    return await this.#kept.run(action, subject, async ({ nats }) => {
      const isMissing = async (): Promise<boolean> => (await this.consumerState(stream, name)) === undefined
      if (!this.#consumers.has(subject) && (await isMissing())) {
        throw new BrokerError('missing', `Cannot ${action} as it does not exist`)
      }
      const close = (): void => {
        this.#kept.requests.delete(stop)
        consumption.close()
      }
      const stop = (): void => {
        close()
        ended(lost(action))
      }
      const consumption = new Consumption({
        nats,
        subject,
        inbox: this.#inbox(),
        bytes: Math.max(AHEAD_BYTES, 2 * this.maxPayload),
        take: guarded(take),
        failed: (error) => {
          close()
          this.#consumers.delete(subject)
          const reason = brokerError(action, error)
          if (reason.fault === 'missing') setTimeout(ended, SETTLE_MS, reason)
          else ended(reason)
        },
      })
      this.#kept.requests.add(stop)
      return { close }
    })
  }

  broadcast(subject: string, data: Uint8Array): void {
    if (this.isUp) this.#kept.current?.nats.publish(subject, data)
  }

  listen(subject: string, take: (data: Uint8Array, subject: string) => Uint8Array | undefined): Closer {
    const { nats } = this.#kept.current ?? {}
    if (nats === undefined) throw lost(`listen to ${subject}`)
    const answer = guarded((message: Msg) => {
      const data = take(ownBytes(message.data), message.subject)
      if (data !== undefined) message.respond(data)
    })
    const subscription = nats.subscribe(subject, {
      callback: (error, message) => {
        // An error ends the subscription. `npx millrace check` finds it before.
        if (error === null) answer(message)
        else throwLater(brokerError(`listen to ${subject}`, error))
      },
    })
    return {
      close: () => {
        subscription.unsubscribe()
      },
    }
  }

  async ask(subject: string, data: Uint8Array, wait: number): Promise<Uint8Array[]> {
    return await this.#kept.run(`ask ${subject}`, subject, async ({ nats }) => {
      const answers: Uint8Array[] = []
      try {
        const messages = await nats.requestMany(subject, data, { strategy: 'timer', maxWait: wait })
        for await (const message of messages) answers.push(ownBytes(message.data))
      } catch (error) {
        if (!isUnanswered(error)) throw error
      }
      return answers
    })
  }

  /** Whether these credentials allow to publish or to subscribe. Streams store nothing, and hosts ignore it. */
  async isAllowed(action: 'publish' | 'subscribe', subject: string): Promise<boolean> {
    try {
      await this.#kept.run(`${action} ${subject}`, subject, async ({ nats }) => {
        if (action === 'subscribe') nats.subscribe(subject, { max: 1, callback: () => {} }).unsubscribe()
        else {
          const headers = this.#client.transport.headers()
          headers.set('Nats-Expected-Stream', 'none')
          nats.publish(subject, new Uint8Array(0), { headers })
        }
        // A refusal comes before the answer to this.
        await nats.flush()
        await nats.flush()
      })
      return true
    } catch (error) {
      if (brokerError(action, error).fault === 'forbidden') return false
      throw error
    }
  }

  /** Those of a signal, which ends them. */
  #pullsOf(nats: NatsConnection, subject: string, signal: AbortSignal): Pulls {
    const known = this.#pulls.get(subject)
    if (known?.signal === signal && known.pulls.isUsable) return known.pulls
    const made = new Pulls(nats, subject, this.#inbox(), () => {
      this.#kept.requests.delete(close)
      signal.removeEventListener('abort', close)
    })
    const close = (): void => {
      made.close()
    }
    this.#kept.requests.add(close)
    signal.addEventListener('abort', close)
    this.#pulls.set(subject, { signal, pulls: made })
    return made
  }

  #inbox(): string {
    return this.#client.transport.createInbox(this.#options.inbox)
  }
}

function nextSubject(stream: string, name: string): string {
  return `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`
}

async function undefinedIfMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (brokerError('ask', error).fault === 'missing') return undefined
    throw error
  }
}

/** An error of a callback would end the client's subscription without a sign. It becomes an uncaught error instead. */
function guarded<T>(call: (value: T) => void): (value: T) => void {
  return (value) => {
    try {
      call(value)
    } catch (error) {
      throwLater(error)
    }
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
