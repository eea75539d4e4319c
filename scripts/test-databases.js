// @ts-check
/**
 * Runs the tests that need databases, after a build: test/databases/. It starts a PostgreSQL server on the loopback. SQLite
 * is in Node 22.13 and later: the npm package `node` has such a Node.
 *
 * npm run test:databases [-- --json --outputFile=FILE] [FILES… | OPTIONS OF JEST…]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { nodeBinary } from './node-binary.js'
import { startPostgres } from './postgres.js'

process.chdir(resolve(import.meta.dirname, '..'))

const { env, stop } = await startPostgres()
try {
  const run = spawn(process.execPath, ['scripts/run-tests.js', ...process.argv.slice(2)], {
    stdio: 'inherit',
    // These tests take long: they get the time of tests at full volume.
    env: { ...process.env, ...env, TEST_DATABASES: '1', TEST_VOLUME: 'full', NODE_WITH_SQLITE: nodeBinary('24') },
  })
  const [code] = await once(run, 'exit')
  process.exitCode = code ?? 1
} finally {
  await stop()
}
