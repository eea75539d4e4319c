/** parquet(): which files it reads, in which order, and what it refuses. On this thread: workers are in parquet.slow.test.ts. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { batch, failure, files, imap, parquet, pipe, sample, write, type ParquetSource } from 'millrace'
import { bytesOf, ParquetFolder } from '../support/parquet-files.js'
import { isFull } from '../support/volume.js'

const folder = new ParquetFolder()

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of source) all.push(value)
  return all
}

const idsOf = async (source: AsyncIterable<unknown>) => (await collect(source)).map((row) => (row as { id: number }).id)
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)

const path = folder.numbered('a.parquet', 10, 4)

describe('parquet() reads', () => {
  it('a path, a URL, an array and files(), in order', async () => {
    const empty = folder.file('empty.parquet', [{ name: 'id', data: [], type: 'INT32' }])
    mkdirSync(folder.at('more'))
    folder.numbered('more/b.parquet', 3, 2)
    const sources: [ParquetSource | ParquetSource[], number[]][] = [
      [path, upTo(10)],
      [pathToFileURL(path), upTo(10)],
      [
        [path, empty, pathToFileURL(path)],
        [...upTo(10), ...upTo(10)],
      ],
      [
        [files(`${folder.path}/{a,more/b}.parquet`), path],
        [...upTo(10), ...upTo(3), ...upTo(10)],
      ],
      [empty, []],
      [[], []],
    ]
    for (const [source, expected] of sources) expect(await idsOf(parquet(source))).toEqual(expected)
  })

  it('the columns that are asked for, in their order', async () => {
    const [row] = await collect(parquet(path, { columns: ['text', 'id'] }))
    expect(JSON.stringify(row)).toBe('{"text":"row 0","id":0}')
    expect(await collect(parquet(path, { columns: ['text'] }))).toHaveLength(10)
  })

  it('rows for a stage on this thread, which knows their places', async () => {
    const seen = await collect(
      imap(
        (row: unknown, { file, record, index }) => [(row as { id: number }).id, file, record, index],
        parquet([path, path]),
        {
          workers: 0,
        },
      ),
    )
    expect(seen).toEqual([...upTo(10), ...upTo(10)].map((id, index) => [id, path, id + 1, index]))
  })

  it('for batch(), sample() and write()', async () => {
    expect((await collect(pipe(parquet(path), batch(4)))).map((rows) => rows.length)).toEqual([4, 4, 2])
    const half = await idsOf(sample(0.5, parquet(path), { seed: 3 }))
    expect(half).toEqual(await idsOf(sample(0.5, parquet(path), { seed: 3 })))
    expect(half.length).toBeLessThan(10)
    const result = await pipe(parquet(path, { columns: ['id'] }), write(folder.at('ids.ndjson')))
    expect(result).toMatchObject({ read: 10, written: 10 })
  })

  it('and counts bytes', async () => {
    const rows = parquet([path, path])
    expect(rows.bytes.read).toBe(0)
    await rows.next()
    const { size } = await import('node:fs/promises').then(({ stat }) => stat(path))
    for await (const _ of rows);
    expect(rows.bytes).toEqual({ read: 2 * size, total: 2 * size })
  })

  it('until it is left', async () => {
    const rows = parquet(path)
    expect(await rows.next()).toMatchObject({ value: { id: 0 } })
    await rows.return()
    expect(await rows.next()).toEqual({ done: true, value: undefined })
    expect(() => rows[Symbol.asyncIterator]()).toThrow('parquet() can be read once')
  })
})

describe('parquet() refuses', () => {
  it('what has no places, at the call', () => {
    const sources: unknown[] = [
      Readable.from([]),
      [Buffer.from('PAR1')],
      'https://example.com/a.parquet',
      [path, new URL('http://example.com/a.parquet')],
    ]
    for (const source of sources) {
      expect(() => parquet(source as string)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_SOURCE',
          message: expect.stringContaining('since Parquet is read at many places of a file') as string,
        }) as Error,
      )
    }
    expect(() => parquet(path, { columns: [] })).toThrow(/'columns' must be an array of different names, at least one/)
    expect(() => parquet(path, { column: ['id'] } as object)).toThrow(/'column'/)
  })

  const bytes = bytesOf([{ name: 'id', data: [1], type: 'INT32' }])
  const at = (end: string) => Buffer.concat([bytes.subarray(0, -4), Buffer.from(end)])

  it.each<[string, Uint8Array | string, string, string]>([
    ['an empty file', '', 'ERR_INPUT_FORMAT', 'it is empty'],
    ['text', 'id\n1\n', 'ERR_INPUT_FORMAT', "it must begin with 'PAR1'"],
    ['a file that is compressed as a whole', gzipSync(bytes), 'ERR_INPUT_FORMAT', 'decompress it by gunzip'],
    ['a file of the first bytes', bytes.subarray(0, 4), 'ERR_DAMAGED_INPUT', 'no footer: it is cut'],
    ['a file that is cut', bytes.subarray(0, -1), 'ERR_DAMAGED_INPUT', "it does not end with 'PAR1'"],
    [
      'an encrypted file',
      Buffer.concat([Buffer.from('PARE'), bytes.subarray(4)]),
      'ERR_INPUT_FORMAT',
      'it is encrypted',
    ],
    ['an encrypted footer', at('PARE'), 'ERR_INPUT_FORMAT', 'its footer is encrypted'],
    [
      'a footer that would be longer than the file',
      Buffer.concat([bytes.subarray(0, -8), Buffer.from([255, 255, 255, 127]), Buffer.from('PAR1')]),
      'ERR_DAMAGED_INPUT',
      'its footer would have 2147483647 bytes',
    ],
    [
      'a footer of zeros',
      Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(20), Buffer.from([20, 0, 0, 0]), Buffer.from('PAR1')]),
      'ERR_DAMAGED_INPUT',
      'its footer cannot be read',
    ],
  ])('%s', async (_, content, code, text) => {
    const wrong = folder.bytes('wrong.parquet', content)
    const error: unknown = await collect(parquet([path, wrong])).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, path: wrong, message: expect.stringContaining(text) as string })
    expect(String(error)).toContain(`'${wrong}'`)
  })

  it('a file that is not there, and a folder', async () => {
    await expect(collect(parquet(folder.at('none.parquet')))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(collect(parquet(folder.path))).rejects.toMatchObject({ code: 'ERR_INVALID_SOURCE' })
  })

  it('a column that is not there, with those that are', async () => {
    await expect(collect(parquet(path, { columns: ['ID'] }))).rejects.toMatchObject({
      code: 'ERR_INPUT_COLUMN',
      message: `Cannot read '${path}' as Parquet as it has no column 'ID': did you mean 'id'? (it has 'id', 'text')`,
    })
  })

  it('a run that goes on', async () => {
    const run = pipe(parquet(path), write(folder.at('resumed.ndjson'), { resume: true }))
    await expect(run).rejects.toMatchObject({ code: 'ERR_NOT_RESUMABLE' })
  })

  it('rows of a row group that is damaged, and not the others', async () => {
    const whole = bytesOf(
      [{ name: 'id', data: upTo(10), type: 'INT32', encoding: 'PLAIN', codec: 'UNCOMPRESSED' } as never],
      4,
    )
    // The header of the first page of the second row group.
    const first = whole.indexOf(Buffer.from(Int32Array.of(4, 5, 6, 7).buffer))
    whole.fill(0xff, first - 12, first - 8)
    const damaged = folder.bytes('damaged.parquet', whole)
    const errors: unknown[] = []
    const ids = await collect(
      imap((row: unknown) => (row as { id: number }).id, parquet(damaged), { workers: 0, errors: 'settle' }),
    )
    for (const outcome of ids) if (outcome.status === 'rejected') errors.push(outcome.reason)
    expect(ids.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))).toEqual([0, 1, 2, 3, 8, 9])
    expect(errors).toHaveLength(4)
    expect(errors[0]).toMatchObject({ code: 'ERR_PARQUET', file: damaged, record: 5 })
    expect(failure(errors[3])).toMatchObject({ index: 7, record: 8, file: damaged })
  })
})

describe('parquet() of any bytes', () => {
  const columns = [
    { name: 'id', data: upTo(60), type: 'INT32' as const },
    { name: 'big', data: upTo(60).map(BigInt), type: 'INT64' as const },
    {
      name: 'text',
      data: upTo(60).map((id) => (id % 7 === 0 ? null : `text ${id % 5}`)),
      type: 'STRING' as const,
      nullable: true,
    },
    { name: 'list', data: upTo(60).map((id) => ({ a: [id] })), type: 'JSON' as const },
  ]
  const whole = bytesOf(columns, 25)

  /** As many rows as there were, or an error of this library. */
  async function expectRowsOrError(bytes: Uint8Array): Promise<void> {
    const wrong = folder.bytes('any.parquet', bytes)
    try {
      const rows = await collect(parquet(wrong))
      expect(rows).toHaveLength(60)
    } catch (error) {
      expect((error as { code?: unknown }).code).toMatch(/^ERR_(?:PARQUET|INPUT_FORMAT|DAMAGED_INPUT)$/)
      expect(String(error)).toContain(wrong)
    }
  }

  it('gives an error where it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (end) => {
        await expectRowsOrError(whole.subarray(0, end))
      }),
    )
  })

  it('gives rows or an error where bytes are changed', async () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const changed = Buffer.from(whole)
        for (const [place, byte] of changes) changed[place] = byte
        await expectRowsOrError(changed)
      }),
      { numRuns: isFull ? 3_000 : 100 },
    )
  })

  it('notices a file that is written again', async () => {
    const changing = folder.numbered('changing.parquet', 8, 4)
    const rows = parquet(changing)
    await rows.next()
    writeFileSync(changing, bytesOf(columns))
    await expect(collect(rows)).rejects.toMatchObject({
      code: 'ERR_PARQUET',
      message: expect.stringContaining('the file has changed since its footer was read') as string,
    })
  })
})
