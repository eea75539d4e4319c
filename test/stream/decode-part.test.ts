/** Reading a part that has arrived: values for the consumer, and the number of items that each completes. */
import fc from 'fast-check'
import { Items } from '#dist/codec/batch.js'
import type { ArrivedPart } from '#dist/stream/outcome.js'
import { decodePart, isPlain, type DecodedPart } from '#dist/stream/decode-part.js'

interface Item {
  /** The number of its results. */
  readonly results: number
  readonly fails: boolean
}

/** A part whose items have these results: the result `2.1` is the second of the third item. */
function partOf(items: readonly Item[], spread: boolean, details: Partial<ArrivedPart> = {}): ArrivedPart {
  const chunk = { first: 10, items: new Items(items.map((_, i) => `item ${i}`)) }
  const results = items.flatMap(({ results, fails }, i) => {
    if (!spread) return fails ? [undefined] : [`${i}.0`]
    return fails ? [] : Array.from({ length: results }, (_, chunkOffset) => `${i}.${chunkOffset}`)
  })
  const errors = new Map(items.flatMap(({ fails }, i) => (fails ? [[i, `error ${i}`] as const] : [])))
  return {
    chunk,
    from: 0,
    count: items.length,
    results: new Items(results),
    counts: spread ? Uint32Array.from(items, ({ results, fails }) => (fails ? 0 : results)) : undefined,
    errors: errors.size > 0 ? errors : undefined,
    worker: 1,
    last: true,
    ...details,
  }
}
const one: Item = { results: 1, fails: false }
const none: Item = { results: 0, fails: false }
const three: Item = { results: 3, fails: false }
const failed: Item = { results: 0, fails: true }
const nothing = { failure: undefined }

describe('decodePart()', () => {
  it('gives the results as they are where each item has one', () => {
    const { values, completes, completedBefore, ...rest } = decodePart(partOf([one, one], false), 'throw', 'task')
    expect([values, completes, completedBefore, rest]).toEqual([['0.0', '1.0'], undefined, 0, nothing])
  })

  it('is done with an item at its last result, and with one without results at the result before it', () => {
    const decoded = decodePart(partOf([none, none, three, none, one, none], true), 'throw', 'task')
    expect(decoded).toEqual({
      values: ['2.0', '2.1', '2.2', '4.0'],
      completes: [0, 0, 2, 2],
      completedBefore: 2,
      ...nothing,
    })
  })

  it('completes all items of a fold with their one result', () => {
    const part = { ...partOf([none, none, none], false), results: new Items(['all']), isFolded: true }
    expect(decodePart(part, 'throw', 'task')).toEqual({
      values: ['all'],
      completes: [1],
      completedBefore: 2,
      ...nothing,
    })
  })

  it('completes items without results at once', () => {
    expect(decodePart(partOf([none, none], true), 'throw', 'task')).toEqual({
      values: [],
      completes: [],
      completedBefore: 2,
      ...nothing,
    })
  })

  it("'throw': gives the results before the first failed item, then its error", () => {
    const told = { index: 11, item: undefined, task: 'task', worker: 1, attempts: 1 }
    for (const spread of [true, false]) {
      const decoded = decodePart(partOf([one, failed, one, failed], spread), 'throw', 'task')
      expect(decoded).toEqual({
        values: ['0.0'],
        completes: [1],
        completedBefore: 0,
        failure: { error: 'error 1', told },
      })
    }
  })

  it("'skip': leaves failed items out", () => {
    for (const spread of [true, false]) {
      const decoded = decodePart(partOf([failed, one, failed, failed, one], spread), 'skip', 'task')
      expect(decoded).toEqual({
        values: ['1.0', '4.0'],
        completes: [3, 1],
        completedBefore: 1,
        ...nothing,
      })
    }
  })

  it("'settle': gives an outcome of each item, by its index", () => {
    const items = new Map([[1, { item: 'item 1', format: undefined, place: undefined }]])
    const fulfilled = { status: 'fulfilled', value: '0.0' }
    const rejected = { status: 'rejected', reason: 'error 1', item: 'item 1', task: 'task', worker: 1, attempts: 1 }
    const inTurn = decodePart(partOf([one, failed], false, { from: 4, items }), 'settle', 'task')
    expect(inTurn.values).toEqual([
      { ...fulfilled, index: 14 },
      { ...rejected, index: 15 },
    ])
    const placed = decodePart(partOf([one, failed], false, { chunkOffsets: [7, 2], items }), 'settle', 'task')
    expect(placed.values).toEqual([
      { ...fulfilled, index: 17 },
      { ...rejected, index: 12 },
    ])
    expect(decodePart(partOf([one], false), 'settle', 'task').values).toEqual([{ ...fulfilled, index: 10 }])
  })

  it('completes every item once, with or before the last result, and gives every result once', () => {
    const item = fc.record({ results: fc.nat({ max: 3 }), fails: fc.integer({ min: 0, max: 4 }).map((n) => n === 0) })
    fc.assert(
      fc.property(fc.array(item), fc.boolean(), (items, spread) => {
        const decoded = decodePart(partOf(items, spread), 'skip', 'task')
        const { values, completedBefore } = decoded
        const given = items.flatMap(({ results, fails }, i) =>
          fails ? [] : Array.from({ length: spread ? results : 1 }, (_, chunkOffset) => `${i}.${chunkOffset}`),
        )
        expect(values).toEqual(given)
        const completes = completesOf(decoded)
        expect(completedBefore + completes.reduce((sum, count) => sum + count, 0)).toBe(items.length)
        // Never before the last result of the item was given.
        let done = completedBefore
        values.forEach((value, i) => {
          const owner = Number(String(value).split('.')[0])
          expect(done).toBeLessThanOrEqual(owner)
          done += completes[i] ?? 0
        })
      }),
    )
  })
})

describe('isPlain()', () => {
  it('is true if the results need not be changed', () => {
    expect(isPlain(partOf([one, one], false), 'throw')).toBe(true)
    expect(isPlain(partOf([none, three], true), 'skip')).toBe(true)
  })

  it('is false for outcomes, for failed items, and for parts without results', () => {
    expect(isPlain(partOf([one], false), 'settle')).toBe(false)
    expect(isPlain(partOf([one, failed], false), 'skip')).toBe(false)
    expect(isPlain(partOf([none], true), 'throw')).toBe(false)
  })
})

function completesOf({ completes, values }: DecodedPart): readonly number[] {
  return completes ?? values.map(() => 1)
}
