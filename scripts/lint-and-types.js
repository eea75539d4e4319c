// @ts-check
/**
 * Lints a part of the repository and checks its types: `node scripts/lint-and-types.js library|tests`, after a build.
 * It also writes the compiled files. `npm run lint` and `npm run types` find the same, each with its own programs. Here
 * ESLint and the compiler share their programs, so each file is read and checked once.
 */
import { resolve } from 'node:path'
import { ESLint } from 'eslint'
import ts from 'typescript'

/**
 * @typedef {object} Part
 * @property {string[]} files that ESLint looks for @property {string[]} [ignored]
 * @property {string[]} projects whose types are checked @property {string[]} [written] of those, what is compiled
 * @property {string[]} [checked] projects that another step has checked: ESLint alone needs them
 */

/** @type {Record<string, Part>} */
const PARTS = {
  library: {
    files: ['.'],
    ignored: ['test/**'],
    projects: ['examples/tsconfig.json', 'bench/tsconfig.json', 'scripts/tsconfig.json'],
    written: ['examples/tsconfig.json'],
    checked: ['tsconfig.json'],
  },
  tests: {
    files: ['test'],
    projects: ['test/tsconfig.json', 'test/types/tsconfig.json'],
    written: ['test/tsconfig.json'],
  },
}

process.chdir(resolve(import.meta.dirname, '..'))
const part = PARTS[process.argv[2] ?? '']
if (part === undefined) throw new Error(`Cannot lint '${process.argv[2]}': there are ${Object.keys(PARTS).join(', ')}`)
/** @type {Map<string, ts.SourceFile | undefined>} */
const parsed = new Map()
const programs = new Map([...(part.checked ?? []), ...part.projects].map((path) => [path, programOf(path)]))
const problems = [...part.projects.flatMap(typesOf), ...(await lint(part))]
for (const problem of problems) console.log(problem)
process.exitCode = problems.length === 0 ? 0 : 1

/** @param {string} path of a tsconfig.json */
function programOf(path) {
  const config = ts.getParsedCommandLineOfConfigFile(
    path,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(format([diagnostic]))
      },
    },
  )
  if (config === undefined) throw new Error(`Cannot read ${path}`)
  const { fileNames, options, errors } = config
  return ts.createProgram(fileNames, options, hostFor(options), undefined, errors)
}

/** Programs share the files that they have in common: those of TypeScript, of Node and of lib/. @param {ts.CompilerOptions} options */
function hostFor(options) {
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (path, how, ...rest) => {
    const { languageVersion, impliedNodeFormat } = typeof how === 'object' ? how : { languageVersion: how }
    const key = `${path} ${languageVersion} ${impliedNodeFormat}`
    if (!parsed.has(key)) parsed.set(key, read(path, how, ...rest))
    return parsed.get(key)
  }
  return host
}

/** @param {string} path @returns {string[]} */
function typesOf(path) {
  const program = programs.get(path)
  if (program === undefined) throw new Error(`Cannot check ${path} as it has no program`)
  const found = [...ts.getPreEmitDiagnostics(program)]
  if (part?.written?.includes(path)) found.push(...program.emit().diagnostics)
  return found.length === 0 ? [] : [format(found)]
}

/** @param {readonly ts.Diagnostic[]} diagnostics */
function format(diagnostics) {
  return ts
    .formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => process.cwd(),
      getNewLine: () => '\n',
    })
    .trimEnd()
}

/** @param {Part} part @returns {Promise<string[]>} */
async function lint({ files, ignored = [] }) {
  const eslint = new ESLint({
    ignorePatterns: ignored,
    overrideConfig: {
      files: ['{lib,test,bench,examples}/**/*.{ts,mts,cts}'],
      languageOptions: { parserOptions: { projectService: false, programs: [...programs.values()] } },
    },
  })
  const results = await eslint.lintFiles(files)
  const isGood = results.every(({ errorCount, warningCount }) => errorCount + warningCount === 0)
  const formatter = await eslint.loadFormatter('stylish')
  return isGood ? [] : [await formatter.format(results)]
}
