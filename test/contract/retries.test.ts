/** The option `retries`: failed items are tried again. The consumer only notices the wait. */
import fc from 'fast-check'
import {
  imap,
  imapUnordered,
  NotSerializableError,
  Pool,
  reduce,
  TaskTimeoutError,
  WorkerCrashError,
  type Outcome,
  type Stream,
} from 'millrace'
import { passes } from '../fixtures/contract-a-errors.js'
import { elementsFor, flaky, flakyExpands, flakyKeeps, flakyNotes, isKept } from '../fixtures/retries.js'
import { isIdle } from '../support/faults.js'
import { turns } from '../support/gates.js'
import { ascending, drain, inEveryWay, Probe, rejection, sorted, take, ways, type Way } from '../support/matrix.js'
import { runNode } from '../support/programs.js'
import { watchRejections } from '../support/rejections.js'
import { Tries, TryError, type How } from '../support/tries.js'
import { isFull, eachValue, times } from '../support/volume.js'

const pool = new Pool({ workers: 2, name: 'retries' })
// Items count their tries in memory that processes do not share: processes/crashes.test.ts tries items again.
const every = ways(pool, ({ executor }) => executor !== 'processes')
const all = eachValue(every, 'executor', 'ordered', 'chunksize', 'kind')
const threaded = every.filter(({ executor, kind }) => executor === 'a pool of 2' && kind !== 'an async iterable')

function isOrderedAsIterable({ ordered, kind }: Way): boolean {
  return ordered === (kind === 'an iterable')
}

function isOneOfEachChunksize({ ordered, chunksize, kind }: Way): boolean {
  return kind === 'an iterable' && ordered === (chunksize !== 7)
}

watchRejections()

afterAll(async () => {
  await pool.terminate()
})

/** Tries again almost at once. */
/** Further tries, without long waits. */
const quickly = (tries: number) => ({ attempts: tries + 1, minDelay: 1, maxDelay: 2 })
/** Tries again long after the end of the test. */
const never = { attempts: 2, minDelay: 2 ** 30, maxDelay: 2 ** 30 }

const merge = (into: number[], partial: number[]): number[] => [...into, ...partial]
const sum = (all: readonly number[]): number => all.reduce((total, n) => total + n, 0)
/** Some items fail, some of them several times, some of them next to each other. */
const failures = ascending(60).map((i) => (i % 4 === 0 || i % 10 === 3 ? 1 + (i % 3) : 0))
const byTurns = (i: number): How => (i % 2 === 0 ? 'throw' : 'reject')

function inOrderIf(ordered: boolean, results: readonly number[]): readonly number[] {
  return ordered ? results : sorted(results)
}

