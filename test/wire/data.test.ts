import fc from 'fast-check'
import { pack, unpack } from '#dist/codec/codec.js'
import { decodeError } from '#dist/codec/error-codec/decode.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import { fileIn, placeIn, type Data } from '#dist/codec/codec.js'
import { ByteReader } from '#dist/wire/byte-reader.js'
import { ByteWriter } from '#dist/wire/byte-writer.js'
import { decodeData, encodeData, encodeValues } from '#dist/wire/data.js'
import { readError, thrownBy, writeError } from '#dist/wire/error-envelope.js'
import { inspect } from 'node:util'
import { Lock } from 'millrace/multiprocessing'
import { chunks, rows } from '../codec/arrivals.js'
import { difference } from '../codec/difference.js'
import { odd, unclonable } from '../codec/odd-values.js'
import { copyOf } from '../support/copy.js'
import { times } from '../support/volume.js'
import { linesOf } from '../support/wire-messages.js'

function sent(values: readonly unknown[]): unknown[] {
  return unpack(decodeData(encodeValues(values), values.length))
}

function arrived(data: Data, count: number): Data {
  return decodeData(encodeData(data), count)
}

describe('the values of a chunk on the wire', () => {
  it('arrive as on another thread, whatever they are', () => {
    const property = fc.property(chunks, (values) => {
      expect(difference(sent(values), values.map(copyOf))).toBeUndefined()
    })
    fc.assert(property, { numRuns: times(120, 2_000) })
  })

  it.each(odd)('arrive where some are %s', (_, make) => {
    for (const values of [
      rows(make, 50),
      rows((row) => (row % 7 === 0 ? make() : row)),
      rows((row) => ({ row, odd: make() })),
    ]) {
      expect(difference(sent(values), values.map(copyOf))).toBeUndefined()
    }
  })

  it.each(unclonable)('are refused where one holds %s', (_, make) => {
    expect(() => encodeValues(rows((row) => (row === 40 ? { odd: make() } : { odd: row })))).toThrow()
  })

  it('name the part that cannot leave the machine, also in columns', () => {
    const values = rows((row) => ({ id: row, file: row === 50 ? new Blob([]) : undefined }))
    expect(() => encodeValues(values)).toThrow('as values[50].file is an instance of Blob')
    expect(() => encodeValues(rows(() => ({ lock: new Lock() }), 1))).toThrow('values[0].lock is a Lock')
  })

  it('hold large views of one block once', () => {
    const block = new ArrayBuffer(1e6)
    const values = rows((row) => ({ row, view: new Uint8Array(block, row, 9e5) }))
    expect(encodeValues(values).length).toBeLessThan(1.1e6)
    const views = (sent(values) as typeof values).map(({ view }) => view)
    expect(new Set(views.map(({ buffer }) => buffer)).size).toBe(1)
  })

  it('arrive as lines, which are bytes until they are used', () => {
    const text = 'one\r\nzwölf\n\n€ and more\nlast'
    const data = arrived(linesOf(text), 5)
    expect(data).toMatchObject({ kind: 'bytes', count: 5 })
    expect(unpack(data)).toEqual(['one', 'zwölf', '', '€ and more', 'last'])
    expect([0, 1, 4].map((at) => placeIn(data, at))).toEqual([0, 1, 4].map((at) => placeIn(linesOf(text), at)))
    expect(fileIn(data, 2)).toBe('a.log')
  })

  it('arrive as lines of several files, in other encodings, and with other delimiters', () => {
    const latin = linesOf('caf\xe9\n').valueOf() as Extract<Data, { kind: 'bytes' }>
    const plain = linesOf('a\nb\n') as typeof latin
    const zero = linesOf('x\ny', {
      format: { kind: 'lines', encoding: 'koi8-r', delimiter: Uint8Array.of(10) },
    }) as typeof latin
    const all = { kind: 'bytes', count: 5, segments: [...latin.segments, ...plain.segments, ...zero.segments] } as const
    expect(unpack(arrived(all, 5))).toEqual(unpack(all))
    expect(placeIn(arrived(all, 5), 4)).toEqual(placeIn(all, 4))
  })
})

describe('an error on the wire', () => {
  const cycle: Error & { self?: unknown } = new RangeError('cycle')
  cycle.self = [cycle]
  cycle.cause = cycle
  const errors: [string, unknown][] = [
    ['an error', new TypeError('told')],
    [
      'an error with fields',
      Object.assign(new Error('told'), { code: 'ENOENT', list: [{ a: 1 }], name: 'Own', at: new Date(5) }),
    ],
    ['an error of several', new AggregateError([new Error('one'), 'two', { three: 3 }], 'all')],
    ['a chain of causes', new Error('1', { cause: new URIError('2', { cause: new SyntaxError('3') }) })],
    ['an error that holds itself', cycle],
    ['a DOMException', new DOMException('told', 'AbortError')],
    ['no error', { a: [1, new Map([[1, 2]])] }],
    ['nothing', undefined],
  ]
  const sentError = (thrown: unknown): unknown => {
    const out = new ByteWriter()
    writeError(out, encodeError(thrown, 'a note'))
    const input = new ByteReader(out.written)
    const error = readError(input)
    input.assertEnd()
    return thrownBy(error)
  }

  it.each(errors)('arrives as on another thread: %s', (_, thrown) => {
    const expected = decodeError(structuredClone(encodeError(thrown, 'a note')))
    expect(inspect(sentError(thrown), { depth: 9, showHidden: true })).toBe(
      inspect(expected, { depth: 9, showHidden: true }),
    )
    expect(Object.getPrototypeOf(sentError(thrown) ?? 0)).toBe(Object.getPrototypeOf(expected ?? 0))
  })

  it('leaves out a field that cannot leave the machine', () => {
    const thrown = Object.assign(new Error('told'), { before: 1, file: new Blob([]), lock: new Lock(), after: 2 })
    expect(Object.entries(sentError(thrown) as Error)).toEqual([
      ['before', 1],
      ['after', 2],
    ])
  })

  it('tells when what was thrown cannot leave the machine', () => {
    expect((sentError(new SharedArrayBuffer(1)) as Error).message).toMatch('cannot be sent to another machine')
  })

  it('is of a class that this version of Node has', () => {
    const out = new ByteWriter()
    const [one] = encodeError(new Error('told')).errors
    if (one === undefined) throw new Error('no error')
    writeError(out, { thrown: { error: 0 }, errors: [{ ...one, kinds: ['app.Own', 'ErrorOfTomorrow'] }] })
    expect(readError(new ByteReader(out.written)).errors[0]?.kinds).toEqual(['app.Own', 'ErrorOfTomorrow', 'Error'])
  })

  it('is no instance of a class of the language that it does not extend', () => {
    const out = new ByteWriter()
    const [one] = encodeError(new Error('told')).errors
    if (one === undefined) throw new Error('no error')
    writeError(out, { thrown: { error: 0 }, errors: [{ ...one, kinds: ['constructor', 'DOMException', 'Error'] }] })
    expect(readError(new ByteReader(out.written)).errors[0]?.kinds).toEqual(['constructor', 'DOMException'])
  })
})

it('pack() gives what encodeData() takes', () => {
  const { data, bytes } = pack(rows((row) => ({ id: row, name: `n${row}` })))
  expect(unpack(decodeData(encodeData(data, bytes), 64))).toEqual(rows((row) => ({ id: row, name: `n${row}` })))
})
