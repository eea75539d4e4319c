/**
 * Objects that are given again after a change. Items that wait to be sent have changed, too, so this must be an error.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { Pool, failure } from 'millrace'
import * as tasks from '../fixtures/reuse.js'
import { collect } from '../fixtures/contract-b-ways.js'

const pool = new Pool({ workers: 2 })
afterAll(() => pool.terminate())

/** Ways to give the same object or memory again, with new contents for each item. */
const ways: readonly [string, () => { readonly given: object; fill: (n: number) => void }][] = [
  ['a record', () => filled({ n: -1 }, (record, n) => (record.n = n))],
  ['a record in a record', () => filled({ inner: { n: -1 } }, ({ inner }, n) => (inner.n = n))],
  ['an array', () => filled([-1], (array, n) => (array[0] = n))],
  ['a Map', () => filled(new Map([['n', -1]]), (map, n) => map.set('n', n))],
  ['a Set', () => filled(new Set([-1]), (set, n) => (set.clear(), set.add(n)))],
  ['a Date', () => filled(new Date(), (date, n) => date.setTime(n))],
  ['a typed array', () => filled(new Float64Array(1), (array, n) => (array[0] = n))],
  ['a Buffer', () => filled(Buffer.alloc(70_000), (buffer, n) => buffer.writeInt32LE(n))],
  ['an ArrayBuffer', () => filled(new ArrayBuffer(8), (buffer, n) => (new Int32Array(buffer)[0] = n))],
]

function filled<T extends object>(
  given: T,
  fill: (given: T, n: number) => unknown,
): { given: T; fill: (n: number) => void } {
  return { given, fill: (n) => void fill(given, n) }
}

function* reusing(
  { given, fill }: { readonly given: object; fill: (n: number) => void },
  closed?: () => void,
): Generator<object> {
  try {
    for (let n = 0; n < 1_000; n++) {
      fill(n)
      yield given
    }
  } finally {
    closed?.()
  }
}

const changed = { name: 'TypeError', code: 'ERR_INVALID_SOURCE' }

describe('a source that changes an object which it has given, and gives it again', () => {
  it.each(ways)('fails with an error that says so: %s', async (_, way) => {
    for (const options of [{}, { chunksize: 1 }, { chunksize: 100 }, { errors: 'skip' as const }]) {
      const closed = jest.fn()
      const stream = pool.imap(tasks.same, reusing(way(), closed), options)
      await expect(collect(stream)).rejects.toMatchObject(changed)
      expect(closed).toHaveBeenCalledTimes(1)
      expect(stream.stats().read).toBeLessThan(3)
    }
  })

  it.each(ways)('also where it is asynchronous, or gives promises: %s', async (_, way) => {
    const later = async function* (): AsyncGenerator<object> {
      for (const item of reusing(way())) {
        await turn()
        yield item
      }
    }
    await expect(collect(pool.imap(tasks.same, later()))).rejects.toMatchObject(changed)
    const promises = function* (): Generator<Promise<object>> {
      for (const item of reusing(way())) yield Promise.resolve(item)
    }
    await expect(collect(pool.imap(tasks.same, promises()))).rejects.toMatchObject(changed)
  })

  it('fails where the object comes later: after others, and twice unchanged', async () => {
    const record = { n: 0 }
    const source = function* (): Generator<object> {
      yield { n: 1 }
      yield record
      yield record
      record.n = 1
      yield record
    }
    await expect(collect(pool.imap(tasks.same, source()))).rejects.toThrow(/\{ \.\.\.item \} or Buffer\.from\(chunk\)/)
  })

  it('fails where its views of one buffer have the same bytes, and other lengths', async () => {
    const memory = Buffer.alloc(100)
    const source = function* (): Generator<object> {
      for (let n = 0; n < 10; n++) yield memory.fill(n).subarray(0, 10 + n)
    }
    await expect(collect(pool.imap(tasks.same, source()))).rejects.toMatchObject(changed)
  })

  it('may give one object as often as it likes, without a change', async () => {
    for (const [, way] of ways) {
      const { given } = way()
      expect(await collect(pool.imap(tasks.same, new Array(1_000).fill(given)))).toHaveLength(1_000)
    }
  })

  it('may give parts of one buffer, and memory that threads share', async () => {
    const memory = new Uint8Array(1_000).map((_, i) => i)
    const slides = Array.from({ length: 990 }, (_, i) => memory.subarray(i, i + 10))
    expect(await collect(pool.imap(tasks.first, slides))).toEqual(slides.map(([first]) => first))
    const shared = new Int32Array(new SharedArrayBuffer(4))
    const source = function* (): Generator<object> {
      for (let n = 0; n < 100; n++) {
        shared[0] = n
        yield shared
      }
    }
    expect(await collect(pool.imap(tasks.same, source()))).toHaveLength(100)
  })

  it('may do so if it is read only after the previous result, or if items are not copied', async () => {
    const numbers = Array.from({ length: 1_000 }, (_, n) => n)
    const record = (): Iterable<object> => reusing(filled({ n: -1 }, (given, n) => (given.n = n)))
    expect(await collect(pool.imap(tasks.number, record() as Iterable<{ n: number }>, { window: 1 }))).toEqual(numbers)
    const here = pool.imap(tasks.number, record() as Iterable<{ n: number }>, { workers: 0, window: 1 })
    expect(await collect(here)).toEqual(numbers)
  })

  it('runs no getter to find out, and no trap of a proxy', async () => {
    const getter = jest.fn()
    const record = Object.defineProperty({ n: 1 }, 'hidden', { get: getter, enumerable: false })
    expect(await collect(pool.imap(tasks.same, [record, record, record]))).toHaveLength(3)
    expect(getter).not.toHaveBeenCalled()
    const trap = jest.fn(() => [])
    const proxy = new Proxy({}, { ownKeys: trap })
    await expect(collect(pool.imap(tasks.same, [[proxy], [proxy]]))).rejects.toMatchObject({
      code: 'ERR_NOT_SERIALIZABLE',
    })
  })
})

describe('a task that changes an object which it has returned, and returns it again', () => {
  const items = Array.from({ length: 100 }, (_, n) => n)

  it.each(['record', 'bytes'] as const)('fails, for all items whose results waited to be sent: a %s', async (kind) => {
    const settled = await collect(pool.imap(tasks[kind], items, { chunksize: 100, errors: 'settle' }))
    expect(settled).toHaveLength(100)
    for (const [n, outcome] of settled.entries()) {
      if (outcome.status === 'fulfilled') expect(tasks.numberOf(outcome.value)).toBe(n)
      else {
        expect(outcome.reason).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_RESULT' })
        expect(failure(outcome.reason)).toMatchObject({ index: n })
      }
    }
    // Items that were posted alone are right. The others were posted together with another one.
    expect(settled.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(50)
  })

  it('has each result right where it is sent before the next item begins', async () => {
    const results = await collect(pool.imap(tasks.record, items, { chunksize: 1 }))
    expect(results.map(tasks.numberOf)).toEqual(items)
  })

  it('may return one object as often as it likes, without a change', async () => {
    expect(await collect(pool.imap(tasks.constant, items, { chunksize: 100 }))).toHaveLength(100)
  })

  it('fails for elements of a generator, too', async () => {
    await expect(collect(pool.flatMap(tasks.elements, [3]))).rejects.toMatchObject({ code: 'ERR_INVALID_RESULT' })
    await expect(collect(pool.flatMap(tasks.elementsLater, [3]))).rejects.toMatchObject({ code: 'ERR_INVALID_RESULT' })
  })
})
