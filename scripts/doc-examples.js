// @ts-check
/**
 * Compiles and runs every example of the documentation against the built package. Examples are the `@example` blocks of
 * the doc comments in lib/, and the marked code blocks of README.md and docs/ (see example.js). An example is a
 * complete ES module that imports from the package. It must exit with 0 and print what its `// → ` comments say. Every
 * value that an entry of the package exports must have an example. The English is checked as well, and the page of the
 * command line: see plain-english.js and cli-page.js.
 *
 * Examples that need a server, a native package or a newer Node are only compiled. `--needs` runs these, and nothing
 * else: see example-needs.js.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import pLimit from 'p-limit'
import ts from 'typescript'
import { problemsOfCliPage } from './cli-page.js'
import { claims, markedBlocks, runExample } from './example.js'
import { NEEDS } from './example-needs.js'
import { problemsOfEnglish } from './plain-english.js'

/**
 * @typedef {object} Example
 * @property {string} source the file it stands in
 * @property {number} line where its code begins there, from 1
 * @property {string} folder where it is run
 * @property {string} name its file name there
 * @property {string} code
 * @property {string} [needs] what it needs beside the package
 */

process.chdir(resolve(import.meta.dirname, '..'))

const OUT = 'build/examples'
const ENTRIES = ['dist/index.d.ts', 'dist/multiprocessing/index.d.ts', 'dist/nats/index.d.ts', 'dist/task-module.d.ts']
const compilerOptions = readCompilerOptions()
const { values } = parseArgs({ options: { needs: { type: 'boolean', default: false } } })

for (const needed of ENTRIES) {
  if (existsSync(needed)) continue
  console.error(`Cannot check the examples as there is no ${needed}: run 'npm run build' first`)
  process.exit(1)
}

const examples = [...commentExamples(), ...documentExamples()]
rmSync(OUT, { recursive: true, force: true })
for (const { folder, name, code } of examples) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), code)
}

// Two at once, because an example starts workers.
const limit = pLimit(2)
const problems = compile(examples)
const chosen = examples.filter(({ needs }) => (needs !== undefined) === values.needs)
if (chosen.length === 0) problems.push('There are no such examples')
/** @type {Map<string, import('./example-needs.js').Surroundings>} */
const started = new Map()
try {
  for (const { source, line, needs } of chosen) {
    if (needs === undefined || started.has(needs)) continue
    const start = NEEDS[needs]
    if (start === undefined) problems.push(`${source}:${line}: example-needs.js does not know '${needs}'`)
    else started.set(needs, await start())
  }
  problems.push(...(await Promise.all(chosen.map((example) => limit(run, example)))).flat())
} finally {
  for (const { stop } of started.values()) await stop?.()
}
for (const problem of problems) console.error(problem)
console.log(`${chosen.length} examples checked, ${problems.length} problems found`)
process.exitCode = problems.length === 0 ? 0 : 1

const ofPages = values.needs ? [] : [...problemsOfEnglish(), ...problemsOfCliPage()]
for (const problem of ofPages) console.error(problem)
if (ofPages.length > 0) process.exitCode = 1

/** @param {Example} example */
async function run({ source, line, folder, name, code, needs = '' }) {
  const problem = await runExample(folder, name.replace(/ts$/, 'js'), claims(code), started.get(needs))
  return problem === undefined ? [] : [`${source}:${line}: example ${name} fails: ${problem}`]
}

/** @returns {Example[]} */
function documentExamples() {
  const documents = ['README.md', ...filesOf('docs', '.md')].filter((path) => existsSync(path))
  return documents.flatMap((source) =>
    markedBlocks(readFileSync(source, 'utf8'), source).map((block) => ({
      ...block,
      source,
      // The blocks of a document share a folder, so that one can import another.
      folder: join(OUT, source.replace(/[.]md$/, '')),
    })),
  )
}

