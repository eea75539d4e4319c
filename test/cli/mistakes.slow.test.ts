/** Mistakes of people who use the command line: each ends with one clear message, and the exit code that belongs to it. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CommandFolder } from '../support/command-line.js'

const TASKS = fileURLToPath(new URL('../fixtures/cli/tasks.js', import.meta.url))
const folder = new CommandFolder()
const DONE = { code: 0, signal: null, stderr: '' }

beforeAll(() => {
  folder.write('three.txt', 'a\nb\nc\n')
  folder.write('data.csv', 'name,n\nx,1\ny,2\n')
  folder.write('broken.js', 'throw new Error("it is broken")')
  folder.write(
    'folds.js',
    `export const symbol = { initial: Symbol('x'), fold: (all) => all, merge: (all) => all }
     export const counts = {
       initial: new Map(),
       fold: (all, item) => all.set(item, (all.get(item) ?? 0) + 1),
       merge: (all, others) => new Map([...all, ...others]),
       finish: (all) => ({ all, names: new Set(all.keys()) }),
     }`,
  )
})

describe('a function in place of its result', () => {
  it.each([
    ['-w', "-w takes the body of a function alone, in which d is the item: write 'd.ok'"],
    ['--each', "--each takes the body of a function alone, in which d is the item: write 'd.ok'"],
  ])('is wrong usage: %s', async (option, message) => {
    const run = await folder.run([option, 'd => d.ok', 'three.txt'])
    expect(run).toEqual({ code: 2, signal: null, stdout: '', stderr: `millrace: ${message}\n` })
  })

  it.each(['-e', '-w', '-E'])('fails when it comes out: %s', async (option) => {
    const run = await folder.run([option, '(d => d.ok)', 'three.txt'])
    const cure = 'call it, or write the body alone, such as d.length'
    const stderr = `millrace: three.txt:1: TypeError: The result is a function: ${cure} (in ${option} (d => d.ok))\n`
    expect(run).toEqual({ code: 1, signal: null, stdout: '', stderr })
  })
})

describe('what the person named', () => {
  it('may be refused at the call of a fold', async () => {
    const run = await folder.run(['-r', './folds.js#symbol', 'three.txt'])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(/^millrace: Cannot fold .*'initial' must be something that can be cloned.*\n$/)
  })

  it('may be a link to itself, or a package without a description', async () => {
    symlinkSync('loop', folder.at('loop'))
    folder.write('node_modules/odd/package.json', '{')
    const [loop, odd] = await Promise.all([
      folder.run(['-e', 'd', 'loop']),
      folder.run(['-M', 'odd=odd', '-e', 'odd.x', 'three.txt']),
    ])
    expect(loop).toMatchObject({ code: 2, stdout: '' })
    expect(loop.stderr).toMatch(/^millrace: 'loop' cannot be used: ELOOP: .*\n$/)
    expect(odd).toMatchObject({ code: 2, stdout: '' })
    expect(odd.stderr).toMatch(/^millrace: --module: .*odd.package\.json cannot be read: .*JSON.*\n$/)
  })

  it('may be a module that fails: its stack is shown with -v', async () => {
    const args = ['-M', 'b=./broken.js', '-e', 'b.x', 'three.txt']
    const [plain, verbose] = await Promise.all([folder.run(args), folder.run([...args, '-v'])])
    expect(plain).toMatchObject({ code: 2, stdout: '' })
    expect(plain.stderr).toMatch(/^millrace: Cannot run task 'b' as .* does not load in a worker: it is broken\n$/)
    expect(verbose.stderr).toMatch(/it is broken\nError: it is broken\n {4}at .*broken\.js:1:7/)
  })

  it('may be in TypeScript that this Node does not load', async () => {
    folder.write('shop.ts', 'enum Size { Small }\nexport default (line: string): string => line + Size.Small\n')
    const run = await folder.run(['-m', './shop.ts', 'three.txt'])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(
      /(: use Node 22\.18 or later, or compile the module to JavaScript|must end with \.ts)\n$/,
    )
    expect(run.stderr).not.toMatch(/Pool|execArgv/)
  })

  it('may be an expression without its option', async () => {
    const [name, glob] = await Promise.all([folder.run(['d.x', 'three.txt']), folder.run(['d.split(" ")[0]'])])
    expect(name.stderr).toBe("millrace: there is no file 'd.x'. An expression needs an option, such as -e 'd.x'\n")
    expect(glob.stderr).toMatch(/^millrace: no file matches .*\. An expression needs an option, such as -e 'd\.split/)
  })

  it('may be left out by globs alone', async () => {
    const run = await folder.run(['-e', 'd', '!three.txt', '!x'])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toBe(
      "millrace: '!three.txt' and '!x' leave files out, and there are no others: add a file or a glob\n",
    )
  })

  it('may be the place of a report that cannot be written', async () => {
    mkdirSync(folder.at('r.html'))
    const [place, isFolder] = await Promise.all([
      folder.run(['-e', 'd', 'three.txt', '--report', 'three.txt/r.html']),
      folder.run(['-e', 'd', 'three.txt', '--report', 'r.html']),
    ])
    for (const run of [place, isFolder]) expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(place.stderr).toMatch(/^millrace: --report 'three\.txt\/r\.html' cannot be written: .*\n$/)
    expect(isFolder.stderr).toBe("millrace: --report 'r.html' cannot be written: it is a folder\n")
  })

  it('may be in a folder that is gone', async () => {
    const run = await folder.shell('mkdir gone && cd gone && rmdir ../gone && millrace -M x=left-pad -e x three.txt')
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch(/^millrace: ENOENT: .*\n$/)
  })
})

describe('--partition', () => {
  const refused: readonly (readonly [expression: string, message: string])[] = [
    ['await d.n', '--partition cannot await: compute the key in a stage before it'],
    ['d.n + file', "--partition sees a result as d, and not 'file': compute the key in a stage before it"],
    ['d => d.n', "--partition takes the body of a function alone, in which d is the item: write 'd.n'"],
  ]
  it.each(refused)('is refused: %s', async (expression, message) => {
    const run = await folder.run(['data.csv', '-o', 'parts', '--partition', expression])
    expect(run).toEqual({ code: 2, signal: null, stdout: '', stderr: `millrace: ${message}\n` })
    expect(existsSync(folder.at('parts'))).toBe(false)
  })

  it('names itself in errors', async () => {
    const [thrown, promise, module] = await Promise.all([
      folder.run(['data.csv', '-o', 'parts', '--partition', 'd.x.y']),
      folder.run(['data.csv', '-o', 'parts', '--partition', 'Promise.resolve(1)']),
      folder.run(['-e', 'b, d', 'data.csv', '-o', 'parts', '--partition', 'b.of(d)', '-M', 'b=node:path']),
    ])
    expect(thrown).toMatchObject({ code: 1 })
    expect(thrown.stderr).toMatch(/^millrace: .*TypeError: Cannot read .*'y'\) \(in --partition d\.x\.y\)\n$/)
    expect(promise.stderr).toMatch(/must be the name of a folder: .* \(in --partition Promise\.resolve\(1\)\)\n$/)
    expect(module).toMatchObject({ code: 2 })
    expect(module.stderr).toMatch(/and not 'b': /)
  })
})

it('prints Maps and Sets of a fold as arrays', async () => {
  const run = await folder.run(['-r', './folds.js#counts', '-j', '1', 'three.txt'])
  expect(run).toEqual({ ...DONE, stdout: '{"all":[["a",1],["b",1],["c",1]],"names":["a","b","c"]}\n' })
})

describe('records that are read as lines', () => {
  const HINT =
    "millrace: each item is a line, which has no 'n'. If these are records, add their format, such as -i csv or -i ndjson\n"

  it('are noticed if nothing comes of them, or if the first one fails', async () => {
    const [nothing, failed] = await Promise.all([
      folder.shell('millrace -w "d.n > 1" < data.csv'),
      folder.shell('millrace -e d.n.length < data.csv'),
    ])
    expect(nothing).toEqual({ ...DONE, stdout: '', stderr: HINT })
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr.endsWith(HINT)).toBe(true)
  })

  it('are not suspected where nothing has matched', async () => {
    expect(await folder.shell('millrace -w "d.includes(5)" < data.csv')).toEqual({ ...DONE, stdout: '' })
    expect(await folder.shell('millrace -i lines -e d.n < data.csv')).toEqual({ ...DONE, stdout: '' })
  })
})

describe('a name that records do not have', () => {
  beforeAll(() => {
    folder.write('rows.csv', 'id,Order Total\n1,2\n')
    folder.write('semicolons.csv', 'id;n\n1;2\n')
    folder.write('rows.ndjson', '{"id":1,"n":2}\n')
  })

  const has = "It has 'id', 'Order Total'\n"
  it.each<readonly [args: readonly string[], hint: string]>([
    [['-e', 'd.ids', 'rows.csv'], `the first record has no 'ids': did you mean d.id? ${has}`],
    [
      ['-w', 'd.order_total > 1', 'rows.csv'],
      `the first record has no 'order_total': did you mean d["Order Total"]? ${has}`,
    ],
    [['-w', 'd.country', 'rows.csv'], `the first record has no 'country'. ${has}`],
    [
      ['-e', 'd.id', 'semicolons.csv'],
      "the records have one column, 'id;n'. If ';' separates its fields, add --delimiter ';'\n",
    ],
    [
      ['--no-header', '-e', 'd.id', 'rows.csv'],
      "each item is an array, which has no 'id': write d[0] for its first element\n",
    ],
    [['-e', 'd.name', 'rows.ndjson'], "the first record has no 'name'. It has 'id', 'n'\n"],
    [['-w', 'd.m', 'rows.ndjson'], "the first record has no 'm': did you mean d.n? It has 'id', 'n'\n"],
  ])('is told with those that they have: %j', async (args, hint) => {
    const [here, workers] = await Promise.all([folder.run(args), folder.run([...args, '-j', '1'])])
    expect(here).toEqual({ ...DONE, stdout: '', stderr: `millrace: ${hint}` })
    expect(workers).toEqual(here)
  })

  it('is told when all items fail, and with --quiet not at all', async () => {
    const args = ['-e', 'd.ids.length', 'rows.csv', '--skip-errors']
    const [told, quiet] = await Promise.all([folder.run(args), folder.run([...args, '-q'])])
    expect(told).toMatchObject({
      code: 3,
      stdout: '',
      stderr: `millrace: the first record has no 'ids': did you mean d.id? ${has}`,
    })
    expect(quiet).toMatchObject({ code: 3, stdout: '', stderr: '' })
  })

  it('is not suspected where a filter looks for a few, or the name is there', async () => {
    for (const args of [
      ['-w', 'd.deleted', 'rows.ndjson'],
      ['-w', 'd.id > 5', 'rows.csv'],
      ['-e', 'undefined', 'rows.csv'],
    ]) {
      expect(await folder.run(args)).toEqual({ ...DONE, stdout: '' })
    }
  })
})

describe('a module', () => {
  beforeAll(() => {
    folder.write('common/package.json', '{"type":"commonjs"}')
    folder.write('common/map.js', 'export default (line) => line')
    folder.write('common/uses.js', 'import os from "node:os"\nmodule.exports = () => os.EOL')
    folder.write('good.mjs', 'export const slim = (line) => line')
  })

  it.each(['map', 'uses'])('of the other kind says how to name it, and Node does not warn: %s.js', async (name) => {
    const run = await folder.run(['-m', `./common/${name}.js`, 'three.txt'])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    const cure = 'for an ES module: name it .mjs, or put "type": "module" into its package.json'
    expect(run.stderr).toMatch(/^millrace: Cannot run task 'default' as its module .*\n$/)
    expect(run.stderr.endsWith(` (${cure})\n`)).toBe(true)
  })

  it.each([
    ['./good', ": did you mean './good.mjs'?"],
    ['./good.mjs:slim', ": did you mean './good.mjs#slim'?"],
    ['./bad', ''],
  ])('may be named wrongly: %s', async (module, cure) => {
    const run = await folder.run(['-m', module, 'three.txt'])
    expect(run).toMatchObject({ code: 2, stdout: '', stderr: `millrace: --map: there is no file '${module}'${cure}\n` })
  })

  it('may be an expression, or given as a file', async () => {
    const [expression, file, operator] = await Promise.all([
      folder.run(['-f', 'd.x', 'three.txt']),
      folder.run(['good.mjs', 'data.csv']),
      folder.run(['-w', 'd.name', '===', 'x', 'data.csv']),
    ])
    expect(expression.stderr).toBe(
      "millrace: --filter: there is no package 'd.x' that can be imported from here (for an expression: -w 'd.x')\n",
    )
    expect(file.stderr).toMatch(/ \(for a module of tasks: -m good\.mjs\)\n$/)
    expect(operator.stderr).toMatch(
      /^millrace: there is no file '==='\. If .*, put that into quotes, such as -w '.*'\n$/,
    )
  })
})

describe('a reader who leaves', () => {
  it.each(['--dry-run -e d three.txt', '--help', '--man', '-h', 'worker --help'])('of %s', async (args) => {
    const run = await folder.shell(`{ millrace ${args}; echo "code $?" >&2; } | true`)
    expect(run).toEqual({ ...DONE, stdout: '', stderr: 'code 0\n' })
  })

  it('of the messages', async () => {
    const run = await folder.shell(
      '{ { millrace -v -j 1 -e d three.txt; echo "code $?" >&3; } 2>&1 >/dev/null | true; } 3>&1',
    )
    expect(run).toEqual({ ...DONE, stdout: 'code 0\n' })
    expect(await folder.shell('millrace -v -j 1 -e d three.txt 2>&-')).toEqual({ ...DONE, stdout: 'a\nb\nc\n' })
    expect(await folder.shell('millrace --unknown 2>&-')).toEqual({ ...DONE, code: 2, stdout: '' })
  })
})

it('a later pass tells tasks and folds of the file', async () => {
  const [task, fold] = await Promise.all([
    folder.run(['-w', 'd > "a"', '-e', 'd + i', '-m', `${TASKS}#placed`, 'three.txt']),
    folder.run(['-w', 'd > "a"', '--head', '1', '-r', `${TASKS}#filesOf`, '-u', 'three.txt']),
  ])
  expect(task).toEqual({ ...DONE, stdout: '0 three.txt:undefined b0\n1 three.txt:undefined c1\n' })
  expect(fold).toEqual({ ...DONE, stdout: '["three.txt:2 b"]\n' })
})
