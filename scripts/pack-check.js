// @ts-check
/**
 * Checks the package as its users get it. It packs the package, checks it with publint and attw, and installs it into
 * an empty project without optional dependencies. There it runs the programs of the README: ES modules and CommonJS
 * scripts. If this Node runs TypeScript, it also runs the modules as .ts files. All must print what they say (see
 * example.js). A program that imports all entries, and one that requires them, must do so, too.
 *
 * Then it checks 'sideEffects'. A bundler may drop an unused import of `millrace`, `millrace/nats` or `millrace/task`:
 * loading them changes nothing. It must keep every other published file. `millrace/multiprocessing` registers its classes when it is
 * loaded.
 *
 * `--readme FILE` takes the examples from another document.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { claims, markedBlocks, runExample } from './example.js'

/** A bundler may drop these if their names are not used: importing them changes nothing. */
const WITHOUT_EFFECTS = [
  'index.js',
  'index.cjs',
  'nats/index.js',
  'nats/index.cjs',
  'task-module.js',
  'task-module.cjs',
]

/** Programs that use all entries together, and that start a process of the system. */
const ENTRIES = [
  {
    name: 'entries.mjs',
    code: `
import { isMainThread, map } from 'millrace'
import { Lock, Value } from 'millrace/multiprocessing'
import { task } from 'millrace/task'

const add = task(import.meta.url, 'add', ({ lock, sum }) => lock.withLock(() => void sum.value++))

if (isMainThread) {
  const item = { lock: new Lock(), sum: new Value('int32', 0) }
  await map(add, [item, item, item])
  console.log(item.sum.value) // → 3
}
`,
  },
  {
    name: 'entries.cjs',
    code: `
const { isMainThread, map } = require('millrace')
const { Lock, Value } = require('millrace/multiprocessing')
const { task } = require('millrace/task')

const add = task(__filename, 'add', ({ lock, sum }) => lock.withLock(() => void sum.value++))

if (isMainThread) {
  const item = { lock: new Lock(), sum: new Value('int32', 0) }
  map(add, [item, item, item]).then(() => console.log(item.sum.value)) // → 3
}
`,
  },
  {
    name: 'process.mjs',
    code: `
import { isMainThread } from 'millrace'
import { Process } from 'millrace/multiprocessing'
import { task } from 'millrace/task'

const abort = task(import.meta.url, 'abort', () => process.abort())

if (isMainThread) {
  const child = new Process({ target: abort, isolation: 'process' })
  child.start()
  console.log(await child.sentinel) // → -6
}
`,
  },
  {
    name: 'nats.mjs',
    code: `
import { execFileSync } from 'node:child_process'
import { Cluster } from 'millrace/nats'

try {
  new Cluster({ servers: 'nats://127.0.0.1:4222' })
} catch (error) {
  console.log(error.code) // → ERR_CLUSTER_SETUP
}
const help = execFileSync('node_modules/.bin/millrace', ['--help'], { encoding: 'utf8' })
console.log(help.split('\\n')[0].split(' ', 2).join(' ')) // → Usage: millrace
`,
  },
  {
    name: 'process.cjs',
    code: `
const { isMainThread, Process, task } = { ...require('millrace'), ...require('millrace/multiprocessing') }

const abort = task(__filename, 'abort', () => process.abort())

if (isMainThread) {
  const child = new Process({ target: abort, isolation: 'process' })
  child.start()
  child.sentinel.then((exitCode) => console.log(exitCode)) // → -6
}
`,
  },
]

const { values } = parseArgs({ options: { readme: { type: 'string', default: 'README.md' } } })
const root = resolve(import.meta.dirname, '..')
const readme = resolve(values.readme)
const temporary = mkdtempSync(join(tmpdir(), 'millrace-pack-'))

