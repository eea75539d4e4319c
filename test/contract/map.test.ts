/** The parts of the contract that hold for `map`, and its special properties. */
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import {
  failure,
  imap,
  map,
  NotSerializableError,
  Pool,
  PoolClosedError,
  TaskLoadError,
  TaskTimeoutError,
  WorkerCrashError,
  type Outcome,
} from 'millrace'
import { misbehave } from '../fixtures/contract-calls.js'
import { gated } from '../fixtures/contract-a-gated.js'
import { flaky } from '../fixtures/retries.js'
import { GateError, Gates, turns } from '../support/gates.js'
import { ascending, hanging, inEveryWay, Probe, rejection, ways, type Way } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'
import { Tries } from '../support/tries.js'

const pool = new Pool({ workers: 2, name: 'map' })
const all = ways(pool, ({ ordered }) => ordered)
const fewer = all.filter(({ kind, executor }) => (executor === 'a pool of 2') === (kind !== 'an iterable'))
const parallel = fewer.filter(({ workers }) => workers > 1)

watchRejections()
afterAll(() => pool.terminate())

/** Whether it has settled, after some turns of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  await turns(20)
  return settled
}

/** It still works. */
async function expectUsable(way: Way): Promise<void> {
  const gates = new Gates(5)
  expect(gates.indexes(await way.map(way.source(gates.items)))).toEqual(ascending(5))
}

describe('map() gives all results', () => {
  inEveryWay('in the order of the items, whatever the timing', all, async (way) => {
    const gates = new Gates(50)
    for (const i of ascending(50)) gates.turns(i, (i * 5) % 4)
    const probe = new Probe()
    const results = await way.map(way.source(gates.items, probe), { window: 20 })
    expect(gates.indexes(results)).toEqual(ascending(50))
    expect(ascending(50).map((i) => gates.entries(i))).toEqual(Array(50).fill(1))
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 51, returns: 0 })
  })

  inEveryWay('none of no items', all, async (way) => {
    const probe = new Probe()
    expect(await way.map(way.source([], probe))).toEqual([])
    expect(probe).toMatchObject({ opened: 1, calls: 1, returns: 0 })
  })

  it('none of no items, and starts no worker', async () => {
    await using lazy = new Pool({ workers: 1 })
    expect(await lazy.map(gated, [])).toEqual([])
    expect(lazy.stats()).toMatchObject({ starting: 0, ready: 0, streams: 0 })
  })

  it('begins at the call, and leaves nothing open at its end', async () => {
    const gates = new Gates(3)
    await using own = new Pool({ workers: 1 })
    const results = own.map(gated, gates.items)
    expect(own.stats()).toMatchObject({ streams: 1 })
    await results
    expect(own.stats()).toMatchObject({ streams: 0 })
  })

  inEveryWay('and reads no further ahead than the window', parallel, async (way) => {
    const gates = new Gates(60)
    gates.hold(0)
    const probe = new Probe()
    const results = way.map(way.source(gates.items, probe), { window: 10 })
    await probe.reached(10)
    await turns(20)
    expect(probe.reads).toBe(10)
    gates.releaseAll()
    expect(gates.indexes(await results)).toEqual(ascending(60))
  })

  it('of another stream, and of more items than go in a chunk', async () => {
    const items = ascending(20_000)
    const doubled = imap((x: number) => 2 * x, items, { workers: 0 })
    expect(await map(misbehave as never, doubled)).toEqual(items.map((x) => 2 * x))
  })

  it('of any function on this thread, without copies', async () => {
    const items = [{ n: 1 }, { n: 2 }]
    const seen: number[] = []
    const results = await map((item, { index }) => (seen.push(index), item), items, { workers: 0 })
    expect(results.every((result, i) => result === items[i])).toBe(true)
    expect(seen).toEqual([0, 1])
  })
})

