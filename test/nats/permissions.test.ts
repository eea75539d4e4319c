/** The permissions of the four roles, as examples/cluster/nats-server.conf has them. */
import { readFileSync } from 'node:fs'
import { ClusterError } from '#dist/cluster/errors.js'
import { NatsBroker } from '#dist/nats/broker.js'
import { ROLES, type Role } from '#dist/nats/roles.js'
import { Cluster } from 'millrace/nats'
import { double } from '../fixtures/nats-tasks.js'
import { command, startHost } from '../support/command.js'
import { NatsServer } from '../support/nats-server.js'

const CONFIG = new URL('../../../examples/cluster/nats-server.conf', import.meta.url)
const PLACE = ['--namespace', 'acme']
const API = '$JS.API'
const [T, R] = ['millrace-acme-tasks-any', 'millrace-acme-results']

/** What each role must not do. */
const FORBIDDEN: Readonly<Record<Exclude<Role, 'admin'>, Record<'publish' | 'subscribe', readonly string[]>>> = {
  producer: {
    publish: [
      'mr.acme.r.reports.p',
      'mr.acme.t.any.m.other.p.1',
      'mr.acme.t.big.m.reports.p.1',
      'mr.other.t.any.m.reports.p.1',
      'mr.acme.x.other.p',
      ...['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.GET'].map((action) => `${API}.STREAM.${action}.${T}`),
      `${API}.CONSUMER.CREATE.${T}.c.mr.acme.t.any.>`,
      `${API}.CONSUMER.DELETE.${T}.c`,
      `${API}.CONSUMER.MSG.NEXT.${T}.c`,
      `${API}.CONSUMER.CREATE.${R}.c.mr.acme.r.other.p`,
      `${API}.CONSUMER.CREATE.${R}.c`,
      `${API}.CONSUMER.LIST.${R}`,
      `$JS.ACK.${T}.c.1.1.1.1.1`,
    ],
    subscribe: ['mr.acme.t.>', 'mr.acme.r.>', 'mr.acme.hosts', '_INBOX.>', '_INBOX_h.>', '>'],
  },
  host: {
    publish: [
      'mr.acme.t.any.m.reports.p.1',
      'mr.acme.x.reports.p',
      'mr.other.r.reports.p',
      ...['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.GET'].map((action) => `${API}.STREAM.${action}.${T}`),
      `${API}.CONSUMER.DELETE.${T}.c`,
      `${API}.CONSUMER.CREATE.${R}.c.mr.acme.r.reports.p`,
      `${API}.CONSUMER.MSG.NEXT.${R}.c`,
      `$JS.ACK.${R}.c.1.1.1.1.1`,
    ],
    subscribe: ['mr.acme.t.>', 'mr.acme.r.>', '_INBOX_reports.>', '_INBOX.>', '>'],
  },
  observer: {
    publish: [
      'mr.acme.t.any.m.reports.p.1',
      'mr.acme.r.reports.p',
      'mr.acme.x.reports.p',
      `${API}.STREAM.DELETE.${T}`,
      `${API}.CONSUMER.MSG.NEXT.${T}.c`,
      `${API}.CONSUMER.MSG.NEXT.${R}.c`,
      `$JS.ACK.${T}.c.1.1.1.1.1`,
    ],
    subscribe: ['mr.acme.t.>', 'mr.acme.r.>', 'mr.acme.x.>', '_INBOX_reports.>', '>'],
  },
}

let server: NatsServer
beforeAll(async () => {
  const names = ['ADMIN', 'PRODUCER', 'HOST', 'OBSERVER'].map((role) => [`${role}_PASSWORD`, passwordOf(role)])
  server = await NatsServer.start({
    text: readFileSync(CONFIG, 'utf8'),
    env: Object.fromEntries(names) as Record<string, string>,
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

function passwordOf(role: string): string {
  return `of-${role.toLowerCase()}`
}

function env(role: Role): Record<string, string> {
  return { NATS_USER: role, NATS_PASSWORD: passwordOf(role) }
}

async function run(role: Role, args: readonly string[]): Promise<string> {
  const { code, text } = await command([...args, ...PLACE, '--servers', server.url], env(role))
  return `${code} ${text}`
}

it.each(Object.keys(ROLES) as Role[])('the %s may do what it needs', async (role) => {
  const text = await run(role, ['check', '--role', role, '--name', 'reports'])
  expect(text.split('\n').filter((line) => line.startsWith('✘'))).toEqual([])
  expect(text).toMatch(/^0 ✔ connected/)
})

it.each(Object.entries(FORBIDDEN))('the %s may not do what others do', async (role, { publish, subscribe }) => {
  const broker = new NatsBroker({
    servers: [server.url],
    credentials: { user: role, pass: passwordOf(role) },
    name: 'test',
    inbox: ROLES[role as Role].inbox('reports'),
    wait: 5_000,
  })
  await broker.open()
  try {
    const allowed: string[] = []
    for (const subject of publish) if (await broker.isAllowed('publish', subject)) allowed.push(`publish ${subject}`)
    for (const subject of subscribe)
      if (await broker.isAllowed('subscribe', subject)) allowed.push(`subscribe ${subject}`)
    expect(allowed).toEqual([])
  } finally {
    await broker.close()
  }
})

it('a cluster works with them, after the admin has set it up', async () => {
  const cluster = new Cluster({
    servers: server.url,
    credentials: { user: 'producer', pass: passwordOf('producer') },
    namespace: 'acme',
    name: 'reports',
  })
  await expect(cluster.ready({ timeout: 1_000 })).rejects.toThrow("run 'npx millrace setup'")
  expect(await run('admin', ['setup'])).toBe(`0 ${T}: created\n${R}: created\n`)
  await using host = await startHost(server.url, [...PLACE, '--name', 'one'], env('host'))
  await cluster.ready()
  expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
  await cluster.close()
  expect(await run('observer', ['hosts'])).toContain('one')
  host.kill('SIGTERM')
  expect(await host.ended()).toBe(0)
})

it('other passwords are refused', async () => {
  const cluster = new Cluster({ servers: server.url, credentials: { user: 'producer', pass: 'guessed' } })
  const error: unknown = await cluster.ready().catch((reason: unknown) => reason)
  expect([(error as ClusterError).code, String(error).includes('guessed')]).toEqual(['ERR_CLUSTER_REFUSED', false])
})
