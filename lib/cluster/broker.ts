/**
 * The message broker, as producers and hosts see it. Types and one error: `lib/nats/broker.ts` implements it with NATS JetStream, and the tests
 * with a broker that loses, doubles and delays.
 */

/** Why the broker did not do what it was asked. */
export type BrokerFault =
  /** The connection was lost, or there was none. */
  | 'down'
  /** It did not answer in time: it may have done it. */
  | 'timeout'
  /** The stream has no room. */
  | 'full'
  /** The stream, or the consumer, does not exist. */
  | 'missing'
  /** These credentials do not allow it. */
  | 'forbidden'
  | 'other'

export class BrokerError extends Error {
  readonly fault: BrokerFault

  constructor(fault: BrokerFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/** A stored message that a consumer was given. It comes again unless it is acknowledged in time. */
export interface Delivery {
  readonly subject: string
  /** The receiver's own: it may keep it. */
  readonly data: Uint8Array
  /** Counts the deliveries of this message, from 1. */
  readonly delivery: number
  /** It was dealt with. None of these four fails: what does not reach the broker has no effect, and the message comes again. */
  ack(): void
  /** It is to be delivered again, now. */
  nak(): void
  /** It is to be deleted. */
  term(): void
  /** It is still worked on. */
  working(): void
}

export interface ConsumerState {
  /** Requests that wait for a message: free slots of hosts. */
  readonly waiting: number
  /** Messages that were delivered and not acknowledged: units that run. */
  readonly running: number
  /** Messages that were not delivered yet. */
  readonly unprocessed: number
  /** All messages up to this sequence number are acknowledged. */
  readonly floor: number
}

export interface ConsumerOptions {
  readonly filter: string
  /** How long a message may stay without `ack()` or `working()`, in milliseconds. */
  readonly ackWait: number
  /** How long the consumer outlives the last request of a client, in milliseconds. */
  readonly inactive: number
}

export interface StreamOptions {
  readonly name: string
  readonly subjects: readonly string[]
  /** When a message is deleted: when it is acknowledged, or when no consumer there is has still to acknowledge it. */
  readonly retention: 'workqueue' | 'interest'
}

export interface Closer {
  close(): void
}

/**
 * A connection. After a loss it connects again by itself. What was under way then is rejected with `'down'`. What is
 * asked for without a connection waits for it, at most the time of one try. Then it is rejected with `'down'`.
 */
export interface Broker {
  /** The most bytes of a message. Known once it is open. */
  readonly maxPayload: number
  readonly isUp: boolean
  /** Connects. @throws ClusterError that says what to do: no server, no TLS, no JetStream, refused credentials. */
  open(): Promise<void>
  close(): Promise<void>
  /** Called after each loss of the connection, and when there is one again. */
  onChange(changed: (isUp: boolean) => void): void

  /** Stores a message. One try. @returns its sequence number in the stream. @throws BrokerError */
  publish(subject: string, data: Uint8Array): Promise<number>
  /** Creates a stream, if it does not exist. One that exists stays as it is. @throws BrokerError */
  createStream(options: StreamOptions): Promise<void>
  /** Creates a durable pull consumer, if it does not exist. @throws BrokerError: `'missing'` without the stream. */
  createConsumer(stream: string, name: string, options: ConsumerOptions): Promise<void>
  deleteConsumer(stream: string, name: string): Promise<void>
  /** Undefined: there is no such consumer, or no such stream. @throws BrokerError */
  consumerState(stream: string, name: string): Promise<ConsumerState | undefined>
  /** The subjects below a prefix that the stream has messages of. Undefined: there is no such stream. @throws BrokerError */
  subjects(stream: string, filter: string): Promise<ReadonlySet<string> | undefined>
  /** Asks for one message. Undefined: none came in 5 s, or `signal` fired. @throws BrokerError */
  fetch(stream: string, consumer: string, signal: AbortSignal): Promise<Delivery | undefined>
  /**
   * Gives all messages, at most some 32 MiB ahead of their `ack()`.
   *
   * @param ended Called once, when no more come: the connection was lost (`'down'`), or the consumer is `'missing'`. Not after `close()`.
   * @throws BrokerError
   */
  consume(
    stream: string,
    consumer: string,
    take: (delivery: Delivery) => void,
    ended: (error: BrokerError) => void,
  ): Promise<Closer>

  /** Sends a message that is not stored, to those who listen. Without a connection it is lost. */
  broadcast(subject: string, data: Uint8Array): void
  /** Takes such messages. What `take` returns goes back to the one who asked, if there is one. */
  listen(subject: string, take: (data: Uint8Array, subject: string) => Uint8Array | undefined): Closer
  /** Broadcasts a question, and gathers the answers of `wait` milliseconds. */
  ask(subject: string, data: Uint8Array, wait: number): Promise<Uint8Array[]>
}
