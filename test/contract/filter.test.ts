/** The contract of a stream for `filter` and `filterUnordered`, and their special properties. */
import { filter, filterUnordered, Pool } from 'millrace'
import {
  answer,
  answers,
  isKept,
  isText,
  keeps,
  keepsNone,
  keepsObject,
  type Answer,
} from '../fixtures/contract-verbs.js'
import { ascending, drain, inEveryWay, rejection, sorted, ways } from '../support/matrix.js'
import { describeSpread } from '../support/spread.js'

const pool = describeSpread({
  name: 'filter',
  task: keeps,
  none: keepsNone,
  resultsOf: (item) => (isKept(item) ? [Number(item)] : []),
  plain: Number,
  isLast: () => true,
})
const all = ways(pool)
const here = { workers: 0 } as const
/** Options for every place. */
const everywhere: readonly object[] = [{}, { concurrency: 2 }, here]

describe('filter()', () => {
  inEveryWay('keeps the items for which the task returns something truthy, or a promise of it', all, async (way) => {
    if (way.kind === 'lines of bytes') return
    const names = Object.keys(answers) as Answer[]
    const truthy: string[] = []
    for (const name of names) {
      const given: unknown = answers[name]()
      if (await given) truthy.push(name)
    }
    for (const concurrency of [1, 4]) {
      const kept = await drain(way.open('filter', answer, way.source(names), { concurrency }))
      expect(way.ordered ? kept : kept.sort()).toEqual(way.ordered ? truthy : truthy.toSorted())
    }
    expect(truthy).toHaveLength(10)
  })

  it('gives a kept item as structuredClone() would, and on this thread the item itself', async () => {
    const items = ascending(20).map((i) => ({ keep: i % 2 === 0, when: new Date(i), own: new Map([[i, { i }]]) }))
    const kept = items.filter(({ keep }) => keep)
    for (const chunksize of [1, 7, 'auto'] as const) {
      const given = await drain(pool.filter(keepsObject, items, { chunksize }))
      expect(given).toStrictEqual(structuredClone(kept))
      expect(given[0]).not.toBe(kept[0])
    }
    const given = await drain(filter(keepsObject, items, here))
    expect(given).toHaveLength(10)
    given.forEach((item, i) => {
      expect(item).toBe(kept[i])
    })
  })

  it('keeps items that are falsy themselves', async () => {
    const items = [undefined, null, 0, '', NaN, false, -0]
    for (const options of everywhere) {
      expect(await drain(filter({ module, export: 'countArguments' }, items, options))).toStrictEqual(items)
    }
  })

  const module = new URL('../fixtures/contract-b-plain.js', import.meta.url)
  it('calls a function that a module exports with the item alone', async () => {
    for (const verb of [filter, pool.filter, filterUnordered, pool.filterUnordered]) {
      for (const options of everywhere) {
        const kept = await drain(verb({ module, export: 'isEven' }, ascending(9), options))
        expect(sorted(kept)).toEqual([0, 2, 4, 6, 8])
      }
    }
  })

  it('takes a type guard', async () => {
    const texts: string[] = await drain(pool.filter(isText, [1, 'one', 2, 'two']))
    expect(texts).toEqual(['one', 'two'])
  })

  it('an item that cannot be sent is an error of that item alone (clause 15)', async () => {
    const items = ascending(15).map((i) => (i % 4 === 2 ? { keep: true, run: () => i } : { keep: i % 2 === 0, i }))
    const kept = items.filter((item, i) => item.keep && i % 4 !== 2)
    for (const verb of [pool.filter, pool.filterUnordered]) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        for (const concurrency of [1, 3]) {
          const stream = verb(keepsObject, items, { chunksize, concurrency, errors: 'skip', window: 20 })
          const given = (await drain(stream)) as { i: number }[]
          expect(given.sort((a, b) => a.i - b.i)).toEqual(kept)
          expect(stream.stats()).toMatchObject({ failed: 4, skipped: 4 })
        }
        const error = await rejection(drain(verb(keepsObject, items, { chunksize, window: 20 })))
        expect(error).toMatchObject({
          code: 'ERR_NOT_SERIALIZABLE',
          message: expect.stringMatching(/item (2|6|10|14) .*item\.run is a function/) as string,
        })
      }
    }
  })

  it('does not send dropped items: their answer need not be clonable', async () => {
    await using one = new Pool({ workers: 1 })
    expect(await drain(one.filter(answer, ['a function', 'a symbol', 'false'] as Answer[]))).toEqual([
      'a function',
      'a symbol',
    ])
  })
})
