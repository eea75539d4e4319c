/** `write()`: what it writes in each format, from any source on this thread, and what it says about it. */
import { pathToFileURL } from 'node:url'
import { batch, failure, imap, lines, OutputError, pipe, write } from 'millrace'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
watchRejections()

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it has not rejected')
}

describe('the format of a file', () => {
  const rows = [
    { name: 'tea', price: 1.5, isNew: true, at: new Date(0), n: 10n },
    { name: 'a "b", c', price: null, isNew: false, at: undefined, n: -0 },
  ]
  const table = {
    csv: 'name,price,isNew,at,n\ntea,1.5,true,1970-01-01T00:00:00.000Z,10\n"a ""b"", c",,false,,0\n',
    tsv: 'name\tprice\tisNew\tat\tn\ntea\t1.5\ttrue\t1970-01-01T00:00:00.000Z\t10\n"a ""b"", c"\t\tfalse\t\t0\n',
  }

  it('is text without a known suffix: a string on each line', async () => {
    const items = ['one', '', 'żółw 🐢', 4, 5n, true]
    await write(folder.at('a.log'))(items)
    expect(folder.read('a.log')).toBe('one\n\nżółw 🐢\n4\n5\ntrue\n')
  })

  it('is JSON on each line for .ndjson and .jsonl', async () => {
    const items = [{ a: [1, 'ü\n'] }, null, 'x', 0, { toJSON: () => 'y' }]
    const text = '{"a":[1,"ü\\n"]}\nnull\n"x"\n0\n"y"\n'
    for (const name of ['a.ndjson', 'a.jsonl', 'A.NDJSON']) {
      await write(folder.at(name))(items)
      expect(folder.read(name)).toBe(text)
    }
  })

  it('is one array for .json', async () => {
    for (const items of [[], [1], [{ a: 1 }, 'x', null]]) {
      await write(folder.at('a.json'))(items)
      expect(JSON.parse(folder.read('a.json'))).toEqual(items)
    }
    expect(folder.read('a.json')).toBe('[\n{"a":1},\n"x",\nnull\n]\n')
    await write(folder.at('a.json'))([])
    expect(folder.read('a.json')).toBe('[]\n')
  })

  it('is CSV or TSV by its suffix, with the keys of the first record as columns', async () => {
    await write(folder.at('a.csv'))(rows)
    expect(folder.read('a.csv')).toBe(table.csv)
    await write(folder.at('a.tsv'))(rows)
    expect(folder.read('a.tsv')).toBe(table.tsv)
  })

  it('is the option format, whatever the suffix', async () => {
    await write(folder.at('a.txt'), { format: 'csv' })(rows)
    expect(folder.read('a.txt')).toBe(table.csv)
    await write(folder.at('a.csv'), { format: 'ndjson' })([1])
    expect(folder.read('a.csv')).toBe('1\n')
  })
})

