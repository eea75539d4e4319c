import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { batch, csv, failure, Pool, RecordError, tsv, type CsvOptions } from 'millrace'
import Papa from 'papaparse'
import { add, countRows, dieOn, failOn, hasField, place, same, slowSame } from '../fixtures/records.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-'))
const pool = new Pool({ workers: 2 })
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await pool.terminate()
})

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

/** The records that come before the error, and the error. */
async function untilError(source: AsyncIterable<unknown>): Promise<{ given: unknown[]; error: RecordError }> {
  const given: unknown[] = []
  try {
    for await (const item of source) given.push(item)
  } catch (error) {
    if (error instanceof RecordError) return { given, error }
    throw error
  }
  throw new Error(`no error came after ${given.length} records`)
}

const read = (text: string | Buffer, options?: CsvOptions) => collect(csv([Buffer.from(text)], options))
const refused = (text: string | Buffer, options?: CsvOptions) => untilError(csv([Buffer.from(text)], options))

/** Bytes in pieces of the given lengths, in turn. */
function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const all: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? bytes.length
    all.push(bytes.subarray(at, at + length))
    at += length
  }
  return all
}

const value = fc
  .array(fc.constantFrom('a', 'bc', ',', '"', '\n', '\r\n', '\r', 'ä', '€', '😀', ' ', '', 'x'.repeat(70)), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''))
const table = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 30 }))
  .chain(([width, height]) =>
    fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: height, maxLength: height }),
  )
const style = fc.record({
  newline: fc.constantFrom('\n', '\r\n'),
  quoteAll: fc.boolean(),
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  hasLast: fc.boolean(),
})
type Style = typeof style extends fc.Arbitrary<infer T> ? T : never

