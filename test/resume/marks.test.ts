/** Marks through all parts of a pipeline: what is before one and what comes from its notes are together the whole. */
import fc from 'fast-check'
import { batch } from '#dist/verbs/batch.js'
import { filter, filterUnordered } from '#dist/verbs/filter.js'
import { flatMap, flatMapUnordered } from '#dist/verbs/flat-map.js'
import { imap, imapUnordered } from '#dist/verbs/imap.js'
import type { Stream } from '#dist/stream/stream.js'
import { markedSource, readPart } from '../support/marked-source.js'
import { times } from '../support/volume.js'
import { add, isOdd, repeat, slow } from '../fixtures/marks.js'

type Part = (source: AsyncIterable<number>) => AsyncIterable<number>

const inline = { workers: 0 } as const

/** Parts that keep numbers numbers. */
const parts: Record<string, Part> = {
  imap: (source) => imap(add, source, { ...inline, concurrency: 3 }),
  filter: (source) => filter(isOdd, source, inline),
  flatMap: (source) => flatMap(repeat, source, inline),
  skip: (source) => imap(fails, source, { ...inline, errors: 'skip' }),
  take: (source) => imap(add, source, inline).take(37),
  drop: (source) => imap(add, source, inline).drop(5),
  batch: (source) => flatMap((all: number[]) => all, batch(4, source), inline),
}

function fails(n: number): number {
  if (n % 5 === 0) throw new Error('no')
  return n
}

function chain(names: readonly string[], values: readonly number[], size: number): AsyncIterable<number> {
  return names.reduce((source, name) => parts[name]?.(source) ?? source, markedSource(values, size))
}

/** All that a pipeline gives, which ends at a mark as often as one is asked for, and goes on from its notes. */
async function inParts(make: () => object, asks: readonly number[]): Promise<unknown[]> {
  const all: unknown[] = []
  let notes: Awaited<ReturnType<typeof readPart>>['notes']
  for (const ask of asks) {
    const part = await readPart(make(), notes, ask)
    all.push(...part.values)
    if (part.notes === undefined) return all
    ;({ notes } = part)
  }
  return [...all, ...(await readPart(make(), notes)).values]
}

describe('marks', () => {
  it('divide what ordered parts give, in any line of them', async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(parts)), { minLength: 1, maxLength: 4 })
    const values = fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 80 })
    const asks = fc.array(fc.nat(40), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(names, values, fc.integer({ min: 1, max: 20 }), asks, async (names, values, size, asks) => {
        const whole = (await readPart(chain(names, values, size), undefined)).values
        expect(await inParts(() => chain(names, values, size), asks)).toEqual(whole)
      }),
      { numRuns: times(100, 400), endOnFailure: true },
    )
  })

  const values = Array.from({ length: 500 }, (_, n) => n)
  const unordered: Record<string, () => object> = {
    'imapUnordered()': () => imapUnordered(slow, markedSource(values, 7), { chunksize: 3 }),
    'filterUnordered()': () => filterUnordered(isOdd, markedSource(values, 7), { chunksize: 3 }),
    'flatMapUnordered()': () => flatMapUnordered(repeat, markedSource(values, 7), { chunksize: 3 }),
    'an ordered stage behind an unordered one': () =>
      imap(add, imapUnordered(slow, markedSource(values, 7), { chunksize: 3 }), { chunksize: 5 }),
    'with retries': () => imapUnordered(slow, markedSource(values, 7), { chunksize: 3, retries: 2 }),
  }
  for (const [name, make] of Object.entries(unordered)) {
    it(`divide what ${name} gives in workers: each once`, async () => {
      const sorted = (all: unknown[]): unknown[] => (all as number[]).sort((one, other) => one - other)
      const whole = sorted((await readPart(make(), undefined)).values)
      expect(sorted(await inParts(make, [1, 0, 50, 120]))).toEqual(whole)
      expect(whole.length).toBeGreaterThan(100)
    })
  }

  it('divide what ordered stages give in workers', async () => {
    const make = (): object => imap(add, filter(isOdd, imap(slow, markedSource(values, 9)), { chunksize: 2 }))
    const whole = (await readPart(make(), undefined)).values
    expect(await inParts(make, [0, 3, 100, 1])).toEqual(whole)
  })

  it('keep the indexes of items, the counts and the limit of errors', async () => {
    const make = (): Stream<number> =>
      imap((n: number, { index }: { index: number }) => n * 1_000 + index, markedSource(values, 7), inline)
    expect(await inParts(make, [10, 10])).toEqual(values.map((n) => n * 1_001))
    const counted = (): Stream<number> =>
      imap(fails, markedSource(values, 7), { ...inline, errors: 'skip', maxErrors: 30 })
    const first = await readPart(counted(), undefined, 100)
    const stream = counted()
    await expect(readPart(stream, first.notes)).rejects.toMatchObject({ code: 'ERR_TOO_MANY_ERRORS' })
    // The 31st that fails is 150; the earlier run has counted those up to the mark.
    expect(stream.stats()).toMatchObject({ skipped: 31 })
  })

  it('come at once, where nothing is left', async () => {
    expect(await readPart(imap(add, markedSource([], 1), inline), undefined, 0)).toEqual({
      values: [],
      notes: [0, expect.objectContaining({ items: 0 })],
    })
  })
})
