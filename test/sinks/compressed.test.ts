/** Compressed outputs: members that every reader understands, and the same bytes whatever the way there. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import zlib, { gunzipSync } from 'node:zlib'
import { imap, lines, pipe, Pool, write } from 'millrace'
import { CompressedBody } from '#dist/sinks/members.js'
import { BufferedOutput } from '#dist/sinks/buffered-output.js'
import { same } from '../fixtures/sinks.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const pool = new Pool({ workers: 2, name: 'compressed' })
watchRejections()
afterAll(() => pool.terminate())

const MIB = 2 ** 20
const LINE = 'żółw '.repeat(20)

function* rows(bytes: number): Generator<{ n: number; text: string }> {
  for (let n = 0, size = 0; size < bytes; n++) {
    const row = { n, text: LINE.slice(0, n % 100) }
    yield row
    size += Buffer.byteLength(JSON.stringify(row)) + 1
  }
}

/** The sizes of the text of the members of a gzip file. */
function memberSizes(file: Buffer): number[] {
  const sizes: number[] = []
  for (let at = 0; at < file.length;) {
    // A member that is not the last one throws no error here, but tells how much of the file it took.
    const { buffer, engine } = zlib.gunzipSync(firstMember(file.subarray(at)), { info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    sizes.push(buffer.length)
    at += engine.bytesWritten
  }
  return sizes
}

/** The bytes up to the next header of a member. */
function firstMember(file: Buffer): Buffer {
  const next = file.indexOf(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), 1)
  return next < 0 ? file : file.subarray(0, next)
}

describe('gzip', () => {
  it('is chosen by the suffix or the option', async () => {
    await write(folder.at('a.ndjson.gz'))([{ a: 1 }])
    expect(gunzipSync(readFileSync(folder.at('a.ndjson.gz'))).toString()).toBe('{"a":1}\n')
    await write(folder.at('b.csv.GZ'), { compress: { type: 'gzip', level: 1 } })([{ a: 1 }])
    expect(gunzipSync(readFileSync(folder.at('b.csv.GZ'))).toString()).toBe('a\n1\n')
    await write(folder.at('c.txt'), { compress: 'gzip' })(['x'])
    expect(gunzipSync(readFileSync(folder.at('c.txt'))).toString()).toBe('x\n')
    await write(folder.at('d.gz'), { compress: false })(['x'])
    expect(folder.read('d.gz')).toBe('x\n')
  })

  it('of no records is an empty member', async () => {
    for (const [name, text] of [
      ['a.txt.gz', ''],
      ['a.json.gz', '[]\n'],
    ] as const) {
      const { bytesWritten } = await write(folder.at(name))([])
      const file = readFileSync(folder.at(name))
      expect(file.length).toBe(bytesWritten)
      expect(gunzipSync(file).toString()).toBe(text)
    }
  })

  it('has members that end with the first record at or behind 4 MiB of text, and gunzip reads them', async () => {
    for (const name of ['a.ndjson.gz', 'a.csv.gz', 'a.json.gz']) {
      const all = [...rows(9 * MIB)]
      const result = await write(folder.at(name))(all)
      const text = execFileSync('gunzip', ['-c', folder.at(name)], { maxBuffer: 64 * MIB })
      const file = readFileSync(folder.at(name))
      expect(gunzipSync(file).equals(text)).toBe(true)
      expect(result).toMatchObject({ written: all.length, bytesWritten: file.length })
      let end = 0
      const sizes = memberSizes(file)
      expect(sizes.length).toBe(Math.ceil(text.length / (4 * MIB)))
      for (const [member, size] of sizes.slice(0, -1).entries()) {
        end += size
        expect(end).toBeGreaterThanOrEqual((member + 1) * 4 * MIB)
        expect(end).toBeLessThan((member + 1) * 4 * MIB + 400)
        expect(text.subarray(end - 1, end + 1).includes('\n') || text[end] === ','.charCodeAt(0)).toBe(true)
      }
    }
  })

  it('has the same bytes for every chunksize, on any number of threads', async () => {
    const all = [...rows(5 * MIB)]
    const written: Buffer[] = []
    const ways = [
      () => all,
      () => imap((row: object) => row, all, { workers: 0 }),
      () => pool.imap(same, all, { chunksize: 7 }),
      () => pool.imap(same, all, { chunksize: 1000, workers: 1 }),
      () => pool.imap(same, all),
    ]
    for (const way of ways) {
      await pipe(way(), write(folder.at('a.ndjson.gz')))
      written.push(readFileSync(folder.at('a.ndjson.gz')))
    }
    expect(written.map((file) => file.equals(written[0] ?? file))).toEqual(ways.map(() => true))
    expect(memberSizes(written[0] ?? Buffer.alloc(0)).length).toBe(2)
  })

  it('is read by lines()', async () => {
    await write(folder.at('a.txt.gz'))(['one', 'two'])
    const read: string[] = []
    for await (const line of lines(folder.at('a.txt.gz'))) read.push(line)
    expect(read).toEqual(['one', 'two'])
  })

  it('goes to a stream, and a failure of that ends the writing', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const [bytes] = await Promise.all([
      new Response(readable).arrayBuffer(),
      write(writable, { compress: 'gzip' })(['x']),
    ])
    expect(gunzipSync(bytes).toString()).toBe('x\n')
    if (process.platform !== 'linux') return
    await expect(write('/dev/full', { compress: 'gzip', format: 'ndjson' })(rows(20 * MIB))).rejects.toMatchObject({
      code: 'ENOSPC',
    })
  })
})

describe('zstd', () => {
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer }

  it('is written where Node has it, or else refused at the call', async () => {
    if (zstdDecompressSync === undefined) {
      for (const call of [() => write('a.csv.zst'), () => write('a', { compress: 'zstd' })]) {
        expect(call).toThrow("'compress' must be 'gzip' or false here: received 'zstd' (zstd needs Node 22.15 or later")
      }
      return
    }
    const all = [...rows(5 * MIB)]
    await write(folder.at('a.ndjson.zst'), { compress: { type: 'zstd', level: 1 } })(all)
    const read: string[] = []
    for await (const line of lines(folder.at('a.ndjson.zst'))) read.push(line)
    expect(read).toEqual(all.map((row) => JSON.stringify(row)))
  })
})

describe('members', () => {
  it('are compressed side by side, no more than allowed, and written in order', async () => {
    const written: Uint8Array[] = []
    const target = {
      path: undefined,
      isLive: false,
      open: () => Promise.resolve(),
      write: (chunks: readonly Uint8Array[]) => {
        written.push(...chunks)
        return Promise.resolve()
      },
      finish: () => Promise.resolve(),
      publish: () => Promise.resolve(),
      discard: () => Promise.resolve(),
    }
    const fail = (error: unknown): void => {
      throw error as Error
    }
    const output = new BufferedOutput(target, fail)
    const body = new CompressedBody(output, { type: 'gzip', level: 1 }, fail, 10, 3)
    let full = 0
    for (let n = 0; n < 100; n++) {
      body.add(Buffer.from(`${n}`.padEnd(7, '.')), [7])
      if (body.isFull) {
        full++
        while (body.isFull) await body.room()
      }
    }
    await body.drain()
    expect(full).toBeGreaterThan(0)
    const text = gunzipSync(Buffer.concat(written)).toString()
    expect(text).toBe(Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(7, '.')).join(''))
    // At 14, 21, 35, 42, …: the first ends at or behind each ten.
    expect(memberSizes(Buffer.concat(written)).slice(0, 4)).toEqual([14, 7, 14, 7])
  })
})
