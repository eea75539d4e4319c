/** Parquet files: their columns and types, and which records fit. What is written is read by another package. */
import { readFileSync, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { csv, failure, files, flatMap, imap, pipe, rejects, write, type ColumnType, type WriteOptions } from 'millrace'
import { readParquet, typesOf, type ParquetFile } from '../support/parquet.js'
import { useFolder } from './folder.js'

const folder = useFolder()

async function written(records: Iterable<unknown>, options: WriteOptions = {}): Promise<ParquetFile> {
  await write(folder.at('a.parquet'), options)(records)
  return await readParquet(folder.at('a.parquet'))
}

/** The error of records that cannot be written. */
async function refused(records: Iterable<unknown>, options: WriteOptions = {}): Promise<Error> {
  try {
    await written(records, options)
  } catch (error) {
    expect(error).toMatchObject({ name: 'OutputError', code: 'ERR_OUTPUT_FORMAT' })
    expect(folder.files()).toEqual([])
    return error as Error
  }
  throw new Error('It was written')
}

describe('a Parquet file', () => {
  it('has a column for each key, whose type is that of its values', async () => {
    const at = new Date('2026-11-30T17:40:00.123Z')
    const file = await written([
      {
        text: 'Łódź \u{1f600}',
        number: 7,
        big: 2n ** 63n - 1n,
        yes: true,
        at,
        bytes: Uint8Array.of(0, 255),
        list: [1, 'a', null],
        object: { a: { b: [] } },
      },
      {
        text: '',
        number: 1.5,
        big: -(2n ** 63n),
        yes: false,
        at: new Date(-1),
        bytes: Buffer.from(''),
        list: [],
        object: {},
      },
    ])
    expect(file.rows).toEqual([
      ['Łódź \u{1f600}', 7, 2n ** 63n - 1n, true, at, Uint8Array.of(0, 255), [1, 'a', null], { a: { b: [] } }],
      ['', 1.5, -(2n ** 63n), false, new Date(-1), new Uint8Array(0), [], {}],
    ])
    expect(typesOf(file)).toEqual({
      text: 'UTF8',
      number: 'DOUBLE',
      big: 'INT64',
      yes: 'BOOLEAN',
      at: 'TIMESTAMP_MILLIS',
      bytes: 'BYTE_ARRAY',
      list: 'JSON',
      object: 'JSON',
    })
    expect(file.schema[4]).toMatchObject({ logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } })
    expect(file.metadata.created_by).toMatch(/^millrace version \d/)
  })

  it('keeps each number, where whole ones come first, and both zeros', async () => {
    const zeros = Array.from({ length: 40 }, (_, n) => (n % 7 === 3 ? -0 : 0))
    const numbers = [1, 2, 3, 0.1, NaN, -Infinity, 2 ** 53, 5e-324, ...zeros]
    const { rows } = await written(
      numbers.map((n) => ({ n })),
      { rowGroup: 20 },
    )
    expect(rows.map(([n]) => n)).toEqual(numbers)
  })

  it('has null for what is missing, null or undefined, also what all objects inherit', async () => {
    const { rows } = await written([
      { a: 1, b: 'x', constructor: 'c' },
      { b: 'y' },
      { b: null, a: undefined },
      Object.assign(Object.create(null), { a: 2 }) as object,
    ])
    expect(rows).toEqual([
      [1, 'x', 'c'],
      [null, 'y', null],
      [null, null, null],
      [2, null, null],
    ])
    const given = await written([{ a: 1 }, { valueOf: 'v' }], { columns: ['valueOf', 'a'] })
    expect(given.rows).toEqual([
      [null, 1],
      ['v', null],
    ])
  })

  it('has the columns of the first record, in whatever order the keys of the others are', async () => {
    const { schema, rows } = await written([{ a: 1, b: [2] }, { b: [3], a: 4 }, { a: 5 }, { b: [6] }])
    expect(schema.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(rows).toEqual([
      [1, [2]],
      [4, [3]],
      [5, null],
      [null, [6]],
    ])
  })

  it('gives a column its type when its first value comes, row groups later', async () => {
    const late: Record<string, unknown> = {
      text: 'x',
      number: 0.5,
      big: 5n,
      yes: true,
      at: new Date(0),
      bytes: Uint8Array.of(1),
      json: { a: 1 },
    }
    const names = Object.keys(late)
    const before = Array.from({ length: 40 }, () => ({
      ...Object.fromEntries(names.map((name) => [name, null])),
      never: null,
    }))
    const file = await written([...before, late, late], { rowGroup: 20 })
    expect(file.groups).toEqual([20, 20, 2])
    expect(Object.values(typesOf(file))).toEqual([
      'UTF8',
      'DOUBLE',
      'INT64',
      'BOOLEAN',
      'TIMESTAMP_MILLIS',
      'BYTE_ARRAY',
      'JSON',
      'UTF8',
    ])
    expect(
      file.rows
        .slice(0, 40)
        .flat()
        .every((value) => value === null),
    ).toBe(true)
    // As the footer says it twice, of all chunks and of each.
    for (const { columns } of file.metadata.row_groups)
      expect(columns.map(({ meta_data }) => meta_data?.type)).toEqual(file.schema.map(({ type }) => type))
    const values = [...Object.values(late), null]
    expect(file.rows.slice(40)).toEqual([values, values])
  })

  it('has the types that are given, which also name columns', async () => {
    const types = { a: 'int32', b: 'int64', c: 'json', d: 'timestamp', e: 'string' } as const
    const file = await written(
      [{ a: -5, b: 2 ** 40, c: 'text' }, { a: null, b: 7n, c: 1.5 }, { c: new Date(0) }, { c: {} }],
      { types },
    )
    expect(typesOf(file)).toEqual({ a: 'INT32', b: 'INT64', c: 'JSON', d: 'TIMESTAMP_MILLIS', e: 'UTF8' })
    expect(file.rows).toEqual([
      [-5, 2n ** 40n, 'text', null, null],
      [null, 7n, 1.5, null, null],
      [null, null, '1970-01-01T00:00:00.000Z', null, null],
      [null, null, {}, null, null],
    ])
  })

  it('has the columns that are given, and leaves other keys out', async () => {
    const file = await written([{ a: 1, b: 2, x: () => 0 }, { c: 3 }], { columns: ['c', 'a'], types: { c: 'int32' } })
    expect(typesOf(file)).toEqual({ c: 'INT32', a: 'DOUBLE' })
    expect(file.rows).toEqual([
      [null, 1],
      [3, null],
    ])
  })

  it('is there without records: with the columns that are given, or without any', async () => {
    const file = await written([], { columns: ['a', 'b'], types: { b: 'double' } })
    expect([typesOf(file), file.rows]).toEqual([{ a: 'UTF8', b: 'DOUBLE' }, []])
    expect(typesOf(await written([], { types: { b: 'boolean' } }))).toEqual({ b: 'BOOLEAN' })
    expect((await written([])).schema).toEqual([])
  })

  it('has text and bytes of any length', async () => {
    const long = [0, 1, 39, 40, 41, 1000, 70_000, 300_000].map((n) => 'ż'.repeat(n))
    const { rows } = await written(long.map((text) => ({ text, bytes: Buffer.from(text), json: [text] })))
    expect(rows.map(([text]) => text)).toEqual(long)
    expect(rows.map(([, bytes]) => Buffer.from(bytes as Uint8Array).toString())).toEqual(long)
    expect(rows.map(([, , json]) => json)).toEqual(long.map((text) => [text]))
  })

  it('has half a surrogate pair as every output has it', async () => {
    const { rows } = await written([{ a: 'x\ud800y', b: `${'z'.repeat(50)}\udc00` }])
    expect(rows).toEqual([['x\ufffdy', `${'z'.repeat(50)}\ufffd`]])
  })

  it('ends a row group after so many rows', async () => {
    const records = Array.from({ length: 25 }, (_, n) => ({ n }))
    expect((await written(records, { rowGroup: 10 })).groups).toEqual([10, 10, 5])
    expect((await written(records, { rowGroup: 25 })).groups).toEqual([25])
    expect((await written(records)).groups).toEqual([25])
  })
})

const absent: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant(undefined) },
)
/** Values of one column: all of one type, or null. */
const columnValues = fc.constantFrom<fc.Arbitrary<unknown>>(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('DE', 'PL', 'FR'),
  fc.double(),
  fc.constantFrom(0, -0, 1, NaN),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.oneof(fc.array(fc.integer()), fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true })),
)
const tables = fc
  .uniqueArray(fc.tuple(fc.string(), columnValues), { selector: ([name]) => name, minLength: 1, maxLength: 5 })
  .chain((columns) =>
    fc.record({
      names: fc.constant(columns.map(([name]) => name)),
      rows: fc.array(fc.tuple(...columns.map(([, own]) => fc.oneof(absent, { weight: 6, arbitrary: own }))), {
        minLength: 1,
        maxLength: 60,
      }),
      rowGroup: fc.integer({ min: 1, max: 30 }),
    }),
  )

