/** The parts of the contract that hold for `reduce`, and its special properties. */
import { getEventListeners } from 'node:events'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import {
  failure,
  filter,
  flatMap,
  imap,
  lines,
  pipe,
  Pool,
  reduce,
  TaskLoadError,
  WorkerCrashError,
  type MadeByTask,
} from 'millrace'
import { same } from '../fixtures/contract-a-values.js'
import {
  addUnless,
  append,
  contexts,
  counted,
  expandTo,
  forgetful,
  gatedNote,
  hide,
  hideOdd,
  isText,
  nothing,
  quits,
  tally,
  tallyLater,
} from '../fixtures/contract-verbs.js'
import { Gates, turns } from '../support/gates.js'
import { ascending, drain, hanging, inEveryWay, Probe, rejection, sorted, ways, type Way } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'

const pool = new Pool({ workers: 2, name: 'reduce' })
const all = ways(pool)
const fewer = all.filter(({ kind, executor }) => (executor === 'a pool of 2') === (kind !== 'an iterable'))
const threads = fewer.filter(({ executor }) => executor !== 'this thread')
const parallel = threads.filter(({ workers }) => workers > 1)
const chunksizes = [1, 7, 'auto'] as const

watchRejections()
afterAll(() => pool.terminate())

const missing = { module: new URL('./missing.js', import.meta.url), export: 'fold' } as unknown as ((
  total: number,
  n: number,
) => number) &
  MadeByTask

/** Shows the order of the merges: it is associative, but not commutative. */
const joined = { initial: '', merge: (a: string, b: string): string => a + b }
const listed = { initial: [] as number[], merge: (a: number[], b: number[]): number[] => [...a, ...b] }
const added = { initial: 0, merge: (a: number, b: number): number => a + b }

/** It still works. */
async function expectUsable(way: Way): Promise<void> {
  expect(await way.reduce(counted, way.source([1, 2]), added)).toBe(2)
}

