/** Streams on a cluster, with hosts that `npx millrace worker` runs. */
import { failure, pipe, Pool, PoolClosedError, WorkerCrashError, type Verbs } from 'millrace'
import { Cluster, ClusterError, NoHostsError, type ClusterOptions } from 'millrace/nats'
import { double, dying, failing, pause, pid, waiting } from '../fixtures/nats-tasks.js'
import { startHost, type CommandRun } from '../support/command.js'
import { freePort, NatsServer } from '../support/nats-server.js'
import { runNode } from '../support/programs.js'

let server: NatsServer
let hosts: CommandRun[] = []
beforeAll(async () => {
  server = await NatsServer.start()
  hosts = [await startHost(server.url, ['--name', 'one']), await startHost(server.url, ['--name', 'two'])]
})
afterAll(async () => {
  await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()))
  await server[Symbol.asyncDispose]()
})

function cluster(options: Partial<ClusterOptions> = {}): Cluster {
  return new Cluster({ servers: server.url, ...options })
}

async function errorOf(action: Promise<unknown>): Promise<unknown> {
  return await action.then(
    () => undefined,
    (error: unknown) => error,
  )
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of stream) all.push(value)
  return all
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('the verbs of a cluster', () => {
  it('give what they give on a pool', async () => {
    await using remote = cluster()
    await using local = new Pool({ workers: 2 })
    const results = async ({ imap, filter, map, apply, reduce, imapUnordered }: Verbs): Promise<unknown[]> => [
      await collect(imap(double, numbers(2_000))),
      await collect(pipe(numbers(100), imap(double), filter(double))),
      (await collect(imapUnordered(double, numbers(500)))).sort((a, b) => a - b),
      await map(failing, numbers(10), { errors: 'skip' }),
      await apply(double, [21]),
      typeof reduce,
    ]
    expect(await results(remote)).toEqual(await results(local))
  })

  it('use the processes of all hosts', async () => {
    await using remote = cluster()
    await remote.ready({ hosts: 2 })
    const pids = new Set(await remote.map(pid, numbers(2_000), { chunksize: 5 }))
    expect(pids.size).toBeGreaterThan(2)
    expect(pids.has(process.pid)).toBe(false)
  })

  it('give errors of tasks, with the item', async () => {
    await using remote = cluster()
    const error = await errorOf(collect(remote.imap(failing, [1, 2, 3])))
    expect(error).toBeInstanceOf(RangeError)
    expect([(error as Error).message, failure(error)?.index]).toEqual(['3 can be divided by 3', 2])
  })

  it('lose one item where a task ends its process', async () => {
    await using remote = cluster()
    const outcomes = await remote.map(dying, numbers(20), { errors: 'settle' })
    expect(outcomes.map(({ status }) => status === 'fulfilled').indexOf(false)).toBe(7)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect((outcomes[7] as { reason: unknown }).reason).toBeInstanceOf(WorkerCrashError)
  })
})

describe('ready() and hosts()', () => {
  it('tell of the hosts of the group', async () => {
    await using remote = cluster()
    const found = await remote.ready({ hosts: 2 })
    expect(found.map(({ name, slots, group }) => [name, slots, group]).sort()).toEqual([
      ['one', 2, 'any'],
      ['two', 2, 'any'],
    ])
    expect(found[0]?.modules).toEqual([
      expect.stringMatching(/^millrace\/build\/test\/fixtures\/nats-tasks\.js@[0-9a-f]{16}$/),
    ])
    expect(await remote.hosts()).toHaveLength(2)
    expect(remote.stats()).toMatchObject({ connected: true, out: 0, bytes: 0 })
    await using other = cluster({ group: 'other' })
    expect(await other.hosts()).toEqual([])
    expect(other.stats().connected).toBe(false)
  })

  it('reject where too few answer, and name those', async () => {
    await using remote = cluster()
    const error = await errorOf(remote.ready({ hosts: 3, timeout: 300 }))
    expect(error).toBeInstanceOf(NoHostsError)
    expect((error as Error).message).toMatch(
      /^Cannot use the cluster as 2 of 3 hosts of group 'any' \((one, two|two, one)\) answered within 300 ms: start more/,
    )
    expect(remote.stats().connected).toBe(false)
  })

  it('reject where there is no server', async () => {
    await using remote = cluster({ servers: `nats://127.0.0.1:${await freePort()}` })
    const error = await errorOf(remote.ready({ timeout: 300 }))
    expect([error instanceof ClusterError, (error as ClusterError).code]).toEqual([true, 'ERR_CLUSTER_CONNECT'])
  })
})

describe('a stream without hosts', () => {
  it('fails after `patience`, and says what hosts offer', async () => {
    await using remote = cluster({ version: 'v2', patience: 100 })
    const error = await errorOf(collect(remote.imap(double, [1])))
    expect(error).toBeInstanceOf(NoHostsError)
    expect((error as Error).message).toContain('nats-tasks.js@v2')
    expect((error as Error).message).toContain('one (group any')
  })
})

