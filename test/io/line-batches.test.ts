import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { MessageChannel } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { RecordBatch } from '#dist/codec/records/record-batch.js'
import { allRecords, recordCursor, type RecordData } from '#dist/codec/records/record-data.js'
import { LineError } from '#dist/errors.js'
import { lines, type Lines, type LinesOptions } from '#dist/io/lines.js'
import { Slab } from '#dist/scan/memory.js'
import { openBatches, type BatchReader } from '#dist/io/source.js'
import { times } from '../support/volume.js'

const DONE = { done: true, value: undefined }
const folder = mkdtempSync(join(tmpdir(), 'millrace-line-batches-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function batchesOf(source: Lines): BatchReader {
  const reader = openBatches(source)
  if (reader === undefined) throw new Error('The lines cannot be read as batches')
  return reader
}

async function nextOf(reader: BatchReader, max: number): Promise<RecordBatch | undefined> {
  const batch = await reader.next(max)
  if (batch !== undefined && !(batch instanceof RecordBatch)) throw new Error('The batch is not one of lines')
  return batch
}

/** The lines of a batch as a worker gets them. */
function received(batch: RecordBatch): string[] {
  const data: RecordData = structuredClone(batch.pack().data)
  const { next } = recordCursor(data)
  return Array.from({ length: data.count }, () => next() as string)
}

interface Reading {
  given: string[]
  /** The thrown error, if there was one. */
  error?: unknown
}

/** Reads all batches, of at most the given lengths in turn. Keeps them as a window would, and releases the oldest. */
async function throughBatches(source: Lines, maxima: readonly number[] = [1000], window = 3): Promise<Reading> {
  const given: string[] = []
  const reader = batchesOf(source)
  const held: RecordBatch[] = []
  const take = () => {
    const batch = held.shift()
    if (batch === undefined) return
    given.push(...received(batch))
    batch.release()
  }
  let failed: { error: unknown } | undefined
  try {
    for (let i = 0; ; i++) {
      const max = maxima[i % maxima.length] ?? 1
      const batch = await nextOf(reader, max)
      if (batch === undefined) break
      expect(batch.length).toBeGreaterThan(0)
      expect(batch.length).toBeLessThanOrEqual(max)
      expect(received(batch)).toHaveLength(batch.length)
      held.push(batch)
      if (held.length > window) take()
    }
  } catch (error) {
    failed = { error }
  }
  while (held.length > 0) take()
  expect(await nextOf(reader, 1)).toBeUndefined()
  return { given, ...failed }
}

async function oneByOne(source: Lines): Promise<Reading> {
  const given: string[] = []
  try {
    for await (const line of source) given.push(line)
  } catch (error) {
    return { given, error }
  }
  return { given }
}

/** An error without its stack. */
function told(reading: Reading): unknown {
  const { given, error } = reading
  return { given, error: error instanceof Error ? { ...error, name: error.name, message: error.message } : error }
}

describe('lines() as batches', () => {
  it('gives the same lines as one by one, with any bytes, chunks, batches and options', async () => {
    const piece = fc.constantFrom(
      ...['\n', '\n', '\r\n', '\r', 'a', 'bcd', 'ä', '€', '😀', '\ufeff', '\ufffd', '\0'].map((text) =>
        Buffer.from(text),
      ),
      ...[0x1f, 0x8b, 0x80, 0xc3, 0xe2, 0xf0, 0xff].map((byte) => Buffer.of(byte)),
    )
    const input = fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.concat(pieces))
    const source = fc.record({
      bytes: input,
      zipped: fc.boolean(),
      cuts: fc.array(fc.nat({ max: 120 }), { maxLength: 12 }),
    })
    const options = fc.record({
      encoding: fc.constantFrom('utf8' as const, 'latin1' as const),
      maxLength: fc.oneof(fc.constant(1000), fc.integer({ min: 1, max: 12 })),
      fatal: fc.boolean(),
    })
    const maxima = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(source, { maxLength: 3 }), options, maxima, async (sources, options, maxima) => {
        const chunks = sources.map(({ bytes, zipped, cuts }) => {
          const sent = zipped ? gzipSync(bytes) : bytes
          const bounds = [0, ...[...cuts].sort((a, b) => a - b), sent.length]
          return bounds.slice(1).map((end, i) => sent.subarray(bounds[i], end))
        })
        const batches = await throughBatches(lines(chunks, options), maxima)
        expect(told(batches)).toEqual(told(await oneByOne(lines(chunks, options))))
      }),
      { numRuns: times(200, 1000) },
    )
  })

  it('gives the same lines as one by one for files, through many blocks and slabs', async () => {
    const text = Array.from(
      { length: 120_000 },
      (_, i) => `line ${String(i)} ${'ä'.repeat(i % 50)}${i % 3 ? '' : '\r'}\n`,
    )
    text[60_000] = `${'long '.repeat(400_000)}\n`
    const paths = [
      file('big', text.join('')),
      file('zipped', gzipSync(`\ufeff${text.slice(0, 1000).join('')}no end`)),
      file('empty', ''),
      file('short', 'no end'),
      file('bad', Buffer.concat([Buffer.from('ok\n'), Buffer.from([0xff])])),
    ]
    const one = await oneByOne(lines(paths, { fatal: true }))
    expect(one.given).toHaveLength(121_003)
    expect(one.error).toMatchObject({ code: 'ERR_INVALID_UTF8', line: 2, offset: 3, path: paths[4] })
    for (const [max, window] of [
      [50_000, 0],
      [700, 3],
      [700, 1000],
    ] as const) {
      const batches = await throughBatches(lines(paths, { fatal: true }), [max], window)
      expect(told(batches)).toEqual(told(one))
    }
  })

  it('can be posted twice, until it is released', async () => {
    const reader = batchesOf(lines([Buffer.from('one\ntwo\n')]))
    const batch = await nextOf(reader, 10)
    const { port1, port2 } = new MessageChannel()
    const answers: unknown[] = []
    for (let i = 0; i < 2; i++) {
      port1.postMessage(batch?.pack().data)
      const [data] = (await once(port2, 'message')) as [RecordData]
      answers.push(allRecords(data))
    }
    port1.close()
    expect(answers).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ])
  })

  it('uses memory again when all lines in it are released, and not before', async () => {
    const block = Buffer.from(`${'x'.repeat(99)}\n`.repeat(5000))
    let blocks = 0
    const reader = batchesOf(
      lines({
        *[Symbol.iterator]() {
          while (blocks++ < 200) yield block
        },
      }),
    )
    const used = new Set<ArrayBufferLike>()
    const held: RecordBatch[] = []
    for (;;) {
      const batch = await nextOf(reader, 1000)
      if (batch === undefined) break
      held.push(batch)
      if (held.length > 20) held.shift()?.release()
      const all = held.flatMap((each) => each.pack().data.segments)
      for (const { memory } of all) used.add(memory)
      const places = new Set(all.map(({ memory, start }) => `${String([...used].indexOf(memory))}:${String(start)}`))
      expect(places.size).toBe(held.length)
    }
    // Of 100 MB that were read, twenty batches of 100,000 bytes are in four or five slabs of 512 KiB.
    expect(used.size).toBeLessThan(10)
  })

  it('fills memory well, with any size of chunks and lines', async () => {
    for (const [length, count] of [
      [10, 100],
      [1000, 65],
      [9000, 70],
      [200_000, 1],
      [300_000, 3],
    ] as const) {
      const chunk = Buffer.from(`${'x'.repeat(length - 1)}\n`.repeat(count))
      const times = Math.ceil(8_000_000 / chunk.length)
      const reader = batchesOf(lines(Array.from({ length: times }, () => chunk)))
      const slabs = new Set<Slab | undefined>()
      let bytes = 0
      for (let batch = await nextOf(reader, 1e6); batch !== undefined; batch = await nextOf(reader, 1e6)) {
        bytes += batch.pack().bytes
        for (const { memory, start } of batch.pack().data.segments) slabs.add(Slab.of(Buffer.from(memory, start, 1)))
      }
      expect(bytes).toBe(times * chunk.length)
      const taken = [...slabs].reduce((sum, slab) => sum + (slab?.size ?? NaN), 0)
      // A slab ends with the last line that fits into it. It can be half empty if lines are half as long.
      expect(taken).toBeLessThan(1.05 * bytes * (length > 100_000 ? 1.75 : 1) + 524_288)
    }
  })

  it('joins the lines of small chunks to one segment', async () => {
    const reader = batchesOf(lines(Array.from('one\ntwo\nthree\nfour', (char) => Buffer.from(char))))
    let all = await nextOf(reader, 10)
    for (let batch = await nextOf(reader, 10); batch !== undefined; batch = await nextOf(reader, 10))
      all = all?.join(batch)
    expect(all?.pack().data.segments).toHaveLength(1)
    expect(all?.values()).toEqual(['one', 'two', 'three', 'four'])
  })
})

