import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { constants, gunzipSync, gzipSync, inflateRawSync, crc32 } from 'node:zlib'
import fc from 'fast-check'
import { imap, InputError, lines } from 'millrace'

const folder = mkdtempSync(join(tmpdir(), 'millrace-gunzip-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function collect(source: AsyncIterable<string>): Promise<string[]> {
  const given: string[] = []
  for await (const line of source) given.push(line)
  return given
}

async function untilError(source: AsyncIterable<string>): Promise<{ given: string[]; error: unknown }> {
  const given: string[] = []
  try {
    for await (const line of source) given.push(line)
  } catch (error) {
    return { given, error }
  }
  throw new Error(`no error came after ${given.length} lines`)
}

/** Lines that do not compress well: about 3 MB, 1.5 MB as gzip. */
const expected = Array.from(
  { length: 100_000 },
  (_, i) => `${String(i)} ${((i * 2654435761) >>> 0).toString(16)} ${String(Math.sin(i))}`,
)
const text = Buffer.from(`${expected.join('\n')}\n`)
const zipped = gzipSync(text)

function blocks(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

describe('lines() decompresses gzip', () => {
  it('of a file with any name', async () => {
    const path = join(folder, 'no-suffix')
    writeFileSync(path, zipped)
    expect(await collect(lines(path))).toEqual(expected)
  })

  it('of a stream and of byte chunks of any size', async () => {
    expect(await collect(lines(Readable.from(blocks(zipped, 65_536))))).toEqual(expected)
    expect(await collect(lines(blocks(zipped, 1000)))).toEqual(expected)
    expect(await collect(lines([zipped]))).toEqual(expected)
  })

  it('whose first chunk has one byte', async () => {
    expect(await collect(lines([zipped.subarray(0, 1), zipped.subarray(1)]))).toEqual(expected)
  })

  it('of all members, wherever the chunks end', async () => {
    const members = Buffer.concat([gzipSync('one\ntw'), gzipSync(''), gzipSync('o\r\nthree\n'), gzipSync('four')])
    for (let at = 0; at <= members.length; at++) {
      const chunks = [members.subarray(0, at), members.subarray(at)]
      expect(await collect(lines(chunks))).toEqual(['one', 'two', 'three', 'four'])
    }
    expect(await collect(lines(blocks(members, 1)))).toEqual(['one', 'two', 'three', 'four'])
  })

  it('and ignores zeros after it', async () => {
    expect(await collect(lines([gzipSync('one\n'), Buffer.alloc(512)]))).toEqual(['one'])
    expect(await collect(lines([Buffer.concat([gzipSync('one\n'), Buffer.alloc(512)])]))).toEqual(['one'])
  })

  it('of members behind zeros, wherever the chunks end', async () => {
    const padded = Buffer.concat([
      gzipSync('a\nb'),
      Buffer.alloc(16),
      gzipSync('c\n'),
      Buffer.alloc(1),
      gzipSync('d\n'),
    ])
    const bytes = Buffer.concat([padded, Buffer.alloc(600)])
    for (let at = 0; at <= bytes.length; at += 7) {
      expect(await collect(lines([bytes.subarray(0, at), bytes.subarray(at)]))).toEqual(['a', 'bc', 'd'])
    }
    expect(await collect(lines(blocks(bytes, 1)))).toEqual(['a', 'bc', 'd'])
  })

  it('whose header has all that a header can have', async () => {
    const [, ...rest] = [0, ...zipped.subarray(10)]
    const fields = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]),
      Buffer.from([3, 0, 1, 2, 3]),
      Buffer.from('name.log\0a comment\0'),
    ])
    const checksum = Buffer.alloc(2)
    checksum.writeUInt16LE(crc32(fields) & 0xffff)
    const bytes = Buffer.concat([fields, checksum, Buffer.from(rest)])
    expect(gunzipSync(bytes).equals(text)).toBe(true)
    expect(await collect(lines([bytes]))).toEqual(expected)
    const small = bytes.subarray(0, 200)
    expect((await untilError(lines(blocks(small, 1)))).given).toEqual((await untilError(lines([small]))).given)
  })

  it('of a file that is read twice, as it has zeros between large members: each line once', async () => {
    const path = join(folder, 'zeros.gz')
    const [first, second] = [text.subarray(0, 2_000_003), text.subarray(2_000_003)]
    for (const zeros of [1, 100_000]) {
      writeFileSync(path, Buffer.concat([gzipSync(first), Buffer.alloc(zeros), gzipSync(second), Buffer.alloc(zeros)]))
      expect(await collect(lines(path))).toEqual(expected)
    }
  })

  it('of a file with many members', async () => {
    const path = join(folder, 'members.gz')
    writeFileSync(path, Buffer.concat(expected.slice(0, 5000).map((line) => gzipSync(`${line}\n`))))
    expect(await collect(lines(path))).toEqual(expected.slice(0, 5000))
  })

  it('and counts bytes of the uncompressed input', async () => {
    const reading = lines([gzipSync('one\ntwo\nthree\n')], { maxLength: 3 })
    await expect(collect(reading)).rejects.toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: 3, offset: 8 })
  })

  it('without reading far ahead of the consumer', async () => {
    let read = 0
    function* source() {
      for (const block of blocks(gzipSync(text, { level: constants.Z_NO_COMPRESSION }), 4096)) {
        read += block.length
        yield block
      }
    }
    const reading = lines(source())
    await reading.next()
    await new Promise(setImmediate)
    expect(read).toBeLessThan(1_000_000)
    await reading.return()
  })

  it('but not of an input of one byte, or that only begins like it', async () => {
    expect(await collect(lines([Buffer.from([0x1f])]))).toEqual(['\x1f'])
    expect(await collect(lines([Buffer.from([0x1f]), Buffer.from('\n')]))).toEqual(['\x1f'])
  })
})