function written(rows: readonly (readonly string[])[], { newline, quoteAll, delimiter, hasLast }: Style): string {
  const quoted = (text: string): string =>
    quoteAll || /["\r\n,;\t|]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text
  const text = rows.map((row) => row.map(quoted).join(delimiter) + newline).join('')
  return hasLast ? text : text.slice(0, text.length - newline.length)
}

describe('csv() gives', () => {
  it('rows by the names of the header, as strings', async () => {
    expect(await read('id,name\n007,Ann\n2,"Bob, ""B"""\n')).toEqual([
      { id: '007', name: 'Ann' },
      { id: '2', name: 'Bob, "B"' },
    ])
  })

  it('arrays without a header', async () => {
    expect(await read('1,2\n3,4', { header: false })).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('a first field of spaces or nothing, with tabs between fields', async () => {
    for (const header of [false, ['a', 'b']] as const) {
      const rows = await collect(tsv([Buffer.from(' \t1\n\t2\n')], { header } as { header: false }))
      expect(rows.map((row) => Object.values(row))).toEqual([
        [' ', '1'],
        ['', '2'],
      ])
    }
    expect(await collect(tsv([Buffer.from(' \tb\n1\t2\n')]))).toEqual([{ ' ': '1', b: '2' }])
  })

  it('a carriage return at the end of the input as text', async () => {
    expect(await read('a,b\n1,2\r')).toEqual([{ a: '1', b: '2\r' }])
    expect((await refused('a,b\n1,"2"\r')).error.code).toBe('ERR_CSV_QUOTE')
    expect(await read('a,b\n1,"2"\r', { quotes: 'relaxed' })).toEqual([{ a: '1', b: '2\r' }])
  })

  it('rows by given names, and takes the first line as data', async () => {
    expect(await read('1,2\n', { header: ['a', 'b'] })).toEqual([{ a: '1', b: '2' }])
  })

  it('only the columns that were asked for, in that order', async () => {
    const [row] = await read('a,b,c\n1,2,3\n', { columns: ['c', 'a'] })
    expect(Object.entries(row ?? {})).toEqual([
      ['c', '3'],
      ['a', '1'],
    ])
  })

  it('other types where they were asked for, and null for an empty field', async () => {
    const text = 'n,i,b,d,s\n1.5,12345678901234567890,TRUE,2026-11-28T01:02:03Z,1\n,,,,\n-2e3,-1,0,2026-11-28,\n'
    const types = { n: Number, i: BigInt, b: Boolean, d: Date }
    expect(await read(text, { types })).toEqual([
      { n: 1.5, i: 12345678901234567890n, b: true, d: new Date('2026-11-28T01:02:03Z'), s: '1' },
      { n: null, i: null, b: null, d: null, s: '' },
      { n: -2000, i: -1n, b: false, d: new Date('2026-11-28'), s: '' },
    ])
    for (const workers of [0, 2]) {
      expect(await pool.imap(same, csv([Buffer.from(text)], { types }), { workers }).toArray()).toEqual(
        await read(text, { types }),
      )
    }
  })

  it('names of any kind, __proto__ and numbers too', async () => {
    const [row] = await read('__proto__,1,constructor,a b,"x""\n"\n1,2,3,4,5\n')
    expect(Object.entries(row ?? {}).sort()).toEqual(
      [
        ['1', '2'],
        ['__proto__', '1'],
        ['a b', '4'],
        ['constructor', '3'],
        ['x"\n', '5'],
      ].sort(),
    )
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  })

  it('many columns', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => `c${i}`)
    const text = `${names.join()}\n${names.map((_, i) => `"${i}"`).join()}\n`
    expect(await read(text)).toEqual([Object.fromEntries(names.map((name, i) => [name, String(i)]))])
  })

  it('nothing for an empty file, or one with only a header or empty lines', async () => {
    for (const text of ['', '\n', '\r\n\n', 'a,b', 'a,b\n', '\ufeffa,b\r\n\r\n']) expect(await read(text)).toEqual([])
  })

  it('the delimiter of a line sep=, unless one is given', async () => {
    expect(await read('sep=;\r\na;b\r\n1;2\r\n')).toEqual([{ a: '1', b: '2' }])
    expect(await read('\ufeffsep=|\na|b\n1|2')).toEqual([{ a: '1', b: '2' }])
    expect(await read('sep=;\na,b\n1,2', { delimiter: ',' })).toEqual([{ a: '1', b: '2' }])
    expect(await read('sep,b\n1,2')).toEqual([{ sep: '1', b: '2' }])
    expect(await collect(csv(pieces(Buffer.from('sep=;\na;b\n1;2'), [1])))).toEqual([{ a: '1', b: '2' }])
  })

  it('what the dialect says', async () => {
    expect(await read('a;b\n1;"2;3"\n', { delimiter: ';' })).toEqual([{ a: '1', b: '2;3' }])
    expect(await read("a,b\n1,'2,''3'\n", { quote: "'" })).toEqual([{ a: '1', b: "2,'3" }])
    expect(await read('a,b\n1,"2\n', { quote: '' })).toEqual([{ a: '1', b: '"2' }])
    expect(await read('a,b\n1,"x\\"y\\\\z\\n"\n', { escape: '\\' })).toEqual([{ a: '1', b: 'x"y\\z\\n' }])
    expect(await read('#x,"y\na,b\n# no\n1,2 # yes\n', { comment: '#' })).toEqual([{ a: '1', b: '2 # yes' }])
    expect(await read('a , "b" \n 1 ,\t" 2 " \n \t \n', { trim: true })).toEqual([{ a: '1', b: ' 2 ' }])
    expect(await read('a,b\r1,"2\r3"\r', { newline: '\r' })).toEqual([{ a: '1', b: '2\r3' }])
    expect(await read('a\n\nx\n', { skipEmpty: false })).toEqual([{ a: '' }, { a: 'x' }])
    expect(await read('a,b\n1\n', { ragged: 'pad' })).toEqual([{ a: '1', b: '' }])
    expect(await read('a,b\n5" pipe,"x" y\n', { quotes: 'relaxed' })).toEqual([{ a: '5" pipe', b: 'x y' }])
    expect(await collect(tsv([Buffer.from('a\tb\n1,5\t2\n')]))).toEqual([{ a: '1,5', b: '2' }])
  })

  it('text of any encoding', async () => {
    const text = 'näme,€\nBjörn;"x,y"\n'.replace(';', ',')
    const utf16 = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])
    expect(await read(utf16)).toEqual([{ näme: 'Björn', '€': 'x,y' }])
    expect(await read(Buffer.from(text, 'utf16le'), { encoding: 'utf-16le' })).toEqual([{ näme: 'Björn', '€': 'x,y' }])
    const latin1 = Buffer.from('näme,b\nBjörn,"ö\nä"\n', 'latin1')
    expect(await read(latin1, { encoding: 'latin1' })).toEqual([{ näme: 'Björn', b: 'ö\nä' }])
    expect(await read(Buffer.of(97, 10, 0x80, 10), { encoding: 'windows-1252' })).toEqual([{ a: '€' }])
    // The second byte of this character is a vertical bar.
    expect(
      await read(Buffer.from([97, 124, 98, 10, 0x83, 0x7c, 124, 49, 10]), { encoding: 'shift_jis', delimiter: '|' }),
    ).toEqual([{ a: 'ポ', b: '1' }])
    expect(await read(Buffer.of(97, 44, 98, 10, 0xff, 44, 0xc3, 10))).toEqual([{ a: '\ufffd', b: '\ufffd' }])
  })

  it('what was written, cut anywhere, on this thread and on workers', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        style,
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom<number | 'auto'>(1, 7, 'auto'),
        fc.integer({ min: 0, max: 2 }),
        fc.boolean(),
        async (rows, how, lengths, chunksize, workers, isGzip) => {
          const bytes = Buffer.from(written(rows, how))
          const input = pieces(isGzip ? gzipSync(bytes) : bytes, lengths)
          const options = { header: false, delimiter: how.delimiter } as const
          // What gzip has decompressed may begin like another format.
          expect(await collect(csv(input, options))).toEqual(rows)
          expect(await pool.imap(same, csv(input, options), { chunksize, workers, window: 64 }).toArray()).toEqual(rows)
        },
      ),
      { numRuns: times(60, 3_000) },
    )
  })

  it('the same as csv-parse, which refuses the same files', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', ',', ',', '"', '"', '\n', '\n', '\r\n', ' ', 'ä'), {
      maxLength: 40,
    })
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(text, async (parts) => {
        const input = Buffer.from(parts.join(''))
        let expected: string[][] | undefined
        try {
          expected = parse(input, { record_delimiter: ['\n', '\r\n'], skip_empty_lines: true })
        } catch {
          // Then the records are refused here, too.
        }
        const own = await read(input, { header: false }).catch((error: unknown) => error)
        if (expected === undefined) expect(own).toBeInstanceOf(RecordError)
        else {
          expect(own).toEqual(expected)
          accepted++
        }
      }),
      { numRuns: times(400, 20_000) },
    )
    expect(accepted).toBeGreaterThan(40)
  })

  it('the same as papaparse for valid files', () =>
    fc.assert(
      fc.asyncProperty(table, style, async (all, how) => {
        // It takes an empty field in quotes for an empty line.
        const rows = all.map((row) => ['x', ...row])
        const text = written(rows, how)
        const { delimiter, newline } = how
        const { data } = Papa.parse<string[]>(text, { delimiter, newline: newline as '\n', skipEmptyLines: true })
        expect(await read(text, { header: false, delimiter })).toEqual(data)
      }),
      { numRuns: times(100, 2_000) },
    ))

  it('what the cases of csv-spectrum say', async () => {
    const root = dirname(createRequire(import.meta.url).resolve('csv-spectrum'))
    const names = readdirSync(join(root, 'csvs')).map((name) => name.replace('.csv', ''))
    expect(names.length).toBeGreaterThan(10)
    for (const name of names) {
      const expected: unknown = JSON.parse(readFileSync(join(root, 'json', `${name}.json`), 'utf8'))
      const path = join(root, 'csvs', `${name}.csv`)
      // Its quotes are not those of RFC 4180, and what is expected of it is another row.
      if (name === 'location_coordinates') expect((await untilError(csv(path))).error.code).toBe('ERR_CSV_QUOTE')
      else expect([name, await collect(csv(path))]).toEqual([name, expected])
    }
  })

  it('each file by its own header', async () => {
    const files = [file('1.csv', 'a,b\n1,2\n'), file('2.csv.gz', gzipSync('b,a\n3,4\n')), file('3.csv', '')]
    const expected = [
      { a: '1', b: '2' },
      { a: '4', b: '3' },
    ]
    expect(await collect(csv(files, { columns: ['a', 'b'] }))).toEqual(expected)
    expect(await pool.imap(same, csv(files), { chunksize: 7 }).toArray()).toEqual(expected)
  })
})

