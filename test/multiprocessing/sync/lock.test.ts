/** Locks and semaphores: on one thread, and across threads. */
import { once } from 'node:events'
import { Pool } from 'millrace'
import { BoundedSemaphore, Event, Lock, RLock, Semaphore, SyncError } from 'millrace/multiprocessing'
import { newCells, ORDER, READY, start } from '../../fixtures/sync-raw.js'
import { locks } from '../../fixtures/sync.js'
import { reached } from '../../support/reached.js'
import { memoryOf } from '../../support/internals.js'

const EACH: readonly (readonly [string, () => Lock | RLock | Semaphore])[] = [
  ['Lock', () => new Lock()],
  ['RLock', () => new RLock()],
  ['Semaphore', () => new Semaphore()],
  ['BoundedSemaphore', () => new BoundedSemaphore(1)],
]

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const result of results) all.push(result)
  return all
}

describe('a lock on one thread', () => {
  it('lets one flow in at a time, in the order of the calls', async () => {
    const lock = new Lock()
    const order: string[] = []
    const flow = (name: string): Promise<void> =>
      lock.withLock(async () => {
        order.push(`${name} in`)
        await new Promise(setImmediate)
        order.push(`${name} out`)
      })
    await Promise.all(['a', 'b', 'c'].map(flow))
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
    expect(lock.locked).toBe(false)
  })

  it('is released by withLock() in every case, and gives the result of the function', async () => {
    const lock = new Lock()
    await expect(lock.withLock(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
    expect(lock.locked).toBe(false)
    await expect(lock.withLock((hold) => [hold.abandoned, lock.locked])).resolves.toEqual([false, true])
  })

  it('is released by `using`, and once at most by a hold', async () => {
    const lock = new Lock()
    {
      using hold = await lock.acquire()
      expect(lock.locked).toBe(true)
      hold.release()
    }
    const first = await lock.acquire()
    lock.release()
    const second = await lock.acquire()
    first.release()
    expect(lock.locked).toBe(true)
    second.release()
    second.release()
    expect(lock.locked).toBe(false)
  })

  it('gives up in time, and lets the next in', async () => {
    const lock = new Lock()
    const hold = await lock.acquire()
    expect(await lock.acquire(0)).toBeUndefined()
    const late = lock.acquire(20)
    const next = lock.acquire()
    expect(await late).toBeUndefined()
    hold.release()
    await expect(next).resolves.toBeDefined()
    expect(await lock.acquire(0)).toBeUndefined()
    lock.release()
    await expect(lock.acquire(0)).resolves.toBeDefined()
  })

  it('has room for many calls, in their order', async () => {
    const lock = new Lock()
    await lock.acquire()
    const order: number[] = []
    const calls = Array.from({ length: 1_000 }, (_, n) => lock.withLock(() => order.push(n)))
    lock.release()
    await Promise.all(calls)
    expect(order).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
  })

  it('keeps the order when its tickets start again', async () => {
    const lock = new Lock()
    // The next ticket is one of the last.
    Atomics.store(memoryOf(lock), 6, 2 ** 30 - 5)
    await lock.acquire()
    const order: number[] = []
    const calls = Array.from({ length: 20 }, (_, n) => lock.withLock(() => order.push(n)))
    lock.release()
    await Promise.all(calls)
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('cannot be released when it is free, nor be acquired synchronously on the main thread', () => {
    const lock = new Lock()
    expect(() => {
      lock.release()
    }).toThrow(new SyncError('Cannot release a lock as nobody holds it: acquire() it first', 'ERR_NOT_OWNER'))
    expect(() => lock.acquireSync()).toThrow(/on the main thread.*await acquire\(\) instead/)
    expect(() => new Semaphore().acquireSync(0)).toThrow(SyncError)
  })

  it.each([-1, NaN, '5', null])('refuses a timeout of %p', async (timeout) => {
    for (const [, make] of EACH) {
      await expect(make().acquire(timeout as number)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    }
  })
})

describe('an RLock', () => {
  it('is taken again by its thread, and free when it was released as often', async () => {
    const lock = new RLock()
    using outer = await lock.acquire()
    using inner = await lock.acquire(0)
    expect(inner).toBeDefined()
    await lock.acquire()
    lock.release()
    inner?.release()
    inner?.release()
    expect(lock.locked).toBe(true)
    outer.release()
    expect(lock.locked).toBe(false)
    expect(() => {
      lock.release()
    }).toThrow(SyncError)
  })
})

describe('a semaphore', () => {
  it('lets in as many as it has permits, then in the order of the calls', async () => {
    const semaphore = new Semaphore(2)
    const holds = [await semaphore.acquire(), await semaphore.acquire()]
    expect([semaphore.value, await semaphore.acquire(0)]).toEqual([0, undefined])
    const order: number[] = []
    const calls = [1, 2, 3].map((n) => semaphore.withLock(() => order.push(n)))
    for (const hold of holds) hold.release()
    await Promise.all(calls)
    expect([order, semaphore.value]).toEqual([[1, 2, 3], 2])
    semaphore.release(5)
    expect(semaphore.value).toBe(7)
  })

  it('lets as many go on as are released at once', async () => {
    const semaphore = new Semaphore(0)
    const calls = [1, 2, 3].map(() => semaphore.acquire())
    semaphore.release(3)
    await Promise.all(calls)
    expect(semaphore.value).toBe(0)
  })

  it.each([-1, 0.5, 2 ** 31, NaN])('refuses a value of %p', (value) => {
    for (const make of [() => new Semaphore(value), () => new BoundedSemaphore(value)]) {
      expect(make).toThrow(RangeError)
      expect(make).toThrow(/'value' must be an integer from 0 to 2147483647: received/)
    }
    expect(() => new Semaphore('1' as unknown as number)).toThrow(TypeError)
    expect(() => {
      new Semaphore().release(value)
    }).toThrow(RangeError)
  })

  it('that is bounded has never more permits than at first', async () => {
    const semaphore = new BoundedSemaphore(2)
    await semaphore.acquire()
    expect(() => {
      semaphore.release(2)
    }).toThrow(/^Cannot release a semaphore by 2 as it has 1 of at most 2 permits already$/)
    semaphore.release()
    expect(() => {
      semaphore.release()
    }).toThrow(RangeError)
    expect(semaphore.value).toBe(2)
    expect(() => {
      new Semaphore(2 ** 31 - 1).release()
    }).toThrow(RangeError)
  })
})

describe('across threads', () => {
  const pool = new Pool({ workers: 4 })
  afterAll(() => pool.close())

  it.each(EACH)('a %s excludes, in async and sync calls mixed', async (_, make) => {
    const lock = make()
    const cells = newCells()
    const items = Array.from({ length: 2_000 }, (_, n) => ({ lock, cells, n }))
    // One item of a thread at a time: a blocked thread cannot run its other items.
    await collect(pool.imap(locks.add, items))
    expect(cells[0]).toBe(2_000)
    expect(lock instanceof Semaphore ? lock.value : lock.locked).toBe(lock instanceof Semaphore ? 1 : false)
  })

  it.each(EACH)('a %s loses nothing when thousands of calls give up', async (_, make) => {
    const lock = make()
    const cells = newCells()
    const items = [1, 2, 3, 4].map((seed) => ({ lock, cells, seed }))
    await collect(pool.imap(locks.giveUp, items, { chunksize: 1 }))
    const [taken = 0, counted = 0, late = 0] = cells
    expect(taken + late).toBe(8_000)
    expect(counted).toBe(taken)
    expect(await lock.acquire(0)).toBeDefined()
  })

  it('is the same lock in initargs, in items and in results', async () => {
    const lock = new Lock()
    const cells = newCells()
    await using own = new Pool({ workers: 3, initializer: locks.keep, initargs: [{ lock, cells }] })
    const known = await collect(
      own.imap(
        locks.addToKept,
        Array.from({ length: 300 }, (_, n) => n),
      ),
    )
    expect([cells[0], known.every(Boolean)]).toEqual([300, true])
    const back = await collect(own.imap(locks.nested, [{ a: [lock] as const, b: new Map([['lock', lock]]) }]))
    expect(back[0]).toBe(lock)
  })

  it('another thread cannot release it, and the error names the holder', async () => {
    const lock = new Lock()
    const event = new Event()
    const [free] = await collect(pool.imap(locks.release, [{ lock }]))
    expect(free).toBe('ERR_NOT_OWNER: Cannot release a lock as nobody holds it: acquire() it first')
    await lock.acquire()
    const [mine] = await collect(pool.imap(locks.release, [{ lock }]))
    expect(mine).toMatch(/^ERR_NOT_OWNER: Cannot release a lock as thread 0, not this one \(\d+\), holds it: /)
    event.set()
    expect(lock.locked).toBe(true)
  })

  it('a thread that would wait for itself gets an error', async () => {
    const item = { lock: new Lock(), semaphore: new Semaphore(0) }
    const [codes] = await collect(pool.imap(locks.blockItself, [item]))
    expect(codes).toEqual(['ERR_DEADLOCK', 'undefined', 'ERR_DEADLOCK'])
    expect([item.lock.locked, item.semaphore.value]).toEqual([false, 0])
  })

  it.each([
    ['Lock', () => new Lock()],
    ['Semaphore', () => new Semaphore()],
  ] as const)('a %s comes to threads in the order in which they asked', async (_, make) => {
    const lock = make()
    const hold = await lock.acquire()
    const cells = newCells()
    const ends: Promise<unknown>[] = []
    for (let number = 0; number < 6; number++) {
      const worker = start(cells, { do: 'acquire in turn', lock, number })
      ends.push(once(worker, 'exit'))
      await reached(cells, READY, number + 1)
      await inLine(lock, number + 2 - (lock instanceof Semaphore ? 1 : 0))
    }
    hold.release()
    await Promise.all(ends)
    expect([...cells.slice(ORDER, ORDER + 6)]).toEqual([0, 1, 2, 3, 4, 5])
  })
})

/** Settles when this many calls are in the queue. A synchronous call can only report before it is there. */
async function inLine(lock: Lock | Semaphore, calls: number): Promise<void> {
  const first = lock instanceof Lock ? 8 : 10
  const words = (): number =>
    memoryOf(lock)
      .slice(first)
      .filter((cell, at) => at % 2 === 1 && cell !== 0).length
  while (words() < calls) await new Promise(setImmediate)
}
