import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { lines } from 'millrace'

const folder = mkdtempSync(join(tmpdir(), 'millrace-gunzip-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function collect(source: AsyncIterable<string>): Promise<string[]> {
  const given: string[] = []
  for await (const line of source) given.push(line)
  return given
}

/** Lines that do not compress to nothing: about 3 MB, 1.5 MB as gzip. */
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
  it('of a file, whatever it is called', async () => {
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

describe('lines() gives the system error of broken gzip', () => {
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
      ).rejects.toMatchObject({ code: 'Z_BUF_ERROR', ...(source === path && { path }) })
      expect(given).toEqual(there)
      expect(await reading.next()).toEqual({ done: true, value: undefined })
    }
  })

  it('that is corrupt, with the path in it', async () => {
    const path = join(folder, 'corrupt.gz')
    writeFileSync(path, Buffer.concat([zipped, zipped.subarray(0, 10), Buffer.alloc(10, 0xff)]))
    const given: string[] = []
    let error: unknown
    try {
      for await (const line of lines(path)) given.push(line)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'Z_DATA_ERROR', path })
    expect((error as Error).message).toContain(`(in '${path}')`)
    expect((error as Error).stack).toContain(`(in '${path}')`)
    expect(given.length).toBeGreaterThan(expected.length / 2)
    expect(given).toEqual(expected.slice(0, given.length))
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