try {
  const tarball = pack()
  step('publint finds nothing', () => tool('publint', ['run', tarball, '--strict']))
  // The types come with the package: other packages must not be needed.
  step('attw finds nothing', () => tool('attw', [tarball, '--no-definitely-typed']))
  const project = install(tarball)
  await runExamples(project)
  await shaken(project)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

/** @returns {string} the path of the packed package */
function pack() {
  step('npm packs it', () => npm(root, ['pack', '--pack-destination', temporary]))
  const name = readdirSync(temporary).find((file) => file.endsWith('.tgz'))
  if (name === undefined) throw new Error('Cannot check the package as npm pack left no tarball')
  return join(temporary, name)
}

/** @param {string} tarball @returns {string} the folder of the project it is installed in */
function install(tarball) {
  const project = join(temporary, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  step('npm installs it without optional dependencies', () => {
    npm(project, ['install', '--omit=optional', '--no-audit', '--no-fund', tarball])
    for (const optional of ['tiny-worker', 'esm']) {
      if (!existsSync(join(project, 'node_modules', optional))) continue
      throw new Error(`${optional} was installed, so this check cannot say whether the package works without it`)
    }
  })
  return project
}

/** Each program of the document must print what it says. @param {string} project */
async function runExamples(project) {
  const programs = markedBlocks(readFileSync(readme, 'utf8'), values.readme).filter(({ name }) =>
    /\.[mc]js$/.test(name),
  )
  for (const extension of ['.mjs', '.cjs']) {
    if (programs.some(({ name }) => name.endsWith(extension))) continue
    throw new Error(`${values.readme} must have a program as ${extension}: mark it with <!-- run: NAME${extension} -->`)
  }
  for (const { name, code, line } of programs) {
    const expected = claims(code)
    if (expected.length === 0) {
      throw new Error(`${values.readme}:${line}: ${name} must say what it prints: add '// → ' comments`)
    }
    await example(project, name, code, expected)
    if (!name.endsWith('.mjs')) continue
    if ('typescript' in process.features && process.features.typescript)
      await example(project, name.replace(/mjs$/, 'ts'), code, expected)
    else console.log(`skip  ${name} as TypeScript: Node ${process.version} does not run .ts files (22.18 and later do)`)
  }
  for (const { name, code } of ENTRIES) await example(project, name, code, claims(code))
}

/** The value of 'sideEffects' must be true for each published file. @param {string} project */
async function shaken(project) {
  const folder = join(project, 'node_modules', 'millrace')
  const { sideEffects } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.c?js$/.test(file))
  for (const file of files) {
    const isDropped = (await bytesKept(folder, file)) === 0
    if (isDropped === WITHOUT_EFFECTS.includes(file)) continue
    const said = `as 'sideEffects' is ${JSON.stringify(sideEffects)}`
    throw new Error(`FAIL  a bundler ${isDropped ? 'drops' : 'keeps'} an unused import of dist/${file}, ${said}`)
  }
  const missing = WITHOUT_EFFECTS.filter((file) => !files.includes(file))
  if (missing.length > 0) throw new Error(`FAIL  there is no dist/${missing.join(', dist/')}`)
  console.log(`ok    a bundler drops unused imports of ${WITHOUT_EFFECTS.join(', ')}, and of no other file`)
}

/**
 * The bytes of a file that a bundler keeps for an import that uses nothing of it. @param {string} folder @param
 * {string} file
 */
async function bytesKept(folder, file) {
  const { metafile } = await build({
    stdin: { contents: `import './${file}'`, resolveDir: join(folder, 'dist') },
    bundle: true,
    treeShaking: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const loaded = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
  return loaded.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)
}

/** @param {string} project @param {string} name @param {string} code @param {string[]} expected */
async function example(project, name, code, expected) {
  writeFileSync(join(project, name), code)
  const problem = await runExample(project, name, expected)
  if (problem !== undefined) throw new Error(`FAIL  ${name}: ${problem}`)
  console.log(`ok    ${name} prints its ${expected.length} lines`)
}

/** @param {string} title @param {() => void} body */
function step(title, body) {
  try {
    body()
  } catch (error) {
    const { stdout = '', stderr = '', message } = /** @type {Error & { stdout?: string, stderr?: string }} */ (error)
    throw new Error([`FAIL  ${title}`, message, stdout, stderr].filter(Boolean).join('\n'), { cause: error })
  }
  console.log(`ok    ${title}`)
}

/** Runs npm as it is set up for the user. @param {string} cwd @param {string[]} args */
function npm(cwd, args) {
  // On Windows npm is a .cmd file, and only a shell can start it.
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: 'pipe', shell: process.platform === 'win32' })
}

/** Runs a tool from this project's packages. @param {string} name @param {string[]} args */
function tool(name, args) {
  npm(root, ['exec', '--no', '--', name, ...args])
}