describe('an item that fails is tried again', () => {
  inEveryWay('and gives its result in its place, within the window: imap', all, async (way) => {
    const test = new Tries(failures, byTurns)
    const probe = new Probe()
    const stream = way.run(way.source(test.items, probe), { retries: quickly(3), window: 20 }, flaky)
    const results = await drain(stream, probe)
    expect(inOrderIf(way.ordered, test.indexes(results))).toEqual(ascending(60))
    expect(test.tries).toEqual(failures.map((count) => count + 1))
    expect(probe.most).toBeLessThanOrEqual(20)
    expect(stream.stats()).toMatchObject({ read: 60, delivered: 60, failed: 0, skipped: 0, retried: sum(failures) })
  })

  inEveryWay('and is kept or not, in its place: filter', all, async (way) => {
    const test = new Tries(failures, byTurns)
    const options = { retries: quickly(3), window: 20 }
    const stream = way.open('filter', flakyKeeps, way.source(test.items), options)
    const results = (await drain(stream)).map(Number)
    expect(inOrderIf(way.ordered, results)).toEqual(test.items.filter(isKept))
    expect(test.tries).toEqual(failures.map((count) => count + 1))
    expect(stream.stats()).toMatchObject({ read: 60, failed: 0, retried: sum(failures) })
  })

  inEveryWay('and gives its elements, in its place: flatMap', all, async (way) => {
    const test = new Tries(failures, byTurns)
    const options = { retries: quickly(3), window: 20 }
    const stream = way.open('flatMap', flakyExpands, way.source(test.items), options)
    const results = (await drain(stream)).map(Number)
    expect(inOrderIf(way.ordered, results)).toEqual(test.items.flatMap(elementsFor))
    expect(test.tries).toEqual(failures.map((count) => count + 1))
    expect(stream.stats()).toMatchObject({ read: 60, failed: 0, retried: sum(failures) })
  })

  inEveryWay('and its chunk is folded again, each item once in what comes of it: reduce', all, async (way) => {
    const test = new Tries(failures, byTurns)
    const options = { retries: quickly(3), window: 20, initial: [], merge }
    const folded = (await way.reduce(flakyNotes, way.source(test.items), options)) as number[]
    expect(inOrderIf(way.ordered, test.indexes(folded))).toEqual(ascending(60))
    // At least once: other items of the chunk run again with it.
    test.tries.forEach((tries, i) => {
      expect(tries).toBeGreaterThanOrEqual(1 + (failures[i] ?? 0))
    })
  })

  for (const concurrency of [2, 5]) {
    inEveryWay(`where ${concurrency} run at once`, all, async (way) => {
      const test = new Tries(failures, 'reject')
      const options = { retries: quickly(3), window: 30, concurrency }
      const results = await drain(way.run(way.source(test.items), options, flaky))
      expect(inOrderIf(way.ordered, test.indexes(results))).toEqual(ascending(60))
      expect(test.tries).toEqual(failures.map((count) => count + 1))
    })
  }

  inEveryWay('when all items of all chunks fail', all, async (way) => {
    const test = new Tries(new Array<number>(100).fill(2))
    const stream = way.run(way.source(test.items), { retries: quickly(2) }, flaky)
    expect(inOrderIf(way.ordered, test.indexes(await drain(stream)))).toEqual(ascending(100))
    expect(stream.stats()).toMatchObject({ retried: 200, failed: 0 })
  })

  it('as the next stage has it: stages of which both try again', async () => {
    for (const ordered of [true, false]) {
      const test = new Tries(new Array<number>(50).fill(1))
      const then = new Tries(new Array<number>(50).fill(1))
      const verb = ordered ? pool.imap : pool.imapUnordered
      const first = verb(flaky, test.items, { retries: quickly(1), chunksize: 10, window: 30 })
      const offset = (then.items[0] ?? 0) - (test.items[0] ?? 0)
      async function* moved(): AsyncGenerator<number> {
        for await (const n of first) yield n + offset
      }
      const second = verb(flaky, moved(), { retries: quickly(1), chunksize: 10, window: 30 })
      expect(inOrderIf(ordered, then.indexes(await drain(second)))).toEqual(ascending(50))
    }
  })

  it('as another stage has passed it on, encoded', async () => {
    for (const ordered of [true, false]) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        const test = new Tries(ascending(200).map((i) => i % 4))
        const verb = ordered ? pool.imap : pool.imapUnordered
        const given = pool.imap(passes, test.items, { chunksize })
        const stream = verb(flaky, given as Stream<number>, { chunksize, errors: 'settle', retries: quickly(2) })
        const outcomes = (await drain(stream)).map((outcome) =>
          outcome.status === 'fulfilled' ? [outcome.value, outcome.index] : [outcome.item, outcome.index],
        )
        if (!ordered) outcomes.sort(([, one = 0], [, other = 0]) => one - other)
        expect(outcomes).toEqual(test.items.map((item, i) => [item, i]))
        expect(stream.stats()).toMatchObject({ failed: 50, delivered: 200, retried: 50 * (1 + 2 + 2) })
      }
    }
  })
})

