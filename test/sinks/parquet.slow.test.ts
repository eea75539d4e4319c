/** Parquet files of workers: the same bytes as on this thread. And what another reader than that of the tests makes of them. */
import { readFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { imapUnordered, pipe, Pool, rejects, write } from 'millrace'
import * as tasks from '../fixtures/sinks.js'
import { readParquet } from '../support/parquet.js'
import { runNode } from '../support/programs.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const pools = [new Pool({ workers: 1 }), new Pool({ workers: 3 }), new Pool({ workers: 2, isolation: 'process' })]
watchRejections()
afterAll(() => Promise.all(pools.map((pool) => pool.terminate())))

const items = Array.from({ length: 3000 }, (_, n) => ({
  n,
  text: `ż ${n % 40}`,
  big: BigInt(n) ** 5n,
  at: new Date(n * 1e9),
  yes: n % 2 === 0,
  list: n % 3 === 0 ? null : [n, { n }],
  bytes: Uint8Array.of(n % 256),
  // Only the second and the third row group have values.
  late: n < 1500 ? null : n,
}))
const rowGroup = 1000

async function bytesOf(source: Iterable<unknown> | AsyncIterable<unknown>): Promise<Buffer> {
  await pipe(source, write(folder.at('a.parquet'), { rowGroup }))
  return readFileSync(folder.at('a.parquet'))
}

describe('a Parquet file of workers', () => {
  it('has the same bytes from any workers, with any chunksize', async () => {
    const expected = await bytesOf(items)
    for (const pool of pools) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        const all = await bytesOf(pool.imap(tasks.same, items as unknown[], { chunksize }))
        expect(all.equals(expected)).toBe(true)
      }
    }
  })

  it('has the same bytes where keys come and go, and items fail', async () => {
    const few = items.slice(0, 500)
    const wandering = await bytesOf(few.map(({ n }) => tasks.wanders({ n })))
    const even = await bytesOf(few.filter(({ n }) => n % 7 !== 6))
    for (const pool of pools) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        expect((await bytesOf(pool.imap(tasks.wanders, few, { chunksize }))).equals(wandering)).toBe(true)
        const failing = pool.imap(tasks.oddAtSevens, few, { chunksize, errors: rejects(folder.at('bad.ndjson')) })
        expect((await bytesOf(failing)).equals(even)).toBe(true)
        await expect(bytesOf(pool.imap(tasks.oddAtSevens, few, { chunksize }))).rejects.toMatchObject({
          code: 'ERR_OUTPUT_FORMAT',
          message: expect.stringMatching(
            /^Cannot write item 6 as parquet as it has a key .*: received 'bad'/,
          ) as string,
        })
      }
    }
  })

  it('has each record once from an unordered stream', async () => {
    await pipe(items, imapUnordered(tasks.same), write(folder.at('a.parquet'), { rowGroup }))
    const { rows } = await readParquet(folder.at('a.parquet'))
    expect(rows.map(([n]) => n as number).sort((a, b) => a - b)).toEqual(items.map(({ n }) => n))
  })
})

it('is read by DuckDB as it was written', async () => {
  await bytesOf(items)
  const connection = await (await DuckDBInstance.create()).connect()
  const rows = async (sql: string): Promise<unknown[][]> =>
    (await connection.runAndReadAll(sql.replace('FILE', `'${folder.at('a.parquet')}'`))).getRowsJson()
  const types = await rows('select column_name, column_type from (describe from FILE)')
  expect(types).toEqual([
    ['n', 'DOUBLE'],
    ['text', 'VARCHAR'],
    ['big', 'BIGINT'],
    ['at', 'TIMESTAMP WITH TIME ZONE'],
    ['yes', 'BOOLEAN'],
    ['list', 'JSON'],
    ['bytes', 'BLOB'],
    ['late', 'DOUBLE'],
  ])
  expect(
    await rows('select count(*), sum(n), count(distinct text), sum(yes::int), count(list), sum(late) from FILE'),
  ).toEqual([['3000', 4498500, '40', '1500', '2000', 3374250]])
  expect(await rows('select big, epoch_ms("at"), list, hex(bytes), text from FILE where n = 2000')).toEqual([
    [String(2000n ** 5n), String(2000 * 1e9), '[2000,{"n":2000}]', 'D0', 'ż 0'],
  ])
  expect(await rows("select count(*) from FILE where text = 'ż 39' and late > 1500")).toEqual([['38']])
  connection.closeSync()
})

it('needs a package, and says so before anything is read', async () => {
  const program = `
    import Module from 'node:module'
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (request, ...rest) {
      if (request === 'hyparquet-writer') throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' })
      return resolve.call(this, request, ...rest)
    }
    const { write } = await import(${JSON.stringify(import.meta.resolve('millrace'))})
    try {
      write('a.parquet')
    } catch (error) {
      console.log(error.code, error.message)
    }`
  const { stdout, stderr } = await runNode(['--input-type=module', '--eval', program])
  expect(stderr).toBe('')
  expect(stdout).toBe(
    "ERR_MISSING_PACKAGE Cannot load the package 'hyparquet-writer', which writes Parquet, as it is not installed: npm install hyparquet-writer\n",
  )
})