describe('a bad record', () => {
  const text = 'a,b\n1,2\n3\n"x\ny",z\n5,boom\n6,"7" \n8,9\n'

  it('fails alone, in every verb, on workers and here', async () => {
    const good = [
      { a: '1', b: '2' },
      { a: 'x\ny', b: 'z' },
      { a: '8', b: '9' },
    ]
    for (const workers of [0, 1, 2]) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        const source = () => csv([Buffer.from(text)])
        const options = { workers, chunksize, errors: 'skip' } as const
        expect(await pool.imap(failOn, source(), options).toArray()).toEqual(good)
        const all = await pool.imapUnordered(slowSame, source(), { ...options, concurrency: 3 }).toArray()
        expect(all).toHaveLength(4)
        expect(await pool.filter(hasField, source(), options).toArray()).toHaveLength(4)
        expect(await pool.map(slowSame, source(), { ...options, concurrency: 2 })).toHaveLength(4)
        expect(await pool.reduce(countRows, source(), { initial: 0, merge: add, workers, errors: 'skip' })).toBe(4)
      }
    }
  })

  it('gives its text and its place, with settled errors', async () => {
    const path = file('bad.csv', text)
    for (const workers of [0, 2]) {
      const outcomes = await pool.imap(failOn, csv(path), { workers, errors: 'settle' }).toArray()
      const told = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [[outcome.item, failure(outcome.reason)]] : [],
      )
      expect(told).toMatchObject([
        ['3', { index: 1, record: 2, line: 3, offset: 8, file: path }],
        [
          { a: '5', b: 'boom' },
          { index: 3, record: 4, line: 6, offset: 18 },
        ],
        ['6,"7" ', { index: 4, record: 5, line: 7, offset: 25 }],
      ])
    }
  })

  it('ends a plain loop and a stream that throws, after the records before it', async () => {
    const { given, error } = await refused(text)
    expect(given).toEqual([{ a: '1', b: '2' }])
    expect(error).toMatchObject({ code: 'ERR_CSV_FIELDS', record: 2, line: 3, offset: 8, file: undefined })
    expect(error.message).toBe(
      "Cannot read record 2 (line 3, byte 8) as it must have 2 fields, as the header has: received 1 (with ragged: 'pad' missing fields are empty)",
    )
    const path = file('bad2.csv', text)
    const streamed = await untilError(pool.imap(same, csv(path)))
    expect(streamed.given).toEqual([{ a: '1', b: '2' }])
    expect(streamed.error).toMatchObject({ code: 'ERR_CSV_FIELDS', record: 2, file: path })
    expect(streamed.error.stack).toMatch(/at task 'same' \(item 1, record 2 of '.*bad2.csv', worker \d\)$/)
  })

  it('is not tried again, and does not disturb others that are', async () => {
    const retries = { attempts: 3, minDelay: 0 }
    const outcomes = await pool.imap(failOn, csv([Buffer.from(text)]), { retries, errors: 'settle' }).toArray()
    const attempts = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.attempts : 0))
    expect(attempts).toEqual([0, 1, 0, 3, 1, 0])
  })

  it('is told what is wrong', async () => {
    const { error: stray } = await refused('a,b\n1,2"3\n')
    expect(stray).toMatchObject({ code: 'ERR_CSV_QUOTE' })
    expect(stray.message).toMatch(/field 2 \('b'\) must not have a quote \("\)/)
    const { error: behind } = await refused('1,"2"3\n', { header: false })
    expect(behind.message).toMatch(/field 2 must end behind its closing quote/)
    const { error: type } = await refused('a,b\n1,x\n', { types: { b: Number } })
    expect(type).toMatchObject({ code: 'ERR_CSV_TYPE' })
    expect(type.message).toMatch(/field 2 \('b'\) must be a number: received 'x'/)
    for (const [types, wrong] of [
      [{ a: BigInt }, '1.5'],
      [{ a: Boolean }, 'yes'],
      [{ a: Date }, '28.11.2026'],
      [{ a: Date }, '2026-13-01'],
      [{ a: Number }, ' '],
    ] as const)
      expect((await refused(`a\n${wrong}\n`, { types })).error.code).toBe('ERR_CSV_TYPE')
    const { error: wide } = await refused('a,b\n1,2,3\n', { ragged: 'pad' })
    expect(wide.message).toMatch(/must have 2 fields, as the header has: received 3$/)
  })
})

