/** Every source of records takes what lines() takes, and parses in the workers of the next stage. */
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { threadId } from 'node:worker_threads'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { ItemContext, type RunningChunk } from '#dist/worker/chunk.js'
import { csv, files, fixed, imap, json, lines, ndjson, pipe, tsv, write } from 'millrace'
import { thread } from '../fixtures/field-tasks.js'
import { withThread } from '../fixtures/records.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-inputs-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

type Open = (source: never) => AsyncIterable<unknown>
const SOURCES: readonly [name: string, open: Open, text: string, items: readonly unknown[]][] = [
  ['lines()', lines as Open, 'ä\nb\n', ['ä', 'b']],
  ['csv()', csv as Open, 'x,y\nä,b\n', [{ x: 'ä', y: 'b' }]],
  ['tsv()', tsv as Open, 'x\ty\nä\tb\n', [{ x: 'ä', y: 'b' }]],
  ['ndjson()', ndjson as Open, '{"x":"ä"}\n2\n', [{ x: 'ä' }, 2]],
  ['fixed()', ((source: never) => fixed(source, { columns: { x: 1, y: 2 } })) as Open, 'ä b\n', [{ x: 'ä', y: 'b' }]],
  ['json()', json as Open, '[{"x":"ä"}, 2]\n', [{ x: 'ä' }, 2]],
]

describe.each(SOURCES)('%s', (name, open, text, items) => {
  const bytes = Buffer.from(text)
  const file = (suffix: string, content: Buffer): string => {
    const path = join(folder, `${name.replace(/\W/g, '')}${suffix}`)
    writeFileSync(path, content)
    return path
  }
  const read = async (source: unknown): Promise<unknown[]> => {
    const all: unknown[] = []
    for await (const item of open(source as never)) all.push(item)
    return all
  }

  it('takes a path, a URL, a stream, chunks of bytes, and arrays of these', async () => {
    const path = file('.txt', bytes)
    const inputs: (() => unknown)[] = [
      () => path,
      () => pathToFileURL(path),
      () => pathToFileURL(path).href,
      () => createReadStream(path),
      () => Readable.toWeb(createReadStream(path)),
      () => new Blob([bytes]).stream(),
      () => [bytes],
      () => Array.from(bytes, (byte) => Uint8Array.of(byte)),
      () => [Uint8Array.from(bytes).buffer],
      () => Readable.from([bytes]),
    ]
    for (const input of inputs) expect(await read(input())).toEqual(items)
    expect(await read([path, [bytes], createReadStream(path)])).toEqual([...items, ...items, ...items])
    expect(await read(files(path.replace('.txt', '.t?t')))).toEqual(items)
    expect(await read([files(path), path])).toEqual([...items, ...items])
  })

  it('decompresses by the first bytes, brotli by its suffix, and decodes UTF-16 by its mark', async () => {
    const zeros = Buffer.alloc(512)
    const half = bytes.length / 2
    const members = [gzipSync(bytes.subarray(0, half)), zeros, gzipSync(bytes.subarray(half)), zeros]
    expect(await read(file('.members', Buffer.concat(members)))).toEqual(items)
    expect(await read(file('.txt.br', brotliCompressSync(bytes)))).toEqual(items)
    expect(await read([Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])])).toEqual(items)
    expect(await read([Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes])])).toEqual(items)
  })

  it('refuses other formats, with the cure', async () => {
    const refused: [start: number[], cure: RegExp][] = [
      [[0x50, 0x4b, 3, 4, 20, 0, 0, 0], /zip/i],
      [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4], /decompress: \['xz', '-dc'\]/],
      [[0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59], /decompress: \['bzip2', '-dc'\]/],
      [[0xff, 0xfe, 0, 0, 0x61, 0, 0, 0], /UTF-32/],
    ]
    for (const [start, cure] of refused) {
      await expect(read([Buffer.concat([Buffer.from(start), Buffer.alloc(64)])])).rejects.toMatchObject({
        code: 'ERR_INPUT_FORMAT',
        message: expect.stringMatching(cure) as string,
      })
    }
  })
})

it('between a source and write(), rows are made and formatted by workers alone', async () => {
  const path = join(folder, 'threads.ndjson')
  const text = `n\n${'1\n'.repeat(1_000)}`
  await pipe(csv([Buffer.from(text)], { columns: ['n'], types: { n: thread } }), imap(withThread), write(path))
  const rows = readFileSync(path, 'utf8').trim().split('\n')
  expect(rows).toHaveLength(1_000)
  for (const row of rows) {
    const { parsed, formatted } = JSON.parse(row) as { parsed: number; formatted: number }
    expect(parsed).not.toBe(threadId)
    expect(formatted).toBe(parsed)
  }
})

it('the place of a record is computed when a task asks for it, and not before', () => {
  let computed = 0
  const place = { file: 'a.csv', record: 1, line: 2, offset: 4, length: 3 }
  const chunk = { first: 0, placeOf: () => (computed++, place) } as unknown as RunningChunk
  const context = new ItemContext(chunk, 0)
  expect([context.index, computed]).toEqual([0, 0])
  expect([context.line, computed]).toEqual([2, 1])
})