describe('CSV', () => {
  it('puts keys in other places where the first record had them, and leaves missing ones empty', async () => {
    await write(folder.at('a.csv'))([{ a: 1, b: 2 }, { b: '"', a: ',' }, { b: 3 }, {}])
    expect(folder.read('a.csv')).toBe('a,b\n1,2\n",",""""\n,3\n,\n')
  })

  it('writes the given columns, and leaves out others', async () => {
    await write(folder.at('a.csv'), { columns: ['b', 'a'] })([{ a: 1, b: 2, c: {} }, { c: 1 }, [3, 4]])
    expect(folder.read('a.csv')).toBe('b,a\n2,1\n,\n3,4\n')
    await write(folder.at('b.csv'), { columns: ['b', 'a'] })([])
    expect(folder.read('b.csv')).toBe('b,a\n')
  })

  it('writes arrays without a header', async () => {
    await write(folder.at('a.csv'))([
      ['a', 1],
      ['b,', null],
    ])
    expect(folder.read('a.csv')).toBe('a,1\n"b,",\n')
  })

  it('quotes what a reader would take for something else', async () => {
    const values = ['', '\uFEFFx', 'a\rb', '\n', '\\.']
    await write(folder.at('a.csv'))(values.map((value) => ({ 'sep=': value })))
    expect(folder.read('a.csv')).toBe('"sep="\n""\n"\uFEFFx"\n"a\rb"\n"\n"\n"\\."\n')
  })

  it('marks formulas if asked to', async () => {
    const values = ['=1+1', '+1', '-1', '@x', '\tx', '\rx', '＝1', 'a=1', -1, "'"]
    const text = ["'=1+1", "'+1", "'-1", "'@x", "'\tx", '"\'\rx"', "'＝1", 'a=1', '-1', "'"]
    await write(folder.at('a.csv'), { escapeFormulas: true })(values.map((v) => ({ '=v': v })))
    expect(folder.read('a.csv')).toBe(["'=v", ...text, ''].join('\n'))
    await write(folder.at('a.csv'))([{ v: '=1+1' }])
    expect(folder.read('a.csv')).toBe('v\n=1+1\n')
  })

  it('writes many columns and any key', async () => {
    const keys = Array.from({ length: 600 }, (_, n) => `k"${n}`)
    const row = Object.fromEntries(keys.map((key, n) => [key, n]))
    await write(folder.at('a.csv'))([row, JSON.parse('{"k\\"1":5}') as object])
    const [header = '', first, second] = folder.read('a.csv').split('\n')
    expect(header.startsWith('"k""0","k""1",')).toBe(true)
    expect(first).toBe(keys.map((_, n) => n).join(','))
    expect(second).toBe(',5' + ','.repeat(598))
    await write(folder.at('b.csv'))([JSON.parse('{"__proto__":1,"constructor":2}') as object])
    expect(folder.read('b.csv')).toBe('__proto__,constructor\n1,2\n')
  })
})

