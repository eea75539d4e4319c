/**
 * Takes all messages of a consumer. One request for many bytes stands at a time. The client's `consume()` asks for more
 * whenever some have come, for as many bytes as they had. If the next message is larger, the server ends the request. Then
 * nothing comes until two heartbeats are missed.
 */
import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { BrokerError } from '../cluster/broker.js'
import { NatsDelivery } from './delivery.js'
import { HEARTBEAT_MS, requestFor, SILENCE_MS, silence, statusOf } from './pull-request.js'

/** Bytes end a request before this number does. */
const MANY = 1_000_000
/** After a request that was ended by a change in the servers, in milliseconds. */
const RETRY_MS = 50

interface ConsumptionOptions {
  readonly nats: NatsConnection
  /** Where the consumer is asked for messages. */
  readonly subject: string
  readonly inbox: string
  /** The most bytes that are on their way: more than a message has. */
  readonly bytes: number
  readonly take: (delivery: NatsDelivery) => void
  /** Called once, unless `close()` was called: the consumer is gone, or does not answer. */
  readonly failed: (error: Error) => void
}

export class Consumption {
  readonly #options: ConsumptionOptions
  readonly #request: Uint8Array
  readonly #subscription: Subscription
  readonly #watch: NodeJS.Timeout
  #retry: NodeJS.Timeout | undefined
  /** When the server has last given a sign. */
  #last = performance.now()
  #isClosed = false

  constructor(options: ConsumptionOptions) {
    const { nats, subject, inbox, bytes, take } = options
    this.#options = options
    this.#request = requestFor(MANY, bytes)
    this.#subscription = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (this.#isClosed) return
        if (error !== null) {
          this.#fail(error)
          return
        }
        this.#last = performance.now()
        const delivery = NatsDelivery.of(message)
        if (delivery !== undefined) take(delivery)
        else this.#onStatus(statusOf(message, subject))
      },
    })
    this.#watch = setInterval(() => {
      if (performance.now() - this.#last > SILENCE_MS) this.#fail(silence(subject))
    }, HEARTBEAT_MS).unref()
    this.#ask()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#watch)
    clearTimeout(this.#retry)
    this.#subscription.unsubscribe()
  }

  #ask(): void {
    const { nats, subject, inbox } = this.#options
    if (!nats.isClosed()) nats.publish(subject, this.#request, { reply: inbox })
  }

  #onStatus(status: ReturnType<typeof statusOf>): void {
    if (status === 'over') this.#ask()
    else if (status instanceof BrokerError) {
      if (status.fault === 'missing') this.#fail(status)
      else {
        this.#retry = setTimeout(() => {
          this.#ask()
        }, RETRY_MS).unref()
      }
    }
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    this.close()
    this.#options.failed(error)
  }
}
