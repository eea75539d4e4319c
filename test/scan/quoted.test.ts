/** Records with quotes: the automaton is the definition, and the kernel must find the same. */
import fc from 'fast-check'
import { BLOCK_SIZE, openKernel, Slab } from '#dist/scan/memory.js'
import { findFields, findQuoted, POSITION, type QuotedDialect } from '#dist/scan/quoted.js'
import { PROPERTIES, RFC, scan, validRows, written } from '../support/quoted.js'
import { times } from '../support/volume.js'

describe('records with quotes', () => {
  it('are found by the kernel here', () => {
    expect(openKernel()).not.toBeNull()
  })

  it.each(Object.entries(PROPERTIES))('%s', (_, property) => {
    fc.assert(property as fc.IProperty<unknown>, { numRuns: times(2_000, 50_000) })
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
