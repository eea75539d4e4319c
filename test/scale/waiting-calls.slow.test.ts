/**
 * Ten thousand calls of one thread that wait at once: they are in order, and the cost of one does not depend on their
 * number.
 */
import { Pool } from 'millrace'
import { Condition, Event, Lock, Queue, RLock, Semaphore } from 'millrace/multiprocessing'
import { given } from '../fixtures/given.js'

const pool = new Pool({ workers: 1, name: 'waiting calls' })
afterAll(() => pool.terminate())

/** Lets this many calls wait, and then continue. Gives the order in which they did. */
type Run = (calls: number) => Promise<number[]>

/** Each call takes it, and releases it one microtask later. */
function inTurn(make: () => Lock | Semaphore): Run {
  return async (calls) => {
    const lock = make()
    const hold = await lock.acquire()
    const order: number[] = []
    const waiting = Array.from({ length: calls }, async (_, n) => {
      const own = await lock.acquire()
      order.push(n)
      await Promise.resolve()
      own.release()
    })
    hold.release()
    await Promise.all(waiting)
    return order
  }
}

const RUNS: Record<string, Run> = {
  Lock: inTurn(() => new Lock()),
  RLock: async (calls) => {
    const lock = new RLock()
    // Calls of the thread that holds it would not wait.
    await pool.apply(given.hold, [lock])
    const order: number[] = []
    const waiting = Array.from({ length: calls }, async (_, n) => {
      const own = await lock.acquire()
      order.push(n)
      await Promise.resolve()
      own.release()
    })
    await pool.apply(given.release, [lock])
    await Promise.all(waiting)
    return order
  },
  Semaphore: inTurn(() => new Semaphore(1)),
  'Semaphore with many permits': async (calls) => {
    const semaphore = new Semaphore(0)
    const order: number[] = []
    const waiting = Array.from({ length: calls }, async (_, n) => {
      await semaphore.acquire()
      order.push(n)
    })
    semaphore.release(calls)
    await Promise.all(waiting)
    return order
  },
  Condition: async (calls) => {
    const condition = new Condition()
    const order: number[] = []
    const waiting = Array.from({ length: calls }, async (_, n) => {
      await condition.acquire()
      await condition.wait()
      order.push(n)
      condition.release()
    })
    // They have the lock one after another.
    await condition.acquire()
    for (let told = 0; told < calls / 2; told++) condition.notify()
    condition.notifyAll()
    condition.release()
    await Promise.all(waiting)
    return order
  },
  Event: async (calls) => {
    const event = new Event()
    const order: number[] = []
    const waiting = Array.from({ length: calls }, async (_, n) => {
      await event.wait()
      order.push(n)
    })
    event.set()
    await Promise.all(waiting)
    return order
  },
  Queue: async (calls) => {
    const queue = new Queue<number>()
    const waiting = Array.from({ length: calls }, () => queue.get())
    for (let n = 0; n < calls; n++) await queue.put(n)
    return Promise.all(waiting)
  },
}

const [FEW, MANY] = [1_000, 10_000]

async function timeOf(run: Run, calls: number): Promise<number> {
  const began = performance.now()
  const order = await run(calls)
  const time = performance.now() - began
  expect(order).toEqual(Array.from({ length: calls }, (_, n) => n))
  return time
}

describe.each(Object.entries(RUNS))('%s', (_, run) => {
  it(`lets ${MANY} waiting calls go on in their order, and ten times as many take not 40 times as long`, async () => {
    await timeOf(run, FEW)
    const growth: number[] = []
    // Other programs may use the processor: the best of three counts.
    for (let n = 0; n < 3; n++) growth.push((await timeOf(run, MANY)) / (await timeOf(run, FEW)))
    expect(Math.min(...growth)).toBeLessThan(40)
  })
})
