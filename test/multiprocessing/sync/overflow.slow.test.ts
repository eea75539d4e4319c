/**
 * More waiting calls than a lock has places, and more locks than mappings for memory that grows. Ends of threads there:
 * `deaths.slow.test.ts`.
 */
import { once } from 'node:events'
import { Condition, Lock, Semaphore } from 'millrace/multiprocessing'
import { newCells, READY, ROUNDS, start, STOP, TOTAL, WRONG } from '../../fixtures/sync-raw.js'
import { runProgram } from '../../support/programs.js'
import { reached } from '../../support/reached.js'
import { times } from '../../support/volume.js'

/** There are at most 65,530 mappings, by default. */
const count = times(70_000, 100_000)
it(`${count} values, each with a lock, live on two threads`, async () => {
  const ending = await runProgram('many-locks.js', [String(count)], { limit: 50_000 })
  expect(ending).toMatchObject({ code: 0, signal: null, stdout: `${2 * count}\n`, stderr: '' })
})

describe('calls in the places that locks have in common', () => {
  it('have each lock in the order in which they asked for it', async () => {
    const locks = [new Lock(), new Lock(), new Semaphore()]
    const holds = await Promise.all(locks.map((lock) => lock.acquire()))
    const orders: number[][] = locks.map(() => [])
    const calls: Promise<unknown>[] = []
    for (let n = 0; n < 300; n++) {
      for (const [at, lock] of locks.entries()) calls.push(lock.withLock(() => orders[at]?.push(n)))
    }
    for (const hold of holds) hold.release()
    await Promise.all(calls)
    for (const order of orders) expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n))
  })

  it('give up, and leave the others theirs', async () => {
    const locks = [new Lock(), new Lock()]
    const holds = await Promise.all(locks.map((lock) => lock.acquire()))
    const calls = locks.flatMap((lock) => Array.from({ length: 100 }, (_, n) => lock.acquire(n % 3 === 0 ? 1 : 60_000)))
    const short = calls.filter((_, at) => (at % 100) % 3 === 0)
    expect(await Promise.all(short)).toEqual(short.map(() => undefined))
    for (const hold of holds) hold.release()
    for (const [at, call] of calls.entries()) if ((at % 100) % 3 !== 0) (await call)?.release()
    expect(locks.map((lock) => lock.locked)).toEqual([false, false])
  })

  it('are notified, as many as are to be, and all', async () => {
    const condition = new Condition()
    let woken = 0
    const calls = Array.from({ length: 100 }, () =>
      condition.withLock(async () => {
        await condition.wait()
        woken++
      }),
    )
    await condition.withLock(() => {
      condition.notify(40)
    })
    await Promise.all(calls.slice(0, 40))
    expect(woken).toBe(40)
    await condition.withLock(() => {
      condition.notifyAll()
    })
    await Promise.all(calls)
    expect(woken).toBe(100)
  })

  it('of several threads keep each other apart', async () => {
    const locks = [new Lock(), new Lock()]
    const boards = locks.map(() => newCells())
    const ends: Promise<unknown>[] = []
    for (const [at, lock] of locks.entries()) {
      const cells = boards[at] ?? newCells()
      // They take all its own places.
      const crowd = Array.from({ length: 40 }, () => lock.acquire())
      for (const seed of [1, 2]) ends.push(once(start(cells, { do: 'churn', lock, seed, deadly: false }), 'exit'))
      await reached(cells, READY, 2)
      for (const call of crowd) (await call).release()
    }
    for (const cells of boards) await reached(cells, ROUNDS, 500)
    for (const cells of boards) Atomics.store(cells, STOP, 1)
    await Promise.all(ends)
    for (const cells of boards) expect([cells[WRONG], cells[TOTAL]]).toEqual([0, cells[ROUNDS]])
    expect(locks.map((lock) => lock.locked)).toEqual([false, false])
  })
})
