// @ts-check
/**
 * Runs the tests: `npm run test:jest`, after a build. Two Jest processes share the files, because most tests wait most
 * of the time. With options of Jest, such as `-t`, one process runs them.
 *
 * npm run test:jest -- [--full] [--measure] [--json --outputFile=FILE] [FILES…] [OPTIONS OF JEST…]
 *
 * `--full` runs the tests that have a volume (test/support/volume.ts) at full volume, and those that are too slow for
 * `npm test`. `--measure` writes how long each file took to test-seconds.json, by which the processes share the files.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const jest = join(root, 'node_modules/jest/bin/jest.js')
const reporter = join(root, 'scripts/run-reporter.js')
const tests = join(root, 'build/test')
const measured = join(root, 'scripts/test-seconds.json')
const PROCESSES = 2

/** How a Jest process ended, and what its reporter noted. @typedef {{ code: number | null, signal: string | null, run: Run }} End */
/** @typedef {import('./run-reporter.js').Run} Run */

const given = process.argv.slice(2)
const report = given.find((arg) => arg.startsWith('--outputFile='))?.slice('--outputFile='.length)
/** Set by test-nats.js and test-databases.js: the only folder whose tests are run. These folders are run in no other way. */
const only = process.env.TEST_NATS !== undefined ? 'nats' : process.env.TEST_DATABASES !== undefined ? 'databases' : ''
const ONLY = /^(nats|databases)\b/
const isFull = given.includes('--full')
const forJest = given.filter((arg) => !/^--(full|measure|json|outputFile=.*)$/.test(arg))
/** Without options of Jest, these are parts of paths. */
const hasOptions = forJest.some((arg) => arg.startsWith('-'))
if (isFull) process.env.TEST_VOLUME = 'full'
const volume = only !== '' ? only : isFull ? 'full' : 'few'

const folder = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
const parts = hasOptions ? [forJest] : split(chosenFiles(), PROCESSES).map(onlyFiles)
const ends = await Promise.all(parts.map(run))
process.exitCode = ends.every(({ code, run }) => code === 0 && run.isComplete) ? 0 : 1
ends.forEach(tellOfLoss)
console.log(`Jest: ${ends.map(({ run }) => `${seconds(run)} s`).join(' and ')}`)
if (report) joinReports(report)
if (given.includes('--measure')) writeSeconds()
rmSync(folder, { recursive: true })

/** The paths of the test files that are to be run, in the compiled folder. */
function chosenFiles() {
  const all = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.test.js') && (ONLY.exec(file)?.[0] ?? '') === only,
  )
  const some = isFull ? all.filter(hasVolume) : all.filter((file) => !isForFull(file))
  // As Jest does, with the whole path.
  const named = forJest.map((pattern) => new RegExp(pattern, 'i'))
  return some.filter((file) => named.length === 0 || named.some((pattern) => pattern.test(join(tests, file)))).sort()
}

/** Whether a file runs only at full volume: see jest.config.ts. @param {string} file */
function isForFull(file) {
  return /[.]slow[.]test[.]|^browser\b/.test(file)
}

/** Whether a file does more at full volume. @param {string} file */
function hasVolume(file) {
  return isForFull(file) || /support\/(volume|matrix)\.js/.test(readFileSync(join(tests, file), 'utf8'))
}

/**
 * Lists of files that take about as long as each other: each file, the longest one first, goes to the shortest list.
 *
 * @param {string[]} files @param {number} count
 */
function split(files, count) {
  const known = readSeconds()[volume] ?? {}
  const lists = Array.from({ length: count }, () => ({ seconds: 0, files: /** @type {string[]} */ ([]) }))
  const secondsOf = (/** @type {string} */ file) => known[nameOf(file)] ?? 1
  for (const file of files.toSorted((a, b) => secondsOf(b) - secondsOf(a))) {
    const least = lists.reduce((a, b) => (b.seconds < a.seconds ? b : a))
    least.seconds += secondsOf(file)
    least.files.push(file)
  }
  return lists.map(({ files }) => files).filter((files) => files.length > 0)
}

