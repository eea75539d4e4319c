/** The bytes that a source has read, and those that there are. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { ByteSource } from 'millrace'
import { meterOf } from '#dist/io/input-meter.js'
import { lines, type Lines } from '#dist/io/lines.js'
import { csv } from '#dist/sources/csv.js'
import { files } from '#dist/sources/files.js'
import { json } from '#dist/sources/json.js'
import { ndjson } from '#dist/sources/ndjson.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-meter-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const LINE = 'a line of text\n'
const MEBIBYTE = 2 ** 20

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Text that does not compress well. */
function noise(length: number): string {
  let state = 1
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    text += `${state.toString(36)}\n`
  }
  return text
}

/** Waits until the sizes of all files are known. */
async function totalOf(source: { readonly bytes: { readonly total: number | undefined } }): Promise<number> {
  for (let turn = 0; turn < 1000; turn++) {
    const { total } = source.bytes
    if (total !== undefined) return total
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error('The total stays unknown')
}

async function readAll(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

describe('the bytes of a source', () => {
  it('are known of files before they are read, and equal at the end', async () => {
    const text = LINE.repeat(100_000)
    const zipped = gzipSync(noise(MEBIBYTE))
    const paths = [file('a.log', text), file('b.log.gz', zipped), file('empty', ''), file('c', 'x')]
    const source = lines(paths)
    expect(source.bytes.read).toBe(0)
    const total = text.length + zipped.length + 1
    expect(await totalOf(source)).toBe(total)
    expect(source.bytes).toEqual({ read: 0, total })
    let before = 0
    for await (const _ of source) {
      const { read } = source.bytes
      if (read < before || read > total) throw new Error(`${read} after ${before} of ${total}`)
      before = read
    }
    expect(source.bytes).toEqual({ read: total, total })
  })

  it('need no look at the disk for one file: its size is known when it is open', async () => {
    const source = lines(file('one', LINE.repeat(100_000)))
    await source.next()
    expect(source.bytes.total).toBe(LINE.length * 100_000)
    expect(source.bytes.read).toBeGreaterThan(0)
    await source.return()
  })

  it('count compressed bytes as they are stored: all members, and zeros between and behind them', async () => {
    const member = gzipSync(noise(200_000))
    const zeros = Buffer.alloc(5000)
    for (const [name, content] of [
      ['members.gz', Buffer.concat([member, member, member])],
      ['zeros.gz', Buffer.concat([member, zeros, member, zeros])],
    ] as const) {
      const source = lines(file(name, content))
      await readAll(source)
      expect(source.bytes).toEqual({ read: content.length, total: content.length })
    }
  })

  it('have no total for bytes in memory, streams and pipes, until they have ended', async () => {
    const sources: (ByteSource | ByteSource[])[] = [
      [Buffer.from(LINE), Buffer.from(LINE)],
      Readable.from([Buffer.from(LINE), Buffer.from(LINE)]),
      [file('known', LINE), [Buffer.from(LINE)]],
    ]
    for (const given of sources) {
      const source = lines(given as ByteSource)
      expect(source.bytes).toEqual({ read: 0, total: undefined })
      await source.next()
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(source.bytes.total).toBeUndefined()
      await readAll(source)
      expect(source.bytes).toEqual({ read: 2 * LINE.length, total: 2 * LINE.length })
    }
  })

  const onLinux = process.platform === 'linux' ? it : it.skip
  onLinux('have no total for a named pipe, and for a file whose size says nothing', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const source = lines(path)
    expect(source.bytes.total).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(source.bytes).toEqual({ read: 0, total: undefined })

    const proc = lines('/proc/self/status')
    await proc.next()
    expect(proc.bytes.read).toBeGreaterThan(0)
    expect(proc.bytes.total).toBeUndefined()
    await readAll(proc)
    expect(proc.bytes.total).toBe(proc.bytes.read)
  })

  it('stay sensible when a file grows or shrinks while it is read', async () => {
    const long = LINE.repeat(200_000)
    const growing = file('growing', long)
    const source = lines(growing)
    await source.next()
    appendFileSync(growing, long)
    await readAll(source)
    expect(source.bytes).toEqual({ read: 2 * long.length, total: 2 * long.length })

    const shrinking = file('shrinking', long)
    const other = lines(shrinking)
    await other.next()
    truncateSync(shrinking, 0)
    await readAll(other)
    const { read, total } = other.bytes
    expect(total).toBe(read)
    expect(read).toBeLessThan(long.length)
  })

  it('are at least what was read, when a file has grown beyond its size', async () => {
    const path = file('outgrown', LINE)
    const source = lines(path)
    const meter = meterOf(source)
    expect(await totalOf(source)).toBe(LINE.length)
    appendFileSync(path, LINE.repeat(200_000))
    await source.next()
    const { read, total } = source.bytes
    expect(total).toBeGreaterThanOrEqual(read)
    expect(meter?.place).toEqual({ path, number: 1, count: 1 })
    await source.return()
  })

  it('have no total where a file is missing, and the reader tells that', async () => {
    const source = lines([file('there', LINE), join(folder, 'missing')])
    expect(source.bytes.total).toBeUndefined()
    await expect(readAll(source)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(source.bytes).toEqual({ read: LINE.length, total: undefined })
  })

  it('do not count twice a damaged file that was opened ahead of its turn', async () => {
    const damaged = gzipSync(noise(50_000)).fill(0x55, 20, 40)
    const source = lines([file('first.gz', gzipSync(LINE)), file('second.gz', damaged)])
    await expect(readAll(source)).rejects.toMatchObject({ code: 'ERR_DAMAGED_INPUT' })
    expect(source.bytes.read).toBeLessThanOrEqual(gzipSync(LINE).length + damaged.length)
  })

  it('are those of files() when it has found them, at its place among the others', async () => {
    const text = LINE.repeat(10)
    for (const name of ['list-1.txt', 'list-2.txt', 'list-3.txt']) file(name, text)
    const [one, last] = [file('before', LINE), file('behind', LINE)]
    const source = lines([one, files(join(folder, 'list-*.txt')), last])
    const meter = meterOf(source)
    expect(meter?.sources.map(({ path }) => path)).toEqual([one, last])
    expect(source.bytes).toEqual({ read: 0, total: undefined })
    await source.next()
    expect(source.bytes.total).toBeUndefined()
    await source.next()
    expect(meter?.place).toEqual({ path: join(folder, 'list-1.txt'), number: 2, count: 5 })
    const total = 3 * text.length + 2 * LINE.length
    expect(await totalOf(source)).toBe(total)
    await readAll(source)
    expect(source.bytes).toEqual({ read: total, total })
    expect(meter?.place).toEqual({ path: last, number: 5, count: 5 })
  })

  it('are those of a list without files, and of a source that has none', async () => {
    const source = lines([file('alone', LINE), files(join(folder, 'none-*'), { onNone: 'empty' })])
    await readAll(source)
    expect(source.bytes).toEqual({ read: LINE.length, total: LINE.length })
    const nothing = lines([])
    expect(nothing.bytes).toEqual({ read: 0, total: 0 })
    expect(meterOf(nothing)?.place).toEqual({ path: undefined, number: 0, count: 0 })
  })

  it.each<[string, (path: string) => AsyncIterable<unknown> & Pick<Lines, 'bytes'>, string]>([
    ['csv', (path) => csv(path), `a,b\n${'1,2\n'.repeat(1000)}`],
    ['ndjson', (path) => ndjson(path), '{"a":1}\n'.repeat(1000)],
    ['json', (path) => json(path), `[${'{"a":1},\n'.repeat(1000)}{}]`],
  ])('are there for %s()', async (name, open, text) => {
    const source = open(file(`${name}.gz`, gzipSync(text)))
    const size = gzipSync(text).length
    expect(await totalOf(source)).toBe(size)
    await readAll(source)
    expect(source.bytes).toEqual({ read: size, total: size })
    expect(meterOf(source)?.read).toBe(size)
  })

  it('are those of the file, not of the program that makes text of it', async () => {
    const stored = gzipSync(noise(300_000))
    const source = lines(file('unpacked.bin', stored), { decompress: ['gzip', '-dc'] })
    await readAll(source)
    expect(source.bytes).toEqual({ read: stored.length, total: stored.length })
  })

  it('name the file that is read, and its number', async () => {
    const [one, two] = [file('one', LINE), file('two', LINE)]
    const source = lines([one, two])
    const meter = meterOf(source)
    expect(meter?.place).toEqual({ path: one, number: 1, count: 2 })
    const ends: string[] = []
    meter?.onEnd((end) => ends.push(end))
    await source.next()
    await source.next()
    expect(meter?.place).toEqual({ path: two, number: 2, count: 2 })
    await source.next()
    expect(ends).toEqual(['done'])
    await source.return()
    expect(ends).toEqual(['done'])
    const left = lines([one, two])
    meterOf(left)?.onEnd((end) => ends.push(end))
    await left.next()
    await left.return()
    expect(ends).toEqual(['done', 'left'])
  })
})
