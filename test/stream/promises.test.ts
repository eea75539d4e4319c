/** Promises that a synchronous source gives are awaited, one at a time, as `for await` does. */
import { imap, imapUnordered, Pool, reduce, type StreamOptions } from 'millrace'
import { add, same } from '../fixtures/contract-a-values.js'
import { watchRejections } from '../support/rejections.js'
import { turns } from '../support/gates.js'

const pool = new Pool({ workers: 2, name: 'promises' })
const unhandled = watchRejections()

afterAll(() => pool.terminate())

type Source = Iterable<number | PromiseLike<number>>
const here =
  (verb: typeof imap) =>
  (source: Source, options: StreamOptions = {}) =>
    verb((x: unknown) => x, source as Iterable<number>, { ...options, errors: 'throw', workers: 0 })
const there =
  (verb: typeof pool.imap) =>
  (source: Source, options: StreamOptions = {}) =>
    verb(same, source as Iterable<number>, { ...options, errors: 'throw' })

const verbs = {
  'imap() on a pool': there(pool.imap),
  'imapUnordered() on a pool': there(pool.imapUnordered),
  'imap() on this thread': here(imap),
  'imapUnordered() on this thread': here(imapUnordered),
  'flatMap() on this thread': (source: Source, options: StreamOptions = {}) =>
    pool.flatMap(
      same as never,
      (function* () {
        for (const item of source) yield Promise.resolve(item).then((x) => [x])
      })() as never,
      options as never,
    ),
}

/**
 * Every third item is a plain value. The others are promises that settle at once or later, or are not native promises.
 */
function itemOf(i: number): number | PromiseLike<number> {
  if (i % 3 === 0) return i
  if (i % 3 === 1) return Promise.resolve(i)
  return { then: (resolve: (x: number) => unknown) => setImmediate(resolve, i) } as unknown as PromiseLike<number>
}

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const x of stream) seen.push(x)
  return seen
}

for (const [name, run] of Object.entries(verbs)) {
  for (const chunksize of [1, 7, 'auto'] as const) {
    it(`${name}, chunksize ${chunksize}: arrays and generators of promises`, async () => {
      const expected = Array.from({ length: 40 }, (_, i) => i)
      let pending = 0
      let most = 0
      function* source(): Generator<number | PromiseLike<number>, void> {
        for (const i of expected) {
          pending++
          most = Math.max(most, pending)
          yield Promise.resolve(itemOf(i)).finally(() => pending--)
        }
      }
      const options = { chunksize, window: 20 }
      for (const items of [expected.map(itemOf), new Set(expected.map(itemOf)), source()]) {
        expect((await all(run(items, options))).sort((a, b) => Number(a) - Number(b))).toEqual(expected)
      }
      expect(most).toBe(1)
    })
  }

  it(`${name}: a rejection is an error of the source, after the results before it, and closes it`, async () => {
    const reason = new Error('not this one')
    let closed = 0
    let read = 0
    function* source(): Generator<number | Promise<number>, void> {
      try {
        for (; ; read++) yield read === 5 ? Promise.reject(reason) : read
      } finally {
        closed++
      }
    }
    const seen: unknown[] = []
    let error: unknown
    try {
      for await (const x of run(source())) seen.push(x)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBe(reason)
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4])
    expect([read, closed]).toEqual([5, 1])
  })

  it(`${name}: a stream that is left while one is pending ends at once, and no rejection goes unseen`, async () => {
    let closed = 0
    let reject: (reason: Error) => void = () => undefined
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ value: new Promise<number>((_, r) => (reject = r)), done: false }),
        return: () => {
          closed++
          return { value: undefined, done: true as const }
        },
      }),
    }
    const stream = run(source as Source)
    const pending = stream.next()
    await turns(2)
    await stream.return()
    expect((await pending).done).toBe(true)
    reject(new Error('too late'))
    await turns(5)
    expect([closed, unhandled]).toEqual([1, []])
  })
}

it('reduce() and map() await them, too', async () => {
  const items = [1, Promise.resolve(2), 3] as number[]
  const options = { initial: 0, merge: (a: number, b: number) => a + b }
  expect(await pool.reduce(add, items, options)).toBe(6)
  expect(await reduce((a: number, b: number) => a + b, items, { ...options, workers: 0 })).toBe(6)
  expect(await pool.map(same, items)).toEqual([1, 2, 3])
})

it('an item of an asynchronous source is not awaited, as in for await', async () => {
  const source = {
    [Symbol.asyncIterator]: () => [Promise.resolve(1)][Symbol.iterator](),
  } as unknown as AsyncIterable<number>
  await expect(all(pool.imap(same, source))).rejects.toMatchObject({ code: 'ERR_NOT_SERIALIZABLE' })
})
