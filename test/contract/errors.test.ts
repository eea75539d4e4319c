/** Clauses 11 to 13 and 16 of the contract. */
import { isNativeError } from 'node:util/types'
import { imap, imapUnordered, Pool, type Stream } from 'millrace'
import { failsAtThrees, located, rejecting, thrown, throwing, type Thrown } from '../fixtures/contract-a-errors.js'
import { gated } from '../fixtures/contract-a-gated.js'
import { expandsToItself, keepsAll } from '../fixtures/contract-verbs.js'
import { Gates, turns } from '../support/gates.js'
import { watchRejections } from '../support/rejections.js'
import {
  ascending,
  asyncSource,
  drain,
  inEveryWay,
  inTime,
  Probe,
  rejection,
  sorted,
  take,
  ways,
} from '../support/matrix.js'

const pool = new Pool({ workers: 2, name: 'errors' })
const all = ways(pool)
const parallel = all.filter(({ workers }) => workers > 1)
const done = { done: true, value: undefined }

const unhandled = watchRejections()

afterAll(async () => {
  await pool.terminate()
})

describe('an error of a task (clause 11)', () => {
  /**
   * All contents of an error, with its causes and parts, but without stacks: these depend on the place where it was
   * made.
   */
  function told(error: unknown, seen: readonly unknown[] = []): unknown {
    if (!(error instanceof Error)) return error
    if (seen.includes(error)) return 'itself'
    const inner = (value: unknown): unknown => told(value, [...seen, error])
    const { cause, name, message, ...rest } = error
    return {
      class: builtInClass(error),
      text: String(error),
      name,
      message,
      hasCause: 'cause' in error,
      cause: inner(cause),
      code: (error as { code?: unknown }).code,
      errors: error instanceof AggregateError ? error.errors.map(inner) : undefined,
      fields: Object.fromEntries(
        Object.entries({ ...rest })
          .filter(([key]) => key !== 'stack' && key !== 'code')
          .map(([key, value]) => [key, inner(value)]),
      ),
    }
  }

  /** The first class of the language in its chain. */
  function builtInClass(error: Error): string | undefined {
    const classes = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError]
    const found = [DOMException, ...classes, Error].find((each) => error instanceof each)
    return found?.name
  }

  for (const task of [throwing, rejecting]) {
    for (const ordered of [true, false]) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        const verb = ordered ? 'imap' : 'imapUnordered'
        const how = task === throwing ? 'throws' : 'rejects'
        it(`arrives as the task ${how} it: ${verb}() with chunksize ${chunksize}`, async () => {
          const names = Object.keys(thrown) as Thrown[]
          const outcomes = await drain(pool[verb](task, names, { chunksize, errors: 'settle', window: 50 }))
          expect(sorted(outcomes.map(({ index }) => index))).toEqual(ascending(names.length))
          for (const outcome of outcomes) {
            const name = names[outcome.index]
            if (outcome.status !== 'rejected') throw new Error(`${name} was no error`)
            const expected = thrown[name]()
            expect({ name, reason: told(outcome.reason) }).toEqual({ name, reason: told(expected) })
            expect(Object.is(outcome.reason, expected)).toBe(typeof expected !== 'object' || expected === null)
            expect(isNativeError(outcome.reason)).toBe(isNativeError(expected))
          }
        })
      }
    }

    it(`is thrown by the stream, whatever it is, as the task ${task === throwing ? 'throws' : 'rejects'} it`, async () => {
      for (const verb of [imap, imapUnordered, pool.imap, pool.imapUnordered]) {
        for (const name of Object.keys(thrown) as Thrown[]) {
          const stream = verb(task, [name])
          const expected = thrown[name]()
          expect({ name, reason: told(await rejection(stream.next())) }).toEqual({ name, reason: told(expected) })
          expect(await stream.next()).toEqual(done)
        }
      }
    })
  }

  it('is the very error on this thread, and falsy ones are errors too', async () => {
    for (const verb of [imap, imapUnordered]) {
      for (const name of Object.keys(thrown) as Thrown[]) {
        const error = thrown[name]()
        for (const fn of [
          () => {
            throw error
          },
          () => Promise.reject(error),
        ]) {
          const stream = verb(fn, [1, 2], { workers: 0 })
          expect(await rejection(stream.next())).toBe(error)
          expect(await stream.next()).toEqual(done)
          const outcomes = await drain(verb(fn, [1], { workers: 0, errors: 'settle' }))
          const told = { task: fn.name, worker: 0, attempts: 1 }
          expect(outcomes).toEqual([{ status: 'rejected', reason: error, index: 0, item: 1, ...told }])
        }
      }
    }
  })

  it("has the worker's stack, and a last line that names task, item and worker", async () => {
    for (const verb of [pool.imap, pool.imapUnordered]) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        const outcomes = await drain(verb(located, ascending(20), { chunksize, errors: 'settle' }))
        expect(outcomes).toHaveLength(20)
        for (const outcome of outcomes) {
          const { reason, index } = outcome as { reason: Error & { worker: number; index: number }; index: number }
          expect(reason.index).toBe(index)
          expect([1, 2]).toContain(reason.worker)
          const lines = reason.stack?.split('\n') ?? []
          expect(lines[0]).toBe('Error: located')
          expect(lines[1]).toMatch(/^ {4}at .*located.*contract-a-errors/)
          expect(lines.at(-1)).toContain('located')
          expect(lines.at(-1)).toMatch(new RegExp(`\\b${index}\\b`))
          expect(lines.at(-1)).toMatch(new RegExp(`worker ${reason.worker}\\b`))
          // Once only, and only at the end.
          expect(lines.slice(0, -1).join()).not.toMatch(/worker \d/)
        }
      }
    }
  })

  it("keeps a cause's own stack, without that line", async () => {
    const error = (await rejection(pool.imap(throwing, ['a cause chain']).next())) as Error
    const cause = error.cause as Error
    expect(cause.stack).toMatch(/^TypeError: middle\n {4}at .*chain.*contract-a-errors/)
    expect(cause.stack).not.toMatch(/worker \d/)
    expect(error.stack?.split('\n').at(-1)).toMatch(/throwing.*\b0\b.*worker \d/)
  })
})