describe('the end of a cluster', () => {
  it('closes after open streams have ended, and takes no others', async () => {
    const remote = cluster()
    await remote.ready()
    const slow = collect(remote.imap(pause, [100, 100]))
    const closed = remote.close()
    expect(() => remote.imap(double, [1])).toThrow(PoolClosedError)
    expect(await slow).toEqual([100, 100])
    await closed
    expect(remote.stats().connected).toBe(false)
    expect((await errorOf(remote.ready())) as Error).toBeInstanceOf(PoolClosedError)
  })

  it('ends open streams when it is terminated, and hosts cancel what runs', async () => {
    const remote = cluster()
    const error = errorOf(collect(remote.imap(waiting, [1, 2])))
    await remote.ready()
    let held = 0
    while (held < 2) held = (await remote.hosts()).reduce((sum, host) => sum + host.held, 0)
    await remote.terminate()
    expect((await error) as PoolClosedError).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
    await using other = cluster()
    await other.ready()
    while (held > 0) held = (await other.hosts()).reduce((sum, host) => sum + host.held, 0)
  })

  it('is not needed: a program exits by itself when its stream has ended', async () => {
    const program = `
      import { Cluster } from ${JSON.stringify(import.meta.resolve('millrace/nats'))}
      import { double } from ${JSON.stringify(new URL('../fixtures/nats-tasks.js', import.meta.url).href)}
      const cluster = new Cluster({ servers: ${JSON.stringify(server.url)} })
      for await (const n of cluster.imap(double, [1, 2, 3])) console.log(n)
    `
    const { code, stdout, stderr } = await runNode(['--input-type=module', '--eval', program])
    expect([code, stdout, stderr]).toEqual([0, '2\n4\n6\n', ''])
  })
})

describe('a host', () => {
  it('that is killed costs no item', async () => {
    await using remote = cluster()
    await using extra = await startHost(server.url, ['--name', 'three'])
    await remote.ready({ hosts: 3 })
    const stream = remote.imap(pause, new Array<number>(300).fill(10), { chunksize: 5 })
    const results: number[] = []
    for await (const result of stream) {
      results.push(result)
      if (results.length === 50) extra.kill('SIGKILL')
    }
    expect(results).toEqual(new Array(300).fill(10))
  })

  it('that is drained finishes what it holds, and costs no item', async () => {
    await using remote = cluster()
    await using extra = await startHost(server.url, ['--name', 'three'])
    await remote.ready({ hosts: 3 })
    const results: number[] = []
    for await (const result of remote.imap(pause, new Array<number>(300).fill(10), { chunksize: 5 })) {
      results.push(result)
      if (results.length === 50) extra.kill('SIGTERM')
    }
    expect(results).toEqual(new Array(300).fill(10))
    expect(await extra.ended()).toBe(0)
    expect(remote.stats()).toMatchObject({ duplicates: 0, sentAgain: 0 })
  })
})

describe('the server', () => {
  it('that is killed and comes back costs no item', async () => {
    await using remote = cluster()
    await remote.ready({ hosts: 2 })
    const results: number[] = []
    let restarted: Promise<void> | undefined
    for await (const result of remote.imap(pause, new Array<number>(300).fill(10), { chunksize: 5 })) {
      results.push(result)
      if (results.length === 50) restarted = server.kill().then(() => server.start())
    }
    await restarted
    expect(results).toEqual(new Array(300).fill(10))
  })
})

describe('options of a cluster', () => {
  it.each([
    [{ servers: [] }, "'servers' must be addresses of NATS servers"],
    [{ servers: 'nats://ann:secret@host' }, 'received another value, which is not shown'],
    [{ credentials: { user: 'ann', password: 'secret' } }, 'received another value, which is not shown'],
    [{ namespace: 'Acme' }, "'namespace' must be 1 to 32 of 'a-z', '0-9' and '-': received 'Acme'"],
    [{ initializer: double }, "it has no option 'initializer'"],
    [{ maxBytes: 0 }, "'maxBytes' must be an integer of at least 1: received 0"],
    [{ version: 'a b' }, "'version' must be 1 to 64 letters"],
    [{ modules: { key: 'tasks.js' } }, "'modules' must be an object of URLs"],
    [{ tls: { cert: 'a.pem' } }, "'tls' must be an object"],
  ])('are refused at once: %j', (options, text) => {
    const make = (): Cluster => new Cluster({ servers: server.url, ...(options as Partial<ClusterOptions>) })
    expect(make).toThrow(text)
    expect(make).toThrow(/^Cannot make a cluster as /)
    expect(make).not.toThrow('secret')
  })
})
