/** Files in blocks, and the lines of blocks. */
import { mkdirSync, mkdtempSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { blocks, files, lines, map, Pool, readLines, type BlocksOptions, type FileBlock } from 'millrace'
import { countsLines } from '../fixtures/blocks.js'
import { rejection } from '../support/matrix.js'
import { randomOf } from '../support/random.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'blocks-'))
const BLOCK: FileBlock = { path: 'a.log', offset: 0, length: 1 }
let made = 0

function fileOf(content: string | Uint8Array, ending = '.log'): string {
  const path = join(folder, `${++made}${ending}`)
  writeFileSync(path, content)
  return path
}

async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = []
  for await (const value of of) values.push(value)
  return values
}

/** The lines of all blocks of a file. */
async function linesOfBlocks(
  path: string,
  options: BlocksOptions,
  ...how: [Parameters<typeof readLines>[1]?]
): Promise<string[]> {
  const found: string[] = []
  for await (const block of blocks(path, options)) found.push(...(await all(readLines(block, ...how))))
  return found
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code
}

describe('blocks()', () => {
  it('cover each file, in order, and nothing else', async () => {
    const [one, empty, two] = [fileOf('x'.repeat(25)), fileOf(''), fileOf('x'.repeat(10))]
    const expected = [
      { path: one, offset: 0, length: 10 },
      { path: one, offset: 10, length: 10 },
      { path: one, offset: 20, length: 5 },
      { path: two, offset: 0, length: 10 },
    ]
    const found = blocks([one, empty, pathToFileURL(two)], { size: 10 })
    expect(await all(found)).toEqual(expected)
    expect(await all(found)).toEqual(expected)
    expect(await all(blocks(one))).toEqual([{ path: one, offset: 0, length: 25 }])
    expect(await all(blocks(files(`${folder}/*.log`), { size: 10 }))).toEqual(expected)
  })

  it('are made when they are asked for', async () => {
    const found = blocks([fileOf('abc'), join(folder, 'none')], { size: 2 })[Symbol.asyncIterator]()
    expect((await found.next()).value).toMatchObject({ offset: 0, length: 2 })
    expect((await found.next()).value).toMatchObject({ offset: 2, length: 1 })
    const error = await rejection(found.next())
    expect(error).toMatchObject({ code: 'ENOENT', path: join(folder, 'none') })
    expect(await found.next()).toEqual({ done: true, value: undefined })
  })

  it('of a file of 8 TiB take no memory', async () => {
    const path = fileOf('x')
    truncateSync(path, 2 ** 43)
    const found = blocks(path, { size: 1 })[Symbol.asyncIterator]()
    for (let n = 0; n < 1_000; n++) await found.next()
    await found.return?.()
    const large = await all(blocks(path, { size: 2 ** 42 }))
    expect(large.map(({ offset }) => offset)).toEqual([0, 2 ** 42])
    const last = { path, offset: 2 ** 43 - 4, length: 4 }
    expect(await all(readLines(last))).toEqual([])
    truncateSync(path, 0)
  })

  it.each([
    ['gzip', gzipSync('one\ntwo\n'), '.log', 'gzip'],
    ['zip', Buffer.from('PK\x03\x04and so on'), '.zip', 'zip'],
    ['UTF-16', Buffer.from('\ufeffone\n', 'utf16le'), '.txt', 'utf-16le'],
    ['brotli, by its name', Buffer.from('xyz'), '.br', 'brotli'],
  ])('refuse %s', async (_, content, ending, name) => {
    const path = fileOf(content, ending)
    for (const error of [
      await rejection(all(blocks(path))),
      await rejection(all(readLines({ path, offset: 0, length: content.length }))),
    ]) {
      expect(codeOf(error)).toBe('ERR_INPUT_FORMAT')
      expect((error as Error).message).toContain(`received ${name} data`)
    }
  })

  it('refuse what is not a regular file', async () => {
    const error = await rejection(all(blocks(folder)))
    expect([codeOf(error), (error as Error).message]).toEqual([
      'ERR_INVALID_SOURCE',
      expect.stringContaining('must be a regular file: received a folder') as string,
    ])
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a source of bytes', () => blocks([Buffer.from('x')] as never), /must be a path, a file: URL or files\(\)/],
    ['a size of nothing', () => blocks('x', { size: 0 }), /'size' must be an integer of at least 1: received 0/],
    ['an option of verbs', () => blocks('x', { errors: 'skip' } as never), /has no option 'errors'/],
    ['a bad name of a folder', () => blocks('x', { data: { 'A B': '/x' } }), /'data' must be an object of folders/],
  ])('refuse %s at the call', (_, call, text) => {
    expect(call).toThrow(text)
  })

  it('name the folder that a file is in', async () => {
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true })
    const path = join(folder, 'deep', 'er', 'a..b')
    writeFileSync(path, 'x')
    const data = { other: join(folder, 'dee'), deep: join(folder, 'deep') }
    expect(await all(blocks(path, { data }))).toEqual([{ data: 'deep', path: 'er/a..b', offset: 0, length: 1 }])
    const error = await rejection(all(blocks(fileOf('x'), { data })))
    expect([codeOf(error), (error as Error).message]).toEqual([
      'ERR_DATA_FOLDER',
      expect.stringContaining("must be in a folder of the option 'data': other (") as string,
    ])
  })
})

