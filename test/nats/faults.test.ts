/** Faults of hosts, producers and the server that are provoked for real: each outcome comes once. */
import { spawn } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostLostError, TooLargeError } from 'millrace/nats'
import { double, endsHost, same, zeros } from '../fixtures/nats-tasks.js'
import { startHost, type CommandRun } from '../support/command.js'
import { fleetOfEach, gapWith, RESULTS, TASKS } from '../support/nats-fleet.js'

const fleet = fleetOfEach()

it.each([
  ['the tasks stream is deleted', () => fleet().manager.streams.delete(TASKS)],
  ['the results stream is deleted', () => fleet().manager.streams.delete(RESULTS)],
  [
    'the consumer of results is deleted',
    async () => {
      const { consumers } = fleet().manager
      for await (const { name } of consumers.list(RESULTS)) await consumers.delete(RESULTS, name)
    },
  ],
])('%s by hand: no outcome is lost', async (_, fault) => {
  expect(await gapWith(fleet().cluster, fault)).toBeLessThan(20_000)
})

it('the server is killed, and comes back after 12 s: no outcome is lost', async () => {
  const { server, cluster } = fleet()
  const gap = await gapWith(cluster, async () => {
    await server.kill()
    await sleep(12_000)
    await server.start()
  })
  expect(gap).toBeLessThan(18_000)
})

it('the server comes back with its store wiped: no outcome is lost', async () => {
  const { server, cluster } = fleet()
  const gap = await gapWith(cluster, async () => {
    await server.kill()
    server.wipe()
    await server.start()
  })
  expect(gap).toBeLessThan(15_000)
})

/** The folder of a stream, in the store of the server. */
function streamFolder(name: string): string {
  return join(fleet().server.path('store'), 'jetstream', '$G', 'streams', name)
}

it.each([
  ['the state of the consumers of units', () => join(streamFolder(TASKS), 'obs')],
  ['the results', () => streamFolder(RESULTS)],
])('the server comes back without a part of its store: %s', async (_, folder) => {
  const { server, cluster } = fleet()
  const gap = await gapWith(cluster, async () => {
    await server.kill()
    rmSync(folder(), { recursive: true })
    await server.start()
  })
  expect(gap).toBeLessThan(15_000)
})

/** Copies a folder whose files come and go meanwhile. */
function copyOf(folder: string, copy: string): void {
  for (;;) {
    rmSync(copy, { recursive: true, force: true })
    try {
      cpSync(folder, copy, { recursive: true })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

it('the server comes back with an older copy of its store: no outcome is lost', async () => {
  const { server, cluster } = fleet()
  const gap = await gapWith(cluster, async (results) => {
    const copy = server.path('copy')
    copyOf(server.path('store'), copy)
    while (results.length < 150) await new Promise(setImmediate)
    await server.kill()
    server.wipe()
    cpSync(copy, server.path('store'), { recursive: true })
    await server.start()
  })
  expect(gap).toBeLessThan(15_000)
})

it('all hosts are killed, and another one comes: no outcome is lost', async () => {
  const { server, hosts, cluster } = fleet()
  const gap = await gapWith(cluster, async () => {
    for (const host of hosts) host.kill('SIGKILL')
    hosts.push(await startHost(server.url, ['--name', 'three']))
  })
  expect(gap).toBeLessThan(12_000)
})

it('a host is stopped, and goes on later: its units run on others, and it serves again', async () => {
  const { hosts, cluster } = fleet()
  const [host] = hosts
  const gap = await gapWith(cluster, () => {
    host?.kill('SIGSTOP')
    return Promise.resolve()
  })
  expect(gap).toBeLessThan(12_000)
  host?.kill('SIGCONT')
  expect(await cluster.ready({ hosts: 2 })).toHaveLength(2)
  expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
})

it("the producer's thread is blocked for longer than a unit may be silent: nothing runs into a limit", async () => {
  const { cluster } = fleet()
  const blocked = 8_000
  const gap = await gapWith(cluster, () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blocked)
    return Promise.resolve()
  })
  expect(gap).toBeGreaterThanOrEqual(blocked)
  expect(gap).toBeLessThan(blocked + 5_000)
})

it('messages that are malformed, forged or sent again are counted and dropped', async () => {
  const { cluster, connection, manager } = fleet()
  const gap = await gapWith(cluster, async () => {
    for await (const { config } of manager.consumers.list(RESULTS)) {
      for (let n = 0; n < 100; n++) connection.publish(config.filter_subject ?? '', Buffer.alloc(n * 10, n))
    }
    for await (const { config } of manager.consumers.list(TASKS)) {
      const subject = (config.filter_subject ?? '').replace('.*.*.*', '.any.nobody.1').replace('.>', '.any.nobody.1')
      for (let n = 0; n < 100; n++) connection.publish(subject, Buffer.alloc(n * 10, n))
    }
    await connection.flush()
  })
  expect(gap).toBeLessThan(10_000)
  expect(cluster.stats().rejected).toBe(100)
  // Acknowledgements are not confirmed.
  while ((await manager.streams.info(TASKS)).state.messages > 0);
})

it('an item that ends whole hosts fails alone', async () => {
  const { server, hosts, cluster } = fleet()
  let isOver = false
  // As a service manager does it.
  const startAgain = async (host: CommandRun): Promise<void> => {
    await host.ended()
    if (isOver) return
    const next = await startHost(server.url)
    hosts.push(next)
    if (isOver) next.kill('SIGKILL')
    await startAgain(next)
  }
  const started = hosts.map(startAgain)
  const items = Array.from({ length: 20 }, (_, n) => n)
  const outcomes = await cluster.map(endsHost, items, { chunksize: 4, errors: 'settle' })
  isOver = true
  for (const host of hosts) host.kill('SIGKILL')
  await Promise.all(started)
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))).toEqual(
    items.map((n) => (n === 7 ? (expect.any(HostLostError) as unknown) : n)),
  )
})

it('an item, or a result, that is larger than a message fails alone', async () => {
  const { cluster } = fleet()
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
  const { server, cluster, manager } = fleet()
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