describe("map() with errors: 'throw' runs all items, and then throws the first error", () => {
  inEveryWay('in the order of the items, although a later one came first', fewer, async (way) => {
    const gates = new Gates(40)
    gates.fail(5, 6, 20, 39)
    gates.turns(5, 10)
    const probe = new Probe()
    const error = await rejection(way.map(way.source(gates.items, probe), { window: 20 }))
    expect(error).toBeInstanceOf(Error)
    expect((error as GateError).message).toMatch(new RegExp(`^slot 0*${gates.items[5]}$`))
    expect(failure(error)).toMatchObject({ index: 5, task: 'gated', attempts: 1 })
    expect(gates.index(failure(error)?.item)).toBe(5)
    expect(ascending(40).map((i) => gates.entries(i))).toEqual(Array(40).fill(1))
    expect(probe).toMatchObject({ calls: 41, returns: 0, readAfterEnd: false })
    await expectUsable(way)
  })

  inEveryWay('not before the last of them is done', fewer, async (way) => {
    const gates = new Gates(10)
    gates.fail(0)
    gates.hold(9)
    const results = way.map(way.source(gates.items))
    await gates.entered(9)
    expect(await isSettled(results)).toBe(false)
    gates.release(9)
    expect(failure(await rejection(results))?.index).toBe(0)
  })

  it('with any window, when all items fail', async () => {
    for (const options of [{}, { window: 1 }, { window: 7, chunksize: 7 }, { workers: 0 } as const]) {
      const gates = new Gates(30)
      gates.fail(...ascending(30))
      const error = await rejection(pool.map(gated, gates.items, options as object))
      expect(failure(error)?.index).toBe(0)
      expect(gates.begun).toBe(30)
    }
  })

  inEveryWay("before the source's error, which is told when no item has failed", fewer, async (way) => {
    for (const fails of [true, false]) {
      const gates = new Gates(10)
      if (fails) gates.fail(7)
      const error = new RangeError('the source broke')
      function* broken(): Generator<number> {
        yield* gates.items
        throw error
      }
      const thrown = await rejection(way.map(way.source(broken())))
      if (fails) expect(failure(thrown)?.index).toBe(7)
      else expect(thrown).toBe(error)
      expect(gates.begun).toBe(10)
    }
  })

  it('that cannot be cloned, take too long or end their worker, each alone', async () => {
    for (const [item, type] of [
      [() => undefined, NotSerializableError],
      ['function', NotSerializableError],
      ['throw', RangeError],
      ['hang', TaskTimeoutError],
      ['exit', WorkerCrashError],
    ] as const) {
      const items = ['a', 'b', item, 'c']
      const error = await rejection(pool.map(misbehave, items, { timeout: 500, chunksize: 4 }))
      expect(error).toBeInstanceOf(type)
      expect(failure(error)).toMatchObject({ index: 2, item, task: 'misbehave' })
      const others = await pool.map(misbehave, items, { timeout: 500, chunksize: 4, errors: 'skip' })
      expect(others).toEqual(['a', 'b', 'c'])
    }
  })

  it('of a task that does not load', async () => {
    const missing = { module: new URL('./missing.js', import.meta.url), export: 'run' }
    for (const options of [{}, { workers: 0 }]) {
      const error = await rejection(pool.map(missing, [1, 2, 3], options as object))
      expect(error).toBeInstanceOf(TaskLoadError)
      expect(failure(error)?.index).toBe(0)
    }
  })
})

describe('map() with other errors', () => {
  inEveryWay("'settle' gives an outcome of every item", fewer, async (way) => {
    const gates = new Gates(20)
    gates.fail(3, 19)
    const outcomes = (await way.map(way.source(gates.items), { errors: 'settle' })) as Outcome<number, number>[]
    expect(outcomes.map(({ index }) => index)).toEqual(ascending(20))
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') expect(gates.index(outcome.value)).toBe(i)
      else expect([i, gates.index(outcome.item), outcome.attempts]).toEqual([i === 3 ? 3 : 19, i, 1])
    }
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(2)
  })

  inEveryWay("'skip' gives the results of the others", fewer, async (way) => {
    const gates = new Gates(20)
    gates.fail(0, 3, 19)
    const results = await way.map(way.source(gates.items), { errors: 'skip' })
    expect(gates.indexes(results)).toEqual(ascending(20).filter((i) => ![0, 3, 19].includes(i)))
  })

  inEveryWay('either gives up at an error of the source', fewer, async (way) => {
    const error = new Error('the source broke')
    for (const errors of ['settle', 'skip'] as const) {
      const gates = new Gates(3)
      function* broken(): Generator<number> {
        yield* gates.items
        throw error
      }
      expect(await rejection(way.map(way.source(broken()), { errors }))).toBe(error)
    }
  })
})

describe('map() and retries', () => {
  it('tries failed items again, and throws the error of the first that never succeeds', async () => {
    for (const options of [{}, { workers: 0 }, { chunksize: 7 }, { concurrency: 3 }]) {
      const retries = { attempts: 3, minDelay: 1 }
      const well = new Tries([0, 2, 0, 0, 1, 0])
      const results = await pool.map(flaky, well.items, { retries, ...(options as object) })
      expect(well.indexes(results)).toEqual(ascending(6))
      expect(well.tries).toEqual([1, 3, 1, 1, 2, 1])
      const badly = new Tries([0, 2, 0, 5, 1, 5])
      const error = await rejection(pool.map(flaky, badly.items, { retries, ...(options as object) }))
      expect(failure(error)).toMatchObject({ index: 3, attempts: 3 })
      expect(badly.tries).toEqual([1, 3, 1, 3, 2, 3])
    }
  })
})

