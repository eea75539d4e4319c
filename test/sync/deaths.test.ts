/** Threads that end while they hold or wait for a lock and the like, in every way there is, at any moment. */
import { once } from 'node:events'
import { threadId, type Worker } from 'node:worker_threads'
import { Condition, Lock, RLock, Semaphore } from 'millrace'
import { randomOf } from '../support/random.js'
import { reached } from '../support/reached.js'
import { ABANDONED, newCells, READY, ROUNDS, start, STOP, TOTAL, WRONG } from '../fixtures/sync-raw.js'

/** Makes it known when the worker has ended; that it failed as planned is no error. */
function ended(worker: Worker): Promise<unknown> {
  worker.on('error', () => {})
  return new Promise((resolve) => worker.once('exit', resolve))
}

/** Where a lock's places begin, after the number of those that were used. */
const COUNT = 7
const PLACES = 16

/** Takes all places that a lock has in its own memory: calls stand where other locks' calls do. */
function crowded(lock: Lock): Lock {
  for (let place = 0; place < PLACES; place++) lock.memory[COUNT + 1 + 2 * place] = threadId + 1
  lock.memory[COUNT] = PLACES
  return lock
}

describe.each<[string, () => Lock | RLock]>([
  ['Lock', () => new Lock()],
  ['RLock', () => new RLock()],
  ['Lock with a crowd', () => crowded(new Lock())],
])('a %s whose holder ends', (_, make) => {
  it.each(['exit', 'throw', 'wait'] as const)('is released, and the next holder told (%s)', async (then) => {
    const lock = make()
    const cells = newCells()
    const worker = start(cells, { do: 'hold', lock, then })
    const end = ended(worker)
    await reached(cells, READY, 1)
    const next = lock.acquire()
    const third = lock.acquire(10_000)
    if (then === 'wait') await worker.terminate()
    await end
    const hold = await next
    expect([hold.abandoned, lock.locked]).toEqual([true, true])
    hold.release()
    if (lock instanceof Lock) expect((await third)?.abandoned).toBe(false)
  })

  it('is never lost and never held twice, in 100 deaths at any moment', async () => {
    const lock = make()
    const cells = newCells()
    // Its calls stand among those of a lock with a crowd.
    const beside = newCells()
    const neighbour = start(beside, { do: 'churn', lock: crowded(new Lock()), seed: 0, deadly: false })
    const random = randomOf(5)
    const living = new Set<Worker>()
    let deaths = 0
    let seeds = 0
    const begin = (): void => {
      const worker = start(cells, { do: 'churn', lock, seed: ++seeds, deadly: true })
      living.add(worker)
      void ended(worker).then(() => {
        deaths++
        living.delete(worker)
        if (deaths < 97) begin()
      })
    }
    for (let n = 0; n < 4; n++) begin()
    while (living.size > 0) {
      const rounds = Atomics.load(cells, ROUNDS)
      // If they are lost, this never comes.
      await reached(cells, ROUNDS, rounds + 1 + Math.floor(random() * 200))
      void [...living][Math.floor(random() * living.size)]?.terminate()
      if (deaths >= 96) for (const worker of living) await worker.terminate()
    }
    expect(deaths).toBe(100)
    expect(cells[WRONG]).toBe(0)
    expect(cells[ABANDONED]).toBeGreaterThan(0)
    // Some ended between the two counts.
    const [rounds, total] = [Atomics.load(cells, ROUNDS), Atomics.load(cells, TOTAL)]
    expect(total >= rounds && total <= rounds + deaths).toBe(true)
    await expect(lock.acquire(10_000)).resolves.toBeDefined()
    lock.release()
    expect(lock.locked).toBe(false)
    Atomics.store(beside, STOP, 1)
    await ended(neighbour)
    expect([beside[WRONG], beside[TOTAL]]).toEqual([0, beside[ROUNDS]])
  })
})

describe('a thread that ends', () => {
  it('takes what the threads held that it had started', async () => {
    const lock = new Lock()
    const cells = newCells()
    const worker = start(cells, { do: 'hold in a child', lock })
    await reached(cells, READY, 1)
    await worker.terminate()
    expect((await lock.acquire()).abandoned).toBe(true)
  })

  it('leaves a permit that was on its way to it to the next', async () => {
    const semaphore = new Semaphore(0)
    for (let n = 0; n < 20; n++) {
      const cells = newCells()
      const worker = start(cells, { do: 'wait, blocked', semaphore })
      await reached(cells, READY, 1)
      const next = semaphore.acquire()
      const end = once(worker, 'exit')
      if (n % 2 === 0) semaphore.release()
      void worker.terminate()
      if (n % 2 === 1) semaphore.release()
      await end
      await next
      expect([semaphore.value, cells[WRONG]]).toEqual([0, 0])
    }
  })

  it('leaves it to the living, who take and give meanwhile', async () => {
    const semaphore = new Semaphore(1)
    const cells = newCells()
    const living = [1, 2].map((seed) => start(cells, { do: 'churn', lock: semaphore, seed, deadly: false }))
    for (let n = 0; n < 50; n++) {
      const own = newCells()
      const worker = start(own, { do: 'wait, blocked', semaphore })
      await reached(own, READY, 1)
      await worker.terminate()
      expect(own[WRONG]).toBe(0)
      // If the permit is lost, this never comes.
      await reached(cells, ROUNDS, Atomics.load(cells, ROUNDS) + 5)
    }
    Atomics.store(cells, STOP, 1)
    await Promise.all(living.map((worker) => once(worker, 'exit')))
    expect([semaphore.value, cells[WRONG]]).toEqual([1, 0])
  })

  it('leaves a notification that was on its way to it to the next', async () => {
    const condition = new Condition()
    const cells = newCells()
    const worker = start(cells, { do: 'wait for a condition', condition })
    await reached(cells, READY, 1)
    const next = condition.withLock(() => condition.wait())
    await condition.withLock(() => {
      condition.notify()
    })
    await worker.terminate()
    expect(await next).toBe(true)
  })
})

it('keeps no place for calls that have ended', async () => {
  const lock = new Lock()
  const cells = newCells()
  const workers = [1, 2].map((seed) => start(cells, { do: 'churn', lock, seed, deadly: false }))
  await reached(cells, ROUNDS, 1000)
  Atomics.store(cells, STOP, 1)
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect(lock.memory[COUNT]).toBeLessThan(8)
})
