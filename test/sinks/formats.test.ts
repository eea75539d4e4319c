/** Parts of the formats: fields, raw fields, batches of records, the columns of the first record. */
import fc from 'fast-check'
import { Items } from '#dist/codec/batch.js'
import { fieldText, rawFields } from '#dist/formats/csv-field.js'
import { rowBytes, rowText } from '#dist/formats/csv-row.js'
import { Formatted } from '#dist/formats/formatted.js'
import { createHeaderMemory, readHeader, writeHeader } from '#dist/formats/header-memory.js'
import { jsonRow } from '#dist/formats/json-row.js'
import { OutputLayout } from '#dist/formats/output-layout.js'
import { RecordFormatter } from '#dist/formats/record-formatter.js'
import { times } from '../support/volume.js'

const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'ż', '🐢', '\uD800') })

/** The arguments of all calls of a function, while another function runs. */
function callsOf(owner: object, name: string, run: () => void): unknown[][] {
  const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown
  const calls: unknown[][] = []
  Reflect.set(owner, name, (...args: unknown[]) => {
    calls.push(args)
    return original.apply(owner, args)
  })
  try {
    run()
  } finally {
    Reflect.set(owner, name, original)
  }
  return calls
}

it('the fields of a line are found as they were written', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (values) => {
      const fields = values.map(fieldText({ delimiter: ',', escapeFormulas: false }))
      expect(rawFields(fields.join(','), ',')).toEqual(fields)
    }),
    { numRuns: times(300, 20_000) },
  )
})

it('rows of generated code are those of a loop', () => {
  fc.assert(
    fc.property(fc.uniqueArray(text), fc.array(fc.oneof(text, fc.integer())), (keys, values) => {
      const record = Object.fromEntries(keys.map((key, n) => [key, values[n]]))
      const field = fieldText({ delimiter: ',', escapeFormulas: false })
      expect(rowText(keys, ',', field)(record)).toBe(rowText(keys, ',', field, false)(record))
    }),
    { numRuns: times(100, 2_000) },
  )
})

it('rows of CSV are the same as bytes and as text', () => {
  class Long extends Date {
    override toISOString(): string {
      return 'x'.repeat(200)
    }
  }
  class Local extends Date {
    override toISOString(): string {
      return 'ż€'
    }
  }
  const odd = fc.constantFrom(
    new Date(0),
    new Date(8.64e15),
    new Long(0),
    new Local(0),
    true,
    null,
    undefined,
    10n ** 40n,
    -0,
    1e21,
  )
  const value = fc.oneof(
    text,
    odd,
    fc.integer(),
    fc.double(),
    fc.constant('x'.repeat(50)),
    fc.constant('ü,'.repeat(30)),
  )
  const keys = fc.uniqueArray(text, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      keys,
      fc.array(fc.array(value), { minLength: 1 }),
      fc.constantFrom(',', '\t'),
      (keys, rows, delimiter) => {
        const field = fieldText({ delimiter, escapeFormulas: false })
        const row = rowText(keys, delimiter, field)
        const records = rows.map((values) => Object.fromEntries(keys.map((key, n) => [key, values[n]])))
        const formatter = new RecordFormatter({ kind: 'csv', delimiter, columns: keys, escapeFormulas: false })
        for (const [n, record] of records.entries()) formatter.add(record, n)
        const formatted = formatter.take()
        // Surrogates that are alone are replaced, as everywhere in UTF-8.
        const expected = records.map((record) => Buffer.from(row(record)).toString())
        expect(records.map((_, n) => formatted.textOf(n))).toEqual(expected)
      },
    ),
    { numRuns: times(500, 20_000) },
  )
})