describe('an item whose tries are used up', () => {
  const hopeless = ascending(40).map((i) => (i % 10 === 3 ? 9 : i % 2))

  inEveryWay("is an outcome with its last error, and tells its tries: errors: 'settle'", all, async (way) => {
    const test = new Tries(hopeless)
    const options = { retries: quickly(2), errors: 'settle', window: 20 } as const
    const stream = way.run(way.source(test.items), options, flaky)
    const outcomes = (await drain(stream)) as Outcome<unknown, unknown>[]
    if (way.ordered) expect(outcomes.map(({ index }) => index)).toEqual(ascending(40))
    for (const outcome of outcomes.sort((a, b) => a.index - b.index)) {
      const { index, status } = outcome
      expect(status).toBe(index % 10 === 3 ? 'rejected' : 'fulfilled')
      if (status === 'fulfilled') expect(test.index(outcome.value)).toBe(index)
      else {
        expect(test.index(outcome.item)).toBe(index)
        expect(outcome.reason).toMatchObject({ message: 'try 3' })
        expect(outcome).toMatchObject({ attempts: 3, task: 'flaky' })
        expect(way.executor === 'this thread' ? outcome.worker === 0 : outcome.worker >= 1).toBe(true)
      }
    }
    expect(outcomes).toHaveLength(40)
    expect(stream.stats()).toMatchObject({ delivered: 40, failed: 4, skipped: 0, retried: 16 + 4 * 2 })
  })

  inEveryWay("is left out: errors: 'skip'", all, async (way) => {
    const test = new Tries(hopeless)
    const stream = way.run(way.source(test.items), { retries: quickly(2), errors: 'skip', window: 20 }, flaky)
    const wanted = ascending(40).filter((i) => i % 10 !== 3)
    expect(inOrderIf(way.ordered, test.indexes(await drain(stream)))).toEqual(wanted)
    expect(stream.stats()).toMatchObject({ delivered: 36, failed: 4, skipped: 4 })
  })

  inEveryWay("ends the stream, in order after the results before it: errors: 'throw'", all, async (way) => {
    const test = new Tries(hopeless)
    const seen: unknown[] = []
    const stream = way.run(way.source(test.items), { retries: quickly(2), window: 20 }, flaky)
    const error = await rejection(
      (async () => {
        for await (const result of stream) seen.push(result)
      })(),
    )
    expect(error).toMatchObject({ message: 'try 3' })
    if (way.ordered) expect(test.indexes(seen)).toEqual([0, 1, 2])
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  inEveryWay("is left out of a fold: errors: 'skip'", all, async (way) => {
    const test = new Tries(hopeless)
    const options = { retries: quickly(2), errors: 'skip', initial: [], merge, window: 20 }
    const folded = (await way.reduce(flakyNotes, way.source(test.items), options)) as number[]
    const wanted = ascending(40).filter((i) => i % 10 !== 3)
    const kept = folded.filter((n) => n !== -1)
    expect(inOrderIf(way.ordered, test.indexes(kept))).toEqual(wanted)
    // Never more often than its own tries.
    hopeless.forEach((count, i) => {
      if (count === 9) expect(test.tries[i]).toBe(3)
    })
  })

  inEveryWay('is not folded again with the others of its chunk', all, async (way) => {
    const test = new Tries([9, 2, 0, 1])
    const [first] = test.items
    const when = (error: unknown): boolean => (error as { item: number }).item !== first
    const options = { retries: { ...quickly(2), when }, errors: 'skip', initial: [], merge }
    const folded = (await way.reduce(flakyNotes, way.source(test.items), options)) as number[]
    const kept = folded.filter((n) => n !== -1)
    expect(inOrderIf(way.ordered, test.indexes(kept))).toEqual([1, 2, 3])
    expect(test.tries[0]).toBe(1)
  })

  inEveryWay("ends a fold: errors: 'throw'", all, async (way) => {
    const test = new Tries(hopeless)
    const options = { retries: quickly(2), initial: [], merge, window: 20 }
    const error = await rejection(way.reduce(flakyNotes, way.source(test.items), options))
    expect(error).toMatchObject({ message: 'try 3' })
  })
})

describe('which errors are tried again', () => {
  inEveryWay("is for 'when' to say, on this thread", all, async (way) => {
    const test = new Tries(new Array<number>(20).fill(2))
    const asked: unknown[] = []
    const retries = {
      ...quickly(5),
      when: (error: unknown) => {
        asked.push(error)
        return (error as Error).message === 'try 1'
      },
    }
    const stream = way.run(way.source(test.items), { retries, errors: 'settle' }, flaky)
    const outcomes = (await drain(stream)) as Outcome<unknown, unknown>[]
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'try 2' } })
    expect(outcomes).toHaveLength(20)
    expect(asked).toHaveLength(40)
    expect(test.tries).toEqual(new Array<number>(20).fill(2))
  })

  inEveryWay("is told by nobody if 'when' throws: the stream ends with that", all, async (way) => {
    const test = new Tries([0, 1, 0, 1])
    const problem = new Error('no answer')
    const when = (): boolean => {
      throw problem
    }
    const stream = way.run(way.source(test.items), { retries: { attempts: 2, when }, errors: 'skip' }, flaky)
    expect(await rejection(drain(stream))).toBe(problem)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(stream.stats()).toMatchObject({ retried: 0 })
  })

  inEveryWay(
    "cannot be told later: the stream ends if 'when' gives a promise, however that settles",
    all,
    async (way) => {
      for (const when of [() => Promise.resolve(false), () => Promise.reject(new Error('later'))]) {
        const test = new Tries([0, 1, 0, 1])
        const options = { retries: { ...quickly(1), when }, errors: 'skip' }
        const stream = way.run(way.source(test.items), options as object, flaky)
        const error = await rejection(drain(stream))
        expect(error).toBeInstanceOf(TypeError)
        expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION' })
        expect((error as Error).message).toMatch(
          /^Cannot retry .* 'retries\.when' must return true or false.*: received Promise/,
        )
        expect(await stream.next()).toEqual({ done: true, value: undefined })
        expect(stream.stats()).toMatchObject({ retried: 0 })
        expect(Math.max(...test.tries)).toBe(1)
      }
    },
  )

  it('never tries again what would fail in the same way', async () => {
    const asked: unknown[] = []
    const retries = { ...quickly(3), when: (error: unknown) => asked.push(error) > 0 }
    for (const verb of [pool.imap, pool.imapUnordered]) {
      const test = new Tries([0, 9, 0], 'return what cannot be cloned')
      const outcomes = await drain(verb(flaky, test.items, { retries, errors: 'settle' }))
      const failed = outcomes.find(({ index }) => index === 1)
      expect(failed).toMatchObject({ status: 'rejected', attempts: 1 })
      expect((failed as { reason: unknown }).reason).toBeInstanceOf(NotSerializableError)
      expect(test.tries).toEqual([1, 1, 1])
      const missing = { module: import.meta.url, export: 'noSuchTask' }
      expect(await rejection(drain(verb(missing, [1, 2], { retries })))).toMatchObject({ code: 'ERR_TASK_LOAD' })
      const items = [1, () => 2]
      expect(await rejection(drain(verb(flaky as never, items, { retries })))).toBeInstanceOf(NotSerializableError)
    }
    expect(asked).toEqual([])
  })
})

