// @ts-check
/**
 * Runs the tests: `npm run test:jest`, after a build. Two Jest processes share the files, because most tests wait most
 * of the time. With arguments for Jest, such as names of files, one process runs those.
 *
 * npm run test:jest -- [--full] [--json --outputFile=FILE] [ARGUMENTS OF JEST…]
 *
 * `--full` runs the tests that have a volume (test/support/volume.ts) at full volume, and those that are too slow for
 * `npm test`.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const jest = join(root, 'node_modules/jest/bin/jest.js')
const PROCESSES = 2

const given = process.argv.slice(2)
const report = given.find((arg) => arg.startsWith('--outputFile='))?.slice('--outputFile='.length)
const isFull = given.includes('--full')
const others = given.filter((arg) => arg !== '--full' && !arg.startsWith('--outputFile='))
const isAll = others.every((arg) => arg === '--json')
if (isFull) {
  process.env.TEST_VOLUME = 'full'
  others.push(...filesWithVolume())
}

const shards = isAll ? Array.from({ length: PROCESSES }, (_, i) => `--shard=${i + 1}/${PROCESSES}`) : ['']
const reports = shards.map((_, i) => report && `${report}.${i}`)
const codes = await Promise.all(
  shards.map((shard, i) => run([...others, shard, reports[i] ? `--outputFile=${reports[i]}` : ''].filter(Boolean))),
)
process.exitCode = codes.find((code) => code !== 0) ?? 0
if (report)
  joinReports(
    report,
    reports.filter((path) => path !== undefined),
  )

/** The test files that do more at full volume, and those that run only then. */
function filesWithVolume() {
  const folder = join(root, 'build/test')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.js'))
  return files.filter((file) => {
    return /planted|^browser\b/.test(file) || readFileSync(join(folder, file), 'utf8').includes('support/volume.js')
  })
}

/** @param {string[]} args @returns {Promise<number>} */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [jest, ...args], { cwd: root, stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => {
      resolve(code ?? 1)
    })
  })
}

/**
 * Writes one report of all processes: their counts, and the results of all files.
 *
 * @param {string} report @param {string[]} parts
 */
function joinReports(report, parts) {
  /** @type {Record<string, unknown>} */
  const all = {}
  for (const part of parts) {
    for (const [key, value] of Object.entries(JSON.parse(readFileSync(part, 'utf8')))) {
      const before = all[key]
      if (typeof value === 'number' && typeof before === 'number' && key.startsWith('num')) all[key] = before + value
      else if (Array.isArray(value) && Array.isArray(before)) all[key] = [...before, ...value]
      else if (key === 'success') all[key] = before !== false && value
      else all[key] = value
    }
    rmSync(part)
  }
  writeFileSync(report, JSON.stringify(all))
}
