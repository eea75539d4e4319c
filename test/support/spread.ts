/**
 * The clauses of the contract for verbs whose items can have any number of results: none, one or many. A test file of
 * such a verb calls this, and adds the tests of its special properties.
 */
import fc from 'fast-check'
import { Pool, type StreamOptions, type TaskLike } from 'millrace'
import { watchRejections } from './rejections.js'
import { Gates, turns } from './gates.js'
import {
  ascending,
  drain,
  hanging,
  inEveryWay,
  Probe,
  rejection,
  sourceOf,
  ways,
  type Item,
  type VerbName,
  type Way,
} from './matrix.js'

export interface SpreadVerb {
  readonly name: VerbName
  /** Lets the test control every item, as `gated` does. */
  readonly task: TaskLike<never, unknown>
  /** The same, but items do not have results. */
  readonly none: TaskLike<never, unknown>
  /** The results of an item. */
  resultsOf(item: Item): readonly unknown[]
  /** A result in the form that `resultsOf` gives it: items from bytes are texts. */
  plain(result: unknown): unknown
  /** Whether a result is the last one of its item. */
  isLast(result: unknown): boolean
}

const done = { done: true, value: undefined }

/** Defines the tests. Returns their pool, which a file can also use for its own tests. */
export function describeSpread(verb: SpreadVerb): Pool {
  const pool = new Pool({ workers: 2, name: verb.name })
  const all = ways(pool)
  /** For tests that do not depend on the source. */
  const fewer = all.filter(({ kind, executor }) => (executor === 'a pool of 2') === (kind !== 'an iterable'))
  const parallel = fewer.filter(({ workers }) => workers > 1)
  const giving = (item: Item): boolean => verb.resultsOf(item).length > 0
  const allOf = (items: readonly Item[]): unknown[] => items.flatMap((item) => verb.resultsOf(item))

  watchRejections()
  afterAll(() => pool.terminate())

  /** Items: the first `none` do not have results, and the next one has some. */
  function items(gates: Gates, none: number): number[] {
    const without = gates.items.filter((item) => !giving(item)).slice(0, none)
    const first = gates.items.find(giving)
    const rest = gates.items.filter((item) => item !== first && !without.includes(item))
    return first === undefined ? [] : [...without, first, ...rest]
  }

  function open(way: Way, source: Iterable<Item> | AsyncIterable<Item>, options?: StreamOptions) {
    return way.open(verb.name, verb.task, source, options)
  }

  /** Fails unless the results are those of these items, in their order if the verb is ordered. */
  function expectResults(way: { readonly ordered: boolean }, results: readonly unknown[], of: readonly Item[]): void {
    const [given, wanted] = [results.map((result) => verb.plain(result)), allOf(of)]
    expect(way.ordered ? given : given.map(String).sort()).toEqual(way.ordered ? wanted : wanted.map(String).sort())
  }

  describe('laziness and bounds (clauses 1 to 6)', () => {
    inEveryWay('opens nothing and starts nothing before the first next()', all, async (way) => {
      const gates = new Gates(12)
      const probe = new Probe()
      const stream = open(way, way.source(gates.items, probe))
      await turns()
      expect(probe).toMatchObject({ opened: 0, calls: 0 })
      expect(stream.stats()).toMatchObject({ read: 0, chunks: 0 })
      expectResults(way, await drain(stream), gates.items)
      expect(probe).toMatchObject({ opened: 1, calls: 13, overlapped: false, readAfterEnd: false, returns: 0 })
      expect(ascending(12).map((i) => gates.entries(i))).toEqual(Array(12).fill(1))
    })

    it('starts no worker before the first next()', async () => {
      await using lazy = new Pool({ workers: 2 })
      const stream = (lazy[verb.name] as (...args: unknown[]) => AsyncIterator<unknown>)(verb.task, new Gates(3).items)
      await turns()
      expect(lazy.stats()).toMatchObject({ starting: 0, ready: 0, streams: 0 })
      const first = stream.next()
      expect(lazy.stats()).toMatchObject({ starting: 2, streams: 1 })
      await first
    })

    inEveryWay(
      'holds a window behind the first item that has results, and frees those that have none',
      parallel,
      async (way) => {
        if (!way.ordered) return
        const window = 10
        const gates = new Gates(60)
        const order = items(gates, 5)
        const probe = new Probe()
        gates.hold(gates.index(order[5]))
        const drained = drain(open(way, way.source(order, probe), { window }))
        await probe.reached(5 + window)
        await turns(20)
        expect(probe.reads).toBe(5 + window)
        gates.releaseAll()
        expectResults(way, await drained, order)
      },
    )

    inEveryWay('holds a window while the consumer keeps its first result', fewer, async (way) => {
      const window = 10
      const gates = new Gates(60)
      const order = items(gates, 0)
      const probe = new Probe()
      const stream = open(way, way.source(order, probe), { window })
      const first = await stream.next()
      await turns(30)
      expect(probe.reads).toBeLessThanOrEqual(way.ordered ? window : gates.count)
      expect(stream.stats().read).toBe(probe.reads)
      expectResults(way, [first.value, ...(await drain(stream))], order)
    })

    inEveryWay('goes through items without results, and ends', all, async (way) => {
      const gates = new Gates(100)
      const probe = new Probe()
      const stream = way.open(verb.name, verb.none, way.source(gates.items, probe), { window: 7 })
      expect(await Promise.all([stream.next(), stream.next()])).toEqual([done, done])
      expect(stream.stats()).toMatchObject({ read: 100, delivered: 0, failed: 0, skipped: 0 })
      expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 101, returns: 0 })
    })

    inEveryWay('gives the first result while all other items wait', fewer, async (way) => {
      const gates = new Gates(30)
      const order = items(gates, 0)
      gates.hold(...ascending(30))
      gates.release(gates.index(order[0]))
      const stream = open(way, way.source(order), { window: 30 })
      expect(verb.plain((await stream.next()).value)).toEqual(verb.resultsOf(order[0] ?? '')[0])
      gates.releaseAll()
      await drain(stream)
    })

    const slow = all.filter(({ kind }) => kind !== 'an iterable')
    inEveryWay('gives what is there although the source is silent, and ends by return()', slow, async (way) => {
      const gates = new Gates(5)
      const order = items(gates, 1)
      const probe = new Probe()
      const stream = open(way, hanging(way.kind, order, probe), { window: 50 })
      const results: unknown[] = []
      for (const _ of allOf(order)) results.push((await stream.next()).value)
      expectResults(way, results, order)
      const pending = [stream.next(), stream.chunks().next(), stream.next()]
      await turns()
      expect(await stream.return()).toEqual(done)
      expect(await Promise.all(pending)).toEqual([done, done, done])
      expect(probe).toMatchObject({ returns: 1, overlapped: false, calls: 6 })
      expect(stream.stats().read).toBe(5)
    })

    for (const concurrency of [1, 3]) {
      inEveryWay(`runs ${concurrency} async items at once in a worker, and no more`, fewer, async (way) => {
        const gates = new Gates(40)
        const inline = way.executor === 'this thread'
        const most = way.chunksize === 1 && !inline ? 1 : concurrency
        const exact = most === 1 || inline || way.kind === 'an iterable'
        gates.hold(...ascending(40))
        const drained = drain(open(way, way.source(gates.items), { concurrency, window: 40 + 24 * way.workers }))
        await gates.entered(0)
        if (exact) await gates.ran(gates.worker(0), most)
        await turns(10)
        gates.releaseAll()
        expectResults(way, await drained, gates.items)
        const highest = Math.max(...gates.most.values())
        if (exact && way.namesakes === 1) expect(highest).toBe(most)
        else expect(highest).toBeLessThanOrEqual(most * way.namesakes)
      })
    }
  })

  describe('order (clause 8)', () => {
    inEveryWay('is that of the items when the first is slowest', parallel, async (way) => {
      if (!way.ordered) return
      const gates = new Gates(30)
      const order = items(gates, 0)
      gates.hold(gates.index(order[0]))
      const probe = new Probe()
      const drained = drain(open(way, way.source(order), { window: 30 }), probe)
      await gates.left(gates.index(order[way.chunk]))
      await turns(20)
      expect(probe.delivered).toBe(0)
      gates.releaseAll()
      expectResults(way, await drained, order)
    })

    inEveryWay('unordered is that of completion', parallel, async (way) => {
      if (way.ordered || way.chunksize === 7) return
      const gates = new Gates(30)
      const order = items(gates, 0)
      const slowest = order[0] ?? 0
      gates.hold(gates.index(slowest))
      const stream = open(way, way.source(order), { window: 30 })
      // With an automatic chunksize, a few others can be in its chunk.
      const behind = way.chunksize === 1 || way.executor === 'this thread' ? [] : order.slice(1, 9)
      const early = order.filter((item) => item !== slowest && !behind.includes(item))
      const results: unknown[] = []
      while (results.length < allOf(early).length) results.push((await stream.next()).value)
      expect(results.map((result) => verb.plain(result))).not.toContain(verb.resultsOf(slowest)[0])
      gates.releaseAll()
      expectResults(way, [...results, ...(await drain(stream))], order)
    })

    it('and number of results are right, and the window holds, in any configuration, with any timing', async () => {
      await using one = new Pool({ workers: 1 })
      const configuration = fc
        .record({
          executor: fc.constantFrom(undefined, one, pool),
          window: fc.integer({ min: 1, max: 12 }),
          size: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 12 })),
          concurrency: fc.integer({ min: 1, max: 4 }),
          ordered: fc.boolean(),
          kind: fc.constantFrom('an iterable' as const, 'an async iterable' as const),
          timing: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }),
          failing: fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 4 }),
          pauses: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
        })
        .map(({ size, ...rest }) => ({ ...rest, chunksize: size === 'auto' ? size : Math.min(size, rest.window) }))
      await fc.assert(
        fc.asyncProperty(configuration, async ({ executor, ordered, kind, timing, failing, pauses, ...options }) => {
          const gates = new Gates(timing.length)
          timing.forEach((count, i) => {
            gates.turns(i, count)
          })
          for (const i of failing) if (i < gates.count) gates.fail(i)
          const succeeding = gates.items.filter((_, i) => !failing.includes(i))
          const results: unknown[] = []
          // Of the items with results: the number that were read, and the number whose results were not all given.
          let read = 0
          let most = 0
          function* source(): Generator<number> {
            for (const item of gates.items) {
              if (giving(item) && succeeding.includes(item)) {
                read++
                most = Math.max(most, read - results.filter((result) => verb.isLast(result)).length)
              }
              yield item
            }
          }
          const name = ordered ? verb.name : (`${verb.name}Unordered` as const)
          const run = (executor ?? (await import('millrace')))[name] as (...args: unknown[]) => AsyncIterable<unknown>
          const probe = new Probe()
          const stream = run(verb.task, sourceOf(kind, source(), probe), {
            ...options,
            errors: 'skip',
            ...(executor === undefined && { workers: 0 }),
          })
          for await (const result of stream) {
            results.push(verb.plain(result))
            const pause = pauses[results.length % pauses.length] ?? 0
            if (pause > 0) await turns(pause)
          }
          expectResults({ ordered }, results, succeeding)
          expect(most).toBeLessThanOrEqual(options.window)
          expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, reads: gates.count, returns: 0 })
        }),
        { numRuns: 150, interruptAfterTimeLimit: 5_000 },
      )
    })
  })

  describe('errors (clauses 12 to 16)', () => {
    const slot = (item: Item | undefined): unknown =>
      expect.objectContaining({ message: expect.stringMatching(new RegExp(`^slot 0*${item}$`)) as string })

    inEveryWay(
      "'throw' in order gives all results before the failing item, then the error, then is done",
      fewer,
      async (way) => {
        if (!way.ordered) return
        for (const none of [0, 8]) {
          const gates = new Gates(60)
          const order = items(gates, none)
          // Behind items with results, or behind items without any.
          const failing = none === 0 ? 9 : none
          gates.fail(gates.index(order[failing]))
          const probe = new Probe()
          const stream = open(way, way.source(order, probe), { window: 20 })
          const results: unknown[] = []
          const error = await rejection(
            (async () => {
              for await (const result of stream) results.push(result)
            })(),
          )
          expect(error).toEqual(slot(order[failing]))
          expectResults(way, results, order.slice(0, failing))
          expect(await stream.next()).toEqual(done)
          await turns()
          expect(probe.returns).toBe(probe.reads < gates.count ? 1 : 0)
        }
      },
    )

    inEveryWay("'throw' unordered throws the error at once, although other items wait", parallel, async (way) => {
      if (way.ordered || way.chunksize !== 1) return
      const gates = new Gates(30)
      gates.hold(0)
      gates.fail(1)
      const stream = open(way, way.source(gates.items), { window: 30 })
      expect(await rejection(drain(stream))).toEqual(slot(gates.items[1]))
      expect(await stream.next()).toEqual(done)
    })

    inEveryWay(
      "'throw' in order reads nothing more once an item has failed, although its error is not due yet",
      parallel,
      async (way) => {
        // Items of one chunk would give their errors one after the other.
        if (!way.ordered || way.chunksize === 7) return
        const gates = new Gates(60)
        gates.hold(0)
        gates.fail(1)
        let read = 0
        let goOn = (): void => undefined
        const paused = new Promise<void>((resolve) => (goOn = resolve))
        async function* source(): AsyncGenerator<number> {
          for (const item of gates.items) {
            if (read === 2) await paused
            read++
            yield item
          }
        }
        const stream = open(way, source(), { window: 20 })
        const failure = rejection(drain(stream))
        while (stream.stats().failed === 0) await turns(1)
        goOn()
        await turns(20)
        // The item that had been requested.
        expect(read).toBe(3)
        gates.release(0)
        expect(await failure).toEqual(slot(gates.items[1]))
      },
    )

    inEveryWay("'skip' leaves failing items out, and counts them", fewer, async (way) => {
      const gates = new Gates(50)
      const failing = ascending(50).filter((i) => i % 6 < 2)
      gates.fail(...failing)
      for (const i of ascending(50)) gates.turns(i, i % 3)
      const stream = open(way, way.source(gates.items), { window: 10, errors: 'skip', concurrency: 2 })
      const kept = gates.items.filter((_, i) => !failing.includes(i))
      expectResults(way, await drain(stream), kept)
      const { length } = failing
      expect(stream.stats()).toMatchObject({ read: 50, delivered: allOf(kept).length, failed: length, skipped: length })
    })

    inEveryWay("'skip' gives an empty stream when every item fails", fewer, async (way) => {
      const gates = new Gates(40)
      gates.fail(...ascending(40))
      const stream = open(way, way.source(gates.items), { window: 7, errors: 'skip' })
      expect(await drain(stream)).toEqual([])
      expect(stream.stats()).toMatchObject({ read: 40, delivered: 0, failed: 40, skipped: 40 })
    })

    inEveryWay('of the source come after the results of all items read before, unwrapped', fewer, async (way) => {
      const gates = new Gates(23)
      for (const i of ascending(23)) gates.turns(i, (23 - i) % 3)
      const failure = new Error('the source broke')
      const probe = new Probe()
      function* breaking(): Generator<number> {
        yield* gates.items
        throw failure
      }
      const stream = open(way, way.source(breaking(), probe), { window: 14 })
      const results: unknown[] = []
      const error = await rejection(
        (async () => {
          for await (const result of stream) results.push(result)
        })(),
      )
      expect(error).toBe(failure)
      expectResults(way, results, gates.items)
      expect(await stream.next()).toEqual(done)
      expect(probe).toMatchObject({ readAfterEnd: false, returns: 0 })
    })

    inEveryWay('do not hinder an empty source from giving an empty stream', fewer, async (way) => {
      const stream = open(way, way.source([]))
      expect(await Promise.all([stream.next(), stream.next()])).toEqual([done, done])
      expect(stream.stats()).toMatchObject({ read: 0, chunks: 0 })
    })
  })

  describe('ending early (clauses 17 to 21)', () => {
    const ends: Record<string, (way: Way, gates: Gates, probe: Probe) => Promise<void>> = {
      'a break': async (way, gates, probe) => {
        for await (const _ of open(way, way.source(gates.items, probe), { window: 14 })) break
      },
      'return() beside pending calls': async (way, gates, probe) => {
        const stream = open(way, way.source(gates.items, probe), { window: 14 })
        await stream.next()
        gates.hold(...ascending(gates.count))
        const pending = Array.from({ length: 30 }, () => stream.next())
        await turns()
        expect(await Promise.all([stream.return(), stream.return()])).toEqual([done, done])
        expect((await Promise.all(pending)).at(-1)).toEqual(done)
      },
      'an abort while an item waits': async (way, gates, probe) => {
        const controller = new AbortController()
        const reason = { own: 'reason' }
        gates.hold(...ascending(gates.count))
        const stream = open(way, way.source(gates.items, probe), { window: 14, signal: controller.signal })
        const failure = rejection(drain(stream))
        await gates.entered(0)
        controller.abort(reason)
        expect(await failure).toBe(reason)
        expect(await stream.next()).toEqual(done)
      },
      'an error': async (way, gates, probe) => {
        gates.fail(1)
        // Unordered, the other worker could reach the end of the source while this one waits for a core.
        gates.hold(...ascending(gates.count).slice(50))
        await rejection(drain(open(way, way.source(gates.items, probe), { window: 14 })))
      },
    }
    for (const [how, end] of Object.entries(ends)) {
      inEveryWay(`by ${how} closes the source once, and leaves the pool usable`, fewer, async (way) => {
        const gates = new Gates(400)
        const probe = new Probe()
        await end(way, gates, probe)
        await turns()
        const { calls } = probe
        expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
        gates.releaseAll()
        const after = new Gates(9)
        expectResults(way, await drain(open(way, way.source(after.items))), after.items)
        expect(probe).toMatchObject({ returns: 1, calls })
      })
    }

    inEveryWay('by a signal that has fired already reads nothing', fewer, async (way) => {
      const probe = new Probe()
      const stream = open(way, way.source([1], probe), { signal: AbortSignal.abort('over') })
      expect(await rejection(stream.next())).toBe('over')
      expect(await stream.next()).toEqual(done)
      expect(probe.opened).toBe(0)
    })
  })
  return pool
}