describe('an item that costs its worker', () => {
  for (const [how, error, options] of [
    ['exit', WorkerCrashError, {}],
    // On a busy machine, an item that does not hang can also be late.
    ['hang', TaskTimeoutError, { timeout: 400 }],
  ] as const) {
    // Deaths and hangs take time. `npm test` has each order, chunksize and source of a death once, and of a hang each
    // chunksize. Full volume has all combinations.
    const chosen = how === 'exit' ? threaded.filter(isOrderedAsIterable) : threaded.filter(isOneOfEachChunksize)
    const some = isFull ? threaded : chosen
    /** Of hangs, only one way. */
    const one = isFull || how === 'exit' ? some : some.slice(1, 2)

    inEveryWay(`is tried again by another, and the others give their results: ${how}`, some, async (way) => {
      const test = new Tries([0, 2, 0, 0, 0, 1, 0, 0, 0, 0], how)
      const stream = way.run(way.source(test.items), { retries: quickly(2), ...options }, flaky)
      expect(inOrderIf(way.ordered, test.indexes(await drain(stream)))).toEqual(ascending(10))
      expect(stream.stats()).toMatchObject({ retried: 3, failed: 0 })
    })

    inEveryWay(`is tried again where several run at once: ${how}`, one, async (way) => {
      const test = new Tries([0, 2, 0, 0, 0, 1, 0, 0, 0, 0], how)
      const stream = way.run(way.source(test.items), { retries: quickly(2), concurrency: 3, ...options }, flaky)
      expect(inOrderIf(way.ordered, test.indexes(await drain(stream)))).toEqual(ascending(10))
      expect(stream.stats().failed).toBe(0)
    })

    inEveryWay(`is folded again: ${how}`, one, async (way) => {
      const test = new Tries([0, 2, 0, 0, 0, 1, 0, 0, 0, 0], how)
      const fold = { initial: [], merge, retries: quickly(2), ...options }
      const folded = (await way.reduce(flakyNotes, way.source(test.items), fold)) as number[]
      expect(inOrderIf(way.ordered, test.indexes(folded))).toEqual(ascending(10))
    })

    inEveryWay(`fails when its tries are used up, with the last error: ${how}`, one, async (way) => {
      const test = new Tries([0, 9, 0, 0], how)
      const stream = way.run(way.source(test.items), { retries: quickly(1), errors: 'settle', ...options }, flaky)
      const outcomes = (await drain(stream)) as Outcome<unknown, unknown>[]
      const failed = outcomes.filter(({ status }) => status === 'rejected')
      expect(failed).toMatchObject([{ index: 1, attempts: 2, item: expect.anything() as unknown }])
      expect((failed[0] as { reason: unknown }).reason).toBeInstanceOf(error)
      expect(outcomes).toHaveLength(4)
      expect(test.tries[1]).toBe(2)
    })
  }
})

