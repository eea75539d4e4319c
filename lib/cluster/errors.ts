/** Errors of clusters. Those of tasks are the same as on a pool. */
import { addOwnErrorClasses } from '../codec/error-classes.js'
import { MillraceError } from '../errors.js'

/**
 * A program cannot use a cluster. It reaches no server (`ERR_CLUSTER_CONNECT`). A server refuses its credentials, its
 * certificate or an action, or has no TLS (`ERR_CLUSTER_REFUSED`). Or JetStream or its streams are missing
 * (`ERR_CLUSTER_SETUP`). The message says what to do. It never contains a secret.
 *
 * @example
 * ```ts
 * import { ClusterError } from 'millrace/nats'
 *
 * const isRefused = (error: unknown): boolean => error instanceof ClusterError && error.code === 'ERR_CLUSTER_REFUSED'
 * console.log(isRefused(new Error('other')))
 * // → false
 * ```
 */
export class ClusterError extends MillraceError {
  override readonly name = 'ClusterError'
  declare readonly code: 'ERR_CLUSTER_CONNECT' | 'ERR_CLUSTER_REFUSED' | 'ERR_CLUSTER_SETUP'
}

/**
 * No host of the cluster has offered the task's module, in this version, for the time of the option `patience`. The
 * message lists the hosts that answered, and what they offer. Cure: start a host with this module and version.
 *
 * @example
 * ```ts
 * import { NoHostsError } from 'millrace/nats'
 *
 * const isTemporary = (error: unknown): boolean => error instanceof NoHostsError
 * console.log(isTemporary(new Error('other')))
 * // → false
 * ```
 */
export class NoHostsError extends MillraceError {
  override readonly name = 'NoHostsError'
  declare readonly code: 'ERR_NO_HOSTS'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_NO_HOSTS', options)
  }
}

/**
 * An item was given to three hosts, and all were lost while they ran it. So it is not run again. A task that ends only
 * its worker process is a `WorkerCrashError`, as on a pool.
 *
 * @example
 * ```ts
 * import { HostLostError } from 'millrace/nats'
 *
 * const isPoison = (error: unknown): boolean => error instanceof HostLostError
 * console.log(isPoison(new Error('other')))
 * // → false
 * ```
 */
export class HostLostError extends MillraceError {
  override readonly name = 'HostLostError'
  declare readonly code: 'ERR_HOST_LOST'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_HOST_LOST', options)
  }
}

/**
 * An item, or the result of one, is larger than a message of the broker may be. Only that item fails. Cure: send a
 * reference, such as a path in shared storage, or raise `max_payload` of the server.
 *
 * @example
 * ```ts
 * import { TooLargeError } from 'millrace/nats'
 *
 * const isTooLarge = (error: unknown): boolean => error instanceof TooLargeError
 * console.log(isTooLarge(new Error('other')))
 * // → false
 * ```
 */
export class TooLargeError extends MillraceError {
  override readonly name = 'TooLargeError'
  declare readonly code: 'ERR_TOO_LARGE'

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_TOO_LARGE', options)
  }
}

// A host sends them, too.
addOwnErrorClasses('millrace/nats', { ClusterError, NoHostsError, HostLostError, TooLargeError })
