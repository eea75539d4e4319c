import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { LineError, lines, type LinesOptions } from 'millrace'
import { times } from '../support/volume.js'

async function collect(source: AsyncIterable<string>): Promise<string[]> {
  const given: string[] = []
  for await (const line of source) given.push(line)
  return given
}

/** The lines that come before the error, and the error. */
async function untilError(source: AsyncIterable<string>): Promise<{ given: string[]; error: unknown }> {
  const given: string[] = []
  try {
    for await (const line of source) given.push(line)
  } catch (error) {
    return { given, error }
  }
  throw new Error(`no error came after ${String(given.length)} lines`)
}

const split = (text: string, options?: LinesOptions) => collect(lines([Buffer.from(text)], options))
const bytewise = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.of(byte))

describe('lines() splits', () => {
  it('at \\n and at \\r\\n', async () => {
    expect(await split('one\ntwo\r\nthree\n')).toEqual(['one', 'two', 'three'])
  })

  it('and gives a last line without an end', async () => {
    expect(await split('one\ntwo')).toEqual(['one', 'two'])
  })

  it('and keeps empty lines, but adds none after a final newline', async () => {
    expect(await split('\n\r\none\n\n')).toEqual(['', '', 'one', ''])
  })

  it('and gives nothing for an empty input', async () => {
    expect(await collect(lines([]))).toEqual([])
    expect(await split('')).toEqual([])
  })

  it('and leaves a lone \\r in its line', async () => {
    expect(await split('a\rb\n\rc\r\r\nd\r')).toEqual(['a\rb', '\rc\r', 'd\r'])
  })

  it('the same when every byte comes alone', async () => {
    const bytes = Buffer.from('\ufeffä\r\n\r\r\n😀\n\nend\r')
    expect(await collect(lines(bytewise(bytes)))).toEqual(['ä', '\r', '😀', '', 'end\r'])
  })

  it('as a simple model does, with any bytes and blocks, and with gzip', async () => {
    const piece = fc.constantFrom(
      ...['\n', '\r\n', '\r', 'a', 'bcd', 'ä', '€', '😀', '\ufeff', '\ufffd', '\0'].map((text) => Buffer.from(text)),
      ...[0x1f, 0x8b, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xff].map((byte) => Buffer.of(byte)),
    )
    const input = fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.concat(pieces))
    const cuts = fc.array(fc.nat({ max: 120 }), { maxLength: 12 })
    const encoding = fc.constantFrom('utf8' as const, 'latin1' as const)
    await fc.assert(
      fc.asyncProperty(input, cuts, encoding, fc.boolean(), async (bytes, at, encoding, zipped) => {
        // Otherwise zeros in every second byte would look like UTF-16, and gzip inside gzip is refused.
        fc.pre(!zipped || (!bytes.includes(0) && bytes[0] !== 0x1f))
        const sent = zipped ? gzipSync(bytes) : bytes
        const bounds = [0, ...at.sort((a, b) => a - b), sent.length]
        const blocks = bounds.slice(1).map((end, i) => sent.subarray(bounds[i], end))
        expect(await collect(lines(blocks, { encoding, detect: zipped }))).toEqual(model(bytes, encoding))
      }),
      { numRuns: times(200, 1000) },
    )
  })

  function model(bytes: Buffer, encoding: 'utf8' | 'latin1'): string[] {
    const text = encoding === 'utf8' ? new TextDecoder().decode(bytes) : bytes.toString('latin1')
    const parts = text.split('\n')
    const last = parts.pop() ?? ''
    const ended = parts.map((part) => (part.endsWith('\r') ? part.slice(0, -1) : part))
    return last === '' ? ended : [...ended, last]
  }

  it('without waiting for more of a slow source than the line itself', async () => {
    const source = {
      chunks: [Buffer.from('\n'), Buffer.from([0x1f]), Buffer.from('\n\xef\n', 'latin1')],
      [Symbol.asyncIterator]() {
        return {
          next: (): Promise<IteratorResult<Buffer>> => {
            const value = this.chunks.shift()
            return value === undefined ? new Promise(() => {}) : Promise.resolve({ done: false, value })
          },
        }
      },
    }
    const reading = lines(source)
    expect(await reading.next()).toEqual({ done: false, value: '' })
    expect(await reading.next()).toEqual({ done: false, value: '\x1f' })
    expect(await reading.next()).toEqual({ done: false, value: '\ufffd' })
  })

  it('correctly when the source uses the memory of a chunk again', async () => {
    function* source() {
      const memory = Buffer.alloc(4)
      for (const text of ['on', 'e\ntw', 'o\n', 'th', 'ree']) yield memory.subarray(0, memory.write(text))
    }
    expect(await collect(lines(source()))).toEqual(['one', 'two', 'three'])
  })
})

