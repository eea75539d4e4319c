/** Events, conditions and barriers: on one thread, and across threads. */
import { Pool } from 'millrace'
import { Barrier, BrokenBarrierError, Condition, Event, Lock, RLock, SyncError } from 'millrace/multiprocessing'
import { newCells } from '../../fixtures/sync-raw.js'
import { locks } from '../../fixtures/sync.js'
import { memoryOf } from '../../support/internals.js'

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const result of results) all.push(result)
  return all
}

/** Settles when this many calls wait at the barrier. */
async function waiting(barrier: Barrier, calls: number): Promise<void> {
  while (barrier.waiting < calls) await new Promise(setImmediate)
}

const pool = new Pool({ workers: 4 })
afterAll(() => pool.close())

describe('an event', () => {
  it('is waited for until it is set, then not until it is cleared', async () => {
    const event = new Event()
    expect([event.isSet, await event.wait(0), await event.wait(20)]).toEqual([false, false, false])
    const all = Promise.all([event.wait(), event.wait(10_000)])
    event.set()
    event.set()
    // Calls that waited when it was set are woken, although it is clear by now.
    event.clear()
    expect([await all, event.isSet]).toEqual([[true, true], false])
    event.set()
    expect([await event.wait(0), event.isSet]).toEqual([true, true])
    event.clear()
    event.clear()
    expect(await event.wait(1)).toBe(false)
  })

  it.each([false, true])('is heard of on all threads (sync: %p)', async (sync) => {
    const event = new Event()
    const [late] = await collect(pool.imap(locks.waitFor, [{ event: new Event(), sync, timeout: 1 }]))
    const results = collect(pool.imap(locks.waitFor, Array(4).fill({ event, sync }), { chunksize: 1 }))
    event.set()
    expect([await results, late]).toEqual([[true, true, true, true], false])
  })

  it('is not waited for synchronously on the main thread', () => {
    expect(() => new Event().waitSync()).toThrow(/on the main thread.*await wait\(\) instead/)
  })
})

describe('a condition', () => {
  it('wakes the given number of calls, those that have waited longest first, and gives each the lock', async () => {
    const condition = new Condition()
    const order: number[] = []
    const calls = [1, 2, 3, 4].map((n) =>
      condition.withLock(async () => {
        expect(await condition.wait()).toBe(true)
        order.push(n)
      }),
    )
    await condition.withLock(() => {
      condition.notify()
    })
    await calls[0]
    expect(order).toEqual([1])
    await condition.withLock(() => {
      condition.notify(2)
    })
    await Promise.all(calls.slice(0, 3))
    expect(order).toEqual([1, 2, 3])
    await condition.withLock(() => {
      condition.notifyAll()
    })
    await Promise.all(calls)
    expect(order).toEqual([1, 2, 3, 4])
  })

  it('gives up in time, with the lock held, which its hold still releases', async () => {
    const lock = new Lock()
    const condition = new Condition(lock)
    {
      using _ = await condition.acquire()
      expect([await condition.wait(5), lock.locked]).toEqual([false, true])
      expect(await condition.waitFor(() => false, 5)).toBe(false)
      expect(await condition.waitFor(() => true, 0)).toBe(true)
    }
    expect(lock.locked).toBe(false)
  })

  it('releases an RLock wholly while it waits, and takes it as often again', async () => {
    const lock = new RLock()
    const condition = new Condition(lock)
    await lock.acquire()
    await lock.acquire()
    const woken = condition.wait()
    expect(lock.locked).toBe(false)
    await lock.acquire()
    condition.notify()
    lock.release()
    expect(await woken).toBe(true)
    lock.release()
    expect(lock.locked).toBe(true)
    lock.release()
    expect(lock.locked).toBe(false)
  })

  it('is only for the holder of the lock', async () => {
    const condition = new Condition()
    await expect(condition.wait()).rejects.toThrow(SyncError)
    expect(() => {
      condition.notify()
    }).toThrow('Cannot notify a condition as nobody holds it')
    expect(() => condition.waitSync()).toThrow(/main thread/)
    await expect(condition.waitFor(() => true)).rejects.toThrow(SyncError)
    expect(() => new Condition(new Event() as unknown as Lock)).toThrow(TypeError)
  })

  it.each([
    ['Lock', () => new Lock()],
    ['RLock', () => new RLock()],
  ] as const)('carries a producer and consumers over one %s with two conditions', async (_, make) => {
    const lock = make()
    const item = { free: new Condition(lock), full: new Condition(lock), cells: newCells() }
    const items = [
      { ...item, puts: true, n: 600 },
      { ...item, puts: false, n: 300 },
      { ...item, puts: true, n: 200 },
      { ...item, puts: false, n: 500 },
    ]
    await collect(pool.imap(locks.trade, items, { chunksize: 1 }))
    expect([...item.cells.slice(0, 2)]).toEqual([0, 800])
    expect(lock.locked).toBe(false)
  })

  it('refuses a predicate that is async, which would count as true, or that is missing', async () => {
    const condition = new Condition()
    const error = { name: 'TypeError', code: 'ERR_INVALID_OPTION' }
    await condition.withLock(async () => {
      const later = (() => Promise.resolve(false)) as unknown as () => boolean
      await expect(condition.waitFor(later)).rejects.toMatchObject(error)
      await expect(condition.waitFor(50 as unknown as () => boolean)).rejects.toMatchObject(error)
    })
  })
})

