/** What the command line finds before it reads anything: files, globs, modules and folds. */
import { symlinkSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { PlannedInput } from '#dist/cli/plan.js'
import { foldExport } from '#dist/cli/run/fold-export.js'
import { assertNoInputs, findInputs, openInputs } from '#dist/cli/run/inputs.js'
import { importExport, importForExpressions, moduleUrl } from '#dist/cli/run/modules.js'
import { passesOf } from '#dist/cli/run/passes.js'
import { UsageError } from '#dist/cli/usage-error.js'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { CommandFolder } from '../support/command-line.js'

const TASKS = fileURLToPath(new URL('../fixtures/cli/tasks.js', import.meta.url))
const folder = new CommandFolder()
const before = process.cwd()
beforeAll(() => {
  folder.write('a.csv', 'x\n1\n')
  folder.write('b.csv', 'x\n2\n3\n')
  folder.write('c.ndjson.gz', gzipSync('{}\n'))
  folder.write('[odd].log', '')
  folder.write('node_modules/both/package.json', '{ "main": "index.js" }')
  folder.write('node_modules/both/index.js', 'module.exports = { one: 1, two: () => 2 }')
  folder.write('node_modules/modern/package.json', '{ "exports": { ".": { "import": "./m.mjs" } } }')
  folder.write('node_modules/modern/m.mjs', 'export const one = 1\nexport default 2')
  process.chdir(folder.path)
})
afterAll(() => {
  process.chdir(before)
})

const found = (files: readonly string[], more: Partial<PlannedInput> = {}): ReturnType<typeof findInputs> =>
  findInputs({ files, header: true, isNul: false, skip: 0, ...more })

describe('inputs', () => {
  it('are files and globs, with their format by suffix, and their size', async () => {
    expect(await found(['a.csv', 'b*.csv'])).toMatchObject({ format: 'csv', size: 10, names: ['a.csv', 'b*.csv'] })
    expect(await found(['*.csv', '!a.csv'])).toMatchObject({ format: 'csv', size: 6 })
    expect(await found(['c.ndjson.gz'])).toMatchObject({ format: 'ndjson', size: undefined })
    expect(await found(['a.csv'], { format: 'lines' })).toMatchObject({ format: 'lines' })
    // A name counts before a glob.
    expect(await found(['[odd].log'])).toMatchObject({ format: 'lines', size: 0 })
  })

  it('are the standard input without files, and for a hyphen', async () => {
    for (const files of [[], ['-']]) {
      expect(await found(files)).toMatchObject({ sources: [process.stdin], format: 'lines', size: undefined })
    }
  })

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['none.csv'], /^there is no file 'none\.csv'$/],
    [['*.xml'], /^no file matches '\*\.xml'$/],
    [['.'], /^'\.' is a folder: for its files, write '\.\/\*'$/],
    [['a.csv', 'c.ndjson.gz'], /^'a\.csv' is read as csv, and 'c\.ndjson\.gz' as ndjson: /],
    [['-', 'a.csv', '-'], /^'-' can be given once/],
  ]
  it.each(wrong)('are refused before they are read: %s', async (files, message) => {
    const error: unknown = await found(files).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toMatch(message)
  })
})

it('lists a glob once: what is written meanwhile is no input', async () => {
  const plan: PlannedInput = { files: ['*.csv'], header: true, isNul: false, skip: 0 }
  const inputs = await findInputs(plan)
  folder.write('z.csv', 'x\n4\n')
  const items: unknown[] = []
  for await (const item of openInputs(inputs, plan) as AsyncIterable<unknown>) items.push(item)
  expect(items).toEqual([{ x: '1' }, { x: '2' }, { x: '3' }])
})

it('refuses an output that is an input, by another name, too', async () => {
  symlinkSync('a.csv', folder.at('link.out'))
  const { paths } = await findInputs({ files: ['a*.csv'], header: true, isNul: false, skip: 0 })
  expect(() => {
    assertNoInputs(paths, [
      ['--report', 'none.html'],
      ['--output', './link.out'],
    ])
  }).toThrow(new UsageError("--output './link.out' is the input 'a.csv': write to another file"))
  expect(() => {
    assertNoInputs(paths, [['--output', 'b.csv']])
  }).not.toThrow()
})

describe('a module', () => {
  it('is a path from the current folder on, a package there, or one of Node', async () => {
    expect(moduleUrl('-m', './a.csv')).toBe(pathToFileURL(folder.at('a.csv')).href)
    expect(moduleUrl('-m', 'zlib')).toBe('node:zlib')
    expect(moduleUrl('-m', 'both')).toMatch(/both\/index\.js$/)
    expect(moduleUrl('-m', 'modern')).toMatch(/modern\/m\.mjs$/)
    expect(await importExport(moduleUrl('-m', 'both'), 'one')).toBe(1)
    expect(await importForExpressions('m', moduleUrl('-M', 'both'))).toHaveProperty('two')
    expect(await importForExpressions('m', moduleUrl('-M', 'modern'))).toMatchObject({ one: 1, default: 2 })
  })

  it('is refused if it is not there', () => {
    expect(() => moduleUrl('-m', './none.js')).toThrow(new UsageError("-m: there is no file './none.js'"))
    expect(() => moduleUrl('-m', 'a.csv')).toThrow(
      /there is no package 'a\.csv' .*\(for the file here: '\.\/a\.csv'\)$/,
    )
  })

  it('has the parts of a fold, or is refused', async () => {
    const reference = (exported: string): Parameters<typeof foldExport>[0] => ({
      text: `t#${exported}`,
      module: TASKS,
      exported,
    })
    expect(await foldExport(reference('byStatus'))).toMatchObject({ initial: {} })
    await expect(foldExport(reference('slim'))).rejects.toThrow(
      /^--reduce: 't#slim' must be \{ initial, fold, merge \}/,
    )
  })
})

describe('passes', () => {
  const map = (expression: string): { kind: 'map'; work: { expression: string; option: string } } => ({
    kind: 'map',
    work: { expression, option: '-e' },
  })
  const shape = (expressions: readonly string[], head?: number): unknown =>
    passesOf(
      {
        stages: expressions.map(map),
        ...(head !== undefined && { reduce: { text: 't', module: TASKS, exported: 'byStatus' } }),
        modules: [],
        input: { files: [], header: true, isNul: false, skip: 0, ...(head !== undefined && { head }) },
        output: {},
        run: { isUnordered: false, isDry: false },
        faults: { skipErrors: false },
        resume: { isOn: false, allowsChangedCode: false },
        tell: { progress: 'auto', isQuiet: false, isVerbose: false, color: 'auto' },
      },
      true,
    ).map(({ id, carries, isCarried, isPrinted }) => [id, carries, isCarried, isPrinted])

  it('have all stages, and begin anew where a stage counts its items', () => {
    expect(shape([])).toEqual([['copy', false, false, true]])
    expect(shape(['i', 'd.i', 'file'])).toEqual([['-e i | -e d.i | -e file', false, false, true]])
    expect(shape(['d', 'i', 'd', 'i + file', 'i'])).toEqual([
      ['-e d', true, false, false],
      ['-e i | -e d', true, true, false],
      ['-e i + file', false, true, false],
      ['-e i', false, false, true],
    ])
    expect(shape(['d'], 5)).toEqual([
      ['-e d', true, false, false],
      ['byStatus', false, true, false],
    ])
  })
})
