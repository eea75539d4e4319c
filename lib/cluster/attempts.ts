/** Requests to the broker that are made until they succeed. */
import { BrokerError, type Broker, type BrokerFault, type ConsumerOptions } from './broker.js'
import { pause, type Clock } from './clock.js'
import { ClusterError } from './errors.js'
import type { Names } from './names.js'

/** The shortest and the longest pause before the next try, in milliseconds. */
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 2_000

export interface Tries {
  readonly broker: Broker
  readonly names: Names
  readonly clock: Clock
}

/**
 * Tries until it succeeds, or nobody wants it any more. If a stream is missing, it is created.
 *
 * @param stream What it needs.
 * @param isWanted Asked before each try.
 * @returns Undefined: it is not wanted.
 * @throws ClusterError: it is forbidden.
 */
export async function untilDone<T>(
  { broker, names, clock }: Tries,
  stream: string,
  isWanted: () => boolean,
  request: () => Promise<T>,
): Promise<T | undefined> {
  let wait = MIN_PAUSE_MS
  while (isWanted()) {
    try {
      return await request()
    } catch (error) {
      const fault = faultOf(error)
      if (fault === 'forbidden') throw forbidden(error)
      // A request waits for the connection by itself.
      if (fault === 'down' || fault === 'timeout') wait = MIN_PAUSE_MS
      if (fault === 'missing') await createStream(broker, names, stream)
    }
    await pause(clock, wait)
    wait = Math.min(2 * wait, MAX_PAUSE_MS)
  }
  return undefined
}

/** Creates a consumer, and its stream if that is missing. */
export function createConsumer(
  tries: Tries,
  stream: string,
  consumer: string,
  options: ConsumerOptions,
  isWanted: () => boolean,
): Promise<void> {
  return untilDone(tries, stream, isWanted, () => tries.broker.createConsumer(stream, consumer, options))
}

async function createStream(broker: Broker, names: Names, stream: string): Promise<void> {
  for (const options of names.streams) {
    if (options.name !== stream) continue
    try {
      await broker.createStream(options)
    } catch (error) {
      if (faultOf(error) !== 'forbidden') continue
      throw new ClusterError(
        `Cannot use the cluster as stream '${stream}' does not exist: run 'npx millrace setup'`,
        'ERR_CLUSTER_SETUP',
        { cause: error },
      )
    }
  }
}

/** @throws What is not an error of the broker. */
export function faultOf(error: unknown): BrokerFault {
  if (error instanceof BrokerError) return error.fault
  throw error
}

function forbidden(cause: unknown): ClusterError {
  return new ClusterError(`Cannot use the cluster: ${(cause as Error).message}`, 'ERR_CLUSTER_REFUSED', { cause })
}