describe('map() ends early', () => {
  inEveryWay('at once when its signal fires, with the reason, and closes the source', fewer, async (way) => {
    const gates = new Gates(30)
    gates.hold(...ascending(30))
    const controller = new AbortController()
    const reason = new Error('enough')
    const probe = new Probe()
    const results = way.map(way.source(gates.items, probe), { signal: controller.signal, window: 10 })
    await gates.entered(0)
    controller.abort(reason)
    expect(await rejection(results)).toBe(reason)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    expect(probe.returns).toBe(probe.reads < 30 ? 1 : 0)
    gates.releaseAll()
    await expectUsable(way)
  })

  it('with a source without an end, and although an item has failed before', async () => {
    for (const options of [{}, { workers: 0 }]) {
      const controller = new AbortController()
      let closed = false
      function* count(): Generator<string> {
        try {
          for (let n = 0; ; n++) {
            if (n === 1_000) controller.abort('enough')
            yield n === 3 ? 'throw' : String(n)
          }
        } finally {
          closed = true
        }
      }
      const run = pool.map(misbehave, count(), { ...(options as object), signal: controller.signal })
      expect(await rejection(run)).toBe('enough')
      expect(closed).toBe(true)
    }
  })

  it('with a source that is silent', async () => {
    const gates = new Gates(3)
    const probe = new Probe()
    const controller = new AbortController()
    const results = pool.map(gated, hanging('an async iterable', gates.items, probe), { signal: controller.signal })
    await gates.left(2)
    expect(await isSettled(results)).toBe(false)
    controller.abort('enough')
    expect(await rejection(results)).toBe('enough')
    expect(probe.returns).toBe(1)
  })

  it('before it reads anything when its signal has fired', async () => {
    const probe = new Probe()
    const way = all[0]
    const run = way?.map(way.source([1], probe), { signal: AbortSignal.abort('before') })
    expect(await rejection(Promise.resolve(run))).toBe('before')
    expect(probe.calls).toBe(0)
  })

  it('with one listener on a signal that many share', async () => {
    const gates = new Gates(20)
    gates.hold(...ascending(20))
    const { signal } = new AbortController()
    const runs = gates.items.map((item) => pool.map(gated, [item], { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    gates.releaseAll()
    expect(gates.indexes((await Promise.all(runs)).flat())).toEqual(ascending(20))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('when its pool is terminated, at once; a closed one lets it finish, and takes no other', async () => {
    const gates = new Gates(5)
    gates.hold(4)
    gates.fail(0)
    const doomed = new Pool({ workers: 1 })
    const lost = rejection(doomed.map(gated, gates.items))
    await gates.entered(4)
    await doomed.terminate()
    const error = await lost
    expect(error).toBeInstanceOf(PoolClosedError)
    expect(error).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
    const others = new Gates(5)
    others.hold(4)
    const closing = new Pool({ workers: 1 })
    const results = closing.map(gated, others.items)
    const closed = closing.close()
    await expect(closing.map(gated, [])).rejects.toThrow(PoolClosedError)
    others.releaseAll()
    expect(others.indexes(await results)).toEqual(ascending(5))
    await closed
  })
})

describe('map() refuses at the call', () => {
  it('to be made a stage of, and says what is one', () => {
    const loose = map as unknown as (...args: unknown[]) => unknown
    for (const [args, text] of [
      [[gated], 'undefined (for a stage of a pipeline: imap(task, options))'],
      [[gated, { window: 3 }], '{ window: 3 } (for a stage of a pipeline: imap(task, options))'],
      [[gated, undefined, {}], 'undefined (for a stage of a pipeline: imap(task, options))'],
      [[gated, 5], '5 (for the numbers below it: Array(n).keys())'],
    ] as const) {
      expect(() => loose(...args)).toThrow(
        expect.objectContaining({
          name: 'TypeError',
          code: 'ERR_INVALID_SOURCE',
          message: `Cannot map a source with map() as its source must be an iterable or async iterable: received ${text}`,
        }) as Error,
      )
    }
  })
})

describe('map() as a whole', () => {
  it('gives the result of Array.prototype.map, or the first error, in any configuration, with any timing', async () => {
    const configuration = fc.record({
      workers: fc.constantFrom(0, undefined),
      window: fc.integer({ min: 7, max: 20 }),
      chunksize: fc.constantFrom('auto' as const, 1, 2, 7),
      concurrency: fc.integer({ min: 1, max: 3 }),
      errors: fc.constantFrom('throw' as const, 'settle' as const, 'skip' as const),
      timing: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
      failing: fc.array(fc.integer({ min: 0, max: 39 }), { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(configuration, async ({ workers, timing, failing, ...options }) => {
        const gates = new Gates(timing.length)
        timing.forEach((count, i) => {
          gates.turns(i, count)
        })
        const failed = failing.filter((i) => i < gates.count)
        gates.fail(...failed)
        const run = pool.map(gated, gates.items, { ...options, ...(workers === 0 && { workers }) } as object)
        const [result] = await Promise.allSettled([run])
        expect(ascending(gates.count).map((i) => gates.entries(i))).toEqual(Array(gates.count).fill(1))
        if (failed.length > 0 && options.errors === 'throw') {
          expect(result.status === 'rejected' && failure(result.reason)?.index).toBe(Math.min(...failed))
          return
        }
        const given = result.status === 'fulfilled' ? result.value : []
        if (options.errors === 'settle') {
          const rejected = (given as Outcome<number, unknown>[]).map(({ status }) => status === 'rejected')
          expect(rejected).toEqual(ascending(gates.count).map((i) => failed.includes(i)))
        } else expect(gates.indexes(given)).toEqual(ascending(gates.count).filter((i) => !failed.includes(i)))
      }),
      { numRuns: 100, interruptAfterTimeLimit: 5_000 },
    )
  })
})
