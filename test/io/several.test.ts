import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { lines, type ByteSource } from 'millrace'

const DONE = { done: true, value: undefined }
const folder = mkdtempSync(join(tmpdir(), 'millrace-several-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function collect(source: AsyncIterable<string>, given: string[] = []): Promise<string[]> {
  for await (const line of source) given.push(line)
  return given
}

/** A source of one chunk that counts its calls. */
function counted(text: string) {
  const counts = { opened: 0, returned: 0 }
  return {
    counts,
    *[Symbol.iterator]() {
      counts.opened++
      try {
        yield Buffer.from(text)
      } finally {
        counts.returned++
      }
    },
  }
}

describe('lines() of several sources', () => {
  it('gives the lines of one after the other, of files and streams alike', async () => {
    const path = file('one', 'one\ntwo\n')
    const zipped = file('two', gzipSync('three\r\nfour\r\n'))
    const sources = [
      path,
      pathToFileURL(zipped),
      Readable.from([Buffer.from('fi'), Buffer.from('ve\n')]),
      ReadableStream.from([Buffer.from('six\n')]),
      [Buffer.from('sev'), Buffer.from('en\n')],
      path,
    ]
    expect(await collect(lines(sources))).toEqual([
      ...['one', 'two', 'three', 'four', 'five', 'six', 'seven'],
      ...['one', 'two'],
    ])
  })

  it('ends a last line without end with its source, and drops each byte order mark', async () => {
    const paths = [file('a', '\ufeffone'), file('empty', ''), file('b', gzipSync('\ufefftwo\r')), file('c', '\nthree')]
    expect(await collect(lines(paths))).toEqual(['one', 'two\r', '', 'three'])
  })

  it('counts lines and bytes of an error from the start of its source', async () => {
    const paths = [file('good', 'ab\nab\nab'), file('bad', '\ufeffab\nabc\n')]
    const given: string[] = []
    await expect(collect(lines(paths, { maxLength: 2 }), given)).rejects.toMatchObject({
      code: 'ERR_LINE_TOO_LONG',
      line: 2,
      offset: 6,
      path: paths[1],
      message: expect.stringContaining(`(in '${paths[1] ?? ''}')`) as string,
    })
    expect(given).toEqual(['ab', 'ab', 'ab', 'ab'])
  })

  it('gives the error of a file that cannot be read after the lines of earlier files, and then ends', async () => {
    const after = counted('after')
    const missing = join(folder, 'missing')
    for (const [bad, code] of [
      [missing, 'ENOENT'],
      [folder, 'EISDIR'],
    ] as const) {
      const given: string[] = []
      const reading = lines([file('before', 'one'), bad, after])
      await expect(collect(reading, given)).rejects.toMatchObject({ code, path: bad })
      expect(given).toEqual(['one'])
      expect(await reading.next()).toEqual(DONE)
    }
    expect(after.counts).toEqual({ opened: 0, returned: 0 })
  })

  it('opens a source when it is reached, and closes the one that is open', async () => {
    const [first, second, third] = [counted('one\n'), counted('two\nnot read\n'), counted('three')]
    const reading = lines([first, second, third])
    expect(first.counts.opened).toBe(0)
    expect((await reading.next()).value).toBe('one')
    expect([first.counts, second.counts]).toEqual([
      { opened: 1, returned: 0 },
      { opened: 0, returned: 0 },
    ])
    expect((await reading.next()).value).toBe('two')
    await reading.return()
    expect(await reading.next()).toEqual(DONE)
    expect([first, second, third].map(({ counts }) => counts)).toEqual([
      { opened: 1, returned: 1 },
      { opened: 1, returned: 1 },
      { opened: 0, returned: 0 },
    ])
  })

  it('reads the given sources, even if the array changes', async () => {
    const paths = [file('kept', 'kept')]
    const reading = lines(paths)
    paths[0] = join(folder, 'missing')
    expect(await collect(reading)).toEqual(['kept'])
  })

  it('reads one file after the other into the same memory', async () => {
    const paths = Array.from({ length: 20 }, (_, n) => file(`part ${n}`, `line ${n}\n`))
    const allocated = jest.spyOn(Buffer, 'allocUnsafeSlow')
    try {
      expect(await collect(lines(paths))).toEqual(paths.map((_, n) => `line ${n}`))
      expect(allocated.mock.calls.filter(([size]) => size >= 65_536).length).toBeLessThanOrEqual(2)
    } finally {
      allocated.mockRestore()
    }
  })

  it('gives nothing for none', async () => {
    expect(await collect(lines([]))).toEqual([])
    expect(await collect(lines([[], file('nothing', ''), []]))).toEqual([])
  })
})

describe('lines() of an array refuses at the call', () => {
  const bytes = Buffer.from('a')

  it.each([
    [[bytes, 'path'], "received byte chunks and 'path'"],
    [['path', bytes], "received byte chunks and 'path' (for bytes in memory among sources: [bytes])"],
    [[bytes, undefined], 'received byte chunks and undefined'],
  ])('byte chunks mixed with others: %p', (source, message) => {
    const call = () => lines(source as ByteSource[])
    expect(call).toThrow(TypeError)
    expect(call).toThrow('Cannot read lines as an array must contain only byte chunks or only sources')
    expect(call).toThrow(message)
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_SOURCE' }) as Error)
  })

  it.each([
    [['path', 7], 'received 7'],
    [['path', new URL('data:,a')], "received 'data:,a'"],
    [['path', , 'path'], 'received undefined'],
  ])('a value that is not a source: %p', (source, message) => {
    const call = () => lines(source as ByteSource[])
    expect(call).toThrow(
      'Cannot read lines as its source must be a path, a URL of a file or a server, a stream of bytes or an iterable',
    )
    expect(call).toThrow(message)
  })
})