describe('an item that never settles on this thread', () => {
  const options = { workers: 0, concurrency: 3, timeout: 300 } as const
  const failures = [0, 2, 0, 1, 0, 9]

  it('is tried again after its time limit, and gives its result in its place', async () => {
    for (const verb of [imap, imapUnordered]) {
      const test = new Tries(failures, 'never settle')
      const stream = verb(flaky, test.items, { ...options, retries: quickly(2), errors: 'settle' })
      const outcomes = await drain(stream)
      if (verb === imap) expect(outcomes.map(({ index }) => index)).toEqual(ascending(6))
      for (const outcome of outcomes) {
        const { index } = outcome
        if (index !== 5) expect(outcome).toMatchObject({ status: 'fulfilled', value: test.items[index] })
        else {
          expect(outcome).toMatchObject({ status: 'rejected', item: test.items[5], attempts: 3, worker: 0 })
          expect((outcome as { reason: unknown }).reason).toBeInstanceOf(TaskTimeoutError)
        }
      }
      expect(outcomes).toHaveLength(6)
      expect(test.tries).toEqual([1, 3, 1, 2, 1, 3])
      expect(stream.stats()).toMatchObject({ delivered: 6, failed: 1, retried: 2 + 1 + 2 })
    }
  })

  it('is folded again, and left out when its tries are used up', async () => {
    const test = new Tries([0, 1, 0, 9], 'never settle')
    const initial: number[] = []
    const fold = { workers: 0, timeout: 300, retries: quickly(1), errors: 'skip', initial, merge } as const
    const folded = await reduce(flakyNotes, test.items, fold)
    expect(test.indexes(folded.filter((n) => n !== -1))).toEqual([0, 1, 2])
    expect(test.tries).toEqual([2, 2, 2, 2])
  })
})

