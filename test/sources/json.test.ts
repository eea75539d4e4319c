/** json(): the elements of an array, from any bytes, cut anywhere; what is an error of the source, and what of an item. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { chain } from 'stream-chain'
import { parser } from 'stream-json'
import { pick } from 'stream-json/filters/pick.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { files, imap, json, pipe, Pool, RecordError, type JsonOptions } from 'millrace'
import { place } from '../fixtures/records.js'
import { cut, expectSameForAnyBytes } from '../support/any-bytes.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-json-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Gives back what it gets: the value as the worker sees it. */
const SHOW = { module: 'node:util', export: 'inspect' }

async function collect<T>(source: AsyncIterable<T>, given: T[] = []): Promise<T[]> {
  for await (const value of source) given.push(value)
  return given
}

const read = (text: string | Buffer, options?: JsonOptions) => collect(json([Buffer.from(text as string)], options))

/** What is given before the error, and the error. */
async function untilError(source: Parameters<typeof json>[0], options?: JsonOptions) {
  const given: unknown[] = []
  const error: unknown = await collect(json(source, options), given).catch((thrown: unknown) => thrown)
  return { given, error }
}

const bytewise = (text: string) => Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte))

describe('json() gives the elements of an array', () => {
  it('at the top level', async () => {
    expect(await read('[1, "two", null, true, {"a": [1, {"b": "]"}]}, [], {}, "\\"],"]')).toEqual([
      ...[1, 'two', null, true, { a: [1, { b: ']' }] }, [], {}, '"],'],
    ])
  })

  it('at a path of keys', async () => {
    const text =
      '{"x": [9, "}{", {"rows": [8]}], "y": "rows", "data": {"n": 1, "rows": [1, 2, {"rows": 3}], "z": [{}]}, "rows": [7]}'
    expect(await read(text, { path: 'data.rows' })).toEqual([1, 2, { rows: 3 }])
    expect(await read(text, { path: 'rows' })).toEqual([7])
    expect(await read(text, { path: 'x' })).toEqual([9, '}{', { rows: [8] }])
    expect(await read(text, { path: ['data', 'rows'] })).toEqual([1, 2, { rows: 3 }])
  })

  it('at keys that are written with escapes, or have a dot', async () => {
    expect(await read('{"\\u0061\\"b": [1]}', { path: 'a"b' })).toEqual([1])
    expect(await read('{"é": {"😀": [1]}}', { path: 'é.😀' })).toEqual([1])
    expect(await read('{"a.b": [1], "a": {"b": [2]}}', { path: ['a.b'] })).toEqual([1])
    expect(await read('{"a.b": [1], "a": {"b": [2]}}', { path: 'a.b' })).toEqual([2])
    expect(await read('{"": [1]}', { path: [''] })).toEqual([1])
    expect(await read('{"a\\\\": 1, "a": [2]}', { path: 'a' })).toEqual([2])
  })

  it('of an array without elements', async () => {
    expect(await read('[]')).toEqual([])
    expect(await read(' [ \n ] \n')).toEqual([])
    expect(await read('{"a":[],"b":[1]}', { path: 'a' })).toEqual([])
  })

  it('without the byte order mark, and with any white space', async () => {
    expect(await read('\ufeff\r\n\t [\r\n1\t,\n\n2 \n]\r\n\n')).toEqual([1, 2])
  })

  it('with the first of two equal keys on the path', async () => {
    expect(await read('{"a": [1], "a": [2]}', { path: 'a' })).toEqual([1])
    expect(await read('{"a": {"b": [1]}, "a": {"b": [2]}}', { path: 'a.b' })).toEqual([1])
  })

  it('as JSON.parse() reads them: lone surrogates, __proto__, large numbers, equal keys', async () => {
    const text = String.raw`["\ud800", {"__proto__": 1, "a": 1, "a": 2}, 1e999, 12345678901234567890, -0, "\u0000"]`
    expect(await read(text)).toEqual(JSON.parse(text))
  })

  it('however deep they are', async () => {
    const depth = 5_000
    const [value] = await read(`[${'['.repeat(depth)}${']'.repeat(depth)}, 1]`)
    let levels = 0
    for (let at = value; Array.isArray(at); at = at[0] as unknown) levels++
    expect(levels).toBe(depth)
  })

  it('of several inputs, one after the other, compressed ones too, and of files()', async () => {
    const inputs = ['[1,2]', '[]', ' [3] '].map((text, n) => {
      const path = join(folder, `part-${n}.json`)
      writeFileSync(path, n === 0 ? gzipSync(text) : text)
      return path
    })
    expect(await collect(json(inputs))).toEqual([1, 2, 3])
    expect(await collect(json(files(join(folder, 'part-*.json'))))).toEqual([1, 2, 3])
  })

  it('in other encodings', async () => {
    const text = '["é", {"a": "ü"}, "😀"]'
    expect(await read(Buffer.from(`\ufeff${text}`, 'utf16le'))).toEqual(JSON.parse(text))
    expect(await read(Buffer.from(text, 'utf16le'), { encoding: 'utf-16le' })).toEqual(JSON.parse(text))
    expect(await read(Buffer.from('{"é": ["ü"]}', 'latin1'), { encoding: 'latin1', path: 'é' })).toEqual(['ü'])
    // Two characters whose second bytes are a backslash and a bracket.
    const shiftJis = Buffer.from([0x5b, 0x22, 0x83, 0x5c, 0x22, 0x2c, 0x22, 0x83, 0x5b, 0x22, 0x5d])
    expect(await read(shiftJis, { encoding: 'shift_jis' })).toEqual(['ソ', 'ゼ'])
  })

  it('in workers, of large inputs, in order', async () => {
    const values = Array.from({ length: 50_000 }, (_, n) => ({ n, text: `"},{"${'x'.repeat(n % 97)}` }))
    const bytes = Buffer.from(
      JSON.stringify({ before: values.slice(0, 100), data: { rows: values }, after: [values[0]] }),
    )
    const path = join(folder, 'large.json')
    writeFileSync(path, bytes)
    expect(await collect(json(path, { path: 'data.rows' }))).toEqual(values)
    const show = pipe(
      json<{ n: number }>(path, { path: 'data.rows' }),
      imap({ module: 'node:util', export: 'inspect' } as const),
    )
    const shown = (await collect(show)) as string[]
    expect(shown).toHaveLength(values.length)
    expect(shown.every((text, n) => text.startsWith(`{ n: ${n},`) || text.includes(`n: ${n},`))).toBe(true)
  })
})

