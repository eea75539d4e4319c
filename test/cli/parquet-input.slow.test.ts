/** `-i parquet` and the suffix `.parquet`: rows in order, their places, options of inputs, and what is refused. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFolder } from '../support/command-line.js'
import { bytesOf } from '../support/parquet-files.js'

const folder = new CommandFolder()

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const lines = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

beforeAll(() => {
  const numbered = (count: number, size: number) =>
    bytesOf(
      [
        { name: 'id', data: upTo(count), type: 'INT32' },
        { name: 'name', data: upTo(count).map((id) => `row ${id}`), type: 'STRING' },
        { name: 'big', data: upTo(count).map((id) => BigInt(id) * 2n ** 52n), type: 'INT64' },
      ],
      size,
    )
  writeFileSync(join(folder.path, 'a.parquet'), numbered(1_000, 64))
  writeFileSync(join(folder.path, 'b.parquet'), numbered(10, 3))
  writeFileSync(join(folder.path, 'nameless'), numbered(2, 2))
  writeFileSync(join(folder.path, 'rows.csv'), 'id\n1\n')
})

it('reads rows in order, with their places', async () => {
  const run = await folder.run(['-e', '[d.id, i, file, record]', 'a.parquet', 'b.parquet'])
  const expected = [
    ...upTo(1_000).map((id) => [id, id, 'a.parquet', id + 1]),
    ...upTo(10).map((id) => [id, 1_000 + id, 'b.parquet', id + 1]),
  ]
  expect(run).toEqual({ code: 0, signal: null, stdout: lines(expected), stderr: '' })
})

it('reads what has another name, by -i', async () => {
  expect(await folder.run(['-i', 'parquet', '--columns', 'name', 'nameless'])).toMatchObject({
    code: 0,
    stdout: lines([{ name: 'row 0' }, { name: 'row 1' }]),
  })
})

it('has --skip, --head, --sample, -u and --reduce', async () => {
  const ids = async (...options: string[]) => (await folder.run([...options, 'a.parquet'])).stdout.trim().split('\n')
  const all = upTo(1_000).map(String)
  expect(await ids('-e', 'd.id', '--skip', '100', '--head', '3')).toEqual(['100', '101', '102'])
  expect((await ids('-e', 'd.id', '-u')).sort((one, other) => Number(one) - Number(other))).toEqual(all)
  const sampled = await ids('-e', 'd.id', '--sample', '10%')
  expect(sampled).toEqual(await ids('-e', 'd.id', '--sample', '10%', '-j', '1'))
  expect(sampled.length).toBeGreaterThan(20)
  expect(sampled.every((id, at) => at === 0 || Number(id) > Number(sampled[at - 1]))).toBe(true)
})

it('writes a file for each input', async () => {
  const run = await folder.run(['--columns', 'id', 'a.parquet', 'b.parquet', '-o', 'out/{name}.ndjson'])
  expect(run.code).toBe(0)
  expect(readFileSync(join(folder.path, 'out/b.ndjson'), 'utf8')).toBe(lines(upTo(10).map((id) => ({ id }))))
  expect(readFileSync(join(folder.path, 'out/a.ndjson'), 'utf8').split('\n')).toHaveLength(1_001)
})

it('names the record of an error, and gives it to --rejects', async () => {
  const stage = ['--columns', 'id,name', '-e', 'd.id === 470 ? d.a.b : d.id', 'a.parquet']
  expect(await folder.run(stage)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^millrace: a\.parquet:471: TypeError: Cannot read properties of undefined/,
    ) as string,
  })
  expect(await folder.run([...stage, '--rejects', 'bad.ndjson', '-o', 'good.ndjson'])).toMatchObject({ code: 3 })
  expect(JSON.parse(readFileSync(join(folder.path, 'bad.ndjson'), 'utf8'))).toMatchObject({
    file: 'a.parquet',
    record: 471,
    item: { id: 470, name: 'row 470' },
  })
})

it('says which value JSON does not have', async () => {
  expect(await folder.run(['-e', 'd.big', '--skip', '2', 'b.parquet'])).toMatchObject({
    code: 1,
    stderr:
      "millrace: b.parquet:3: OutputError: Cannot print the result as JSON.stringify() threw 'Do not know how to serialize a BigInt': received 9007199254740992n (give plain data)\n",
  })
})

it('shows the plan, and never runs on the main thread', async () => {
  expect((await folder.run(['--dry-run', '-e', 'd.id', 'b.parquet', '-j', '2'])).stdout).toMatch(
    /input {3}b\.parquet as parquet\n.*\n.*\nrun {5}2 workers, in order\n/,
  )
  expect((await folder.run(['--dry-run', '-e', 'd.id', 'b.parquet'])).stdout).not.toContain('main thread')
})

it.each<[string[], number, string]>([
  [['-i', 'parquet'], 2, 'Parquet is read from files, not from the standard input: write it to a file first'],
  [['-i', 'parquet', '-'], 2, 'Parquet is read from files, not from the standard input: write it to a file first'],
  [
    ['http://localhost:1/a.parquet'],
    2,
    "Parquet is read from files, and 'http://localhost:1/a.parquet' is not one: download it first",
  ],
  [
    ['a.parquet', 'rows.csv'],
    2,
    "'a.parquet' is read as parquet, and 'rows.csv' as csv: say which by --from, or read them apart",
  ],
  [
    ['a.parquet', '--encoding', 'latin1'],
    2,
    '--encoding is for lines, csv, tsv, ndjson, json and fixed, not for parquet: add -i lines',
  ],
  [['b.parquet', '-o', 'b.ndjson', '--resume'], 2, '--resume cannot go on within Parquet files: leave it out'],
  [
    ['--columns', 'nam', 'b.parquet'],
    1,
    "Cannot read 'b.parquet' as Parquet as it has no column 'nam' (it has 'id', 'name', 'big')",
  ],
  [
    ['-i', 'parquet', 'rows.csv'],
    1,
    "Cannot read 'rows.csv' as Parquet as it must begin with 'PAR1', as such files do",
  ],
  [
    ['-i', 'csv', 'b.parquet'],
    1,
    "Cannot read the input as it must be text, or text compressed as gzip, zstd or brotli: received Parquet data (read the file with -i parquet) (in 'b.parquet')",
  ],
])('refuses %j', async (args, code, text) => {
  expect(await folder.run(args)).toEqual({ code, signal: null, stdout: '', stderr: `millrace: ${text}\n` })
})