describe('while an item waits to be tried again', () => {
  /** Resolves when the item at `place` has failed and waits. */
  function waiting(place: number, count: number): { test: Tries; waits: Promise<void>; retries: object } {
    const test = new Tries(ascending(count).map((i) => (i === place ? 1 : 0)))
    let settle = (): void => undefined
    const waits = new Promise<void>((resolve) => {
      settle = resolve
    })
    const when = (): boolean => {
      settle()
      return true
    }
    return { test, waits, retries: { ...never, when } }
  }
  /** The timers of such waits that are running. */
  async function withTimers(run: (timers: ReadonlySet<NodeJS.Timeout>) => Promise<void>): Promise<void> {
    const timers = new Set<NodeJS.Timeout>()
    const { setTimeout: start, clearTimeout: stop } = globalThis
    const noteStart = (call: () => void, milliseconds: number): NodeJS.Timeout => {
      const timer = start(call, milliseconds)
      if (milliseconds >= never.minDelay / 2) timers.add(timer)
      return timer
    }
    const noteStop = (timer: NodeJS.Timeout | undefined): void => {
      if (timer !== undefined) timers.delete(timer)
      stop(timer)
    }
    Object.assign(globalThis, { setTimeout: noteStart, clearTimeout: noteStop })
    try {
      await run(timers)
    } finally {
      Object.assign(globalThis, { setTimeout: start, clearTimeout: stop })
    }
  }

  inEveryWay('the window holds, and the order', all, async (way) => {
    const { test, waits, retries } = waiting(0, 40)
    const probe = new Probe()
    const stream = way.run(way.source(test.items, probe), { retries, window: 10 } as object, flaky)
    if (way.ordered) {
      const first = take(stream, probe)
      await waits
      await probe.reached(10)
      await turns(20)
      expect(probe.reads).toBe(10)
      expect(stream.stats()).toMatchObject({ read: 10, delivered: 0, retried: 1 })
      await stream.return()
      expect(await first).toEqual({ done: true, value: undefined })
    } else {
      // All others come. Its place in the window stays taken.
      const results: unknown[] = []
      for (let i = 0; i < 39; i++) results.push((await take(stream, probe)).value)
      expect(sorted(test.indexes(results))).toEqual(ascending(40).slice(1))
      expect(probe.most).toBeLessThanOrEqual(10)
      const last = stream.next()
      await waits
      await stream.return()
      expect(await last).toEqual({ done: true, value: undefined })
    }
  })

  for (const end of ['return()', 'an abort'] as const) {
    inEveryWay(`${end} ends the stream at once, and leaves no timer`, all, async (way) => {
      await withTimers(async (timers) => {
        const { test, waits, retries } = waiting(0, 8)
        const probe = new Probe()
        const controller = new AbortController()
        const { signal } = controller
        const stream = way.run(way.source(test.items, probe), { retries, signal, window: 8 } as object, flaky)
        const settled = drain(stream).then(
          () => 'done',
          (error: unknown) => error,
        )
        await waits
        await turns()
        expect([...timers].map((timer) => timer.hasRef())).toEqual([true])
        if (end === 'return()') await stream.return()
        else controller.abort()
        expect(timers.size).toBe(0)
        expect(await settled).toBe(end === 'return()' ? 'done' : signal.reason)
        expect(probe.returns).toBeLessThanOrEqual(1)
      })
    })
  }

  const endings = (['a break', 'an abort'] as const).flatMap((end) =>
    (['imap', 'imapUnordered'] as const).flatMap((verb) =>
      [1, 3].map((maxTasksPerWorker) => ({ end, verb, maxTasksPerWorker })),
    ),
  )
  for (const { end, verb, maxTasksPerWorker } of eachValue(endings, 'end', 'verb', 'maxTasksPerWorker')) {
    it(`${end} leaves nothing of a pool that replaces its workers after ${maxTasksPerWorker}: ${verb}`, async () => {
      await using own = new Pool({ workers: 2, maxTasksPerWorker })
      await withTimers(async (timers) => {
        // The first items succeed, so that the loop can break there.
        const test = new Tries(ascending(12).map((i) => (i < 4 ? 0 : 1)))
        let asked = 0
        let settle = (): void => undefined
        const allWait = new Promise<void>((resolve) => {
          settle = resolve
        })
        const when = (): boolean => {
          if (++asked === 8) settle()
          return true
        }
        const controller = new AbortController()
        const { signal } = controller
        const options = { chunksize: 2, window: 12, retries: { ...never, when }, signal }
        const consume = async (): Promise<void> => {
          for await (const _ of own[verb](flaky, test.items, options)) {
            await allWait
            await turns()
            expect(timers.size).toBe(8)
            if (end === 'a break') break
            controller.abort()
          }
        }
        const reason = await consume().then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(reason).toBe(signal.reason)
        expect(timers.size).toBe(0)
        expect(isIdle(own)).toBe(true)
        // The pool still works, and the items that waited do not run in it.
        const others = new Tries([0, 1, 0, 1])
        const results = await drain(own.imap(flaky, others.items, { retries: quickly(1) }))
        expect(others.indexes(results)).toEqual(ascending(4))
        expect(test.tries).toEqual(new Array<number>(12).fill(1))
      })
    })
  }

  it("an end that 'when' causes counts: items are not tried again", async () => {
    for (const verb of ['imap', 'imapUnordered'] as const) {
      await withTimers(async (timers) => {
        const test = new Tries(new Array<number>(4).fill(1))
        const controller = new AbortController()
        const { signal } = controller
        let asked = 0
        const when = (): boolean => {
          asked++
          controller.abort()
          return true
        }
        const options = { chunksize: 4, retries: { ...never, when }, signal }
        expect(await rejection(drain(pool[verb](flaky, test.items, options)))).toBe(signal.reason)
        expect([asked, timers.size]).toEqual([1, 0])
      })
    }
  })

  it('a pool that is closed waits for it, and one that is terminated does not', async () => {
    const closing = new Pool({ workers: 1 })
    const test = new Tries([2, 0, 2])
    const results = drain(closing.imap(flaky, test.items, { retries: quickly(2) }))
    await closing.close()
    expect(test.indexes(await results)).toEqual([0, 1, 2])

    const ending = new Pool({ workers: 1 })
    const { test: other, waits, retries } = waiting(1, 3)
    const failed = rejection(drain(ending.imap(flaky, other.items, { retries } as object)))
    await waits
    await ending.terminate()
    expect(await failed).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
  })

  it('nothing keeps the program alive once the stream has ended, with workers that are replaced', async () => {
    const program = `
      import { Pool } from ${JSON.stringify(import.meta.resolve('millrace'))}
      import { flaky } from ${JSON.stringify(import.meta.resolve('../fixtures/retries.js'))}
      import { Tries } from ${JSON.stringify(import.meta.resolve('../support/tries.js'))}
      const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
      for (const end of ['break', 'abort']) {
        const test = new Tries([0, 1, 0, 1])
        const pool = new Pool({ workers: 1, maxTasksPerWorker: 1 })
        let resolve
        const waits = new Promise((settle) => (resolve = settle))
        let asked = 0
        const when = () => { if (++asked === 2) resolve(); return true }
        const controller = new AbortController()
        const { signal } = controller
        const before = timers()
        try {
          for await (const _ of pool.imap(flaky, test.items, { retries: { ...${JSON.stringify(never)}, when }, signal })) {
            await waits
            await new Promise((resolve) => setImmediate(resolve))
            if (timers() < before + 2) throw new Error('The items do not wait')
            if (end === 'break') break
            controller.abort()
          }
        } catch (error) {
          if (error !== signal.reason) throw error
        }
        await pool.close()
        console.log(end, timers() - before, ...test.tries)
      }
    `
    const ending = await runNode(['--input-type=module', '--eval', program])
    expect(ending).toMatchObject({ code: 0, stdout: 'break 0 1 1 1 1\nabort 0 1 1 1 1\n', stderr: '' })
  })

  it('the program goes on, and then exits by itself', async () => {
    const program = `
      import { imap } from ${JSON.stringify(import.meta.resolve('millrace'))}
      let tries = 0
      const fn = () => { if (++tries < 3) throw new Error('not yet'); return tries }
      for await (const n of imap(fn, [1], { workers: 0, retries: { attempts: 3, minDelay: 20 } })) console.log(n)
    `
    const ending = await runNode(['--input-type=module', '--eval', program])
    expect(ending).toMatchObject({ code: 0, stdout: '3\n', stderr: '' })
  })
})

