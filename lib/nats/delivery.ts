/** A stored message that a consumer was given. */
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
  readonly #message: Msg
  #isSettled = false

  private constructor(message: Msg, delivery: number) {
    this.subject = message.subject
    this.data = ownBytes(message.data)
    this.delivery = delivery
    this.#message = message
  }

  /** Undefined: it is another message, such as a status. */
  static of(message: Msg): NatsDelivery | undefined {
    const delivery = deliveriesIn(message.reply)
    return delivery === undefined ? undefined : new NatsDelivery(message, delivery)
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
      this.#message.respond(ANSWERS[answer])
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
