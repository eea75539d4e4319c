/**
 * Requests of a host for one message each. They share a subscription: the client's `fetch()` makes one for each
 * request, which costs both sides more than a short unit. See `$JS.API.CONSUMER.MSG.NEXT` in the reference of JetStream's
 * protocol.
 *
 * The server does not say which request a message answers. So whatever comes goes to the oldest one: a message, or a
 * status that ends a request. There are always as many open requests here as at the server.
 */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { BrokerError } from '../cluster/broker.js'
import { Fifo } from '../fifo.js'
import { NatsDelivery } from './delivery.js'

/** How long a request for messages stands, and how often the server says that it stands, in milliseconds. */
export const PULL = { expires: 5_000, idle_heartbeat: 2_000 } as const
/** After this time without a sign of a consumer, it does not exist, or has lost the requests. In milliseconds. */
const SILENCE_MS = 2 * PULL.idle_heartbeat
/** A request that the server has lost is open here for so long, in milliseconds. */
const LOST_MS = PULL.expires + PULL.idle_heartbeat
/**
 * How long requests are added, in milliseconds. One that the server has lost would be counted for as long as others are
 * answered.
 */
const USABLE_MS = 60_000
const NANOS = 1e6
const REQUEST = new TextEncoder().encode(
  JSON.stringify({ batch: 1, expires: PULL.expires * NANOS, idle_heartbeat: PULL.idle_heartbeat * NANOS }),
)
/** The statuses that messages carry, by their numbers. */
const HEARTBEAT = 100
const ENDED: ReadonlySet<number> = new Set([404, 408])

interface Waiter {
  readonly since: number
  readonly resolve: (delivery: NatsDelivery | undefined) => void
  readonly reject: (error: Error) => void
}

export class Pulls {
  readonly #nats: NatsConnection
  readonly #subject: string
  readonly #inbox: string
  readonly #subscription: Subscription
  readonly #closed: () => void
  /** The oldest one first. */
  readonly #waiters = new Fifo<Waiter>()
  readonly #began = performance.now()
  /** When the server has last given a sign. */
  #last = 0
  #isClosed = false
  readonly #timer: NodeJS.Timeout

  /** @param subject Where a consumer is asked for its next message. */
  constructor(nats: NatsConnection, subject: string, inbox: string, closed: () => void) {
    this.#closed = closed
    this.#nats = nats
    this.#subject = subject
    this.#inbox = inbox
    this.#subscription = nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) this.#take(message)
        else this.#fail(error)
      },
    })
    this.#timer = setInterval(() => {
      this.#check(performance.now())
    }, PULL.idle_heartbeat).unref()
  }

  /** Whether to add requests. */
  get isUsable(): boolean {
    return !this.#isClosed && performance.now() - this.#began < USABLE_MS
  }

  /** Undefined: none came in time, or it was closed. */
  next(): Promise<NatsDelivery | undefined> {
    return new Promise((resolve, reject) => {
      this.#nats.publish(this.#subject, REQUEST, { reply: this.#inbox })
      const since = performance.now()
      if (this.#waiters.size === 0) this.#last = since
      this.#waiters.push({ since, resolve, reject })
    })
  }

  /** Ends all requests. What is on its way is given back. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closed()
    clearInterval(this.#timer)
    // Until the server has taken the end of the subscription, messages may come. It cannot take it where the connection is lost.
    void this.#subscription.drain().catch(() => undefined)
    for (let waiter = this.#waiters.shift(); waiter; waiter = this.#waiters.shift()) waiter.resolve(undefined)
  }

  #check(now: number): void {
    const oldest = this.#waiters.peek()
    if (oldest === undefined) {
      if (!this.isUsable) this.close()
    } else if (now - this.#last > SILENCE_MS) this.#lose('no sign of the consumer')
    else if (now - oldest.since > LOST_MS) this.#waiters.shift()?.resolve(undefined)
  }

  #take(message: Msg): void {
    this.#last = performance.now()
    const delivery = NatsDelivery.ofAnswer(message)
    if (delivery !== undefined) {
      const waiter = this.#waiters.shift()
      if (waiter === undefined) delivery.nak()
      else waiter.resolve(delivery)
      return
    }
    const { code = 0, description = '' } = message.headers ?? {}
    if (code === HEARTBEAT) return
    if (ENDED.has(code)) this.#waiters.shift()?.resolve(undefined)
    else this.#lose(`status ${code}, ${description}`)
  }

  #lose(what: string): void {
    this.#fail(new BrokerError('timeout', `Cannot ask ${this.#subject}: ${what}`))
  }

  /** All requests end: the consumer is gone, or the server that had them. */
  #fail(error: Error): void {
    for (let waiter = this.#waiters.shift(); waiter; waiter = this.#waiters.shift()) waiter.reject(error)
    this.close()
  }
}
