/** `columns` of ndjson() and json(): which keys objects have, what is an error, and that all ways of reading give the same. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import {
  filter,
  imap,
  json,
  ndjson,
  pipe,
  Pool,
  RecordError,
  rejects,
  replay,
  write,
  type JsonOptions,
  type NdjsonOptions,
} from 'millrace'
import { failOn, hasField, place, same } from '../fixtures/records.js'
import { cut, expectSameForAnyBytes } from '../support/any-bytes.js'
import { columnsOf, picked, recordText, type Read } from '../support/json-records.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-json-columns-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function collect<T>(source: AsyncIterable<T>, given: T[] = []): Promise<T[]> {
  for await (const value of source) given.push(value)
  return given
}

const read = (text: string | Buffer, options: NdjsonOptions) =>
  collect<unknown>(ndjson([Buffer.from(text as string)], options))

describe('columns of ndjson()', () => {
  it('are the only keys, in their order', async () => {
    const text = '{"a":1,"b":{"c":2},"d":[3]}\n{"d":4,"x":0,"b":5}\n{"x":{"a":1}}\n{}\n'
    const rows = await read(text, { columns: ['d', 'a'] })
    expect(rows).toEqual([{ d: [3], a: 1 }, { d: 4 }, {}, {}])
    expect(Object.keys(rows[0] as object)).toEqual(['d', 'a'])
  })

  it('have the last value of a key that is there twice, as with JSON.parse()', async () => {
    expect(await read('{"a":1,"b":2,"a":3}\n{"a":{},"\\u0061":[]}', { columns: ['a'] })).toEqual([{ a: 3 }, { a: [] }])
  })

  it('can be keys with escapes, an empty key, and __proto__', async () => {
    const columns = ['__proto__', 'é"', '']
    const text = String.raw`{"":0,"\u00e9\"":1,"__proto__":{"x":2}}` + '\n{"\\u005f_proto__":3}\n{"é\\"":{}}'
    const [one, two, three] = (await read(text, { columns })) as Record<string, unknown>[]
    expect(Object.entries(one ?? {})).toEqual([
      ['__proto__', { x: 2 }],
      ['é"', 1],
      ['', 0],
    ])
    expect(Object.getPrototypeOf(one)).toBe(Object.prototype)
    expect(Object.entries(two ?? {})).toEqual([['__proto__', 3]])
    expect(three).toEqual({ 'é"': {} })
  })

  it('are read in other encodings', async () => {
    const text = '{"é": "ü", "x": "\u00ff"}\n{"x": 1, "é": "€"}\n'
    const columns = ['é']
    const rows = [{ é: 'ü' }, { é: '€' }]
    expect(await read(`\ufeff${text}`, { columns })).toEqual(rows)
    expect(await read(Buffer.from(`\ufeff${text}`, 'utf16le'), { columns })).toEqual(rows)
    expect(await read(Buffer.from(text, 'utf16le'), { encoding: 'utf-16le', columns })).toEqual(rows)
    const latin1 = Buffer.from(text.replace('€', 'ß'), 'latin1')
    expect(await read(latin1, { encoding: 'latin1', columns })).toEqual([{ é: 'ü' }, { é: 'ß' }])
    expect(await read(latin1, { encoding: 'windows-1252', columns: ['é', 'x'] })).toEqual([
      { é: 'ü', x: 'ÿ' },
      { é: 'ß', x: 1 },
    ])
    expect(await read(latin1, { encoding: 'windows-1252', columns: ['x'] })).toEqual([{ x: 'ÿ' }, { x: 1 }])
    // A character whose second byte is a backslash.
    const shiftJis = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0x83, 0x5c]), Buffer.from('","b":1}')])
    expect(await read(shiftJis, { encoding: 'shift_jis', columns: ['b', 'a'] })).toEqual([{ b: 1, a: 'ソ' }])
  })

  it('tell apart names that bytes which are no text could be', async () => {
    const records = [
      Buffer.from('{"\\ufffd":1}\n{"'),
      Buffer.of(0xff),
      Buffer.from('":2}\n{"\ufffd":3}\n{"\\ud800":4}'),
    ]
    expect(await read(Buffer.concat(records), { columns: ['\ufffd'] })).toEqual([
      { '\ufffd': 1 },
      { '\ufffd': 2 },
      { '\ufffd': 3 },
      {},
    ])
    expect(await read(Buffer.concat(records), { columns: ['\ud800'] })).toEqual([{}, {}, {}, { '\ud800': 4 }])
  })

  it('do not find damage in a value that is not wanted, if its strings and brackets are closed', async () => {
    const text = '{"a":1,"x":nul}\n{"a":2,"x":[1 2}}\n{"a":3,"x":"\\q"}\n'
    expect(await read(text, { columns: ['a'] })).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  })

  it('are the same as picked of JSON.parse(), cut anywhere, here and in workers', async () => {
    await using pool = new Pool({ workers: 2 })
    const lines = fc.array(
      recordText.map((text) => text.replaceAll(/[\n\r]/g, ' ')),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(lines, columnsOf, fc.array(fc.nat(3000), { maxLength: 6 }), async (lines, columns, cuts) => {
        const records = lines.filter((line) => line.trim() !== '')
        const expected = records.map((text) => shown(picked(Buffer.from(text).toString(), columns)))
        const blocks = () => cut(Buffer.from(lines.join('\n')), cuts)
        fc.pre(blocks().length > 0 && !/^(?:\ufeff|\0)/.test(lines.join('')))
        const options = { errors: 'settle' } as const
        const outcome = (all: readonly unknown[]) =>
          (all as PromiseSettledResult<unknown>[]).map((one) =>
            one.status === 'fulfilled' ? inspect(one.value) : 'an error',
          )
        const here = imap((row: unknown) => row, ndjson(blocks(), { columns }), { ...options, workers: 0 })
        expect(outcome(await collect<unknown>(here))).toEqual(expected)
        expect(outcome(await collect<unknown>(pool.imap(same, ndjson(blocks(), { columns }), options)))).toEqual(
          expected,
        )
        const array = () => cut(Buffer.from(`{"rows":[${records.join(',')}]}`), cuts)
        const elements = json(array(), { columns, path: 'rows' })
        expect(outcome(await collect<unknown>(pool.imap(same, elements, options)))).toEqual(expected)
      }),
      { numRuns: times(80, 400) },
    )
  })

  it('give the same for any bytes, cut anywhere, on this thread and on workers', async () => {
    const tokens = [
      '\n',
      '\n',
      '\r\n',
      ' ',
      '{"a":1}',
      '{"a":1,"b":',
      '{"x":',
      '"',
      '}',
      ',',
      '"a":',
      ']',
      '[',
      '\\',
      'é',
    ]
    await expectSameForAnyBytes((blocks) => ndjson(blocks, { columns: ['a', 'b'] }), tokens)
  })
})

const shown = (read: Read): string => (read === 'an error' ? read : inspect(read.value))

describe('columns and a record that has none', () => {
  it('is no object: it fails alone, with its place', async () => {
    const path = join(folder, 'bad.ndjson')
    writeFileSync(path, '{"a":1}\n[{"a":2}]\n\n3\nnull\n{"a":4\n{"a":[5}\n{"a":6}')
    const stream = pipe(ndjson(path, { columns: ['a'] }), imap(same, { errors: 'settle' }))
    const outcomes = (await collect(stream)) as { value?: unknown; reason?: unknown }[]
    expect(outcomes.map(({ value }) => value)).toEqual([{ a: 1 }, ...Array<undefined>(5), { a: 6 }])
    const reasons = outcomes.slice(1, 6).map(({ reason }) => reason as RecordError)
    for (const reason of reasons) expect(reason).toBeInstanceOf(RecordError)
    expect(reasons.map(({ code, line, offset }) => [code, line, offset])).toEqual([
      ['ERR_JSON', 2, 8],
      ['ERR_JSON', 4, 19],
      ['ERR_JSON', 5, 21],
      ['ERR_JSON', 6, 26],
      ['ERR_JSON', 7, 33],
    ])
    expect(reasons[0]?.message).toContain("as it must be an object, as 'columns' names its keys: received ")
    expect(reasons[3]?.message).toContain('as it must be JSON: ')
    expect(reasons[4]?.cause).toBeInstanceOf(SyntaxError)
  })

  it('ends a plain loop, behind the values before it', async () => {
    const given: unknown[] = []
    const source = ndjson([Buffer.from('{"a":1}\n"a"\n{"a":2}')], { columns: ['a'] })
    await expect(collect<unknown>(source, given)).rejects.toMatchObject({
      code: 'ERR_JSON',
      record: 2,
      line: 2,
      offset: 8,
    })
    expect(given).toEqual([{ a: 1 }])
  })

  it('is written by rejects() as it stands, and the item without other keys; replay() gives both again', async () => {
    const path = join(folder, 'rejects.ndjson')
    const text = '{"x":0,"a":"boom"}\n{"a":"fine","x":1}\n{"a":boom}\n'
    const options = { columns: ['a'] }
    const failing = imap(failOn, { errors: rejects(path) })
    expect(await collect<unknown>(pipe(ndjson<Record<string, string>>([Buffer.from(text)], options), failing))).toEqual(
      [{ a: 'fine' }],
    )
    const [item, raw] = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(item).toMatchObject({ record: 1, item: { a: 'boom' } })
    expect(raw).toMatchObject({ record: 3, raw: '{"a":boom}', format: { kind: 'json', columns: ['a'] } })
    writeFileSync(path, readFileSync(path, 'utf8').replace('{\\"a\\":boom}', '{\\"x\\":0,\\"a\\":1}'))
    expect(await collect<unknown>(replay(path))).toEqual([{ a: 'boom' }, { a: 1 }])
    writeFileSync(path, readFileSync(path, 'utf8').replace('{\\"x\\":0,\\"a\\":1}', '[1]'))
    await expect(collect<unknown>(replay(path))).rejects.toThrow(
      "its text must be an object, as 'columns' names its keys",
    )
  })
})

describe('columns from one end to the other', () => {
  const events = Array.from({ length: 30_000 }, (_, id) => ({
    id,
    note: `said "${'x'.repeat(id % 90)}" {`,
    user: { name: `user ${id % 7}` },
    a: id % 3 === 0 ? '' : `ü${id}`,
    deep: [[{ id: -1 }]],
  }))
  const path = join(folder, 'events.ndjson')
  const rows = events.map(({ id, a, user }) => ({ user, id, a }))
  const options = { columns: ['user', 'id', 'a'] } as const
  beforeAll(() => {
    writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  })

  it('are in a plain loop, in tasks, in filters and in files', async () => {
    expect(await collect(ndjson(path, options))).toEqual(rows)
    expect(await collect<unknown>(pipe(ndjson(path, options), imap(same)))).toEqual(rows)
    const output = join(folder, 'filtered.ndjson')
    await pipe(ndjson<Record<string, string>>(path, options), filter(hasField), write(output))
    const kept = rows.filter(({ a }) => a !== '')
    expect(readFileSync(output, 'utf8')).toBe(kept.map((row) => `${JSON.stringify(row)}\n`).join(''))
    await pipe(ndjson(path, options), write(output))
    expect(readFileSync(output, 'utf8')).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  })

  it('are of the elements of an array, with their places', async () => {
    const array = join(folder, 'events.json')
    writeFileSync(array, `{"rows": [\n${events.map((event) => JSON.stringify(event, undefined, 1)).join(',\n')}]}`)
    const source = () => json(array, { ...options, path: 'rows' })
    expect(await collect(source())).toEqual(rows)
    expect(await collect<unknown>(pipe(source(), imap(same)))).toEqual(rows)
    const places = await collect<unknown>(pipe(source(), imap(place)))
    expect(places).toEqual(await collect<unknown>(pipe(json(array, { path: 'rows' }), imap(place))))
  })
})

describe('columns that are refused', () => {
  it.each([[[]], ['a'], [['a', 'a']], [['a', 1]], [{}], [null]])('%j', (columns) => {
    const options = { columns } as unknown as JsonOptions
    const message = /as 'columns' must be an array of different names, at least one: received /
    expect(() => ndjson('a.ndjson', options)).toThrow(message)
    expect(() => json('a.json', options)).toThrow(message)
  })

  it('by replay(), whose items are whole', () => {
    expect(() => replay('a.ndjson', { columns: ['a'] } as never)).toThrow("has no option 'columns'")
  })
})
