/** The arguments of the command line as a plan. */
import { readArguments } from '#dist/cli/arguments/parse.js'
import type { CommandPlan } from '#dist/cli/plan.js'

function planOf(...args: readonly string[]): CommandPlan {
  const request = readArguments(args)
  if (!('plan' in request)) throw new Error(`It shows ${request.shows}`)
  return request.plan
}

const nothing: CommandPlan = {
  stages: [],
  modules: [],
  input: { files: [], header: true, isNul: false, skip: 0 },
  output: {},
  run: { isUnordered: false, isDry: false },
  faults: { skipErrors: false },
  resume: { isOn: false, allowsChangedCode: false },
  tell: { progress: 'auto', isQuiet: false, isVerbose: false, color: 'auto' },
}

type Part = 'input' | 'output' | 'run' | 'faults' | 'resume' | 'tell'

/** What is not the default in one part of the plan. */
const fields: readonly (readonly [args: readonly string[], part: Part, expected: object])[] = [
  [['-i', 'csv'], 'input', { format: 'csv' }],
  [['--from=ndjson'], 'input', { format: 'ndjson' }],
  [['-i', 'json'], 'input', { format: 'json' }],
  [['-i', 'json:a.b'], 'input', { format: 'json', path: 'a.b' }],
  [['-i', 'fixed:name=10,age=3'], 'input', { format: 'fixed', fixed: { name: [0, 10], age: [10, 13] } }],
  [
    ['-i', 'fixed:name=0-10,=x=20-22, 1=2,note=30-'],
    'input',
    { format: 'fixed', fixed: { name: [0, 10], '=x': [20, 22], 1: [22, 24], note: [30, Infinity] } },
  ],
  [['-i', 'csv', '--columns', 'id, amount'], 'input', { format: 'csv', columns: ['id', 'amount'] }],
  [['a.csv', '--no-header'], 'input', { files: ['a.csv'], header: false }],
  [['a.tsv.gz', '--columns=x', '--no-header'], 'input', { files: ['a.tsv.gz'], header: false, columns: ['x'] }],
  [['-i', 'csv', '--delimiter', ';'], 'input', { format: 'csv', delimiter: ';' }],
  [['-i', 'csv', '--delimiter', '\\t'], 'input', { format: 'csv', delimiter: '\t' }],
  [['--columns', 'a', 'in/*'], 'input', { files: ['in/*'], columns: ['a'] }],
  [['--encoding', 'utf-16le'], 'input', { encoding: 'utf-16le' }],
  [['--encoding', 'latin1'], 'input', { encoding: 'latin1' }],
  [['-0'], 'input', { isNul: true }],
  [['--decompress', 'xz  -dc'], 'input', { decompress: ['xz', '-dc'] }],
  [['--skip', '2', '--head', '0'], 'input', { skip: 2, head: 0 }],
  [['--sample', '0.01'], 'input', { sample: 0.01 }],
  [['--sample', '2.5%', '--seed', '7'], 'input', { sample: 0.025, seed: 7 }],
  [['--sample=.5'], 'input', { sample: 0.5 }],
  [['--replay', 'bad.ndjson'], 'input', { replay: 'bad.ndjson' }],
  [['a', '-', 'b'], 'input', { files: ['a', '-', 'b'] }],
  [['--', '-e', '--help'], 'input', { files: ['-e', '--help'] }],
  [['-o', 'out.csv'], 'output', { target: 'out.csv' }],
  [['-o', '-'], 'output', {}],
  [['a', '-o', 'x/{name}.csv'], 'output', { target: 'x/{name}.csv' }],
  [['-o', 'x-{n}.csv', '--rotate', '1.5K'], 'output', { target: 'x-{n}.csv', rotate: 1_536 }],
  [['-o', '{n}', '--rotate=2GiB'], 'output', { target: '{n}', rotate: 2 * 2 ** 30 }],
  [['-o', '{n}', '--rotate', '100'], 'output', { target: '{n}', rotate: 100 }],
  [['-t', 'json'], 'output', { format: 'json' }],
  [['--gzip'], 'output', { compress: 'gzip' }],
  [['--zstd'], 'output', { compress: 'zstd' }],
  [['-o', 'out', '--partition', 'country'], 'output', { target: 'out', partition: { column: 'country' } }],
  [['-o', 'out', '--partition', 'd.a[0]'], 'output', { target: 'out', partition: { expression: 'd.a[0]' } }],
  [['-j4'], 'run', { workers: 4 }],
  [['-e', 'd', '-u', '--window', '9'], 'run', { isUnordered: true, window: 9 }],
  [['-e', 'd', '--timeout', '1500'], 'run', { timeout: 1_500 }],
  [['-e', 'd', '--timeout', '5s'], 'run', { timeout: 5_000 }],
  [['-e', 'd', '--timeout', '0.5s'], 'run', { timeout: 500 }],
  [['-e', 'd', '--timeout=2m', '--retries', '3'], 'run', { timeout: 120_000, retries: 3 }],
  [['--dry-run'], 'run', { isDry: true }],
  [['-e', 'd', '--rejects', 'bad'], 'faults', { rejects: 'bad' }],
  [['-i', 'csv', '--skip-errors'], 'faults', { skipErrors: true }],
  [['-e', 'd', '--rejects', 'b', '--max-errors', '10'], 'faults', { rejects: 'b', maxErrors: 10 }],
  [['-e', 'd', '--skip-errors', '--max-errors', '2.5%'], 'faults', { skipErrors: true, maxErrors: '2.5%' }],
  [['--resume', '-o', 'b', 'a'], 'resume', { isOn: true }],
  [
    ['--resume', '-r', './a.js', '--checkpoint', 'c', '--allow-changed-code', 'a'],
    'resume',
    { isOn: true, checkpoint: 'c', allowsChangedCode: true },
  ],
  [['--progress', 'json', '--report', 'r.HTML'], 'tell', { progress: 'json', report: 'r.HTML' }],
  [['-q', '--color', 'never'], 'tell', { isQuiet: true, color: 'never' }],
  [['-v'], 'tell', { isVerbose: true }],
]