describe('the waits', () => {
  /** The waits that a stream asks for. They are over at once. */
  async function waitsOf(retries: object, failures: number): Promise<number[]> {
    const waits: number[] = []
    const { setTimeout: real } = globalThis
    let isNext = false
    const when = (): boolean => (isNext = true)
    const instead = (call: () => void, milliseconds: number): NodeJS.Timeout => {
      if (isNext) waits.push(milliseconds)
      isNext = false
      return real(call, 0)
    }
    globalThis.setTimeout = instead as typeof setTimeout
    try {
      const test = new Tries([failures])
      const options = { workers: 0, retries: { ...retries, when }, errors: 'skip' }
      await drain(imap(flaky, test.items, options as never) as Stream<unknown>)
    } finally {
      globalThis.setTimeout = real
    }
    return waits
  }

  it('double from try to try, up to the longest', async () => {
    expect(await waitsOf({ attempts: 6, jitter: 0 }, 9)).toEqual([100, 200, 400, 800, 1_600])
    expect(await waitsOf({ attempts: 6, minDelay: 10, maxDelay: 45, jitter: false }, 9)).toEqual([10, 20, 40, 45, 45])
    expect(await waitsOf({ attempts: 3, minDelay: 20_000, jitter: 0 }, 9)).toEqual([20_000, 20_000])
    expect((await waitsOf({ attempts: 10, jitter: 0 }, 9)).at(-1)).toBe(10_000)
    expect(await waitsOf({ attempts: 3, minDelay: 0 }, 9)).toEqual([0, 0])
  })

  it('are random, by half by default', async () => {
    for (const [jitter, least] of [
      [undefined, 50],
      [0.2, 80],
      [1, 0],
      [true, 0],
    ] as const) {
      const retries = { attempts: 201, minDelay: 100, maxDelay: 100, jitter }
      const waits = await waitsOf(retries, 200)
      expect(waits).toHaveLength(200)
      for (const wait of waits) expect([wait >= least, wait <= 100]).toEqual([true, true])
      expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan((100 - least) / 2)
    }
    const [wait = 0] = await waitsOf({ attempts: 2 }, 1)
    expect([wait >= 50, wait <= 100]).toEqual([true, true])
  })
})

