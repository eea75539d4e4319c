/** Records with quotes: the automaton is the definition, and the kernel must find the same. */
import fc from 'fast-check'
import { BLOCK_SIZE, openKernel, Slab } from '#dist/scan/memory.js'
import {
  findFields,
  findQuoted,
  findQuotedSlowly,
  POSITION,
  RECORD_START,
  type QuotedDialect,
  type QuotedFound,
} from '#dist/scan/quoted.js'
import { times } from '../support/volume.js'

const RFC: QuotedDialect = {
  delimiter: 44,
  quote: 34,
  escape: 34,
  comment: -1,
  newline: 10,
  trim: false,
  skipEmpty: true,
}

let text: Slab
let room: Slab
beforeAll(() => {
  text = Slab.take(BLOCK_SIZE)
  room = Slab.take(BLOCK_SIZE)
})
afterAll(() => {
  text.release()
  room.release()
})

interface Result {
  readonly ends: number[]
  readonly isAscii: boolean
  readonly hasReturns: boolean
  readonly newlines: number
  readonly state: number
}

type Find = typeof findQuoted

/** What is found in bytes that are scanned piece by piece, with room for `most` ends a time. */
function scan(find: Find, bytes: Buffer, dialect: QuotedDialect, cuts: readonly number[] = [], most = 1_000): Result {
  text.bytes().fill(34, 0, bytes.length + 200)
  text.bytes().set(bytes, 64)
  const ends: number[] = []
  let state = RECORD_START
  let isAscii = true
  let hasReturns = false
  let newlines = 0
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    while (from < to) {
      const at = room.start + room.size - 4 * most
      const start = text.start + 64
      const found: QuotedFound = find(text, start + from, start + to, dialect, state, { slab: room, at })
      expect(found.scanned).toBeGreaterThan(0)
      for (const end of new Uint32Array(room.buffer, at, found.count)) ends.push(end - start)
      from += found.scanned
      state = found.state
      isAscii &&= found.isAscii
      hasReturns ||= found.hasReturns
      newlines += found.newlines
    }
  }
  return { ends, isAscii, hasReturns, newlines, state }
}

/** Any bytes that mean something, and others. Runs of one make them longer than a step of the kernel. */
const anyBytes = fc
  .array(
    fc.tuple(
      fc.constantFrom(...Buffer.from('aa,,""""\n\n\r #\\\t;'), 0xc3, 0xa4),
      fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 70 })),
    ),
    { maxLength: 160 },
  )
  .map((pieces) => Buffer.concat(pieces.map(([byte, length]) => Buffer.alloc(length, byte))))

/** Fields as RFC 4180 has them, and the bytes of a file of them. */
const field = fc
  .array(fc.constantFrom('a', 'bc', ',', '"', '\n', '\r\n', 'ä', ' ', ''), { maxLength: 6 })
  .map((parts) => parts.join(''))
const validRows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 12 })