describe('lines() decodes', () => {
  it('UTF-8 by default, with characters that two blocks share', async () => {
    expect(await collect(lines(bytewise(Buffer.from('ä€😀\né'))))).toEqual(['ä€😀', 'é'])
  })

  it('each byte as a character in latin1, the bytes of a byte order mark too', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xe4, 0x0a, 0xff])
    expect(await collect(lines([bytes], { encoding: 'latin1' }))).toEqual(['ï»¿ä', 'ÿ'])
  })

  it('without the byte order mark at the start, and only there', async () => {
    expect(await split('\ufeffone\n\ufefftwo')).toEqual(['one', '\ufefftwo'])
    expect(await split('\ufeff')).toEqual([])
    expect(await split('\ufeff\ufeff')).toEqual(['\ufeff'])
  })

  it('invalid UTF-8 as U+FFFD, as TextDecoder does', async () => {
    const bytes = Buffer.from([0x61, 0xff, 0xe2, 0x82, 0x0a, 0xf0, 0x9f, 0x98])
    expect(await collect(lines([bytes]))).toEqual(['a\ufffd\ufffd', '\ufffd'])
  })
})

describe('lines() with fatal', () => {
  it('gives the good lines, then an error that names line and byte', async () => {
    const bytes = Buffer.concat([Buffer.from('ä\n\ufffd\r\nok\nx\ufffdy'), Buffer.from([0xe2, 0x82, 0x41, 0x0a])])
    const { given, error } = await untilError(lines([bytes], { fatal: true }))
    expect(given).toEqual(['ä', '\ufffd', 'ok'])
    expect(error).toBeInstanceOf(LineError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_UTF8', line: 4, offset: 16 })
    expect(String(error)).toContain('received byte 0xe2 at byte 16')
  })

  it('counts offsets from the start of the input, byte order mark included', async () => {
    const bytes = Buffer.concat([Buffer.from('\ufeffa\n'), Buffer.from([0xff])])
    const { error } = await untilError(lines([bytes], { fatal: true }))
    expect(error).toMatchObject({ line: 2, offset: 5 })
  })

  it('finds the first invalid byte wherever it is, and gives valid input unharmed', async () => {
    const piece = fc.constantFrom(
      ...['\n', 'a', 'ä', '€', '😀', '\ufffd'].map((text) => Buffer.from(text)),
      ...[0x80, 0xc3, 0xe2, 0xf0, 0xff].map((byte) => Buffer.of(byte)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.nat({ max: 12 }), async (pieces, at) => {
        const bytes = Buffer.concat(pieces)
        const valid = validLength(bytes)
        const source = lines([bytes.subarray(0, at), bytes.subarray(at)], { fatal: true })
        if (valid === bytes.length) {
          expect(await collect(source)).toEqual(await collect(lines([bytes])))
          return
        }
        const { given, error } = await untilError(source)
        const before = bytes.subarray(0, valid).toString().split('\n').slice(0, -1)
        expect(given).toEqual(before)
        expect(error).toMatchObject({ code: 'ERR_INVALID_UTF8', line: before.length + 1, offset: valid })
      }),
      { numRuns: times(200, 1000) },
    )
  })

  function validLength(bytes: Buffer): number {
    for (let length = bytes.length; ; length--) {
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length))
        return length
      } catch {
        // Not valid up to here.
      }
    }
  }
})

