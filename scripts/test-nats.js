// @ts-check
/**
 * Runs the tests that need a NATS server, after a build. The program is `nats-server` of the path, or the one that
 * NATS_SERVER names.
 *
 * npm run test:nats [-- --json --outputFile=FILE] [FILES… | OPTIONS OF JEST…]: test/nats/, in which each test starts its own
 * server on the loopback.
 *
 * npm run test:nats -- contract: the contract of streams, on a cluster of two hosts.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

process.chdir(resolve(import.meta.dirname, '..'))

const program = process.env.NATS_SERVER ?? 'nats-server'
const { error, status } = spawnSync(program, ['--version'], { stdio: 'ignore' })
if (error !== undefined || status !== 0) {
  console.error(
    `Cannot run the tests of NATS as ${program} does not run: apt-get install nats-server, or set NATS_SERVER to its path`,
  )
  process.exit(1)
}

const given = process.argv.slice(2)
const forReport = given.filter((arg) => /^--(json|outputFile=.*)$/.test(arg))
const others = given.filter((arg) => !forReport.includes(arg))

/** Those whose tests run in every way: see test/support/matrix.ts. */
const CONTRACT = [
  'chunks',
  'errors',
  'filter',
  'flat-map',
  'laziness-and-bounds',
  'map',
  'reduce',
  'results',
  'sources',
  'values-and-order',
].map((name) => `test/contract/${name}.test`)
/** The modules of their tasks. */
const MODULES = [
  'contract-a-errors',
  'contract-a-gated',
  'contract-a-values',
  'contract-verbs',
  'contract-calls',
  'retries',
]
const HOSTS = 2

if (others[0] === 'contract') process.exitCode = await contractOnHosts()
else {
  const { status } = spawnSync(process.execPath, ['scripts/run-tests.js', ...given], {
    stdio: 'inherit',
    env: { ...process.env, TEST_NATS: '1' },
  })
  process.exitCode = status ?? 1
}

/** @returns {Promise<number>} The exit code. */
async function contractOnHosts() {
  console.log(`test:nats: the contract on ${HOSTS} hosts`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
  const port = await freePort()
  const config = join(folder, 'server.conf')
  const store = `jetstream { store_dir: ${JSON.stringify(join(folder, 'store'))}, max_file: 4GB }`
  writeFileSync(config, `listen: "127.0.0.1:${port}"\nmax_payload: 8MB\n${store}\n`)
  const url = `nats://127.0.0.1:${port}`
  const env = { ...process.env, MILLRACE_TEST_GATES: join(folder, 'gates') }
  const server = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  /** @type {import('node:child_process').ChildProcess[]} */
  const started = [server]
  try {
    await written(server, server.stderr, 'Server is ready')
    const files = MODULES.map((name) => `build/test/fixtures/${name}.js`)
    for (let n = 0; n < HOSTS; n++) {
      const args = [
        'dist/cli/millrace.cjs',
        'worker',
        ...files,
        '--servers',
        url,
        '--slots',
        '1',
        // Tasks of the contract wait for each other.
        '--ahead',
        '0',
        '--name',
        `host-${n}`,
      ]
      const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
      started.push(host)
      await written(host, host.stdout, 'is ready')
    }
    // One process, whose gates the hosts know.
    const run = spawn(process.execPath, ['scripts/run-tests.js', ...CONTRACT, '--runInBand', ...forReport], {
      stdio: 'inherit',
      env: { ...env, TEST_HOSTS: url },
    })
    const [code] = await once(run, 'exit')
    return code ?? 1
  } finally {
    for (const child of started.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
    rmSync(folder, { recursive: true })
  }
}

/**
 * Resolves when a program has written a text. Its output is read on.
 *
 * @param {import('node:child_process').ChildProcess} child @param {NodeJS.ReadableStream} stream @param {string} text
 * @returns {Promise<void>}
 */
function written(child, stream, text) {
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const lines = []
    createInterface(stream).on('line', (line) => {
      lines.push(line)
      if (line.includes(text)) resolve()
    })
    child.once('close', (code) => {
      reject(new Error(`${child.spawnfile} ended with ${code}:\n${lines.join('\n')}`))
    })
  })
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port')
  return address.port
}
