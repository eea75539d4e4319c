/** Parquet as the output of the command line. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { CommandFolder, PROGRAM } from '../support/command-line.js'
import { readParquet, typesOf } from '../support/parquet.js'

const folder = new CommandFolder()
const read = (name: string): ReturnType<typeof readParquet> => readParquet(folder.at(name))
const DONE = { code: 0, signal: null, stdout: '', stderr: '' }
const TYPED = ['-e', '({ id: Number(d.id), name: d.name })']

beforeAll(() => {
  folder.write('in.csv', 'id,name\n1,Ann\n2,\n3,"Bo, jr"\n')
  folder.write('more.csv', 'id,name\n4,Cy\n')
  folder.write('big.csv', `id,name\n${Array.from({ length: 150_000 }, (_, n) => `${n},name ${n}\n`).join('')}`)
})

describe('-o x.parquet', () => {
  it('has the rows of a small file, in any case by workers', async () => {
    expect(await folder.run([...TYPED, 'in.csv', '-o', 'out/a.parquet'])).toEqual(DONE)
    const { rows } = await read('out/a.parquet')
    expect(rows).toEqual([
      [1, 'Ann'],
      [2, ''],
      [3, 'Bo, jr'],
    ])
  })

  it('has the same bytes for any number of workers', async () => {
    const bytes: Buffer[] = []
    for (const workers of ['1', '3']) {
      expect(await folder.run([...TYPED, 'big.csv', '-j', workers, '-o', 'big.parquet'])).toEqual(DONE)
      bytes.push(readFileSync(folder.at('big.parquet')))
    }
    expect(bytes[0]?.equals(bytes[1] ?? Buffer.of())).toBe(true)
    const { groups, rows } = await read('big.parquet')
    expect(groups).toEqual([50_000, 50_000, 50_000])
    expect(rows.at(-1)).toEqual([149_999, 'name 149999'])
  })

  it('ends after --head, and says with -v what was done', async () => {
    const { code, stdout, stderr } = await folder.run([...TYPED, 'big.csv', '--head', '5', '-v', '-o', 'head.parquet'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/^done in .* items/m)
    expect((await read('head.parquet')).rows.map(([id]) => id)).toEqual([0, 1, 2, 3, 4])
  })

  it('has the one value of --reduce', async () => {
    folder.write(
      'sum.js',
      'export default { initial: { n: 0 }, fold: (a) => ({ n: a.n + 1 }), merge: (a, b) => ({ n: a.n + b.n }) }',
    )
    expect(await folder.run(['-r', './sum.js', 'big.csv', '-o', 'sum.parquet'])).toEqual(DONE)
    expect((await read('sum.parquet')).rows).toEqual([[150_000]])
  })

  it('ends at a value of another type, says where, and publishes nothing', async () => {
    const mixed = ['-e', '({ id: d.name === "" ? d.id : Number(d.id) })']
    expect(await folder.run([...mixed, 'in.csv', '-o', 'mixed.parquet'])).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr:
        "millrace: in.csv:3: OutputError: Cannot write item 1 as parquet as its field 'id' must be a number or null, as those before: received '2' (convert it in the task)\n",
    })
    expect(await folder.run([...mixed, 'in.csv', '-o', 'skipped.parquet', '--skip-errors'])).toMatchObject({ code: 3 })
    expect((await read('skipped.parquet')).rows).toEqual([[1], [3]])
    const rejecting = [...mixed, 'in.csv', '-o', 'rejected.parquet', '--rejects', 'bad.ndjson']
    expect(await folder.run(rejecting)).toMatchObject({ code: 3, stderr: '' })
    expect(JSON.parse(readFileSync(folder.at('bad.ndjson'), 'utf8'))).toMatchObject({
      file: 'in.csv',
      record: 2,
      error: { code: 'ERR_OUTPUT_FORMAT' },
    })
  })

  it('is a file for each input, each partition, or each so many bytes', async () => {
    expect(await folder.run([...TYPED, 'in.csv', 'more.csv', '-o', 'each/{name}.parquet'])).toEqual(DONE)
    expect(readdirSync(folder.at('each')).sort()).toEqual(['in.parquet', 'more.parquet'])
    expect((await read('each/more.parquet')).rows).toEqual([[4, 'Cy']])
    const partitioned = [...TYPED, 'in.csv', '--partition', 'd.id % 2 ? "odd" : "even"', '-t', 'parquet', '-o', 'parts']
    expect(await folder.run(partitioned)).toEqual(DONE)
    expect((await read('parts/odd/part.parquet')).rows.map(([id]) => id)).toEqual([1, 3])
    expect(await folder.run([...TYPED, 'big.csv', '--rotate', '2M', '-o', 'rotated/{n}.parquet'])).toEqual(DONE)
    const rotated = await Promise.all(readdirSync(folder.at('rotated')).map((name) => read(`rotated/${name}`)))
    expect(rotated.length).toBeGreaterThan(1)
    expect(rotated.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(150_000)
  })

  it('is not there after a signal', async () => {
    const run = folder.start(['-e', '{ id: d }', '-', '-o', 'never.parquet', '--progress', 'json'])
    run.child.stdin.write('1\n2\n')
    await run.said('{')
    run.child.kill('SIGTERM')
    expect(await run.end()).toMatchObject({ signal: 'SIGTERM', stdout: '' })
    expect(readdirSync(folder.path).filter((name) => name.startsWith('never'))).toEqual([])
  })

  it('refuses an input as its output', async () => {
    folder.write('same.parquet', 'text')
    const { code, stderr } = await folder.run(['-i', 'lines', 'same.parquet', '-o', 'same.parquet'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('same.parquet')])
    expect(readFileSync(folder.at('same.parquet'), 'utf8')).toBe('text')
  })
})

describe('-t parquet', () => {
  it('goes to a pipe, of small files and of large ones', async () => {
    for (const [name, count] of [
      ['in.csv', 3],
      ['big.csv', 150_000],
    ] as const) {
      const child = spawn(process.execPath, [PROGRAM, ...TYPED, name, '-t', 'parquet'], { cwd: folder.path })
      const chunks: Buffer[] = []
      for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
      const file = await readParquet(Buffer.concat(chunks))
      expect([file.rows.length, typesOf(file)]).toEqual([count, { id: 'DOUBLE', name: 'UTF8' }])
    }
  })

  it('ends quietly when its reader leaves', async () => {
    const line = `{ millrace in.csv big.csv -t parquet; echo "code $?" >&2; } | head -c 4`
    expect(await folder.shell(line)).toEqual({ code: 0, signal: null, stdout: 'PAR1', stderr: 'code 0\n' })
  })

  it('does not go to a terminal', async () => {
    const shown = await folder.terminal(`millrace in.csv -t parquet; echo "code $?"`)
    expect(shown.replaceAll('\r', '')).toBe(
      'millrace: Parquet is not text, and cannot go to a terminal: add -o FILE, or pipe it on\ncode 2\n',
    )
  })

  it('is text in a trial', async () => {
    const { code, stdout, stderr } = await folder.run(['in.csv', '-t', 'parquet', '--dry-run', '--head', '1'])
    expect([code, stdout]).toEqual([0, '{"id":"1","name":"Ann"}\n'])
    expect(stderr).toMatch(/^output +stdout as parquet$/m)
  })
})

describe('without the package', () => {
  const hide = (): string =>
    folder.write(
      'hide.cjs',
      `const Module = require('node:module')
      const resolve = Module._resolveFilename
      Module._resolveFilename = function (request, ...rest) {
        if (request === 'hyparquet-writer') throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' })
        return resolve.call(this, request, ...rest)
      }`,
    )

  it('says what to install, before it reads anything', async () => {
    const line = `'${process.execPath}' --require '${hide()}' '${PROGRAM}' in.csv -o x.parquet`
    expect(await folder.shell(line)).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr:
        "millrace: Cannot load the package 'hyparquet-writer', which writes Parquet, as it is not installed: npm install hyparquet-writer\n",
    })
    expect(readdirSync(folder.path).filter((name) => name.startsWith('x.'))).toEqual([])
  })
})
