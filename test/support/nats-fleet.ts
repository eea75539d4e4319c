/** A server, two hosts and a cluster, new for each test, and streams during which something breaks. */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { Cluster } from 'millrace/nats'
import { pause } from '../fixtures/nats-tasks.js'
import { startHost, type CommandRun } from './command.js'
import { NatsServer } from './nats-server.js'
import { Proxy } from './proxy.js'

export const TASKS = 'millrace-default-tasks-any'
export const RESULTS = 'millrace-default-results'
const ITEMS = 400
const CHUNK = 5
/** How many units a stream may have out. */
export const WINDOW_UNITS = 32

/** What a test has. */
export interface Fleet {
  readonly server: NatsServer
  /** The networks of the producer and of the first host. */
  readonly networks: { readonly producer: Proxy; readonly host: Proxy }
  /** A test may add others: all are ended after it. */
  readonly hosts: CommandRun[]
  readonly cluster: Cluster
  /** Of a user who may do anything. */
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
}

/** @returns The fleet of the running test. */
export function fleetOfEach(): () => Fleet {
  let fleet: Fleet | undefined
  beforeEach(async () => {
    const server = await NatsServer.start()
    const networks = { producer: await Proxy.start(server.port), host: await Proxy.start(server.port) }
    const hosts = await Promise.all([
      startHost(networks.host.url, ['--name', 'one']),
      startHost(server.url, ['--name', 'two']),
    ])
    const cluster = new Cluster({ servers: networks.producer.url })
    const connection = await connect({ servers: server.url, maxReconnectAttempts: -1 })
    fleet = { server, networks, hosts, cluster, connection, manager: await jetstreamManager(connection) }
    await cluster.ready({ hosts: 2 })
  })
  afterEach(async () => {
    const { server, networks, hosts, cluster, connection } = current()
    await cluster.terminate()
    await connection.close()
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()))
    for (const network of Object.values(networks)) await network[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  const current = (): Fleet => {
    if (fleet === undefined) throw new Error('No test has begun')
    return fleet
  }
  return current
}

/**
 * Runs a stream, breaks something when 50 results are there, and checks that each item has its result, once and in its place.
 *
 * @param fault Gets the results so far, which go on to grow.
 * @returns The longest time between two results, in milliseconds.
 */
export async function gapWith(
  cluster: Cluster,
  fault: (results: readonly number[]) => Promise<unknown>,
): Promise<number> {
  const results: number[] = []
  let [gap, last, broken] = [0, performance.now(), Promise.resolve() as Promise<unknown>]
  const items = Array.from({ length: ITEMS }, (_, n) => 10 + (n % 2))
  for await (const result of cluster.imap(pause, items, { chunksize: CHUNK, window: CHUNK * WINDOW_UNITS })) {
    gap = Math.max(gap, performance.now() - last)
    last = performance.now()
    results.push(result)
    if (results.length === 50) broken = fault(results)
  }
  await broken
  expect(results).toEqual(items)
  return gap
}
