/** What the types of Parquet become, in files of DuckDB and of hyparquet-writer. */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { imap, parquet } from 'millrace'
import { fixture, ParquetFolder } from '../support/parquet-files.js'

const folder = new ParquetFolder()

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of source) all.push(value)
  return all
}

const FIRST = {
  id: 1,
  bool: true,
  int8: 1,
  uint8: 200,
  uint16: 60000,
  uint32: 4000000000,
  uint64: 18446744073709551615n,
  big: -9223372036854775807n,
  small: 42,
  float: 1.5,
  double: 2.5,
  money: 12.34,
  long: '-12345678901234.5678',
  longest: '12345678901234567890123456789.123',
  text: 'hé',
  ascii: 'ab',
  bytes: Uint8Array.of(255),
  day: new Date('2024-02-29'),
  clock: 45_296_789_012,
  micros: new Date('1969-12-31T23:59:59.999Z'),
  nanos: new Date('2024-01-02T03:04:05.123Z'),
  seconds: new Date('2024-01-02T03:04:05.000Z'),
  zoned: new Date('2024-01-02T01:04:05.000Z'),
  span: { months: 1, days: 2, milliseconds: 3000 },
  uuid: '00112233-4455-6677-8899-aabbccddeeff',
  list: [1, 2, null],
  lists: [[1], [], null],
  struct: { a: 1, ['__proto__']: 'x', n: { b: [1] } },
  map: { k: 1, ['__proto__']: 2 },
  byNumber: { 1: ['x'], 2: null },
  structs: [{ p: 1, q: null }],
  kind: 'x',
  forever: 9223372036854775807n,
  json: { a: 12 },
}
const SECOND = Object.fromEntries(Object.keys(FIRST).map((key) => [key, key === 'id' ? 2 : null]))

describe('parquet() gives the values of each type', () => {
  it.each(['snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'])('compressed by %s', async (codec) => {
    const rows = await collect(parquet(fixture(codec)))
    expect(rows).toEqual([FIRST, SECOND])
    // Own keys, which toEqual() does not compare.
    expect(Object.keys(rows[0]?.struct as object)).toEqual(['a', '__proto__', 'n'])
    expect(Object.entries(rows[0]?.map as object)).toEqual([
      ['k', 1],
      ['__proto__', 2],
    ])
  })

  it('in the encodings of version 2', async () => {
    const { uint32: _first, ...first } = FIRST
    const { uint32: _second, ...second } = SECOND
    expect(await collect(parquet(fixture('v2')))).toEqual([first, second])
  })

  it('and refuses numbers that their footer excludes', async () => {
    await expect(collect(parquet(fixture('unsigned')))).rejects.toMatchObject({
      code: 'ERR_PARQUET',
      message: expect.stringMatching(
        /^Cannot read record 1 of '.*unsigned.parquet' \(row group 1\) as column 'uint32' cannot be decoded: .* its footer says: from 4000000000 to 4000000000$/,
      ) as string,
    })
  })
})

describe('parquet() keeps values exact', () => {
  const one = async (type: string, data: unknown[], more: object = {}): Promise<unknown[]> => {
    const path = folder.file('one.parquet', [{ name: 'x', data, type, ...more } as never])
    return (await collect(parquet(path))).map(({ x }) => x)
  }

  it('for integers up to 2^53, and as BigInt beyond', async () => {
    const max = BigInt(Number.MAX_SAFE_INTEGER)
    const given = [0n, -1n, max, -max, max + 1n, -max - 1n, 2n ** 63n - 1n, -(2n ** 63n)]
    const expected = [0, -1, Number(max), -Number(max), max + 1n, -max - 1n, 2n ** 63n - 1n, -(2n ** 63n)]
    expect(await one('INT64', given)).toEqual(expected)
  })

  it('for bytes that are no text', async () => {
    const bytes = [Uint8Array.of(104, 105), Uint8Array.of(0xc3, 0x28), Buffer.from('\ufffd')]
    const read = await one('BYTE_ARRAY', bytes)
    expect(read).toEqual(['hi', Uint8Array.of(0xc3, 0x28), '\ufffd'])
    // Not a view of the memory of its page.
    expect((read[1] as Uint8Array).buffer.byteLength).toBe(2)
  })

  it('for numbers that are no numbers', async () => {
    const values = [NaN, Infinity, -Infinity, -0, 5e-324]
    expect(await one('DOUBLE', values)).toEqual(values)
  })

  it('for names that are keys of every object, or have dots', async () => {
    const names = ['__proto__', 'constructor', 'a.b', 'Größe', '']
    const path = folder.file(
      'names.parquet',
      names.map((name, i) => ({ name, data: [i], type: 'INT32' as const })),
    )
    const [row] = await collect(parquet(path))
    expect(Object.entries(row ?? {})).toEqual(names.map((name, i) => [name, i]))
    const [some] = await collect(parquet(path, { columns: ['a.b', '__proto__'] }))
    expect(Object.entries(some ?? {})).toEqual([
      ['a.b', 2],
      ['__proto__', 0],
    ])
  })

  it('of JSON, of which a bad one fails its row alone', async () => {
    const columns = [{ name: 'x', data: ['"abc"', { a: [1] }], type: 'JSON' as const }]
    const bytes = Buffer.from(parquetWriteBuffer({ columnData: columns, codec: 'UNCOMPRESSED' }))
    const bad = folder.bytes('bad.parquet', Buffer.from(bytes.toString('latin1').replaceAll('"abc', '{abc'), 'latin1'))
    const outcomes = await collect(imap((row: unknown) => row, parquet(bad), { workers: 0, errors: 'settle' }))
    expect(outcomes[0]).toMatchObject({
      status: 'rejected',
      reason: expect.objectContaining({
        code: 'ERR_PARQUET',
        record: 1,
        message: expect.stringContaining("as its value of column 'x' cannot be read: ") as string,
      }) as unknown,
    })
    expect(outcomes[1]).toMatchObject({ status: 'fulfilled', value: { x: { a: [1] } } })
  })
})
