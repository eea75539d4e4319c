/** lines() recognises an input by its first bytes: it is decoded, refused with the cure, or text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { InputError, lines, type LinesOptions } from 'millrace'

const folder = mkdtempSync(join(tmpdir(), 'millrace-format-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }

async function read(source: Parameters<typeof lines>[0], options?: LinesOptions): Promise<string[]> {
  const given: string[] = []
  for await (const line of lines(source, options)) given.push(line)
  return given
}

const hex = (text: string, ...behind: string[]) =>
  Buffer.concat([Buffer.from(text.replaceAll(' ', ''), 'hex'), ...behind.map((part) => Buffer.from(part))])
const program = (...words: string[]) =>
  `to run them through a program: decompress: [${words.map((word) => `'${word}'`).join(', ')}]`
const tar = Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\0')])

describe('lines() refuses input that is not text, with the cure', () => {
  it.each([
    ['zip', hex('504b0304 1400'), "run them through 'unzip -p FILE'"],
    ['zip', hex('504b0506 0000'), "run them through 'unzip -p FILE'"],
    ['xz', hex('fd377a585a00 0004'), program('xz', '-dc')],
    ['lzma', hex('5d00008000 ffffffffffffffff 00'), program('xz', '-dc')],
    ['bzip2', hex('425a6839 314159265359 00'), program('bzip2', '-dc')],
    ['bzip2', hex('425a6831 177245385090 00'), program('bzip2', '-dc')],
    ['lz4', hex('04224d18 6440'), program('lz4', '-dc')],
    ['7z', hex('377abcaf271c 0004'), "run them through '7z x -so FILE'"],
    ['Parquet', hex('5041523115 04'), 'read the file with parquet()'],
    [
      'SQLite',
      Buffer.from('SQLite format 3\0\x10'),
      `run them through 'sqlite3 -csv -header FILE "SELECT * FROM TABLE"'`,
    ],
    ['rar', hex('526172211a07 00'), "run them through 'unrar p -inul FILE'"],
    ['compress (.Z)', hex('1f9d90 00'), program('gzip', '-dc')],
    ['snappy', hex('ff060000734e61507059 00'), program('snzip', '-dc')],
    ['UTF-32', hex('fffe0000 61000000'), program('iconv', '-f', 'utf-32', '-t', 'utf-8')],
    ['UTF-32', hex('0000feff 00000061'), program('iconv', '-f', 'utf-32', '-t', 'utf-8')],
    ['tar', tar, program('tar', '-xOf', '-')],
    ['tar', zlib.gzipSync(tar), "run them through 'gzip -dc FILE | tar -xOf -'"],
    ['gzip', zlib.gzipSync(zlib.gzipSync('a\n')), "run them through 'gzip -dc FILE | gzip -dc'"],
  ])('%s', async (name, bytes, cure) => {
    const path = join(folder, 'foreign')
    writeFileSync(path, bytes)
    for (const source of [path, [bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
      // With single bytes, lines() does not wait to see bytes that are far from the start.
      if (name === 'tar' && source !== path && Array.isArray(source) && source.length > 1) continue
      const error: unknown = await read(source).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(InputError)
      expect(error).toMatchObject({ code: 'ERR_INPUT_FORMAT', offset: 0, ...(source === path && { path }) })
      expect(String(error)).toContain(
        `Cannot read the input as it must be text, or text compressed as gzip, zstd or brotli: received ${name} data ` +
          `(${cure}; to read its bytes as they are: detect: false)`,
      )
    }
    if (name !== 'gzip')
      expect((await read([bytes], { detect: false, encoding: 'latin1' })).join('\n').length).toBeGreaterThan(0)
  })

  const text = Array.from({ length: 50 }, (_, n) => `line ${n}`).join('\n')

  it('brotli without a name, because it does not have a mark', async () => {
    await expect(read([zlib.brotliCompressSync(text)])).rejects.toThrow('received brotli data (give a file a name')
  })

  it.each([
    ['utf-16le', Buffer.from(text, 'utf16le')],
    ['utf-16be', Buffer.from(text, 'utf16le').swap16()],
    ['utf-16le', Buffer.from('Привет мир\nи ещё\n', 'utf16le')],
  ])('%s without a byte order mark', async (encoding, bytes) => {
    const error: unknown = await read([bytes]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_INPUT_FORMAT' })
    expect(String(error)).toContain(`received a zero in every other byte, as in UTF-16 (encoding: '${encoding}'`)
    expect((await read([bytes], { encoding })).length).toBeGreaterThan(1)
  })

  it('and closes the source, and tells workers the same', async () => {
    let closed = 0
    function* source() {
      try {
        yield hex('fd377a585a00 0004')
      } finally {
        closed++
      }
    }
    await expect(read(source())).rejects.toMatchObject({ code: 'ERR_INPUT_FORMAT' })
    expect(closed).toBe(1)
  })
})

describe('lines() decodes', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => `line ${n} ä`)
  const text = rows.join('\n')

  it('brotli by the name of the file', async () => {
    const path = join(folder, 'text.br')
    const bytes = zlib.brotliCompressSync(text, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })
    writeFileSync(path, bytes)
    expect(await read(path)).toEqual(rows)
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('more')]))
    await expect(read(path)).rejects.toMatchObject({ code: 'ERR_DAMAGED_INPUT', offset: bytes.length, path })
    writeFileSync(path, bytes.subarray(0, -9))
    await expect(read(path)).rejects.toMatchObject({ code: 'ERR_DAMAGED_INPUT', cause: { code: 'Z_BUF_ERROR' } })
  })

  const itWithZstd = zstdCompressSync === undefined ? it.skip : it
  itWithZstd('zstd by the decoder of Node; where it has none, see fzstd.test.ts', async () => {
    if (zstdCompressSync === undefined) return
    const bytes = zstdCompressSync(Buffer.from(text))
    expect(await read([bytes])).toEqual(rows)
    expect(await read([zstdCompressSync(Buffer.from('a\nb')), zstdCompressSync(Buffer.from('c\n'))])).toEqual([
      'a',
      'bc',
    ])
    const all: unknown[] = []
    for (const damaged of [bytes.subarray(0, -5), Buffer.concat([bytes, Buffer.from('garbage')])]) {
      all.push(await read([damaged]).catch((error: unknown) => error))
    }
    expect(all).toMatchObject([{ code: 'ERR_DAMAGED_INPUT', offset: bytes.length - 5 }, { code: 'ERR_DAMAGED_INPUT' }])
  })

  it.each([
    ['utf16le', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['utf16be', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['gzip of it', zlib.gzipSync(Buffer.from(`\ufeff${text}`, 'utf16le'))],
  ])('UTF-16 with a byte order mark: %s', async (_, bytes) => {
    expect(await read([bytes])).toEqual(rows)
    expect(await read([bytes], { encoding: 'utf-16le' })).toEqual(rows)
    expect(await read(Array.from(bytes.subarray(0, 300), (byte) => Uint8Array.of(byte))).catch(() => [])).toBeDefined()
  })
})

describe('lines() takes for text', () => {
  it.each([
    'BZh',
    'PAR1',
    'PAR1,x',
    'SQLite format 3\n',
    'BZh9 is a mark',
    'PK',
    'PK\n',
    'Rar!',
    '7z',
    'LZIP',
    'P*M',
    ']',
    '(',
    'ustar',
    '\0',
    'a\0\n',
  ])('what begins like something else: %j', async (text) => {
    const expected = text.split('\n').filter((line) => line !== '')
    expect(await read([Buffer.from(text)])).toEqual(expected)
    expect(await read(Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toEqual(expected)
  })

  it('records that end with zeros', async () => {
    expect(await read([Buffer.from('a\0b\0c\0')], { delimiter: '\0' })).toEqual(['a', 'b', 'c'])
  })

  it('latin1 that is not UTF-8', async () => {
    const words = 'Ça va? Déjà vu, naïve façade; Straße über Köln.'
    expect(await read([Buffer.from(words, 'latin1')])).toHaveLength(1)
  })

  it('anything with detect: false', async () => {
    const zipped = zlib.gzipSync('a\n')
    const given = await read([zipped], { detect: false, encoding: 'latin1', delimiter: '\xff\xff\xff' })
    expect(Buffer.from(given[0] ?? '', 'latin1').equals(zipped)).toBe(true)
  })
})
