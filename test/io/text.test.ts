/**
 * Encodings, delimiters and lines that are too long, compared with simple models: in any blocks, here and in batches of
 * workers.
 */
import fc from 'fast-check'
import { lines, type LinesOptions } from '#dist/io/lines.js'
import { openBatches } from '#dist/io/source.js'
import type { Batch } from '#dist/codec/batch.js'
import { unpack } from '#dist/codec/codec.js'
import { times } from '../support/volume.js'

interface Outcome {
  given: string[]
  error: unknown
  skipped: number
}

async function read(source: ReturnType<typeof lines>): Promise<Outcome> {
  const given: string[] = []
  try {
    for await (const line of source) given.push(line)
    return { given, error: undefined, skipped: source.skipped }
  } catch (error) {
    return { given, error, skipped: source.skipped }
  }
}

/**
 * As a worker does it: from the message of each batch. Each is cut, and joined with a part of the next. What was taken is released:
 * otherwise all memory of the kernel would go to these tests.
 */
async function readBatches(source: ReturnType<typeof lines>): Promise<Outcome> {
  const given: unknown[] = []
  const reader = openBatches(source)
  const take = (batch: Batch) => {
    given.push(...unpack(structuredClone(batch.pack().data)))
    batch.release()
  }
  let held: Batch | undefined
  let error: unknown
  try {
    for (let batch = await reader?.next(3); batch !== undefined; batch = await reader?.next(3)) {
      const first = batch.slice(0, 1)
      const joined = held?.join(first)
      if (joined === undefined) {
        if (held !== undefined) take(held)
        take(first)
      } else {
        take(joined)
      }
      held = batch.slice(1, batch.length)
      batch.release()
    }
  } catch (thrown) {
    error = thrown
  }
  if (held !== undefined) take(held)
  return { given: given as string[], error, skipped: source.skipped }
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const bounds = [0, ...[...at].sort((a, b) => a - b), bytes.length]
  return bounds.slice(1).map((end, i) => bytes.subarray(bounds[i], end))
}

const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 8 })
const bytewise = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte))

/** The lines of latin1 text, each with its offset. */
function model(text: string, delimiter: string): { line: string; offset: number }[] {
  const parts = text.split(delimiter)
  let offset = 0
  const all = parts.map((line) => {
    const at = offset
    offset += line.length + delimiter.length
    return { line, offset: at }
  })
  return all.at(-1)?.line === '' ? all.slice(0, -1) : all
}

describe('lines() with a delimiter', () => {
  const alphabet = fc.constantFrom('a', 'b', '\n', '\r', '\0', 'ä')
  const texts = fc.array(alphabet, { maxLength: 30 }).map((characters) => characters.join(''))
  const delimiters = fc.array(alphabet, { minLength: 1, maxLength: 3 }).map((characters) => characters.join(''))

  it('cuts as split() does, with any delimiter and blocks, in strings and in batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        delimiters,
        cuts,
        fc.constantFrom('utf8', 'latin1', 'utf-16le', 'windows-1252'),
        async (text, delimiter, at, encoding) => {
          const bytes =
            encoding === 'utf8' ? Buffer.from(text) : Buffer.from(text, encoding === 'utf-16le' ? 'utf16le' : 'latin1')
          const options: LinesOptions = { encoding, delimiter, detect: false }
          const expected = model(text, delimiter).map(({ line }) => line)
          expect(await read(lines(cut(bytes, at), options))).toMatchObject({ given: expected, error: undefined })
          expect(await readBatches(lines(cut(bytes, at), options))).toMatchObject({ given: expected, error: undefined })
        },
      ),
      { numRuns: 500 },
    )
  })

  it('bounds lines as a model does: the lines before a long one, then the error; with skip, all others', async () => {
    const maxLengths = fc.integer({ min: 1, max: 5 })
    await fc.assert(
      fc.asyncProperty(
        texts,
        delimiters,
        cuts,
        maxLengths,
        fc.boolean(),
        async (text, delimiter, at, maxLength, skip) => {
          const options: LinesOptions = {
            encoding: 'latin1',
            delimiter,
            maxLength,
            detect: false,
            tooLong: skip ? 'skip' : 'error',
          }
          const all = model(text, delimiter)
          const long = all.findIndex(({ line }) => line.length > maxLength)
          for (const way of [read, readBatches]) {
            const { given, error, skipped } = await way(lines(cut(Buffer.from(text, 'latin1'), at), options))
            if (skip || long < 0) {
              expect(given).toEqual(all.map(({ line }) => line).filter((line) => line.length <= maxLength))
              expect({ error, skipped }).toEqual({ error: undefined, skipped: all.length - given.length })
            } else {
              expect(given).toEqual(all.slice(0, long).map(({ line }) => line))
              expect(error).toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: long + 1, offset: all[long]?.offset })
            }
          }
        },
      ),
      // The end of a line that is left out begins in its last byte, which was not kept.
      { numRuns: times(500, 5_000), examples: [['a\na\0\0aaa', 'aa', [6], 2, true]] },
    )
  })

  it('takes bytes, and leaves the \\r before an explicit \\n in the line', async () => {
    expect((await read(lines([Buffer.from('a\0b\0')], { delimiter: Uint8Array.of(0) }))).given).toEqual(['a', 'b'])
    expect((await read(lines([Buffer.from('a\r\nb')], { delimiter: '\n' }))).given).toEqual(['a\r', 'b'])
    expect((await read(lines([Buffer.from('a\rb\r')], { delimiter: '\r' }))).given).toEqual(['a', 'b'])
  })

  it.each([
    ['', "'delimiter' must be a string or bytes, not empty: received ''"],
    [new Uint8Array(), "'delimiter' must be a string or bytes, not empty: received Uint8Array(0) []"],
    [5, "'delimiter' must be a string or bytes, not empty: received 5"],
    ['€', "'delimiter' must be text that can be written in latin1: received '€'"],
  ])('refuses %p at the call', (delimiter, message) => {
    expect(() => lines([], { delimiter: delimiter as string, encoding: 'latin1' })).toThrow(message)
  })

  it('hints at \\r where a line is too long by default', async () => {
    const { error } = await read(lines([Buffer.from('one\rtwo\rthree')], { maxLength: 4 }))
    expect(String(error)).toContain(String.raw`(it has '\r': for lines that end with it, set delimiter: '\r')`)
  })
})