describe('json() and an oracle give the same', () => {
  /** By stream-json. */
  async function oracle(bytes: Buffer, path: string | undefined): Promise<unknown[]> {
    const source = Readable.from([bytes])
    const stages = path === undefined ? [parser(), streamArray()] : [parser(), pick({ filter: path }), streamArray()]
    const given: unknown[] = []
    for await (const { value } of chain([source, ...stages] as never) as AsyncIterable<{ value: unknown }>)
      given.push(value)
    return given
  }

  const value = fc.jsonValue({ maxDepth: 4 })
  const values = fc.array(value, { maxLength: 12 })
  const text = fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', ':', '\n', 'é', '😀', '\u0000', 'a')
  const hostile = fc.array(
    fc.record({ [']"']: fc.array(text).map((parts) => parts.join('')), b: fc.array(fc.array(text)) }),
    { maxLength: 6 },
  )
  const space = fc.constantFrom(undefined, undefined, 1, '\t', '\r\n')
  const cuts = fc.array(fc.nat(3000), { maxLength: 10 })

  it('for any document, cut anywhere, compressed or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(values, hostile),
        value,
        space,
        cuts,
        fc.boolean(),
        fc.boolean(),
        async (elements, other, space, at, zipped, hasPath) => {
          const document = hasPath ? { x: other, data: { 'ro"ws': 1, rows: elements, y: other }, z: other } : elements
          const bytes = Buffer.from(JSON.stringify(document, undefined, space))
          const path = hasPath ? 'data.rows' : undefined
          const given = await collect(
            json(cut(zipped ? gzipSync(bytes) : bytes, at), path === undefined ? {} : { path }),
          )
          expect(given).toEqual(JSON.parse(JSON.stringify(elements)))
          expect(given).toEqual(await oracle(bytes, path))
        },
      ),
      { numRuns: times(60, 3000) },
    )
  })

  it('with 1 to 4 workers and any chunksize, compressed or not', async () => {
    for (let workers = 1; workers <= 4; workers++) {
      await using pool = new Pool({ workers })
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(values, hostile),
          cuts,
          fc.constantFrom(1, 2, 7, 'auto' as const),
          fc.boolean(),
          async (elements, at, chunksize, zipped) => {
            const bytes = Buffer.from(JSON.stringify(elements))
            const stream = pool.imap(SHOW, json(cut(zipped ? gzipSync(bytes) : bytes, at)), { chunksize })
            expect(await collect(stream)).toEqual((await oracle(bytes, undefined)).map((value) => inspect(value)))
          },
        ),
        { numRuns: times(15, 200) },
      )
    }
  })
})