describe('csv() ends with an error', () => {
  it('for a header with a name twice, or without one', async () => {
    for (const header of ['a,b,a', 'a,,b', ',', 'a,"b"c']) {
      const { given, error } = await refused(`${header}\n1,2,3\n`)
      expect([given, error.code, error.record]).toEqual([[], 'ERR_CSV_HEADER', 0])
      expect(error.message).toMatch(/^Cannot read the header \(line 1, byte 0\) as /)
    }
  })

  it('for a column that is not there', async () => {
    const { error } = await refused('a,b\n1,2\n', { columns: ['a', 'c'] })
    expect(error.message).toBe(
      "Cannot read the header (line 1, byte 0) as it must have the column 'c' of 'columns': received 'a', 'b'",
    )
    expect((await refused('a,b\n1,2\n', { types: { c: Number } })).error.message).toMatch(/column 'c' of 'types'/)
  })

  it('for quotes that are never closed, with the line where they open', async () => {
    const path = file('unclosed.csv', `a,b\n1,2\n${'"x\ny",z\n'.repeat(10)}3,"4\n5,6,7\n${'8,9\n'.repeat(1_000)}`)
    const { given, error } = await untilError(csv(path, { quotes: 'relaxed' }))
    expect(given).toHaveLength(11)
    expect(error).toMatchObject({ code: 'ERR_CSV_UNCLOSED_QUOTE', record: 12, file: path })
    const open = await refused('a,b\n1,2\n"x\ny","z\n\n')
    expect(open.error).toMatchObject({ code: 'ERR_CSV_UNCLOSED_QUOTE', record: 2, line: 4, offset: 14 })
    const cut = await refused(`a,b\n1,2\n1,"${'8,9\n'.repeat(1_000)}`, { maxLength: 100 })
    expect(cut.given).toHaveLength(1)
    expect(cut.error).toMatchObject({ code: 'ERR_CSV_UNCLOSED_QUOTE', record: 2, line: 3, offset: 10 })
    expect(cut.error.message).toMatch(/received 100 bytes without its end/)
  })

  it('for a record that is longer than maxLength, cut anywhere', async () => {
    const long = 'x'.repeat(50)
    for (const lengths of [[10_000], [1], [7, 30]]) {
      const bytes = Buffer.from(`a\nshort\n${long}\nshort\n`)
      const { given, error } = await untilError(csv(pieces(bytes, lengths), { maxLength: 20 }))
      expect(given).toEqual([{ a: 'short' }])
      expect(error).toMatchObject({ code: 'ERR_RECORD_TOO_LONG', record: 2, line: 3, offset: 8 })
    }
  })

  it('and closes its source first', async () => {
    let closed = 0
    function* source(): Generator<Buffer> {
      try {
        yield Buffer.from('a,b\n1\n')
        yield Buffer.from('2\n')
      } finally {
        closed++
      }
    }
    await untilError(csv(source()))
    expect(closed).toBe(1)
    const lines = csv(source())
    await lines.next().catch(() => undefined)
    expect(await lines.next()).toEqual({ done: true, value: undefined })
    expect(closed).toBe(2)
  })
})

