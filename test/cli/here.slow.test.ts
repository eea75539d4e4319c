/** Small files: the same command line gives the same on the main thread as in workers. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, constants, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { FileBody } from '#dist/cli/here/file-body.js'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()

beforeAll(() => {
  folder.write('a.log', 'one 1\ntwo 22\n\nbroken\nlast without an end')
  folder.write('b.log', 'Grüße\r\nfour 4444\r\n')
  folder.write('latin1.txt', Buffer.from('Grüße\nfür\n', 'latin1'))
  folder.write('empty.txt', '')
  folder.write('people.csv', 'name,age,note\n"Ann, B.",31,\nBob,x,"two\nlines"\nCy,7,"""q"""\n')
  folder.write('damaged.csv', 'a,b\n1,2\n3\n4,5\n')
  folder.write('open.csv', 'a,b\n1,2\n3,"x\n')
  folder.write('values.ndjson', '{"a":1,"b":"x"}\n{"a":[2,"ü"]}\n[]\n"text"\nnull\n{"b":"y","a":2}\n')
  folder.write('damaged.ndjson', '{"a":1}\n{"a":\n{"a":3}\n')
  folder.write('list.json', '{"meta":1,"items":[{"n":1},{"n":2},{"n":3}]}')
  folder.write('many.txt', Array.from({ length: 20_000 }, (_, n) => `${n} ${'x'.repeat(n % 50)}\n`).join(''))
})

const COMMANDS: readonly (readonly string[])[] = [
  // Lines, with what expressions see.
  ['-e', 'd', 'a.log', 'b.log'],
  ['-e', '`${i} ${file}:${record} ${d.length}`', 'a.log', 'b.log'],
  ['-w', 'd.length > 3', '-e', '`${i} ${d}`', 'a.log', 'b.log'],
  ['-w', 'd.length > 3', '-e', '[i, file, record]', '-w', 'd[0] !== i + 1', 'a.log', 'b.log'],
  ['-E', "d.split(' ')", '-e', 'd.toUpperCase()', 'a.log'],
  ['-e', 'd.length > 4 ? d : undefined', 'a.log'],
  ['-e', 'await d', 'many.txt'],
  ['-e', 'd', 'latin1.txt', '--encoding', 'latin1'],
  ['-0', '-e', 'd.length', 'a.log'],
  ['-e', 'd', 'empty.txt'],
  ['-t', 'json', '-e', 'd', 'empty.txt'],
  // Every format of the input and the output.
  ['people.csv'],
  ['people.csv', '-t', 'json'],
  ['people.csv', '-t', 'tsv', '--columns', 'note,name'],
  ['people.csv', '--no-header', '-e', 'd.length'],
  ['values.ndjson'],
  ['values.ndjson', '-e', 'd?.a'],
  ['values.ndjson', '-t', 'ndjson'],
  ['-i', 'json:items', 'list.json', '-e', '({ ...d, twice: 2 * d.n })', '-t', 'csv'],
  ['-e', 'd.length', 'many.txt'],
  // How many.
  ['--skip', '2', '-e', '[i, record, d]', 'a.log'],
  ['--head', '3', '-E', "d.split(' ')", 'a.log'],
  ['--head', '10007', 'many.txt'],
  ['--head', '2', '-w', 'd.length > 3', '-e', 'i', 'a.log'],
  // Items that fail: tasks, records, and results that the format does not take.
  ['-e', 'd.match(/ (\\d+)/)[1]', 'a.log'],
  ['-e', 'd.match(/ (\\d+)/)[1]', 'a.log', '--skip-errors'],
  ['-e', '(() => { throw d })()', 'b.log'],
  ['-e', 'await Object.nothing.more', 'b.log', '--skip-errors'],
  ['-e', 'd.length', '-E', 'd > 8 ? 7 : [d]', 'a.log', '--skip-errors'],
  ['-w', 'd', '-e', 'i > 1 ? null.x : d', 'a.log'],
  ['damaged.csv'],
  ['damaged.csv', '--skip-errors', '-t', 'ndjson'],
  ['open.csv', '-e', 'd.b'],
  ['damaged.ndjson', '-e', 'd.a'],
  ['damaged.ndjson', '-e', 'd.a', '--skip-errors'],
  ['values.ndjson', '-t', 'csv'],
  ['values.ndjson', '-t', 'csv', '--skip-errors'],
  ['values.ndjson', '-e', 'd?.a', '-t', 'text', '--skip-errors'],
  ['-e', '10n', 'a.log'],
  ['-e', 'Symbol()', 'a.log', '--skip-errors'],
  // What expressions print, and many lines.
  ['-e', 'console.log(d), d.length', 'a.log'],
  ['-w', 'd.includes("4")', '-e', 'd', 'many.txt', 'a.log', '-q'],
]

it.each(COMMANDS.map((args) => [args.join(' '), args] as const))('%s', async (_, args) => {
  const [here, workers] = await Promise.all([folder.run(args), folder.run([...args, '-j', '1'])])
  expect(here).toEqual(workers)
  expect(here.code).not.toBe(2)
})

it('reads a file that is the standard input', async () => {
  const [here, workers] = await Promise.all(
    ['', '-j 1'].map((option) => folder.shell(`millrace -e '[record, file, d]' ${option} < a.log`)),
  )
  expect(here).toEqual(workers)
  expect(here?.stdout).toMatch(/^\[1,null,"one 1"\]\n/)
})

describe('starts no worker', () => {
  const NO_WORKERS = `import workers from 'node:worker_threads'
import { syncBuiltinESMExports } from 'node:module'
workers.Worker = class { constructor() { console.log('a worker'); process.exit(9) } }
syncBuiltinESMExports()`

  it.each([
    ['', 0],
    ['2>/dev/null', 0],
    ['2>errors.txt | cat; exit 0', 0],
    ['-j 1', 9],
  ])("with '%s': exit code %d", async (rest, code) => {
    const env = { NODE_OPTIONS: `--import=${pathToFileURL(folder.write('no-workers.mjs', NO_WORKERS)).href}` }
    const ending = await folder.shell(`millrace -e 'd.length' b.log ${rest}`, env)
    const texts = code === 0 ? { stdout: '5\n9\n', stderr: '' } : { stdout: '', stderr: 'a worker\n' }
    expect(ending).toEqual({ code, signal: null, ...texts })
  })
})

it('ends quietly when its reader leaves', async () => {
  const { code, stdout, stderr } = await folder.shell("{ millrace -e 'd' many.txt; echo $? >&2; } | head -n 1")
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '0 \n', stderr: '0\n' })
})

it('waits for a reader where writes do not wait by themselves', async () => {
  const pipe = folder.at('pipe')
  execFileSync('mkfifo', [pipe])
  const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  const bytes = randomBytes(1_000_000)
  const reader = spawn('sh', ['-c', 'head -c "$1" "$0" | sha1sum', pipe, String(bytes.length)])
  const read = text(reader.stdout)
  const body = new FileBody(descriptor)
  body.add(bytes)
  await body.drain()
  closeSync(descriptor)
  expect((await read).split(' ')[0]).toBe(createHash('sha1').update(bytes).digest('hex'))
})
