/** What an error of the NATS client means for a producer or a host. */
import { BrokerError, type BrokerFault } from '../cluster/broker.js'

/** `err_code` of JetStream. */
const STREAM_NOT_FOUND = 10_059
const CONSUMER_NOT_FOUND = 10_014
/** The message could not be stored; its description says why. */
const STORE_FAILED = 10_077
/** Servers of a cluster have no leader, or do not know each other yet. */
const UNAVAILABLE: readonly unknown[] = [10_004, 10_005, 10_008, 10_009]
/** A consumer of this name exists, with other settings. */
export const CONSUMER_EXISTS = 10_148

/** @param action What was tried, for the error's text: "publish to mr.acme.…". */
export function brokerError(action: string, error: unknown): BrokerError {
  if (error instanceof BrokerError) return error
  const { message } = error as Error
  return new BrokerError(faultOf(error as Error), `Cannot ${action}: ${message}`, { cause: error })
}

function faultOf(error: Error): BrokerFault {
  if (isForbidden(error)) return 'forbidden'
  switch (error.name) {
    case 'TimeoutError':
      return 'timeout'
    // Nobody answers, as JetStream is starting; unless the server says that it is off for this account.
    case 'JetStreamNotEnabled':
      return (error.cause as Error | undefined)?.name === 'JetStreamApiError' ? 'other' : 'timeout'
    case 'ClosedConnectionError':
    case 'DrainingConnectionError':
      return 'down'
    case 'StreamNotFoundError':
    case 'ConsumerNotFoundError':
      return 'missing'
    case 'JetStreamApiError':
      return apiFault(error)
    case 'JetStreamStatusError':
      return statusFault(error)
    // Two heartbeats of a pull request were missed.
    case 'JetStreamError':
      return 'timeout'
    default:
      return 'other'
  }
}

function apiFault({ code, message }: Error & { code?: unknown }): BrokerFault {
  if (code === STREAM_NOT_FOUND || code === CONSUMER_NOT_FOUND) return 'missing'
  if (UNAVAILABLE.includes(code)) return 'timeout'
  if (code === STORE_FAILED && /maximum (bytes|messages)|no space|insufficient/i.test(message)) return 'full'
  return 'other'
}

/** A pull request was ended by the server. */
function statusFault({ message }: Error): BrokerFault {
  if (/consumer deleted|stream deleted/.test(message)) return 'missing'
  return /server shutdown|leadership change|no responders/.test(message) ? 'timeout' : 'other'
}

/** The client wraps refusals of requests. */
function isForbidden(error: unknown): boolean {
  const { name, cause } = error as Error
  return name === 'PermissionViolationError' || (cause as Error | undefined)?.name === 'PermissionViolationError'
}

/** The subject that may not be used; undefined for other errors. */
export function forbiddenSubject(error: Error): string | undefined {
  return error.name === 'PermissionViolationError' ? (error as Error & { subject?: string }).subject : undefined
}

/** Nobody takes messages for this subject. JetStream has this error where it is off, and where no stream has the subject. */
export function isUnanswered(error: unknown): boolean {
  const { name, cause } = error as Error
  return name === 'JetStreamNotEnabled' || [name, (cause as Error | undefined)?.name].includes('NoResponders')
}