describe('the place of a record', () => {
  it('is known to tasks, in files and streams, cut anywhere', async () => {
    const text = '\ufeffa,b\r\n1,"x\r\ny"\r\n\r\n2,ä\r\n3,4\r\n'
    const path = file('places.csv', text)
    const expected = [
      { record: 1, line: 2, offset: 8 },
      { record: 2, line: 5, offset: 20 },
      { record: 3, line: 6, offset: 26 },
    ]
    for (const workers of [0, 2]) {
      for (const chunksize of [1, 2, 'auto'] as const) {
        const options = { workers, chunksize }
        expect(await pool.imap(place, csv(path), options).toArray()).toEqual(
          expected.map((each) => ({ ...each, file: path })),
        )
        for (const lengths of [[1], [3, 20]]) {
          const source = csv([path, pieces(Buffer.from(text), lengths)])
          expect(await pool.imap(place, source, options).toArray()).toEqual([
            ...expected.map((each) => ({ ...each, file: path })),
            ...expected.map((each) => ({ ...each, file: undefined })),
          ])
        }
      }
    }
  })

  it('is right in large files with records over several lines', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => (i % 3 === 0 ? `${i},"two\nlines ${i}"\n` : `${i},one\n`))
    const path = file('large.csv', `id,text\n${rows.join('')}`)
    const places = await pool.imap(place, csv(path)).toArray()
    let line = 2
    let offset = 8
    const expected = rows.map((row, i) => {
      const own = { file: path, record: i + 1, line, offset }
      line += row.split('\n').length - 1
      offset += row.length
      return own
    })
    expect(places).toEqual(expected)
  })

  it('survives a worker that dies', async () => {
    const path = file('dies.csv', `a,b\n${'1,2\n'.repeat(20)}die,now\n${'3,4\n'.repeat(20)}`)
    const outcomes = await pool.imap(dieOn, csv(path), { errors: 'settle', chunksize: 10 }).toArray()
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(40)
    const [failed] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome] : []))
    expect(failed).toMatchObject({ item: { a: 'die', b: 'now' }, index: 20 })
    expect(failure(failed?.reason)).toMatchObject({ record: 21, line: 22, file: path })
  })
})

