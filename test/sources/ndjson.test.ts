/** ndjson(): a value on each line, from any bytes, cut anywhere; and hostile input. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { imap, ndjson, pipe, Pool, RecordError, type NdjsonOptions } from 'millrace'
import { cut, expectSameForAnyBytes } from '../support/any-bytes.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-ndjson-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const SHOW = { module: 'node:util', export: 'inspect' }

async function collect<T>(source: AsyncIterable<T>, given: T[] = []): Promise<T[]> {
  for await (const value of source) given.push(value)
  return given
}

const read = (text: string | Buffer, options?: NdjsonOptions) => collect(ndjson([Buffer.from(text as string)], options))

describe('ndjson() gives the value of each line', () => {
  it('without blank lines, with or without a last line end', async () => {
    expect(await read('1\n\n{"a": [2]}\r\n  \t\r\n"three"\n\n')).toEqual([1, { a: [2] }, 'three'])
    expect(await read('null\ntrue\n ""')).toEqual([null, true, ''])
    expect(await read('')).toEqual([])
    expect(await read('\n \n\t')).toEqual([])
  })

  it('without the byte order mark, and in other encodings', async () => {
    const text = '"é"\n{"a": "ü"}\n'
    expect(await read(`\ufeff${text}`)).toEqual(['é', { a: 'ü' }])
    expect(await read(Buffer.from(`\ufeff${text}`, 'utf16le'))).toEqual(['é', { a: 'ü' }])
    expect(await read(Buffer.from(text, 'latin1'), { encoding: 'latin1' })).toEqual(['é', { a: 'ü' }])
    expect(await read(Buffer.from([0x22, 0x83, 0x5c, 0x22, 10]), { encoding: 'shift_jis' })).toEqual(['ソ'])
  })

  it('through a program', async () => {
    expect(await read(gzipSync('1\n2'), { decompress: ['gzip', '-dc'] })).toEqual([1, 2])
  })

  it('as JSON.parse() does, cut anywhere, compressed or not, with 0 to 4 workers and any chunksize', async () => {
    const line = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
      fc.constantFrom('', ' ', '\t\r', ' \r', ' {"a":\t1} ', '"\\n\\u0000"', '[]\r'),
    )
    const text = fc
      .tuple(fc.array(line, { maxLength: 20 }), fc.constantFrom('', '\n'))
      .map(([lines, end]) => lines.join('\n') + end)
    for (let workers = 0; workers <= 4; workers++) {
      await using pool = workers === 0 ? undefined : new Pool({ workers })
      await fc.assert(
        fc.asyncProperty(
          ...([
            text,
            fc.array(fc.nat(2000), { maxLength: 8 }),
            fc.boolean(),
            fc.constantFrom(1, 3, 'auto' as const),
          ] as const),
          async (text, at, zipped, chunksize) => {
            const expected = text
              .split('\n')
              .filter((line) => line.trim() !== '')
              .map((line) => JSON.parse(line) as unknown)
            const source = ndjson(cut(zipped ? gzipSync(text) : Buffer.from(text), at))
            if (pool === undefined) expect(await collect(source)).toEqual(expected)
            else {
              const shown = await collect(pool.imap(SHOW as never, source, { chunksize }))
              expect(shown).toEqual(expected.map((value) => inspect(value)))
            }
          },
        ),
        { numRuns: workers === 0 ? times(80, 3000) : times(20, 300) },
      )
    }
  })
})

describe('ndjson() and a line that is not JSON', () => {
  it('fails alone, with its place in the file', async () => {
    const path = join(folder, 'bad.ndjson')
    writeFileSync(path, '\n1\n\n{oops}\n  \n 3\n[4')
    const stream = pipe(ndjson(path), imap(SHOW as never, { errors: 'settle' }))
    const outcomes = (await collect(stream)) as { status: string; value?: unknown; reason?: unknown }[]
    expect(outcomes.map(({ value }) => value)).toEqual(['1', undefined, '3', undefined])
    expect(outcomes[1]?.reason).toBeInstanceOf(RecordError)
    expect(outcomes[1]?.reason).toMatchObject({ code: 'ERR_JSON', file: path, record: 2, line: 4, offset: 4 })
    expect(outcomes[3]?.reason).toMatchObject({ code: 'ERR_JSON', file: path, record: 4, line: 7, offset: 17 })
  })

  it('ends a plain loop, behind the values before it', async () => {
    const given: unknown[] = []
    await expect(collect(ndjson([Buffer.from('1\nNaN\n3')]), given)).rejects.toMatchObject({
      code: 'ERR_JSON',
      record: 2,
      line: 2,
      offset: 2,
      message: expect.stringContaining('Cannot read record 2 (line 2, byte 2) as it must be JSON: ') as string,
    })
    expect(given).toEqual([1])
  })
})

describe('ndjson() and hostile input', () => {
  const TOKENS = ['\n', '\n', '\r\n', ' ', '\t', '1', '"a"', '{"a":1}', '[', ']', '"', '\\', 'é', 'x']

  it('gives the same for any bytes, cut anywhere, on this thread and on workers', async () => {
    await expectSameForAnyBytes(ndjson, TOKENS)
  })

  it('gives an error for 100 MB without a line end, in bounded memory', async () => {
    const block = Buffer.alloc(1024 * 1024, 'x')
    let blocks = 0
    function* source() {
      yield Buffer.from('1\n')
      for (; blocks < 100; blocks++) yield block
    }
    const before = process.memoryUsage()
    const given: unknown[] = []
    await expect(collect(ndjson(source()), given)).rejects.toMatchObject({
      code: 'ERR_RECORD_TOO_LONG',
      record: 2,
      line: 2,
      offset: 2,
    })
    expect(given).toEqual([1])
    expect(blocks).toBeLessThan(20)
    const { arrayBuffers, external } = process.memoryUsage()
    expect(arrayBuffers + external - before.arrayBuffers - before.external).toBeLessThan(100 * 2 ** 20)
  })

  it('stops a zip bomb at maxLength', async () => {
    const member = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x'))
    let members = 0
    function* bomb() {
      for (; members < 1000; members++) yield member
    }
    await expect(collect(ndjson(bomb(), { maxLength: 100_000 }))).rejects.toMatchObject({
      code: 'ERR_RECORD_TOO_LONG',
      record: 1,
    })
    expect(members).toBeLessThan(3)
  })

  it('reads over blank lines, however many there are', async () => {
    const block = Buffer.alloc(1024 * 1024, ' \n')
    function* source() {
      yield Buffer.from('1\n')
      for (let blocks = 0; blocks < 20; blocks++) yield block
      yield Buffer.from('2\n')
    }
    const reading = ndjson(source(), { maxLength: 1000 })
    expect(await collect(reading)).toEqual([1, 2])
  })

  it('fails quickly for a bad value with very much white space', async () => {
    const text = `[${' '.repeat(5_000_000)}x${' '.repeat(5_000_000)}`
    await expect(read(text)).rejects.toMatchObject({ code: 'ERR_JSON' })
    await expect(read('\u00a01')).rejects.toMatchObject({ code: 'ERR_JSON' })
  })

  it('does not count blank lines before a value as part of it', async () => {
    expect(await read(`${' \n'.repeat(1000)}1\n${'\n'.repeat(1000)}2`, { maxLength: 5 })).toEqual([1, 2])
  })
})

describe('ndjson() refuses at the call', () => {
  it.each([
    [{ maxLength: 1.5 }, "Cannot read records with ndjson() as 'maxLength' must be an integer from 1 to"],
    [{ encoding: 'nope' }, "Cannot read records with ndjson() as 'encoding' must be"],
    [{ path: 'a' }, "Cannot read records with ndjson() as it has no option 'path'"],
    [{ decompress: [] }, "Cannot read records with ndjson() as 'decompress' must be an array of a program"],
  ])('%j', (options, message) => {
    expect(() => ndjson('a', options as NdjsonOptions)).toThrow(message)
  })

  it('what is not a source', () => {
    expect(() => ndjson(7 as never)).toThrow('Cannot read records with ndjson() as its source must be')
  })
})