describe('any records', () => {
  it('are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ names, rows, rowGroup }) => {
        const records = rows.map((row) => recordOf(names, row))
        const file = await written(records, { rowGroup })
        // The keys of an object that are numbers come first.
        const keys = Object.keys(records[0] ?? {})
        expect(file.schema.map(({ name }) => name)).toEqual(keys)
        const places = keys.map((key) => names.indexOf(key))
        const expected = rows.map((row) =>
          places
            .map((place) => row[place])
            .map((one) => (one instanceof Uint8Array ? new Uint8Array(one) : (one ?? null))),
        )
        expect(
          file.rows.map((row) => row.map((one) => (one instanceof Uint8Array ? new Uint8Array(one) : one))),
        ).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('have the same bytes whether or not they come through stages, in pieces, with their keys in any order', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 1, max: 9 }), async ({ names, rows, rowGroup }, chunksize) => {
        const records = rows.map((row) => recordOf(names, row))
        await write(folder.at('a.parquet'), { rowGroup })(records)
        const first = records[0] ?? {}
        const turned = records.map((record) => Object.fromEntries(Object.entries(record).reverse()))
        await pipe(
          [first, ...turned.slice(1)],
          imap((record: object) => record, { workers: 0, chunksize }),
          write(folder.at('b.parquet'), { rowGroup }),
        )
        expect(readFileSync(folder.at('b.parquet')).equals(readFileSync(folder.at('a.parquet')))).toBe(true)
      }),
      { numRuns: 40 },
    )
  })
})