describe('hostile CSV', () => {
  it('with a field of look-alike rows is read right, on any number of workers', async () => {
    const inner = '1,2,3\n4,5,6\n'.repeat(80_000)
    const path = file('lookalike.csv', `a,b,c\n1,"${inner}",3\n${'x,y,z\n'.repeat(100)}`)
    for (const workers of [0, 1, 2]) {
      const rows = await pool.imap(same, csv(path), { workers }).toArray()
      expect(rows).toHaveLength(101)
      expect((rows[0] as { b: string }).b).toBe(inner)
    }
  })

  it('with millions of fields in a record, or of records without content', async () => {
    const wide = `${'a'.repeat(1)},`.repeat(300_000)
    expect((await read(`${wide}\n`, { header: false }))[0]).toHaveLength(300_001)
    expect(await read(`a\n${'\n'.repeat(2_000_000)}x\n`)).toEqual([{ a: 'x' }])
  })

  it('gives the same everywhere for any bytes', async () => {
    const bytes = fc
      .array(fc.constantFrom(...Buffer.from('ab,,""""\n\n\r #\\ '), 0xc3, 0xa4, 0xff), { maxLength: 300 })
      .map((all) => Buffer.from(all))
    const dialect = fc.record(
      {
        trim: fc.boolean(),
        skipEmpty: fc.boolean(),
        escape: fc.constantFrom('"', '\\'),
        comment: fc.constant('#'),
        quotes: fc.constantFrom('strict', 'relaxed'),
        ragged: fc.constantFrom('error', 'pad'),
      },
      { requiredKeys: [] },
    )
    const outcomesOf = async (source: AsyncIterable<unknown>, workers: number, chunksize: number | 'auto') => {
      const given: unknown[] = []
      try {
        for await (const outcome of pool.imap(same, source, { workers, chunksize, errors: 'settle' })) {
          const { status, value, reason } = outcome as { status: string; value?: unknown; reason?: RecordError }
          given.push(status === 'fulfilled' ? value : [reason?.code, reason?.record, reason?.line, reason?.offset])
        }
      } catch (error) {
        const { code, record, line, offset } = error as RecordError
        given.push([code, record, line, offset])
      }
      return given
    }
    await fc.assert(
      fc.asyncProperty(
        bytes,
        dialect,
        fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom<number | 'auto'>(1, 7, 'auto'),
        async (input, options, lengths, chunksize) => {
          const whole = await outcomesOf(csv([input], { header: false, ...options } as CsvOptions), 0, 1)
          const cut = csv(pieces(input, lengths), { header: false, ...options } as CsvOptions)
          expect(await outcomesOf(cut, 2, chunksize)).toEqual(whole)
        },
      ),
      { numRuns: times(80, 5_000) },
    )
  })
})