describe('lines() reports damaged gzip', () => {
  it('that is cut short, after all lines that are there', async () => {
    const path = join(folder, 'short.gz')
    const short = zipped.subarray(0, zipped.length - 100_000)
    writeFileSync(path, short)
    const there = gunzipSync(short, { finishFlush: constants.Z_SYNC_FLUSH }).toString().split('\n').slice(0, -1)
    for (const source of [path, blocks(short, 10_000)]) {
      const given: string[] = []
      const reading = lines(source)
      await expect(
        (async () => {
          for await (const line of reading) given.push(line)
        })(),
      ).rejects.toMatchObject({
        code: 'ERR_DAMAGED_INPUT',
        offset: short.length,
        cause: { code: 'Z_BUF_ERROR' },
        ...(source === path && { path }),
      })
      expect(given).toEqual(there)
      expect(await reading.next()).toEqual({ done: true, value: undefined })
    }
  })

  it('that is corrupt, with the path in it, after all lines before the damage', async () => {
    const path = join(folder, 'corrupt.gz')
    const header = zipped.subarray(0, 10)
    writeFileSync(path, Buffer.concat([zipped, header, Buffer.alloc(10, 0xff)]))
    const { given, error } = await untilError(lines(path))
    expect(error).toBeInstanceOf(InputError)
    expect(error).toMatchObject({ code: 'ERR_DAMAGED_INPUT', path, cause: { code: 'Z_DATA_ERROR' } })
    const offset = zipped.length + header.length
    expect((error as InputError).offset).toBe(offset)
    expect((error as Error).message).toBe(
      'Cannot decompress gzip as its data must be intact: received invalid data (invalid block type) ' +
        `at byte ${offset} of the compressed input, after ${text.length} bytes of text (in '${path}')`,
    )
    expect((error as Error).stack).toContain(`(in '${path}')`)
    expect(given).toEqual(expected)
  })

  const small = gzipSync('a\nb\n')
  const wrong = (at: number) => {
    const bytes = Buffer.from(small)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }
  it.each([
    ['has bytes behind it', Buffer.concat([small, Buffer.from('garbage')]), small.length, 'bytes behind a member'],
    [
      'has bytes behind zeros',
      Buffer.concat([small, Buffer.alloc(9), Buffer.from('x')]),
      small.length + 9,
      'bytes behind',
    ],
    ['has a wrong checksum', wrong(small.length - 5), small.length - 8, 'checksum (CRC-32)'],
    ['has a wrong length', wrong(small.length - 1), small.length - 4, 'length'],
    ['lacks a byte of its trailer', small.subarray(0, -1), small.length - 1, 'the end of the input inside a member'],
    ['lacks its trailer', small.subarray(0, -8), small.length - 8, 'the end of the input inside a member'],
    ['begins a member that is cut', Buffer.concat([small, small.subarray(0, 5)]), small.length + 5, 'in the header'],
  ])('that %s', async (_, bytes, offset, what) => {
    const path = join(folder, 'damaged.gz')
    writeFileSync(path, bytes)
    for (const source of [path, [bytes], blocks(bytes, 1)]) {
      const { given, error } = await untilError(lines(source))
      expect(given).toEqual(['a', 'b'])
      expect(error).toMatchObject({
        code: 'ERR_DAMAGED_INPUT',
        offset,
        message: expect.stringContaining(what) as string,
      })
    }
  })

  it('also to workers, with the lines before it, and names the file', async () => {
    const paths = ['good.gz', 'bad.gz', 'never.gz'].map((name) => join(folder, name))
    writeFileSync(paths[0] ?? '', small)
    writeFileSync(paths[1] ?? '', Buffer.concat([small, Buffer.from('garbage')]))
    const stream = imap({ module: 'node:path', export: 'basename' }, lines(paths) as AsyncIterable<never>)
    const { given, error } = await untilError(stream as AsyncIterable<string>)
    expect(given).toEqual(['a', 'b', 'a', 'b'])
    expect(error).toMatchObject({ code: 'ERR_DAMAGED_INPUT', path: paths[1], offset: small.length })
  })

  it('wherever a byte is wrong, with the lines that can be decoded before it', async () => {
    const source = expected.slice(0, 3000).join('\n')
    const whole = gzipSync(source)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('file', 'one block', 'small blocks'),
        async (at, flip, kind) => {
          const bytes = Buffer.from(whole)
          bytes[at] = (bytes[at] ?? 0) ^ flip
          // The last bits of the data may mean nothing.
          fc.pre(!isWhole(bytes))
          const path = join(folder, 'random.gz')
          writeFileSync(path, bytes)
          const { given, error } = await untilError(
            lines(kind === 'file' ? path : kind === 'one block' ? [bytes] : blocks(bytes, 999)),
          )
          expect(given).toEqual(wholeLines(decodable(bytes)))
          expect(error).toMatchObject({ code: 'ERR_DAMAGED_INPUT' })
        },
      ),
      { numRuns: 25 },
    )
  })

  function isWhole(bytes: Buffer): boolean {
    try {
      gunzipSync(bytes)
      return true
    } catch {
      return false
    }
  }

  /** The longest beginning of the text that zlib decodes, without the header. */
  function decodable(bytes: Buffer): Buffer {
    const data = bytes.subarray(10)
    const decode = (length: number) => {
      try {
        return inflateRawSync(data.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH })
      } catch {
        return undefined
      }
    }
    let [good, bad] = [0, data.length + 1]
    while (bad - good > 1) {
      const middle = (good + bad) >> 1
      if (decode(middle) === undefined) bad = middle
      else good = middle
    }
    return decode(good) ?? Buffer.alloc(0)
  }

  function wholeLines(text: Buffer): string[] {
    return text.toString().split('\n').slice(0, -1)
  }

  it('from a stream too long to be kept: all whole lines before invalid data', async () => {
    const noise = randomBytes(6 * 1024 * 1024)
      .toString('latin1')
      .replace(/[\n\r]/g, ' ')
    const rows = noise.match(/[^]{1,100}/g) ?? []
    const bytes = gzipSync(Buffer.from(rows.join('\n'), 'latin1'), { level: 1 })
    // The rest of the data is a stored block of a wrong length.
    const at = bytes.length - 100_000
    bytes.fill(0xff, at)
    const whole = decodable(bytes).toString('latin1').split('\n').slice(0, -1)
    expect(whole.length).toBeGreaterThan(50_000)
    for (const size of [1_000, 65_536, 1_000_000]) {
      const { given, error } = await untilError(lines(blocks(bytes, size), { encoding: 'latin1' }))
      expect(error).toMatchObject({ code: 'ERR_DAMAGED_INPUT' })
      expect(given.length).toBe(whole.length)
      expect(given).toEqual(whole)
    }
  })

  it('whose source fails, as the source threw it, after the lines before', async () => {
    for (const thrown of [new Error('source failed'), undefined]) {
      const given: string[] = []
      function* source() {
        yield* blocks(zipped, 10_000).slice(0, 100)
        throw thrown
      }
      const [result] = await Promise.allSettled([
        (async () => {
          for await (const line of lines(source())) given.push(line)
        })(),
      ])
      expect(result).toEqual({ status: 'rejected', reason: thrown })
      const before = gunzipSync(zipped.subarray(0, 1_000_000), { finishFlush: constants.Z_SYNC_FLUSH })
      expect(given).toEqual(before.toString().split('\n').slice(0, -1))
    }
  })
})