describe('a batch of formatted records', () => {
  function formatted(values: readonly string[]): Formatted {
    const formatter = new RecordFormatter({ kind: 'text' })
    for (const [n, value] of values.entries()) formatter.add(value, n)
    return formatter.take()
  }

  function sent(records: Formatted): Formatted {
    const { data, transfer } = records.send()
    return Formatted.received(structuredClone(data, { transfer: [...transfer] }))
  }

  const bytesOf = (value: string): number[] => [...Buffer.from(`${value}\n`)]

  it('is cut and joined at its records, as text and as bytes', () => {
    fc.assert(
      fc.property(fc.array(text), fc.nat(), fc.nat(), (values, one, other) => {
        const [start = 0, end = 0] = [one, other].map((n) => n % (values.length + 1)).sort((a, b) => a - b)
        const expected = values.slice(start, end)
        for (const make of [formatted, (all: readonly string[]) => sent(formatted(all))]) {
          const part = make(values).slice(start, end)
          expect(part.length).toBe(expected.length)
          expect([...part.bytes]).toEqual(expected.flatMap(bytesOf))
          expect(
            make(values)
              .values()
              .map(({ bytes }) => [...bytes]),
          ).toEqual(values.map(bytesOf))
          const joined = Formatted.of(new Items([...make(values).values(), undefined, ...make(expected).values()]))
          expect([...joined.bytes]).toEqual([...values, ...expected].flatMap(bytesOf))
          expect(joined.length).toBe(values.length + 1 + expected.length)
        }
        let position = 0
        const ends = values.map((value) => (position += bytesOf(value).length))
        expect(Array.from(sent(formatted(values)).ends)).toEqual(ends)
      }),
      { numRuns: times(200, 5_000) },
    )
  })
})

it('the values of a batch cost the same for each record, however many there are', () => {
  const readsOf = (count: number): number => {
    let reads = 0
    const partitions = {
      names: ['a'],
      hasColumn: true,
      of: new Proxy(
        Array.from({ length: count }, () => 0),
        { get: (list, at) => (reads++, Reflect.get(list, at)) as unknown },
      ),
    }
    const ends = Array.from({ length: count }, (_, at) => 2 * (at + 1))
    expect(new Formatted(new Uint8Array(2 * count), ends, { partitions }).values()).toHaveLength(count)
    return reads
  }
  expect(readsOf(1_000)).toBe(10 * readsOf(100))
})

describe('the memory of a batch', () => {
  it('doubles, however long it gets', () => {
    const line = 'ż'.repeat(50_000)
    for (const [kind, value] of [
      ['text', line],
      ['ndjson', [line]],
      ['ndjson', { line }],
    ] as const) {
      const calls = callsOf(Buffer, 'allocUnsafeSlow', () => {
        const formatter = new RecordFormatter({ kind })
        for (let n = 0; n < 80; n++) formatter.add(value, n)
        expect(formatter.take().bytes.length).toBeGreaterThan(8_000_000)
      })
      expect(calls.length).toBeLessThan(15)
    }
  })

  it('has not much more room than a long string needs', () => {
    const text = 'x'.repeat(3_000_000)
    for (const kind of ['ndjson', 'csv'] as const) {
      const format = { kind, delimiter: ',', columns: ['a', 'b'], escapeFormulas: false } as const
      const calls = callsOf(Buffer, 'allocUnsafeSlow', () => {
        const formatter = new RecordFormatter(format)
        formatter.add({ a: text, b: 1 }, 0)
      })
      for (const [size] of calls) expect(size).toBeLessThan(2 * text.length)
    }
  })
})

describe('the columns of the first record', () => {
  it('are told to other threads, unless they are too long', () => {
    const memory = createHeaderMemory()
    expect(readHeader(memory)).toBeUndefined()
    writeHeader(memory, ['a', 'ż"'])
    expect(readHeader(memory)).toEqual(['a', 'ż"'])
    const full = createHeaderMemory()
    writeHeader(full, ['x'.repeat(70_000)])
    expect(readHeader(full)).toBeUndefined()
  })

  it('need not be told: records get their places when they are delivered', () => {
    for (const header of [undefined, createHeaderMemory()]) {
      const format = { kind: 'csv', delimiter: ',', columns: undefined, escapeFormulas: false, header } as const
      const layout = new OutputLayout(format)
      const formatter = new RecordFormatter(format)
      const written: string[] = []
      for (const [n, record] of [{}, { a: 1, b: 2 }, { b: '' }, { c: 1 }, [1], {}, { a: '' }].entries()) {
        let error: Error | undefined
        let line = ''
        try {
          formatter.add(record, n)
          const { records, errors } = layout.settle(formatter.take(), () => n)
          error = errors?.get(0)
          line = Buffer.from(records.bytes).toString()
        } catch (thrown) {
          // A thread that knows the columns finds the error itself.
          error = thrown as Error
        }
        written.push(error?.message.replace(/^.* as csv as |: received.*/g, '') ?? line)
      }
      expect(written).toEqual([
        'the first record must have keys',
        '1,2\n',
        ',\n',
        'it has a key that the first record does not have',
        'the first record is an object',
        ',\n',
        ',\n',
      ])
    }
  })
})

