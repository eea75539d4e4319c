/** The program `millrace`, on a real server. */
import { hostname } from 'node:os'
import { command, CommandRun, fixture, startHost } from '../support/command.js'
import { freePort, NatsServer } from '../support/nats-server.js'

let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

describe('millrace', () => {
  it('lists the flags of each command', async () => {
    for (const name of ['worker', 'setup', 'hosts', 'check']) {
      expect(await command([name, '--help'])).toEqual({
        code: 0,
        text: expect.stringContaining('--servers URL') as string,
      })
    }
  })

  it.each([
    [['worker'], 'millrace worker: a host needs at least one module of tasks\nSee npx millrace worker --help'],
    [['worker', 'none.js'], "millrace worker: there is no module 'none.js'"],
    [['worker', 'none.js', '--slot', '2'], "millrace worker: Unknown option '--slot'"],
    [['worker', fixture('nats-tasks.js'), '--slots', '0'], "--slots must be an integer from 1 to 1024: received '0'"],
    [
      ['worker', fixture('nats-tasks.js'), '--drain', '5'],
      "--drain must be a time such as 500ms, 30s or 5m: received '5'",
    ],
    [
      ['worker', fixture('nats-tasks.js'), '--log', 'loud'],
      "--log must be one of silent, error, warn, info, debug: received 'loud'",
    ],
    [
      ['worker', fixture('nats-tasks.js'), '--data', '/tmp'],
      "--data must be NAME=DIR, with a name of 'a-z', '0-9' and '-': received '/tmp'",
    ],
    [['worker', fixture('nats-tasks.js'), '--data', 'a=none/such'], "there is no folder 'none/such'"],
    [['worker', fixture('nats-tasks.js'), '--data', 'a=.', '--data', 'a=.'], "--data names two folders 'a'"],
    [['worker', fixture('nats-tasks.js'), '--module', 'key'], "--module must be KEY=FILE: received 'key'"],
    [['worker', fixture('nats-tasks.js'), '--initializer', 'x.js'], "--initializer must be FILE#ID: received 'x.js'"],
    [['worker', fixture('nats-tasks.js'), fixture('nats-tasks.js')], 'two modules have the key millrace/build/test/'],
    [['worker', fixture('nats-broken.js')], 'no such library'],
    [['setup', 'now'], "millrace setup: Unexpected argument 'now'"],
    [['setup', '--max-bytes', '1GB'], "--max-bytes must be a number of bytes such as 512MiB or 1GiB: received '1GB'"],
    [['setup', '--namespace', 'A'], "--namespace must be 1 to 32 of 'a-z', '0-9' and '-': received 'A'"],
    [['check', '--role', 'king'], '--role must be one of admin, producer, host, observer'],
    [['hosts', '--cert', 'x'], '--cert and --key must be given together'],
  ])('ends with 1 and one error: %j', async (args, expected) => {
    const { code, text } = await command(args)
    expect(text).toContain(expected)
    expect(code).toBe(1)
  })

  it('does not show an address that has a password in it', async () => {
    const { code, text } = await command(['hosts', '--servers', 'nats://ann:secret@host'])
    expect([code, text.includes('secret')]).toEqual([1, false])
  })
})

describe('millrace setup', () => {
  it('creates streams, leaves them, and changes them', async () => {
    const args = ['setup', '--servers', server.url, '--namespace', 'acme', '--group', 'big']
    const lines = (change: string): string => `millrace-acme-tasks-big: ${change}\nmillrace-acme-results: ${change}\n`
    expect(await command(args)).toEqual({ code: 0, text: lines('created') })
    expect(await command(args)).toEqual({ code: 0, text: lines('unchanged') })
    expect(await command([...args, '--max-bytes', '64MiB'])).toEqual({ code: 0, text: lines('updated') })
    const { code, text } = await command([...args, '--storage', 'memory'])
    expect([code, text]).toEqual([
      2,
      expect.stringContaining('millrace setup: Cannot create stream millrace-acme-tasks-big'),
    ])
  })
})

