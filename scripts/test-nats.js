// @ts-check
/**
 * Runs the tests that need a NATS server: `npm run test:nats [-- FILES… | OPTIONS OF JEST…]`, after a build. Each test
 * starts its own server on the loopback. The program is `nats-server` of the path, or the one that NATS_SERVER names.
 */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))

const server = process.env.NATS_SERVER ?? 'nats-server'
const { error, status } = spawnSync(server, ['--version'], { stdio: 'ignore' })
if (error !== undefined || status !== 0) {
  console.error(
    `Cannot run the tests of NATS as ${server} does not run: apt-get install nats-server, or set NATS_SERVER to its path`,
  )
  process.exit(1)
}
process.env.TEST_NATS = '1'
const { status: end } = spawnSync(process.execPath, ['scripts/run-tests.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exitCode = end ?? 1