/** The argument for Jest that runs these files alone. @param {string[]} files @param {number} at */
function onlyFiles(files, at) {
  const filter = join(folder, `filter-${at}.cjs`)
  const filtered = files.map((file) => join(tests, file))
  writeFileSync(filter, `module.exports = () => (${JSON.stringify({ filtered })})`)
  return [`--filter=${filter}`]
}

/** @param {string[]} args @param {number} at @returns {Promise<End>} */
function run(args, at) {
  return new Promise((resolve, reject) => {
    const noted = join(folder, `run-${at}.json`)
    const reporters = ['--reporters=default', `--reporters=${reporter}`]
    const json = report ? ['--json', `--outputFile=${reportOf(at)}`] : []
    const child = spawn(process.execPath, [jest, ...args, ...json, ...reporters], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, TEST_RUN_FILE: noted },
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      /** @type {Run} */
      const run = existsSync(noted)
        ? JSON.parse(readFileSync(noted, 'utf8'))
        : { isComplete: false, running: undefined, milliseconds: {}, end: undefined }
      resolve({ code, signal, run })
    })
  })
}

/** Says of a process that ended before its last file how it ended, and where it was. @param {End} end @param {number} at */
function tellOfLoss({ code, signal, run }, at) {
  if (run.isComplete) return
  const files = Object.keys(run.milliseconds)
  const where = run.running ? `while it ran ${nameOf(run.running)}` : 'between two files, or before the first'
  const last = files.at(-1)
  console.error(
    `Jest process ${at + 1} of ${parts.length} ended before its end, ${where}: exit code ${code}, signal ${signal}. ` +
      `It had run ${files.length} files${last ? `, ${nameOf(last)} last` : ''}. ${run.end ?? 'Nothing tells what ended it.'}`,
  )
}

/** The name of a test file: its path in test/, without its ending. @param {string} path */
function nameOf(path) {
  return path
    .replace(tests + sep, '')
    .replaceAll(sep, '/')
    .replace(/[.]test[.]js$/, '')
}

/** @param {Run} run */
function seconds({ milliseconds }) {
  return Math.round(Object.values(milliseconds).reduce((sum, some) => sum + some, 0) / 1_000)
}

/** By volume, how many seconds test files take; those that are missing take about one. @returns {Record<string, Record<string, number>>} */
function readSeconds() {
  return JSON.parse(readFileSync(measured, 'utf8'))
}

function writeSeconds() {
  const all = ends.flatMap(({ run }) => Object.entries(run.milliseconds))
  const slow = all
    .map(([path, milliseconds]) => /** @type {const} */ ([nameOf(path), Math.round(milliseconds / 1_000)]))
    .filter(([, seconds]) => seconds > 1)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify({ ...readSeconds(), [volume]: Object.fromEntries(slow) }, undefined, 2)
  writeFileSync(measured, `${text}\n`)
}

/** @param {number} at */
function reportOf(at) {
  return join(folder, `report-${at}.json`)
}

/**
 * Writes one report of all processes: their counts, and the results of all files. A process that was lost counts as a
 * suite that could not run.
 *
 * @param {string} report
 */
function joinReports(report) {
  /** @type {Record<string, unknown>} */
  const all = {}
  const lost = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 1, success: false, testResults: [] }
  for (const at of parts.keys()) {
    const part = existsSync(reportOf(at)) ? JSON.parse(readFileSync(reportOf(at), 'utf8')) : lost
    for (const [key, value] of Object.entries(part)) {
      const before = all[key]
      if (typeof value === 'number' && typeof before === 'number' && key.startsWith('num')) all[key] = before + value
      else if (Array.isArray(value) && Array.isArray(before)) all[key] = [...before, ...value]
      else if (key === 'success') all[key] = before !== false && value
      else all[key] = value
    }
  }
  writeFileSync(report, JSON.stringify(all))
}
