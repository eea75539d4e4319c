/** `stream.chunks()`: the same stream as arrays, under the same contract. */
import { imap, Pool, type Stream } from 'millrace'
import { failsAtThrees } from '../fixtures/contract-a-errors.js'
import { gated } from '../fixtures/contract-a-gated.js'
import { expandTo, keepsNone } from '../fixtures/contract-verbs.js'
import { Gates, turns } from '../support/gates.js'
import { ascending, drain, hanging, inEveryWay, Probe, rejection, sorted, ways } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'

const pool = new Pool({ workers: 2, name: 'chunks' })
const all = ways(pool)
const fewer = all.filter(({ kind, executor }) => (executor === 'a pool of 2') === (kind !== 'an iterable'))
const done = { done: true, value: undefined }
const here = { workers: 0 } as const

watchRejections()
afterAll(() => pool.terminate())

/** The remaining arrays, which must not be empty. Their results are counted as delivered at once. */
async function arrays<T>(stream: Stream<T>, probe: Probe = new Probe()): Promise<T[][]> {
  const all: T[][] = []
  for await (const chunk of stream.chunks()) {
    expect(chunk).not.toHaveLength(0)
    probe.delivered += chunk.length
    all.push(chunk)
  }
  return all
}

describe('chunks() gives the results', () => {
  inEveryWay('of the stream, each once, in order where there is one', all, async (way) => {
    const gates = new Gates(60)
    for (const i of ascending(60)) gates.turns(i, (i * 7) % 4)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window: 20, concurrency: 2 })
    const results = gates.indexes((await arrays(stream, probe)).flat())
    expect(way.ordered ? results : sorted(results)).toEqual(ascending(60))
    expect(stream.stats()).toMatchObject({ read: 60, delivered: 60 })
    expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false, calls: 61, returns: 0 })
    expect(probe.most).toBeLessThanOrEqual(20)
  })

  it('in arrays of at most chunksize items, and of one on this thread', async () => {
    for (const chunksize of [1, 7, 16] as const) {
      const sizes = (await arrays(pool.imap(gated, new Gates(50).items, { chunksize }))).map(({ length }) => length)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(chunksize)
    }
    expect(await arrays(imap((n: number) => n + 1, [1, 2, 3], here))).toEqual([[2], [3], [4]])
  })

  it('in arrays of many, where the chunksize is automatic and items are quick', async () => {
    const chunks = await arrays(pool.imap(gated, new Gates(20_000).items))
    expect(chunks.length).toBeLessThan(2_000)
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(16_384)
  })

  it("in arrays that are the consumer's own", async () => {
    const gates = new Gates(30)
    for (const verb of [pool.imap, pool.imapUnordered]) {
      const results: number[] = []
      for await (const chunk of verb(gated, gates.items, { chunksize: 7 }).chunks()) {
        results.push(...gates.indexes(chunk))
        chunk.fill(-1)
        chunk.length = 0
      }
      expect(sorted(results)).toEqual(ascending(30))
    }
  })

  inEveryWay('lazily: nothing is read before its first next()', fewer, async (way) => {
    const gates = new Gates(3)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe))
    const chunks = stream.chunks()
    expect(chunks[Symbol.asyncIterator]()).toBe(chunks)
    await turns()
    expect(probe).toMatchObject({ opened: 0, calls: 0 })
    await chunks.return?.()
    expect(await chunks.next()).toEqual(done)
    expect(await stream.next()).toEqual(done)
    expect(probe).toMatchObject({ opened: 0, returns: 0 })
  })

  inEveryWay('within the window: the results of an array count until the next is asked for', fewer, async (way) => {
    const window = 10
    const gates = new Gates(40)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window })
    const chunks = stream.chunks()
    let given = 0
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      await turns(4)
      expect(probe.reads - given).toBeLessThanOrEqual(window)
      given += next.value.length
    }
    expect(given).toBe(40)
  })
})

