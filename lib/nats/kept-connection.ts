/**
 * A connection to NATS, and what is under way on it. The client leaves that open when the connection is lost, or a subject is
 * forbidden: here it is rejected at once.
 */
import type * as JetStream from '@nats-io/jetstream'
import type { NatsConnection, Status } from '@nats-io/transport-node'
import { BrokerError } from '../cluster/broker.js'
import { ClusterError } from '../cluster/errors.js'
import { connect, TRY_MS, type Client, type ConnectionOptions } from './connection.js'
import { brokerError, forbiddenSubject, isUnanswered } from './faults.js'

/** An action under way. */
interface Action {
  readonly name: string
  readonly subject: string | undefined
  readonly reject: (error: BrokerError) => void
}

export interface Connection {
  readonly nats: NatsConnection
  readonly jetstream: JetStream.JetStreamClient
  readonly manager: JetStream.JetStreamManager
}

export class KeptConnection {
  maxPayload = 0
  isUp = false
  /** How long `open()` tries to reach a server, in milliseconds. */
  wait: number
  /** Requests for messages that stand: after a reconnect they would sleep. */
  readonly requests: Set<() => void> = new Set<() => void>()
  readonly #options: ConnectionOptions
  readonly #client: Client
  readonly #changed: ((isUp: boolean) => void)[] = []
  readonly #actions = new Set<Action>()
  /** They go on when there is a connection again. */
  readonly #waiting = new Set<() => void>()
  #connection: Connection | undefined
  #opening = new AbortController()

  constructor(client: Client, options: ConnectionOptions) {
    this.#client = client
    this.#options = options
    this.wait = options.wait
  }

  /** Undefined before `open()`, and after `close()`. It may be lost at this moment. */
  get current(): Connection | undefined {
    return this.#connection
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
    this.#connection = { nats, jetstream, manager }
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

  /** Calls a function after each loss of the connection, and when there is one again. */
  onChange(changed: (isUp: boolean) => void): void {
    this.#changed.push(changed)
  }

  /**
   * One try of an action. It waits for the connection, and is rejected when that is lost.
   *
   * @param subject If this subject is forbidden, the action is.
   */
  async run<T>(name: string, subject: string | undefined, act: (connection: Connection) => Promise<T>): Promise<T> {
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
    for (const { name, reject } of this.#actions) reject(lost(name))
    this.#actions.clear()
    for (const stop of this.requests) stop()
    for (const changed of this.#changed) changed(false)
  }

  /** The client tells nobody that a request for messages is forbidden. */
  #forbid(error: Error): void {
    const subject = forbiddenSubject(error)
    if (subject === undefined) return
    for (const action of this.#actions) if (action.subject === subject) action.reject(brokerError(action.name, error))
  }
}

export function lost(action: string): BrokerError {
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