describe("errors: 'throw' (clause 12)", () => {
  inEveryWay('in order gives all results before the failing item, then the error, then is done', all, async (way) => {
    if (!way.ordered) return
    const stream = way.run(way.source(ascending(40)), { window: 20 }, failsAtThrees)
    const results: number[] = []
    const error = await rejection(
      (async () => {
        for await (const result of stream) results.push(Number(result))
      })(),
    )
    expect(results).toEqual([0, 1, 2])
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ message: 'item 3 is no good', n: 3 })
    for (let i = 0; i < 3; i++) expect(await stream.next()).toEqual(done)
    expect(stream.stats()).toMatchObject({ delivered: 3 })
  })

  inEveryWay(
    'in order throws the error of the first item that fails, and not of the first to fail',
    parallel,
    async (way) => {
      if (!way.ordered) return
      const gates = new Gates(30)
      gates.hold(0)
      const second = way.chunk === 1 ? 1 : way.chunk
      gates.fail(0)
      gates.fail(second)
      const stream = way.run(way.source(gates.items), { window: 30 })
      const first = stream.next()
      await gates.left(second)
      await turns(20)
      gates.release(0)
      expect(await rejection(first)).toMatchObject({ message: expect.stringMatching(slot(gates, 0)) as string })
      expect(await stream.next()).toEqual(done)
    },
  )

  inEveryWay('in order gives results that come after the error is known, before it', parallel, async (way) => {
    if (!way.ordered || way.chunksize === 'auto') return
    const failing = way.chunk + 1
    const gates = new Gates(30)
    gates.hold(0)
    gates.fail(failing)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items), { window: 30 })
    const drained = drain(stream, probe)
    await gates.left(failing)
    await turns(20)
    expect(probe.delivered).toBe(0)
    gates.release(0)
    expect(await rejection(drained)).toMatchObject({ message: expect.stringMatching(slot(gates, failing)) as string })
    expect(probe.delivered).toBe(failing)
    expect(await stream.next()).toEqual(done)
  })

  inEveryWay('unordered throws the error at once, although other items are held', parallel, async (way) => {
    if (way.ordered || way.chunksize === 'auto') return
    const failing = way.chunk
    const gates = new Gates(30)
    // Items of the same chunk, too, if these are known.
    const mates = way.kind === 'an iterable' ? way.chunk - 1 : 0
    gates.hold(0, ...ascending(mates).map((i) => failing + 1 + i))
    gates.fail(failing)
    const stream = way.run(way.source(gates.items), { window: 30 })
    const probe = new Probe()
    expect(await rejection(drain(stream, probe))).toMatchObject({
      message: expect.stringMatching(slot(gates, failing)) as string,
    })
    expect(await stream.next()).toEqual(done)
    expect(probe.delivered).toBeLessThan(29)
  })

  describe('unordered gives the known results before the error, also with a slow consumer', () => {
    const own = new Pool({ workers: 2, name: 'known' })
    afterAll(() => own.terminate())

    const verbs = {
      imapUnordered: (source: Source, options: object) => own.imapUnordered(gated, source, options),
      filterUnordered: (source: Source, options: object) => own.filterUnordered(keepsAll, source, options),
      flatMapUnordered: (source: Source, options: object) => own.flatMapUnordered(expandsToItself, source, options),
    }
    type Source = AsyncIterable<number> | Iterable<number>

    for (const [name, open] of Object.entries(verbs)) {
      for (const chunksize of [1, 2] as const) {
        for (const retries of [0, 1]) {
          for (const how of ['next()', 'chunks()'] as const) {
            it(`${name}(), chunksize ${chunksize}, retries ${retries}, by ${how}`, async () => {
              const failing = 2 * chunksize - 1
              const gates = new Gates(4 * chunksize)
              gates.hold(failing)
              gates.fail(failing)
              const probe = new Probe()
              const options = { chunksize, window: 2 * chunksize, retries: retries && { attempts: 1, minDelay: 0 } }
              const stream = open(asyncSource(gates.items, probe), options)
              const first = stream.next()
              for (let i = 0; i < failing; i++) await gates.left(i)
              // The results of the other chunk have arrived when its worker is idle.
              while (own.stats().busy > 1) await turns(1)
              const seen = [(await first).value]
              gates.release(failing)
              while (stream.stats().failed === 0) await turns(1)
              const iterator = how === 'next()' ? stream : stream.chunks()
              let error: unknown
              try {
                for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
                  seen.push(...[next.value].flat())
                }
              } catch (thrown) {
                error = thrown
              }
              expect(error).toMatchObject({ message: expect.stringMatching(slot(gates, failing)) as string })
              expect(seen.map((result) => gates.index(result)).sort((a, b) => a - b)).toEqual(ascending(failing))
              expect(await stream.next()).toEqual(done)
              expect(stream.stats()).toMatchObject({ delivered: failing, skipped: 0 })
              expect(probe.returns).toBe(1)
              // Nothing new has been started.
              expect(gates.begun).toBeLessThanOrEqual(2 * chunksize + 1)
            })
          }
        }
      }
    }

    it('closes the source when the error is known, not when it is thrown', async () => {
      const gates = new Gates(2)
      gates.hold(1)
      gates.fail(1)
      const probe = new Probe()
      const stream = own.imapUnordered(gated, asyncSource([...gates.items, ...gates.items], probe), {
        chunksize: 1,
        window: 2,
      })
      expect((await stream.next()).done).toBe(false)
      gates.release(1)
      while (stream.stats().failed === 0) await turns(1)
      expect(probe.returns).toBe(1)
      await expect(stream.next()).rejects.toThrow()
      expect(probe.returns).toBe(1)
    })

    it('does not throw when the consumer leaves before', async () => {
      const gates = new Gates(2)
      gates.hold(1)
      gates.fail(1)
      const stream = own.imapUnordered(gated, gates.items, { chunksize: 1 })
      await stream.next()
      gates.release(1)
      while (stream.stats().failed === 0) await turns(1)
      expect(await stream.return()).toEqual(done)
      expect(await stream.next()).toEqual(done)
    })
  })

  inEveryWay('tells the first of many errors only, and no rejection goes unseen', all, async (way) => {
    const gates = new Gates(40)
    for (let i = 0; i < 40; i++) {
      gates.fail(i)
      gates.turns(i, i % 3)
    }
    const stream = way.run(way.source(gates.items), { window: 40, concurrency: 3 })
    const answers = await Promise.allSettled(Array.from({ length: 6 }, () => stream.next()))
    const rejected = answers.filter(({ status }) => status === 'rejected')
    expect(rejected).toHaveLength(1)
    expect(answers.indexOf(rejected[0] as never)).toBe(0)
    for (const answer of answers.slice(1)) expect(answer).toEqual({ status: 'fulfilled', value: done })
    if (way.ordered)
      expect((rejected[0] as PromiseRejectedResult).reason).toMatchObject({
        message: expect.stringMatching(slot(gates, 0)) as string,
      })
    await turns(20)
    expect(unhandled).toEqual([])
  })

  inEveryWay(
    'keeps an error that comes while nobody asks for the next call, and rejects nothing unseen',
    all,
    async (way) => {
      const gates = new Gates(20)
      const failing = 1
      gates.hold(failing)
      gates.fail(failing)
      const stream = way.run(way.source(gates.items), { window: 20 })
      const first = await stream.next()
      if (way.ordered) expect(gates.index(first.value)).toBe(0)
      gates.release(failing)
      await gates.left(failing)
      await turns(40)
      expect(unhandled).toEqual([])
      // Unordered, ready results may be dropped. In order, the error comes next.
      expect(await rejection(drain(stream))).toMatchObject({
        message: expect.stringMatching(slot(gates, failing)) as string,
      })
      expect(await stream.next()).toEqual(done)
    },
  )

  inEveryWay('leaves an error alone that nobody ever asks for', all, async (way) => {
    const gates = new Gates(20)
    gates.hold(...ascending(20).slice(1))
    for (let i = 1; i < 20; i++) gates.fail(i)
    const stream = way.run(way.source(gates.items), { window: 20 })
    await stream.next()
    gates.releaseAll()
    while (stream.stats().failed === 0) await turns(1)
    await turns(20)
    await stream.return()
    await turns(20)
    expect(unhandled).toEqual([])
    expect(await stream.next()).toEqual(done)
  })

  inEveryWay('reads and dispatches nothing more after the error was thrown', all, async (way) => {
    const gates = new Gates(2_000)
    gates.fail(0)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window: 10 })
    await rejection(drain(stream, probe))
    const { calls } = probe
    await turns(30)
    expect(probe.calls).toBe(calls)
    expect(probe.most).toBeLessThanOrEqual(10)
    expect(gates.begun).toBeLessThanOrEqual(probe.reads)
    expect(probe.returns).toBe(1)
  })
})

