// @ts-check
/**
 * A temporary PostgreSQL server on 127.0.0.1, for the examples that need one. Its data are in a folder that is removed
 * in the end. As a program it runs a command with such a server: `node scripts/postgres.js psql`. The command finds it
 * by the variables that all clients know, such as PGPORT.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Where Debian has the programs of each version. They are not on the path there. */
const DEBIAN = '/usr/lib/postgresql'
const USER = 'postgres'
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM']
/** What the server writes to its log. */
const READY = 'database system is ready to accept connections'

/** What a client needs to know. @typedef {{ PGHOST: string, PGPORT: string, PGUSER: string, PGDATABASE: string }} Address */

/** Starts a server, and waits until it takes connections. @returns {Promise<{ env: Address, stop: () => Promise<void> }>} */
export async function startPostgres() {
  const bin = binaries()
  // The server refuses to run as root.
  const owner = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  const folder = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
  const data = join(folder, 'data')
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid)
    // Without a password: the server listens on the loopback alone, and has nothing but the data of examples.
    const settings = ['--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions']
    execFileSync(join(bin, 'initdb'), [`--pgdata=${data}`, `--username=${USER}`, ...settings], {
      ...owner,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const port = `${await freePort()}`
    // -F: nothing needs to survive a crash of the system.
    const options = ['-D', data, '-h', '127.0.0.1', '-p', port, '-k', folder, '-F']
    const server = spawn(join(bin, 'postgres'), options, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    const over = once(server, 'exit')
    // If this program ends early, by a signal too, the server does not outlive it.
    const stopNow = () => {
      server.kill('SIGQUIT')
      remove()
    }
    process.once('exit', stopNow)
    for (const signal of SIGNALS) process.once(signal, exit)
    await ready(server.stderr, over)
    return {
      env: { PGHOST: '127.0.0.1', PGPORT: port, PGUSER: USER, PGDATABASE: 'postgres' },
      stop: async () => {
        process.off('exit', stopNow)
        for (const signal of SIGNALS) process.off(signal, exit)
        server.kill('SIGINT')
        await over
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

function exit() {
  process.exit(1)
}

/** The folder with the programs of the newest version. */
function binaries() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const found = folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
  if (found === undefined) throw new Error('Cannot start PostgreSQL as it is not installed: apt-get install postgresql')
  return found
}

/** The number of the user or the group of the server. @param {'-u' | '-g'} option */
function idOf(option) {
  return Number(execFileSync('id', [option, USER], { encoding: 'utf8' }))
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Resolves when the log says that the server is ready, and reads on, so that the pipe does not fill.
 *
 * @param {import('node:stream').Readable} log @param {Promise<unknown[]>} over when the server has ended
 * @returns {Promise<void>}
 */
function ready(log, over) {
  return new Promise((resolve, reject) => {
    let text = ''
    createInterface({ input: log }).on('line', (line) => {
      text += `${line}\n`
      if (line.includes(READY)) resolve()
    })
    over.then(() => {
      reject(new Error(`Cannot start PostgreSQL as it has ended:\n${text}`))
    }, reject)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command = 'psql', ...args] = process.argv.slice(2)
  const { env, stop } = await startPostgres()
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  const [status] = await once(child, 'exit')
  await stop()
  process.exitCode = status ?? 1
}
