/** parquet() with workers: threads and processes read the row groups, and run the stages over their rows. */
import { readFileSync } from 'node:fs'
import {
  failure,
  filter,
  flatMap,
  imap,
  imapUnordered,
  parquet,
  pipe,
  Pool,
  reduce,
  rejects,
  replay,
  sample,
  write,
} from 'millrace'
import { idOf, noEven, sumIds, twice, withPlace, type Row } from '../fixtures/rows.js'
import { ParquetFolder } from '../support/parquet-files.js'

const folder = new ParquetFolder()
const pool = new Pool({ workers: 2, name: 'rows' })
const processes = new Pool({ workers: 2, name: 'rows-apart', isolation: 'process' })
afterAll(async () => {
  await pool.terminate()
  await processes.terminate()
})

const COUNT = 30_000
const path = folder.numbered('a.parquet', COUNT, 4_000)
const small = folder.numbered('small.parquet', 1_000, 10)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of source) all.push(value)
  return all
}

describe.each([
  ['threads', pool],
  ['processes', processes],
])('parquet() with %s', (_name, workers) => {
  it('gives all rows in order, and their places', async () => {
    const seen = await collect(workers.imap(withPlace, parquet<Row>([path, small, path])))
    const expected = [path, small, path].flatMap((file) =>
      upTo(file === small ? 1_000 : COUNT).map((id) => [id, file, id + 1] as const),
    )
    expect(seen).toHaveLength(expected.length)
    expect(
      seen.every(([id, file, record, index], at) => {
        const [wantedId, wantedFile, wantedRecord] = expected[at] ?? []
        return id === wantedId && file === wantedFile && record === wantedRecord && index === at
      }),
    ).toBe(true)
  })

  it('gives a failed row, and those around it', async () => {
    const outcomes = await collect(workers.imap(noEven, parquet<Row>(small, { columns: ['id'] }), { errors: 'settle' }))
    expect(outcomes).toHaveLength(1_000)
    expect(outcomes[4]).toMatchObject({ status: 'rejected', item: { id: 4 }, index: 4 })
    expect(outcomes[5]).toMatchObject({ status: 'fulfilled', value: 5 })
    const error: unknown = await collect(workers.imap(noEven, parquet<Row>(path))).catch((thrown: unknown) => thrown)
    expect(failure(error)).toMatchObject({ file: path, record: 1, item: { id: 0, text: 'row 0' } })
  })
})

describe('parquet() with workers', () => {
  it('goes through every kind of stage', async () => {
    expect(await collect(filter(twice, parquet<Row>(small)))).toHaveLength(500)
    expect(await collect(flatMap(idOf, parquet<Row>(small)))).toHaveLength(1_000)
    const add = (one: number, other: number): number => one + other
    expect(await reduce(sumIds, parquet<Row>(path), { initial: 0, merge: add })).toBe((COUNT * (COUNT - 1)) / 2)
    const unordered = await collect(imapUnordered(withPlace, parquet<Row>(path)))
    expect(unordered.map(([id]) => id).sort((a, b) => a - b)).toEqual(upTo(COUNT))
    const half = await collect(imap(withPlace, sample(0.01, parquet<Row>(path), { seed: 1 })))
    expect(half.every(([id, , record]) => record === id + 1)).toBe(true)
    expect(half.length).toBeGreaterThan(100)
  })

  it.each([{ window: 7 }, { chunksize: 100 }, { chunksize: 3, window: 6 }, { retries: 1 }, { concurrency: 3 }])(
    'gives the same with %p',
    async (options) => {
      const seen = await collect(pool.imap(withPlace, parquet<Row>(small), options))
      expect(seen.map(([id]) => id)).toEqual(upTo(1_000))
    },
  )

  it('ends at once when it is left', async () => {
    expect(await pool.imap(withPlace, parquet<Row>(path)).take(3).toArray()).toHaveLength(3)
  })

  it('writes failed rows to a file, which gives them again', async () => {
    const bad = folder.at('bad.ndjson')
    const result = await pipe(
      parquet<Row>(small),
      imap(noEven, { errors: rejects(bad) }),
      write(folder.at('odd.ndjson')),
    )
    expect(result).toMatchObject({ read: 1_000, written: 500, rejected: 500 })
    const [first = ''] = readFileSync(bad, 'utf8').split('\n')
    expect(JSON.parse(first)).toMatchObject({ file: small, record: 1, item: { id: 0, text: 'row 0' } })
    expect((await collect(replay(bad)))[1]).toEqual({ id: 2, text: 'row 2' })
  })

  it('reports a damaged row group as failed rows', async () => {
    const bytes = readFileSync(path)
    // Within the first column of the second row group.
    bytes.fill(0xff, Math.floor(bytes.length / 4), Math.floor(bytes.length / 4) + 64)
    const damaged = folder.bytes('damaged.parquet', bytes)
    const outcomes = await collect(pool.imap(withPlace, parquet<Row>(damaged), { errors: 'settle' }))
    expect(outcomes).toHaveLength(COUNT)
    const failed = outcomes.filter(({ status }) => status === 'rejected')
    expect(failed).toHaveLength(4_000)
    expect(failed[0]).toMatchObject({ reason: { code: 'ERR_PARQUET', file: damaged } })
  })

  it('sends the rows themselves where a worker cannot read files', async () => {
    const seen = await collect(pool.imap(withPlace, parquet<Row>(small), { transfer: () => [] }))
    expect(seen.map(([id]) => id)).toEqual(upTo(1_000))
  })
})