describe('an item that the format cannot take', () => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const cases: [name: string, items: unknown[], text: RegExp][] = [
    ['a.txt', ['x', {}], /^Cannot write item 1 as text as it must be a string: received \{\} \(make text/],
    ['a.txt', [null], /item 0 as text .* received null/],
    ['a.txt', [undefined], /item 0 as text .* received undefined/],
    [
      'a.ndjson',
      [1, 2n],
      /item 1 as ndjson as JSON\.stringify\(\) threw 'Do not know .*': received 2n \(give plain data\)/,
    ],
    ['a.ndjson', [undefined], /item 0 as ndjson as JSON has no such value: received undefined/],
    ['a.json', [cyclic], /item 0 as json as JSON\.stringify\(\) threw 'Converting circular/],
    ['a.csv', [{ a: 1 }, { a: {} }], /item 1 as csv as its field 'a' must be a string, .*: received \{\} \(make text/],
    ['a.csv', [{ a: new Date(NaN) }], /item 0 as csv as its field 'a' must be .*: received Invalid Date/],
    ['a.tsv', [{ a: () => 1 }], /item 0 as tsv as its field 'a' must be/],
    ['a.csv', [[1, Symbol('x')]], /item 0 as csv as its field 1 must be/],
    ['a.csv', ['x'], /item 0 as csv as it must be an object, or an array of fields: received 'x'/],
    [
      'a.csv',
      [{ a: 1 }, { a: 1, b: 2 }],
      /item 1 as csv as it has a key .*: received 'b' \(pass all columns, as in columns: \['a', 'b'\]\)/,
    ],
    ['a.csv', [{}], /item 0 as csv as the first record must have keys/],
    ['a.csv', [[]], /item 0 as csv as it has no fields/],
    ['a.csv', [[1, 2], [1]], /item 1 as csv as it must have 2 fields: received 1/],
    ['a.csv', [[1], { a: 1 }], /item 1 as csv as the first record is an array: received an object with keys 'a'/],
    ['a.csv', [{ a: 1 }, [1]], /item 1 as csv as the first record is an object: received an array of 1/],
  ]

  it.each(cases)('is an error that names it: %s %p', async (name, items, text) => {
    for (const source of [items, slowly(items), new Set(items)]) {
      const error = await rejection(write(folder.at(name))(source))
      expect(error).toBeInstanceOf(OutputError)
      expect(error).toMatchObject({ code: 'ERR_OUTPUT_FORMAT', message: expect.stringMatching(text) as string })
      expect(folder.files()).toEqual([])
    }
  })
})

describe('the source of write()', () => {
  const items = Array.from({ length: 5_000 }, (_, n) => ({ n, text: 'x'.repeat(n % 50) }))
  const text = items.map((item) => `${JSON.stringify(item)}\n`).join('')

  it('is any iterable, stream or lines(), by a plain call or at the end of a pipe', async () => {
    const sources = {
      array: items,
      generator: items.values(),
      promises: items.map((item) => Promise.resolve(item)),
      async: slowly(items.slice(0, 100)),
      stream: imap((item: object) => item, items, { workers: 0 }),
      taken: imap((item: object) => item, items, { workers: 0 }).take(10),
      web: new ReadableStream({
        start(controller) {
          for (const item of items) controller.enqueue(item)
          controller.close()
        },
      }),
    }
    for (const [name, source] of Object.entries(sources)) {
      const count = { async: 100, taken: 10 }[name] ?? items.length
      const expected = text.split('\n', count).join('\n') + '\n'
      const result = await pipe(source as Iterable<unknown>, write(folder.at('a.ndjson')))
      expect(result).toMatchObject({ written: count, bytesWritten: Buffer.byteLength(expected) })
      expect(folder.read('a.ndjson') === expected).toBe(true)
    }
    await pipe(lines([Buffer.from('one\r\ntwo')]), write(folder.at('a.txt')))
    expect(folder.read('a.txt')).toBe('one\ntwo\n')
    await pipe([1, 2, 3], batch(2), write(folder.at('b.ndjson')))
    expect(folder.read('b.ndjson')).toBe('[1,2]\n[3]\n')
  })

  it('is read to its end without one item in it', async () => {
    for (const name of ['a.txt', 'a.ndjson', 'a.csv']) {
      expect(await write(folder.at(name))([])).toMatchObject({ read: 0, written: 0, bytesWritten: 0 })
      expect(folder.read(name)).toBe('')
    }
  })

  it('must be iterable', () => {
    expect(() => write(folder.at('a.txt'))('text' as never)).toThrow(
      'Cannot write results as its source must be an iterable or async iterable',
    )
    expect(() => pipe(write(folder.at('a.txt')) as never)).toThrow('a stage needs a source first')
    expect(String(inspected(write('a.txt')))).toBe('[Stage: write a.txt]')
  })
})

function inspected(value: object): unknown {
  return (value as Record<symbol, () => unknown>)[Symbol.for('nodejs.util.inspect.custom')]?.()
}

describe('the result of write()', () => {
  it('has the figures of the job', async () => {
    const stream = imap(
      (n: number) => {
        if (n === 2) throw new Error('no')
        return n
      },
      [1, 2, 3],
      { workers: 0, errors: 'skip' },
    )
    const result = await pipe(stream, write(folder.at('a.txt')))
    expect(result).toEqual({
      read: 3,
      written: 2,
      rejected: 0,
      skipped: 1,
      bytesRead: 0,
      bytesWritten: 4,
      duration: expect.any(Number) as number,
      files: [{ path: folder.at('a.txt'), records: 2, bytes: 4 }],
      resumed: false,
    })
    expect(result.duration).toBeGreaterThan(0)
  })

  it('counts the bytes of the input', async () => {
    const read = lines([Buffer.from('one\ntwo\n')])
    expect(await pipe(read, write(folder.at('a.txt')))).toMatchObject({ read: 2, bytesRead: 8, bytesWritten: 8 })
    const stream = imap((line: string) => line, lines([Buffer.from('one\ntwo\n')]), { workers: 0 })
    expect(await pipe(stream, write(folder.at('a.txt')))).toMatchObject({ read: 2, bytesRead: 8 })
  })

  it('rejects with an error of a task, and failure() of it names the item', async () => {
    const stream = imap((n: number) => n / (n === 2 ? (undefined as never) : 1), [1], { workers: 0 })
    await pipe(stream, write(folder.at('a.txt')))
    const fails = imap(
      (): never => {
        throw new RangeError('no')
      },
      ['x'],
      { workers: 0 },
    )
    const promise = pipe(fails, write(folder.at('b.txt')))
    expect(await rejection(promise)).toMatchObject({ name: 'RangeError', message: 'no' })
    expect(failure(promise)).toMatchObject({ index: 0, item: 'x' })
    expect(folder.files()).toEqual(['a.txt'])
  })
})

describe('the arguments of write()', () => {
  it('may be a file: URL, also as text', async () => {
    await write(pathToFileURL(folder.at('a.txt')))(['x'])
    await write(String(pathToFileURL(folder.at('b.txt'))))(['x'])
    expect(folder.files()).toEqual(['a.txt', 'b.txt'])
  })

  const targets: [target: unknown, text: string][] = [
    [undefined, 'received undefined (nothing was given: check the value of the path)'],
    ['', "received '' (nothing was given"],
    [1, 'received 1 (for the standard output: process.stdout)'],
    [{}, 'received {}'],
    ['https://example.com/x', '(for a server: open a request, and pass its stream)'],
    [new URL('https://example.com/x'), '(for a server'],
    [new TransformStream(), '(for its input: .writable)'],
  ]
  it.each(targets)('must name a target: %p', (target, text) => {
    expect(() => write(target as string)).toThrow(text)
    expect(() => write(target as string)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENTS', name: 'TypeError' }) as Error,
    )
  })

  const options: [options: unknown, text: string][] = [
    [{ format: 'xml' }, "'format' must be 'text' or 'ndjson' or 'csv' or 'tsv' or 'json' or 'parquet': received 'xml'"],
    [{ columns: [] }, "'columns' must be an array of different names, not empty: received []"],
    [{ columns: ['a', 'a'], format: 'csv' }, "'columns' must be an array of different names"],
    [{ columns: ['a'] }, "'columns' must be left out for the format 'text': it is for csv, tsv and parquet"],
    [{ escapeFormulas: true }, "'escapeFormulas' must be left out for the format 'text'"],
    [{ overwrite: 1 }, "'overwrite' must be true or false"],
    [{ compress: 'br' }, "'compress' must be 'gzip', 'zstd', false or { type, level }: received 'br'"],
    [{ compress: { level: 3 } }, "'compress.type' must be given: 'gzip' or 'zstd'"],
    [{ compress: { type: 'gzip', level: 10 } }, "'compress.level' must be an integer from 0 to 9: received 10"],
    [{ compress: { type: 'gzip', size: 1 } }, "it has no option 'compress.size'"],
    [{ signal: new AbortController() }, '(pass its .signal)'],
    [{ partition: '' }, "'partition' must be the key of a column, or a function of a record"],
    [{ resume: 1 }, "'resume' must be true, false or { interval, bytes, checkpoint, allowChangedCode }: received 1"],
    [{ resume: { interval: 0 } }, "'resume.interval' must be an integer from 1 to 2147483647: received 0"],
    [{ resume: { every: 5 } }, "it has no option 'resume.every'"],
  ]
  it.each(options)('must be right: %p', (given, text) => {
    expect(() => write('a.txt', given as object)).toThrow(text)
    expect(() => write('a.txt', given as object)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error,
    )
  })

  it('must be a compression that is offered', () => {
    for (const name of ['a.csv.br', 'a.xz', 'a.ZIP']) expect(() => write(name)).toThrow(/is not offered: received/)
    expect(() => write(process.stdout, { overwrite: false })).toThrow("'overwrite' must be left out for a stream")
    expect(() => write(process.stdout, { partition: 'a' })).toThrow("'partition' must be left out for a stream")
  })
})
