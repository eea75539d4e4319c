// @ts-check
/**
 * Runs the contract tests on every path of the codec, where the size of a chunk would else choose one: `npm run test:codecs`, after a
 * build. Each path is a copy of the built package and tests below build/codecs/, with other constants.
 *
 * Every test of the contract runs with columns; those of values, errors and whole chunks also with records taken apart by
 * generated code from the first one on, by loops alone, and with no columns at all.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Constants of the codec, as they are built: the fewest values that are encoded, and when code is generated. */
const FEWEST = 'FEWEST = 48;'
const SHAPES = 'ownShapes = new Shapes();'

const EVERY = ['contract/']
const VALUES = ['values-and-order', 'clonability', 'errors', 'chunks', 'stages'].map((name) => `contract/${name}.test`)

/**
 * By name: the constants in the place of those above, the tests, and what becomes of the value `{ a: 1 }`.
 *
 * @type {Record<string, { fewest: string, shapes: string, tests: string[], isColumn: boolean }>}
 */
const PATHS = {
  columns: { fewest: '1', shapes: '', tests: EVERY, isColumn: true },
  generated: { fewest: '1', shapes: '0', tests: VALUES, isColumn: true },
  loops: { fewest: '1', shapes: 'Infinity', tests: VALUES, isColumn: true },
  clones: { fewest: 'Infinity', shapes: '', tests: VALUES, isColumn: false },
}

const root = resolve(import.meta.dirname, '..')
const jest = join(root, 'node_modules/jest/bin/jest.js')

for (const [name, { fewest, shapes, tests, isColumn }] of Object.entries(PATHS)) {
  const folder = join(root, 'build/codecs', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const part of ['package.json', 'dist', 'build/test']) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  replace(join(folder, 'dist'), FEWEST, `FEWEST = ${fewest};`)
  replace(join(folder, 'dist'), SHAPES, `ownShapes = new Shapes(${shapes});`)
  assertInForce(folder, isColumn)
  console.log(`Codec: ${name}`)
  const { status } = spawnSync(process.execPath, [jest, '--rootDir', join(folder, 'build/test'), ...tests], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}

/**
 * Replaces a text in the module where it stands, and in the file that module was joined into: once in each, or this would check
 * nothing that is not checked already.
 *
 * @param {string} dist @param {string} text @param {string} other
 */
function replace(dist, text, other) {
  const joined = readdirSync(dist).filter((name) => /[.]c?js$/.test(name))
  const found = ['codec/codec.js', ...joined].filter((name) => {
    const path = join(dist, name)
    const parts = readFileSync(path, 'utf8').split(text)
    if (parts.length === 2) writeFileSync(path, parts.join(other))
    return parts.length === 2
  })
  if (found.length !== 2 || found[0] !== 'codec/codec.js') {
    throw new Error(`Cannot choose a path of the codec as '${text}' stands in ${found.join(', ') || 'no file'} of dist`)
  }
}

/** @param {string} folder @param {boolean} isColumn whether a single record must become a column */
function assertInForce(folder, isColumn) {
  const program = "import { pack } from '#dist/codec/codec.js'; console.log(!Array.isArray(pack([{ a: 1 }]).data))"
  const file = join(folder, 'in-force.mjs')
  writeFileSync(file, program)
  const printed = execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim()
  if (printed !== String(isColumn)) throw new Error(`The codec of ${folder} is not the one that was asked for`)
}
