// @ts-check
/**
 * Checks the package as its users get it: packs it, has publint and attw look at it, installs it into an empty project
 * without optional dependencies, and runs the first example of the README there, as an ES module, as a CommonJS script
 * and, where this Node runs TypeScript, as a .ts file. All three must print what the example says (see example.js).
 *
 * Then it looks that a bundler drops none of the published files, as the classes of locks and queues make themselves known when
 * their file is loaded.
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

const { values } = parseArgs({ options: { readme: { type: 'string', default: 'README.md' } } })
const root = resolve(import.meta.dirname, '..')
const readme = resolve(values.readme)
const temporary = mkdtempSync(join(tmpdir(), 'millrace-pack-'))

try {
  const tarball = pack()
  step('publint finds nothing', () => tool('publint', ['run', tarball, '--strict']))
  // The types come with the package: nothing is to be looked for elsewhere.
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

/** @param {string} project */
async function runExamples(project) {
  const blocks = markedBlocks(readFileSync(readme, 'utf8'), values.readme)
  const esm = blocks[0]
  if (!esm?.name.endsWith('.mjs')) {
    throw new Error(`${values.readme} must have a .mjs example first: mark it with <!-- run: NAME.mjs -->`)
  }
  const commonJS = blocks.find(({ name }) => name.endsWith('.cjs'))
  if (commonJS === undefined) {
    throw new Error(`${values.readme} must have the same example for CommonJS: mark it with <!-- run: NAME.cjs -->`)
  }
  const expected = claims(esm.code)
  if (expected.length === 0) {
    throw new Error(`${values.readme}:${esm.line}: ${esm.name} must say what it prints: add '// → ' comments`)
  }
  await example(project, esm.name, esm.code, expected)
  await example(project, commonJS.name, commonJS.code, expected)
  if ('typescript' in process.features && process.features.typescript)
    await example(project, esm.name.replace(/mjs$/, 'ts'), esm.code, expected)
  else
    console.log(`skip  the example as TypeScript: Node ${process.version} does not run .ts files (22.18 and later do)`)
}

/** A bundler may leave out nothing of what Node loads: what 'sideEffects' says must be true of the files that are published. @param {string} project */
async function shaken(project) {
  const folder = join(project, 'node_modules', 'millrace')
  const { sideEffects } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => /\.c?js$/.test(name))) {
    const { metafile } = await build({
      stdin: { contents: `import './${file.replaceAll('\\', '/')}'`, resolveDir: join(folder, 'dist') },
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
    const bytes = loaded.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)
    if (bytes > 0) continue
    throw new Error(`FAIL  a bundler drops dist/${file}, as 'sideEffects' is ${JSON.stringify(sideEffects)}`)
  }
  console.log('ok    a bundler drops no file that is loaded for its effects')
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
  // On Windows npm is a .cmd file, which only a shell can start.
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: 'pipe', shell: process.platform === 'win32' })
}

/** Runs a tool of this project's own. @param {string} name @param {string[]} args */
function tool(name, args) {
  npm(root, ['exec', '--no', '--', name, ...args])
}
