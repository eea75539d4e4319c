/** Outcomes that are cut and joined stay the same, item by item. */
import fc from 'fast-check'
import { Items } from '#dist/codec/batch.js'
import { cut, joined, ownerOf, placesOf, type Outcomes } from '#dist/cluster/sendable.js'
import { times } from '../support/volume.js'

interface Item {
  readonly results: readonly number[]
  readonly hasFailed: boolean
}

/** `places`: where the items belong; undefined: they follow each other from 5 on. */
function outcomesOf(items: readonly Item[], places: readonly number[] | undefined, hasCounts: boolean): Outcomes {
  const errors = [...items.entries()].filter(([, { hasFailed }]) => hasFailed)
  return {
    from: 5,
    chunkOffsets: places,
    count: items.length,
    results: new Items(items.flatMap(({ results }) => (hasCounts ? results : results.slice(0, 1)))),
    counts: hasCounts ? Uint32Array.from(items, ({ results }) => results.length) : undefined,
    errors: errors.length === 0 ? undefined : new Map(errors.map(([offset]) => [offset, `error of ${offset}`])),
    worker: 1,
  }
}

/** What each place has. */
function byPlace(outcomes: Outcomes): Map<number, unknown[]> {
  const { counts, errors, results } = outcomes
  const places = placesOf(outcomes)
  const found = new Map<number, unknown[]>(places.map((place, offset) => [place, [errors?.get(offset)]]))
  for (const [at, value] of results.values().entries()) {
    found.get(places[ownerOf(counts, at)] ?? -1)?.push(value)
  }
  return found
}

const item = fc.record({ results: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), hasFailed: fc.boolean() })
const lists = fc.array(item, { minLength: 1, maxLength: 12 })

it('outcomes that are cut into pieces and joined are what they were', () => {
  fc.assert(
    fc.property(
      lists,
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat(12), { maxLength: 4 }),
      (items, hasCounts, isInRow, at) => {
        const places = isInRow ? undefined : items.map((_, offset) => 5 + ((offset * 7) % 13))
        const whole = outcomesOf(items, places, hasCounts)
        const bounds = [0, ...at.filter((end) => end < items.length).sort((a, b) => a - b), items.length]
        const pieces = bounds.slice(1).map((end, piece) => cut(whole, bounds[piece] ?? 0, end))
        const again = joined(pieces)
        expect(again.count).toBe(items.length)
        expect([...byPlace(again)]).toEqual([...byPlace(whole)])
      },
    ),
    { numRuns: times(300, 3_000) },
  )
})

it('outcomes of which only some tell how many results an item has are joined', () => {
  const one = outcomesOf([{ results: [1], hasFailed: false }], [3], false)
  const other = outcomesOf([{ results: [2, 3], hasFailed: true }], [9], true)
  expect([...byPlace(joined([one, other]))]).toEqual([
    [3, [undefined, 1]],
    [9, ['error of 0', 2, 3]],
  ])
})