/** @returns {Example[]} */
function commentExamples() {
  return filesOf('lib', '.ts').flatMap((source) => {
    const file = ts.createSourceFile(source, readFileSync(source, 'utf8'), ts.ScriptTarget.Latest, true)
    /** @type {Map<number, ts.Node>} */
    const comments = new Map()
    /** @type {(node: ts.Node) => void} */
    const visit = (node) => {
      for (const comment of ts.getJSDocCommentsAndTags(node))
        if (ts.isJSDoc(comment)) comments.set(comment.pos, comment)
      ts.forEachChild(node, visit)
    }
    visit(file)
    return Array.from(comments.values()).flatMap((comment) => {
      const firstLine = file.getLineAndCharacterOfPosition(comment.getStart()).line + 1
      return blocksOf(comment.getText()).map(({ code, at }) => {
        const line = firstLine + at
        const name = `${source.replace(/^lib\W|[.]ts$/g, '').replace(/\W/g, '-')}-${line}.ts`
        return { source, line, folder: join(OUT, 'lib'), name, code }
      })
    })
  })
}

/**
 * The ts blocks after `@example` in a doc comment; `at` is the line of the comment, from 0, on which the code begins.
 * @param {string} comment
 */
function blocksOf(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\/?\*+\/? ?/, '').trimEnd())
  /** @type {{ code: string, at: number }[]} */
  const blocks = []
  let inExample = false
  let start = -1
  for (const [n, line] of lines.entries()) {
    if (start !== -1) {
      if (line !== '```') continue
      blocks.push({ code: lines.slice(start, n).join('\n') + '\n', at: start })
      start = -1
    } else if (line.startsWith('@')) {
      inExample = line.startsWith('@example')
    } else if (inExample && line === '```ts') {
      start = n + 1
    }
  }
  return blocks
}

/**
 * Type errors of the examples, at their lines in the documentation, and public names without an example. Also writes the compiled
 * examples. One program has them and the declarations, as these have the doc comments, too.
 *
 * @param {readonly Example[]} all
 */
function compile(all) {
  const byFile = new Map(all.map((example) => [resolve(example.folder, example.name), example]))
  const typed = Array.from(byFile.keys()).filter((path) => path.endsWith('ts'))
  const program = ts.createProgram([...typed, ...ENTRIES], compilerOptions)
  program.emit()
  const errors = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const { file, start = 0, messageText, code } = diagnostic
    const text = `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    if (file === undefined) return text
    const line = file.getLineAndCharacterOfPosition(start).line
    const example = byFile.get(resolve(file.fileName))
    return example === undefined
      ? `${file.fileName}:${line + 1}: ${text}`
      : `${example.source}:${example.line + line}: ${text}`
  })
  return [...ENTRIES.flatMap((entry) => withoutExample(program, entry)), ...errors]
}

/**
 * The public classes, functions and constants whose doc comment lacks an example.
 *
 * @param {ts.Program} program @param {string} path of an entry
 */
function withoutExample(program, path) {
  const checker = program.getTypeChecker()
  const entry = program.getSourceFile(path)
  const module = entry && checker.getSymbolAtLocation(entry)
  if (module === undefined) return [`${path} exports nothing`]
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    // Names of other packages are documented there.
    const own = (symbol.declarations ?? []).filter((node) =>
      resolve(node.getSourceFile().fileName).startsWith(resolve('dist') + sep),
    )
    const isType = !(symbol.flags & ts.SymbolFlags.Value) || exported.declarations?.some(ts.isTypeOnlyExportDeclaration)
    if (isType || own.length === 0) return []
    if (own.some(hasExample)) return []
    return [`${path}: '${exported.name}' has no example: add an @example with a \`\`\`ts block to its doc comment`]
  })
}

/** @param {ts.Declaration} declaration */
function hasExample(declaration) {
  const comments = ts.getJSDocCommentsAndTags(declaration).map((node) => (ts.isJSDoc(node) ? node : node.parent))
  return comments.some((comment) => blocksOf(comment.getText()).length > 0)
}

/** @param {string} folder @param {string} ending */
function filesOf(folder, ending) {
  if (!existsSync(folder)) return []
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(ending))
  return paths.sort().map((path) => join(folder, path))
}

/** The compiler options of the library, for programs that are compiled in place. */
function readCompilerOptions() {
  const { config, error } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8'))
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'))
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, '.')
  delete options.rootDir
  delete options.outDir
  const library = { declaration: false, declarationMap: false, sourceMap: false, isolatedDeclarations: false }
  return { ...options, ...library }
}