describe('reduce() gives the result of a sequential fold', () => {
  inEveryWay('in the order of the items, whatever the timing', all, async (way) => {
    const gates = new Gates(50)
    for (const i of ascending(50)) gates.turns(i, (i * 5) % 4)
    const probe = new Probe()
    const noted = (await way.reduce(gatedNote, way.source(gates.items, probe), { ...listed, window: 20 })) as number[]
    const indexes = gates.indexes(noted)
    expect(way.ordered ? indexes : sorted(indexes)).toEqual(ascending(50))
    expect(ascending(50).map((i) => gates.entries(i))).toEqual(Array(50).fill(1))
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 51, returns: 0 })
  })

  inEveryWay('and unordered merges a slow chunk last', parallel, async (way) => {
    if (way.ordered || way.chunksize === 'auto') return
    const gates = new Gates(28)
    gates.hold(0)
    const merged: number[][] = []
    const result = way.reduce(gatedNote, way.source(gates.items), {
      initial: [],
      merge: (into: number[], partial: number[]) => {
        merged.push(gates.indexes(partial))
        if (merged.flat().length >= 14) gates.release(0)
        return into.concat(partial)
      },
      window: 28,
    })
    const order = gates.indexes((await result) as number[])
    expect(sorted(order)).toEqual(ascending(28))
    expect(order.indexOf(0)).toBeGreaterThanOrEqual(14)
  })

  inEveryWay('of no items a copy of the initial accumulator, and starts no worker', all, async (way) => {
    const initial = { items: [new Date(5)], seen: new Map<unknown, number>([['a', 5]]) }
    const merge = (): never => {
      throw new Error('there is nothing to merge')
    }
    const result = await way.reduce(tally, way.source([]), { initial, merge })
    expect(result).toStrictEqual(initial)
    expect(result).not.toBe(initial)
    const sink = pool.reduce(tally, { initial, merge })
    const [one, two] = [await sink([]), await sink([])]
    expect(one).toStrictEqual(initial)
    expect(one).not.toBe(two)
    await using lazy = new Pool({ workers: 1 })
    expect(await lazy.reduce(counted, [], added)).toBe(0)
    expect(lazy.stats()).toMatchObject({ starting: 0, ready: 0, streams: 0 })
  })

  it('of one chunk what came of it: nothing is merged into the initial accumulator', async () => {
    let merges = 0
    const merge = (a: string, b: string): string => (merges++, a + b)
    expect(await pool.reduce(append, [1, 2, 3], { initial: '>', merge, chunksize: 3 })).toBe('>1,2,3,')
    expect(merges).toBe(0)
  })

  it('each chunk begins with a copy: what folds change does not leak into other chunks, or runs', async () => {
    const initial = { items: [] as unknown[], seen: new Map<unknown, number>() }
    const merge = (into: typeof initial, { items, seen }: typeof initial): typeof initial => {
      into.items.push(...items)
      for (const [item, count] of seen) into.seen.set(item, (into.seen.get(item) ?? 0) + count)
      return into
    }
    const items = ascending(40).map((i) => i % 6)
    for (const verb of [pool.reduce, reduce]) {
      for (const chunksize of chunksizes) {
        for (const workers of [{}, { workers: 0 }]) {
          const stage = verb(tally, { initial, merge, chunksize, ...(workers as object) })
          for (let run = 0; run < 2; run++) {
            const result = await stage(items)
            expect(result.items).toEqual(items)
            expect(sorted([...result.seen.values()])).toEqual([6, 6, 7, 7, 7, 7])
          }
        }
      }
    }
    expect(initial).toEqual({ items: [], seen: new Map() })
  })

  it('the initial accumulator is copied at the call: later changes do not matter', async () => {
    const initial = ['first']
    const merge = (a: string[], b: string[]): string[] => a.concat(b)
    const fold = (all: string[], item: string): string[] => [...all, item]
    const stage = reduce(fold, { initial, merge, workers: 0 })
    initial.push('second')
    expect(await stage(['item'])).toEqual(['first', 'item'])
    expect(await stage([])).toEqual(['first'])
  })

  it('with async folds and merges, one at a time', async () => {
    const items = ascending(30)
    let merging = 0
    for (const ordered of [true, false]) {
      for (const chunksize of chunksizes) {
        for (const options of [{}, { workers: 0 }]) {
          const result = await pool.reduce(tallyLater, items, {
            initial: [],
            merge: async (a: readonly unknown[], b: readonly unknown[]) => {
              expect(++merging).toBe(1)
              await turns(1)
              merging--
              return [...a, ...b]
            },
            ordered,
            chunksize,
            ...(options as object),
          })
          expect(ordered ? result : sorted(result as number[])).toEqual(items)
        }
      }
    }
  })

  it('gives the fold the index of its item, its worker and a signal', async () => {
    for (const chunksize of chunksizes) {
      const merge = <T>(a: readonly T[], b: readonly T[]): T[] => [...a, ...b]
      const all = await pool.reduce(contexts, ascending(20), { initial: [], merge, chunksize })
      expect(all.map(([index]) => index)).toEqual(ascending(20))
      for (const [, worker, aborted] of all) expect([[1, 2].includes(worker), aborted]).toEqual([true, false])
    }
  })

  it('calls a function that a module exports with accumulator and item alone', async () => {
    const fold = { module: new URL('../fixtures/contract-b-plain.js', import.meta.url), export: 'addArguments' }
    for (const verb of [reduce, pool.reduce] as unknown as ((...args: unknown[]) => Promise<unknown>)[]) {
      for (const options of [{}, { workers: 0 }]) {
        expect(await verb(fold, ascending(10), { ...added, ...options })).toBe(20)
      }
    }
  })

  it('takes any associative merge: a property', async () => {
    const configuration = fc.record({
      items: fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 80 }),
      chunksize: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 20 })),
      window: fc.integer({ min: 20, max: 60 }),
      here: fc.boolean(),
      later: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(configuration, async ({ items, here, later, ...options }) => {
        const all = { ...options, ...(here && { workers: 0 }) } as object
        const wanted = items.map((item) => `${item},`).join('')
        if (!later) expect(await pool.reduce(append, items, { ...joined, ...all })).toBe(wanted)
        else expect(await pool.reduce(tallyLater, items, { ...listed, ...all } as never)).toEqual(items)
      }),
      { numRuns: 100, interruptAfterTimeLimit: 4_000 },
    )
  })
})

describe('reduce() reads', () => {
  inEveryWay('at most a window of what has not been merged', fewer, async (way) => {
    const window = 14
    const gates = new Gates(90)
    const probe = new Probe()
    const result = await way.reduce(gatedNote, way.source(gates.items, probe), {
      initial: [],
      merge: async (into: number[], partial: number[]) => {
        // The first result is not merged: it was given before this is called.
        probe.delivered = into.length
        await turns(3)
        expect(probe.reads - into.length).toBeLessThanOrEqual(window)
        return into.concat(partial)
      },
      window,
    })
    expect(sorted(gates.indexes(result as number[]))).toEqual(ascending(90))
  })

  inEveryWay('a window and no more while the first item is slow', parallel, async (way) => {
    if (!way.ordered) return
    const gates = new Gates(60)
    const probe = new Probe()
    gates.hold(0)
    const result = way.reduce(gatedNote, way.source(gates.items, probe), { ...listed, window: 14 })
    await probe.reached(14)
    await turns(20)
    expect(probe.reads).toBe(14)
    gates.release(0)
    expect(gates.indexes((await result) as number[])).toEqual(ascending(60))
  })
})