describe("errors: 'settle' and 'skip' (clause 13)", () => {
  inEveryWay("'settle' gives an outcome for every item, and goes on", all, async (way) => {
    const stream = way.run(way.source(ascending(50)), { window: 20, errors: 'settle' }, failsAtThrees)
    const outcomes = (await drain(stream)) as { index: number }[]
    if (way.ordered) expect(outcomes.map(({ index }) => index)).toEqual(ascending(50))
    const byIndex = outcomes.sort((a, b) => a.index - b.index)
    const item = (i: number): unknown => (way.kind === 'lines of bytes' ? String(i).padStart(7, '0') : i)
    expect(byIndex).toEqual(
      ascending(50).map((i) => {
        if (i % 10 !== 3) return { status: 'fulfilled', value: item(i), index: i }
        const reason = expect.objectContaining({ message: `item ${i} is no good`, n: i }) as unknown
        const worker = expect.any(Number) as unknown
        const host = way.executor === 'two hosts' ? { host: expect.any(String) as unknown } : {}
        return {
          status: 'rejected',
          reason,
          index: i,
          item: item(i),
          task: 'failsAtThrees',
          worker,
          attempts: 1,
          ...host,
        }
      }),
    )
    expect(Object.keys(byIndex[0] ?? {})).not.toContain('item')
    expect(stream.stats()).toMatchObject({ read: 50, delivered: 50, failed: 5, skipped: 0 })
    expect(await stream.next()).toEqual(done)
  })

  inEveryWay("'settle' gives the index of each item, whatever the order of completion", all, async (way) => {
    const gates = new Gates(60)
    for (let i = 0; i < 60; i++) gates.turns(i, (i * 7) % 5)
    for (let i = 0; i < 60; i += 4) gates.fail(i)
    const options = { window: 60, errors: 'settle', concurrency: 4 } as const
    const outcomes = (await drain(way.run(way.source(gates.items), options))) as ({ index: number } & Record<
      string,
      unknown
    >)[]
    expect(sorted(outcomes.map(({ index }) => index))).toEqual(ascending(60))
    if (way.ordered) expect(outcomes.map(({ index }) => index)).toEqual(ascending(60))
    for (const { index, status, value, reason, item } of outcomes) {
      expect(gates.index(status === 'fulfilled' ? value : item)).toBe(index)
      expect(status).toBe(index % 4 === 0 ? 'rejected' : 'fulfilled')
      if (status === 'rejected')
        expect(reason).toMatchObject({ message: expect.stringMatching(slot(gates, index)) as string })
    }
  })

  it("'settle' gives the item that was read, and not a copy", async () => {
    for (const verb of [pool.imap, pool.imapUnordered]) {
      const items = ascending(10).map(() => ({ of: 'an item' }))
      for (const outcome of await drain(verb(located, items, { errors: 'settle' }))) {
        expect(outcome.status === 'rejected' && outcome.item).toBe(items[outcome.index])
      }
    }
  })

  inEveryWay("'skip' leaves failing items out, and counts them", all, async (way) => {
    const probe = new Probe()
    const stream = way.run(way.source(ascending(50), probe), { window: 10, errors: 'skip' }, failsAtThrees)
    const results = (await drain(stream, probe)).map(Number)
    const kept = ascending(50).filter((i) => i % 10 !== 3)
    expect(way.ordered ? results : sorted(results)).toEqual(kept)
    expect(stream.stats()).toMatchObject({ read: 50, delivered: 45, failed: 5, skipped: 5 })
    expect(await stream.next()).toEqual(done)
  })

  inEveryWay("'skip' gives an empty stream when every item fails", all, async (way) => {
    const items = ascending(30).map((i) => i * 10 + 3)
    const stream = way.run(way.source(items), { window: 10, errors: 'skip' }, failsAtThrees)
    expect(await Promise.all([stream.next(), stream.next(), stream.next()])).toEqual([done, done, done])
    expect(stream.stats()).toMatchObject({ read: 30, delivered: 0, failed: 30, skipped: 30 })
  })
})

