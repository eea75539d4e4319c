/** The public cluster: the verbs of a pool, on hosts that are reached through NATS JetStream. */
import { PoolClosedError } from '../errors.js'
import { NoHostsError } from '../cluster/errors.js'
import type { ClusterLimit } from '../cluster/limit.js'
import { decodeHost, type HostInfo } from '../cluster/messages.js'
import { Names } from '../cluster/names.js'
import { RemoteExecutor } from '../cluster/remote-executor.js'
import { showState } from '../inspect.js'
import { OptionReader } from '../options.js'
import { applyOn, type Apply } from '../verbs/apply.js'
import { filterOn, type Filter } from '../verbs/filter.js'
import { flatMapOn, type FlatMap } from '../verbs/flat-map.js'
import { imapOn, type Imap } from '../verbs/imap.js'
import { istarmapOn, type Istarmap } from '../verbs/istarmap.js'
import { mapOn, starmapOn, type MapVerb, type Starmap } from '../verbs/map.js'
import { reduceOn, type Reduce } from '../verbs/reduce.js'
import type { Verbs } from '../verbs/verbs.js'
import { NatsBroker } from './broker.js'
import { readOptions, type ClusterOptions } from './options.js'

/** Options of `cluster.ready()`. */
export interface ReadyOptions {
  /** How many hosts must answer: an integer of at least 0. Default: 1. */
  readonly hosts?: number
  /** How long to wait for the server, and then for hosts, in milliseconds. At least 1. Default: 10,000. */
  readonly timeout?: number
}

/** A host of a cluster, as it describes itself. */
export interface ClusterHost {
  /** Its name, as `npx millrace worker --name` gives it. */
  readonly name: string
  readonly group: string
  /** How many worker processes it has. */
  readonly slots: number
  /** How many units of work it holds. */
  readonly held: number
  /** Whether it finishes what it holds, and takes nothing new. */
  readonly isDraining: boolean
  /** The modules that it offers, as `key@version`. */
  readonly modules: readonly string[]
}

/** Figures of a cluster, as this program knows them. */
export interface ClusterStats {
  /** Whether there is a connection at this moment. */
  readonly connected: boolean
  /** Worker processes of hosts that offer the modules in use. At least 2, which is assumed. */
  readonly workers: number
  /** Units of work that are sent, and not done. */
  readonly out: number
  /** Their bytes. `maxBytes` is the limit. */
  readonly bytes: number
  /** Units that were sent again, as the server had lost them. */
  readonly sentAgain: number
  /** Results that came twice, or too late. */
  readonly duplicates: number
  /** Messages that were dropped, as they were malformed or not from a host that was asked. */
  readonly rejected: number
  /** How often the server was asked which units it has. */
  readonly audits: number
  /**
   * What holds the streams back at this moment; undefined if none is open. With several streams: what holds back the
   * first one that waits for neither its source nor its consumer, if there is one.
   */
  readonly limit: ClusterLimit | undefined
}

/** How long a program tries to reach a server, if `ready()` does not say it. In milliseconds. */
const CONNECT_MS = 10_000
/** How long hosts may take to answer, in milliseconds. */
const ANSWER_MS = 500
/** The same, where the question is asked again. */
const SHORT_ANSWER_MS = 100

