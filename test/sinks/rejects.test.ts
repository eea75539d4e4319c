import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { csv, imap, lines, ndjson, pipe, Pool, RecordError, rejects, replay, write, type StreamOptions } from 'millrace'
import { dieOn, failOn, same } from '../fixtures/records.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const root = folder.path
const at = (...names: string[]): string => folder.at(...names)
const pool = new Pool({ workers: 2 })
afterAll(() => pool.terminate())

interface Line {
  readonly file?: string
  readonly record?: number
  readonly offset?: number
  readonly length?: number
  readonly index?: number
  readonly item?: unknown
  readonly raw?: string
  readonly format?: { readonly kind: string }
  readonly error: { readonly name: string; readonly code?: string; readonly message: string }
  readonly task: string
  readonly attempts: number
}

const linesOf = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

const text = 'a,b\n1,2\n3\n"x\ny",z\n5,boom\n6,"7" \n8,9\n'

describe('rejects() writes failed items', () => {
  it('in item order, with what the task got or the text of the record, whatever the chunks and workers', async () => {
    const input = at('in.csv')
    writeFileSync(input, text)
    let first: string | undefined
    for (const workers of [0, 1, 2]) {
      for (const chunksize of [1, 3, 'auto'] as const) {
        const path = at('bad.ndjson')
        const options = { workers, chunksize, errors: rejects(path) }
        const good = await pool.imap(failOn, csv(input), options).toArray()
        expect(good).toHaveLength(3)
        expect(linesOf(path)).toEqual([
          {
            file: input,
            record: 2,
            offset: 8,
            length: 1,
            raw: '3',
            format: expect.objectContaining({ kind: 'csv', names: ['a', 'b'] }) as object,
            error: {
              name: 'RecordError',
              code: 'ERR_CSV_FIELDS',
              message: expect.stringMatching(/^Cannot read record 2/) as string,
            },
            task: 'failOn',
            attempts: 1,
          },
          {
            file: input,
            record: 4,
            offset: 18,
            length: 6,
            item: { a: '5', b: 'boom' },
            error: { name: 'Error', message: 'boom' },
            task: 'failOn',
            attempts: 1,
          },
          expect.objectContaining({ record: 5, offset: 25, length: 6, raw: '6,"7" ' }),
        ])
        const bytes = readFileSync(path, 'utf8')
        first ??= bytes
        expect(bytes).toBe(first)
        expect(readdirSync(root).sort()).toEqual(['bad.ndjson', 'in.csv'])
      }
    }
  })

  it('of other sources with their index, and errors of any kind', async () => {
    const path = at('bad.ndjson')
    const fails = (item: number): number => {
      if (item === 1) throw Object.assign(new TypeError('odd'), { code: 'E_ODD' })
      if (item === 2) throw 'a string'
      return item
    }
    const loop: { self?: unknown } = {}
    loop.self = loop
    const items = [0, 1, 2, 3n, loop, undefined] as number[]
    const strict = (item: unknown): unknown => {
      if (typeof item !== 'number') throw new Error('not a number')
      return fails(item)
    }
    expect(await imap(strict, items, { workers: 0, errors: rejects(path) }).toArray()).toEqual([0])
    expect(linesOf(path).map(({ index, item, error }) => [index, item, error.name, error.code])).toEqual([
      [1, 1, 'TypeError', 'E_ODD'],
      [2, 2, 'string', undefined],
      [3, undefined, 'Error', undefined],
      [4, undefined, 'Error', undefined],
      [5, null, 'Error', undefined],
    ])
    expect(readFileSync(path, 'utf8')).toContain('"shown":"3n"')
  })

  it('with their attempts, and those that kill a worker', async () => {
    const path = at('bad.ndjson')
    const input = [Buffer.from(`a,b\n${'1,2\n'.repeat(10)}die,x\n${'3,4\n'.repeat(10)}`)]
    const options = { errors: rejects(path), retries: { attempts: 2, minDelay: 0 } }
    expect(await pool.imap(dieOn, csv(input), options).toArray()).toHaveLength(20)
    expect(linesOf(path)).toMatchObject([
      { record: 11, item: { a: 'die', b: 'x' }, error: { code: 'ERR_WORKER_CRASHED' }, attempts: 2 },
    ])
  })

  it('and counts them', async () => {
    const stream = pool.imap(failOn, csv([Buffer.from(text)]), { errors: rejects(at('bad.ndjson')) })
    await stream.toArray()
    expect(stream.stats()).toMatchObject({ read: 6, failed: 3, rejected: 3, skipped: 0, delivered: 3 })
  })

  it('beside a file of the good ones, from workers that format them', async () => {
    const [bad, good] = [at('bad.ndjson'), at('good.csv')]
    const result = await pipe(csv([Buffer.from(text)]), pool.imap(failOn, { errors: rejects(bad) }), write(good))
    expect(result).toMatchObject({ read: 6, written: 3, rejected: 3, skipped: 0 })
    expect(readFileSync(good, 'utf8')).toBe('a,b\n1,2\n"x\ny",z\n8,9\n')
    expect(linesOf(bad).map(({ record }) => record)).toEqual([2, 4, 5])
  })

  it('in unordered streams, folds and filters, too', async () => {
    const path = at('bad.ndjson')
    const source = () => csv([Buffer.from(text)])
    for (const run of [
      () => pool.imapUnordered(failOn, source(), { errors: rejects(path) }).toArray(),
      () => pool.filter(failOn, source(), { errors: rejects(path) }).toArray(),
      () => pool.map(failOn, source(), { errors: rejects(path) }),
    ]) {
      expect(await run()).toHaveLength(3)
      const records = linesOf(path).map(({ record }) => record ?? 0)
      expect(records.sort((one, other) => one - other)).toEqual([2, 4, 5])
    }
  })

  it('as many as there are, without keeping them in memory', async () => {
    const path = at('bad.ndjson')
    const many = `${'x'.repeat(500)}\n`.repeat(20_000)
    const fail = (): never => {
      throw new Error('no')
    }
    const stream = imap(fail, lines([Buffer.from(many)]), { workers: 0, errors: rejects(path) })
    expect(await stream.toArray()).toEqual([])
    expect(linesOf(path)).toHaveLength(20_000)
    expect(linesOf(path)[19_999]).toMatchObject({ record: 20_000, length: 500 })
  })
})

