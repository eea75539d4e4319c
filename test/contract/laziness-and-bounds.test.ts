/** Clauses 1 to 6 of the contract. */
import fc from 'fast-check'
import { imap, imapUnordered, lines, Pool } from 'millrace'
import { blocking, gated } from '../fixtures/contract-a-gated.js'
import { Gates, turns } from '../support/gates.js'
import {
  ascending,
  drain,
  hanging,
  inEveryWay,
  inTime,
  Probe,
  sorted,
  sourceOf,
  take,
  ways,
} from '../support/matrix.js'

const pool = new Pool({ workers: 2, name: 'bounds' })
const all = ways(pool)
/** The ways in which other items can run while the first one is held. */
const parallel = all.filter(({ workers }) => workers > 1)
/** A task can block its worker where both share memory. */
const threaded = parallel.filter(({ executor }) => executor === 'the default pool' || executor === 'a pool of 2')

afterEach(() => {
  Gates.openAll()
})
afterAll(() => pool.terminate())

describe('laziness (clause 1)', () => {
  inEveryWay('a lazy verb opens and reads no source before the first next()', all, async (way) => {
    const gates = new Gates(9)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe))
    await turns()
    expect(probe).toMatchObject({ opened: 0, calls: 0 })
    expect(gates.begun).toBe(0)
    expect(stream.stats()).toMatchObject({ read: 0, chunks: 0 })
    expect(await drain(stream)).toHaveLength(9)
    expect(probe.opened).toBe(1)
  })

  for (const form of ['given its source', 'as a stage'] as const) {
    it(`a lazy verb ${form} starts no worker before the first next()`, async () => {
      await using lazy = new Pool({ workers: 2 })
      for (const verb of [lazy.imap, lazy.imapUnordered]) {
        const stream = form === 'as a stage' ? verb(gated)([]) : verb(gated, new Gates(3).items)
        expect(stream[Symbol.asyncIterator]()).toBe(stream)
        await turns()
        expect(lazy.stats()).toEqual({
          starting: 0,
          ready: 0,
          busy: 0,
          waiting: 0,
          streams: 0,
          crashes: 0,
          timeouts: 0,
          recycled: 0,
        })
      }
      const stream = lazy.imap(gated, new Gates(1).items)
      const first = stream.next()
      expect(lazy.stats()).toMatchObject({ starting: 1, streams: 1 })
      await first
    })
  }
})

