/** The broker on NATS JetStream, by the client @nats-io. It guards what the client leaves open when a connection is lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import type * as JetStream from '@nats-io/jetstream'
import type { Msg, NatsConnection, Status } from '@nats-io/transport-node'
import {
  BrokerError,
  type Broker,
  type Closer,
  type ConsumerOptions,
  type ConsumerState,
  type Delivery,
  type StreamOptions,
} from '../cluster/broker.js'
import { ClusterError } from '../cluster/errors.js'
import { connect, loadClient, TRY_MS, type Client, type ConnectionOptions } from './connection.js'
import { Consumption } from './consumption.js'
import { ownBytes } from './delivery.js'
import { brokerError, CONSUMER_EXISTS, forbiddenSubject, isUnanswered } from './faults.js'
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

/** An action under way: it is rejected when the connection is lost, and when its subject is forbidden. */
interface Action {
  readonly name: string
  readonly subject: string | undefined
  readonly reject: (error: BrokerError) => void
}

interface Connection {
  readonly nats: NatsConnection
  readonly jetstream: JetStream.JetStreamClient
  readonly manager: JetStream.JetStreamManager
  /** Those that were created on this connection, by where they are asked: they need not be looked for. */
  readonly consumers: Set<string>
  /** The requests of hosts, by where they go. */
  readonly pulls: Map<string, { readonly signal: AbortSignal; readonly pulls: Pulls }>
}

export class NatsBroker implements Broker {
  maxPayload = 0
  isUp = false
  /** How long `open()` tries to reach a server, in milliseconds. */
  wait: number
  readonly #options: ConnectionOptions
  readonly #client: Client
  readonly #changed: ((isUp: boolean) => void)[] = []
  readonly #actions = new Set<Action>()
  /** They go on when there is a connection again. */
  readonly #waiting = new Set<() => void>()
  /** Stops all requests for messages: after a reconnect the client would let them sleep. */
  readonly #pulls = new Set<() => void>()
  /** The streams that were there on this connection, and when others of them were found to be missing. */
  readonly #streams = new Set<string>()
  readonly #missing = new Map<string, number>()
  #connection: Connection | undefined
  #opening = new AbortController()

  /** @throws ClusterError: the packages of the client are missing. */
  constructor(options: ConnectionOptions) {
    this.#options = options
    this.wait = options.wait
    this.#client = loadClient()
  }