describe('the file of rejects()', () => {
  it('replaces an older one, also if nothing has failed', async () => {
    const path = at('deep', 'bad.ndjson')
    await imap(() => Promise.reject(new Error('no')), [1], { workers: 0, errors: rejects(path) }).toArray()
    expect(linesOf(path)).toHaveLength(1)
    await imap((x: number) => x, [1], { workers: 0, errors: rejects(path) }).toArray()
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('is not made before the first read, and not left behind by a stream that fails', async () => {
    const path = at('bad.ndjson')
    writeFileSync(path, 'older\n')
    function* source(): Generator<number> {
      yield 1
      throw new Error('broken source')
    }
    const failing = (): never => {
      throw new Error('no')
    }
    const stream = imap(failing, source(), { workers: 0, errors: rejects(path) })
    expect(readdirSync(root)).toEqual(['bad.ndjson'])
    await expect(stream.toArray()).rejects.toThrow('broken source')
    await settled(() => readdirSync(root).length === 1)
    expect(readFileSync(path, 'utf8')).toBe('older\n')
  })

  it('has what has failed so far when the stream is left', async () => {
    const path = at('bad.ndjson')
    const odd = (x: number): number => {
      if (x % 2 === 1) throw new Error('odd')
      return x
    }
    const stream = imap(odd, [1, 2, 3, 4, 5, 6], { workers: 0, errors: rejects(path), window: 1 })
    for await (const x of stream) if (x === 4) break
    expect(linesOf(path).map(({ index }) => index)).toEqual([0, 2])
  })

  it('is removed when what reads the stream fails', async () => {
    const [bad, good] = [at('bad.ndjson'), at('good.csv')]
    writeFileSync(good, 'kept')
    const run = pipe(
      csv([Buffer.from(text)]),
      pool.imap(failOn, { errors: rejects(bad) }),
      write(good, { overwrite: false }),
    )
    await expect(run).rejects.toThrow(/exists/)
    await settled(() => readdirSync(root).length === 1)
    expect(existsSync(bad)).toBe(false)
  })

  it('that cannot be made ends the stream with the error of the system', async () => {
    const path = at('file')
    writeFileSync(path, '')
    const stream = imap((x: number) => x, [1, 2], { workers: 0, errors: rejects(join(path, 'bad.ndjson')) })
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  it('is for one stream at a time', async () => {
    const path = at('bad.ndjson')
    const errors = rejects(path)
    const one = imap((x: number) => x, [1, 2], { workers: 0, errors })
    await one.next()
    const other = imap((x: number) => x, [1, 2], { workers: 0, errors: rejects(path) })
    await expect(other.next()).rejects.toThrow(/another stream writes that file/)
    await one.toArray()
    expect(await imap((x: number) => x, [1, 2], { workers: 0, errors }).toArray()).toEqual([1, 2])
  })

  it('must not be an input', async () => {
    const path = at('in.csv')
    writeFileSync(path, text)
    const stream = pool.imap(same, csv(path), { errors: rejects(path) })
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'ERR_OUTPUT_IS_INPUT' })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('needs a path', () => {
    for (const wrong of ['', 7, undefined, 'https://example.com/x', new URL('https://example.com/x')])
      expect(() => rejects(wrong as string)).toThrow(/its name must be a path or a file: URL/)
    expect(rejects(new URL('file:///tmp/a%20b')).path).toBe('/tmp/a b')
    const errors = { path: 'x' } as never
    expect(() => imap((x: number) => x, [1], { workers: 0, errors })).toThrow(
      /'errors' must be 'throw' or 'settle' or 'skip', or rejects\(path\): received \{ path: 'x' \}/,
    )
  })
})

describe('maxErrors', () => {
  const fail = (x: number): number => {
    if (x % 4 === 3) throw new Error(`no ${x}`)
    return x
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, x) => x)
  const run = (count: number, options: Pick<StreamOptions, 'maxErrors'>, path?: string) =>
    imap(fail, numbers(count), { ...options, workers: 0, errors: path === undefined ? 'skip' : rejects(path) })

  it('ends the stream when more items fail, after the results before', async () => {
    const stream = run(100, { maxErrors: 2 })
    const given: number[] = []
    await expect(
      (async () => {
        for await (const x of stream) given.push(x)
      })(),
    ).rejects.toMatchObject({
      code: 'ERR_TOO_MANY_ERRORS',
      message:
        "Cannot continue the stream as at most 'maxErrors' (2) of its items may fail: received 3 failed items of 12. The last error is the cause",
      cause: { message: 'no 11' },
    })
    expect(given).toEqual([0, 1, 2, 4, 5, 6, 8, 9, 10])
    expect(await run(100, { maxErrors: 25 }).toArray()).toHaveLength(75)
    await expect(run(4, { maxErrors: 0 }).toArray()).rejects.toMatchObject({ code: 'ERR_TOO_MANY_ERRORS' })
  })

  it('judges a share from 1,000 items on, and at the end', async () => {
    expect(await run(100, { maxErrors: '25%' }).toArray()).toHaveLength(75)
    await expect(run(100, { maxErrors: '24.9%' }).toArray()).rejects.toThrow(/25 failed items of 100/)
    await expect(run(100_000, { maxErrors: '10%' }).toArray()).rejects.toThrow(/failed items of 1000\./)
  })

  it('removes the file of failed items', async () => {
    const path = at('bad.ndjson')
    await expect(run(100, { maxErrors: 2 }, path).toArray()).rejects.toThrow(/maxErrors/)
    await settled(() => readdirSync(root).length === 0)
    expect(existsSync(path)).toBe(false)
  })

  it('is the same on workers', async () => {
    const many = `a,b\n${'1,2\n'.repeat(3_000)}${'boom,1\n'.repeat(20)}${'1,2\n'.repeat(3_000)}`
    for (const chunksize of [1, 100, 'auto'] as const) {
      const stream = pool.imap(failOn, csv([Buffer.from(many)]), { errors: 'skip', maxErrors: 9, chunksize })
      await expect(stream.toArray()).rejects.toThrow(/received 10 failed items/)
    }
  })

  it('is checked at the call', () => {
    for (const maxErrors of [-1, 1.5, '5', '101%', 'x%', '5 %'])
      expect(() => run(1, { maxErrors: maxErrors as number })).toThrow(/'maxErrors' must be an integer of at least 0/)
    expect(() => imap(fail, [1], { workers: 0, maxErrors: 1 })).toThrow(/'maxErrors' must be used with errors: 'skip'/)
  })
})

describe('replay() gives the items of such a file', () => {
  it('as they were, here and on workers, until they do not fail', async () => {
    const [bad, again] = [at('bad.ndjson'), at('again.ndjson')]
    const items = [
      { a: 'boom', b: '1' },
      { a: '2', b: '3' },
      { a: '4', b: 'boom' },
    ]
    await pool.imap(failOn, items, { errors: rejects(bad) }).toArray()
    for (const workers of [0, 2]) {
      expect(await pool.imap(same, replay(bad), { workers, errors: rejects(again) }).toArray()).toEqual([
        items[0],
        items[2],
      ])
      expect(readFileSync(again, 'utf8')).toBe('')
    }
    const given: unknown[] = []
    for await (const item of replay(bad)) given.push(item)
    expect(given).toEqual([items[0], items[2]])
  })

  it('and reads records again from their text, in the format of the line', async () => {
    const bad = at('bad.ndjson')
    const source = csv([Buffer.from('n;a;b\n1;"x""y";z\n2;u\n3;v"w;q\n')], {
      delimiter: ';',
      columns: ['b', 'n'],
      types: { n: Number },
    })
    await pool.imap(same, source, { errors: rejects(bad) }).toArray()
    const good = await pool.imap(same, replay(bad), { errors: 'skip' }).toArray()
    expect(good).toEqual([])
    const text = readFileSync(bad, 'utf8')
    writeFileSync(bad, text.replace('"2;u"', '"2;u;\\"t;t\\""').replace('v\\"w', 'v'))
    expect(await pool.imap(same, replay(bad)).toArray()).toEqual([
      { b: 't;t', n: 2 },
      { b: 'q', n: 3 },
    ])
    await pool.imap(same, ndjson([Buffer.from('1\n{\n')]), { errors: rejects(bad) }).toArray()
    writeFileSync(bad, readFileSync(bad, 'utf8').replace('"{"', '"{}"'))
    expect(await pool.imap(same, replay(bad)).toArray()).toEqual([{}])
  })

  it('and tells which line has none', async () => {
    const bad = at('bad.ndjson')
    const fail = (): never => {
      throw new Error('no')
    }
    await imap(fail, [1n, 2], { workers: 0, errors: rejects(bad) }).toArray()
    writeFileSync(bad, `${readFileSync(bad, 'utf8')}7\n{\n`)
    const outcomes = await imap((item: unknown) => item, replay(bad), { workers: 0, errors: 'settle' }).toArray()
    const errors = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as RecordError) : undefined,
    )
    expect(errors.map((error) => error?.message)).toEqual([
      expect.stringMatching(/^Cannot read record 1 .* as its item could not be written as JSON, .* it was 1n$/),
      undefined,
      expect.stringMatching(/^Cannot read record 3 .* as it must be a line that rejects\(\) has written/),
      expect.stringMatching(/^Cannot read record 4 .* as it must be JSON/),
    ])
    expect(errors[0]).toBeInstanceOf(RecordError)
  })
})

/** Waits until something has come true that follows from what has happened. */
async function settled(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve))
}