/** Gives the chunks, then stays silent. Counts its calls. */
function silentSource(...chunks: readonly string[]) {
  const left = chunks.map((chunk) => Buffer.from(chunk))
  const counts = { opened: 0, read: 0, returned: 0 }
  return {
    counts,
    [Symbol.asyncIterator]() {
      counts.opened++
      return {
        next: (): Promise<IteratorResult<Buffer>> => {
          counts.read++
          const value = left.shift()
          return value === undefined ? new Promise(() => {}) : Promise.resolve({ done: false, value })
        },
        return: (): Promise<IteratorResult<Buffer>> => {
          counts.returned++
          return Promise.resolve({ done: true, value: undefined })
        },
      }
    },
  }
}

describe('lines() as batches reads its source', () => {
  it('only when it is asked for lines and has none', async () => {
    const source = silentSource('1\n2\n3\n4', '\n5\n6\n')
    const reader = batchesOf(lines(source))
    expect(source.counts).toEqual({ opened: 0, read: 0, returned: 0 })
    const given = async (max: number) => ({ lines: (await nextOf(reader, max))?.values(), read: source.counts.read })
    expect(await given(2)).toEqual({ lines: ['1', '2'], read: 1 })
    expect(await given(5)).toEqual({ lines: ['3'], read: 1 })
    expect(await given(5)).toEqual({ lines: ['4'], read: 2 })
    expect(await given(5)).toEqual({ lines: ['5', '6'], read: 2 })
    void reader.next(5)
    await new Promise(setImmediate)
    expect(source.counts).toEqual({ opened: 1, read: 3, returned: 0 })
    await reader.close()
  })

  it('and answers at once while it has lines', async () => {
    const reader = batchesOf(lines([Buffer.from('1\n2\n3'), Buffer.from('\n4\n')]))
    expect((await nextOf(reader, 1))?.values()).toEqual(['1'])
    expect(reader.next(1)).toBeInstanceOf(RecordBatch)
    expect((await nextOf(reader, 1))?.values()).toEqual(['3'])
    expect(reader.next(1)).toBeInstanceOf(RecordBatch)
    expect(await nextOf(reader, 1)).toBeUndefined()
  })

  it('and closes it once, also while a next() waits, which then gives nothing', async () => {
    const source = silentSource('1\n2\n')
    const reader = batchesOf(lines(source))
    await reader.next(10)
    const waiting = reader.next(10)
    await reader.close()
    expect(await waiting).toBeUndefined()
    expect(await nextOf(reader, 10)).toBeUndefined()
    expect(source.counts).toEqual({ opened: 1, read: 2, returned: 1 })
  })

  it('and does not give a line after it is closed', async () => {
    for (const left of ['2\n3\n', '2', '']) {
      const reader = batchesOf(lines([Buffer.from('1'), Buffer.from(`\n${left}`)]))
      expect((await nextOf(reader, 1))?.values()).toEqual(['1'])
      const closed = reader.close()
      expect(await nextOf(reader, 10)).toBeUndefined()
      await closed
    }
  })

  it('and never opens it when closed before', async () => {
    const source = silentSource('1\n')
    const reader = batchesOf(lines(source))
    await reader.close()
    expect(await nextOf(reader, 1)).toBeUndefined()
    expect(source.counts).toEqual({ opened: 0, read: 0, returned: 0 })
  })

  it('and closes it before an error of a line is thrown, not when it has ended or failed', async () => {
    const bad = silentSource('ok\nbad\n')
    const reader = batchesOf(lines(bad, { maxLength: 2 }))
    expect((await nextOf(reader, 10))?.values()).toEqual(['ok'])
    await expect(nextOf(reader, 10)).rejects.toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: 2, offset: 3 })
    expect(await nextOf(reader, 10)).toBeUndefined()
    expect(bad.counts).toEqual({ opened: 1, read: 1, returned: 1 })
  })

  it('and destroys a stream that is silent', async () => {
    const stream = new PassThrough()
    const reader = batchesOf(lines(stream))
    stream.write('one\ntwo')
    expect((await nextOf(reader, 10))?.values()).toEqual(['one'])
    const waiting = reader.next(10)
    const closed = once(stream, 'close')
    await reader.close()
    expect(await waiting).toBeUndefined()
    await closed
  })
})