describe('after the end (clause 16)', () => {
  const ends: Record<string, (stream: Stream<unknown>, gates: Gates, controller: AbortController) => Promise<unknown>> =
    {
      'the last result': (stream) => drain(stream),
      "a task's error": (stream, gates) => {
        gates.fail(2)
        return rejection(drain(stream))
      },
      'return()': async (stream) => {
        await stream.next()
        return stream.return()
      },
      'return() before the first next()': (stream) => stream.return(),
      'a disposal': async (stream) => {
        await stream.next()
        await stream[Symbol.asyncDispose]()
      },
      'an abort': async (stream, gates, controller) => {
        await stream.next()
        gates.hold(...ascending(10))
        controller.abort()
        return rejection(drain(stream))
      },
    }
  for (const [end, act] of Object.entries(ends)) {
    inEveryWay(`by ${end}, next() says done for ever`, all, async (way) => {
      const gates = new Gates(10)
      const probe = new Probe()
      const controller = new AbortController()
      const stream = way.run(way.source(gates.items, probe), { window: 10, signal: controller.signal })
      await act(stream, gates, controller)
      const { calls } = probe
      for (let i = 0; i < 3; i++) expect(await stream.next()).toEqual(done)
      gates.releaseAll()
      controller.abort()
      await turns(10)
      expect(await Promise.all([stream.next(), stream.next(), stream.return(), stream.next()])).toEqual(
        Array(4).fill(done),
      )
      // A second loop would not get a result, so it is refused.
      expect(await rejection(drain(stream))).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
      expect(probe.calls).toBe(calls)
    })
  }

  inEveryWay('by an error of the source, every later next() says done', all, async (way) => {
    function* source() {
      yield* [1, 2, 4]
      throw new Error('the source broke')
    }
    const stream = way.run(way.source(source()), {}, failsAtThrees)
    await rejection(drain(stream))
    for (let i = 0; i < 3; i++) expect(await stream.next()).toEqual(done)
  })

  it('by the end of its pool, every later next() says done', async () => {
    for (const verb of ['imap', 'imapUnordered'] as const) {
      const doomed = new Pool({ workers: 1 })
      const gates = new Gates(5)
      gates.hold(...ascending(5))
      const stream = doomed[verb](gated, gates.items)
      const first = rejection(stream.next())
      await gates.entered(0)
      await doomed.terminate()
      expect(await inTime(first)).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
      for (let i = 0; i < 3; i++) expect(await stream.next()).toEqual(done)
    }
  })

  inEveryWay('calls that were waiting at the end say done', all, async (way) => {
    const gates = new Gates(4)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items))
    const answers = await Promise.all(Array.from({ length: 9 }, () => take(stream, probe)))
    expect(answers.slice(4)).toEqual(Array(5).fill(done))
    expect(probe.delivered).toBe(4)
  })
})

/** Matches the error of an item that must throw. Lines have zeros before the number. */
function slot(gates: Gates, i: number): RegExp {
  return new RegExp(`^slot 0*${gates.items[i]}$`)
}
