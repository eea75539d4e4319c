// @ts-check
/**
 * Runs the Jest suite under several versions of Node: `npm run test:nodes`, or `npm run test:nodes -- 24` for some of
 * them. The npm package `node` has the binaries, which are kept below build/nodes/. Build first: it runs the tests that
 * are built.
 *
 * Arguments after a second `--` go to Jest: `npm run test:nodes -- 22 24 -- contract/`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const VERSIONS = ['20', '22', '24', '26']

const root = resolve(import.meta.dirname, '..')
const given = process.argv.slice(2)
const end = given.includes('--') ? given.indexOf('--') : given.length
const versions = end > 0 ? given.slice(0, end) : VERSIONS
const jestArguments = given.slice(end + 1)

/** @type {string[]} */
const failed = []
for (const version of versions) {
  const node = binary(version)
  const release = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`Node ${release}`)
  const jest = join(root, 'node_modules/jest/bin/jest.js')
  const { status } = spawnSync(node, [jest, ...jestArguments], { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed.push(release)
}
if (failed.length > 0) {
  console.error(`The tests fail under ${failed.join(', ')}`)
  process.exitCode = 1
}

/** @param {string} version @returns {string} the path of a Node of that version, which is installed if need be */
function binary(version) {
  if (!/^\d+(\.\d+)*$/.test(version))
    throw new Error(`Cannot run the tests under Node '${version}': give a version, like 24`)
  const folder = join(root, 'build/nodes', version)
  const path = join(folder, 'node_modules/node/bin/node')
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    // A separate project: npm would otherwise install into the parent project.
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    })
  }
  return path
}