describe('chunks() and next()', () => {
  inEveryWay('share one stream: what one has given the other does not', all, async (way) => {
    const gates = new Gates(60)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window: 20 })
    const results: unknown[] = []
    const chunks = [stream.chunks(), stream.chunks()] as const
    for (let call = 0, over = false; !over; call++) {
      if (call % 3 === 0) {
        const chunk = await chunks[call % 2 === 0 ? 0 : 1].next()
        over = chunk.done === true
        results.push(...(chunk.value ?? []))
      } else {
        const result = await stream.next()
        over = result.done === true
        if (!over) results.push(result.value)
      }
      probe.delivered = results.length
    }
    const indexes = gates.indexes(results)
    expect(way.ordered ? indexes : sorted(indexes)).toEqual(ascending(60))
    expect(probe.most).toBeLessThanOrEqual(20)
    expect(await Promise.all([stream.next(), chunks[0].next(), chunks[1].next()])).toEqual([done, done, done])
  })

  it('next() leaves the other results that came with its own to chunks()', async () => {
    const gates = new Gates(21)
    const stream = pool.imap(gated, gates.items, { chunksize: 7 })
    expect(gates.index((await stream.next()).value)).toBe(0)
    // The first result comes alone. Then all seven results of the second chunk come together.
    const [first = []] = await arrays(stream)
    expect(gates.indexes(first)[0]).toBe(1)
    const again = pool.imap(gated, gates.items, { chunksize: 7 })
    for (let i = 0; i < 9; i++) await again.next()
    await turns(50)
    expect(gates.indexes((await again.chunks().next()).value ?? [])[0]).toBe(9)
  })

  inEveryWay('that wait settle in the order of the calls', fewer, async (way) => {
    const gates = new Gates(40)
    gates.hold(0)
    const stream = way.run(way.source(gates.items), { window: 14 })
    const settled: number[] = []
    const results: unknown[] = []
    const calls = ascending(12).map((call) =>
      (call % 2 === 0 ? stream.chunks().next() : stream.next()).then(({ value, done }) => {
        settled.push(call)
        if (done !== true) results.push(...[value].flat())
      }),
    )
    await turns()
    gates.release(0)
    await Promise.all(calls)
    expect(settled).toEqual(ascending(12))
    results.push(...(await arrays(stream)).flat())
    const indexes = gates.indexes(results)
    expect(way.ordered ? indexes : sorted(indexes)).toEqual(ascending(40))
  })

  inEveryWay('that wait see their results before another item is read', fewer, async (way) => {
    const gates = new Gates(80)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items, probe), { window: 7 })
    const results: unknown[] = []
    const note = (given: readonly unknown[]): void => {
      probe.delivered += given.length
      results.push(...given)
    }
    gates.hold(...ascending(80))
    const calls = [stream.chunks(), stream.chunks(), stream.chunks()].map((chunks) =>
      chunks.next().then(({ value }) => {
        note(value ?? [])
      }),
    )
    await gates.entered(0)
    gates.releaseAll()
    await Promise.all(calls)
    for await (const chunk of stream.chunks()) note(chunk)
    expect(sorted(gates.indexes(results))).toEqual(ascending(80))
    expect(probe.most).toBeLessThanOrEqual(7)
  })
})