describe('errors of reduce()', () => {
  inEveryWay("a fold that throws rejects with its error, and the source is closed: 'throw'", fewer, async (way) => {
    const probe = new Probe()
    const result = way.reduce(addUnless, way.source(ascending(200), probe), { ...added, window: 20 })
    expect(await rejection(result)).toMatchObject({
      name: 'RangeError',
      message: expect.stringMatching(/^item 0*\d*3 is/) as string,
    })
    await turns()
    expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
    await expectUsable(way)
  })

  inEveryWay('in order, the error is that of the first item that fails', fewer, async (way) => {
    if (!way.ordered) return
    const gates = new Gates(30)
    gates.turns(10, 3)
    gates.fail(10, 11, 20)
    const result = way.reduce(gatedNote, way.source(gates.items), { ...listed, window: 30 })
    const { message } = (await rejection(result)) as Error
    expect(message).toMatch(new RegExp(`^slot 0*${gates.items[10]}$`))
  })

  inEveryWay("'skip' leaves items out whose fold throws or rejects", fewer, async (way) => {
    const gates = new Gates(50)
    const failing = ascending(50).filter((i) => i % 5 < 2 || i > 40)
    gates.fail(...failing)
    for (const i of ascending(50)) gates.turns(i, i % 3)
    const options = { ...listed, errors: 'skip', window: 20 }
    const noted = gates.indexes((await way.reduce(gatedNote, way.source(gates.items), options)) as number[])
    const kept = ascending(50).filter((i) => !failing.includes(i))
    expect(way.ordered ? noted : sorted(noted)).toEqual(kept)
  })

  inEveryWay("'skip' gives a copy of the initial accumulator when every fold throws", fewer, async (way) => {
    const gates = new Gates(30)
    gates.fail(...ascending(30))
    const options = { ...listed, initial: [-1], errors: 'skip', window: 7 }
    expect(await way.reduce(gatedNote, way.source(gates.items), options)).toEqual([-1])
  })

  inEveryWay('an error of the source rejects, unwrapped', fewer, async (way) => {
    const failure = new Error('the source broke')
    const probe = new Probe()
    function* breaking(): Generator<number> {
      yield* ascending(20)
      throw failure
    }
    expect(await rejection(way.reduce(append, way.source(breaking(), probe), joined))).toBe(failure)
    expect(probe).toMatchObject({ returns: 0, readAfterEnd: false })
  })

  inEveryWay('a merge that throws or rejects rejects with its error, and the source is closed', fewer, async (way) => {
    for (const [how, fail] of [
      [
        'throws',
        (error: unknown): never => {
          throw error
        },
      ],
      ['rejects', (error: unknown) => turns(1).then(() => Promise.reject(error))],
      [
        'throws undefined',
        (): never => {
          throw undefined
        },
      ],
    ] as const) {
      const failure = how === 'throws undefined' ? undefined : new Error('no merge')
      const probe = new Probe()
      let merges = 0
      const merge = (a: string): unknown => (++merges < 3 ? a : fail(failure))
      const result = way.reduce(append, way.source(ascending(500), probe), { initial: '', merge, window: 14 })
      expect(await rejection(result)).toBe(failure)
      expect(merges).toBe(3)
      expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
    }
    await expectUsable(way)
  })

  it('the error of a merge is thrown, not that of closing the source afterwards', async () => {
    function* source(): Generator<number> {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        throw new Error('no close')
      }
    }
    const merge = (): never => {
      throw new Error('no merge')
    }
    await expect(pool.reduce(append, source(), { initial: '', merge, chunksize: 2, window: 8 })).rejects.toThrow(
      'no merge',
    )
  })

  inEveryWay('an accumulator that cannot be sent rejects, and the pool stays usable', threads, async (way) => {
    for (const fold of [hide, hideOdd]) {
      const error = await rejection(
        way.reduce(fold, way.source(ascending(40)), { initial: 0, merge: (a: unknown) => a }),
      )
      expect(error).toMatchObject({
        code: 'ERR_NOT_SERIALIZABLE',
        message: expect.stringMatching(/^Cannot return the result of item \d+ as result/) as string,
      })
    }
    await expectUsable(way)
  })

  it("'skip' leaves out only the item that ends a worker", async () => {
    expect(await pool.reduce(quits, ascending(20), { ...added, errors: 'skip', chunksize: 7 })).toBe(19)
    expect(await rejection(pool.reduce(quits, ascending(20), { ...added, chunksize: 7 }))).toBeInstanceOf(
      WorkerCrashError,
    )
  })

  it("'skip' leaves out items, never the result of a whole chunk", async () => {
    const options = { ...added, errors: 'skip', chunksize: 7 } as const
    expect(await rejection(pool.reduce(missing, ascending(20), options))).toBeInstanceOf(TaskLoadError)
    const hidden = rejection(pool.reduce(hide, ascending(20), { ...options, initial: 0, merge: (a: unknown) => a }))
    expect(await hidden).toMatchObject({ code: 'ERR_NOT_SERIALIZABLE' })
    expect(await pool.reduce(counted, ascending(20), options)).toBe(20)
  })

  inEveryWay(
    'a fold that returns nothing fails its item, which is told to return the accumulator',
    fewer,
    async (way) => {
      const error = await rejection(way.reduce(forgetful, way.source(ascending(8)), listed))
      expect(error).toMatchObject({ code: 'ERR_INVALID_RESULT' })
      expect((error as Error).message).toMatch(/must return the accumulator/)
      expect([3, 5]).toContain(failure(error)?.index)
      const left = await way.reduce(forgetful, way.source(ascending(8)), { ...listed, errors: 'skip' })
      expect(sorted(left as number[])).toEqual([0, 1, 2, 4, 6, 7])
      expect(
        await way.reduce(nothing, way.source([1, 2]), { initial: undefined, merge: () => undefined }),
      ).toBeUndefined()
    },
  )

  it('folds many items to one partial result on this thread', async () => {
    let merges = 0
    const merge = (a: number, b: number): number => (merges++, a + b)
    const sum = (total: number, item: number): number => total + item
    expect(await reduce(sum, ascending(10_000), { initial: 0, merge, workers: 0 })).toBe(49_995_000)
    expect(merges).toBeLessThan(100)
    expect(await reduce(sum, ascending(5), { initial: 0, merge, workers: 0, window: 2 })).toBe(10)
  })

  it('an accumulator that cannot be sent does not matter on this thread', async () => {
    const result = await reduce(hide, [1, 2, 3], { initial: 0, merge: (_, last) => last, workers: 0 })
    expect((result as { run: () => number }).run()).toBe(3)
  })

  it('an item that cannot be sent is an error of that item alone', async () => {
    const items = ascending(20).map((i) => (i % 6 === 4 ? () => i : i))
    const wanted = items.filter((item) => typeof item === 'number').map((i) => `${i},`)
    for (const chunksize of chunksizes) {
      const text = await pool.reduce(append, items, { ...joined, chunksize, errors: 'skip' })
      expect(text).toBe(wanted.join(''))
      await expect(pool.reduce(append, items, { ...joined, chunksize })).rejects.toThrow(/item 4 .*item is a function/)
    }
  })
})

