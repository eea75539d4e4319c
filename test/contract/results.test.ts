/** `toArray()`, `take()` and `drop()`: the results of a stream, under its contract. */
import { imap, Pool, type Results } from 'millrace'
import { failsAtThrees } from '../fixtures/contract-a-errors.js'
import { gated } from '../fixtures/contract-a-gated.js'
import { same } from '../fixtures/contract-a-values.js'
import { Gates, turns } from '../support/gates.js'
import {
  ascending,
  asyncSource,
  drain,
  hanging,
  inEveryWay,
  Probe,
  rejection,
  sorted,
  ways,
} from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'

const pool = new Pool({ workers: 2, name: 'results' })
const all = ways(pool)
const fewer = all.filter(({ kind, executor }) => (executor === 'a pool of 2') === (kind !== 'an iterable'))
const done = { done: true, value: undefined }
const here = { workers: 0 } as const
const identity = (x: number): number => x

watchRejections()
afterAll(() => pool.terminate())

/** As a generator of the language does it. */
function cut<T>(items: readonly T[], [verb, count]: Cut): T[] {
  return verb === 'take' ? items.slice(0, count) : items.slice(count)
}
type Cut = readonly [verb: 'take' | 'drop', count: number]
const CUTS: readonly (readonly Cut[])[] = [
  [],
  [['take', 0]],
  [['take', 1]],
  [['take', 17]],
  [['take', 60]],
  [['take', Infinity]],
  [['drop', 0]],
  [['drop', 1]],
  [['drop', 23]],
  [['drop', 60]],
  [['drop', 1000]],
  [['drop', Infinity]],
  [
    ['drop', 5],
    ['take', 20],
  ],
  [
    ['take', 20],
    ['drop', 5],
  ],
  [
    ['take', 3],
    ['drop', 5],
    ['take', 1],
  ],
  [
    ['drop', 7],
    ['drop', 8],
    ['take', 30],
    ['take', 20],
  ],
]
function cutAll<T>(stream: Results<T>, cuts: readonly Cut[]): Results<T> {
  return cuts.reduce((left, [verb, count]) => left[verb](count), stream)
}

/** Ways to read results. */
const READINGS: Readonly<Record<string, <T>(results: Results<T>) => Promise<T[]>>> = {
  'for await': (results) => drain(results),
  'toArray()': (results) => results.toArray(),
  'calls of next() that overlap': async (results) => {
    const read = await Promise.all(Array.from({ length: 70 }, () => results.next()))
    const end = read.findIndex(({ done }) => done === true)
    expect(read.slice(end).every(({ done }) => done === true)).toBe(true)
    return read.slice(0, end).map(({ value }) => value as never)
  },
  'a stage behind': (results) => drain(pool.imap(same as never, results, { chunksize: 3 })) as never,
  'next(), then toArray()': async (results) => {
    const first = results.next()
    const rest = await results.toArray().catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
      return []
    })
    const { value, done } = await first
    return done === true ? rest : [value, ...rest]
  },
}

describe('take() and drop() give the same as slice()', () => {
  inEveryWay('in all combinations, however they are read', fewer, async (way) => {
    for (const [i, cuts] of CUTS.entries()) {
      for (const [j, [name, read]] of Object.entries(READINGS).entries()) {
        // Two ways to read are enough for each.
        if ((i + j) % 5 > 1) continue
        const gates = new Gates(60)
        const probe = new Probe()
        const stream = way.run(way.source(gates.items, probe), { window: 20, concurrency: 2, chunksize: 7 })
        const results = gates.indexes(await read(cutAll(stream, cuts)))
        const wanted = cuts.reduce((items, each) => cut(items, each), ascending(60))
        if (way.ordered) expect([name, cuts, results]).toEqual([name, cuts, wanted])
        else
          expect([name, cuts, new Set(results).size, results.length]).toEqual([
            name,
            cuts,
            wanted.length,
            wanted.length,
          ])
        expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false })
      }
    }
  })
})