  async open(): Promise<void> {
    const { signal } = (this.#opening = new AbortController())
    const nats = await connect(this.#client, { ...this.#options, wait: this.wait }, signal)
    const jetstream = this.#client.jetstream.jetstream(nats, { timeout: TRY_MS })
    const manager = await jetstream.jetstreamManager(false)
    if (signal.aborted || (await isWithoutJetStream(nats, manager))) {
      await nats.close()
      signal.throwIfAborted()
      throw new ClusterError(
        `Cannot use ${nats.getServer()} as it runs without JetStream: start it with '-js', or 'jetstream {}' in its settings`,
        'ERR_CLUSTER_SETUP',
      )
    }
    this.#connection = { nats, jetstream, manager, consumers: new Set(), pulls: new Map() }
    void this.#watch(nats.status())
    this.#up(nats)
  }

  async close(): Promise<void> {
    this.#opening.abort(new BrokerError('down', 'Cannot connect: the connection was closed'))
    const { nats } = this.#connection ?? {}
    this.#connection = undefined
    if (nats === undefined) return
    // The last acknowledgements are to arrive. If they cannot, their messages come again, which does no harm.
    if (this.isUp) await Promise.race([nats.flush(), nats.closed()]).catch(() => {})
    this.#down()
    await nats.close()
  }

  onChange(changed: (isUp: boolean) => void): void {
    this.#changed.push(changed)
  }

  async publish(subject: string, data: Uint8Array): Promise<number> {
    return await this.#run(`publish to ${subject}`, subject, async ({ jetstream }) => {
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
    return await this.#run(`create stream ${stream.name}`, undefined, ({ manager }) =>
      setUpStream(manager, stream, settings),
    )
  }

  async createConsumer(stream: string, name: string, { filter, ackWait, inactive }: ConsumerOptions): Promise<void> {
    await this.#run(`create consumer ${name} of ${stream}`, undefined, async ({ manager, consumers }) => {
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
        consumers.add(nextSubject(stream, name))
      } catch (error) {
        if ((error as JetStream.JetStreamApiError).code !== CONSUMER_EXISTS) throw error
      }
      this.#streams.add(stream)
    })
  }

  async deleteConsumer(stream: string, name: string): Promise<void> {
    await this.#run(`delete consumer ${name} of ${stream}`, undefined, async ({ manager, consumers }) => {
      consumers.delete(nextSubject(stream, name))
      await undefinedIfMissing(manager.consumers.delete(stream, name))
    })
  }

  async consumerState(stream: string, name: string): Promise<ConsumerState | undefined> {
    return await this.#run(`look up consumer ${name} of ${stream}`, undefined, async ({ manager }) => {
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
    return await this.#run(`list ${filter} of ${stream}`, undefined, async ({ manager }) => {
      const info = await undefinedIfMissing(manager.streams.info(stream, { subjects_filter: filter }))
      return info && new Set(Object.keys(info.state.subjects ?? {}))
    })
  }

  async fetch(stream: string, name: string, signal: AbortSignal): Promise<Delivery | undefined> {
    const subject = nextSubject(stream, name)
    return await this.#run(`fetch from ${name} of ${stream}`, subject, async (connection) => {
      if (signal.aborted) return undefined
      try {
        return await this.#pullsOf(connection, subject, signal).next()
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
    return await this.#run(action, subject, async ({ nats, consumers }) => {
      const isMissing = async (): Promise<boolean> => (await this.consumerState(stream, name)) === undefined
      if (!consumers.has(subject) && (await isMissing())) {
        throw new BrokerError('missing', `Cannot ${action} as it does not exist`)
      }
      const close = (): void => {
        this.#pulls.delete(stop)
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
          consumers.delete(subject)
          const reason = brokerError(action, error)
          if (reason.fault === 'missing') setTimeout(ended, SETTLE_MS, reason)
          else ended(reason)
        },
      })
      this.#pulls.add(stop)
      return { close }
    })
  }

  broadcast(subject: string, data: Uint8Array): void {
    if (this.isUp) this.#connection?.nats.publish(subject, data)
  }

  listen(subject: string, take: (data: Uint8Array, subject: string) => Uint8Array | undefined): Closer {
    if (this.#connection === undefined) throw lost(`listen to ${subject}`)
    const answer = guarded((message: Msg) => {
      const data = take(ownBytes(message.data), message.subject)
      if (data !== undefined) message.respond(data)
    })
    const subscription = this.#connection.nats.subscribe(subject, {
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
    return await this.#run(`ask ${subject}`, subject, async ({ nats }) => {
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
      await this.#run(`${action} ${subject}`, subject, async ({ nats }) => {
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

  /** One try of an action. It waits for the connection, and is rejected when that is lost. */
  async #run<T>(name: string, subject: string | undefined, act: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#reconnected(name)
    const connection = this.#connection
    if (connection === undefined) throw lost(name)
    return await new Promise<T>((resolve, reject) => {
      const action: Action = { name, subject, reject }
      this.#actions.add(action)
      act(connection)
        .then(resolve, (error: unknown) => {
          reject(brokerError(name, error))
        })
        .finally(() => this.#actions.delete(action))
    })
  }

  async #reconnected(name: string): Promise<void> {
    if (this.isUp) return
    if (this.#connection === undefined) throw lost(name)
    await new Promise<void>((resolve, reject) => {
      const goOn = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(goOn)
        reject(lost(name))
      }, TRY_MS)
      this.#waiting.add(goOn)
    })
  }

  /** Those of a signal, which ends them. */
  #pullsOf({ nats, pulls }: Connection, subject: string, signal: AbortSignal): Pulls {
    const known = pulls.get(subject)
    if (known?.signal === signal && known.pulls.isUsable) return known.pulls
    const made = new Pulls(nats, subject, this.#inbox(), () => {
      this.#pulls.delete(close)
      signal.removeEventListener('abort', close)
    })
    const close = (): void => {
      made.close()
    }
    this.#pulls.add(close)
    signal.addEventListener('abort', close)
    pulls.set(subject, { signal, pulls: made })
    return made
  }

  #inbox(): string {
    return this.#client.transport.createInbox(this.#options.inbox)
  }

  /** Ends with the connection. */
  async #watch(events: AsyncIterable<Status>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'disconnect') this.#down()
      else if (event.type === 'reconnect' && this.#connection !== undefined) this.#up(this.#connection.nats)
      else if (event.type === 'error') this.#forbid(event.error)
    }
  }

  #up({ info }: NatsConnection): void {
    this.maxPayload = info?.max_payload ?? this.maxPayload
    this.isUp = true
    for (const goOn of this.#waiting) goOn()
    this.#waiting.clear()
    for (const changed of this.#changed) changed(true)
  }

  /** Rejects what is under way at once: the client would let it wait for its timeout. */
  #down(): void {
    if (!this.isUp) return
    this.isUp = false
    this.#connection?.consumers.clear()
    // A server that comes back deletes nothing.
    this.#streams.clear()
    this.#missing.clear()
    for (const { name, reject } of this.#actions) reject(lost(name))
    this.#actions.clear()
    for (const stop of this.#pulls) stop()
    for (const changed of this.#changed) changed(false)
  }

  /** The client tells nobody that a request for messages is forbidden. */
  #forbid(error: Error): void {
    const subject = forbiddenSubject(error)
    if (subject === undefined) return
    for (const action of this.#actions) if (action.subject === subject) action.reject(brokerError(action.name, error))
  }
}

function nextSubject(stream: string, name: string): string {
  return `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`
}

function lost(action: string): BrokerError {
  return new BrokerError('down', `Cannot ${action} as there is no connection to NATS`)
}

/** A server without JetStream can be part of a cluster that has it. */
async function isWithoutJetStream(nats: NatsConnection, manager: JetStream.JetStreamManager): Promise<boolean> {
  if (nats.info?.jetstream === true) return false
  try {
    await manager.getAccountInfo()
    return false
  } catch (error) {
    // Producers and hosts may be forbidden to ask this: then their first action shows it.
    return isUnanswered(error)
  }
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
