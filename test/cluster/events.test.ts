/** What a cluster tells about its connections, and about chunks that run again: on channels, and in the log. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Diagnostics } from 'millrace'
import { getLogger, logTo } from '#dist/multiprocessing/log/logger.js'
import * as tasks from '../fixtures/cluster-tasks.js'
import { CalmCluster, verbsOn } from '../support/cluster/calm.js'
import { SimulatedTime } from '../support/cluster/simulated-time.js'

const url = new URL('../fixtures/cluster-tasks.js', import.meta.url).href
const CHANNELS = ['millrace:cluster:down', 'millrace:cluster:up', 'millrace:chunk:again'] as const
const IN_MAIN = { name: 'MainProcess', pid: 0, namespace: 'test', group: 'any' }

let told: { channel: string; event: unknown }[] = []
let logged: string[] = []
let onEvent = (): void => undefined
const listeners = CHANNELS.map((channel) => ({
  channel,
  listen: (event: unknown): void => {
    told.push({ channel: channel.slice('millrace:'.length), event })
    onEvent()
  },
}))

beforeEach(() => {
  told = []
  logged = []
  onEvent = () => undefined
  for (const { channel, listen } of listeners) subscribe(channel, listen)
  logTo({ ...console, warn: (text: string) => logged.push(text) }, 'warn')
})
afterEach(() => {
  for (const { channel, listen } of listeners) unsubscribe(channel, listen)
  logTo(null)
  getLogger().level = 'silent'
})

it('a producer tells when its connection is lost, and when it is back; not when it opens or closes it', async () => {
  await using cluster = new Disposable(new CalmCluster())
  const broker = cluster.it.broker()
  await cluster.it.host('one', url)
  const remote = cluster.it.executor({ broker })
  const stream = verbsOn(remote).imap(tasks.double, [1, 2, 3], { chunksize: 1, window: 1 })
  await stream.next()
  expect(told).toEqual([])
  broker.disconnect()
  expect(told).toEqual([{ channel: 'cluster:down', event: { ...IN_MAIN, role: 'producer' } }])
  broker.connect()
  const downtime = expect.any(Number) as unknown
  expect(told.slice(1)).toEqual([{ channel: 'cluster:up', event: { ...IN_MAIN, role: 'producer', downtime } }])
  const { downtime: waited } = told[1]?.event as Diagnostics['millrace:cluster:up']
  expect(waited).toBeGreaterThanOrEqual(0)
  expect(await stream.toArray()).toEqual([4, 6])
  await remote.close()
  expect(told).toHaveLength(2)
  expect(logged).toEqual([
    "[MainProcess] the producer of cluster 'test', group 'any', has lost the connection",
    expect.stringMatching(
      /^\[MainProcess\] the producer of cluster 'test', group 'any', has the connection again, after 0\.\d s$/,
    ),
  ])
})

it('a host does the same, with its name', async () => {
  await using cluster = new Disposable(new CalmCluster())
  const broker = cluster.it.broker()
  const host = await cluster.it.host('one', url, [], broker)
  broker.disconnect()
  broker.connect()
  expect(told).toMatchObject([
    { channel: 'cluster:down', event: { role: 'host', host: 'one' } },
    { channel: 'cluster:up', event: { role: 'host', host: 'one' } },
  ])
  expect(logged[0]).toBe("[MainProcess] host 'one' of cluster 'test', group 'any', has lost the connection")
  await host.stop()
  expect(told).toHaveLength(2)
})

it('a host tells of a chunk that another one has not finished', async () => {
  await using cluster = new Disposable(new CalmCluster())
  const first = await cluster.it.host('one', url)
  const remote = cluster.it.executor()
  const stream = verbsOn(remote).imap(tasks.waits, [5, 6], { chunksize: 2 })
  const next = stream.next()
  const { streams } = cluster.it.server
  const isHeld = (): boolean =>
    [...streams.values()].some(({ consumers }) => [...consumers.values()].some(({ pending }) => pending.size > 0))
  await cluster.it.server.until(isHeld)
  await cluster.it.host('two', url)
  const again = new Promise<void>((resolve) => {
    onEvent = resolve
  })
  await first.drain(0)
  await again
  await stream.return?.()
  await next
  expect(told).toEqual([
    {
      channel: 'chunk:again',
      event: { ...IN_MAIN, role: 'host', host: 'two', task: 'waits', index: 0, items: 2, times: 2 },
    },
  ])
  expect(logged).toEqual([
    "[MainProcess] host 'two' of cluster 'test', group 'any', runs items again " +
      "(2 from item 0 of task 'waits', 2 times) as other hosts did not finish them",
  ])
})

it('a producer tells of a chunk that the server has lost', async () => {
  const clock = new SimulatedTime()
  await using cluster = new Disposable(new CalmCluster(clock))
  const remote = cluster.it.executor({ clock, patience: Infinity })
  const stream = verbsOn(remote).imap(tasks.double, [1, 2, 3], { chunksize: 3 })
  const next = stream.next()
  const streams = cluster.it.server.streams
  const sent = (): boolean => [...streams.values()].some(({ messages }) => messages.size > 0)
  while (!sent()) await clock.runUntil(new Promise(() => undefined), clock.now() + 100)
  for (const { messages } of streams.values()) messages.clear()
  const again = new Promise<void>((resolve) => {
    onEvent = resolve
  })
  expect(await clock.runUntil(again, clock.now() + 30_000)).toBe(true)
  expect(told).toEqual([
    { channel: 'chunk:again', event: { ...IN_MAIN, role: 'producer', task: 'double', index: 0, items: 3, times: 2 } },
  ])
  expect(logged[0]).toContain("sends items again (3 from item 0 of task 'double', 2 times) as the server has lost them")
  const returned = stream.return?.()
  await clock.runUntil(next, clock.now() + 1_000)
  await returned
})

/** Ends a cluster with its test. */
class Disposable {
  readonly it: CalmCluster

  constructor(cluster: CalmCluster) {
    this.it = cluster
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.it.close()
  }
}
