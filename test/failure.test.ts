/** The information that `failure()` gives about errors of streams, and that outcomes give themselves. */
import { failure, imap, imapUnordered, Pool, reduce, type Outcome } from 'millrace'
import { flaky, flakyExpands, flakyKeeps, flakyNotes } from './fixtures/retries.js'
import { foldsWhat, throwing, throwsWhat, type Thrown } from './fixtures/contract-a-errors.js'
import { ascending, drain, inEveryWay, rejection, ways } from './support/matrix.js'
import { Tries } from './support/tries.js'

const pool = new Pool({ workers: 2 })
// Items count their tries in memory that processes do not share.
const all = ways(pool, ({ executor }) => executor !== 'processes')
afterAll(async () => {
  await pool.terminate()
})

const merge = (into: number[], partial: number[]): number[] => [...into, ...partial]
/** Items of which only the sixth fails. */
const sixth = ascending(20).map((i) => (i === 5 ? 9 : 0))

function expectTold(told: unknown, name: string, test: Tries, inline: boolean, attempts: number): void {
  const { item, worker, record, line, file, offset, ...rest } = told as NonNullable<ReturnType<typeof failure>>
  expect(rest).toEqual({ index: 5, task: name, attempts })
  // Lines know their place.
  const place = [record, line, file, typeof offset]
  expect(place).toEqual(
    record === undefined ? [undefined, undefined, undefined, 'undefined'] : [6, 6, undefined, 'number'],
  )
  expect(test.index(item)).toBe(5)
  expect(inline ? worker === 0 : worker >= 1).toBe(true)
}

describe('failure()', () => {
  inEveryWay('tells of an error that a stream throws, with every verb', all, async (way) => {
    const inline = way.executor === 'this thread'
    for (const [verb, task] of [
      ['imap', flaky],
      ['filter', flakyKeeps],
      ['flatMap', flakyExpands],
    ] as const) {
      const test = new Tries(sixth)
      const error = await rejection(drain(way.open(verb, task, way.source(test.items))))
      expectTold(failure(error), task.name, test, inline, 1)
    }
    const test = new Tries(sixth)
    const error = await rejection(way.reduce(flakyNotes, way.source(test.items), { initial: [], merge }))
    expectTold(failure(error), 'flakyNotes', test, inline, 1)
  })

  inEveryWay('tells how often the item was tried', all, async (way) => {
    const inline = way.executor === 'this thread'
    const retries = { attempts: 3, minDelay: 1 }
    const test = new Tries(sixth)
    expectTold(
      failure(await rejection(drain(way.run(way.source(test.items), { retries }, flaky)))),
      'flaky',
      test,
      inline,
      3,
    )
    const folded = new Tries(sixth)
    const fold = way.reduce(flakyNotes, way.source(folded.items), { initial: [], merge, retries })
    expectTold(failure(await rejection(fold)), 'flakyNotes', folded, inline, 3)
  })

  inEveryWay("tells of the reason of an outcome what the outcome tells: errors: 'settle'", all, async (way) => {
    const test = new Tries(ascending(30).map((i) => (i % 3 === 0 ? 1 : 0)))
    const outcomes = await drain(way.run(way.source(test.items), { errors: 'settle' }, flaky))
    let rejected = 0
    for (const outcome of outcomes as Outcome<unknown, unknown>[]) {
      if (outcome.status === 'fulfilled') continue
      rejected++
      const { status: _, reason, ...told } = outcome
      expect(failure(reason)).toMatchObject(told)
      expect(told).toMatchObject({ task: 'flaky', attempts: 1 })
      expect(test.index(told.item)).toBe(told.index)
    }
    expect(rejected).toBe(10)
  })

  it('describes an error that came through the next stage', async () => {
    const test = new Tries(sixth)
    const stream = pool.imap(flaky, pool.filter(flakyKeeps, test.items), { errors: 'settle' })
    expectTold(failure(await rejection(drain(stream))), 'flakyKeeps', test, false, 1)
  })

  it('describes the death of a worker', async () => {
    const test = new Tries(sixth, 'exit')
    for (const verb of [pool.imap, pool.imapUnordered]) {
      expectTold(failure(await rejection(drain(verb(flaky, test.items)))), 'flaky', test, false, 1)
    }
  })

  it('names the first item for a task that cannot be loaded', async () => {
    const missing = { module: import.meta.url, export: 'noSuchTask' }
    for (const verb of [imap, imapUnordered]) {
      const error = await rejection(drain(verb(missing, ['a', 'b'], { chunksize: 2, window: 2 })))
      expect(failure(error)).toMatchObject({ index: 0, item: 'a', task: 'noSuchTask', attempts: 1 })
    }
  })

  it('describes the last throw of an error that is thrown again', async () => {
    const error = new Error('the same')
    const fn = function same(n: number): number {
      if (n % 2 === 1) throw error
      return n
    }
    for (const items of [
      [0, 1],
      [0, 2, 4, 5, 7],
    ]) {
      expect(await rejection(drain(imap(fn, items, { workers: 0 })))).toBe(error)
      const index = items.findIndex((n) => n % 2 === 1)
      expect(failure(error)).toEqual({ index, item: items[index], task: 'same', worker: 0, attempts: 1 })
    }
  })

  it('does not name a function without a name on this thread', async () => {
    const error = await rejection(
      drain(
        imap(
          (
            () => () =>
              Promise.reject(new Error('x'))
          )(),
          [1],
          { workers: 0 },
        ),
      ),
    )
    expect(failure(error)).toMatchObject({ task: '' })
  })

  it('is undefined for other errors', async () => {
    const sourceFails = new Error('source')
    function* source(): Generator<number> {
      yield 1
      throw sourceFails
    }
    const merging = new Error('merge')
    const merge = (): never => {
      throw merging
    }
    const options = { workers: 0, initial: 0, merge, chunksize: 1, window: 1 } as const
    const signal = AbortSignal.abort(new Error('abort'))
    expect(await rejection(drain(imap(Number, source(), { workers: 0 })))).toBe(sourceFails)
    expect(await rejection(reduce((_: number, n: number) => n, [1, 2], options))).toBe(merging)
    expect(await rejection(drain(imap(Number, [1], { workers: 0, signal })))).toBe(signal.reason)
    for (const error of [sourceFails, merging, signal.reason, new Error('any'), {}, () => 1]) {
      expect(failure(error)).toBeUndefined()
    }
  })

  it('is undefined for a value that is not an object', async () => {
    for (const name of ['undefined', 'null', 'zero', 'a string', 'NaN'] satisfies Thrown[]) {
      expect(failure(await rejection(drain(pool.imap(throwing, [name]))))).toBeUndefined()
      const [outcome] = await drain(pool.imap(throwing, [name], { errors: 'settle' }))
      expect(outcome).toMatchObject({ index: 0, item: name, task: 'throwing', attempts: 1 })
    }
    for (const value of [1n, Symbol('s'), true, 'text']) expect(failure(value)).toBeUndefined()
    const object = await rejection(drain(pool.imap(throwing, ['an object'])))
    expect(failure(object)).toMatchObject({ item: 'an object' })
  })
})