describe('readLines()', () => {
  const random = randomOf(7)
  const below = (limit: number): number => Math.floor(random() * limit)
  const ENDS = ['\n', '\n', '\r\n', '\n\n', '\r\r\n']
  const WORDS = ['', 'a', 'line', 'größe', '\ufeff', '😀', 'x'.repeat(40), '\r']

  it.each(Array.from({ length: times(5, 25) }, (_, n) => [n] as const))(
    'gives the lines of lines(), whatever the size of blocks is: text %i',
    async (n) => {
      let text = n % 3 === 0 ? '\ufeff' : ''
      for (let line = below(30); line > 0; line--) text += `${WORDS[below(WORDS.length)]}${ENDS[below(ENDS.length)]}`
      if (n % 2 === 0) text += 'the last has no end'
      const path = fileOf(text)
      const expected = await all(lines(path))
      for (const size of [1, 2, 3, 5, 8, 13, 64, 1_000]) expect(await linesOfBlocks(path, { size })).toEqual(expected)
    },
  )

  it('gives lines that are longer than blocks, and than what is read at once', async () => {
    const text = [3, 700_000, 0, 262_143, 262_144, 262_145, 5].map((length) => 'y'.repeat(length))
    const path = fileOf(`${text.join('\n')}\n`)
    for (const size of [50_000, 262_144, 300_001]) expect(await linesOfBlocks(path, { size })).toEqual(text)
  })

  it('takes encodings in which lines can be found from anywhere, and delimiters of a byte', async () => {
    const latin = fileOf(Buffer.from('gr\xfcn\nwei\xdf\n', 'latin1'))
    expect(await linesOfBlocks(latin, { size: 3 }, { encoding: 'latin1' })).toEqual(['grün', 'weiß'])
    const names = fileOf('a\nb\0c\0\0')
    expect(await linesOfBlocks(names, { size: 2 }, { delimiter: '\0' })).toEqual(['a\nb', 'c', ''])
    const invalid = fileOf(Buffer.from([0x61, 0x0a, 0xff, 0x0a]))
    expect(codeOf(await rejection(linesOfBlocks(invalid, { size: 2 }, { fatal: true })))).toBe('ERR_INVALID_UTF8')
  })

  it.each<[string, () => unknown, RegExp]>([
    ['UTF-16', () => readLines(BLOCK, { encoding: 'utf-16le' }), /'encoding' must be one in which lines can be found/],
    ['a longer delimiter', () => readLines(BLOCK, { delimiter: '\r\n' }), /'delimiter' must be one byte/],
    [
      'an empty delimiter',
      () => readLines(BLOCK, { delimiter: '' }),
      /'delimiter' must be a string or bytes, not empty/,
    ],
    ['an unknown option', () => readLines(BLOCK, { detect: true } as never), /has no option 'detect'/],
    ['a path', () => readLines('a.log' as never), /must be a block \{ path, offset, length \}.*received 'a.log'/],
    ['an offset below zero', () => readLines({ ...BLOCK, offset: -1 }), /must be a block/],
    ['no length', () => readLines({ ...BLOCK, length: 0 }), /must be a block/],
    ['an end that cannot be counted', () => readLines({ ...BLOCK, offset: 2 ** 53 - 1 }), /must be a block/],
  ])('refuses %s at the call', (_, call, text) => {
    expect(call).toThrow(text)
  })

  it('fails where the file is shorter than it was, and where a line is too long', async () => {
    const path = fileOf('one\ntwo\nthree\n')
    const [first, , last] = await all(blocks(path, { size: 5 }))
    expect(codeOf(await rejection(all(readLines(first, { maxLength: 2 }))))).toBe('ERR_LINE_TOO_LONG')
    truncateSync(path, 9)
    const error = await rejection(all(readLines(last)))
    expect([codeOf(error), (error as Error).message]).toEqual([
      'ERR_INPUT_FORMAT',
      expect.stringContaining('it ends after 9') as string,
    ])
  })

  it('closes the file at every end', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    const path = fileOf('one\ntwo\n'.repeat(100_000))
    const block = { path, offset: 0, length: 800_000 }
    const before = open()
    for await (const _ of readLines(block)) break
    await rejection(all(readLines(block, { maxLength: 1 })))
    await readLines(block).return(undefined)
    await all(readLines(block))
    expect(open()).toBe(before)
  })

  it('reads in tasks, on threads and in processes', async () => {
    const path = fileOf('line\n'.repeat(10_000))
    const sum = (counts: readonly number[]): number => counts.reduce((one, other) => one + other, 0)
    expect(sum(await map(countsLines, blocks(path, { size: 1_111 })))).toBe(10_000)
    await using pool = new Pool({ workers: 2, isolation: 'process' })
    expect(sum(await pool.map(countsLines, blocks(path, { size: 7_777 })))).toBe(10_000)
  })
})
