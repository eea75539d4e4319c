/** Parts of the formats: fields, raw fields, batches of records, the columns of the first record. */
import fc from 'fast-check'
import { Items } from '#dist/codec/batch.js'
import { fieldText, rawFields } from '#dist/formats/csv-field.js'
import { rowText } from '#dist/formats/csv-row.js'
import { Formatted } from '#dist/formats/formatted.js'
import { createHeaderMemory, readHeader, writeHeader } from '#dist/formats/header-memory.js'
import { OutputLayout } from '#dist/formats/output-layout.js'
import { RecordFormatter } from '#dist/formats/record-formatter.js'
import { times } from '../support/volume.js'

const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'ż', '🐢', '\uD800') })

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
    fc.property(fc.uniqueArray(text, { minLength: 1 }), fc.array(fc.oneof(text, fc.integer())), (keys, values) => {
      const record = Object.fromEntries(keys.map((key, n) => [key, values[n]]))
      const field = fieldText({ delimiter: ',', escapeFormulas: false })
      expect(rowText(keys, ',', field)(record)).toBe(rowText(keys, ',', field, false)(record))
    }),
    { numRuns: times(100, 2_000) },
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
        expect(Array.from(sent(formatted(values)).byteEnds)).toEqual(ends)
      }),
      { numRuns: times(200, 5_000) },
    )
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