it('gives the result of a simple model, with any failures on any executor', async () => {
  const configuration = fc.record({
    failures: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 })), { maxLength: 60 }),
    attempts: fc.integer({ min: 1, max: 3 }),
    verb: fc.constantFrom('imap' as const, 'filter' as const, 'flatMap' as const),
    way: fc.constantFrom(...every),
    errors: fc.constantFrom('throw' as const, 'skip' as const),
    window: fc.integer({ min: 7, max: 80 }),
    concurrency: fc.integer({ min: 1, max: 4 }),
    how: fc.constantFrom('throw' as const, 'reject' as const),
    calls: fc.constantFrom('next' as const, 'chunks' as const),
  })
  const tasks = { imap: flaky, filter: flakyKeeps, flatMap: flakyExpands }
  const resultsOf = (verb: keyof typeof tasks, item: number): number[] => {
    if (verb === 'flatMap') return elementsFor(item)
    return verb === 'imap' || isKept(item) ? [item] : []
  }
  await fc.assert(
    fc.asyncProperty(configuration, async ({ failures, attempts, verb, way, errors, how, calls, ...options }) => {
      const test = new Tries(failures, how)
      const fails = (i: number): boolean => (failures[i] ?? 0) > attempts
      const probe = new Probe()
      const source = way.source(test.items, probe)
      const stream = way.open(verb, tasks[verb], source, { retries: quickly(attempts), errors, ...options })
      const results: number[] = []
      let failed: unknown
      try {
        if (calls === 'next') for await (const result of stream) results.push(Number(result))
        else for await (const chunk of stream.chunks()) results.push(...chunk.map(Number))
      } catch (error) {
        failed = error
      }
      const first = failures.findIndex((_, i) => fails(i))
      if (errors === 'throw' && first >= 0) {
        expect((failed as TryError | undefined)?.message).toBe(`try ${attempts + 1}`)
        if (way.ordered) expect(results).toEqual(test.items.slice(0, first).flatMap((item) => resultsOf(verb, item)))
        return
      }
      expect(failed).toBeUndefined()
      const wanted = test.items.filter((_, i) => !fails(i)).flatMap((item) => resultsOf(verb, item))
      expect(inOrderIf(way.ordered, results)).toEqual(wanted)
      expect(test.tries).toEqual(failures.map((count) => Math.min(count, attempts) + 1))
      const count = failures.filter((_, i) => fails(i)).length
      const retried = sum(failures.map((count) => Math.min(count, attempts)))
      expect(stream.stats()).toMatchObject({ read: failures.length, failed: count, skipped: count, retried })
    }),
    { numRuns: times(30, 200) },
  )
})
