/** The parts of a stream that goes to an output: failed items are left out, and the records of the others stay bytes. */
import fc from 'fast-check'
import { Formatted } from '#dist/formats/formatted.js'
import { withoutFailed } from '#dist/stream/settle-part.js'
import type { ArrivedPart } from '#dist/stream/outcome.js'
import { times } from '../support/volume.js'

interface Item {
  readonly lines: readonly string[]
  readonly hasFailed: boolean
}

/** @param isSpread Whether an item can have several records or none: then a failed one has none, and else an empty one. */
function partOf(items: readonly Item[], isSpread: boolean): ArrivedPart {
  const lines = items.flatMap(({ lines: [first = '', ...others], hasFailed }) =>
    isSpread ? (hasFailed ? [] : [first, ...others]) : [hasFailed ? '' : first],
  )
  let length = 0
  const ends = lines.map((line) => (length += Buffer.byteLength(line)))
  const partitions = { names: ['a', 'b'], of: lines.map((_, record) => record % 2), hasColumn: true }
  const errors = items.flatMap(({ hasFailed }, at) => (hasFailed ? [[at, new Error('failed')] as const] : []))
  return {
    count: items.length,
    results: new Formatted(new TextEncoder().encode(lines.join('')), ends, { partitions }),
    counts: isSpread ? Uint32Array.from(items, (item) => (item.hasFailed ? 0 : item.lines.length)) : undefined,
    errors: new Map(errors),
  } as unknown as ArrivedPart
}

it('withoutFailed() leaves the records of the other items, up to the count, as bytes', () => {
  const item = fc.record({ lines: fc.array(fc.string(), { minLength: 1, maxLength: 3 }), hasFailed: fc.boolean() })
  fc.assert(
    fc.property(fc.array(item), fc.boolean(), fc.nat(), (items, isSpread, limit) => {
      const part = partOf(items, isSpread)
      const before = Formatted.of(part.results)
        .values()
        .map(({ bytes, partitions }) => ({ bytes: [...bytes], partitions }))
      const count = limit % (items.length + 1)
      const owners = items.flatMap(({ lines, hasFailed }, at) =>
        isSpread ? (hasFailed ? [] : lines.map(() => at)) : [at],
      )
      const expected = before.filter((_, record) => {
        const at = owners[record] ?? 0
        return at < count && !(items[at]?.hasFailed ?? true)
      })
      const { results, counts, errors } = withoutFailed({ ...part, count })
      const records = Formatted.of(results)
      expect(records).toBe(results)
      expect(errors).toBeUndefined()
      expect(records.values().map(({ bytes, partitions }) => ({ bytes: [...bytes], partitions }))).toEqual(expected)
      expect([...records.bytes]).toEqual(expected.flatMap(({ bytes }) => bytes))
      const own = items.slice(0, count).map((each) => (each.hasFailed ? 0 : isSpread ? each.lines.length : 1))
      expect([...(counts ?? [])]).toEqual(own)
    }),
    { numRuns: times(200, 5_000) },
  )
})
