/** Series of chunks of one shape: what the values of a key were before decides how they are encoded and decoded. */
import fc from 'fast-check'
import { Shapes } from '#dist/codec/shapes.js'
import { times } from '../support/volume.js'
import { deviation, rows } from './arrivals.js'

const usual = fc.constantFrom<fc.Arbitrary<unknown>>(
  fc.string({ maxLength: 30 }),
  fc.constantFrom('GET', 'POST'),
  fc.constant('always the same'),
  fc.integer(),
  fc.double(),
  fc.record({ id: fc.integer(), name: fc.string() }),
)
const odd = fc.constantFrom<fc.Arbitrary<unknown>>(
  fc.constantFrom(null, undefined, true),
  fc.constantFrom('', '-', 'é€', 'x'.repeat(1_024), 'x'.repeat(1_025)),
  fc.constantFrom(-0, 0.5, NaN, 2 ** 31, -(2 ** 31) - 1),
  fc.constantFrom([1], new Date(0), { id: 'one' }),
)

/** Makes records of a few keys. In some of the chunks, some values are of other kinds than before. */
const series: fc.Arbitrary<unknown[][]> = fc
  .tuple(fc.array(fc.tuple(usual, odd), { minLength: 1, maxLength: 4 }), fc.boolean(), fc.boolean())
  .chain(([fields, isTuple, isBare]) => {
    const chunk = fc.constantFrom(0, 0, 1, 30).chain((oddness) => {
      const values = fields.map(([common, rare]) =>
        fc.oneof({ weight: 60, arbitrary: common }, { weight: oddness, arbitrary: rare }),
      )
      const record = fc.tuple(...values).map((all) => {
        if (isTuple) return all
        const prototype = isBare ? null : Object.prototype
        return Object.assign(
          Object.create(prototype) as object,
          Object.fromEntries(all.map((value, key) => [`k${key}`, value])),
        )
      })
      return fc.array(record, { minLength: 48, maxLength: 70, size: 'max' })
    })
    return fc.array(chunk, { minLength: 2, maxLength: 5, size: 'max' })
  })

describe('a series of chunks', () => {
  it('arrives as if each value had been sent alone, whatever the values of a key were before', () => {
    const property = fc.property(series, (chunks) => {
      const shapes = new Shapes(1)
      for (const values of chunks) expect(deviation(values, shapes)).toBeUndefined()
    })
    fc.assert(property, { numRuns: times(60, 600) })
  })

  it('reads a getter whose value changes its kind', () => {
    const shapes = new Shapes(1)
    const record = (value: unknown): object =>
      Object.defineProperty({ id: 1 }, 'at', { get: () => value, enumerable: true })
    expect(
      deviation(
        rows(() => record('text')),
        shapes,
      ),
    ).toBeUndefined()
    expect(
      deviation(
        rows((row) => record(row === 30 ? 7 : 'text')),
        shapes,
      ),
    ).toBeUndefined()
    expect(
      deviation(
        rows((row) => record(row)),
        shapes,
      ),
    ).toBeUndefined()
  })
})