describe('chunks() and errors', () => {
  inEveryWay("'throw' in order: all results before the failing item, then the error, then done", fewer, async (way) => {
    if (!way.ordered) return
    const stream = way.run(way.source(ascending(40).slice(4)), { window: 20 }, failsAtThrees)
    const results: unknown[] = []
    const chunks = stream.chunks()
    const error = await rejection(
      (async () => {
        for await (const chunk of chunks) results.push(...chunk)
      })(),
    )
    expect(error).toMatchObject({ message: 'item 13 is no good' })
    expect(results.map(Number)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(await Promise.all([chunks.next(), stream.next(), stream.chunks().next()])).toEqual([done, done, done])
  })

  inEveryWay("'settle': the outcomes", fewer, async (way) => {
    const stream = way.run(way.source(ascending(40)), { window: 20, errors: 'settle' }, failsAtThrees)
    const outcomes = (await arrays(stream)).flat() as { status: string; index: number }[]
    const indexes = outcomes.map(({ index }) => index)
    expect(way.ordered ? indexes : sorted(indexes)).toEqual(ascending(40))
    for (const { status, index } of outcomes) expect(status).toBe(index % 10 === 3 ? 'rejected' : 'fulfilled')
  })

  inEveryWay("'skip': no empty arrays, whatever is left out", fewer, async (way) => {
    const items = ascending(60).map((i) => (i < 30 ? 10 * i + 3 : i))
    const stream = way.run(way.source(items), { window: 10, errors: 'skip' }, failsAtThrees)
    const results = (await arrays(stream)).flat().map(Number)
    const kept = items.filter((item) => item % 10 !== 3)
    expect(way.ordered ? results : sorted(results)).toEqual(kept)
    expect(stream.stats()).toMatchObject({ skipped: 33, delivered: 27 })
  })

  inEveryWay('of the source come after all results', fewer, async (way) => {
    function* breaking(): Generator<number> {
      yield* [1, 2, 4, 5, 6, 7, 8, 9]
      throw new Error('the source broke')
    }
    const stream = way.run(way.source(breaking()), {}, failsAtThrees)
    const results: unknown[] = []
    const failure = rejection(
      (async () => {
        for await (const chunk of stream.chunks()) results.push(...chunk)
      })(),
    )
    expect(await failure).toMatchObject({ message: 'the source broke' })
    expect(sorted(results.map(Number))).toEqual([1, 2, 4, 5, 6, 7, 8, 9])
  })

  inEveryWay('reach the first call that waits, of whatever kind; the others are done', fewer, async (way) => {
    const gates = new Gates(5)
    gates.hold(...ascending(5))
    gates.fail(...ascending(5))
    const stream = way.run(way.source(gates.items), { window: 7 })
    const calls = [stream.chunks().next(), stream.next(), stream.chunks().next()]
    const settled = Promise.allSettled(calls)
    await gates.entered(0)
    gates.releaseAll()
    const [first, ...others] = await settled
    expect(first).toMatchObject({ status: 'rejected' })
    expect(others).toEqual(Array(2).fill({ status: 'fulfilled', value: done }))
  })
})

describe('chunks() ends the stream', () => {
  const ends: Record<string, (stream: Stream<unknown>) => Promise<unknown>> = {
    'by a break': async (stream) => {
      for await (const _ of stream.chunks()) break
    },
    'by its return()': async (stream) => {
      const chunks = stream.chunks()
      await chunks.next()
      expect(await chunks.return?.()).toEqual(done)
      expect(await chunks.return?.()).toEqual(done)
    },
    'by its disposal': async (stream) => {
      await using chunks = stream.chunks()
      await chunks.next()
    },
  }
  for (const [how, end] of Object.entries(ends)) {
    inEveryWay(`${how}, and the source is closed once`, fewer, async (way) => {
      const gates = new Gates(500)
      const probe = new Probe()
      const stream = way.run(way.source(gates.items, probe), { window: 14 })
      await end(stream)
      expect(await Promise.all([stream.next(), stream.chunks().next()])).toEqual([done, done])
      await stream.return()
      expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
    })
  }

  const slow = all.filter(({ kind }) => kind !== 'an iterable')
  inEveryWay('by return() while calls of both kinds wait on a silent source', slow, async (way) => {
    const gates = new Gates(2)
    const stream = way.run(hanging(way.kind, gates.items, new Probe()))
    expect(await drainSome(stream, 2)).toHaveLength(2)
    const waiting = [stream.chunks().next(), stream.next(), stream.chunks().next()]
    await turns()
    expect(await stream.chunks().return?.()).toEqual(done)
    expect(await Promise.all(waiting)).toEqual([done, done, done])
  })

  inEveryWay('no more than an abort does: its reason goes to the first call that waits', fewer, async (way) => {
    const gates = new Gates(9)
    gates.hold(...ascending(9))
    const controller = new AbortController()
    const stream = way.run(way.source(gates.items), { signal: controller.signal })
    const [first, second] = [rejection(stream.chunks().next()), stream.next()]
    await gates.entered(0)
    controller.abort('enough')
    expect(await first).toBe('enough')
    expect(await second).toEqual(done)
  })

  it('when its pool is terminated, with that error', async () => {
    const doomed = new Pool({ workers: 1 })
    const gates = new Gates(3)
    gates.hold(...ascending(3))
    const chunks = doomed.imap(gated, gates.items).chunks()
    const first = rejection(chunks.next())
    await gates.entered(0)
    await doomed.terminate()
    expect(await first).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
    expect(await chunks.next()).toEqual(done)
  })
})

describe('chunks() of other verbs', () => {
  it('are never empty, also for items without results', async () => {
    const gates = new Gates(200)
    expect(await arrays(pool.filter(keepsNone, gates.items, { chunksize: 7, window: 14 }))).toEqual([])
    const given = await arrays(pool.flatMap(expandTo, [0, 0, 2, 0, 0, 0, 1, 0], { chunksize: 1 }))
    expect(given.flat()).toEqual([0, 1, 0])
  })

  it('are items for a stage, as any iterable', async () => {
    const chunks = pool.imap(gated, new Gates(20).items, { chunksize: 5 }).chunks()
    const sizes = imap((chunk: unknown[]) => chunk.length, chunks, here)
    expect((await drain(sizes)).reduce((sum, size) => sum + size, 0)).toBe(20)
  })
})

/** This many results, by either kind of call. */
async function drainSome(stream: Stream<unknown>, count: number): Promise<unknown[]> {
  const results: unknown[] = []
  while (results.length < count) {
    if (results.length % 2 === 0) results.push((await stream.next()).value)
    else results.push(...((await stream.chunks().next()).value ?? []))
  }
  return results
}
