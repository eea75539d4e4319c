/** The contract of a stream for `flatMap` and `flatMapUnordered`, and their special properties. */
import { flatMap, flatMapUnordered } from 'millrace'
import {
  breakUp,
  broken,
  elementsFor,
  expand,
  expandables,
  expands,
  expandsToNone,
  expandTo,
  mates,
  sparse,
  type Broken,
  type Named,
} from '../fixtures/contract-verbs.js'
import { ascending, drain, inEveryWay, rejection, sorted, ways } from '../support/matrix.js'
import { describeSpread } from '../support/spread.js'

const pool = describeSpread({
  name: 'flatMap',
  task: expands,
  none: expandsToNone,
  resultsOf: elementsFor,
  plain: String,
  isLast: (result) => {
    const [item, place] = String(result).split('/')
    return Number(place) === elementsFor(item ?? '').length - 1
  },
})
const all = ways(pool)
const threads = [pool.flatMap, pool.flatMapUnordered]
const here = { workers: 0 } as const
/** Options for every place. */
const everywhere: readonly object[] = [{}, { concurrency: 2 }, here]
const chunksizes = [1, 7, 'auto'] as const

describe('flatMap()', () => {
  inEveryWay('gives each element of anything that has elements', all, async (way) => {
    if (way.kind === 'lines of bytes') return
    const names = Object.keys(expandables) as Named[]
    for (const concurrency of [1, 4]) {
      const given = await drain(way.open('flatMap', expand, way.source(names), { concurrency }))
      expect(given).toEqual(names.flatMap(() => [1, 2, 3]))
    }
  })

  inEveryWay(
    'refuses texts and what has no elements, and gives none of an item that fails midway',
    all,
    async (way) => {
      if (way.kind === 'lines of bytes') return
      const names = Object.keys(broken) as Broken[]
      const source = ['first', ...names.flatMap((name) => [name, `after ${name}`])]
      const fine = source.filter((name) => !names.includes(name as Broken)).flatMap((name) => [name, name])
      for (const concurrency of [1, 4]) {
        const stream = way.open('flatMap', breakUp, way.source(source), { concurrency, errors: 'skip', window: 50 })
        const given = await drain(stream)
        expect(way.ordered ? given : given.sort()).toEqual(way.ordered ? fine : fine.toSorted())
        expect(stream.stats()).toMatchObject({ failed: names.length, skipped: names.length })
      }
      for (const name of names) {
        const [, text] = broken[name]
        const error = await rejection(drain(way.open('flatMap', breakUp, way.source([name]))))
        expect((error as Error).message).toContain(text)
        if (text === 'midway') expect(error).toBeInstanceOf(RangeError)
        else expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_RESULT' })
      }
    },
  )

  it('an element that cannot be sent is an error of its item alone, which then gives none (clause 15)', async () => {
    const items = ascending(15)
    const fine = items.filter((i) => i % 2 === 0).flatMap((i) => [i, 'fine', i])
    for (const verb of threads) {
      for (const chunksize of chunksizes) {
        for (const concurrency of [1, 3]) {
          const stream = verb(mates, items, { chunksize, concurrency, errors: 'skip', window: 20 })
          const given = await drain(stream)
          if (verb === pool.flatMap) expect(given).toEqual(fine)
          else expect(given.map(String).sort()).toEqual(fine.map(String).sort())
          expect(stream.stats()).toMatchObject({ read: 15, delivered: 24, failed: 7, skipped: 7 })
        }
      }
    }
    for (const chunksize of chunksizes) {
      const results: unknown[] = []
      const stream = pool.flatMap(mates, items.slice(2), { chunksize, window: 20 })
      const error = await rejection(
        (async () => {
          for await (const result of stream) results.push(result)
        })(),
      )
      expect(results).toEqual([2, 'fine', 2])
      expect(error).toMatchObject({
        code: 'ERR_NOT_SERIALIZABLE',
        message: expect.stringMatching(/result of item 1 .*run is a function/) as string,
      })
    }
  })

  it('gives undefined for the holes of a sparse array', async () => {
    for (const verb of [...threads, flatMap]) {
      const given = await drain(verb(sparse, [1], (verb === flatMap ? here : {}) as object))
      expect(given).toStrictEqual([1, undefined, 3])
    }
  })

  it('gives all elements of items that expand hugely, each item freed with its last one', async () => {
    const counts = [100_000, 0, 1, 250_000, 2]
    for (const chunksize of [1, 5] as const) {
      const stream = pool.flatMap(expandTo, counts, { chunksize, window: 5 })
      let given = 0
      for await (const chunk of stream.chunks()) given += chunk.length
      expect(given).toBe(350_003)
      expect(stream.stats()).toMatchObject({ read: 5, delivered: 350_003 })
    }
    let sum = 0
    for await (const i of flatMap(expandTo, counts, here)) sum += i
    expect(sum).toBe((100_000 * 99_999 + 250_000 * 249_999) / 2 + 1)
  })

  it('reads no further item while elements of a whole window have not been given', async () => {
    for (const options of [
      { chunksize: 2, window: 2 },
      { ...here, window: 2 },
    ]) {
      let read = 0
      function* source(): Generator<number> {
        for (; read < 10;) {
          read++
          yield 3
        }
      }
      const stream = flatMap(expandTo, source(), options as object)
      const reads: number[] = []
      for await (const _ of stream) reads.push(read)
      expect(reads).toHaveLength(30)
      reads.forEach((count, given) => {
        // The consumer still has the last of the items that were given in full. So its place in the window is not free
        // yet.
        expect(count - Math.floor(given / 3)).toBeLessThanOrEqual(2)
      })
    }
  })

  it('calls a function that a module exports with the item alone', async () => {
    const module = new URL('../fixtures/contract-b-plain.js', import.meta.url)
    for (const verb of [flatMap, pool.flatMap, flatMapUnordered, pool.flatMapUnordered]) {
      for (const options of everywhere) {
        expect(await drain(verb({ module, export: 'countArguments' }, [5, 6], options))).toEqual([1, 1])
      }
    }
  })

  it('keeps the elements of an item together, and in their order, when items come as they complete', async () => {
    for (const concurrency of [1, 5]) {
      const given = await drain(pool.flatMapUnordered(expandTo, ascending(12), { concurrency, chunksize: 6 }))
      const runs: number[] = []
      for (const i of given) {
        if (i === 0) runs.push(1)
        else expect(i).toBe(runs[runs.length - 1]++)
      }
      expect(sorted(runs)).toEqual(ascending(12).slice(1))
    }
  })
})
