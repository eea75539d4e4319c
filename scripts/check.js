// @ts-check
/**
 * `npm run check`: all checks that are not tests. Two steps run at once. Steps that need the build run after it. The
 * output of a step is shown when it fails.
 */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import pLimit from 'p-limit'

process.chdir(resolve(import.meta.dirname, '..'))

/** The number of steps that run at once. Each keeps one thread busy throughout. */
const WIDTH = 2

/** By name, the commands of the steps that do not need the build. @type {Record<string, string[]>} */
const BEFORE = {
  format: ['prettier --check --log-level warn .'],
  layers: ['depcruise lib --config --output-type err-long'],
}

/** The steps that need it. The longest comes first. @type {Record<string, string[]>} */
const AFTER = {
  'lint and types of tests': ['node scripts/lint-and-types.js tests'],
  'lint and types of the rest': ['node scripts/lint-and-types.js library'],
  docs: ['node scripts/doc-examples.js'],
}

const started = performance.now()
const limit = pLimit(WIDTH)
const build = limit(step, 'build', ['tsc -p tsconfig.json', 'node scripts/bundle.js'])
const before = Object.entries(BEFORE).map((args) => limit(step, ...args))
const after = (await build) ? Object.entries(AFTER).map((args) => limit(step, ...args)) : []
const isGood = (await Promise.all([build, ...before, ...after])).every(Boolean)
console.log(`check: ${isGood ? 'good' : 'failed'}, ${seconds(started)} s`)
process.exitCode = isGood ? 0 : 1

/** @param {string} name @param {string[]} commands */
async function step(name, commands) {
  const begun = performance.now()
  for (const command of commands) {
    const { code, output } = await run(command)
    if (code === 0) continue
    console.log(`${output.trimEnd()}\n✘ ${name}: ${command}`)
    return false
  }
  console.log(`✔ ${name}, ${seconds(begun)} s`)
  return true
}

/**
 * Runs a program of the packages in node_modules.
 *
 * @param {string} command @returns {Promise<{ code: number | null, output: string }>}
 */
function run(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment() })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text))
    }
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, output })
    })
  })
}

/** `npm run` has the programs of packages on its path; `node scripts/check.js` has them, too. */
function environment() {
  const separator = process.platform === 'win32' ? ';' : ':'
  return { ...process.env, PATH: `${resolve('node_modules/.bin')}${separator}${process.env.PATH}` }
}

/** @param {number} since */
function seconds(since) {
  return ((performance.now() - since) / 1_000).toFixed(1)
}