describe('records of JSON', () => {
  class Named {
    readonly name = 'a'
  }
  const later = new Date(0)
  const odd: readonly unknown[] = [
    {},
    { a: 1, b: 'two', c: true, d: null },
    { a: -0, b: 1e21, c: Number.NaN, d: -Infinity, e: 0.1, f: Number.MIN_VALUE },
    { a: 9, b: 10, c: -99, d: 2 ** 31 - 1, e: -(2 ** 31), f: 2 ** 31, g: 1_000_000_000 },
    { a: undefined, b: 1 },
    { a: () => 1, b: Symbol('s') },
    { 2: 'two', 1: 'one', b: 'three' },
    { ['__proto__']: 'own', a: 1 },
    JSON.parse('{"__proto__":1}'),
    { a: later },
    { a: { b: [1, 'x'] }, c: [] },
    { toJSON: () => ({ from: 'toJSON' }) },
    { toJSON: 1, a: 2 },
    Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'hidden' }),
    Object.defineProperty({ a: 1 }, 'hidden', { value: 1 }),
    { [Symbol('s')]: 1, a: 2 },
    new Named(),
    Object.assign(Object.create(null), { a: 1 }),
    Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }),
    Object(1),
    Object('text'),
    later,
    [],
    ['a', 1, null],
    Object.setPrototypeOf(['a', 1], Object.prototype),
    new Map([[1, 2]]),
    {
      get a() {
        return 'from a getter'
      },
    },
    { a: '\u0000\b\t\n\f\r\u001f"\\\u007f\u0080ß€\u2028🐢\ud800x\udc00', 'kéy "1"': 'x' },
    { a: 'x'.repeat(99), b: 'ü'.repeat(101) },
    'a string',
    'ż🐢',
    1,
    false,
    null,
  ]

  function written(values: readonly unknown[], kind: 'ndjson' | 'json'): string {
    const formatter = new RecordFormatter({ kind })
    for (const [n, value] of values.entries()) formatter.add(value, n)
    const records = formatter.take()
    const texts = values.map((_, n) => records.textOf(n))
    expect(texts.join('')).toBe(Buffer.from(records.bytes).toString())
    return texts.join('')
  }

  const expected = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

  it('are those of JSON.stringify()', () => {
    expect(written(odd, 'ndjson')).toBe(expected(odd))
    for (const value of odd) expect(written([value, value], 'ndjson')).toBe(expected([value, value]))
    expect(written(odd, 'json')).toBe(odd.map((value) => `,\n${JSON.stringify(value)}`).join(''))
  })

  it('are those of JSON.stringify() for any values, in any order', () => {
    const value = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(undefined))
    const key = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c') }, text, fc.integer().map(String))
    const record = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true })
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: record }, fc.constantFrom(...odd))), (values) => {
        expect(written(values, 'ndjson')).toBe(expected(values))
      }),
      { numRuns: times(500, 20_000) },
    )
  })

  it('have room, however long they are', () => {
    const strings = Array.from({ length: 200 }, (_, n) => String.fromCharCode(n).repeat(100))
    const values = Array.from({ length: 40 }, () => ({ ...strings.slice(0, 150) }))
    expect(written(values, 'ndjson')).toBe(expected(values))
    const keys = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`key ${n}`, n]))
    expect(written([keys, keys], 'ndjson')).toBe(expected([keys, keys]))
  })

  it('have no inherited keys, even where all objects inherit one', () => {
    try {
      Object.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true })
      const values = [{ polluted: 2 }, {}, { a: 1, polluted: 3 }, { a: 1 }]
      expect(written(values, 'ndjson')).toBe('{"polluted":2}\n{}\n{"a":1,"polluted":3}\n{"a":1}\n')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted')
    }
  })

  it('are those of JSON.stringify() where all objects have toJSON()', () => {
    try {
      Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'all the same', configurable: true })
      expect(written([{ a: 1 }], 'ndjson')).toBe('"all the same"\n')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'toJSON')
    }
  })

  it('tell what a getter or a proxy throws', () => {
    const formatter = new RecordFormatter({ kind: 'ndjson' })
    const fail = (): never => {
      throw new Error('from inside')
    }
    const values = [
      {
        get a(): never {
          return fail()
        },
      },
      new Proxy({}, { getPrototypeOf: fail, get: fail }),
      new Proxy({}, { ownKeys: fail }),
    ]
    for (const value of values) {
      expect(() => {
        formatter.add(value, 0)
      }).toThrow("Cannot write item 0 as ndjson as JSON.stringify() threw 'from inside'")
    }
    expect(formatter.count).toBe(0)
  })

  it('are no longer looked up in a batch whose records all have other keys', () => {
    const lookUps = callsOf(Object, 'keys', () => {
      const values = Array.from({ length: 1000 }, (_, n) => ({ [`key ${n}`]: 'ż' }))
      expect(written(values, 'ndjson')).toBe(expected(values))
    })
    expect(lookUps.length).toBeLessThan(50)
    const formatter = new RecordFormatter({ kind: 'ndjson' })
    const lengths: number[] = []
    for (const count of [100, 1]) {
      for (let n = 0; n < count; n++) formatter.add([], n)
      formatter.take()
      formatter.add({ a: 'ż' }, 0)
      lengths.push(formatter.length)
    }
    // In bytes: as text it would be shorter by one. A batch that has no simple records tells nothing about the next one.
    expect(lengths).toEqual([11, 11])
  })

  it('have long strings escaped at once', () => {
    const calls = callsOf(JSON, 'stringify', () => {
      const formatter = new RecordFormatter({ kind: 'ndjson' })
      formatter.add({ a: '\n"\ud800'.repeat(1000) }, 0)
    })
    expect(calls.length).toBeLessThan(10)
  })

  it('have no generated code where V8 would not optimize it', () => {
    const keys = (count: number): string[] => Array.from({ length: count }, (_, n) => `key ${n}`.padEnd(8))
    expect(jsonRow(keys(100), '', '\n')).toBeDefined()
    expect(jsonRow(keys(160), '', '\n')).toBeUndefined()
    expect(jsonRow(['x'.repeat(3000)], '', '\n')).toBeUndefined()
    const format = { kind: 'csv', delimiter: ',', columns: undefined, escapeFormulas: false } as const
    expect(rowBytes(keys(300), format)).toBeDefined()
    expect(rowBytes(keys(400), format)).toBeUndefined()
  })

  it('can be taken back, failed or not, text or bytes', () => {
    const formatter = new RecordFormatter({ kind: 'ndjson' })
    const values = [{ a: 1 }, [2], undefined, { a: 3 }, ['ż'], undefined, 'ż', { a: 'ż' }]
    for (const [n, value] of values.entries()) {
      if (value === undefined) {
        expect(() => {
          formatter.add(value, n)
        }).toThrow('JSON has no such value')
        formatter.addNothing()
      } else formatter.add(value, n)
    }
    formatter.truncate(7)
    formatter.add({ a: 4 }, 7)
    const records = formatter.take()
    expect(Array.from(values, (_, n) => records.textOf(n))).toEqual([
      '{"a":1}\n',
      '[2]\n',
      '',
      '{"a":3}\n',
      '["ż"]\n',
      '',
      '"ż"\n',
      '{"a":4}\n',
    ])
    expect(formatter.count).toBe(0)
  })
})