describe('lines() gives itself away as batches', () => {
  const source = () => lines([Buffer.from('one\ntwo\n')])

  it('only while it has not been read or ended', async () => {
    const read = source()
    await read.next()
    const ended = source()
    await ended.return()
    const given = source()
    openBatches(given)
    for (const reading of [read, ended, given]) expect(openBatches(reading)).toBeUndefined()
    expect((await read.next()).value).toBe('two')
  })

  it('and then has no lines itself, but return() still closes all', async () => {
    const silent = silentSource('one\n')
    const reading = lines(silent)
    const reader = batchesOf(reading)
    expect(await reading.next()).toEqual(DONE)
    expect((await nextOf(reader, 1))?.values()).toEqual(['one'])
    const waiting = reader.next(1)
    expect(await reading.return()).toEqual(DONE)
    expect(await waiting).toBeUndefined()
    expect(silent.counts).toEqual({ opened: 1, read: 2, returned: 1 })
  })
})

describe('an error of lines() as batches', () => {
  it.each<[string, LinesOptions]>([
    ['too long', { maxLength: 3 }],
    ['not UTF-8', { fatal: true }],
  ])('for a line that is %s counts the lines of all batches before', async (_, options) => {
    const bytes = Buffer.concat([
      Buffer.from('\ufeffab\n'.repeat(1).concat('ab\r\n'.repeat(9_999))),
      Buffer.of(0xff),
      Buffer.from('long\n'),
    ])
    const { given, error } = await throughBatches(lines([bytes], options), [7, 1000])
    expect(given).toHaveLength(10_000)
    expect(error).toBeInstanceOf(LineError)
    expect(error).toMatchObject({ line: 10_001, offset: 3 + 3 + 4 * 9_999 })
  })
})
