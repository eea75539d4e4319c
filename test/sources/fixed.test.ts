/** fixed(): fields at fixed places of each line, by characters or bytes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixed, imap, pipe, Pool, RecordError, rejects, replay, task, type FixedOptions, type Records } from 'millrace'
import { tags } from '../fixtures/field-tasks.js'
import { expectSameForAnyBytes } from '../support/any-bytes.js'
import { watchRejections } from '../support/rejections.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-fixed-'))
const pool = new Pool({ workers: 2, name: 'fixed' })
watchRejections()
afterAll(async () => {
  await pool.terminate()
  rmSync(folder, { recursive: true })
})

const slow = task(import.meta.url, 'slow', async (text: string) => await Promise.resolve(text))
const SHOW = { module: 'node:util', export: 'inspect' } as const

async function collect<T>(source: AsyncIterable<T>, given: T[] = []): Promise<T[]> {
  for await (const value of source) given.push(value)
  return given
}

const open = (text: string | Buffer, options: FixedOptions): Records<Record<string, unknown>> =>
  fixed([Buffer.from(text as string)], options)
const read = (text: string | Buffer, options: FixedOptions) => collect(open(text, options))

describe('fixed() cuts fields', () => {
  const text = 'Ann       Oslo   031\r\n\n  Bob     Bergen007rest\n'
  const expected = [
    { name: 'Ann', city: 'Oslo', age: '031' },
    { name: 'Bob', city: 'Bergen0', age: '07r' },
  ]

  it('by widths, by starts and ends, and by both', async () => {
    expect(await read(text, { columns: { name: 10, city: 7, age: 3 } })).toEqual(expected)
    expect(await read(text, { columns: { name: [0, 10], city: [10, 17], age: [17, 20] } })).toEqual(expected)
    expect(await read(text, { columns: { name: 10, city: [10, 17], age: 3 } })).toEqual(expected)
  })

  it('in any order, with gaps, and several times', async () => {
    const columns = { age: [17, 20], first: [0, 1], name: [0, 10] } as const
    expect(await read(text, { columns })).toEqual([
      { age: '031', first: 'A', name: 'Ann' },
      { age: '07r', first: '', name: 'Bob' },
    ])
    expect(Object.keys((await read(text, { columns }))[0] ?? {})).toEqual(['age', 'first', 'name'])
  })

  it('up to the end of the line', async () => {
    const columns = { id: 2, note: [2, Infinity] } as const
    expect(await read('1 a note \n2 \n3\n', { columns, ragged: 'pad' })).toEqual([
      { id: '1', note: 'a note' },
      { id: '2', note: '' },
      { id: '3', note: '' },
    ])
  })

  it('with spaces around them, if they are not trimmed', async () => {
    expect(await read(' a\t b \n', { columns: { x: 3, y: 3 }, trim: false })).toEqual([{ x: ' a\t', y: ' b ' }])
    expect(await read(' a\t b \n', { columns: { x: 3, y: 3 } })).toEqual([{ x: 'a', y: 'b' }])
  })

  it('of lines of spaces, but not of empty lines', async () => {
    expect(await read('\n\n  \n\r\n\na \n\n', { columns: { x: 2 } })).toEqual([{ x: '' }, { x: 'a' }])
    expect(await read('', { columns: { x: 2 } })).toEqual([])
  })

  it('with any names, and many of them', async () => {
    const columns = { ['__proto__']: [0, 1], 1: [1, 2], "it's": [2, 3] } as const
    const [row = {}] = await read('abc\n', { columns })
    expect(Object.entries(row)).toEqual([
      ['1', 'b'],
      ['__proto__', 'a'],
      ["it's", 'c'],
    ])
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`c${n}`, 1]))
    expect(await read(`${'ab'.repeat(300)}\n`, { columns: many })).toEqual([
      Object.fromEntries(Object.keys(many).map((name, n) => [name, n % 2 === 0 ? 'a' : 'b'])),
    ])
  })

  it('as values of their types, by tasks of the user too, in workers', async () => {
    const columns = { n: 3, is: 5, text: 4 } as const
    const options = { columns, types: { n: Number, is: Boolean, text: tags } } as const
    const lines = '  7true ab  \n   false    \n'
    const rows = await collect(fixed([Buffer.from(lines)], options))
    expect(rows).toEqual([
      { n: 7, is: true, text: ['ab'] },
      { n: null, is: false, text: null },
    ])
    const there = await pool.imap(SHOW, fixed([Buffer.from(lines)], options) as never).toArray()
    expect(there).toEqual(["{ n: 7, is: true, text: [ 'ab' ] }", '{ n: null, is: false, text: null }'])
  })
})

describe('fixed() counts', () => {
  const text = 'Łódź      7\n𝒳y🙂       8\nabcdefghij9\n'
  const expected = ['Łódź', '𝒳y🙂', 'abcdefghij']

  it('characters, however long they are', async () => {
    const rows = await read(text, { columns: { name: 10, n: 1 } })
    expect(rows).toEqual(expected.map((name, at) => ({ name, n: String(7 + at) })))
  })

  it('bytes, if that is asked for', async () => {
    const padded = expected.map((name, at) => {
      const bytes = Buffer.from(name)
      return Buffer.concat([bytes, Buffer.alloc(12 - bytes.length, ' '), Buffer.from(`${at}\n`)])
    })
    const columns = { name: 12, n: 1 }
    const rows = await read(Buffer.concat(padded), { columns, unit: 'bytes' })
    expect(rows).toEqual(expected.map((name, at) => ({ name, n: String(at) })))
  })

  it('characters and bytes of encodings with a byte for each alike', async () => {
    for (const [encoding, bytes] of [
      ['latin1', Buffer.from('é x1\n', 'latin1')],
      ['windows-1252', Buffer.from([0x80, 0x20, 0x78, 0x31, 10])],
    ] as const) {
      for (const unit of ['characters', 'bytes'] as const) {
        const rows = await read(bytes, { columns: { a: 2, b: 2 }, encoding, unit })
        expect(rows).toEqual([{ a: encoding === 'latin1' ? 'é' : '€', b: 'x1' }])
      }
    }
  })

  it('characters of UTF-16', async () => {
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    expect(await read(bytes, { columns: { name: 10, n: 1 } })).toHaveLength(3)
  })
})

describe('a line', () => {
  const columns = { id: 3, n: 2 } as const
  const lines = 'a  12\n\nb  1\nc  x \nd  34\n'

  it('that is too short, or has text of another type, fails alone, with its place', async () => {
    const path = join(folder, 'bad.txt')
    writeFileSync(path, lines)
    const source = fixed(path, { columns, types: { n: Number } })
    const outcomes = await collect(imap(SHOW as never, source as never, { workers: 0, errors: 'settle' }))
    const reasons = (outcomes as { status: string; reason?: unknown }[]).map(({ reason }) => reason)
    expect(reasons.map((reason) => reason instanceof RecordError)).toEqual([false, true, true, false])
    expect(reasons[1]).toMatchObject({ code: 'ERR_FIXED_LINE', file: path, record: 2, line: 3, offset: 7 })
    expect((reasons[1] as Error).message).toMatch(
      /as it must have 5 characters for column 'n': received 4 \(with ragged: 'pad' missing fields are empty\)$/,
    )
    expect(reasons[2]).toMatchObject({ code: 'ERR_FIXED_TYPE', record: 3, line: 4, offset: 12 })
    expect((reasons[2] as Error).message).toMatch(/as column 'n' must be a number: received 'x'$/)
  })

  it('ends a plain loop, behind the rows before', async () => {
    const given: unknown[] = []
    await expect(collect(open(lines, { columns }), given)).rejects.toMatchObject({ code: 'ERR_FIXED_LINE', record: 2 })
    expect(given).toEqual([{ id: 'a', n: '12' }])
  })

  it('may be short with pad', async () => {
    expect(await read(lines, { columns, ragged: 'pad' })).toMatchObject([
      { n: '12' },
      { n: '1' },
      { n: 'x' },
      { n: '34' },
    ])
  })

  it('must not be longer than maxLength', async () => {
    await expect(read('abcdef\n', { columns, maxLength: 5 })).rejects.toMatchObject({ code: 'ERR_RECORD_TOO_LONG' })
  })

  it.each(['characters', 'bytes'] as const)('that was rejected is read again, counted in %s', async (unit) => {
    const path = join(folder, `${unit}.ndjson`)
    const options = { columns, unit, types: { n: Number } } as const
    const source = open('é   1\nÜ  xx\n', { ...options, ragged: 'pad' })
    await collect(imap(SHOW as never, source as never, { workers: 0, errors: rejects(path) }))
    const again = await collect(pipe(replay(path), imap(SHOW as never, { workers: 0, errors: 'settle' })))
    expect(again).toMatchObject([{ status: 'rejected', reason: { code: 'ERR_FIXED_TYPE' } }])
  })
})

it('gives the same for any bytes, cut anywhere, here and in workers', async () => {
  const columns = { a: 2, b: [1, 4], rest: [4, Infinity] } as const
  const tokens = ['\n', '\r\n', ' ', 'é', 'ab', '🙂', '12345678', '\t']
  for (const unit of ['characters', 'bytes'] as const) {
    await expectSameForAnyBytes((blocks) => fixed(blocks, { columns, unit }), tokens, 'x')
  }
})

describe('fixed() refuses at the call', () => {
  const wrong: readonly (readonly [columns: unknown, message: string])[] = [
    [undefined, "'columns' must be given: an object of widths, or of [start, end]"],
    [[1, 2], "'columns' must be an object of widths, or of [start, end]: received [ 1, 2 ]"],
    [{}, "'columns' must be an object of widths, or of [start, end], at least one"],
    [{ a: 0 }, "column 'a' must be a width of at least 1, or [start, end]"],
    [{ a: 1.5 }, "column 'a' must be a width of at least 1, or [start, end]"],
    [{ a: [3, 3] }, "column 'a' must be a width of at least 1, or [start, end]: received [ 3, 3 ]"],
    [{ a: [-1, 3] }, "column 'a' must be a width of at least 1, or [start, end]"],
    [{ a: '0-3' }, "column 'a' must be a width of at least 1, or [start, end]: received '0-3'"],
    [{ a: [0, Infinity], b: 3 }, "column 'b' must be a width of at least 1, or [start, end]"],
    [{ b: 3, 1: 4 }, "column '1' must have a start and an end: received 4"],
  ]
  it.each(wrong)('columns: %p', (columns, message) => {
    expect(() => fixed('a', { columns } as never)).toThrow(message)
    expect(() => fixed('a', { columns } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error,
    )
  })

  it('other options that it cannot do', () => {
    const columns = { a: 1 }
    expect(() => fixed('a', { columns, types: { b: Number } } as never)).toThrow("'types' must be")
    expect(() => fixed('a', { columns, types: { a: slow } } as never)).toThrow("'types.a' must be")
    expect(() => fixed('a', { columns, unit: 'words' } as never)).toThrow("'unit' must be 'characters' or 'bytes'")
    expect(() => fixed('a', { columns, unit: 'bytes', encoding: 'utf-16le' })).toThrow(
      "'unit' must be 'characters' for this encoding",
    )
    expect(() => fixed('a', { columns, header: true } as never)).toThrow("no option 'header'")
  })
})