describe('a barrier', () => {
  it('lets all go on together, round after round', async () => {
    const barrier = new Barrier(3)
    for (let round = 0; round < 5; round++) {
      const first = [barrier.wait(), barrier.wait()]
      expect([barrier.waiting, barrier.parties, barrier.broken]).toEqual([2, 3, false])
      expect(await Promise.all([...first, barrier.wait()])).toEqual([0, 1, 2])
    }
    expect(await new Barrier(1).wait()).toBe(0)
  })

  it('is broken by a call that is out of time, until it is reset', async () => {
    const barrier = new Barrier(3, { timeout: 50 })
    const calls = await Promise.allSettled([barrier.wait(), barrier.wait(5)])
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([barrier.broken, barrier.waiting]).toEqual([true, 0])
    await expect(barrier.wait()).rejects.toThrow(BrokenBarrierError)
    barrier.reset()
    expect(barrier.broken).toBe(false)
    expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2])
    await expect(barrier.wait()).rejects.toThrow(BrokenBarrierError)
  })

  it.each(['abort', 'reset'] as const)('is broken for those who wait by %s()', async (how) => {
    const barrier = new Barrier(3)
    const calls = Promise.allSettled([barrier.wait(), barrier.wait()])
    barrier[how]()
    // The next round begins before they notice.
    if (how === 'reset') void Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])
    expect((await calls).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(barrier.broken).toBe(how === 'abort')
  })

  it('holds four threads together, in async and sync calls', async () => {
    const barrier = new Barrier(4)
    const cells = newCells()
    const items = Array.from({ length: 4 }, () => ({ barrier, rounds: 200, cells }))
    const places = await collect(pool.imap(locks.meet, items, { chunksize: 1 }))
    expect([...cells.slice(0, 2)]).toEqual([800, 0])
    for (let round = 0; round < 200; round++) {
      expect(places.map((own) => own[round] ?? -1).sort()).toEqual([0, 1, 2, 3])
    }
  })

  it.each(['abort', 'reset', 'exit'] as const)(
    'is broken for all threads when one of them does this: %s',
    async (how) => {
      const barrier = new Barrier(4)
      const here = barrier.wait()
      const seen = here.catch((error: unknown) => error)
      await waiting(barrier, 1)
      await collect(pool.imap(locks.breakBarrier, [{ barrier, how }], { errors: 'skip' }))
      expect(await seen).toBeInstanceOf(BrokenBarrierError)
      expect(barrier.broken).toBe(how !== 'reset')
    },
  )

  it.each([0, 1.5, -1, 65_536, '2'])('refuses %p parties', (parties) => {
    expect(() => new Barrier(parties as number)).toThrow(/'parties' must be an integer from 1 to 65535/)
  })

  it('refuses bad options', async () => {
    expect(() => new Barrier(2, { timeout: -1 })).toThrow(RangeError)
    expect(() => new Barrier(2, { action: () => 1 } as object)).toThrow(/has no option 'action'/)
    await expect(new Barrier(2).wait(-1)).rejects.toThrow(RangeError)
    expect(() => new Barrier(2).waitSync()).toThrow(/main thread/)
  })
})

describe('reset() of a barrier is one step', () => {
  it('a party that was sent away and waits again at once comes to the new round', async () => {
    const barrier = new Barrier(3)
    const again = async (): Promise<string> => {
      try {
        await barrier.wait()
        return 'through'
      } catch (error) {
        if (!(error instanceof BrokenBarrierError)) throw error
        return `sent away, then ${await barrier.wait()}`
      }
    }
    const parties = [again(), again()]
    barrier.reset()
    // They wait again before this one comes.
    await waiting(barrier, 2)
    expect([barrier.broken, barrier.waiting]).toEqual([false, 2])
    expect(await barrier.wait()).toBe(2)
    expect(await Promise.all(parties)).toEqual(['sent away, then 0', 'sent away, then 1'])
  })

  it.each<[string, (barrier: Barrier) => void | Promise<void>]>([
    [
      'abort()',
      (barrier) => {
        barrier.abort()
        barrier.reset()
      },
    ],
    [
      'a call whose time is over',
      async (barrier) => {
        await expect(barrier.wait(0)).rejects.toThrow(BrokenBarrierError)
      },
    ],
    [
      'reset()',
      (barrier) => {
        barrier.reset()
        barrier.reset()
      },
    ],
  ])('after %s', async (_, end) => {
    const barrier = new Barrier(4)
    const parties = [barrier.wait(), barrier.wait()]
    const ends = Promise.allSettled(parties)
    await end(barrier)
    barrier.reset()
    const again = Array.from({ length: 4 }, () => barrier.wait())
    for (const party of await ends) expect(party).toMatchObject({ reason: { code: 'ERR_BROKEN_BARRIER' } })
    expect(await Promise.all(again)).toEqual([0, 1, 2, 3])
  })

  it('is ended by the next that comes, if its thread ends in the middle of it', async () => {
    const barrier = new Barrier(2)
    const early = barrier.wait()
    // The state after a thread has ended after the first step: the round is over, and its calls are sent away.
    const state = memoryOf(barrier)[4] ?? 0
    Atomics.store(memoryOf(barrier), 4, (state & ~(0xffff << 1)) | (1 << 1) | 1)
    expect([barrier.broken, barrier.waiting]).toEqual([false, 0])
    const late = barrier.wait()
    await expect(early).rejects.toThrow(BrokenBarrierError)
    expect(await Promise.all([late, barrier.wait()])).toEqual([0, 1])
  })
})
