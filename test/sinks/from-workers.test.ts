/** Results that are formatted in the workers: the same bytes and the same errors as on this thread. */
import { stringify } from 'csv-stringify/sync'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { failure, filter, flatMap, imap, imapUnordered, pipe, Pool, rejects, write, type OutputError } from 'millrace'
import * as tasks from '../fixtures/sinks.js'
import { watchRejections } from '../support/rejections.js'
import { isFull, times } from '../support/volume.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const two = new Pool({ workers: 2, name: 'sink-2' })
const pools = [new Pool({ workers: 1, name: 'sink-1' }), two, new Pool({ workers: 4, name: 'sink-4' })]
watchRejections()
afterAll(() => Promise.all(pools.map((pool) => pool.terminate())))

const NAMES = ['a.txt', 'a.ndjson', 'a.json', 'a.csv', 'a.tsv'] as const
/** Each pool with each chunksize. `npm test` has each of them once. */
const WAYS = pools
  .flatMap((pool, at) =>
    ([1, 7, 'auto'] as const).map((chunksize, n) => ({ pool, chunksize, isChosen: isFull || n === at })),
  )
  .filter(({ isChosen }) => isChosen)
const items = Array.from({ length: 500 }, (_, n) => ({ n, text: `"ż ${n}",\t\n` }))
const texts = items.map(({ text }) => text)

/** What is written, from workers in all configurations; the same each time. */
async function fromWorkers(
  name: string,
  open: (pool: Pool, chunksize: number | 'auto') => AsyncIterable<unknown>,
): Promise<string> {
  const all = new Set<string>()
  for (const { pool, chunksize } of WAYS) {
    await pipe(open(pool, chunksize), write(folder.at(name)))
    all.add(folder.read(name))
  }
  expect(all.size).toBe(1)
  return [...all].join()
}

async function here(name: string, source: Iterable<unknown> | AsyncIterable<unknown>): Promise<string> {
  await write(folder.at(name))(source)
  return folder.read(name)
}

describe.each(NAMES)('%s', (name) => {
  const source = name === 'a.txt' ? texts : items

  it('has the same bytes from imap() on any workers, with any chunksize', async () => {
    const expected = await here(name, source)
    expect(
      await fromWorkers(name, (pool, chunksize) => pool.imap(tasks.same, source as unknown[], { chunksize })),
    ).toBe(expected)
    expect(
      await here(
        name,
        imap((item: unknown) => item, source as unknown[], { workers: 0 }),
      ),
    ).toBe(expected)
    expect(
      await fromWorkers(name, (pool, chunksize) =>
        pool.imap(tasks.same, source as unknown[], { chunksize, concurrency: 3 }),
      ),
    ).toBe(expected)
  })

  if (name === 'a.txt') return

  it('has the same bytes from filter() and flatMap()', async () => {
    const kept = items.filter(({ n }) => n % 2 === 0)
    const copied = items.flatMap((item) => Array.from({ length: item.n % 3 }, (_, copy) => ({ ...item, copy })))
    for (const [expected, open] of [
      [kept, (pool: Pool, chunksize: number | 'auto') => pool.filter(tasks.isEven, items, { chunksize })],
      [copied, (pool: Pool, chunksize: number | 'auto') => pool.flatMap(tasks.copies, items, { chunksize })],
    ] as const) {
      expect(await fromWorkers(name, open)).toBe(await here(name, expected))
    }
    expect(await here(name, filter(tasks.isEven, items, { workers: 0 }))).toBe(await here(name, kept))
    expect(await here(name, flatMap(tasks.copies, items, { workers: 0 }))).toBe(await here(name, copied))
  })

  it('leaves out failed items with errors: skip, and counts them', async () => {
    const good = items.filter(({ n }) => n % 5 !== 3)
    const expected = await here(name, good)
    expect(
      await fromWorkers(name, (pool, chunksize) => pool.imap(tasks.failsAtFives, items, { chunksize, errors: 'skip' })),
    ).toBe(expected)
    const retrying = two.imap(tasks.failsAtFives, items, { errors: 'skip', retries: { attempts: 2, minDelay: 0 } })
    const result = await pipe(retrying, write(folder.at(name)))
    expect(folder.read(name)).toBe(expected)
    expect(result).toMatchObject({ read: 500, written: 400, skipped: 100 })
  })

  it('fails, or leaves out, items that the format cannot take', async () => {
    for (const { pool, chunksize } of WAYS) {
      const failing = pool.imap(tasks.oddAtSevens, items, { chunksize })
      await expect(pipe(failing, write(folder.at(name)))).rejects.toMatchObject({
        code: 'ERR_OUTPUT_FORMAT',
        message: expect.stringMatching(/^Cannot write item 6 as /) as string,
      })
      const skipping = pool.imap(tasks.oddAtSevens, items, { chunksize, errors: 'skip' })
      expect(await pipe(skipping, write(folder.at(name)))).toMatchObject({ written: 429, skipped: 71 })
      expect(folder.read(name)).toBe(
        await here(
          `x-${name}`,
          items.filter(({ n }) => n % 7 !== 6),
        ),
      )
    }
    const inline = imap(tasks.oddAtSevens, items, { workers: 0, errors: 'skip' })
    expect(await pipe(inline, write(folder.at(name)))).toMatchObject({ written: 429, skipped: 71 })
  })

  it('has each record once from an unordered stream', async () => {
    const expected = (await here(name, items)).split('\n').sort()
    for (const pool of pools) {
      const written = await here(name, pool.imapUnordered(tasks.same, items, { chunksize: 7 }))
      if (name !== 'a.json') expect(written.split('\n').sort()).toEqual(expected)
      else
        expect((JSON.parse(written) as { n: number }[]).map(({ n }) => n).sort((a, b) => a - b)).toEqual(
          items.map(({ n }) => n),
        )
    }
    expect((await here(name, imapUnordered(tasks.same, items, { workers: 0, concurrency: 3 }))).length).toBe(
      (await here(name, items)).length,
    )
  })
})

