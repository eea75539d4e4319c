/** The part of a matrix that `npm test` runs: see support/volume.ts. */
import { allPairs, covering } from './support/volume.js'

const DIMENSIONS = ['verb', 'ordered', 'chunksize', 'source'] as const
const MATRIX = ['imap', 'filter', 'flatMap'].flatMap((verb) =>
  [true, false].flatMap((ordered) =>
    [1, 7, 'auto'].flatMap((chunksize) =>
      ['array', 'stream', 'lines'].map((source) => ({ verb, ordered, chunksize, source })),
    ),
  ),
)

function pairsOf(all: typeof MATRIX): Set<string> {
  const pairs = new Set<string>()
  for (const one of all) {
    for (const first of DIMENSIONS) for (const second of DIMENSIONS) pairs.add(`${one[first]} ${one[second]}`)
  }
  return pairs
}

it('has any two values that come together in the matrix, in at most twice the fewest combinations', () => {
  const some = [...allPairs(MATRIX, DIMENSIONS)]
  expect(pairsOf(some)).toEqual(pairsOf(MATRIX))
  expect(some.length).toBeLessThanOrEqual(2 * 9)
})

it('has only combinations of the matrix: what is left out there is left out here', () => {
  const without = MATRIX.filter(({ verb, ordered }) => verb !== 'filter' || ordered)
  const some = [...allPairs(without, DIMENSIONS)]
  expect(without).toEqual(expect.arrayContaining(some))
  expect(pairsOf(some)).toEqual(pairsOf(without))
})

it('has each value of each dimension in a few combinations', () => {
  const valuesOf = (one: (typeof MATRIX)[number]): string[] => DIMENSIONS.map((name) => `${name} ${one[name]}`)
  const some = covering(MATRIX, valuesOf)
  expect(new Set(some.flatMap(valuesOf))).toEqual(new Set(MATRIX.flatMap(valuesOf)))
  expect(some).toHaveLength(3)
})
