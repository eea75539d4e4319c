/** A consumer leaves a stream while its worker runs an item. The worker gets a grace time, and is ended after it. */
import type { Stream } from 'millrace'
import { count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { act, GATE, item, STARTED, type Act } from '../fixtures/contract-b-tasks.js'
import { leave } from '../fixtures/faults.js'
import { boardPool, numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { drain, expectNothingLeft, isIdle, resources, startedDuring } from '../support/faults.js'
import { isFull } from '../support/volume.js'

/** The grace time of a worker, in milliseconds. */
const GRACE = 1_000
/** A timer can fire a millisecond early. */
const EARLY = 2

type HeldPool = ReturnType<typeof boardPool>

/**
 * Leaves a stream when its second item has begun and its first result was given. Every item except the first does what
 * `what` says.
 */
type Leave = (pool: HeldPool, test: number, what: Act) => Promise<void>

function open(pool: HeldPool, test: number, what: Act, signal?: AbortSignal): Stream<number> {
  const items = numbers(5).map((n) => item(test, n, n === 0 ? 'go' : what))
  return pool.imap(act, items, { chunksize: 1, ...(signal && { signal }) })
}

const LEAVES: Readonly<Record<string, Leave>> = {
  break: async (pool, test, what) => {
    for await (const n of open(pool, test, what)) {
      expect(n).toBe(0)
      await reaches(test + STARTED, 2)
      break
    }
  },
  'return()': async (pool, test, what) => {
    const stream = open(pool, test, what)
    await stream.next()
    const pending = stream.next()
    await reaches(test + STARTED, 2)
    await stream.return()
    expect(await pending).toEqual({ done: true, value: undefined })
  },
  'an abort': async (pool, test, what) => {
    const controller = new AbortController()
    const stream = open(pool, test, what, controller.signal)
    await stream.next()
    await reaches(test + STARTED, 2)
    controller.abort()
    expect(await rejection(stream.next())).toBe(controller.signal.reason)
  },
}

/**
 * Takes as long as the grace time. When this pool's worker has been replaced, the grace time of workers that were left
 * earlier is over.
 */
async function graceTime(): Promise<void> {
  await using clock = boardPool({ workers: 1 })
  await LEAVES['return()']?.(clock, row(), 'spin')
  await drain(clock.imap(act, [item(row(), 0)]))
}

/** Each takes the grace time. Full volume leaves in every way during every kind of item. */
const WHILE: Readonly<Record<string, readonly Act[]>> = { break: ['spin'], 'return()': ['hang'], 'an abort': ['spin'] }

for (const [how, leave] of Object.entries(LEAVES)) {
  describe(`a stream that is left by ${how}, without a time limit`, () => {
    for (const what of isFull ? (['spin', 'hang'] as const) : (WHILE[how] ?? [])) {
      const title = what === 'spin' ? 'in an endless loop' : 'at a promise that never settles'

      it(`has its worker replaced after the grace time if that is ${title}; the next stream runs on`, async () => {
        const before = resources()
        const pool = boardPool({ workers: 1 })
        const test = row()
        const started = await startedDuring(async () => {
          const began = performance.now()
          await leave(pool, test, what)
          expect(
            await drain(
              pool.imap(
                act,
                numbers(30).map((n) => item(row(), n)),
              ),
            ),
          ).toEqual(numbers(30))
          expect(performance.now() - began).toBeGreaterThanOrEqual(GRACE - EARLY)
        })
        expect(started).toBe(2)
        // Items that waited behind this one never began, and do not fail by the end of the worker.
        expect(count(test + STARTED)).toBe(2)
        expect(pool.stats()).toMatchObject({ crashes: 0, timeouts: 0, recycled: 0 })
        await until(() => isIdle(pool))
        await pool.close()
        await expectNothingLeft(before)
      })
    }

    if (!isFull && how !== 'an abort') return
    it('keeps its worker if that ends the item within the grace time', async () => {
      await using pool = boardPool({ workers: 1 })
      const test = row()
      const next = row()
      const started = await startedDuring(async () => {
        await leave(pool, test, 'block')
        raise(test + GATE)
        // It runs another item when the grace time is over. That item must not fail.
        const results = drain(pool.imap(act, [item(next, 0, 'block'), item(next, 1)], { chunksize: 1 }))
        await reaches(next + STARTED, 1)
        // The clock is a worker, too: two with the one that it loses.
        await graceTime()
        raise(next + GATE)
        expect(await results).toEqual([0, 1])
      })
      expect(started).toBe(1 + 2)
      expect(count(test + STARTED)).toBe(2)
      expect(pool.stats()).toMatchObject({ crashes: 0, timeouts: 0, recycled: 0 })
    })
  })
}

describe('while the worker of a stream that was left has its grace time', () => {
  it('another stream waits and does not lose an item: each runs once, in order', async () => {
    await using pool = boardPool({ workers: 1 })
    const [test, other] = [row(), row()]
    const started = await startedDuring(async () => {
      const results: number[] = []
      const beside = pool.imap(
        act,
        numbers(40).map((n) => item(other, n)),
        { chunksize: 3 },
      )
      results.push((await beside.next()).value ?? NaN)
      await LEAVES['return()']?.(pool, test, 'spin')
      results.push(...(await drain(beside)))
      expect(results).toEqual(numbers(40))
    })
    expect(started).toBe(2)
    expect(count(other + STARTED)).toBe(40)
  })

  it('others of the pool go on at once', async () => {
    await using pool = boardPool({ workers: 2 })
    await drain(pool.imap(act, [item(row(), 0), item(row(), 1)], { chunksize: 1 }))
    await until(() => pool.stats().ready === 2)
    const test = row()
    const stream = pool.imap(act, [item(test, 0, 'spin')])
    const pending = stream.next()
    await reaches(test + STARTED, 1)
    const began = performance.now()
    await stream.return()
    await pending
    expect(
      await drain(
        pool.imap(
          act,
          numbers(30).map((n) => item(row(), n)),
        ),
      ),
    ).toEqual(numbers(30))
    expect(performance.now() - began).toBeLessThan(GRACE)
  })

  it('all workers may be at such items: all are replaced', async () => {
    await using pool = boardPool({ workers: 3 })
    const test = row()
    const started = await startedDuring(async () => {
      const stream = pool.imap(
        act,
        numbers(9).map((n) => item(test, n, 'spin')),
        { chunksize: 1 },
      )
      const pending = stream.next()
      await reaches(test + STARTED, 3)
      await stream.return()
      await pending
      // Each of these ends only after all have begun.
      const met = row()
      const results = drain(
        pool.imap(
          act,
          numbers(3).map((n) => item(met, n, 'block')),
          { chunksize: 1 },
        ),
      )
      await reaches(met + STARTED, 3)
      raise(met + GATE)
      expect(await results).toEqual(numbers(3))
    })
    expect(started).toBe(6)
    expect(count(test + STARTED)).toBe(3)
  })

  for (const end of ['close', 'terminate'] as const) {
    it(`${end}() does not wait for it, and leaves nothing`, async () => {
      const before = resources()
      const pool = boardPool({ workers: 1 })
      const started = await startedDuring(async () => {
        await LEAVES['return()']?.(pool, row(), 'spin')
        const began = performance.now()
        await pool[end]()
        expect(performance.now() - began).toBeLessThan(GRACE)
        await graceTime()
      })
      expect(started).toBe(1 + 2)
      expect(pool.stats()).toMatchObject({ starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0 })
      await expectNothingLeft(before)
    })
  }
})

describe('close() of a pool with a finalizer, when a stream was left', () => {
  for (const what of ['spin', 'hang'] as const) {
    it(`waits only for the grace time for a worker that does not stop (${what})`, async () => {
      const pool = boardPool({ workers: 1, finalizer: leave })
      await LEAVES['return()']?.(pool, row(), what)
      expect(await pool.close()).toEqual(what === 'spin' ? [] : ['left'])
      expect(pool.stats()).toMatchObject({ starting: 0, ready: 0 })
    })
  }
})
