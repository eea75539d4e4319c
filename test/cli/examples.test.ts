/** The examples of the help, each run by a shell on files of the kind that it names. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { EXAMPLES } from '#dist/cli/arguments/texts/examples.js'

const PROGRAM = fileURLToPath(new URL('../../../dist/cli/millrace.cjs', import.meta.url))
const CUSTOMERS = 'id,name,country,note\n1,Ada,UK,"a, b"\n2,Max,DE,\n3,Eva,DE,"two\nlines"\n'
const EVENTS = [
  { id: 1, type: 'buy', n: 2, price: 5 },
  { id: 2, type: 'view', n: 1, price: 9 },
]
const LOG = ['10.0.0.1 - - [x] "GET /" 200 5', '10.0.0.2 - - [x] "GET /a" 500 7', '10.0.0.1 - - [x] "GET /b" 404 9']

function ndjson(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}

const files: Readonly<Record<string, string | Buffer>> = {
  'access.log': `${LOG.join('\n')}\n`,
  'access.log.1.gz': gzipSync('10.0.0.9 - - [x] "GET /" 500 1\n'),
  'events.ndjson.gz': gzipSync(ndjson(EVENTS)),
  'customers.csv': CUSTOMERS,
  'export.json': JSON.stringify({ of: 'today', items: [{ name: 'nail' }, { name: 'bolt' }] }),
  'notes.txt': 'One, two.\n\nThree\n',
  'logs/a.ndjson': ndjson([{ id: 1 }, { id: 2 }]),
  'logs/b.ndjson': ndjson([{ id: 3 }]),
  'mails.csv': 'id,body\n1,"{""a"":1}"\n2,oops\n',
}

const bin = mkdtempSync(join(tmpdir(), 'millrace-bin-'))
let folder = ''
beforeAll(() => {
  writeFileSync(join(bin, 'millrace'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`)
  chmodSync(join(bin, 'millrace'), 0o755)
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-examples-'))
  mkdirSync(join(folder, 'logs'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})
afterAll(() => {
  rmSync(bin, { recursive: true })
})

function run(command = ''): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('bash', ['-c', `set -o pipefail\n${command}`], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  })
}

function written(name: string): string {
  const bytes = readFileSync(join(folder, name))
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}

/** By example, in order: the exit code, what is printed, and what is in the files that it writes. */
const results: readonly (readonly [code: number, stdout: string | RegExp, files?: Readonly<Record<string, string>>])[] =
  [
    [0, `${LOG[1] ?? ''}\n10.0.0.9 - - [x] "GET /" 500 1\n`],
    [0, '{"id":1,"sum":10}\n'],
    [
      0,
      '',
      {
        'customers.ndjson': ndjson([
          { id: '1', name: 'Ada', country: 'UK' },
          { id: '2', name: 'Max', country: 'DE' },
          { id: '3', name: 'Eva', country: 'DE' },
        ]),
      },
    ],
    [0, 'id,name,country,note\n2,Max,DE,\n3,Eva,DE,"two\nlines"\n'],
    [0, / 2 10\.0\.0\.1\n +1 10\.0\.0\.2\n$/],
    [0, 'nail\nbolt\n'],
    [0, 'one\ntwo\nthree\n'],
    [0, '', { 'out/a.csv.gz': 'id\n1\n2\n', 'out/b.csv.gz': 'id\n3\n' }],
    [0, /^(?:\.csv\n|\.gz\n|\.json\n|\.log\n|\.ndjson\n|\.txt\n){9}$/],
    [3, '', { 'ok.ndjson': ndjson([{ a: 1 }]) }],
  ]

it('has a result for each example', () => {
  expect(results).toHaveLength(EXAMPLES.length)
})

it.each(EXAMPLES.map(({ command }, at) => [command, at] as const))('%s', (command, at) => {
  const [code, stdout, outputs = {}] = results[at] ?? [NaN, '']
  const ran = run(command)
  expect(ran).toMatchObject({ status: code, stderr: '' })
  if (typeof stdout === 'string') expect(ran.stdout).toBe(stdout)
  else expect(ran.stdout).toMatch(stdout)
  for (const [name, content] of Object.entries(outputs)) expect(written(name)).toBe(content)
})

it('rejects what the last example says, with its reason', () => {
  run(EXAMPLES.at(-1)?.command)
  const [line = '', ...more] = written('bad.ndjson').trimEnd().split('\n')
  expect(more).toEqual([])
  expect(JSON.parse(line)).toMatchObject({
    record: 2,
    item: { id: '2', body: 'oops' },
    error: { name: 'SyntaxError' },
  })
})
