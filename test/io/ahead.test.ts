/** Compressed files are inflated side by side: what is opened and read before its turn, and how far. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompressSync, constants, gunzip, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { imap, lines } from 'millrace'
import { LineEnd } from '#dist/codec/line-end.js'
import { AheadReader, MAX_AHEAD_BYTES } from '#dist/io/ahead.js'
import type { BlockOptions } from '#dist/io/blocks.js'
import type { Bytes } from '#dist/io/bytes.js'
import { gzip, wholeGzip } from '#dist/io/compression.js'
import { Decompressor } from '#dist/io/decompress.js'
import { textEncoding } from '#dist/io/encoding.js'
import { LineInput } from '#dist/io/line-input.js'
import { BLOCK_SIZE, Slab } from '#dist/scan/memory.js'
import { collectGarbage } from '../support/garbage.js'
import { times } from '../support/volume.js'

const DONE = { done: true, value: undefined }
const folder = mkdtempSync(join(tmpdir(), 'millrace-ahead-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const itOnLinux = process.platform === 'linux' ? it : it.skip
const itOnUnix = process.platform === 'win32' ? it.skip : it
const turn = () => new Promise(setImmediate)

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function collect(source: AsyncIterable<string>, given: string[] = []): Promise<string[]> {
  for await (const line of source) given.push(line)
  return given
}

/** Gives blocks at once, and counts its calls. */
function blocksOf(next: (count: number) => Buffer | undefined) {
  const counts = { read: 0, closed: 0 }
  return {
    counts,
    next: (): IteratorResult<Buffer, undefined> => {
      const value = next(counts.read)
      if (value === undefined) return { done: true, value }
      counts.read++
      return { done: false, value }
    },
    close: () => {
      counts.closed++
    },
  }
}

describe('AheadReader', () => {
  it('gives all blocks in order, then the end', async () => {
    const reader = new AheadReader(blocksOf((count) => (count < 5 ? Buffer.of(count) : undefined)))
    for (let count = 0; count < 5; count++) expect((await reader.next()).value).toEqual(Buffer.of(count))
    expect(await reader.next()).toEqual(DONE)
    expect(await reader.next()).toEqual(DONE)
  })

  it('gives an error after the blocks before it', async () => {
    for (const thrown of [new Error('failed'), undefined]) {
      const reader = new AheadReader(
        blocksOf((count) => {
          if (count < 2) return Buffer.of(count)
          throw thrown
        }),
      )
      await turn()
      expect((await reader.next()).value).toEqual(Buffer.of(0))
      expect((await reader.next()).value).toEqual(Buffer.of(1))
      expect(await Promise.allSettled([reader.next()])).toEqual([{ status: 'rejected', reason: thrown }])
    }
  })

  // The memory counts, not the text in it: short blocks can keep long ones.
  it.each([BLOCK_SIZE, 1])('reads no further than its bound, and on when there is room: blocks of %d', async (size) => {
    const input = blocksOf(() => Buffer.allocUnsafeSlow(BLOCK_SIZE).subarray(0, size))
    const reader = new AheadReader(input)
    await turn()
    const full = input.counts.read
    // A decoder that gave these has one more, and works at another.
    expect((full + 1) * BLOCK_SIZE).toBe(MAX_AHEAD_BYTES)
    await turn()
    expect(input.counts.read).toBe(full)
    for (let taken = 1; taken <= 3; taken++) {
      await reader.next()
      await turn()
      expect(input.counts.read).toBe(full + taken)
    }
    await reader.close()
  })

  it('lets the event loop turn while it has blocks, as decoders report to that', async () => {
    const reader = new AheadReader(blocksOf(() => Buffer.alloc(BLOCK_SIZE)))
    await turn()
    let turned = false
    setImmediate(() => {
      turned = true
    })
    await reader.next()
    expect(turned).toBe(true)
    await reader.close()
  })

  it('keeps the memory of blocks until they are used, and nothing when it is closed', async () => {
    let last: Slab | undefined
    const places: number[] = []
    const input = blocksOf((count) => {
      // As a decompressor does: a block is valid until the next one.
      last?.release()
      last = Slab.take(BLOCK_SIZE)
      places.push(last.start)
      return last.bytes().fill(count)
    })
    const reader = new AheadReader(input)
    for (let count = 0; count < 100; count++) {
      const { value } = await reader.next()
      expect(value?.[0]).toBe(count)
      expect(value?.[BLOCK_SIZE - 1]).toBe(count)
    }
    await reader.close()
    await reader.close()
    last?.release()
    const { read } = input.counts
    await turn()
    expect(input.counts.read).toBe(read)
    const used = new Set(places)
    const again = Array.from(used, () => Slab.take(BLOCK_SIZE))
    expect(again.every(({ start }) => used.has(start))).toBe(true)
    for (const slab of again) slab.release()
  })
})