describe('the window (clause 2)', () => {
  inEveryWay('holds what was read while the first item is slow and all others are fast', parallel, async (way) => {
    const window = 10
    const gates = new Gates(40)
    const probe = new Probe()
    gates.hold(0)
    const drained = drain(way.run(way.source(gates.items, probe), { window }), probe)
    // In order, everything waits for the first item. Unordered, all except its chunk run to the end.
    await probe.reached(way.ordered ? window : gates.count)
    await turns(20)
    expect(probe.reads).toBe(way.ordered ? window : gates.count)
    if (way.ordered) expect(probe.delivered).toBe(0)
    else expect(probe.delivered).toBeGreaterThanOrEqual(gates.count - window)
    gates.release(0)
    expect(sorted(gates.indexes(await drained))).toEqual(ascending(gates.count))
    if (way.ordered) expect(probe.most).toBe(window)
    else expect(probe.most).toBeLessThanOrEqual(window)
  })

  inEveryWay('holds what was read while the consumer is slow', all, async (way) => {
    const window = 10
    const gates = new Gates(35)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window })
    const results: unknown[] = []
    for (let { done, value } = await take(stream, probe); done !== true; { done, value } = await take(stream, probe)) {
      results.push(value)
      await turns(3)
      expect(probe.reads - results.length).toBeLessThanOrEqual(window)
    }
    expect(sorted(gates.indexes(results))).toEqual(ascending(gates.count))
    expect(probe.most).toBeLessThanOrEqual(window)
  })

  inEveryWay('is read no further than once when the consumer does not come back', all, async (way) => {
    const window = 10
    const gates = new Gates(35)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window })
    await take(stream, probe)
    await probe.reached(way.workers > 1 ? window : 1)
    await turns(20)
    expect(probe.reads).toBeLessThanOrEqual(window + 1)
    expect(probe.most).toBeLessThanOrEqual(window)
    await stream.return()
    await turns()
    expect(probe.reads).toBeLessThanOrEqual(window + 1)
  })

  inEveryWay('holds what was read while many next() wait at once', all, async (way) => {
    const window = 8
    const gates = new Gates(30)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window })
    const results = await Promise.all(Array.from({ length: gates.count + 3 }, () => take(stream, probe)))
    const values = results.filter(({ done }) => done !== true).map(({ value }) => value)
    const indexes = gates.indexes(values)
    expect(way.ordered ? indexes : sorted(indexes)).toEqual(ascending(gates.count))
    expect(results.slice(gates.count)).toEqual(Array(3).fill({ done: true, value: undefined }))
    expect(probe.most).toBeLessThanOrEqual(window)
  })

  for (const window of [1, 2, 3]) {
    const small = all.filter(({ chunksize }) => chunksize !== 7)
    inEveryWay(`of ${window} is never exceeded, and everything comes through it`, small, async (way) => {
      const gates = new Gates(12)
      const probe = new Probe()
      const stream = way.run(way.source(gates.items, probe), { window })
      expect(stream.stats().window).toBe(window)
      expect(sorted(gates.indexes(await drain(stream, probe)))).toEqual(ascending(gates.count))
      expect(probe.most).toBeLessThanOrEqual(window)
      expect(probe.reads).toBe(gates.count)
    })
  }

  inEveryWay('holds by default what stats() says, while the first item is slow', parallel, async (way) => {
    const gates = new Gates(400)
    const probe = new Probe()
    gates.hold(...ascending(gates.count))
    const stream = way.run(way.source(gates.items, probe))
    const drained = drain(stream, probe)
    await gates.entered(0)
    await turns(20)
    expect(probe.reads).toBeLessThanOrEqual(stream.stats().window)
    gates.release(...ascending(gates.count).slice(1))
    await probe.reached(way.ordered ? Math.min(stream.stats().window, gates.count) : gates.count)
    gates.release(0)
    expect(await drained).toHaveLength(gates.count)
  })

  inEveryWay('makes room for items that were left out', all, async (way) => {
    const window = 7
    const gates = new Gates(40)
    const probe = new Probe()
    for (const i of ascending(39)) gates.fail(i)
    const stream = way.run(way.source(gates.items, probe), { window, errors: 'skip' })
    expect(gates.indexes(await drain(stream))).toEqual([39])
    expect(stream.stats()).toMatchObject({ read: 40, delivered: 1, skipped: 39, failed: 39 })
  })

  it('bounds any source, in any configuration, with any timing', async () => {
    await using one = new Pool({ workers: 1 })
    await using three = new Pool({ workers: 3 })
    const executors = [
      { workers: 0, pool: undefined },
      { workers: 1, pool: one },
      { workers: 2, pool },
      { workers: 3, pool: three },
    ]
    const configuration = fc
      .record({
        window: fc.integer({ min: 1, max: 12 }),
        size: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 12 })),
        executor: fc.constantFrom(...executors),
        concurrency: fc.integer({ min: 1, max: 3 }),
        ordered: fc.boolean(),
        kind: fc.constantFrom(...(['an iterable', 'an async iterable', 'lines of bytes'] as const)),
        turns: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
        consumer: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
      })
      .map(({ size, ...rest }) => ({ ...rest, chunksize: size === 'auto' ? size : Math.min(size, rest.window) }))
    await fc.assert(
      fc.asyncProperty(
        configuration,
        async ({ executor, ordered, kind, window, chunksize, concurrency, ...timing }) => {
          const gates = new Gates(timing.turns.length)
          const probe = new Probe()
          timing.turns.forEach((count, i) => {
            gates.turns(i, count)
          })
          const options = { window, chunksize, concurrency }
          const verb = ordered ? 'imap' : 'imapUnordered'
          const stream = executor.pool
            ? executor.pool[verb](gated, sourceOf(kind, gates.items, probe), options)
            : { imap, imapUnordered }[verb](gated, sourceOf(kind, gates.items, probe), { ...options, workers: 0 })
          const results: unknown[] = []
          for (let { done, value } = await take(stream, probe); !done; { done, value } = await take(stream, probe)) {
            results.push(value)
            const pause = timing.consumer[results.length % timing.consumer.length] ?? 0
            if (pause > 0) await turns(pause)
          }
          const indexes = gates.indexes(results)
          expect(ordered ? indexes : sorted(indexes)).toEqual(ascending(gates.count))
          expect(ascending(gates.count).map((i) => gates.entries(i))).toEqual(Array(gates.count).fill(1))
          expect(probe.most).toBeLessThanOrEqual(window)
          expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, reads: gates.count, returns: 0 })
        },
      ),
      { numRuns: 300, interruptAfterTimeLimit: 15_000 },
    )
  })
})

