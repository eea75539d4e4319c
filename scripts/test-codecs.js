// @ts-check
/**
 * Runs the contract tests on every path of the codec: `npm run test:codecs`, after a build. Otherwise the size of a
 * chunk chooses the path. test/support/codec-path.ts lists the paths.
 *
 * Every test of the contract runs with columns. The tests of values, errors and whole chunks also run on three other
 * paths. Generated code splits all records; only loops split them; or there are no columns. `--reports FOLDER` keeps
 * the counts of Jest.
 */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const EVERY = ['contract/']
const VALUES = ['values-and-order', 'clonability', 'errors', 'chunks', 'stages'].map((name) => `contract/${name}.test`)

/** @type {Record<string, string[]>} */
const PATHS = { columns: EVERY, generated: VALUES, loops: VALUES, clones: VALUES }

const root = resolve(import.meta.dirname, '..')
const { reports } = parseArgs({ options: { reports: { type: 'string' } } }).values
const runTests = join(root, 'scripts/run-tests.js')

for (const [name, tests] of Object.entries(PATHS)) {
  console.log(`Codec: ${name}`)
  const report = reports === undefined ? [] : ['--json', `--outputFile=${join(reports, `codec-${name}.json`)}`]
  const { status } = spawnSync(process.execPath, [runTests, ...report, ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CODEC_PATH: name },
  })
  if (status !== 0) process.exitCode = 1
}