describe('the text of a decompressor stays as it is until it was read', () => {
  const text = Buffer.from(Array.from({ length: 400_000 }, (_, n) => `line ${n}\n`).join(''))
  const zipped = gzipSync(text)

  it.each(['not read ahead', 'read ahead'])('while memory is collected and used again: %s', async (way) => {
    for (const compression of [gzip, wholeGzip]) {
      const input = blocksOf((count) => (count === 0 ? zipped : undefined))
      const decompressor = new Decompressor(compression, input, () => [])
      const reader = way === 'read ahead' ? new AheadReader(decompressor) : decompressor
      let at = 0
      for (let result = await reader.next(); !result.done; result = await reader.next()) {
        await collectGarbage([new WeakRef({})])
        await turn()
        const others = Array.from({ length: 12 }, () => Slab.take(BLOCK_SIZE))
        for (const slab of others) slab.bytes().fill(0)
        expect(result.value.equals(text.subarray(at, at + result.value.length))).toBe(true)
        for (const slab of others) slab.release()
        at += result.value.length
      }
      expect(at).toBe(text.length)
      await reader.close()
    }
  })
})

const text = textEncoding('read lines', undefined, undefined)
const options: BlockOptions = {
  text,
  encoding: text.blocks,
  lineEnd: new LineEnd(undefined),
  maxLength: 1000,
  fatal: false,
  tooLong: 'error',
  detect: true,
}

/** Text that does not get smaller: reading it is inflating it. */
function stored(size: number): Buffer {
  return gzipSync(Buffer.alloc(size, `${'x'.repeat(99)}\n`), { level: constants.Z_NO_COMPRESSION })
}

/** The bytes of a file, with what happens to them. */
function watched(path: string, content = readFileSync(path)) {
  const counts = { opened: 0, read: 0, closed: 0 }
  const waiting = new Set<() => void>()
  const tell = () => {
    for (const wake of waiting) wake()
  }
  const bytes: Bytes = {
    path,
    open: () => {
      counts.opened++
      let isOpen = true
      return {
        next: () => {
          const value = content.subarray(counts.read, counts.read + 65_536)
          counts.read += value.length
          tell()
          return value.length > 0 && isOpen ? { done: false, value } : { done: true, value: undefined }
        },
        close: () => {
          if (isOpen) counts.closed++
          isOpen = false
        },
        async *readFrom(offset) {
          yield await Promise.resolve(content.subarray(offset))
        },
      }
    },
  }
  /** Settles when as much has been read. */
  const reads = async (count: number) => {
    while (counts.read < count) {
      await new Promise<void>((resolve) => {
        waiting.add(resolve)
      })
    }
  }
  return { bytes, counts, reads, content }
}

function inputOf(files: readonly { bytes: Bytes }[], filesAtOnce: number, more: Partial<BlockOptions> = {}): LineInput {
  return new LineInput(
    files.map(({ bytes }) => bytes),
    { ...options, ...more },
    filesAtOnce,
  )
}

