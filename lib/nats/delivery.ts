/** A stored message that a consumer was given. */
import type * as JetStream from '@nats-io/jetstream'
import type { Msg } from '@nats-io/transport-node'
import type { Delivery } from '../cluster/broker.js'

/** What is answered, as its text. See "Acknowledgement" in the reference of JetStream's protocol. */
const ANSWERS = {
  ack: bytesOf('+ACK'),
  nak: bytesOf('-NAK'),
  term: bytesOf('+TERM'),
  working: bytesOf('+WPI'),
} as const
type Answer = keyof typeof ANSWERS

export class NatsDelivery implements Delivery {
  readonly subject: string
  readonly data: Uint8Array
  readonly delivery: number
  readonly #respond: (answer: Answer) => void
  #isSettled = false

  private constructor(subject: string, data: Uint8Array, delivery: number, respond: (answer: Answer) => void) {
    this.subject = subject
    this.data = ownBytes(data)
    this.delivery = delivery
    this.#respond = respond
  }

  /** Of a message that the client's consumer has given. */
  static of(message: JetStream.JsMsg): NatsDelivery {
    const { subject, data, info } = message
    return new NatsDelivery(subject, data, info.deliveryCount, (answer) => {
      message[answer]()
    })
  }

  /** Of the answer to a request for a message. Undefined: it is another message. */
  static ofAnswer(message: Msg): NatsDelivery | undefined {
    const { subject, data, reply } = message
    const delivery = deliveriesIn(reply)
    if (delivery === undefined) return undefined
    return new NatsDelivery(subject, data, delivery, (answer) => {
      message.respond(ANSWERS[answer])
    })
  }

  ack(): void {
    this.#settle('ack')
  }

  nak(): void {
    this.#settle('nak')
  }

  term(): void {
    this.#settle('term')
  }

  working(): void {
    if (!this.#isSettled) this.#say('working')
  }

  /** Only the first answer counts. */
  #settle(answer: Answer): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#say(answer)
  }

  #say(answer: Answer): void {
    try {
      this.#respond(answer)
    } catch (error) {
      // The connection was closed: the message comes again.
      if ((error as Error).name !== 'ClosedConnectionError') throw error
    }
  }
}

/**
 * The client's data can be a view of a frame of 64 KiB, which would be kept. A copy is aligned as well, so that columns are
 * read in place. A long message has separate memory.
 */
export function ownBytes(data: Uint8Array): Uint8Array {
  const hasOwn = data.byteOffset === 0 && data.buffer.byteLength <= 2 * data.byteLength
  return hasOwn ? data : new Uint8Array(data)
}

/**
 * How often the message was delivered, from the subject of its acknowledgement:
 * `$JS.ACK.STREAM.CONSUMER.DELIVERIES.…`, with nine parts; servers of several domains write `DOMAIN.ACCOUNT` after `ACK`.
 */
function deliveriesIn(reply: string | undefined): number | undefined {
  if (reply?.startsWith('$JS.ACK.') !== true) return undefined
  const parts = reply.split('.')
  return Number(parts[parts.length === 9 ? 4 : 6])
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