/**
 * The verbs of a `Pool`, on the hosts of a cluster: `npx millrace worker tasks.js` runs one. NATS JetStream carries items
 * and results. Streams, stages, options and errors are the same as on a pool. Tasks are found by the name and the
 * version of their module: no code is sent. An item can run twice, if a host or a connection is lost. Its result is
 * given once.
 *
 * The connection opens when the first item is read, and closes when the last stream has ended. So a program exits by
 * itself. After `ready()` it stays open until `close()`. Hosts join and leave at any time.
 *
 * It needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * @throws {TypeError | RangeError} `ERR_INVALID_OPTION`: an option has a wrong type or value.
 * @throws {ClusterError} `ERR_CLUSTER_SETUP`: the packages are not installed. From `ready()` and from streams: the
 * server cannot be reached or used.
 *
 * @example
 * ```ts
 * import { Cluster, ClusterError } from 'millrace/nats'
 *
 * await using cluster = new Cluster({ servers: 'nats://127.0.0.1:1', namespace: 'acme' })
 * try {
 *   await cluster.ready({ hosts: 2, timeout: 100 })
 * } catch (error) {
 *   console.log(error instanceof ClusterError && error.code)
 *   // → ERR_CLUSTER_CONNECT
 * }
 * ```
 */
export class Cluster implements Verbs, AsyncDisposable {
  /** The namespace. */
  readonly namespace: string
  /** The group of hosts that is used. */
  readonly group: string
  /** As the module-level `imap`, on this cluster. */
  readonly imap: Imap
  /** As the module-level `imapUnordered`, on this cluster. */
  readonly imapUnordered: Imap
  /** As the module-level `istarmap`, on this cluster. */
  readonly istarmap: Istarmap
  /** As the module-level `istarmapUnordered`, on this cluster. */
  readonly istarmapUnordered: Istarmap
  /** As the module-level `filter`, on this cluster. */
  readonly filter: Filter
  /** As the module-level `filterUnordered`, on this cluster. */
  readonly filterUnordered: Filter
  /** As the module-level `flatMap`, on this cluster. */
  readonly flatMap: FlatMap
  /** As the module-level `flatMapUnordered`, on this cluster. */
  readonly flatMapUnordered: FlatMap
  /** As the module-level `reduce`, on this cluster. */
  readonly reduce: Reduce
  /** As the module-level `map`, on this cluster. */
  readonly map: MapVerb
  /** As the module-level `starmap`, on this cluster. */
  readonly starmap: Starmap
  /** As the module-level `apply`, on this cluster. */
  readonly apply: Apply
  readonly #broker: NatsBroker
  readonly #executor: RemoteExecutor
  readonly #names: Names
  /** Whether `ready()` keeps the connection open. */
  #isHeld = false

  static {
    showState(this.prototype, (cluster) => {
      const { connected, workers, out } = cluster.stats()
      return { namespace: cluster.namespace, group: cluster.group, connected, workers, out }
    })
  }