describe('json() and what is wrong with one element', () => {
  it.each([
    ['[1, nope, 3]', [1, 3], 2, 4],
    ['[1, , 3]', [1, 3], 2, 4],
    ['[1, 2,]', [1, 2], 3, 6],
    ['[1, NaN, 3]', [1, 3], 2, 4],
    ['[1, {"a": }, 3]', [1, 3], 2, 4],
    ['[1, {"a": 2], 3]', [1, 3], 2, 4],
    ["[1, 'a', 3]", [1, 3], 2, 4],
    ['[1 2, 3]', [3], 1, 1],
    ['[1, "a\nb", 3]', [1, 3], 2, 4],
    ['[1, /* 2 */ 2, 3]', [1, 3], 2, 4],
    ['[,1]', [1], 1, 1],
  ])('is the error of that item alone: %j', async (text, others, record, offset) => {
    const workers = [0, 1]
    for (const count of workers) {
      const identity = count === 0 ? (value: unknown) => value : { module: 'node:util', export: 'inspect' }
      const stream = pipe(json([Buffer.from(text)]), imap(identity as never, { workers: count, errors: 'settle' }))
      const outcomes = (await collect(stream)) as { status: string; value?: unknown; reason?: unknown }[]
      const given = outcomes.filter(({ status }) => status === 'fulfilled').map(({ value }) => value)
      expect(given).toEqual(count === 0 ? others : others.map(String))
      const failed = outcomes.find(({ status }) => status === 'rejected')?.reason
      expect(failed).toBeInstanceOf(RecordError)
      expect(failed).toMatchObject({ code: 'ERR_JSON', record, line: 1, offset, cause: { name: 'SyntaxError' } })
      expect(String(failed)).toContain(`Cannot read record ${record} (line 1, byte ${offset}) as it must be JSON: `)
    }
    const { given, error } = await untilError([Buffer.from(text)])
    expect(given).toEqual(others.slice(0, record - 1))
    expect(error).toMatchObject({ code: 'ERR_JSON', record, offset })
  })
})

