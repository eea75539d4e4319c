/** The option `workers: n` of a stream: at most n workers of the pool run its chunks at once. */
import { Pool, type Stream } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { add, exitAt, twice } from '../fixtures/workers-of-a-stream.js'
import { Gates } from '../support/gates.js'
import { inTime } from '../support/matrix.js'

const pool = new Pool({ workers: 4, name: 'four' })
afterEach(() => {
  Gates.openAll()
})
afterAll(() => pool.terminate())

async function all<R>(stream: Stream<R>): Promise<R[]> {
  const results: R[] = []
  for await (const result of stream) results.push(result)
  return results
}

/** The workers that have run any of the items so far. */
function workersOf(gates: Gates): Set<number> {
  return new Set(
    Array.from({ length: gates.count }, (_, i) => i)
      .filter((i) => gates.entries(i) > 0)
      .map((i) => gates.worker(i)),
  )
}

describe('workers: n', () => {
  it.each([1, 2, 3])('runs items on %i workers at once, and on no more', async (workers) => {
    const gates = new Gates(12)
    gates.hold(...Array(12).keys())
    const results = all(pool.imap(gated, gates.items, { workers, chunksize: 1, window: 12 }))
    await Promise.all(Array.from({ length: workers }, (_, i) => gates.entered(i)))
    // Another stream comes after everything that the first one can have sent. It finds the other workers free.
    expect(await all(pool.imap(gated, new Gates(8).items, { chunksize: 1 }))).toHaveLength(8)
    expect(workersOf(gates).size).toBe(workers)
    gates.releaseAll()
    expect(gates.indexes(await results)).toEqual([...Array(12).keys()])
  })

  it('does not keep a chunk of another stream behind its own while a worker is idle', async () => {
    for (let n = 0; n < 60; n++) {
      const gates = new Gates(12)
      gates.hold(...Array(12).keys())
      const results = all(pool.imap(gated, gates.items, { workers: 3, chunksize: 1, window: 12 }))
      await Promise.all([0, 1, 2].map((i) => gates.entered(i)))
      expect(await inTime(all(pool.imap(gated, new Gates(60).items, { chunksize: 1, window: 60 })))).toHaveLength(60)
      gates.releaseAll()
      expect(await inTime(results)).toHaveLength(12)
    }
  })

  it('keeps to the window for this number of workers, and to the order', async () => {
    const stream = pool.imap(gated, new Gates(50).items, { workers: 2, chunksize: 5 })
    expect(stream.stats().window).toBe(40)
    expect(await all(stream)).toHaveLength(50)
  })

  it('shares its workers with other streams, chunk by chunk, and several such streams have different ones', async () => {
    const [one, two] = [new Gates(6), new Gates(6)]
    one.hold(0, 1)
    two.hold(0, 1)
    const results = [one, two].map((gates) => all(pool.imap(gated, gates.items, { workers: 2, chunksize: 1 })))
    await Promise.all([one, two].flatMap((gates) => [gates.entered(0), gates.entered(1)]))
    expect(new Set([...workersOf(one), ...workersOf(two)]).size).toBe(4)
    one.releaseAll()
    two.releaseAll()
    for (const [i, gates] of [one, two].entries()) {
      expect(gates.indexes((await results[i]) ?? [])).toEqual([0, 1, 2, 3, 4, 5])
    }
  })

  it('continues when its only worker dies, with the chunks that waited for it', async () => {
    const gates = new Gates(20)
    const outcomes = await all(
      pool.imap(
        exitAt,
        gates.items.map((_, i) => i),
        { workers: 1, chunksize: 1, errors: 'settle' },
      ),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 5 === 3 ? 'rejected' : 'fulfilled')),
    )
    expect(pool.stats()).toMatchObject({ waiting: 0, streams: 0 })
  })

  it('is taken by every verb', async () => {
    const items = new Gates(3).items
    const options = { workers: 1 } as const
    expect(await pool.map(gated, items, options)).toHaveLength(3)
    expect(await all(pool.filter(gated, items, options))).toHaveLength(3)
    expect(await all(pool.flatMap(twice, items, options))).toHaveLength(6)
    expect(await all(pool.istarmap(twice, [[1]], options))).toEqual([[1, 1]])
    expect(await pool.starmap(twice, [[1]], options)).toEqual([[1, 1]])
    expect(await pool.apply(twice, [1], options)).toEqual([1, 1])
    const sum = { initial: 0, merge: (a: number, b: number) => a + b, ...options }
    expect(await pool.reduce(add, [1, 2, 3], sum)).toBe(6)
  })

  it('leaves the pool free when it is left early', async () => {
    const gates = new Gates(9)
    gates.hold(1)
    for await (const result of pool.imap(gated, gates.items, { workers: 1, chunksize: 1 })) {
      expect(gates.index(result)).toBe(0)
      break
    }
    gates.releaseAll()
    expect(await all(pool.imap(gated, new Gates(9).items))).toHaveLength(9)
    expect(pool.stats()).toMatchObject({ waiting: 0, streams: 0 })
  })
})
