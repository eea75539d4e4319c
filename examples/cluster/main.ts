/**
 * A cluster on this machine: a NATS server with four roles, two hosts, and a producer. Each is a process, as on several
 * machines. It needs the program `nats-server`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../../..')
const MILLRACE = join(ROOT, 'dist/cli/millrace.cjs')
const TASKS = join(import.meta.dirname, 'tasks.js')

const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'))
const port = await freePort()
// The server would take one that begins with a digit for a number.
const passwords = Object.fromEntries(
  ['ADMIN', 'PRODUCER', 'HOST', 'OBSERVER'].map((role) => [`${role}_PASSWORD`, `p-${randomUUID()}`]),
)
const url = `nats://127.0.0.1:${port}`
const place = ['--servers', url, '--namespace', 'acme']
const running: ChildProcess[] = []

try {
  const server = start(
    'nats-server',
    process.env.NATS_SERVER ?? 'nats-server',
    ['-c', join(ROOT, 'examples/cluster/nats-server.conf')],
    { MILLRACE_PORT: `${port}`, MILLRACE_STORE: join(folder, 'store'), ...passwords },
  )
  await written(server, 'Server is ready')
  await done(start('setup', process.execPath, [MILLRACE, 'setup', ...place], as('admin')))
  const hosts = ['one', 'two'].map((name) =>
    start(name, process.execPath, [MILLRACE, 'worker', TASKS, ...place, '--name', name, '--slots', '1'], as('host')),
  )
  await Promise.all(hosts.map((host) => written(host, 'is ready')))
  const env = { NATS_URL: url, PRODUCER_PASSWORD: passwords.PRODUCER_PASSWORD ?? '' }
  await done(start('producer', process.execPath, [join(import.meta.dirname, 'producer.js')], env))
  // They finish what they hold, and end.
  for (const host of hosts) host.kill('SIGTERM')
  await Promise.all(hosts.map(done))
} finally {
  await Promise.all(running.map(end))
  rmSync(folder, { recursive: true })
}

/** A user of the server: commands take it from the environment, so that no list of processes shows it. */
function as(user: string): Record<string, string> {
  return { NATS_USER: user, NATS_PASSWORD: passwords[`${user.toUpperCase()}_PASSWORD`] ?? '' }
}

/** Starts a program, and shows its output. The server writes to stderr, and only its errors are of interest. */
function start(name: string, program: string, args: readonly string[], env: Record<string, string>): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  running.push(child)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trimEnd().split('\n')) console.log(`[${name}] ${line}`)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (name !== 'nats-server' || /\[(ERR|FTL)\]|nats-server: /.test(text)) process.stderr.write(text)
  })
  return child
}

/** Resolves when a program has written a text. */
function written(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (more: string) => {
        output += more
        if (output.includes(text)) resolve()
      })
    }
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const cure = cause.code === 'ENOENT' ? ': apt-get install nats-server, or set NATS_SERVER to its path' : ''
      reject(new Error(`Cannot start ${child.spawnfile}${cure}`, { cause }))
    })
    child.once('close', (code) => {
      reject(new Error(`${child.spawnfile} ended with ${code} before '${text}'`))
    })
  })
}

async function done(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  if (child.exitCode !== 0)
    throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode ?? child.signalCode}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