describe('json() and what is wrong with the document', () => {
  const end = 'received the end of the input'
  it.each([
    ['', [], 0, `the document must be an array: ${end}`],
    [' \n', [], 2, `the document must be an array: ${end}`],
    [
      '{"a":[1]}',
      [],
      0,
      "the document must be an array: received '{' (for an array in an object: path: 'KEY'; for objects one behind the other: ndjson())",
    ],
    ['5', [], 0, "the document must be an array: received '5'"],
    ['\u0001[1]', [], 0, 'the document must be an array: received the byte 0x01'],
    ['[1, 2', [1], 4, `the array must be closed: ${end}`],
    ['[1, 2, ', [1, 2], 7, `the array must be closed: ${end}`],
    ['[', [], 1, `the array must be closed: ${end}`],
    ['[{"a": "x]', [], 1, `the array must be closed: ${end}`],
    ['[1}, 2]', [], 2, "a comma or ] must follow an element: received '}'"],
    ['[1, 2}, 3]', [1], 5, "a comma or ] must follow an element: received '}'"],
    ['[1] [2]', [1], 4, "nothing must follow the document: received '[' (for values one behind the other: ndjson())"],
    ['[1],', [1], 3, "nothing must follow the document: received ','"],
    ['[]x', [], 2, "nothing must follow the document: received 'x'"],
  ])('is the error of the source, behind the elements before it: %j', async (text, others, offset, message) => {
    const path = join(folder, 'wrong.json')
    writeFileSync(path, text)
    for (const source of [path, [Buffer.from(text)], [bytewise(text)]]) {
      const { given, error } = await untilError(source)
      expect(given).toEqual(others)
      expect(error).toBeInstanceOf(RecordError)
      expect(error).toMatchObject({ code: 'ERR_JSON', offset, file: source === path ? path : undefined })
      expect(String(error)).toContain(message)
    }
    const results: unknown[] = []
    const stream = pipe(json([Buffer.from(text)]), imap(SHOW as never, { errors: 'skip' }))
    await expect(collect(stream, results)).rejects.toMatchObject({ code: 'ERR_JSON', offset })
    expect(results).toEqual(others.map(String))
  })

  it.each([
    ['{"b": [1]}', 9, "the document must have the key 'a': received an object without it"],
    ['{}', 1, "the document must have the key 'a': received an object without it"],
    ['{"a": {"x": 1}}', 13, "'a' must have the key 'b': received an object without it"],
    ['{"a": 1}', 6, "'a' must be an object: received '1'"],
    ['{"a": [1]}', 6, "'a' must be an object: received '['"],
    ['{"a": {"b": {}}}', 12, "'a.b' must be an array: received '{'"],
    ['{"a": {"b": null}}', 12, "'a.b' must be an array: received 'n'"],
    ['[1]', 0, "the document must be an object: received '['"],
    ['{"a" {"b": []}}', 5, "a colon must follow a key: received '{'"],
    ['{a: 1}', 1, "a key must begin with a quote: received 'a'"],
    ['{"x": 1, }', 9, "a key must begin with a quote: received '}'"],
    ['{"x": 1], "a": {"b": []}}', 7, "a comma or a brace must follow a value: received ']'"],
    ['{"x": [1, {"y": "', 17, `the document must have the key 'a': ${end}`],
    ['{"a": {"b"', 10, `'a' must have the key 'b': ${end}`],
    ['{"a": {"b": ', 12, `'a.b' must be an array: ${end}`],
    ['', 0, `the document must have the key 'a': ${end}`],
    ['{"a": {"b": []}', 15, `the objects around the array must be closed: ${end}`],
    ['{"a": {"b": []}} {}', 17, "nothing must follow the document: received '{'"],
  ])('with a path: %j', async (text, offset, message) => {
    for (const source of [[Buffer.from(text)], [bytewise(text)]]) {
      const { given, error } = await untilError(source, { path: 'a.b' })
      expect(given).toEqual([])
      expect(error).toMatchObject({ code: 'ERR_JSON', offset })
      expect(String(error)).toContain(message)
    }
  })

  it('tells line and record, and closes the source', async () => {
    let closed = 0
    function* source() {
      try {
        yield Buffer.from('[\n1,\n 2,\n')
        for (;;) yield Buffer.from('3}\n')
      } finally {
        closed++
      }
    }
    const { given, error } = await untilError(source())
    expect(given).toEqual([1, 2])
    expect(error).toMatchObject({ code: 'ERR_JSON', record: 3, line: 4, offset: 10 })
    expect(closed).toBe(1)
  })
})