describe('failure() of a stream or promise', () => {
  const thrown = ['a text', 7, undefined, null, false]

  for (const on of ['threads', 'this thread'] as const) {
    it(`names the item that has ended it, for every thrown value (on ${on})`, async () => {
      // The types distinguish the two. Here one variable is both.
      const inline = (on === 'this thread' ? { workers: 0 } : {}) as { workers: 0 }
      for (const value of thrown) {
        const items = ['keep', value, 'keep'].map((what, i) => ({ value: what, throws: i === 1 }))
        const item = items[1]
        const told = { index: 1, task: 'throwsWhat', attempts: 1, item }
        const streams: AsyncIterable<unknown>[] = [
          pool.imap(throwsWhat, items, inline),
          pool.imapUnordered(throwsWhat, items, inline),
          pool.flatMap(throwsWhat, items, inline),
        ]
        for (const stream of streams) {
          expect(failure(stream)).toBeUndefined()
          expect(await rejection(drain(stream))).toBe(value)
          expect(failure(stream)).toMatchObject(told)
        }
        const mapped = pool.map(throwsWhat, items, inline)
        expect(await rejection(mapped)).toBe(value)
        expect(failure(mapped)).toMatchObject(told)
        const folded = pool.reduce(foldsWhat, items, { ...inline, initial: 0, merge: (a: number) => a })
        expect(await rejection(folded)).toBe(value)
        expect(failure(folded)).toMatchObject({ ...told, task: 'foldsWhat' })
        const called = pool.apply(throwsWhat, [{ value, throws: true }], inline)
        expect(await rejection(called)).toBe(value)
        expect(failure(called)).toMatchObject({ index: 0, task: 'throwsWhat' })
      }
    })
  }

  it('is undefined if it was not ended by an item', async () => {
    const ended = pool.imap(throwsWhat, [{ value: 1, throws: false }])
    await drain(ended)
    expect(failure(ended)).toBeUndefined()
    const controller = new AbortController()
    const aborted = pool.imap(throwsWhat, [{ value: 1, throws: false }], { signal: controller.signal })
    controller.abort('enough')
    expect(await rejection(drain(aborted))).toBe('enough')
    expect(failure(aborted)).toBeUndefined()
    const broken = pool.map(
      throwsWhat,
      (function* () {
        throw new Error('the source broke')
      })() as Iterable<{ value: unknown; throws: boolean }>,
    )
    await rejection(broken)
    expect(failure(broken)).toBeUndefined()
    expect(failure('a text')).toBeUndefined()
    expect(failure(undefined)).toBeUndefined()
  })
})