describe("lines() with tooLong: 'skip'", () => {
  it('counts what it leaves out in the numbers of later lines, over several sources', async () => {
    const sources = [[Buffer.from('toolong\nok\nlonger still')], [Buffer.from('a\nlong line\nb\n\xff\n', 'latin1')]]
    const { given, error, skipped } = await read(lines(sources, { maxLength: 3, tooLong: 'skip', fatal: true }))
    expect(given).toEqual(['ok', 'a', 'b'])
    expect(error).toMatchObject({ code: 'ERR_INVALID_UTF8', line: 4, offset: 14 })
    expect(skipped).toBe(3)
  })

  it('does not keep any part of a line of any length', async () => {
    const block = Buffer.alloc(1024 * 1024, 'x')
    function* source() {
      for (let n = 0; n < 300; n++) yield block
      yield Buffer.from('\nshort\n')
    }
    const before = process.memoryUsage()
    const { given, skipped } = await read(lines(source(), { maxLength: 1000, tooLong: 'skip' }))
    const after = process.memoryUsage()
    expect({ given, skipped }).toEqual({ given: ['short'], skipped: 1 })
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024)
  })
})

describe('lines() decodes other encodings', () => {
  const samples: readonly [label: string, bytes: number[], text: string][] = [
    ['utf-8', [0xc3, 0xa4], 'ä'],
    ['UTF-8', [0xc3, 0xa4], 'ä'],
    ['unicode-1-1-utf-8', [0xc3, 0xa4], 'ä'],
    ['latin1', [0xe4, 0x80], 'ä\x80'],
    ['iso-8859-1', [0xe4, 0x80], 'ä€'],
    ['windows-1252', [0x80, 0x99, 0xe4], '€™ä'],
    ['windows-1251', [0xcf, 0xf0, 0xe8], 'При'],
    ['iso-8859-15', [0xa4], '€'],
    ['koi8-r', [0xf0, 0xd2, 0xc9], 'При'],
    ['shift_jis', [0x83, 0x5c, 0x93, 0xfa, 0x7c], 'ソ日|'],
    ['euc-jp', [0xc6, 0xfc, 0xcb, 0xdc], '日本'],
    ['iso-2022-jp', [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42], '日本'],
    ['gbk', [0xc4, 0xe3, 0xba, 0xc3], '你好'],
    ['gb18030', [0x81, 0x30, 0x89, 0x38, 0xc4, 0xe3], 'ß你'],
    ['big5', [0xa7, 0x41, 0xa6, 0x6e], '你好'],
    ['euc-kr', [0xc7, 0xd1], '한'],
    ['utf-16le', [0xe4, 0x00, 0x3d, 0xd8, 0x00, 0xde], 'ä😀'],
    ['utf16le', [0x0a, 0x01, 0x0d, 0x0a], 'Ċ\u0a0d'],
    ['utf-16be', [0x00, 0xe4, 0xd8, 0x3d, 0xde, 0x00], 'ä😀'],
  ]

  it.each(samples)('%s, in any blocks', async (encoding, bytes, text) => {
    const [a, newline, b] = ['a', '\n', 'b'].map((character) => unitsOf(encoding, character))
    const input = Buffer.from([a, bytes, newline, bytes, newline, newline, b, bytes].flatMap((part) => part ?? []))
    const expected = [`a${text}`, text, '', `b${text}`]
    for (const blocks of [[input], bytewise(input), cut(input, [3, 4, 9])]) {
      for (const way of [read, readBatches]) {
        expect(await way(lines(blocks, { encoding, fatal: true }))).toMatchObject({ given: expected, error: undefined })
      }
    }
  })

  it.each(samples.filter(([label]) => /jp|jis|gb|big5|utf/i.test(label)))(
    '%s, cut at text that could be a part of a character',
    async (encoding, bytes, text) => {
      const bar = unitsOf(encoding, '|')
      const input = Buffer.from([...bytes, ...bar, ...bytes, ...bar])
      for (const delimiter of ['|', Uint8Array.from(bar)]) {
        const expected = `${text}|${text}|`.split('|').filter((line) => line !== '')
        expect((await read(lines([input], { encoding, delimiter }))).given.filter((line) => line !== '')).toEqual(
          expected,
        )
      }
    },
  )

  function unitsOf(encoding: string, text: string): number[] {
    if (!encoding.includes('16')) return [...Buffer.from(text)]
    const bytes = Buffer.from(text, 'utf16le')
    return [...(encoding.endsWith('be') ? bytes.swap16() : bytes)]
  }

  it('as TextDecoder does, with any bytes', async () => {
    const labels = fc.constantFrom('windows-1251', 'shift_jis', 'gbk', 'euc-kr', 'utf-16le', 'utf-16be')
    const piece = fc.constantFrom(0x0a, 0x0d, 0x00, 0x61, 0x5c, 0x7c, 0x81, 0xd8, 0xdc, 0xe4, 0xff)
    await fc.assert(
      fc.asyncProperty(labels, fc.array(piece, { maxLength: 30 }), cuts, async (encoding, codes, at) => {
        const text = new TextDecoder(encoding).decode(Uint8Array.from(codes))
        const { given } = await read(lines(cut(Uint8Array.from(codes), at), { encoding, detect: false }))
        const parts = text.split('\n').map((part, i, all) => (i < all.length - 1 ? part.replace(/\r$/, '') : part))
        expect(given.join('\n')).toBe((parts.at(-1) === '' ? parts.slice(0, -1) : parts).join('\n'))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['shift_jis', Buffer.from([0x61, 0x0a, 0x62, 0x83, 0x5c, 0x81, 0x0a]), 2, 5, '81'],
    ['windows-1257', Buffer.from([0x61, 0x0a, 0x62, 0xa1, 0x0a]), 2, 3, 'a1'],
    ['utf-16le', Buffer.from('a\nb\ud800c\n', 'utf16le'), 2, 6, '00'],
    ['utf-16be', Buffer.from('a\nbc\udc00', 'utf16le').swap16(), 2, 8, 'dc'],
    ['utf-16le', Buffer.from('a\nbx', 'utf16le').subarray(0, 7), 2, 6, '78'],
    ['iso-2022-jp', Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x0a]), 2, 3, 'ff'],
  ])('%s with fatal: the lines before, then line and byte', async (encoding, bytes, line, offset, byte) => {
    for (const blocks of [[bytes], bytewise(bytes)]) {
      const { given, error } = await read(lines(blocks, { encoding, fatal: true }))
      expect(given).toEqual(['a'])
      expect(error).toMatchObject({ code: 'ERR_INVALID_TEXT', line, offset })
      expect(String(error)).toContain(`must be valid ${encoding}: received byte 0x${byte} at byte ${offset}`)
    }
  })

  it('UTF-16 with offsets of the input in errors', async () => {
    const bytes = Buffer.from('\ufeffä€\nab\ntoo long\n', 'utf16le')
    for (const blocks of [[bytes], bytewise(bytes)]) {
      const { given, error } = await read(lines(blocks, { maxLength: 5 }))
      expect(given).toEqual(['ä€', 'ab'])
      expect(error).toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: 3, offset: 14 })
    }
  })

  it.each([
    ['utf9', RangeError, "received 'utf9'"],
    ['', RangeError, "received ''"],
    [8, TypeError, "'encoding' must be the name of an encoding: received 8"],
  ])('but not %p', (encoding, type, message) => {
    const call = () => lines([], { encoding: encoding as string })
    expect(call).toThrow(type)
    expect(call).toThrow(message)
  })
})
