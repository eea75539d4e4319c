/** Hostile input, for every source of lines and records: a clear error or the right rows, in bounded memory. */
import { gzipSync } from 'node:zlib'
import { csv, json, lines, ndjson, Pool, tsv } from 'millrace'
import { same } from '../fixtures/records.js'
import { isFull } from '../support/volume.js'

const pool = new Pool({ workers: 2 })
afterAll(() => pool.terminate())

const MIB = 2 ** 20

interface Limits {
  readonly maxLength?: number
}
type Open = (source: Iterable<Buffer>, limits?: Limits) => AsyncIterable<unknown>

/** Each source, what stands before the long record, and the code of its error. */
const SOURCES: readonly [name: string, open: Open, start: string, code: string][] = [
  ['lines()', lines, '1\n', 'ERR_LINE_TOO_LONG'],
  ['csv()', csv, 'a\n1\n', 'ERR_RECORD_TOO_LONG'],
  ['tsv()', tsv, 'a\n1\n', 'ERR_RECORD_TOO_LONG'],
  ['csv() in quotes', csv, 'a\n1\n"', 'ERR_CSV_UNCLOSED_QUOTE'],
  ['csv() in its header', csv, '"', 'ERR_CSV_UNCLOSED_QUOTE'],
  ['ndjson()', ndjson, '1\n', 'ERR_RECORD_TOO_LONG'],
  ['json() in a string', json, '[1,"', 'ERR_RECORD_TOO_LONG'],
  ['json() in an array', json, '[1,[1', 'ERR_RECORD_TOO_LONG'],
]

/** The error, after how many items it came, and by how much memory has grown at most. */
async function ending(source: AsyncIterable<unknown>): Promise<{ given: number; error: unknown }> {
  let given = 0
  try {
    for await (const _ of source) given++
  } catch (error) {
    return { given, error }
  }
  throw new Error(`no error came after ${given} items`)
}

describe.each(SOURCES)('%s', (name, open, start, code) => {
  const count = name.endsWith('header') ? 0 : 1

  it('ends at maxLength with an error, in bounded memory, for 100 MB without a line end', async () => {
    const block = Buffer.alloc(MIB, '1')
    for (const workers of isFull ? [undefined, 0, 1, 2] : [undefined, 2]) {
      let read = 0
      let peak = 0
      const before = process.memoryUsage()
      const endless = function* (): Generator<Buffer> {
        yield Buffer.from(start)
        for (; read < 100; read++) {
          const { arrayBuffers, external } = process.memoryUsage()
          peak = Math.max(peak, arrayBuffers + external - before.arrayBuffers - before.external)
          yield block
        }
      }
      const limits = { maxLength: 2 * MIB }
      const source = open(endless(), limits)
      const { given, error } = await ending(workers === undefined ? source : pool.imap(same, source, { workers }))
      expect(error).toMatchObject({ code, message: expect.stringMatching(/maxLength/) as string })
      expect(given).toBe(count)
      expect(read).toBeLessThan(12)
      expect(peak).toBeLessThan(40 * MIB)
    }
  })

  it('ends at maxLength with an error for a zip bomb', async () => {
    let members = 0
    const bomb = function* (): Generator<Buffer> {
      yield gzipSync(start)
      for (; members < 1_000; members++) yield BOMB
    }
    const { given, error } = await ending(open(bomb(), { maxLength: 100_000 }))
    expect(error).toMatchObject({ code, message: expect.stringMatching(/maxLength/) as string })
    expect([given, members < 5]).toEqual([count, true])
  })
})

/** A thousand times smaller than what is in it. */
const BOMB = gzipSync(Buffer.alloc(16 * MIB, '1'))

describe('a record of 20 MB', () => {
  const long = '1'.repeat(20 * MIB)
  const limits = { maxLength: 32 * MIB }
  const cases: [name: string, open: Open, text: string, given: unknown][] = [
    ['lines()', lines, long, long],
    ['csv()', csv, `a\n${long}\n`, { a: long }],
    ['csv() in quotes', csv, `a\n"${long}"\n`, { a: long }],
    ['ndjson()', ndjson, `"${long}"`, long],
    ['json()', json, `["${long}"]`, long],
  ]

  it.each(cases)('is given by %s where maxLength allows it', async (_, open, text, given) => {
    const bytes = Buffer.from(text)
    const blocks = Array.from({ length: Math.ceil(bytes.length / MIB) }, (_, n) =>
      bytes.subarray(n * MIB, (n + 1) * MIB),
    )
    const all: unknown[] = []
    for await (const item of open(blocks, limits)) all.push(item)
    expect(all).toHaveLength(1)
    // Not toEqual(): its message would be as long.
    expect(JSON.stringify(all[0]) === JSON.stringify(given)).toBe(true)
  })
})

describe('a header', () => {
  const read = async (text: string, options?: object): Promise<unknown[]> => {
    const all: unknown[] = []
    for await (const row of csv([Buffer.from(text)], options)) all.push(row)
    return all
  }

  it('of 10,000 columns gives rows with all of them, and of 200,000 is read in a moment', async () => {
    for (const count of [10_000, 200_000]) {
      const names = Array.from({ length: count }, (_, i) => `c${i}`)
      const text = `${names.join()}\n${names.map((_, i) => i).join()}\n`
      const [row] = (await read(text)) as [Record<string, string>]
      expect([Object.keys(row).length, row.c0, row[`c${count - 1}`]]).toEqual([count, '0', String(count - 1)])
      const last = names.slice(-2)
      expect(await read(text, { columns: last })).toEqual([
        { [last[0] ?? '']: String(count - 2), [last[1] ?? '']: String(count - 1) },
      ])
      await expect(read(`${names.join()},c7\n`)).rejects.toMatchObject({
        code: 'ERR_CSV_HEADER',
        message: expect.stringContaining(`received 'c7' for columns 8 and ${count + 1}`) as string,
      })
    }
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`)
    const rows = await pool.imap(same, csv([Buffer.from(`${names.join()}\n${names.join()}\n`)])).toArray()
    expect(rows).toEqual([Object.fromEntries(names.map((name) => [name, name]))])
  })

  it('of names that objects have by themselves gives own properties', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__']
    const text = `${names.join()}\n${names.map((_, i) => i).join()}\n`
    const [here] = await read(text)
    const [there] = await pool.imap(same, csv([Buffer.from(text)])).toArray()
    for (const row of [here, there] as object[]) {
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
      expect(Object.entries(row)).toEqual(names.map((name, i) => [name, String(i)]))
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