describe('millrace worker', () => {
  it('says what it offers, and ends with 0 after a signal', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using host = await startHost(server.url, [
        '--group',
        'a',
        '--version',
        'v1',
        '--module',
        `mine=${fixture('nats-tasks.js')}`,
      ])
      expect(host.text).toContain(`Host ${hostname()}-`)
      expect(host.text).toContain("is ready: 2 slots, namespace 'default', group 'a'")
      expect(host.text).toContain('  millrace/build/test/fixtures/nats-tasks.js@v1\n')
      expect(host.text).toContain('  mine@v1\n')
      host.kill(signal)
      expect(await host.ended()).toBe(0)
    }
  })

  it('waits for a server, and ends with 0 if it is told to in the meantime', async () => {
    const url = `nats://127.0.0.1:${await freePort()}`
    await using host = new CommandRun(['worker', fixture('nats-tasks.js'), '--servers', url])
    await host.written('waits for a server')
    host.kill('SIGTERM')
    expect(await host.ended()).toBe(0)
  })

  it('writes to stderr that it has lost its server, and that it is back', async () => {
    await using own = await NatsServer.start()
    await using host = await startHost(own.url, ['--name', 'one'])
    await using quiet = await startHost(own.url, ['--name', 'two', '--log', 'error'])
    expect(host.text).not.toContain('WARN')
    await own.kill()
    const name = "host 'one' of cluster 'default', group 'any',"
    await host.written(`[WARN/MainProcess] ${name} has lost the connection`)
    await own.start()
    await host.written(`[WARN/MainProcess] ${name} has the connection again, after `)
    expect(quiet.text).not.toContain('the connection')
  })

  it('ends with 2 where it is refused', async () => {
    await using guarded = await NatsServer.start({ settings: 'authorization: { token: secret }' })
    const args = ['worker', fixture('nats-tasks.js'), '--servers', guarded.url]
    const { code, text } = await command(args)
    expect([code, text]).toEqual([2, expect.stringContaining('the server refuses these credentials')])
    await using host = new CommandRun(args, { NATS_TOKEN: 'secret' })
    await host.written('is ready')
  })

  it('ends with 2 where it may not create streams, and names the command that does', async () => {
    const settings = `authorization: { users: [{ user: h, password: p, permissions: {
      publish: ["$JS.API.STREAM.INFO.>", "$JS.API.CONSUMER.CREATE.>"], subscribe: ["_INBOX_h.>"] } }] }`
    await using guarded = await NatsServer.start({ settings })
    const args = ['worker', fixture('nats-tasks.js'), '--servers', guarded.url]
    const { code, text } = await command(args, { NATS_USER: 'h', NATS_PASSWORD: 'p' })
    expect([code, text]).toEqual([2, expect.stringContaining("does not exist: run 'npx millrace setup'")])
  })
})

describe('millrace hosts', () => {
  it('lists those that answer', async () => {
    const args = ['hosts', '--servers', server.url, '--namespace', 'lists']
    expect(await command(args)).toEqual({ code: 0, text: 'No host has answered\n' })
    await using _ = await startHost(server.url, ['--namespace', 'lists', '--name', 'one', '--version', 'v1'])
    const { code, text } = await command(args)
    const [head, row] = text.split('\n')
    expect([code, head, row]).toEqual([
      0,
      'host  group  slots  units  modules',
      'one   any    2      0      millrace/build/test/fixtures/nats-tasks.js@v1',
    ])
    const json = await command([...args, '--json'])
    expect(JSON.parse(json.text)).toMatchObject({ name: 'one', slots: 2, held: 0 })
    expect((await command([...args, '--group', 'none'])).text).toBe('No host has answered\n')
  })
})

describe('millrace check', () => {
  it('tries all that a role needs', async () => {
    for (const role of ['admin', 'producer', 'host', 'observer']) {
      const { code, text } = await command(['check', '--servers', server.url, '--role', role])
      expect([code, text.includes('✘'), text.split('\n').length > 4]).toEqual([0, false, true])
    }
  })

  it('ends with 2 where an action is not allowed, and names it', async () => {
    const settings = `authorization: { users: [{ user: p, password: p, permissions: {
      publish: { deny: "mr.default.x.>" }, subscribe: ["_INBOX_any.>"] } }] }`
    await using guarded = await NatsServer.start({ settings })
    const { code, text } = await command(['check', '--servers', guarded.url], { NATS_USER: 'p', NATS_PASSWORD: 'p' })
    const refused = text.split('\n').filter((line) => line.startsWith('✘'))
    expect([code, refused]).toEqual([2, ['✘ not allowed: publish mr.default.x.any.check-0000000000000000']])
  })
})