describe('reading (clause 3)', () => {
  inEveryWay('asks the source for one item at a time, and for none after its end', all, async (way) => {
    const gates = new Gates(30)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe))
    const all = await Promise.all(Array.from({ length: 40 }, () => stream.next()))
    expect(all.filter(({ done }) => done !== true)).toHaveLength(30)
    await stream.next()
    await turns()
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 31, opened: 1, returns: 0 })
  })

  inEveryWay('asks the source for none after it threw', all, async (way) => {
    const gates = new Gates(20)
    const probe = new Probe()
    function* broken() {
      yield* gates.items
      throw new Error('the source broke')
    }
    const stream = way.run(way.source(broken(), probe))
    await expect(drain(stream)).rejects.toThrow('the source broke')
    await stream.next()
    await turns()
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 21, returns: 0 })
  })

  inEveryWay('asks the source for none after it was closed', all, async (way) => {
    const gates = new Gates(100)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window: 20 })
    for await (const result of stream) if (gates.index(result) >= 5) break
    const { calls } = probe
    await stream.next()
    await turns()
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls, returns: 1 })
    expect(calls).toBeLessThan(100)
  })

  inEveryWay('asks a source that is silent for nothing else', all, async (way) => {
    if (way.kind === 'an iterable') return
    const gates = new Gates(3)
    const probe = new Probe()
    const stream = way.run(hanging(way.kind, gates.items, probe))
    for (let i = 0; i < 3; i++) await stream.next()
    const waiting = [stream.next(), stream.next()]
    await turns()
    expect(probe).toMatchObject({ overlapped: false, calls: 4 })
    await stream.return()
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ done: true, value: undefined }))
    expect(probe).toMatchObject({ overlapped: false, calls: 4 })
  })

  it('survives a source that asks the stream for a result while it is read', async () => {
    for (const on of [pool.imap, pool.imapUnordered]) {
      const gates = new Gates(6)
      const inner: Promise<IteratorResult<unknown>>[] = []
      let reading = false
      let overlapped = false
      const source: Iterable<number> = {
        [Symbol.iterator]: () => {
          const items = gates.items.values()
          return {
            next: () => {
              overlapped ||= reading
              reading = true
              if (inner.length < 2) inner.push(stream.next())
              reading = false
              return items.next()
            },
          }
        },
      }
      const stream = on(gated, source)
      const rest = await drain(stream)
      const first = await Promise.all(inner)
      expect(sorted(gates.indexes([...first.map(({ value }) => value as unknown), ...rest]))).toEqual(ascending(6))
      expect(overlapped).toBe(false)
    }
  })
})