function written(rows: readonly (readonly string[])[], newline: string, quoteAll: boolean): string {
  const quoted = (value: string): string =>
    quoteAll || /[",\r\n]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value
  return rows.map((row) => row.map(quoted).join(',') + newline).join('')
}

describe('records with quotes', () => {
  it('are found by the kernel here', () => {
    expect(openKernel()).not.toBeNull()
  })

  it('are found by the kernel as by the automaton, in any bytes', () => {
    fc.assert(
      fc.property(anyBytes, fc.boolean(), fc.integer({ min: 64, max: 300 }), (bytes, skipEmpty, most) => {
        const dialect = { ...RFC, skipEmpty }
        const expected = scan(findQuotedSlowly, bytes, dialect)
        const found = scan(findQuoted, bytes, dialect, [], most)
        // Behind a carriage return that is text, both states mean the same.
        expect({ ...found, state: 0 }).toEqual({ ...expected, state: 0 })
      }),
      { numRuns: times(2_000, 50_000) },
    )
  })

  it('are found in any pieces as in one', () => {
    fc.assert(
      fc.property(anyBytes, fc.array(fc.nat(200), { maxLength: 6 }), (bytes, cuts) => {
        const at = cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other)
        for (const find of [findQuoted, findQuotedSlowly]) {
          expect(scan(find, bytes, RFC, at).ends).toEqual(scan(findQuotedSlowly, bytes, RFC).ends)
        }
      }),
      { numRuns: times(2_000, 50_000) },
    )
  })

  it('are the records of valid files, however they are written', () => {
    fc.assert(
      fc.property(validRows, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, newline, quoteAll) => {
        const lines = rows.map((row) => written([row], newline, quoteAll))
        const bytes = Buffer.from(lines.join(''))
        let end = 0
        const ends = lines.map((line) => (end += Buffer.byteLength(line)))
        expect(scan(findQuoted, bytes, RFC).ends).toEqual(ends)
      }),
      { numRuns: times(1_000, 20_000) },
    )
  })

  it('of valid files never need the automaton', () => {
    fc.assert(
      fc.property(validRows, fc.boolean(), (rows, quoteAll) => {
        const bytes = Buffer.from(written(rows, '\r\n', quoteAll))
        text.bytes().set(bytes)
        const kernel = openKernel()
        const end = room.start + room.size
        kernel?.quoted(text.start, text.start + bytes.length, 34, 44, 0, 0, room.start, end, 0)
        expect((kernel?.result[1] ?? 4) & 4).toBe(0)
      }),
      { numRuns: times(500, 10_000) },
    )
  })

  it('leave out comments, empty lines and lines of spaces, as the dialect says', () => {
    const bytes = Buffer.from('#c "\na\n\n  \n\r\n"x\n#y"\n  #z\n\\"\n')
    const ends = (dialect: Partial<QuotedDialect>): number[] => scan(findQuoted, bytes, { ...RFC, ...dialect }).ends
    expect(ends({ comment: 35 })).toEqual([7, 11, 20, 25, 28])
    expect(ends({ comment: 35, trim: true })).toEqual([7, 20, 25, 28])
    expect(ends({ comment: 35, skipEmpty: false })).toEqual([7, 8, 11, 13, 20, 25, 28])
    expect(ends({ newline: 13 })).toEqual([12])
    expect(scan(findQuoted, Buffer.from('"a\\"\nb"\nc\n'), { ...RFC, escape: 92 }).ends).toEqual([8, 10])
  })
})

describe('fields', () => {
  /** The fields of whole records; undefined where the kernel leaves them to others. */
  function fieldsOf(bytes: Buffer): string[] | undefined {
    text.bytes().set(bytes)
    const found = findFields(text, text.start, text.start + bytes.length, RFC, { slab: room, at: room.start })
    if (found === undefined) return undefined
    let start = 0
    return Array.from(new Int32Array(room.buffer, room.start, found.count), (end) => {
      const field = bytes.toString('utf8', start, end & POSITION)
      start = (end & POSITION) + 1
      return end < 0 ? `escaped ${field}` : field
    })
  }

  it('end at delimiters and newlines outside of quotes', () => {
    expect(fieldsOf(Buffer.from('a,"b,c"\n"d""e",""\n"f\n""",g\n'))).toEqual([
      'a',
      '"b,c"',
      'escaped "d""e"',
      '""',
      'escaped "f\n"""',
      'g',
    ])
  })

  it('with quotes in wrong places are left to the automaton', () => {
    for (const wrong of ['a"b\n', '"a"b\n', '"a" ,b\n', 'a,"b"\rc\n', ' "a"\n'])
      expect([wrong, fieldsOf(Buffer.from(wrong))]).toEqual([wrong, undefined])
    for (const right of ['a\rb\n', '"a"\r\n', '"a\r"\n', '""\n'])
      expect([right, fieldsOf(Buffer.from(right))]).toEqual([right, expect.anything()])
  })

  it('of valid files are those that were written, across steps of the kernel', () => {
    fc.assert(
      fc.property(validRows, fc.boolean(), (rows, quoteAll) => {
        const bytes = Buffer.from(written(rows, '\n', quoteAll))
        const expected = rows.flatMap((row) =>
          row.map((value) => {
            const own = written([[value]], '', quoteAll)
            return value.includes('"') ? `escaped ${own}` : own
          }),
        )
        expect(fieldsOf(bytes)).toEqual(expected)
      }),
      { numRuns: times(1_000, 20_000) },
    )
  })
})
