/** Results that this thread cannot read. Only a worker with a larger stack can send them. */
import { NotSerializableError, Pool } from 'millrace'
import { deepEach, deepLater, deepOf, deepSum } from '../fixtures/deep.js'
import { drain, isIdle } from '../support/faults.js'
import { numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { eachValue } from '../support/volume.js'

const resourceLimits = { stackSizeMb: 64 }

/** Items from 0 on. Items at some places must fail. */
function items(length: number, ...bad: readonly number[]): number[] {
  return numbers(length).map((n) => (bad.includes(n) ? -n - 1 : n))
}

/** How the task of a result runs. */
const RUNS = {
  'of a synchronous task': { fn: deepOf, concurrency: 1 },
  'of a task that is awaited': { fn: deepLater, concurrency: 1 },
  'of one of several at once': { fn: deepLater, concurrency: 4 },
}
const WAYS = (Object.keys(RUNS) as (keyof typeof RUNS)[]).flatMap((title) =>
  ([1, 16, 'auto'] as const).flatMap((chunksize) => [true, false].map((ordered) => ({ title, chunksize, ordered }))),
)

describe('a result that cannot be read back', () => {
  for (const { title, chunksize, ordered } of eachValue(WAYS, 'title', 'chunksize', 'ordered')) {
    const { fn, concurrency } = RUNS[title]
    if (ordered)
      it(`${title} is the error of its item alone, in its place (chunksize: ${chunksize})`, async () => {
        await using pool = new Pool({ workers: 2, resourceLimits })
        const given = items(100, 0, 7, 8, 63, 99)
        const outcomes = await drain(pool.imap(fn, given, { chunksize, concurrency, errors: 'settle' }))
        for (const [index, outcome] of outcomes.entries()) {
          if ((given[index] ?? -1) >= 0) expect(outcome).toEqual({ status: 'fulfilled', index, value: index })
          else {
            const { reason } = outcome as { reason: unknown }
            expect(outcome).toMatchObject({ status: 'rejected', index })
            expect(reason).toBeInstanceOf(NotSerializableError)
            expect(reason).toMatchObject({ message: expect.stringContaining(`the result of item ${index} `) as string })
          }
        }
        expect(outcomes).toHaveLength(100)
        await until(() => isIdle(pool))
      })
    else
      it(`${title} is left out alone by an unordered stream that skips errors (chunksize: ${chunksize})`, async () => {
        await using pool = new Pool({ workers: 2, resourceLimits })
        const given = items(100, 3, 50, 51)
        const stream = pool.imapUnordered(fn, given, { chunksize, concurrency, errors: 'skip' })
        expect((await drain(stream)).sort((a, b) => Number(a) - Number(b))).toEqual(given.filter((n) => n >= 0))
        expect(stream.stats()).toMatchObject({ failed: 3, skipped: 3 })
      })
  }

  it('is the error of its item where an item has several', async () => {
    await using pool = new Pool({ workers: 2, resourceLimits })
    const stream = pool.flatMap(deepEach, items(20, 5), { chunksize: 8, errors: 'skip' })
    expect(await drain(stream)).toEqual(numbers(20).flatMap((n) => (n === 5 ? [] : [n, n])))
  })

  it('is the error of a fold', async () => {
    await using pool = new Pool({ workers: 2, resourceLimits })
    const merge = (into: number | object): number | object => into
    const error = await rejection(pool.reduce(deepSum, items(40, 39), { initial: 0, merge }))
    expect(error).toBeInstanceOf(NotSerializableError)
  })

  it('harms no other stream on its worker', async () => {
    await using pool = new Pool({ workers: 1, resourceLimits })
    const [bad, good] = await Promise.all([
      drain(pool.imap(deepOf, items(60, ...numbers(12).map((n) => 5 * n)), { chunksize: 4, errors: 'skip' })),
      drain(pool.imap(deepOf, items(500), { chunksize: 3 })),
    ])
    expect(bad).toHaveLength(48)
    expect(good).toEqual(numbers(500))
  })
})
