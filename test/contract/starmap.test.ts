/**
 * `starmap`, `istarmap` and `istarmapUnordered`: their differences from `map` and `imap`. The tests of these cover the
 * rest.
 */
import {
  failure,
  imap,
  istarmap,
  istarmapUnordered,
  NotSerializableError,
  pipe,
  Pool,
  starmap,
  type MadeByTask,
  type Outcome,
} from 'millrace'
import { repeated, failing, gatedPair, greet, multiply, received, triedPair } from '../fixtures/contract-calls.js'
import { Gates } from '../support/gates.js'
import { ascending, drain, rejection, sorted } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'
import { Tries } from '../support/tries.js'

const pool = new Pool({ workers: 2, name: 'starmap' })

watchRejections()
afterAll(() => pool.terminate())

type Call = (...args: never[]) => unknown
type Run = (fn: unknown, items: unknown, options?: object) => Promise<unknown[]>

/** All verbs that call a task with arguments, on threads and on this thread, as functions from items to all results. */
const RUNS: Record<string, Run> = {
  'starmap()': starmap as unknown as Run,
  'pool.starmap()': pool.starmap as unknown as Run,
  'starmap() on this thread': (fn, items, options) =>
    (starmap as unknown as Run)(fn, items, { ...options, workers: 0 }),
  'istarmap()': (fn, items, options) => drain(istarmap(fn as Call & MadeByTask, items as [], options)),
  'pool.istarmap() as a stage': (fn, items, options) =>
    drain(pool.istarmap(fn as Call & MadeByTask, options ?? {})(items as [])),
  'istarmap() on this thread': (fn, items, options) =>
    drain(istarmap(fn as Call, items as [], { ...options, workers: 0 })),
}

for (const [name, run] of Object.entries(RUNS)) {
  describe(`${name} calls the task with the arguments in each item`, () => {
    it('in the order of the items, for any number of arguments of any kind', async () => {
      const items = [[], [1], [1, 2], [undefined, null], ['a', new Date(5), new Map([['k', [1n]]])], [[1, 2], { n: 3 }]]
      for (const options of [{}, { chunksize: 1 }, { chunksize: 4 }, { concurrency: 3 }]) {
        expect(await run(received, items, options)).toStrictEqual(items)
      }
      const many = ascending(5_000).map((n) => [n, n + 1])
      expect(await run(multiply, many)).toEqual(many.map(([x = 0, y = 0]) => x * y))
    })

    it('and with nothing more: no context takes the place of an optional parameter', async () => {
      expect(await run(greet, [['Ann'], ['Ben', 'Good morning'], ['Cy', undefined]])).toEqual([
        'Hello, Ann',
        'Good morning, Ben',
        'Hello, Cy',
      ])
    })

    it('of any source of arrays', async () => {
      const map = new Map([
        [2, 3],
        [4, 5],
      ])
      async function* later(): AsyncGenerator<[number, number]> {
        yield await Promise.resolve([2, 3])
        yield [4, 5]
      }
      for (const source of [
        map,
        map.entries(),
        new Set([...map]),
        later(),
        imap((x: [number, number]) => x, map, { workers: 0 }),
      ]) {
        expect(await run(multiply, source)).toEqual([6, 20])
      }
      expect(await run(multiply, [])).toEqual([])
    })

    it('also of a function that a module exports', async () => {
      const reference = { module: new URL('../fixtures/contract-calls.js', import.meta.url), export: 'repeated' }
      expect(await run(reference, [['a', 3], ['b'], ['c', 'x']])).toEqual(['aaa', 'b', 'repeated string times'])
      expect(repeated('d', 2)).toBe('dd')
      expect(await run({ module: 'node:path', export: 'basename' }, [['a/b.js'], ['a/b.js', '.js']])).toEqual([
        'b.js',
        'b',
      ])
    })

    it('and fails items that are not arrays, each alone, without trying them again', async () => {
      const wrong = [
        [5, '5'],
        ['ab', "'ab'"],
        [null, 'null'],
        [undefined, 'undefined'],
        [{ length: 2, 0: 1, 1: 2 }, '{'],
        [new Set([1, 2]), 'Set(2)'],
        [new Float64Array([1, 2]), 'Float64Array(2)'],
      ] as const
      const items = wrong.flatMap(([item], i) => [item, [i, 2]])
      const retries = { attempts: 4, minDelay: 1 }
      const outcomes = (await run(multiply, items, { errors: 'settle', retries })) as Outcome<unknown, number>[]
      for (const [i, [, text]] of wrong.entries()) {
        const failed = outcomes[2 * i]
        expect(failed).toMatchObject({ status: 'rejected', index: 2 * i, attempts: 1 })
        expect(failed).toMatchObject({ reason: { name: 'TypeError', code: 'ERR_INVALID_ARGUMENTS' } })
        const { message } = (failed as { reason: Error }).reason
        expect(message).toContain('Cannot call the task as its item must be an array of arguments: received ')
        expect(message).toContain(text)
        expect(outcomes[2 * i + 1]).toMatchObject({ status: 'fulfilled', value: 2 * i })
      }
      expect(await run(multiply, items, { errors: 'skip' })).toEqual(wrong.map((_, i) => 2 * i))
    })

    it('and throws the error of a task as it was thrown, with the arguments as the item', async () => {
      const error = await rejection(run(failing, [['E_ONE', 1, 'two']]))
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({ message: 'failed with E_ONE', code: 'E_ONE', details: [1, 'two'] })
      expect(failure(error)).toMatchObject({ index: 0, task: 'failing', item: ['E_ONE', 1, 'two'], attempts: 1 })
    })

    it('and tries calls again that fail', async () => {
      const tries = new Tries([0, 2, 1, 0])
      const items = tries.items.map((item) => [item, 'other'])
      const results = await run(triedPair, items, { retries: { attempts: 3, minDelay: 1 } })
      expect(tries.indexes(results)).toEqual([0, 1, 2, 3])
      expect(tries.tries).toEqual([1, 3, 2, 1])
    })
  })
}

