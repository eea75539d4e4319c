/** How a connection is opened, refused and secured, on a real server. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createUser } from '@nats-io/nkeys'
import { BrokerError, type StreamOptions } from '#dist/cluster/broker.js'
import { ClusterError } from '#dist/cluster/errors.js'
import { NatsBroker } from '#dist/nats/broker.js'
import { isLoopback, type ConnectionOptions } from '#dist/nats/connection.js'
import { freePort, NatsServer, type ServerOptions } from '../support/nats-server.js'

const SECRET = 'correct-horse'
const TASKS: StreamOptions = { name: 'T', subjects: ['t.>'], retention: 'workqueue' }
const CONSUMER = { filter: 't.>', ackWait: 5_000, inactive: 60_000 }

const open: NatsBroker[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((broker) => broker.close()))
})

function brokerOf(options: ConnectionOptions): NatsBroker {
  const broker = new NatsBroker(options)
  open.push(broker)
  return broker
}

function certificate(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/certificates/${name}`, import.meta.url))
}

/** The same machine, in a form that does not say so. */
function disguised(server: NatsServer): string {
  return `nats://0x7f.1:${server.port}`
}

/** The error of opening a connection, without the client's own: 'open' if there is none. */
async function opening(options: Pick<ConnectionOptions, 'servers'> & Partial<ConnectionOptions>): Promise<string> {
  const broker = new NatsBroker({ name: 'test', inbox: '_INBOX', wait: 1_000, ...options })
  try {
    await broker.open()
    await broker.createStream(TASKS)
    return 'open'
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error
    return `${error.code} ${error.message}`
  } finally {
    await broker.close()
  }
}

async function withServer<T>(options: ServerOptions, body: (server: NatsServer) => Promise<T>): Promise<T> {
  await using server = await NatsServer.start(options)
  return await body(server)
}

