/** Marks between the batches of a source: at once, and always behind what was given. */
import { Items, type Batch } from '#dist/codec/batch.js'
import { MarkedBatches, type PlacedReader } from '#dist/io/marked-batches.js'
import { Mark, MarkRequest } from '#dist/resume/mark.js'

/** Gives the batches that the test lets come. Its place is the number of values that were given. */
class Waiting implements PlacedReader<number> {
  isClosed = false
  #given = 0
  #answer: ((batch: Batch | undefined) => void) | undefined
  #fail: ((error: unknown) => void) | undefined

  place(): number {
    return this.#given
  }

  next(): Promise<Batch | undefined> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
  }

  /** The batch that is waited for comes: from now on, its place is behind it. */
  come(...values: unknown[]): void {
    this.#given += values.length
    this.#answer?.(values.length === 0 ? undefined : new Items(values))
  }

  fail(error: unknown): void {
    this.#fail?.(error)
  }

  close(): void {
    this.isClosed = true
  }
}

function marked(): {
  source: Waiting
  request: MarkRequest
  batches: MarkedBatches<number>
  placeOf: (mark: unknown) => number | undefined
} {
  const source = new Waiting()
  const request = new MarkRequest()
  const places = new Map<unknown, number>()
  const batches = new MarkedBatches(source, request, (mark, place) => places.set(mark, place))
  return { source, request, batches, placeOf: (mark) => places.get(mark) }
}

it('gives a mark before the next batch', async () => {
  const { source, request, batches, placeOf } = marked()
  const first = batches.next(10)
  source.come('a', 'b')
  expect((await first)?.values()).toEqual(['a', 'b'])
  request.ask()
  const mark = batches.next(10)
  expect(mark).toBeInstanceOf(Mark)
  expect(placeOf(mark)).toBe(2)
  expect(request.isDue).toBe(false)
})

it('gives a mark at once while the source waits, and the batch behind it', async () => {
  const { source, request, batches, placeOf } = marked()
  const first = batches.next(10)
  request.ask()
  const mark = await first
  expect(mark).toBeInstanceOf(Mark)
  expect(placeOf(mark)).toBe(0)
  const second = batches.next(10)
  request.ask()
  const other = await second
  expect(placeOf(other)).toBe(0)
  const third = batches.next(10)
  source.come('a')
  expect((await third)?.values()).toEqual(['a'])
})

it('gives no mark between a batch that has come and was not given, and its place', async () => {
  const { source, request, batches, placeOf } = marked()
  const first = batches.next(10)
  request.ask()
  await first
  source.come('a', 'b', 'c')
  // The batch has come, but nobody has asked for it.
  await Promise.resolve()
  await Promise.resolve()
  request.ask()
  expect(((await batches.next(2)) as Items).values()).toEqual(['a', 'b'])
  expect(((await batches.next(2)) as Items).values()).toEqual(['c'])
  const mark = batches.next(2)
  expect(placeOf(mark)).toBe(3)
})

it('a mark that is asked for as the batch comes is behind it, or before it', async () => {
  for (let turns = 0; turns < 6; turns++) {
    const { source, request, batches, placeOf } = marked()
    const first = batches.next(10)
    source.come('a')
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    request.ask()
    const both = [await first, await batches.next(10)]
    const isFirst = both[0] instanceof Mark
    expect(both.map((batch) => batch instanceof Mark)).toEqual([isFirst, !isFirst])
    expect(placeOf(both[isFirst ? 0 : 1])).toBe(isFirst ? 0 : 1)
  }
})

it('tells the end and errors behind a mark', async () => {
  for (const hasFailed of [false, true]) {
    const { source, request, batches } = marked()
    const first = batches.next(10)
    request.ask()
    expect(await first).toBeInstanceOf(Mark)
    const last = batches.next(10)
    if (hasFailed) source.fail(new Error('broken'))
    else source.come()
    if (hasFailed) await expect(last).rejects.toThrow('broken')
    else expect(await last).toBeUndefined()
  }
})

it('an error that comes while nobody waits for it is told later', async () => {
  const { source, request, batches } = marked()
  const first = batches.next(10)
  request.ask()
  await first
  source.fail(new Error('broken'))
  await new Promise(setImmediate)
  await expect(batches.next(10)).rejects.toThrow('broken')
})

it('closes the source', async () => {
  const { source, batches } = marked()
  await batches.close()
  expect(source.isClosed).toBe(true)
})