describe('CSV from workers', () => {
  it('puts the fields of all records into the columns of the first', async () => {
    const wandering = items.map(({ n }) => ({ n }))
    const expected = await here('a.csv', imap(tasks.wanders, wandering, { workers: 0 }))
    expect(expected.startsWith('a,b,c\n0,"x,0",\n1,,"""1"""\n,,\n3,"x,3",\n')).toBe(true)
    expect(await fromWorkers('a.csv', (pool, chunksize) => pool.imap(tasks.wanders, wandering, { chunksize }))).toBe(
      expected,
    )
  })

  it('names a key that the first record does not have, in each mode', async () => {
    for (const { pool, chunksize } of WAYS) {
      const error = await pipe(pool.imap(tasks.grows, items, { chunksize }), write(folder.at('a.csv'))).catch(
        (error: unknown) => error as OutputError,
      )
      expect(error).toMatchObject({
        message:
          "Cannot write item 100 as csv as it has a key that the first record does not have: received 'more' (pass all columns, as in columns: ['n', 'more'])",
      })
      expect(failure(error)).toMatchObject({ index: 100, item: items[100], task: 'grows' })
      const skipping = pool.imap(tasks.grows, items, { chunksize, errors: 'skip' })
      expect(await pipe(skipping, write(folder.at('a.csv')))).toMatchObject({ written: 100, skipped: 400 })
      expect(skipping.stats()).toMatchObject({ failed: 400, skipped: 400, delivered: 100 })
      const rejecting = pool.imap(tasks.grows, items, { chunksize, errors: rejects(folder.at('bad.ndjson')) })
      expect(await pipe(rejecting, write(folder.at('a.csv')))).toMatchObject({ written: 100, rejected: 400 })
      const rejected = folder.read('bad.ndjson').trimEnd().split('\n')
      expect(rejected.map((line) => (JSON.parse(line) as { item: unknown }).item)).toEqual(items.slice(100))
    }
  })

  it('writes given columns', async () => {
    const columns = ['text', 'n']
    for (const pool of pools) {
      await pipe(pool.imap(tasks.same, items, { chunksize: 7 }), write(folder.at('a.csv'), { columns }))
      expect(parse(folder.read('a.csv'), { columns: true })).toEqual(
        items.map(({ n, text }) => ({ text, n: String(n) })),
      )
    }
  })
})

it('a record that ends its worker, or never ends, while it is formatted fails alone', async () => {
  const pool = new Pool({ workers: 2, name: 'traps' })
  for (const chunksize of [1, 4, 'auto'] as const) {
    const numbers = Array.from({ length: 12 }, (_, n) => n)
    const stream = pool.imap(tasks.traps, numbers, { chunksize, errors: 'skip', timeout: 300 })
    const result = await pipe(stream, write(folder.at('a.ndjson')))
    expect(result).toMatchObject({ read: 12, written: 10, skipped: 2 })
    const good = numbers.filter((n) => n !== 3 && n !== 7)
    expect(folder.read('a.ndjson')).toBe(good.map((n) => `{"n":${n}}\n`).join(''))
  }
  await pool.terminate()
})