describe('the place of an element', () => {
  it('is known to tasks, behind what stands before the array, in small and large inputs, cut anywhere', async () => {
    await using pool = new Pool({ workers: 2 })
    for (const count of [3, 40_000]) {
      const path = join(folder, `places-${count}.json`)
      let text = '\ufeff{\r\n "é": ["a\\n", {"rows":\n\n 1}],\n "rows" :\n['
      const expected: object[] = []
      for (let record = 1; record <= count; record++) {
        text += record % 3 === 0 ? '\n\n  ' : ' '
        expected.push({ file: path, record, line: 0, offset: text.length })
        text += `${record % 5 === 0 ? `{"two":\n "ü${record}"}` : record}${record < count ? ' ,' : '\n]'}`
      }
      text += `, "z":\n 1}`
      // Positions in characters become bytes and lines.
      let [line, offset, at] = [1, 0, 0]
      for (const place of expected as { line: number; offset: number }[]) {
        const before = text.slice(at, place.offset)
        at = place.offset
        line += before.split('\n').length - 1
        offset += Buffer.byteLength(before)
        Object.assign(place, { line, offset })
      }
      const bytes = Buffer.from(text)
      writeFileSync(path, bytes)
      expect(await pool.imap(place, json(path, { path: 'rows' })).toArray()).toEqual(expected)
      const cuts = count === 3 ? [1, 2, 3, 5, 30, 31, 60, 61, 62, 70] : [1, 500, 70_000, 70_003, 400_000]
      const pieces = json([cut(bytes, cuts)], { path: 'rows' })
      expect(await pool.imap(place, pieces, { workers: 0 }).toArray()).toEqual(
        expected.map((each) => ({ ...each, file: undefined })),
      )
    }
  })
})

it('the line of each record on this thread takes twice as long for twice as many records', async () => {
  const searches = jest.spyOn(Buffer.prototype, 'indexOf')
  /** How many line ends are looked for. */
  async function searchesFor(count: number): Promise<number> {
    searches.mockClear()
    const text = JSON.stringify(Array.from({ length: count }), undefined, 1)
    await imap(place, json([Buffer.from(text)]), { workers: 0 }).toArray()
    return searches.mock.calls.length
  }
  try {
    const few = await searchesFor(1_000)
    const many = await searchesFor(2_000)
    expect(few).toBeGreaterThan(1_000)
    expect(many / few).toBeLessThan(2.5)
  } finally {
    searches.mockRestore()
  }
})

describe('json() and hostile input', () => {
  const TOKENS = ['[', ']', '{', '}', ',', ':', '"', '\\', '1', '"a"', ' ', '\n', '\r', '[1', '{"a":', '},', '],', 'é']

  it('gives the same for any bytes, cut anywhere, on this thread and on workers', async () => {
    await expectSameForAnyBytes(json, TOKENS, '[')
  })
})

describe('json() and limits', () => {
  it('gives an error for an element longer than maxLength, in bounded memory', async () => {
    const block = Buffer.alloc(65_536, 'a')
    let read = 0
    function* endless() {
      yield Buffer.from('[1, "')
      for (;;) {
        read += block.length
        yield block
      }
    }
    const { given, error } = await untilError(endless(), { maxLength: 1_000_000 })
    expect(given).toEqual([1])
    expect(error).toMatchObject({ code: 'ERR_RECORD_TOO_LONG', record: 2 })
    expect(read).toBeLessThan(2_000_000)
    expect(await read_('["1234567", 1]', 9)).toEqual(['1234567', 1])
    await expect(read_('["12345678", 1]', 9)).rejects.toMatchObject({ code: 'ERR_RECORD_TOO_LONG' })
  })

  const read_ = (text: string, maxLength: number) => read(text, { maxLength })

  it('does not count what stands before and behind the array, or between elements', async () => {
    const spaces = ' \n'.repeat(50)
    const other = `"x": "${'y'.repeat(1000)}"`
    const text = `{${other}, "a": ${spaces}[${spaces}1${spaces},${spaces}"123"${spaces}]${spaces}, ${other}}`
    expect(await read(text, { path: 'a', maxLength: 200 })).toEqual([1, '123'])
  })

  it.each([
    [{ path: '' }, "'path' must be keys with dots between them, or an array of keys: received ''"],
    [{ path: 7 }, 'received 7'],
    [{ path: ['a', 7] }, "received [ 'a', 7 ]"],
    [{ maxLength: 0 }, "'maxLength' must be an integer from 1 to"],
    [{ fatal: true }, "has no option 'fatal'"],
    [{ decompress: 'xz' }, "'decompress' must be an array of a program"],
  ])('refuses at the call: %j', (options, message) => {
    expect(() => json('a', options as unknown as JsonOptions)).toThrow(message)
  })
})
