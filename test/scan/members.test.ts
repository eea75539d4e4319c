/** The wanted members of objects of JSON: the kernel, its definition in JavaScript, and what decoders make of them. */
import fc from 'fast-check'
import { openKernel } from '#dist/scan/memory.js'
import { findMembers, MAX_BYTES, MembersFinder } from '#dist/scan/members.js'
import { decoded, PROPERTIES } from '../support/json-records.js'
import { times } from '../support/volume.js'

describe('the wanted members of records', () => {
  it('are found by the kernel here', () => {
    expect(openKernel()).not.toBeNull()
    const finder = MembersFinder.open([Buffer.from('"a":')])
    expect(finder).toBeDefined()
    finder?.release()
  })

  for (const [title, property] of Object.entries(PROPERTIES)) {
    it(title, () => {
      fc.assert(property as fc.IProperty<unknown>, { numRuns: times(1_500, 5_000) })
    })
  }

  it('are searched only in as many bytes, and records, as there is room for', () => {
    const finder = MembersFinder.open([Buffer.from('"a":')])
    const memory = new SharedArrayBuffer(MAX_BYTES + 100)
    try {
      expect(() => finder?.find(memory, 0, Uint32Array.of(MAX_BYTES), 0, 1)).not.toThrow()
      expect(() => finder?.find(memory, 0, Uint32Array.of(MAX_BYTES + 1), 0, 1)).toThrow(RangeError)
      const ends = Uint32Array.from({ length: 1_025 }, (_, n) => n + 1)
      expect(() => finder?.find(memory, 0, ends, 0, 1_024)).not.toThrow()
      expect(() => finder?.find(memory, 0, ends, 0, 1_025)).toThrow('not 1025 bytes and 1025 records')
    } finally {
      finder?.release()
    }
  })

  it('are where the definition says', () => {
    const bytes = Buffer.from('  {"b": [1,{"a":2}] ,"x":"\\"}", "a" :  "é"}  ')
    const columns = new Map([...'abc'].map((name, at) => [name, at]))
    const found = findMembers(bytes, 0, bytes.length, columns)
    expect(found).toEqual(Int32Array.of(39, 43, 8, 19, -1, -1))
    expect(bytes.toString('utf8', 39, 43)).toBe('"é"')
  })

  it('are found in records of any length: short ones together, and long ones one by one', () => {
    const lengths = [0, 1, 60, 61, 62, 63, 64, 65, 8_000, 8_192, MAX_BYTES - 40, MAX_BYTES, 100_000, 3]
    for (const shift of [0, 1, 5, 20, 21, 22, 23, 24, 25]) {
      const records = lengths.map((length, n) =>
        Buffer.from(`{"skipped":"${'x'.repeat(length + shift)}\\\\","n":${n},"deep":[{"n":0}]}`),
      )
      expect(decoded(records, ['n'])).toEqual(lengths.map((_, n) => ({ value: { n } })))
    }
  })

  it('are found however deep other values are, and however deep they are', () => {
    const depth = 1_000_000
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`
    const some = `${'['.repeat(3_000)}${']'.repeat(3_000)}`
    const records = [`{"x":${deep},"a":1}`, `{"x":${some},"a":2}`, `{"a":${some},"b":3}`].map((text) =>
      Buffer.from(text),
    )
    const [one, two, three] = decoded(records, ['a']) as { value: { a: unknown } }[]
    expect([one, two]).toEqual([{ value: { a: 1 } }, { value: { a: 2 } }])
    expect(JSON.stringify(three?.value)).toBe(`{"a":${some}}`)
  })

  it('are found among more columns, and more keys, than the kernel takes', () => {
    const names = Array.from({ length: 300 }, (_, n) => `column ${n}`)
    const object = Object.fromEntries(names.map((name, n) => [name, n]))
    const records = [object, { ...object, more: 1 }].map((value) => Buffer.from(JSON.stringify(value)))
    for (const columns of [names, names.slice(0, 64), names.slice(0, 65), names.slice(250), ['z'.repeat(60_000)]]) {
      const expected = Object.fromEntries(columns.flatMap((name) => (name in object ? [[name, object[name]]] : [])))
      expect(decoded(records, columns)).toEqual([{ value: expected }, { value: expected }])
    }
  })

  it('of one record do not depend on what stands in the others', () => {
    const records = [
      '{"a":1',
      '{"a":2}',
      '{"a":"',
      '{"a":3}',
      '}',
      '{"a":4}',
      '',
      '{"a":5,"x":[}',
      '{"a":x}',
      '{"a":6}',
    ]
    expect(
      decoded(
        records.map((text) => Buffer.from(text)),
        ['a'],
      ),
    ).toEqual([
      'an error',
      { value: { a: 2 } },
      'an error',
      { value: { a: 3 } },
      'an error',
      { value: { a: 4 } },
      'an error',
      'an error',
      'an error',
      { value: { a: 6 } },
    ])
  })
})