it('take(), drop(), settle and stages in a row write the same as their results', async () => {
  const pool = two
  const expected = await here('a.ndjson', items)
  expect(await here('a.ndjson', pool.imap(tasks.same, items).take(500))).toBe(expected)
  expect(await here('a.ndjson', pool.imap(tasks.same, items).drop(0))).toBe(expected)
  expect(await here('a.ndjson', pipe(items, pool.imap(tasks.same), pool.imap(tasks.same)))).toBe(expected)
  const settled = await here('a.ndjson', pool.imap(tasks.same, [1], { errors: 'settle' }))
  expect(settled).toBe('{"status":"fulfilled","value":1,"index":0}\n')
  const begun = pool.imap(tasks.same, items)
  await begun.next()
  expect(await here('a.ndjson', begun)).toBe(expected.slice(expected.indexOf('\n') + 1))
})

describe('against oracles', () => {
  const field = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\t', ' ', 'ż', '🐢', '=') }),
    fc.integer(),
    fc.constantFrom(null, undefined),
  )
  const rows = fc.array(fc.record({ a: field, 'b "c"': field, d: field }), { minLength: 1, maxLength: 30 })

  it('CSV is that of csv-stringify, and csv-parse reads it back', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(',', '\t'), fc.nat(2), async (records, delimiter, nth) => {
        const name = delimiter === ',' ? 'a.csv' : 'a.tsv'
        const pool = pools[nth]
        if (pool === undefined) return
        const written = await here(name, pool.imap(tasks.same, records, { chunksize: 3 }))
        expect(written).toBe(
          stringify(records, { header: true, delimiter, record_delimiter: '\n', quoted_match: /\r/ }),
        )
        const read: unknown = parse(written, { columns: true, delimiter, record_delimiter: '\n' })
        expect(read).toEqual(
          records.map((record) => ({ a: text(record.a), 'b "c"': text(record['b "c"']), d: text(record.d) })),
        )
      }),
      { numRuns: times(12, 500) },
    )
  })

  /** What the records give, one after the other: the lines, and how many do not fit. */
  function modelOf(records: readonly unknown[]): { readonly text: string; readonly bad: number } {
    let columns: string[] | undefined
    let bad = 0
    const fitting: object[] = []
    for (const record of records) {
      const keys = Object.keys(typeof record === 'object' && record !== null ? record : {})
      const known = columns ?? keys
      const fields: unknown[] = Object.values(record ?? {})
      const isField = (value: unknown): boolean => typeof value !== 'object'
      const isRecord = typeof record === 'object' && record !== null && known.length > 0
      if (isRecord && keys.every((key) => known.includes(key)) && fields.every(isField)) {
        columns = known
        fitting.push(record)
      } else bad++
    }
    if (columns === undefined) return { text: '', bad }
    const lines = stringify(fitting, { header: true, columns, record_delimiter: '\n' })
    // It writes a blank line for one empty field, which readers leave out.
    return { text: lines.replace(/^$(?=\n)/gm, '""'), bad }
  }

  it('CSV of records whose keys come and go is that of a model, on any threads', async () => {
    const value = fc.constantFrom('', 'x', 'a,b', '"', 7, {})
    const record = fc.oneof(
      { weight: 8, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { noNullPrototype: true }) },
      { weight: 1, arbitrary: fc.constantFrom('text', null, {}, { d: 1 }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (records, chunksize) => {
          const { text, bad } = modelOf(records)
          for (const stream of [
            two.imap(tasks.same, records as unknown[], { chunksize, errors: 'skip' }),
            imap((item: unknown) => item, records as unknown[], { workers: 0, errors: 'skip' }),
          ]) {
            const result = await pipe(stream, write(folder.at('a.csv')))
            expect(folder.read('a.csv')).toBe(text)
            expect(result).toMatchObject({ read: records.length, written: records.length - bad, skipped: bad })
          }
        },
      ),
      { numRuns: times(16, 700) },
    )
  })

  it('NDJSON is that of JSON.stringify', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.nat(2), async (values, nth) => {
        const pool = pools[nth]
        if (pool === undefined) return
        const written = await here('a.ndjson', pool.imap(tasks.same, values, { chunksize: 3 }))
        expect(written).toBe(values.map((value) => `${JSON.stringify(value)}\n`).join(''))
      }),
      { numRuns: times(12, 500) },
    )
  })
})

function text(value: string | number | null | undefined): string {
  return String(value ?? '')
}
