/** Faults of hosts, producers and the server that are provoked for real: each outcome comes once. */
import { spawn } from 'node:child_process'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { Cluster, TooLargeError } from 'millrace/nats'
import { double, pause, same, zeros } from '../fixtures/nats-tasks.js'
import { startHost, type CommandRun } from '../support/command.js'
import { NatsServer } from '../support/nats-server.js'

const TASKS = 'millrace-default-tasks-any'
const RESULTS = 'millrace-default-results'
const ITEMS = 400

let server: NatsServer
let hosts: CommandRun[] = []
let cluster: Cluster
let connection: NatsConnection
let manager: JetStreamManager
beforeEach(async () => {
  server = await NatsServer.start()
  hosts = await Promise.all(['one', 'two'].map((name) => startHost(server.url, ['--name', name])))
  cluster = new Cluster({ servers: server.url })
  connection = await connect({ servers: server.url, maxReconnectAttempts: -1 })
  manager = await jetstreamManager(connection)
  await cluster.ready({ hosts: 2 })
})
afterEach(async () => {
  await cluster.terminate()
  await connection.close()
  await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()))
  await server[Symbol.asyncDispose]()
})

/** Runs a stream, breaks something when 50 results are there, and gives the results and the longest gap between two. */
async function withFault(fault: () => Promise<unknown>): Promise<{ results: number[]; gap: number }> {
  const results: number[] = []
  let [gap, last, broken] = [0, performance.now(), Promise.resolve() as Promise<unknown>]
  const items = Array.from({ length: ITEMS }, (_, n) => 10 + (n % 2))
  for await (const result of cluster.imap(pause, items, { chunksize: 5, window: 160 })) {
    gap = Math.max(gap, performance.now() - last)
    last = performance.now()
    results.push(result)
    if (results.length === 50) broken = fault()
  }
  await broken
  expect(results).toEqual(items)
  return { results, gap }
}

it.each([
  ['the tasks stream is deleted', () => manager.streams.delete(TASKS)],
  ['the results stream is deleted', () => manager.streams.delete(RESULTS)],
  [
    'the consumer of results is deleted',
    async () => {
      for await (const { name } of manager.consumers.list(RESULTS)) await manager.consumers.delete(RESULTS, name)
    },
  ],
])('%s by hand: no outcome is lost', async (_, fault) => {
  const { gap } = await withFault(fault)
  expect(gap).toBeLessThan(20_000)
})

it('the server comes back with its store wiped: no outcome is lost', async () => {
  const { gap } = await withFault(async () => {
    await server.kill()
    server.wipe()
    await server.start()
  })
  expect(gap).toBeLessThan(15_000)
})

it('all hosts are killed, and another one comes: no outcome is lost', async () => {
  const { gap } = await withFault(async () => {
    for (const host of hosts) host.kill('SIGKILL')
    hosts.push(await startHost(server.url, ['--name', 'three']))
  })
  expect(gap).toBeLessThan(12_000)
})

it('an item, or a result, that is larger than a message fails alone', async () => {
  const large = 'x'.repeat(9 * 2 ** 20)
  const sent = await cluster.map(same, ['a', large, 'b'], { errors: 'settle' })
  expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((sent[1] as { reason: unknown }).reason).toBeInstanceOf(TooLargeError)
  const returned = await cluster.map(zeros, [1, 9 * 2 ** 20, 2], { errors: 'settle' })
  expect(returned.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((returned[1] as { reason: unknown }).reason).toBeInstanceOf(TooLargeError)
  expect(await cluster.apply(double, [4])).toBe(8)
})

it('a producer is killed: its results and units go, and others are served', async () => {
  const program = `
    import { Cluster } from ${JSON.stringify(import.meta.resolve('millrace/nats'))}
    import { pause } from ${JSON.stringify(new URL('../fixtures/nats-tasks.js', import.meta.url).href)}
    const cluster = new Cluster({ servers: ${JSON.stringify(server.url)} })
    let count = 0
    for await (const _ of cluster.imap(pause, new Array(1_000).fill(500), { chunksize: 1 })) if (++count === 2) console.log('runs')
  `
  const producer = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => producer.stdout.once('data', resolve))
  producer.kill('SIGKILL')
  expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
  const left = async (): Promise<number> => {
    const infos = await Promise.all([TASKS, RESULTS].map((stream) => manager.streams.info(stream)))
    return infos.reduce((sum, { state }) => sum + state.messages, 0)
  }
  const killed = performance.now()
  while ((await left()) > 0);
  expect(performance.now() - killed).toBeLessThan(30_000)
})