describe('reduce() ends early', () => {
  inEveryWay('by an abort, with its reason, while folds wait', fewer, async (way) => {
    const gates = new Gates(400)
    gates.hold(...ascending(400))
    const probe = new Probe()
    const controller = new AbortController()
    const { signal } = controller
    const reason = { own: 'reason' }
    const result = way.reduce(gatedNote, way.source(gates.items, probe), { ...listed, signal, window: 14 })
    const failure = rejection(result)
    await gates.entered(0)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort(reason)
    expect(await failure).toBe(reason)
    await turns()
    expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
    expect(getEventListeners(signal, 'abort')).toEqual([])
    gates.releaseAll()
    await expectUsable(way)
  })

  const slow = fewer.filter(({ kind }) => kind !== 'an iterable')
  inEveryWay('by an abort while the source is silent', slow, async (way) => {
    const controller = new AbortController()
    const probe = new Probe()
    const source = hanging(way.kind, [1, 2], probe)
    const failure = rejection(way.reduce(append, source, { ...joined, signal: controller.signal }))
    await probe.reached(2)
    controller.abort('enough')
    expect(await failure).toBe('enough')
    expect(probe.returns).toBe(1)
  })

  inEveryWay('by a signal that has fired already, before anything is read', fewer, async (way) => {
    const probe = new Probe()
    const signal = AbortSignal.abort('over')
    expect(await rejection(way.reduce(append, way.source([1], probe), { ...joined, signal }))).toBe('over')
    expect(probe.opened).toBe(0)
  })

  inEveryWay('by an abort between two merges', fewer, async (way) => {
    const controller = new AbortController()
    const probe = new Probe()
    let merges = 0
    const merge = (a: string, b: string): string => {
      if (++merges === 2) controller.abort('enough')
      return a + b
    }
    const options = { initial: '', merge, signal: controller.signal, window: 14 }
    expect(await rejection(way.reduce(append, way.source(ascending(500), probe), options))).toBe('enough')
    await turns()
    // Results that came in one array with the second one are merged, too.
    expect(probe.returns).toBe(1)
    expect(probe.reads).toBeLessThan(500)
  })

  it('by an abort while a merge never settles', async () => {
    const never = (): Promise<number> => new Promise(() => {})
    const controller = new AbortController()
    const options = { initial: 0, merge: never, chunksize: 1, signal: controller.signal }
    const aborted = rejection(pool.reduce(counted, ascending(10), options))
    await turns(20)
    controller.abort()
    expect(await aborted).toBe(controller.signal.reason)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    expect(await pool.reduce(counted, ascending(10), added)).toBe(10)
  })

  it('when its pool is terminated', async () => {
    const doomed = new Pool({ workers: 1 })
    const gates = new Gates(5)
    gates.hold(...ascending(5))
    const failure = rejection(doomed.reduce(gatedNote, gates.items, listed))
    await gates.entered(0)
    await doomed.terminate()
    expect(await failure).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
    await expect(doomed.reduce(gatedNote, [1], listed)).rejects.toThrow(/is closed/)
  })
})