function recordOf(names: readonly string[], row: readonly unknown[]): object {
  // A name may be `__proto__`.
  return Object.fromEntries(names.map((name, place) => [name, row[place]]))
}

describe('a record that does not fit', () => {
  const others: readonly (readonly [name: string, first: unknown, value: unknown, text: string])[] = [
    [
      'text',
      'a',
      5,
      "must be a string or null, as those before: received 5 (convert it in the task, or pass types: { 'v': 'json' })",
    ],
    ['a number', 1.5, '5', "must be a number or null, as those before: received '5'"],
    ['a bigint', 1n, 5, 'must be a bigint of 64 bits, a safe integer or null, as those before: received 5'],
    ['a boolean', true, 1, 'must be a boolean or null, as those before: received 1'],
    ['a date', new Date(0), 'today', "must be a valid Date or null, as those before: received 'today'"],
    [
      'bytes',
      Uint8Array.of(1),
      new Date(0),
      'must be a Uint8Array or null, as those before: received 1970-01-01T00:00:00.000Z (a Date)',
    ],
    ['an object', {}, 'x', "must be plain data or null, as those before: received 'x'"],
    ['a number after null', undefined, { a: 1 }, ''],
  ]
  it.each(others)('has another type in a column: %s', async (_, first, second, text) => {
    const values = [null, first, null, first, second]
    if (text === '') {
      expect((await written(values.map((v) => ({ v })))).rows.at(-1)).toEqual([second])
      return
    }
    for (const options of [{}, { rowGroup: 2 }]) {
      const { message } = await refused(
        values.map((v) => ({ w: 1, v })),
        options,
      )
      expect(message).toContain(`Cannot write item 4 as parquet as its field 'v' ${text}`)
    }
  })

  const never: readonly (readonly [name: string, value: unknown, text: string])[] = [
    [
      'a function',
      () => 0,
      'must be a string, number, boolean, bigint of 64 bits, valid Date, Uint8Array, plain data or null: received',
    ],
    ['a symbol', Symbol('s'), 'received Symbol(s)'],
    ['an invalid date', new Date(NaN), 'received Invalid Date'],
    ['a bigint that is too long', 2n ** 63n, 'received 9223372036854775808n'],
    ['an array of numbers of 32 bits', new Float32Array(1), 'received Float32Array'],
    [
      'JSON with a bigint',
      { a: 1n },
      "JSON.stringify() of its field 'v' threw 'Do not know how to serialize a BigInt'",
    ],
    [
      'an object that JSON does not know',
      { toJSON: () => undefined },
      "JSON has no such value as that of its field 'v'",
    ],
  ]
  it.each(never)('has what no column can have: %s', async (_, given, text) => {
    expect((await refused([{ v: null }, { v: given }])).message).toContain(text)
    expect((await refused([{ v: given }])).message).toMatch(/^Cannot write item 0 as parquet as /)
  })

  it.each([5, 'x', null, undefined, [1, 2]])('is no object: %p', async (given) => {
    expect((await refused([given])).message).toContain('it must be an object: received')
  })

  it('has a key that the first record does not have', async () => {
    const text =
      "it has a key that the first record does not have: received 'b' (pass all columns, as in columns: ['a', 'b'])"
    expect((await refused([{ a: 1 }, { a: 1, b: 2 }])).message).toContain(text)
    expect((await refused([{}])).message).toContain('the first record must have keys')
  })

  const given: readonly (readonly [type: ColumnType, value: unknown, text: string])[] = [
    ['int32', 1.5, 'must be an integer of 32 bits or null: received 1.5'],
    ['int32', 2 ** 31, 'must be an integer of 32 bits or null: received 2147483648'],
    ['int64', 2 ** 53, 'must be a bigint of 64 bits, a safe integer or null: received 9007199254740992'],
    ['double', 1n, 'must be a number or null: received 1n'],
    ['json', 1n, "JSON.stringify() of its field 'v' threw"],
    ['json', () => 0, "JSON has no such value as that of its field 'v'"],
  ]
  it.each(given)('has another type than %s: %p', async (type, one, text) => {
    const { message } = await refused([{ v: one }], { types: { v: type } })
    expect(message).toContain(text)
    expect(message).toMatch(/\(change it in the task, or change 'types'\)$/)
  })

  it('is left out, or rejected, as the option errors says, and decides nothing', async () => {
    // The second record would make `b` a number, if it fitted.
    const records = [
      { b: null, a: 1 },
      { b: 5, a: 'x' },
      { a: 2, b: 'y' },
      { a: 3, c: 1 },
      { a: 4, b: () => 0 },
      { a: 5 },
    ]
    for (const errors of ['skip', rejects(folder.at('bad.ndjson'))] as const) {
      const stream = imap((record: object) => record, records, { workers: 0, errors })
      const result = await pipe(stream, write(folder.at('a.parquet')))
      expect([result.written, result.skipped + result.rejected]).toEqual([3, 3])
      expect((await readParquet(folder.at('a.parquet'))).rows).toEqual([
        [null, 1],
        ['y', 2],
        [null, 5],
      ])
    }
    const bad = folder.read('bad.ndjson').trim().split('\n')
    expect(bad.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual([1, 3, 4])
  })

  it('takes the other results of its item with it', async () => {
    const stream = flatMap((n: number) => [{ n }, { n: n === 1 ? 'x' : -n }], [0, 1, 2], { workers: 0, errors: 'skip' })
    await pipe(stream, write(folder.at('a.parquet')))
    expect((await readParquet(folder.at('a.parquet'))).rows).toEqual([[0], [-0], [2], [-2]])
  })

  it('is named with its file and record', async () => {
    writeFileSync(folder.at('in.csv'), 'n\n1\nx\n')
    const mixed = ({ n }: { n: string }): object => ({ n: n === 'x' ? n : Number(n) })
    const writing = pipe(
      csv<{ n: string }>(folder.at('in.csv')),
      imap(mixed, { workers: 0 }),
      write(folder.at('a.parquet')),
    )
    const error = await writing.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(failure(error)).toMatchObject({ file: folder.at('in.csv'), record: 2 })
    expect(folder.files()).toEqual(['in.csv'])
  })
})

describe('several Parquet files', () => {
  it('are one for each partition, with the same columns', async () => {
    const visits = Array.from({ length: 30 }, (_, n) => ({
      n,
      country: n % 3 === 0 ? 'PL' : 'DE',
      note: n < 29 ? null : true,
    }))
    const { files: all } = await write(folder.at('out'), { partition: 'country', format: 'parquet', rowGroup: 8 })(
      visits,
    )
    expect(all.map(({ records }) => records)).toEqual([10, 20])
    const [poland, germany] = await Promise.all(all.map(({ path }) => readParquet(path)))
    expect(folder.files()).toEqual(['out/country=DE/part.parquet', 'out/country=PL/part.parquet'])
    expect(germany?.groups).toEqual([8, 8, 4])
    expect(germany?.rows.at(-1)).toEqual([29, 'DE', true])
    expect(poland?.rows.map(([n]) => n)).toEqual(visits.filter(({ country }) => country === 'PL').map(({ n }) => n))
    await expect(write(folder.at('out'), { partition: 'county', format: 'parquet' })(visits)).rejects.toMatchObject({
      code: 'ERR_OUTPUT_PARTITION',
    })
  })

  it('are one for each input, with columns and types of its own', async () => {
    writeFileSync(folder.at('a.csv'), 'id,x\n1,2\n')
    writeFileSync(folder.at('b.csv'), 'id,y\n3,4\n')
    const typed = ({ id, ...others }: Record<string, string>): object =>
      id === '1' ? { id, ...others } : { id: 3, ...others }
    await pipe(csv(files(folder.at('*.csv'))), imap(typed, { workers: 0 }), write(folder.at('{name}.parquet')))
    const [a, b] = [await readParquet(folder.at('a.parquet')), await readParquet(folder.at('b.parquet'))]
    expect([typesOf(a), a.rows]).toEqual([{ id: 'UTF8', x: 'UTF8' }, [['1', '2']]])
    expect([typesOf(b), b.rows]).toEqual([{ id: 'DOUBLE', y: 'UTF8' }, [[3, '4']]])
  })

  it('begin anew after so many bytes of values, and each is whole', async () => {
    const records = Array.from({ length: 100 }, (_, n) => ({ n, text: 'x'.repeat(20) }))
    const { files: all } = await write(folder.at('part-{n}.parquet'), { rotate: 1000 })(records)
    expect(all.length).toBeGreaterThan(2)
    const parts = await Promise.all(all.map(({ path }) => readParquet(path)))
    expect(parts.flatMap(({ rows }) => rows)).toEqual(records.map(({ n, text }) => [n, text]))
    expect(parts.map(({ rows }) => rows.length)).toEqual(all.map(({ records: count }) => count))
  })
})

describe('write() as Parquet', () => {
  it('goes to a stream', async () => {
    const stream = new PassThrough()
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    const { bytesWritten } = await write(stream, { format: 'parquet', rowGroup: 2 })([{ a: 1 }, { a: 2 }, { a: 3 }])
    const bytes = Buffer.concat(chunks)
    expect(bytes).toHaveLength(bytesWritten)
    const { rows, groups } = await readParquet(bytes)
    expect([rows, groups]).toEqual([
      [[1], [2], [3]],
      [2, 1],
    ])
  })

  const options: readonly (readonly [target: string, options: WriteOptions, text: string])[] = [
    ['a.parquet.gz', {}, "as Parquet with 'gzip' as its columns are compressed inside the file: name it .parquet"],
    ['a.parquet', { compress: 'gzip' }, "as Parquet with 'gzip'"],
    ['a.parquet', { escapeFormulas: true }, "'escapeFormulas' must be left out for the format 'parquet'"],
    ['a.parquet', { rowGroup: 0 }, "'rowGroup' must be an integer of at least 1: received 0"],
    ['a.parquet', { types: { a: 'text' } as never }, "'types' must be an object of 'string', 'double', 'int32'"],
    [
      'a.parquet',
      { columns: ['a'], types: { b: 'json' } },
      "'types' must be of names that 'columns' has: received 'b'",
    ],
    ['a.csv', { types: { a: 'json' } }, "'types' must be left out for the format 'csv': it is for parquet"],
    ['a.csv', { rowGroup: 5 }, "'rowGroup' must be left out for the format 'csv': it is for parquet"],
  ]
  it.each(options)('refuses at the call: %s %p', (target, given, text) => {
    expect(() => write(folder.at(target), given)).toThrow(text)
    expect(() => write(folder.at(target), given)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error,
    )
  })

  it('refuses a terminal, and to go on where a run was stopped', () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true })
    expect(() => write(terminal, { format: 'parquet' })).toThrow(
      'as Parquet to a terminal as it is not text: write to a file',
    )
    expect(() => write('a.parquet', { resume: true })).toThrow(
      expect.objectContaining({ name: 'CheckpointError', code: 'ERR_NOT_RESUMABLE' }) as Error,
    )
    expect(() => write('a.parquet', { resume: true })).toThrow(
      /only whole with its end: received 'a\.parquet' \(leave out 'resume'/,
    )
  })

  it('is compressed only inside, where a name says more', async () => {
    await write(folder.at('a.parquet.gz'), { compress: false })([{ a: 1 }])
    expect((await readParquet(folder.at('a.parquet.gz'))).rows).toEqual([[1]])
  })
})