describe('toArray()', () => {
  inEveryWay('gives all results of a stream', all, async (way) => {
    const gates = new Gates(60)
    for (const i of ascending(60)) gates.turns(i, (i * 7) % 4)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window: 20, concurrency: 2 })
    const results = gates.indexes(await stream.toArray())
    expect(way.ordered ? results : sorted(results)).toEqual(ascending(60))
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 61, returns: 0 })
  })

  it('gives those that next() has not given', async () => {
    const stream = pool.imap(same, ascending(9), { chunksize: 4 })
    expect(await stream.next()).toEqual({ done: false, value: 0 })
    expect(await stream.toArray()).toEqual(ascending(9).slice(1))
  })

  it('rejects with the error of an item, of the source, or of the signal, and the source is closed', async () => {
    const probe = new Probe()
    const error = await rejection(pool.imap(failsAtThrees, asyncSource(ascending(50), probe), { window: 5 }).toArray())
    expect(error).toBeInstanceOf(Error)
    expect(probe).toMatchObject({ returns: 1 })
    const broken = new RangeError('the source is broken')
    function* breaks(): Generator<number> {
      yield 1
      throw broken
    }
    expect(await rejection(pool.imap(same, breaks()).toArray())).toBe(broken)
    const controller = new AbortController()
    const silent = hanging('an async iterable', [1, 2], new Probe()) as AsyncIterable<number>
    const waiting = rejection(pool.imap(same, silent, { signal: controller.signal }).toArray())
    await turns()
    controller.abort('enough')
    expect(await waiting).toBe('enough')
  })

  it('rejects where the stream has ended, as a second loop throws', async () => {
    for (const read of [(s: Results<number>) => s.toArray(), (s: Results<number>) => s.take(1).toArray()]) {
      const stream = imap(identity, [1, 2], here)
      expect(await read(stream)).not.toHaveLength(0)
      for (const again of [stream, stream.take(1), stream.drop(1)]) {
        expect(await rejection(again.toArray())).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
        expect(() => again[Symbol.asyncIterator]()).toThrow(/read once/)
        expect(await again.next()).toEqual(done)
      }
    }
  })
})

describe('take(n)', () => {
  it('is lazy: it does not read before the first next(), and never reads for take(0)', async () => {
    const probe = new Probe()
    const none = pool.imap(same, asyncSource(ascending(9), probe)).take(0)
    pool.imap(same, asyncSource(ascending(9), probe)).take(2)
    await turns()
    expect(await none.next()).toEqual(done)
    expect(await none.next()).toEqual(done)
    expect(probe).toMatchObject({ opened: 0, calls: 0 })
  })

  it('closes a source that was not opened, too', async () => {
    const generator = (function* () {
      yield 1
    })()
    expect(await imap(identity, generator, here).take(0).toArray()).toEqual([])
    expect(generator.next()).toEqual(done)
  })

  it('closes the source with its last result, and asks for no result more', async () => {
    for (const read of [(r: Results<number>) => r.next(), (r: Results<number>) => r.take(1).toArray()]) {
      const probe = new Probe()
      const stream = imap(identity, asyncSource(ascending(9), probe), { ...here, window: 1 })
      const taken = stream.take(3)
      await taken.next()
      await taken.next()
      expect(probe).toMatchObject({ returns: 0 })
      await read(taken)
      expect(probe).toMatchObject({ reads: 3, returns: 1 })
      expect(stream.stats()).toMatchObject({ delivered: 3 })
      expect(await taken.next()).toEqual(done)
      expect(await stream.next()).toEqual(done)
      expect(probe).toMatchObject({ reads: 3, returns: 1 })
    }
  })

  it('of an endless silent source ends after n results, and does not wait for another', async () => {
    const gates = new Gates(3)
    const source = hanging('an async iterable', gates.items, new Probe())
    expect(
      gates.indexes(
        await pool
          .imap(gated, source as never)
          .take(3)
          .toArray(),
      ),
    ).toEqual([0, 1, 2])
  })

  it('throws the error of closing the source, once, after its results', async () => {
    const broken = new RangeError('cannot close')
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: 1 }),
        return: (): never => {
          throw broken
        },
      }),
    }
    const taken = imap(identity, source, here).take(2)
    expect([(await taken.next()).value, (await taken.next()).value]).toEqual([1, 1])
    expect(await rejection(taken.next())).toBe(broken)
    expect(await taken.next()).toEqual(done)
    // Without a call there is no answer, and no unhandled rejection.
    expect(await imap(identity, source, here).take(1).next()).toEqual({ done: false, value: 1 })
    await turns()
  })

  it('counts outcomes as results, and gives the error of an item in its place', async () => {
    const outcomes = await imap(failsAtThrees, ascending(9), { errors: 'settle' }).take(5).toArray()
    expect(outcomes).toHaveLength(5)
    const taken = imap(failsAtThrees, ascending(9)).take(5)
    const reads = await Promise.allSettled(Array.from({ length: 7 }, () => taken.next()))
    expect(reads.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
      ...['fulfilled', 'fulfilled', 'fulfilled'],
    ])
    expect(reads.slice(4).map((read) => (read as PromiseFulfilledResult<unknown>).value)).toEqual([done, done, done])
  })
})