describe('reduce() in a pipeline', () => {
  it('is the last part of pipe(), behind lines and behind stages', async () => {
    const blocks = [Buffer.from('1\n2\n'), Buffer.from('3\n4\n5\n')]
    expect(await pipe(lines(blocks), reduce(append, joined))).toBe('1,2,3,4,5,')
    for (const chunksize of chunksizes) {
      const result = await pipe(
        [1, 'one', 3, 'two', 2],
        pool.filter(same as never, { chunksize, errors: 'skip' }),
        imap((item: unknown) => (isText(item) ? item.length : item), { workers: 0 }),
        flatMap(expandTo as never, { chunksize }),
        pool.reduce(append, { ...joined, chunksize: 2 }),
      )
      expect(result).toBe('0,0,1,2,0,1,2,0,1,2,0,1,')
    }
  })

  it("is the last part of Node's pipeline(), and takes its signal", async () => {
    // Its types require that the last part is a stream.
    const run = pipeline as unknown as (...parts: unknown[]) => Promise<unknown>
    expect(await run([1, 2, 3], pool.reduce(append, joined))).toBe('1,2,3,')
    const controller = new AbortController()
    const gates = new Gates(3)
    gates.hold(...ascending(3))
    const failure = rejection(run(gates.items, pool.reduce(gatedNote, listed), { signal: controller.signal }))
    await gates.entered(0)
    controller.abort()
    expect(await failure).toMatchObject({ name: 'AbortError' })
    gates.releaseAll()
  })

  it('makes a sink that may be used again and again', async () => {
    const sink = filter((n: number) => n % 2 === 0, { workers: 0 })
    const total = reduce((sum: number, n: number) => sum + n, { ...added, workers: 0 })
    for (let run = 0; run < 3; run++) expect(await total(sink(ascending(10)))).toBe(20)
    expect(await Promise.all([total([1, 2]), total([3, 4])])).toEqual([3, 7])
    expect(await drain(sink([2, 3]))).toEqual([2])
  })
})

describe('an abort by merge() itself', () => {
  for (const [name, value] of Object.entries({
    'a promise that never settles': () => new Promise<never>(() => {}),
    'a thenable that never settles': () => ({ then: () => undefined }),
    'a promise that rejects': () => Promise.reject(new Error('of merge()')),
  })) {
    it(`settles the promise when merge() then gives ${name}`, async () => {
      const controller = new AbortController()
      const reason = new Error('given up')
      const options = {
        initial: 0,
        chunksize: 1,
        signal: controller.signal,
        merge: (): never => {
          controller.abort(reason)
          return value() as never
        },
      }
      await expect(pool.reduce(counted as never, [1, 2, 3], options as never)).rejects.toBe(reason)
    })
  }
})
