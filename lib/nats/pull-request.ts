/** Requests for stored messages: see `$JS.API.CONSUMER.MSG.NEXT` in the reference of JetStream's protocol. */
import type { Msg } from '@nats-io/transport-node'
import { BrokerError } from '../cluster/broker.js'

/** How long a request stands, and how often the server says that it stands, in milliseconds. */
export const EXPIRES_MS = 5_000
export const HEARTBEAT_MS = 2_000
/** After this time without a sign of a consumer, it does not exist, or has lost the request. In milliseconds. */
export const SILENCE_MS: number = 2 * HEARTBEAT_MS
const NANOS = 1e6

/** The text of a request. @param bytes The most bytes of all messages together. */
export function requestFor(messages: number, bytes?: number): Uint8Array {
  const request = {
    batch: messages,
    max_bytes: bytes,
    expires: EXPIRES_MS * NANOS,
    idle_heartbeat: HEARTBEAT_MS * NANOS,
  }
  return new TextEncoder().encode(JSON.stringify(request))
}

/**
 * What the server says of a request. `stands`: it is there. `over`: it has ended as it should, by its time or its bytes.
 * Otherwise why it was ended.
 */
export function statusOf(message: Msg, subject: string): 'stands' | 'over' | BrokerError {
  const { code = 0, description = '' } = message.headers ?? {}
  if (code === 100) return 'stands'
  if (code === 404 || code === 408 || /exceeds maxbytes/i.test(description)) return 'over'
  // Where nobody takes requests for the consumer, some servers answer by 503.
  const isMissing = code === 503 || /(consumer|stream) deleted/i.test(description)
  const fault = isMissing ? 'missing' : 'timeout'
  return new BrokerError(fault, `Cannot ask ${subject}: status ${code}, ${description}`)
}

export function silence(subject: string): BrokerError {
  return new BrokerError('timeout', `Cannot ask ${subject}: no sign of the consumer`)
}
