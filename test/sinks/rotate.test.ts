/** The option `rotate`: files of at most this many bytes, with whole records, which appear together. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { imap, lines, pipe, Pool, rejects, write, type WriteOptions } from 'millrace'
import { failsAtFives, same } from '../fixtures/sinks.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const pool = new Pool({ workers: 2, name: 'rotate' })
watchRejections()
afterAll(() => pool.terminate())

const numbers = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }))
const texts = (): string[] => folder.files().map((name) => folder.read(name))

/** The runs of records that fit into files, one record after the other. */
function expectedFiles(records: readonly string[], around: number, limit: number): string[][] {
  const all: string[][] = [[]]
  let size = around
  for (const record of records) {
    const length = Buffer.byteLength(record)
    if (all.at(-1)?.length !== 0 && size + length > limit) {
      all.push([])
      size = around
    }
    all.at(-1)?.push(record)
    size += length
  }
  return all
}

describe('rotate', () => {
  it('begins a new file before a record that does not fit, and cuts none', async () => {
    const result = await pipe(['one', 'two', 'a long line', 'x', 'y', 'z'], write(folder.at('{n}.txt'), { rotate: 8 }))
    expect(folder.files()).toEqual(['00000.txt', '00001.txt', '00002.txt'])
    expect(texts()).toEqual(['one\ntwo\n', 'a long line\n', 'x\ny\nz\n'])
    expect(result).toMatchObject({ written: 6, bytesWritten: 26 })
    expect(result.files).toEqual([
      { path: folder.at('00000.txt'), records: 2, bytes: 8 },
      { path: folder.at('00001.txt'), records: 1, bytes: 12 },
      { path: folder.at('00002.txt'), records: 3, bytes: 6 },
    ])
  })

  it('counts what stands around the records, which each file has', async () => {
    const rows = numbers(100)
    for (const [format, head, tail, record] of [
      ['csv', 'n\n', '', (n: number) => `${n}\n`],
      ['ndjson', '', '', (n: number) => `{"n":${n}}\n`],
      ['json', '[', '\n]\n', (n: number) => `,\n{"n":${n}}`],
    ] as const) {
      const expected = expectedFiles(
        rows.map(({ n }) => record(n)),
        head.length + tail.length - (format === 'json' ? 1 : 0),
        50,
      ).map((part) => head + (format === 'json' ? part.join('').slice(1) : part.join('')) + tail)
      for (const source of [rows, pool.imap(same, rows, { chunksize: 7 })]) {
        await pipe(source, write(folder.at(format, '{n}'), { format, rotate: 50 }))
        const names = folder.files(format)
        expect(names.map((name) => folder.read(format, name))).toEqual(expected)
        expect(names.every((name) => folder.read(format, name).length <= 50)).toBe(true)
      }
      expect(expected.length).toBeGreaterThan(5)
    }
  })

  it('counts text before compression, so the files do not depend on the workers', async () => {
    const text = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${n * n}\n`)
    const options: WriteOptions = { rotate: 100_000 }
    await pipe(
      lines([Buffer.from(text.join(''))]),
      pool.imap(same, { chunksize: 13 }),
      write(folder.at('a-{n}.gz'), options),
    )
    await write(folder.at('b-{n}.gz'), options)(text.map((line) => line.trimEnd()))
    const expected = expectedFiles(text, 0, 100_000).map((part) => part.join(''))
    const read = (start: string): Buffer[] =>
      folder
        .files()
        .filter((name) => name.startsWith(start))
        .map((name) => readFileSync(folder.at(name)))
    expect(read('a').map((bytes) => gunzipSync(bytes).toString())).toEqual(expected)
    expect(read('b')).toEqual(read('a'))
  })

  it('writes one file if there are no records', async () => {
    const result = await write(folder.at('{n}.csv'), { rotate: 10, columns: ['a'] })([])
    expect(texts()).toEqual(['a\n'])
    expect(result.files).toEqual([{ path: folder.at('00000.csv'), records: 0, bytes: 2 }])
  })

  it('has several numbers in a path, and makes folders', async () => {
    await write(folder.at('x', '{n}', 'part-{n}.txt'), { rotate: 1 })(['a', 'b'])
    expect(folder.files()).toEqual(['x/00000/part-00000.txt', 'x/00001/part-00001.txt'])
  })

  it('leaves out what is rejected', async () => {
    const options = { errors: rejects(folder.at('bad')) }
    const result = await pipe(
      numbers(10),
      pool.imap(failsAtFives, options),
      write(folder.at('{n}.ndjson'), { rotate: 20 }),
    )
    expect(result).toMatchObject({ written: 8, rejected: 2 })
    const kept = [0, 1, 2, 4, 5, 6, 7, 9].map((n) => `{"n":${n}}\n`)
    expect(result.files.map(({ path }) => readFileSync(path, 'utf8')).join('')).toBe(kept.join(''))
  })
})

describe('all files of a rotation', () => {
  it('appear together at the end, and replace older ones', async () => {
    writeFileSync(folder.at('00000.txt'), 'old')
    const source = function* (): Generator<string> {
      yield* ['one', 'two', 'three']
      expect(folder.read('00000.txt')).toBe('old')
      expect(existsSync(folder.at('00001.txt'))).toBe(false)
    }
    await write(folder.at('{n}.txt'), { rotate: 4 })(source())
    expect(texts()).toEqual(['one\n', 'two\n', 'three\n'])
  })

  it('are removed after an error of the source, and by a signal', async () => {
    writeFileSync(folder.at('00001.txt'), 'old')
    const broken = new RangeError('broken')
    const source = function* (): Generator<string> {
      for (let n = 0; n < 10_000; n++) yield 'x'.repeat(99)
      throw broken
    }
    await expect(write(folder.at('{n}.txt'), { rotate: 1_000 })(source())).rejects.toBe(broken)
    expect(folder.files()).toEqual(['00001.txt'])
    const controller = new AbortController()
    const endless = async function* (): AsyncGenerator<string> {
      for (let n = 0; ; n++) {
        if (n === 5_000) controller.abort('enough')
        yield 'x'.repeat(99)
        if (n % 100 === 0) await Promise.resolve()
      }
    }
    const { signal } = controller
    await expect(write(folder.at('{n}.txt'), { rotate: 1_000, signal })(endless())).rejects.toBe('enough')
    expect(folder.files()).toEqual(['00001.txt'])
  })

  it('are refused, if one of them exists and must stay', async () => {
    writeFileSync(folder.at('00002.txt'), 'old')
    const writing = write(folder.at('{n}.txt'), { rotate: 1, overwrite: false })(['a', 'b', 'c', 'd'])
    await expect(writing).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS', path: folder.at('00002.txt') })
    expect(folder.files()).toEqual(['00002.txt'])
  })

  it('are refused, if one of them is an input', async () => {
    writeFileSync(folder.at('00001.txt'), 'a\nb\n')
    const writing = pipe(
      lines(folder.at('00001.txt')),
      imap(same, { workers: 0 }),
      write(folder.at('{n}.txt'), { rotate: 1 }),
    )
    await expect(writing).rejects.toMatchObject({ code: 'ERR_OUTPUT_IS_INPUT' })
    expect(texts()).toEqual(['a\nb\n'])
  })
})

it('is refused where it cannot be done, at the call', () => {
  expect(() => write('a.txt', { rotate: 5 })).toThrow(
    "the path must have {n} for the number of the file: received 'a.txt'",
  )
  expect(() => write('a-{n}.txt')).toThrow("or {n} with 'rotate': received '{n}'")
  expect(() => write('{n}-{x}.txt', { rotate: 5 })).toThrow("received '{x}'")
  expect(() => write('{n}', { rotate: 5, partition: 'x' })).toThrow("'rotate' must be left out with 'partition'")
  expect(() => write('{name}-{n}', { rotate: 5 })).toThrow("'rotate' must be left out with a template")
  expect(() => write('{n}', { rotate: 0 })).toThrow("'rotate' must be an integer of at least 1: received 0")
  expect(() => write(new WritableStream(), { rotate: 5 })).toThrow("'rotate' must be left out for a stream")
})