describe('workers (clause 4)', () => {
  for (const concurrency of [1, 3]) {
    inEveryWay(`run at most ${concurrency} items at once when the concurrency is ${concurrency}`, all, async (way) => {
      const gates = new Gates(60)
      const inline = way.executor === 'this thread'
      // A chunk of one item runs one item at once. A source that is not ready at once can make such chunks.
      const most = way.chunksize === 1 && !inline ? 1 : concurrency
      const exact = most === 1 || inline || way.kind === 'an iterable'
      gates.hold(...ascending(60))
      const drained = drain(way.run(way.source(gates.items), { concurrency, window: 60 + 24 * way.workers }))
      await gates.entered(0)
      if (exact) await gates.ran(gates.worker(0), most)
      await turns(10)
      expect(gates.most.size).toBeLessThanOrEqual(inline ? 1 : way.workers)
      gates.releaseAll()
      expect(sorted(gates.indexes(await drained))).toEqual(ascending(60))
      const highest = Math.max(...gates.most.values())
      if (exact && way.namesakes === 1) expect(highest).toBe(most)
      else expect(highest).toBeLessThanOrEqual(most * way.namesakes)
    })
  }

  it('run no second chunk while a chunk of theirs waits, even of another stream', async () => {
    const gates = new Gates(80)
    for (let i = 0; i < gates.count; i++) gates.turns(i, i % 4)
    const { items } = gates
    const streams = [items.slice(0, 20), items.slice(20, 40), items.slice(40, 60), items.slice(60)].map((part, i) => {
      return (i % 2 === 0 ? pool.imap : pool.imapUnordered)(gated, part, { chunksize: 3, concurrency: 2, window: 20 })
    })
    const results = await Promise.all(streams.map((stream) => drain(stream)))
    expect(sorted(gates.indexes(results.flat()))).toEqual(ascending(80))
    expect([...gates.most.values()]).toEqual([2, 2])
  })
})