describe('csv() as an iterator', () => {
  it('answers overlapping calls in their order, and ends when it is left', async () => {
    const rows = csv([Buffer.from('a\n1\n2\n3\n')])
    const all = await Promise.all([rows.next(), rows.next(), rows.next(), rows.next()])
    expect(all.map(({ value }) => (value as { a: string } | undefined)?.a)).toEqual(['1', '2', '3', undefined])
    expect(() => rows[Symbol.asyncIterator]()).toThrow(/csv\(\) can be read once/)
  })

  it('settles return() while it waits for a silent source', async () => {
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const rows = csv(silent)
    const pending = rows.next()
    await rows.return()
    expect(await pending).toEqual({ done: true, value: undefined })
  })

  it('can be batched, and throws a bad record after those before it', async () => {
    expect(await collect(batch(2, csv([Buffer.from('a\n1\n2\n3\n')])))).toEqual([
      [{ a: '1' }, { a: '2' }],
      [{ a: '3' }],
    ])
    await expect(collect(batch(2, csv([Buffer.from('a\n1\n2,3\n')])))).rejects.toThrow(/record 2/)
  })

  it('refuses bad options at the call', () => {
    const bad = (options: unknown) => () => csv([], options as CsvOptions)
    expect(bad({ delimiter: ';;' })).toThrow(
      /^Cannot read records with csv\(\) as 'delimiter' must be one character of ASCII, not a line end: received ';;'/,
    )
    expect(bad({ delimiter: '"' })).toThrow(/'delimiter' and 'quote' must differ/)
    expect(bad({ types: { a: String } })).toThrow(/'types.a' must be Number, BigInt, Boolean, Date or a task/)
    expect(bad({ columns: [] })).toThrow(/'columns' must be an array of different names/)
    expect(bad({ header: ['a', 'a'] })).toThrow(/'header' must be/)
    expect(bad({ header: false, columns: ['a'] })).toThrow(/need the names of the columns/)
    expect(bad({ sep: ';' })).toThrow(/has no option 'sep'/)
    expect(() => csv(undefined as never)).toThrow(/as its source must be a path/)
  })
})