describe('lines() of compressed files', () => {
  it('inflates the next ones while the first is read: as many at once as it is told', async () => {
    const files = Array.from({ length: 5 }, (_, n) => watched(file(`${n}.gz`, stored(3_000_000))))
    const input = inputOf(files, 3)
    const opened = () => files.map(({ counts }) => counts.opened)
    expect(opened()).toEqual([0, 0, 0, 0, 0])
    await input.read()
    await Promise.all(files.slice(0, 3).map(({ reads, content }) => reads(content.length)))
    expect(opened()).toEqual([1, 1, 1, 0, 0])
    for (let size = 0; size < 3_000_000; size += (await input.read())?.length ?? NaN);
    await files[3]?.reads(3_000_000)
    expect(opened()).toEqual([1, 1, 1, 1, 0])
    await input.close()
    expect(files.map(({ counts }) => counts.closed)).toEqual([1, 1, 1, 1, 0])
  })

  it('stops at the bound while the consumer stands still', async () => {
    const size = 3 * MAX_AHEAD_BYTES
    const files = Array.from({ length: 2 }, (_, n) => watched(file(`large ${n}.gz`, stored(size))))
    const input = inputOf(files, 2)
    await input.read()
    await Promise.all(files.map(({ reads }) => reads(MAX_AHEAD_BYTES - 4 * BLOCK_SIZE)))
    // That takes as long as it would take to inflate them to their ends.
    await Promise.all(files.map(({ content }) => promisify(gunzip)(content)))
    for (const { counts } of files) expect(counts.read).toBeLessThanOrEqual(MAX_AHEAD_BYTES + 2 * BLOCK_SIZE)
    let length = 0
    for (let block = await input.read(); block !== undefined; block = await input.read()) length += block.length
    expect(length).toBeGreaterThan(2 * size - 2 * MAX_AHEAD_BYTES)
    await input.close()
  })

  itOnUnix('opens nothing else before its turn', async () => {
    const pipe = join(folder, 'pipe.gz')
    execFileSync('mkfifo', [pipe])
    mkdirSync(join(folder, 'folder.gz'))
    const zipped = gzipSync('text\n')
    const stream = watched(file('stream.gz', zipped))
    stream.bytes = { ...stream.bytes, path: undefined }
    const others = [
      watched(file('plain.log', 'text\n')),
      watched(file('without suffix', zipped)),
      watched(pipe, zipped),
      watched(join(folder, 'folder.gz'), zipped),
      watched(join(folder, 'missing.gz'), zipped),
      stream,
    ]
    const last = watched(file('last.gz', stored(1_000_000)))
    const input = inputOf([watched(file('first.gz', zipped)), ...others, last], 10)
    await input.read()
    await last.reads(last.content.length)
    expect(others.map(({ counts }) => counts.opened)).toEqual([0, 0, 0, 0, 0, 0])
    for (let n = 0; n < others.length; n++) {
      await input.read()
      expect(others.map(({ counts }) => counts.opened)).toEqual(others.map((_, at) => (at <= n ? 1 : 0)))
    }
    await input.close()
  })

  it('opens nothing ahead if all bytes are text', async () => {
    const files = ['bytes 1.gz', 'bytes 2.gz', 'bytes 3.gz'].map((name) => watched(file(name, 'text\n')))
    const input = inputOf(files, 3, { detect: false })
    for (let n = 1; n <= 3; n++) {
      await input.read()
      await turn()
      expect(files.filter(({ counts }) => counts.opened > 0)).toHaveLength(n)
    }
    await input.close()
  })

  it('opens a file again at its turn if that failed before', async () => {
    const first = watched(file('one.gz', gzipSync('one\n')))
    const second = watched(file('two.gz', gzipSync('two\n')))
    const failed = watched(file('failed.gz', ''))
    const { bytes } = second
    let failures = 0
    second.bytes = {
      path: bytes.path,
      open: () => {
        if (failures++ > 0) return bytes.open()
        failed.bytes.open()
        return {
          next: () => {
            throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
          },
          close: () => failed.counts.closed++,
        }
      },
    }
    const input = inputOf([first, second], 2)
    expect((await input.read())?.toString()).toBe('one\n')
    expect((await input.read())?.toString()).toBe('two\n')
    expect(await input.read()).toBeUndefined()
    expect([failures, failed.counts.closed, second.counts.opened, second.counts.closed]).toEqual([2, 1, 1, 1])
  })

  it('gives the same lines as one by one, with all kinds of files between them', async () => {
    const line = fc.constantFrom('one\n', 'two\r\n', '\n', 'ä€😀\n', 'no end')
    const content = fc.array(line, { maxLength: 5 }).map((parts) => Buffer.from(parts.join('')))
    const kind = fc.constantFrom('gz', 'bom.gz', 'padded.gz', 'br', 'log', 'zipped', 'short.gz', 'plain.gz')
    const encoded = (bytes: Buffer, kind: string): Buffer => {
      if (kind === 'br') return brotliCompressSync(bytes)
      if (kind === 'log' || kind === 'plain.gz') return bytes
      if (kind === 'short.gz') return gzipSync(bytes).subarray(0, -3)
      if (kind === 'padded.gz')
        return Buffer.concat([gzipSync(bytes), Buffer.alloc(9), gzipSync('more'), Buffer.alloc(9)])
      return gzipSync(kind === 'bom.gz' ? Buffer.concat([Buffer.from('\ufeff'), bytes]) : bytes)
    }
    const told = async (given: string[], read: Promise<unknown>) => {
      const [result] = await Promise.allSettled([read])
      const { code, path, message, offset } = (result.status === 'rejected' ? result.reason : {}) as Record<
        string,
        unknown
      >
      return { given, code, path, message, offset }
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(content, kind), { maxLength: 6 }), async (inputs) => {
        const paths = inputs.map(([bytes, kind], n) => file(`any ${n}.${kind}`, encoded(bytes, kind)))
        const one: string[] = []
        const each = async () => {
          for (const path of paths) await collect(lines(path), one)
        }
        const all: string[] = []
        expect(await told(all, collect(lines(paths), all))).toEqual(await told(one, each()))
      }),
      { numRuns: times(25, 500) },
    )
  })

  it('gives the lines before a missing or damaged file, then its error, and closes those behind it', async () => {
    const many = Array.from({ length: 100_000 }, (_, n) => `line ${n}`)
    const whole = gzipSync(many.join('\n'))
    const good = file('good.gz', whole)
    const damaged = file('damaged.gz', whole.subarray(0, -100))
    const missing = join(folder, 'missing.gz')
    const behind = file('behind.gz', whole)
    for (const [bad, code] of [
      [missing, 'ENOENT'],
      [damaged, 'ERR_DAMAGED_INPUT'],
    ] as const) {
      const given: string[] = []
      const reading = lines([good, bad, behind, behind])
      await expect(collect(reading, given)).rejects.toMatchObject({ code, path: bad })
      expect(given.slice(0, many.length)).toEqual(many)
      expect(given.slice(many.length)).toEqual(many.slice(0, given.length - many.length))
      expect(given.length > many.length).toBe(bad === damaged)
      expect(await reading.next()).toEqual(DONE)
      expect(openFiles()).toEqual([])
    }
  })

  it('reads a file that is there when its turn comes', async () => {
    const late = join(folder, 'late.gz')
    const reading = lines([file('early.gz', gzipSync('one\ntwo\n')), late])
    expect((await reading.next()).value).toBe('one')
    writeFileSync(late, gzipSync('three\n'))
    expect(await collect(reading)).toEqual(['two', 'three'])
  })

  itOnLinux('closes all of them when it is left, at any time', async () => {
    const paths = Array.from({ length: 4 }, (_, n) => file(`left ${n}.gz`, stored(2_000_000)))
    for (const count of [0, 1, 19_999, 20_001, 70_000]) {
      const reading = lines(paths)
      for (let n = 0; n < count; n++) await reading.next()
      const pending = reading.next()
      await reading.return()
      expect(openFiles()).toEqual([])
      expect(await reading.next()).toEqual(DONE)
      await pending
    }
  })

  it('gives them to workers in order', async () => {
    const paths = Array.from({ length: 5 }, (_, n) =>
      file(`stage ${n}.gz`, gzipSync(Array.from({ length: 3000 }, (_, i) => `/${n}/${i}\n`).join(''))),
    )
    const stream = imap({ module: 'node:path', export: 'basename' }, lines(paths) as AsyncIterable<never>, {
      window: 500,
    })
    const given = await collect(stream as AsyncIterable<string>)
    expect(given).toEqual(paths.flatMap(() => Array.from({ length: 3000 }, (_, i) => String(i))))
  })
})

/** The files of this test that this process has open. */
function openFiles(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      return [] // the descriptor of the listing itself
    }
  })
}