describe('an argument that cannot be cloned', () => {
  for (const name of ['starmap()', 'istarmap()'] as const) {
    it(`fails its call alone in ${name}, and is named`, async () => {
      const items = [
        [1, 2],
        [3, { log: () => 0 }],
        [4, 5],
      ]
      const error = await rejection(RUNS[name](received, items))
      expect(error).toBeInstanceOf(NotSerializableError)
      expect((error as Error).message).toContain('item 1 to a worker as item[1].log is a function')
      expect(failure(error)?.item).toBe(items[1])
      expect(await RUNS[name](received, items, { errors: 'skip' })).toEqual([items[0], items[2]])
    })
  }
})

describe('starmap()', () => {
  it('lets all other calls finish, and then throws the first error', async () => {
    for (const options of [{}, { workers: 0 }, { chunksize: 3 }]) {
      const gates = new Gates(20)
      gates.fail(4, 15)
      gates.turns(4, 10)
      const items = gates.items.map((item, i): [number, string] => [item, `result ${i}`])
      const error = await rejection(pool.starmap(gatedPair, items, options as object))
      expect(failure(error)).toMatchObject({ index: 4, item: items[4] })
      expect(ascending(20).map((i) => gates.entries(i))).toEqual(Array(20).fill(1))
    }
  })

  it('refuses at the call to be made a stage of, and says what is one', () => {
    const loose = starmap as unknown as (...args: unknown[]) => unknown
    for (const args of [[multiply], [multiply, { window: 3 }]]) {
      expect(() => loose(...args)).toThrow(
        expect.objectContaining({
          name: 'TypeError',
          code: 'ERR_INVALID_SOURCE',
          message: expect.stringContaining('(for a stage of a pipeline: istarmap(task, options))') as string,
        }) as Error,
      )
    }
  })
})

describe('istarmap() and istarmapUnordered()', () => {
  it('are lazy, bounded and without an end, and close their source', async () => {
    for (const verb of [istarmap, istarmapUnordered, pool.istarmap, pool.istarmapUnordered]) {
      let read = 0
      let closed = false
      function* pairs(): Generator<[number, number]> {
        try {
          for (let x = 1; ; x++) {
            read = x
            yield [x, x + 1]
          }
        } finally {
          closed = true
        }
      }
      const stream = verb(multiply, pairs(), { window: 8 })
      expect(read).toBe(0)
      let given = 0
      for await (const product of stream) {
        expect(product).toBeGreaterThanOrEqual(2)
        expect(read).toBeLessThanOrEqual(given + 8)
        if (++given === 20) break
      }
      expect(closed).toBe(true)
    }
  })

  it('are parts of a pipeline', async () => {
    const pairs = imap((x: number): [number, number] => [x, 2 * x], { workers: 0 })
    expect(await drain(pipe([1, 2, 3], pairs, istarmap(multiply)))).toEqual([2, 8, 18])
    const some = await drain(pipe([1, 2, 3], pairs, pool.istarmapUnordered(multiply, { chunksize: 2 })))
    expect(sorted(some)).toEqual([2, 8, 18])
  })

  it('unordered gives each result as soon as it is known', async () => {
    const gates = new Gates(6)
    gates.hold(0)
    const items = gates.items.map((item, i): [number, string] => [item, String(i)])
    const stream = pool.istarmapUnordered(gatedPair, items, { chunksize: 1 })
    const results: unknown[] = []
    while (results.length < 5) results.push((await stream.next()).value)
    expect(results).not.toContain('0')
    gates.release(0)
    expect(sorted([...results, ...(await drain(stream))].map(Number))).toEqual(ascending(6))
  })
})
