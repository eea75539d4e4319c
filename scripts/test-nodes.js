// @ts-check
/**
 * Runs the Jest suite under several versions of Node: `npm run test:nodes`, or `npm run test:nodes -- 24` for some of
 * them. `node-binary.js` installs them. Build first: it runs the tests that are built.
 *
 * Arguments after a second `--` go to run-tests.js: `npm run test:nodes -- 22 24 -- contract/`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { nodeBinary } from './node-binary.js'

const VERSIONS = ['20', '22', '24', '26']

const root = resolve(import.meta.dirname, '..')
const runTests = join(root, 'scripts/run-tests.js')
const given = process.argv.slice(2)
const end = given.includes('--') ? given.indexOf('--') : given.length
const versions = end > 0 ? given.slice(0, end) : VERSIONS
const testArguments = given.slice(end + 1)

/** @type {string[]} */
const failed = []
for (const version of versions) {
  const node = nodeBinary(version)
  const release = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`Node ${release}`)
  const { status } = spawnSync(node, [runTests, ...testArguments], { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed.push(release)
}
if (failed.length > 0) {
  console.error(`The tests fail under ${failed.join(', ')}`)
  process.exitCode = 1
}
