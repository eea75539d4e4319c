// @ts-check
/**
 * Everything that is too slow for `npm test`: `npm run verify [-- --reports FOLDER]`, after `npm test`. It runs all
 * checks, the tests that have a volume at full volume, the paths of the codec, and a newer Node. It also runs the demo,
 * toolchains, and the package as users get it. It compares the examples that have a form in Python, and needs Python. It
 * looks at the page of a report in a browser, and needs Chromium. It runs the recipes of databases, and kills programs
 * that write into databases: it needs PostgreSQL. It runs the tests of clusters, and needs nats-server. Completion runs in
 * zsh and fish, and mandoc and groff read the manual: it needs these.
 * Each step runs, also after one that has failed.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

process.chdir(resolve(import.meta.dirname, '..'))
const { values } = parseArgs({ options: { reports: { type: 'string' } } })
const folder = mkdtempSync(join(tmpdir(), 'millrace-verify-'))
const reports = values.reports ?? folder

/** The tests for a newer Node: those that depend most on the version. */
const NEWER = [
  '24',
  '--',
  'contract/',
  'executor/',
  'multiprocessing/',
  'processes/',
  'faults/deaths',
  'io/format',
  'io/fzstd',
  'sinks/parquet',
]

/** @type {[name: string, minutes: number, run: (minutes: number) => boolean][]} */
const STEPS = [
  ['checks', 10, npm('check')],
  ['tests at full volume', 50, npm('test:jest', '--full', '--json', `--outputFile=${join(reports, 'full.json')}`)],
  ['paths of the codec', 15, npm('test:codecs', '--reports', reports)],
  ['a newer Node', 20, npm('test:nodes', ...NEWER, '--json', `--outputFile=${join(reports, 'newer.json')}`)],
  ['clusters', 10, npm('test:nats', '--json', `--outputFile=${join(reports, 'nats.json')}`)],
  [
    'the contract on two hosts',
    10,
    npm('test:nats', 'contract', '--json', `--outputFile=${join(reports, 'hosts.json')}`),
  ],
  ['demo', 2, demo],
  ['package', 5, npm('pack:check')],
  ['toolchains', 15, npm('test:toolchains', '--quick', '--report', join(reports, 'toolchains.json'))],
  ['recipes of databases', 5, npm('docs:check', '--needs')],
  ['databases', 10, npm('test:databases', '--json', `--outputFile=${join(reports, 'databases.json')}`)],
  ['examples in Python', 5, npm('example:multiprocessing')],
]

/** @type {string[]} */
const failed = []
for (const [name, minutes, run] of STEPS) {
  const started = performance.now()
  console.log(`verify: ${name}`)
  if (!run(minutes)) failed.push(name)
  console.log(
    `verify: ${name}: ${failed.at(-1) === name ? 'failed' : 'good'}, ${((performance.now() - started) / 1_000).toFixed(0)} s`,
  )
}
rmSync(folder, { recursive: true })
console.log(`verify: ${failed.length === 0 ? 'good' : `failed: ${failed.join(', ')}`}`)
process.exitCode = failed.length === 0 ? 0 : 1

/** @param {string} script @param {string[]} args @returns {(minutes: number) => boolean} */
function npm(script, ...args) {
  return (minutes) => {
    const timeout = minutes * 60_000
    const { status } = spawnSync('npm', ['run', '--silent', script, '--', ...args], { stdio: 'inherit', timeout })
    return status === 0
  }
}

/** The demo reads a log of 1,000 lines in the combined format. Line 500 is malformed. @param {number} minutes */
function demo(minutes) {
  const log = join(folder, 'access.log')
  writeFileSync(log, Array.from({ length: 1_000 }, (_, i) => `${logLine(i + 1)}\n`).join(''))
  const timeout = minutes * 60_000
  const { status, stdout } = spawnSync('npm', ['run', '--silent', 'demo', '--', log], { encoding: 'utf8', timeout })
  console.log(stdout)
  const text = stdout.replace(/[,_]/g, '')
  return status === 0 && /\b1000\b/.test(text) && /malformed.*\b1\b|\b1\b.*malformed/i.test(text)
}

/** @param {number} n */
function logLine(n) {
  if (n === 500) return 'this is no line of an access log'
  const time = `13:${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}`
  const status = n % 10 === 0 ? 404 : 200
  return `10.0.0.${(n % 7) + 1} - - [10/Oct/2024:${time} +0000] "GET /page/${n % 5} HTTP/1.1" ${status} ${n} "-" "curl/8.0"`
}