describe('lines() with maxLength', () => {
  it('counts bytes without the line end', async () => {
    expect(await split('éé\r\nabcd\nabcd', { maxLength: 4 })).toEqual(['éé', 'abcd', 'abcd'])
    expect(await collect(lines(bytewise(Buffer.from('\ufeffa\r\nb\r\nc')), { maxLength: 1 }))).toEqual(['a', 'b', 'c'])
  })

  it('gives the good lines, then an error that names line and byte', async () => {
    for (const chunks of [[Buffer.from('ab\r\n\néé\nok')], bytewise(Buffer.from('ab\r\n\néé\nok'))]) {
      const { given, error } = await untilError(lines(chunks, { maxLength: 3 }))
      expect(given).toEqual(['ab', ''])
      expect(error).toBeInstanceOf(LineError)
      expect(error).toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: 3, offset: 5 })
      expect(String(error)).toContain("'maxLength': received more than 3 bytes from byte 5 on")
    }
  })

  it('counts a lone \\r at the end', async () => {
    expect(await split('abc\r', { maxLength: 4 })).toEqual(['abc\r'])
    expect((await untilError(lines([Buffer.from('abc\r')], { maxLength: 3 }))).given).toEqual([])
    expect((await untilError(lines([Buffer.from('abc\r\r\n')], { maxLength: 3 }))).given).toEqual([])
  })

  it('finds the first line that is too long wherever it is, and gives valid input unharmed', async () => {
    const piece = fc.constantFrom(...['\n', '\r\n', '\r', 'a', 'bcd', 'ä'].map((text) => Buffer.from(text)))
    const maxLength = fc.integer({ min: 1, max: 6 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.nat({ max: 30 }),
        maxLength,
        async (pieces, at, maxLength) => {
          const bytes = Buffer.concat(pieces)
          const source = lines([bytes.subarray(0, at), bytes.subarray(at)], { maxLength, encoding: 'latin1' })
          const all = model(bytes.toString('latin1'))
          const long = all.findIndex(({ line }) => line.length > maxLength)
          if (long < 0) {
            expect(await collect(source)).toEqual(all.map(({ line }) => line))
            return
          }
          const { given, error } = await untilError(source)
          expect(given).toEqual(all.slice(0, long).map(({ line }) => line))
          expect(error).toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: long + 1, offset: all[long]?.offset })
        },
      ),
      { numRuns: times(200, 1000) },
    )

    function model(text: string): { line: string; offset: number }[] {
      return [...text.matchAll(/([^\n]*?)(\r?\n|$)/g)]
        .filter(([whole]) => whole !== '')
        .map((match) => {
          const ended = match[2] !== ''
          return { line: ended ? (match[1] ?? '') : match[0], offset: match.index }
        })
    }
  })

  it('throws as soon as a line is too long, not when it ends', async () => {
    let read = 0
    function* source() {
      yield Buffer.from('a\n')
      for (;;) {
        read++
        yield Buffer.from('xxxxxxxxxx')
      }
    }
    const { given, error } = await untilError(lines(source(), { maxLength: 95 }))
    expect(given).toEqual(['a'])
    expect(error).toMatchObject({ line: 2, offset: 2 })
    expect(read).toBe(10)
  })

  it('is 16 MiB by default', async () => {
    const longest = Buffer.alloc(16 * 1024 * 1024, 'x')
    expect((await collect(lines([longest]))).map((line) => line.length)).toEqual([longest.length])
    const { error } = await untilError(lines([longest, Buffer.from('x')]))
    expect(error).toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: 1, offset: 0 })
  })
})

