/** What a command line publishes: its outputs and its failed items together, or nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()

beforeAll(() => {
  folder.write('six.ndjson', [1, 2, 3, 4, 5, 6].map((n) => `{"n":${n}}\n`).join(''))
  folder.write(
    'fold.js',
    `const fold = { initial: 0, fold: (sum, { n }) => { if (n === 3) throw new Error('three'); return sum + n },
      merge: (a, b) => a + b }
    export const sum = fold
    export const failing = { ...fold, finish: () => { throw new Error('no end') } }`,
  )
})

/** The files that a run makes, besides those of the tests. */
function made(): string[] {
  return readdirSync(folder.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(six[.]ndjson|fold[.]js|package[.]json)$/.test(entry.name))
    .map(({ name }) => name)
    .sort()
}

const ODD = "(() => { if (d.n % 2 === 1) throw new Error('odd'); return d })()"

it.each([
  ['a key of --partition fails', ['-e', ODD, '-o', 'out1', '--partition', '(d.n > 5 ? null : d).n']],
  ['a fold fails at its end', ['-r', './fold.js#failing', '-o', 'out2.json']],
  ['too many items fail after --head', ['-e', ODD, '-o', 'out3.csv', '--head', '3', '--max-errors', '1']],
])('nothing if %s', async (_, args) => {
  const { code } = await folder.run([...args, 'six.ndjson', '--rejects', 'bad.ndjson'])
  expect([1, 4]).toContain(code)
  expect(made()).toEqual([])
})

it('the failed items of a fold after its result', async () => {
  const run = await folder.run(['-r', './fold.js#sum', 'six.ndjson', '--rejects', 'bad.ndjson'])
  expect(run).toEqual({ code: 3, signal: null, stdout: '18\n', stderr: '' })
  expect(readFileSync(folder.at('bad.ndjson'), 'utf8')).toMatch(/"record":3,.*"item":\{"n":3\},.*"message":"three"/)
})

it('the failed items before the last result of --head', async () => {
  const run = await folder.run(['-e', ODD, 'six.ndjson', '--head', '1', '--rejects', 'head.ndjson'])
  expect(run).toEqual({ code: 3, signal: null, stdout: '{"n":2}\n', stderr: '' })
  expect(readFileSync(folder.at('head.ndjson'), 'utf8')).toMatch(/^\{[^\n]*"record":1,[^\n]*\}\n/)
})