it.each(fields)('%j', (args, part, expected) => {
  expect(planOf(...args)[part]).toEqual({ ...nothing[part], ...expected })
})

it('changes nothing else', () => {
  expect(planOf('-')).toEqual({ ...nothing, input: { ...nothing.input, files: ['-'] } })
})

it('keeps the order of stages, whatever stands between them', () => {
  const args = ['-e', 'a', '-j2', '-m', './b.js', 'x.csv', '--where=c', '-f', 'pkg#d', '-x', './e#1.js#e', '-E', 'f']
  expect(planOf(...args).stages).toEqual([
    { kind: 'map', work: { expression: 'a', option: '-e' } },
    { kind: 'map', work: { task: { text: './b.js', module: './b.js', exported: 'default' } } },
    { kind: 'filter', work: { expression: 'c', option: '--where' } },
    { kind: 'filter', work: { task: { text: 'pkg#d', module: 'pkg', exported: 'd' } } },
    { kind: 'flatMap', work: { task: { text: './e#1.js#e', module: './e#1.js', exported: 'e' } } },
    { kind: 'flatMap', work: { expression: 'f', option: '-E' } },
  ])
})

it('has the reduction apart', () => {
  const { stages, reduce } = planOf('-e', 'd', '-r', './sum.js#total')
  expect(stages).toHaveLength(1)
  expect(reduce).toEqual({ text: './sum.js#total', module: './sum.js', exported: 'total' })
})

it('has all modules, also when they come after the expressions', () => {
  const { modules } = planOf('-e', 'ua(d)', '-M', 'ua=ua-parser-js', '-M', 'a$=./x=y.js')
  expect(modules).toEqual([
    { name: 'ua', module: 'ua-parser-js' },
    { name: 'a$', module: './x=y.js' },
  ])
})

it('counts the last of an option that is given twice', () => {
  expect(planOf('-j', '2', '-o', 'a', '-j', '3', '-o', 'b')).toMatchObject({
    run: { workers: 3 },
    output: { target: 'b' },
  })
})

it('takes letters together, the last with its value', () => {
  expect(planOf('-uvj3', '-ed')).toMatchObject({
    run: { isUnordered: true, workers: 3 },
    tell: { isVerbose: true },
    stages: [{ work: { expression: 'd' } }],
  })
})

it.each([
  '{ id: d.id }',
  '-d.x',
  'd // the item',
  'await fetch(d)',
  '`${d}`',
  '/[(]/.test(d)',
  'd.a,\n  d.b',
  '(await import("node:path")).basename(file)',
  '[...d].map((d) => { return d })',
  'd?.a ?? record',
])('takes the expression %j', (expression) => {
  expect(planOf('-e', expression).stages).toEqual([{ kind: 'map', work: { expression, option: '-e' } }])
})

it.each([
  [['-h'], { shows: 'usage' }],
  [['-uh'], { shows: 'usage' }],
  [['--help'], { shows: 'help' }],
  [['--version'], { shows: 'version' }],
  [['--man'], { shows: 'man' }],
  [['--completion', 'zsh'], { shows: 'completion', value: 'zsh' }],
  [['-e', 'd +', '--nothing', '--help'], { shows: 'help' }],
])('%j shows a text, whatever else is given', (args, expected) => {
  expect(readArguments(args)).toEqual(expected)
})