describe('the first result (clause 5)', () => {
  const slowSources = all.filter(({ kind }) => kind !== 'an iterable')
  inEveryWay('is given although the source has no second item yet', slowSources, async (way) => {
    const gates = new Gates(1)
    const probe = new Probe()
    const stream = way.run(hanging(way.kind, gates.items, probe), { window: 50 })
    const { value } = await stream.next()
    expect(gates.index(value)).toBe(0)
    expect(probe.reads).toBe(1)
    await stream.return()
  })

  inEveryWay('and every one after it is given as its item comes, however slowly', slowSources, async (way) => {
    const gates = new Gates(12)
    // Each item exists only after the previous result was given.
    let give: (item: number) => void = () => undefined
    let next = new Promise<number>((resolve) => (give = resolve))
    async function* slow(): AsyncGenerator<number, void, void> {
      for (let i = 0; i < gates.count; i++) {
        const item = await next
        next = new Promise<number>((resolve) => (give = resolve))
        yield item
      }
    }
    async function* chunks(): AsyncGenerator<Buffer, void, void> {
      for await (const item of slow()) yield Buffer.from(`${item}\n`.padStart(8, '0'))
    }
    const stream = way.run(way.kind === 'lines of bytes' ? lines(chunks()) : slow(), { window: 50 })
    for (const [i, item] of gates.items.entries()) {
      const result = stream.next()
      await turns(2)
      give(item)
      expect(gates.index((await result).value)).toBe(i)
    }
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  for (const task of [gated, blocking]) {
    const hold = task === gated ? 'wait' : 'block their workers'
    const where = task === gated ? all : threaded
    inEveryWay(`is given while all other items ${hold}`, where, async (way) => {
      const gates = new Gates(30)
      gates.hold(...ascending(30).slice(1))
      const stream = way.run(way.source(gates.items), { window: 30 }, task)
      const { value } = await stream.next()
      expect(gates.index(value)).toBe(0)
      gates.releaseAll()
      expect(await drain(stream)).toHaveLength(29)
    })
  }

  inEveryWay('is given with a window of one item', all, async (way) => {
    if (way.chunksize === 7) return
    const gates = new Gates(3)
    const stream = way.run(way.source(gates.items), { window: 1 })
    for (let i = 0; i < 3; i++) expect(gates.index((await stream.next()).value)).toBe(i)
    expect((await stream.next()).done).toBe(true)
  })

  for (const task of [gated, blocking]) {
    const how = task === gated ? 'waits' : 'blocks'
    it(`imapUnordered() gives the first result there is while the first item ${how}`, async () => {
      for (const chunksize of [1, 7] as const) {
        const gates = new Gates(14)
        gates.hold(0, ...ascending(14).slice(chunksize + 1))
        const stream = pool.imapUnordered(task, gates.items, { chunksize, window: 14 })
        const first = await inTime(stream.next())
        expect(first).toMatchObject({ value: gates.items[chunksize] })
        gates.releaseAll()
        expect(await drain(stream)).toHaveLength(13)
      }
    })
  }

  inEveryWay('and each one after it is given while later items wait', all, async (way) => {
    const gates = new Gates(21)
    gates.hold(...ascending(21))
    const stream = way.run(way.source(gates.items), { window: 21 })
    for (let i = 0; i < 21; i++) {
      gates.release(i)
      expect(gates.index((await stream.next()).value)).toBe(i)
    }
  })
})

describe('a small window (clause 6)', () => {
  inEveryWay('may be smaller than the number of workers', parallel, async (way) => {
    if (way.chunksize === 7) return
    const gates = new Gates(10)
    const probe = new Probe()
    for (let i = 0; i < 10; i++) gates.turns(i, 2)
    const stream = way.run(way.source(gates.items, probe), { window: 1 })
    expect(gates.indexes(await drain(stream, probe))).toEqual(ascending(10))
    expect(probe.most).toBe(1)
    expect([...gates.most.values()].every((most) => most === 1)).toBe(true)
  })

  it('and a chunksize that exceeds it is a RangeError that names both, at the call', () => {
    for (const [name, call] of Object.entries({
      imap: (options: object) => imap(gated, options),
      imapUnordered: (options: object) => imapUnordered(gated, [1], options),
      'imap on a pool': (options: object) => pool.imap(gated, [1], options),
      'imapUnordered on a pool': (options: object) => pool.imapUnordered(gated, options),
      'imap on this thread': (options: object) => imap(gated, { ...options, workers: 0 }),
    })) {
      let thrown: unknown
      try {
        call({ chunksize: 11, window: 10 })
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(RangeError)
      expect(thrown).toMatchObject({ code: 'ERR_INVALID_OPTION' })
      const { message } = thrown as Error
      expect(message).toMatch(/'chunksize'.*'window'.*11.*10/)
      expect(message).toContain(name.split(' ')[0])
      expect(() => call({ chunksize: 10, window: 10 })).not.toThrow()
    }
  })

  it('leaves work for every worker when the chunksize is automatic', async () => {
    for (const verb of [pool.imap, pool.imapUnordered]) {
      for (const window of [2, 3, 4, 10, 64]) {
        const gates = new Gates(window)
        gates.hold(...ascending(window))
        const drained = drain(verb(gated, gates.items, { window }))
        await Promise.all([gates.ran(1, 1), gates.ran(2, 1)])
        gates.releaseAll()
        expect(await drained).toHaveLength(window)
      }
    }
  })

  it('leaves work for every worker when the automatic chunksize has grown', async () => {
    for (const verb of [pool.imap, pool.imapUnordered]) {
      for (const window of [4, 10, 64, 1000]) {
        const warm = new Gates(5_000)
        const held = new Gates(window)
        held.hold(...ascending(window))
        const probe = new Probe()
        const stream = verb(gated, [...warm.items, ...held.items], { window })
        while (probe.delivered < warm.count) await take(stream, probe)
        const { chunksize } = stream.stats()
        expect(chunksize).toBeLessThanOrEqual(Math.max(1, window / 2))
        const drained = drain(stream)
        await Promise.all([held.ran(1, 1), held.ran(2, 1)])
        held.releaseAll()
        expect(await drained).toHaveLength(window)
      }
    }
  })
})
