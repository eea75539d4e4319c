/**
 * Requests of a host for one message each. They share a subscription: the client's `fetch()` makes one for each
 * request, which costs both sides more than a short unit.
 *
 * The server does not say which request a message answers. So whatever comes goes to the oldest one: a message, or a
 * status that ends a request. There are always as many open requests here as at the server.
 */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { Fifo } from '../fifo.js'
import { NatsDelivery } from './delivery.js'
import { EXPIRES_MS, HEARTBEAT_MS, requestFor, SILENCE_MS, silence, statusOf } from './pull-request.js'

/** A request that the server has lost is open here for so long, in milliseconds. */
const LOST_MS = EXPIRES_MS + HEARTBEAT_MS
/**
 * How long requests are added, in milliseconds. One that the server has lost would be counted for as long as others are
 * answered.
 */
const USABLE_MS = 60_000
const REQUEST = requestFor(1)

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
    }, HEARTBEAT_MS).unref()
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
    } else if (now - this.#last > SILENCE_MS) this.#fail(silence(this.#subject))
    else if (now - oldest.since > LOST_MS) this.#waiters.shift()?.resolve(undefined)
  }

  #take(message: Msg): void {
    this.#last = performance.now()
    const delivery = NatsDelivery.of(message)
    if (delivery !== undefined) {
      const waiter = this.#waiters.shift()
      if (waiter === undefined) delivery.nak()
      else waiter.resolve(delivery)
      return
    }
    const status = statusOf(message, this.#subject)
    if (status === 'over') this.#waiters.shift()?.resolve(undefined)
    else if (status !== 'stands') this.#fail(status)
  }

  /** All requests end: the consumer is gone, or the server that had them. */
  #fail(error: Error): void {
    for (let waiter = this.#waiters.shift(); waiter; waiter = this.#waiters.shift()) waiter.reject(error)
    this.close()
  }
}