describe('a server that is not there', () => {
  it('is an error that names it, after the time to wait', async () => {
    const port = await freePort()
    const started = performance.now()
    const text = await opening({ servers: [`nats://127.0.0.1:${port}`], wait: 700 })
    expect(text).toBe(
      `ERR_CLUSTER_CONNECT Cannot connect to nats://127.0.0.1:${port} as no server answered within 700 ms: connection refused`,
    )
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('does no harm where another one answers', async () => {
    const port = await freePort()
    await withServer({}, async ({ url }) => {
      expect(await opening({ servers: [`nats://127.0.0.1:${port}`, url] })).toBe('open')
    })
  })

  it('is waited for', async () => {
    await using server = await NatsServer.start()
    await server.kill()
    const opened = opening({ servers: [server.url], wait: 20_000 })
    await server.start()
    expect(await opened).toBe('open')
  })
})

describe('credentials', () => {
  const user = createUser()
  const settings = `authorization: { users: [
    { user: ann, password: ${SECRET} }
    { nkey: ${user.getPublicKey()} }
  ] }`

  it('are a user and password, a token, or the seed of an nkey in a file', async () => {
    await withServer({ settings }, async (server) => {
      const seed = server.path('seed.nk')
      writeFileSync(seed, `${new TextDecoder().decode(user.getSeed())}\n`)
      const servers = [server.url]
      expect(await opening({ servers, credentials: { user: 'ann', pass: SECRET } })).toBe('open')
      expect(await opening({ servers, credentials: { nkey: seed } })).toBe('open')
    })
    await withServer({ settings: `authorization: { token: ${SECRET} }` }, async ({ url }) => {
      expect(await opening({ servers: [url], credentials: { token: SECRET } })).toBe('open')
    })
  })

  it('are refused at once, by an error without them', async () => {
    await withServer({ settings }, async (server) => {
      const servers = [server.url]
      const refused = `ERR_CLUSTER_REFUSED Cannot connect to ${server.url} as the server refuses these credentials: check 'credentials', and the server's users`
      const started = performance.now()
      expect(await opening({ servers, wait: 60_000 })).toBe(refused)
      expect(await opening({ servers, wait: 60_000, credentials: { user: 'ann', pass: `not ${SECRET}` } })).toBe(
        refused,
      )
      expect(await opening({ servers, wait: 60_000, credentials: { token: SECRET } })).toBe(refused)
      expect(performance.now() - started).toBeLessThan(20_000)
    })
  })

  it('are files that can be read, and are what they are said to be', async () => {
    await withServer({}, async (server) => {
      const file = server.path('wrong.creds')
      writeFileSync(file, SECRET)
      const servers = [server.url]
      expect(await opening({ servers, credentials: file })).toBe(
        `ERR_CLUSTER_REFUSED Cannot connect to NATS as ${file} is not a .creds file`,
      )
      expect(await opening({ servers, credentials: { nkey: file } })).toBe(
        `ERR_CLUSTER_REFUSED Cannot connect to NATS as ${file} is not an nkey seed`,
      )
      expect(await opening({ servers, credentials: server.path('none.creds') })).toContain(
        "ERR_CLUSTER_REFUSED Cannot connect to NATS as the file of 'credentials' cannot be read: ENOENT",
      )
    })
  })

  it('that are withdrawn for a moment cost the connection, which comes again', async () => {
    await using server = await NatsServer.start({ settings })
    const credentials = { user: 'ann', pass: SECRET }
    const broker = brokerOf({ servers: [server.url], name: 'test', inbox: '_INBOX', wait: 1_000, credentials })
    await broker.open()
    const changes: boolean[] = []
    const up = new Promise<void>((resolve) => {
      broker.onChange((isUp) => {
        changes.push(isUp)
        if (isUp) resolve()
      })
    })
    await server.kill()
    server.configure({ settings: 'authorization: { token: other }' })
    await server.start()
    // Twice in a row would end the connection for good, as the client has it by default.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await server.kill()
    server.configure({ settings })
    await server.start()
    await up
    expect(changes).toEqual([false, true])
  })
})

describe('TLS', () => {
  const tls = `cert_file: ${JSON.stringify(certificate('server.pem'))}, key_file: ${JSON.stringify(certificate('server.key'))}`
  const settings = `tls { ${tls} }`
  const ca = certificate('ca.pem')

  it('is required off loopback, unless the connection may be insecure', async () => {
    await withServer({}, async (server) => {
      expect(await opening({ servers: [disguised(server)] })).toBe(
        `ERR_CLUSTER_REFUSED Cannot connect to ${disguised(server)} as the server has no TLS: set it up there, or accept a connection that others can read with 'insecure: true'`,
      )
      expect(await opening({ servers: [disguised(server)], insecure: true })).toBe('open')
      // One server off loopback is enough.
      expect(await opening({ servers: [server.url, disguised(server)] })).toContain('has no TLS')
      expect(await opening({ servers: [server.url.replace('nats:', 'tls:')] })).toContain('has no TLS')
      expect(await opening({ servers: [server.url], tls: {} })).toContain('has no TLS')
    })
  })

  it('checks the certificate and its name', async () => {
    await withServer({ settings }, async ({ port, url }) => {
      const named = `tls://localhost:${port}`
      expect(await opening({ servers: [named], tls: { ca } })).toBe('open')
      expect(await opening({ servers: [named] })).toMatch(/^ERR_CLUSTER_REFUSED .* as TLS failed: check 'tls' \(/)
      expect(await opening({ servers: [url.replace('nats:', 'tls:')], tls: { ca } })).toBe('open')
      expect(await opening({ servers: [named], tls: { ca: '/none.pem' } })).toContain(
        "ERR_CLUSTER_REFUSED Cannot connect to NATS as the file of 'tls.ca' cannot be read: ENOENT",
      )
    })
  })

  it('proves who the program is, where the server asks for it', async () => {
    const verified = `tls { ${tls}, ca_file: ${JSON.stringify(ca)}, verify: true }`
    await withServer({ settings: verified }, async ({ port }) => {
      const servers = [`tls://localhost:${port}`]
      const [cert, key] = [certificate('client.pem'), certificate('client.key')]
      expect(await opening({ servers, tls: { ca, cert, key } })).toBe('open')
      expect(await opening({ servers, tls: { ca } })).toMatch(
        /^ERR_CLUSTER_CONNECT .* It may ask for a certificate: 'tls.cert'$/,
      )
    })
  })

  it('is not needed for addresses of this machine', () => {
    const local = ['nats://localhost:4222', 'localhost', '127.0.0.1:4222', 'nats://127.8.9.1', 'nats://[::1]:4222']
    expect(local.filter((server) => !isLoopback(server))).toEqual([])
    const others = [
      'nats://nats.example:4222',
      'localhost.example',
      '10.0.0.1',
      '127.0.0.1.example',
      'nats://[::2]:4222',
    ]
    expect(others.filter(isLoopback)).toEqual([])
  })
})

describe('a server without JetStream', () => {
  it('is an error that says how to start it', async () => {
    await withServer({ jetstream: false }, async (server) => {
      expect(await opening({ servers: [server.url] })).toBe(
        `ERR_CLUSTER_SETUP Cannot use 127.0.0.1:${server.port} as it runs without JetStream: start it with '-js', or 'jetstream {}' in its settings`,
      )
    })
  })
})

describe('what is forbidden', () => {
  const settings = `authorization: { users: [
    { user: all, password: a }
    { user: few, password: b, permissions: { publish: ["t.allowed"], subscribe: ["_INBOX_few.>", "heard"] } }
    { user: deaf, password: c, permissions: { publish: [">"], subscribe: ["none"] } }
  ] }`

  it('fails at once, in each kind of action', async () => {
    await withServer({ settings }, async ({ url }) => {
      const base = { servers: [url], name: 'test', wait: 5_000 }
      const all = brokerOf({ ...base, inbox: '_INBOX', credentials: { user: 'all', pass: 'a' } })
      const few = brokerOf({ ...base, inbox: '_INBOX_few', credentials: { user: 'few', pass: 'b' } })
      const deaf = brokerOf({ ...base, inbox: '_INBOX', credentials: { user: 'deaf', pass: 'c' } })
      await Promise.all([all.open(), few.open(), deaf.open()])
      await all.createStream(TASKS)
      await all.createConsumer('T', 'C', CONSUMER)
      expect(await few.publish('t.allowed', new Uint8Array(1))).toBe(1)
      const started = performance.now()
      const actions: Record<string, Promise<unknown>> = {
        publish: few.publish('t.other', new Uint8Array(1)),
        createStream: few.createStream(TASKS),
        createConsumer: few.createConsumer('T', 'C', CONSUMER),
        deleteConsumer: few.deleteConsumer('T', 'C'),
        consumerState: few.consumerState('T', 'C'),
        subjects: few.subjects('T', 't.>'),
        fetch: few.fetch('T', 'C', new AbortController().signal),
        ask: few.ask('who', new Uint8Array(0), 1_000),
        answers: deaf.publish('t.allowed', new Uint8Array(1)),
      }
      const faults = await Promise.all(
        Object.entries(actions).map(async ([name, action]) => {
          const fault = await action.then(
            () => 'none',
            (error: unknown) => (error instanceof BrokerError ? error.fault : String(error)),
          )
          return `${name}: ${fault}`
        }),
      )
      expect(faults).toEqual(Object.keys(actions).map((name) => `${name}: forbidden`))
      expect(performance.now() - started).toBeLessThan(1_500)
      // What cannot be answered was stored.
      expect(await few.publish('t.allowed', new Uint8Array(1))).toBe(3)
    })
  })

  it('fails at once when messages are asked for, though the consumer may be looked up', async () => {
    const looker = `authorization: { users: [
      { user: all, password: a }
      { user: looker, password: b, permissions: { publish: ["$JS.API.CONSUMER.INFO.>"], subscribe: ["_INBOX.>"] } }
    ] }`
    await withServer({ settings: looker }, async ({ url }) => {
      const base = { servers: [url], name: 'test', inbox: '_INBOX', wait: 5_000 }
      const all = brokerOf({ ...base, credentials: { user: 'all', pass: 'a' } })
      const looks = brokerOf({ ...base, credentials: { user: 'looker', pass: 'b' } })
      await Promise.all([all.open(), looks.open()])
      await all.createStream(TASKS)
      await all.createConsumer('T', 'C', CONSUMER)
      const error: unknown = await looks
        .fetch('T', 'C', new AbortController().signal)
        .catch((reason: unknown) => reason)
      expect(error instanceof BrokerError && error.fault).toBe('forbidden')
    })
  })
})