describe('lines() as an iterator', () => {
  it('answers calls of next() that overlap in order', async () => {
    const reading = lines([Buffer.from('1\n2'), Buffer.from('\n'), Buffer.from('3\n')])
    const order: number[] = []
    const results = await Promise.all(
      [0, 1, 2, 3, 4].map(async (call) => {
        const result = await reading.next()
        order.push(call)
        return result.value
      }),
    )
    expect(results).toEqual(['1', '2', '3', undefined, undefined])
    expect(order).toEqual([0, 1, 2, 3, 4])
  })

  it('answers calls after a failing one in order too, with "done"', async () => {
    const reading = lines([Buffer.from('1\n234\n5\n')], { maxLength: 2 })
    const settled = await Promise.allSettled([reading.next(), reading.next(), reading.next()])
    expect(settled).toMatchObject([
      { value: { done: false, value: '1' } },
      { status: 'rejected', reason: { code: 'ERR_LINE_TOO_LONG' } },
      { value: { done: true, value: undefined } },
    ])
  })

  it('says done at every call after the end, an error and return()', async () => {
    const ended = lines([])
    const failed = lines([Buffer.from('too long')], { maxLength: 1 })
    const left = lines([Buffer.from('a\nb\n')])
    await ended.next()
    await expect(failed.next()).rejects.toThrow(LineError)
    await left.next()
    await left.return()
    for (const reading of [ended, failed, left]) {
      for (let i = 0; i < 3; i++) expect(await reading.next()).toEqual({ done: true, value: undefined })
      expect(await reading.return()).toEqual({ done: true, value: undefined })
      expect(await reading.return()).toEqual({ done: true, value: undefined })
    }
  })

  it('is its own iterator, and asyncDispose ends it', async () => {
    const reading = lines([Buffer.from('a\nb\n')])
    expect(reading[Symbol.asyncIterator]()).toBe(reading)
    await reading.next()
    await reading[Symbol.asyncDispose]()
    expect(await reading.next()).toEqual({ done: true, value: undefined })
  })

  it('gives lines that do not keep other memory alive', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const block = Buffer.alloc(1024 * 1024, `${'x'.repeat(1023)}\n`)
    function* source() {
      for (let i = 0; i < 64; i++) yield block
    }
    const kept: string[] = []
    gc()
    const before = process.memoryUsage()
    let count = 0
    for await (const line of lines(source())) if (count++ % 1024 === 0) kept.push(line)
    gc()
    const after = process.memoryUsage()
    expect(kept.length).toBe(64)
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(8 * 1024 * 1024)
  })
})

describe('lines() checks its options at the call', () => {
  const source = [Buffer.from('a')]

  it.each([
    [
      { encoding: 'utf9' },
      RangeError,
      "Cannot read lines as 'encoding' must be 'utf8', 'latin1' or an encoding that TextDecoder knows: received 'utf9'",
    ],
    [{ maxLength: 0 }, RangeError, "Cannot read lines as 'maxLength' must be an integer from 1 to"],
    [{ maxLength: '8' }, TypeError, "Cannot read lines as 'maxLength' must be an integer from 1 to"],
    [{ maxLength: Infinity }, RangeError, 'received Infinity'],
    [{ fatal: 1 }, TypeError, "Cannot read lines as 'fatal' must be true or false: received 1"],
    [{ highWaterMark: 1 }, TypeError, "Cannot read lines as it has no option 'highWaterMark'"],
    [null, TypeError, 'Cannot read lines as its options must be an object: received null'],
  ])('and refuses %p', (options, type, message) => {
    const call = () => lines(source, options as LinesOptions)
    expect(call).toThrow(type)
    expect(call).toThrow(message)
  })

  it('and takes undefined for the default', async () => {
    const options = { encoding: undefined, maxLength: undefined, fatal: undefined }
    expect(await collect(lines(source, options))).toEqual(['a'])
  })
})