  constructor(options: ClusterOptions) {
    const read = readOptions(options)
    this.namespace = read.namespace
    this.group = read.group
    this.#names = new Names(read)
    this.#broker = new NatsBroker({
      ...read,
      name: `millrace producer ${read.name}`,
      inbox: `_INBOX_${read.name}`,
      wait: CONNECT_MS,
    })
    this.#executor = new RemoteExecutor({ ...read, broker: this.#broker })
    const executor = (): RemoteExecutor => this.#executor
    this.imap = imapOn(executor, true)
    this.imapUnordered = imapOn(executor, false)
    this.istarmap = istarmapOn(executor, true)
    this.istarmapUnordered = istarmapOn(executor, false)
    this.filter = filterOn(executor, true)
    this.filterUnordered = filterOn(executor, false)
    this.flatMap = flatMapOn(executor, true)
    this.flatMapUnordered = flatMapOn(executor, false)
    this.reduce = reduceOn(executor)
    this.map = mapOn(executor)
    this.starmap = starmapOn(executor)
    this.apply = applyOn(executor)
  }

  /**
   * Connects, and waits until hosts answer. Then the connection stays open until `close()`: for services, and for many
   * calls of `apply()` in a row. Without this call, the first stream connects.
   *
   * @returns The hosts that answered.
   * @throws {ClusterError} The server cannot be reached or used.
   * @throws {NoHostsError} Fewer hosts answered in time.
   * @throws {PoolClosedError} The cluster is closed.
   */
  async ready(options?: ReadyOptions): Promise<ClusterHost[]> {
    const action = 'wait for a cluster'
    const read = new OptionReader<ReadyOptions>(action, options, ['hosts', 'timeout'])
    const wanted = read.integer('hosts', 0) ?? 1
    const timeout = read.milliseconds('timeout', 1) ?? CONNECT_MS
    this.#executor.assertOpen()
    const until = performance.now() + timeout
    await this.#connected(timeout)
    try {
      let hosts = await this.#ask(SHORT_ANSWER_MS)
      while (hosts.length < wanted && performance.now() < until) hosts = await this.#ask(SHORT_ANSWER_MS)
      if (hosts.length < wanted) throw tooFewHosts(hosts, wanted, timeout, this.group)
      this.#executor.assertOpen()
      if (this.#isHeld) await this.#executor.producer.release()
      this.#isHeld = true
      return hosts
    } catch (error) {
      await this.#executor.producer.release()
      throw error
    }
  }

  /**
   * The hosts of this group that answer within half a second.
   *
   * @throws {ClusterError} The server cannot be reached or used.
   * @throws {PoolClosedError} The cluster is closed.
   */
  async hosts(): Promise<ClusterHost[]> {
    this.#executor.assertOpen()
    await this.#connected(CONNECT_MS)
    try {
      return await this.#ask(ANSWER_MS)
    } finally {
      await this.#executor.producer.release()
    }
  }

  /** Figures of this program's streams on the cluster. */
  stats(): ClusterStats {
    const { producer, workers } = this.#executor
    const { out, bytes, audits, counts, limit } = producer
    return { connected: this.#broker.isUp, workers, out, bytes, ...counts, audits, limit }
  }

  /**
   * Accepts no new streams, lets open streams finish, and then closes the connection. Hosts go on. It waits for a
   * stream that you hold and do not read; `terminate()` does not wait.
   */
  async close(): Promise<void> {
    const closed = this.#executor.close()
    await this.#release()
    await closed
  }

  /** Closes the connection now. Open streams throw a `PoolClosedError` with the code `ERR_POOL_TERMINATED`. */
  async terminate(): Promise<void> {
    const text = `Cluster '${this.namespace}' was terminated before the stream ended`
    const ended = this.#executor.terminate(new PoolClosedError(text, 'ERR_POOL_TERMINATED'))
    await this.#release()
    // Without a connection there is nothing to tell the server. It may be that it was never reached.
    if (!this.#broker.isUp) await this.#broker.close()
    await ended
  }

  /** The same as `terminate()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }

  async #connected(timeout: number): Promise<void> {
    const { producer } = this.#executor
    this.#broker.wait = Math.min(timeout, CONNECT_MS)
    try {
      await producer.hold()
    } catch (error) {
      await producer.release()
      throw error
    } finally {
      this.#broker.wait = CONNECT_MS
    }
  }

  async #release(): Promise<void> {
    if (!this.#isHeld) return
    this.#isHeld = false
    await this.#executor.producer.release()
  }

  async #ask(wait: number): Promise<ClusterHost[]> {
    const answers = await this.#broker.ask(this.#names.hosts, new Uint8Array(0), wait)
    const known = answers.map(decodeHost).filter((host) => host !== undefined)
    return known.filter(({ group }) => group === this.group).map(hostOf)
  }
}

export function hostOf({ name, group, slots, held, isDraining, modules }: HostInfo): ClusterHost {
  return { name, group, slots, held, isDraining, modules }
}

function tooFewHosts(hosts: readonly ClusterHost[], wanted: number, timeout: number, group: string): NoHostsError {
  const names = hosts.length === 0 ? '' : ` (${hosts.map(({ name }) => name).join(', ')})`
  return new NoHostsError(
    `Cannot use the cluster as ${hosts.length} of ${wanted} hosts of group '${group}'${names} answered within ${timeout} ms: ` +
      'start more with npx millrace worker',
  )
}