describe('drop(n)', () => {
  it('is lazy, and gives the error of an item that it drops once', async () => {
    const probe = new Probe()
    const dropped = imap(failsAtThrees, asyncSource(ascending(9), probe)).drop(5)
    await turns()
    expect(probe).toMatchObject({ opened: 0 })
    const reads = await Promise.allSettled([dropped.next(), dropped.next(), dropped.next()])
    expect(reads.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(await dropped.next()).toEqual(done)
  })
})

describe('parts of a stream', () => {
  const parts: Readonly<Record<string, (stream: Results<number>) => Results<number>>> = {
    'take()': (stream) => stream.take(50),
    'drop()': (stream) => stream.drop(1),
    both: (stream) => stream.drop(1).take(50).drop(1),
  }
  for (const [name, part] of Object.entries(parts)) {
    it(`close the stream and its source on break, by return() and by await using: ${name}`, async () => {
      const ends: readonly ((results: Results<number>) => Promise<unknown>)[] = [
        async (results) => {
          for await (const _ of results) break
        },
        (results) => results.return(),
        (results) => results[Symbol.asyncDispose](),
        async (results) => {
          await results.next()
          await results.return()
        },
      ]
      for (const [i, end] of ends.entries()) {
        const probe = new Probe()
        const stream = pool.imap(same, asyncSource(ascending(90), probe), { window: 9 }) as Results<number>
        await end(part(stream))
        expect([i, probe.returns]).toEqual([i, probe.opened])
        expect(await stream.next()).toEqual(done)
      }
    })

    it(`return() settles calls of next() that wait: ${name}`, async () => {
      const source = hanging('an async iterable', [0, 0, 0], new Probe()) as AsyncIterable<number>
      const results = part(imap(identity, source, here))
      const reads = [results.next(), results.next(), results.next(), results.next()]
      await turns()
      await results.return()
      expect((await Promise.all(reads)).at(-1)).toEqual(done)
    })
  }

  it('refuse a number that is none, at the call', () => {
    const stream = imap(identity, [1], here)
    for (const verb of ['take', 'drop'] as const) {
      for (const [count, error] of [
        [NaN, RangeError],
        [-1, RangeError],
        [-Infinity, RangeError],
        [1.5, RangeError],
        ['3', TypeError],
        [undefined, TypeError],
        [3n, TypeError],
      ] as const) {
        const call = (): unknown => stream[verb](count as number)
        expect(call).toThrow(error)
        expect(call).toThrow(
          `Cannot ${verb} results of a stream as their number must be an integer of at least 0 or Infinity`,
        )
        expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENTS' }) as Error)
      }
      const { stack } = (() => {
        try {
          return stream[verb](-1) as unknown as Error
        } catch (error) {
          return error as Error
        }
      })()
      expect(stack?.split('\n')[1]).toContain('results.test')
    }
  })

  it('are iterators of the language, as streams are', () => {
    const generators = Object.getPrototypeOf(async function* () {
      // Only its prototype is wanted.
    }) as { readonly prototype: object }
    const iterators = Object.getPrototypeOf(generators.prototype) as object
    const stream = imap(identity, [1], here)
    for (const results of [stream, stream.take(1), stream.drop(1)]) {
      expect(Object.prototype.isPrototypeOf.call(iterators, results)).toBe(true)
    }
  })
})
