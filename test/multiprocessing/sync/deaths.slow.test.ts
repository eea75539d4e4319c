/** Threads that end at any moment, in every possible way, while they hold or wait for a lock or a similar object. */
import { once } from 'node:events'
import { threadId, type Worker } from 'node:worker_threads'
import { Barrier, Condition, Lock, Queue, RLock, Semaphore } from 'millrace/multiprocessing'
import { randomOf } from '../../support/random.js'
import { reached } from '../../support/reached.js'
import {
  ABANDONED,
  INSIDE,
  newCells,
  ORDER,
  PUT,
  READY,
  ROOM,
  ROUNDS,
  start,
  STOP,
  TOOK,
  TOTAL,
  WRONG,
  type Deed,
  type Grants,
} from '../../fixtures/sync-raw.js'
import { times } from '../../support/volume.js'
import { memoryOf } from '../../support/internals.js'

/** Settles when the worker has ended. A planned failure is not an error. */
function ended(worker: Worker): Promise<unknown> {
  worker.on('error', () => {})
  return new Promise((resolve) => worker.once('exit', resolve))
}

/**
 * Starts workers, and replaces each that ends. Ends this many of them at random moments, while they make progress.
 *
 * @param deedOf The action of the n-th worker at a place of `places`.
 * @param isEnough Ends no fewer than this asks for.
 * @returns The number of workers that ended. The last ones live, and make progress.
 */
async function endAtRandom(
  cells: Int32Array<SharedArrayBuffer>,
  { places, most }: { readonly places: number; readonly most: number },
  deedOf: (place: number, seed: number) => Deed,
  isEnough = () => true,
): Promise<{ readonly deaths: number; readonly living: readonly Promise<unknown>[] }> {
  const random = randomOf(most)
  const living: { worker: Worker; end: Promise<unknown> }[] = []
  let [deaths, seeds] = [0, 0]
  const begin = (place: number): void => {
    const worker = start(cells, deedOf(place, ++seeds))
    const end = ended(worker).then(() => {
      if (Atomics.load(cells, STOP) === 1) return
      deaths++
      begin(place)
    })
    living[place] = { worker, end }
  }
  for (let place = 0; place < places; place++) begin(place)
  while (deaths < most || !isEnough()) {
    // If no worker can continue, this never settles.
    await reached(cells, ROUNDS, Atomics.load(cells, ROUNDS) + 1 + Math.floor(random() * 200))
    void living[Math.floor(random() * places)]?.worker.terminate()
  }
  await reached(cells, ROUNDS, Atomics.load(cells, ROUNDS) + 1_000)
  return { deaths, living: living.map(({ end }) => end) }
}

/** Whether a thread has taken over from one that ended with the lock. */
function hasAbandoned(cells: Int32Array<SharedArrayBuffer>): boolean {
  return Atomics.load(cells, ABANDONED) > 0
}

interface Stock {
  readonly cells: Int32Array<SharedArrayBuffer>
  readonly lock: Lock
  readonly full: Condition
  readonly free: Condition
}

function newStock(): Stock {
  const lock = new Lock()
  return { cells: newCells(), lock, full: new Condition(lock), free: crowded(new Condition(lock)) }
}

/** Ends the workers that trade, and checks that the rest of the stock is possible. */
async function stopTrade(
  cells: Int32Array<SharedArrayBuffer>,
  conditions: readonly Condition[],
  ends: readonly Promise<unknown>[],
): Promise<void> {
  Atomics.store(cells, STOP, 1)
  for (const condition of conditions) {
    await condition.withLock((hold) => {
      // Only this holder is told that a thread has ended there. The workers cannot tidy up after it.
      if (hold.abandoned) Atomics.store(cells, INSIDE, 0)
      condition.notifyAll()
    })
  }
  await Promise.all(ends)
  const stock = (cells[PUT] ?? 0) - (cells[TOOK] ?? 0)
  expect(stock >= 0 && stock <= ROOM).toBe(true)
}

/** The first place of a lock, after the count of used places. */
const COUNT = 7
const PLACES = 16

/** Settles when this many calls are in the queue, with that of the holder. */
async function inLine(lock: Lock, calls: number): Promise<void> {
  const words = (): number =>
    memoryOf(lock)
      .slice(COUNT + 1)
      .filter((cell, at) => at % 2 === 1 && cell !== 0).length
  while (words() < calls) await new Promise(setImmediate)
}

/** Takes all places in an object's own memory, so that later calls stand in the overflow. */
function crowded<T extends Lock | Semaphore | Condition | Barrier>(object: T): T {
  const count = object instanceof Lock ? COUNT : object instanceof Condition ? COUNT - 2 : COUNT + 2
  for (let place = 0; place < PLACES; place++) memoryOf(object)[count + 1 + 2 * place] = threadId + 1
  memoryOf(object)[count] = PLACES
  return object
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

  it('is never lost and never held twice, in many deaths at any moment', async () => {
    const lock = make()
    const cells = newCells()
    // Its calls stand among those of a lock with many calls.
    const beside = newCells()
    const neighbour = start(beside, { do: 'churn', lock: crowded(new Lock()), seed: 0, deadly: false })
    const deedOf = (_: number, seed: number): Deed => ({ do: 'churn', lock, seed, deadly: true })
    const { deaths, living } = await endAtRandom(cells, { places: 4, most: times(4, 100) }, deedOf, () =>
      hasAbandoned(cells),
    )
    Atomics.store(cells, STOP, 1)
    await Promise.all(living)
    expect(cells[WRONG]).toBe(0)
    // Some ended between the two counts.
    const [rounds, total] = [Atomics.load(cells, ROUNDS), Atomics.load(cells, TOTAL)]
    expect(total >= rounds && total <= rounds + deaths + living.length).toBe(true)
    await expect(lock.acquire(10_000)).resolves.toBeDefined()
    lock.release()
    expect(lock.locked).toBe(false)
    Atomics.store(beside, STOP, 1)
    await ended(neighbour)
    expect([beside[WRONG], beside[TOTAL]]).toEqual([0, beside[ROUNDS]])
  })
})

describe('a thread that ends', () => {
  it('releases the locks of the threads that it had started', async () => {
    const lock = new Lock()
    const cells = newCells()
    const worker = start(cells, { do: 'hold in a child', lock })
    await reached(cells, READY, 1)
    await worker.terminate()
    expect((await lock.acquire()).abandoned).toBe(true)
  })

  it('leaves their locks to the threads that it had started, until they have ended', async () => {
    const lock = new Lock()
    const cells = newCells()
    await ended(start(cells, { do: 'exit before a child', lock }))
    expect([cells[READY], cells[WRONG]]).toEqual([1, 0])
    expect((await lock.acquire()).abandoned).toBe(true)
  })

  it.each<[string, Grants, (object: never) => Promise<unknown>]>([
    ['Lock', new Lock(), (lock: Lock) => lock.acquire()],
    ['Lock with a crowd', crowded(new Lock()), (lock: Lock) => lock.acquire()],
    ['Semaphore', new Semaphore(0), (semaphore: Semaphore) => semaphore.acquire()],
    ['Condition', new Condition(), (condition: Condition) => condition.withLock(() => condition.wait())],
    ['Queue', new Queue<number>(), (queue: Queue<number>) => queue.get()],
  ])('does not leave a call asleep that was granted (%s)', async (_, object, wait) => {
    const cells = newCells()
    // It waits for a condition before the worker has the lock; for a lock, when the worker has it.
    const early = object instanceof Condition ? wait(object as never) : undefined
    const worker = start(cells, { do: 'grant, and not notify', object })
    await reached(cells, READY, 1)
    const call = early ?? wait(object as never)
    Atomics.store(cells, STOP, 1)
    Atomics.notify(cells, STOP)
    await reached(cells, TOTAL, 1)
    await worker.terminate()
    await call
  })

  it('leaves a permit that was on its way to it to the next', async () => {
    const semaphore = crowded(new Semaphore(0))
    for (let n = 0; n < times(3, 20); n++) {
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

  it.each([
    ['', new Semaphore(1)],
    [', with a crowd', crowded(new Semaphore(1))],
  ])('leaves it to the living, who take and give meanwhile%s', async (_, semaphore) => {
    const cells = newCells()
    const living = [1, 2].map((seed) => start(cells, { do: 'churn', lock: semaphore, seed, deadly: false }))
    for (let n = 0; n < times(4, 50); n++) {
      const own = newCells()
      const worker = start(own, { do: 'wait, blocked', semaphore })
      await reached(own, READY, 1)
      await worker.terminate()
      expect(own[WRONG]).toBe(0)
      // If the permit is lost, this never settles.
      await reached(cells, ROUNDS, Atomics.load(cells, ROUNDS) + 5)
    }
    Atomics.store(cells, STOP, 1)
    await Promise.all(living.map((worker) => once(worker, 'exit')))
    expect([semaphore.value, cells[WRONG]]).toEqual([1, 0])
  })

  it('leaves a notification that was on its way to it to the next', async () => {
    const condition = new Condition()
    const cells = newCells()
    const worker = start(cells, { do: 'wait for a condition', condition, busy: true })
    await reached(cells, READY, 1)
    const next = condition.withLock(() => condition.wait())
    await condition.withLock(() => {
      condition.notify()
    })
    await worker.terminate()
    expect(await next).toBe(true)
  })

  it('leaves a notification to the next even while it waits for the lock', async () => {
    const lock = new Lock()
    const condition = new Condition(lock)
    const cells = newCells()
    const worker = start(cells, { do: 'wait for a condition', condition, busy: false })
    await reached(cells, READY, 1)
    const next = condition.withLock(() => condition.wait())
    await condition.withLock(async () => {
      condition.notify()
      await inLine(lock, 2)
      await worker.terminate()
    })
    expect(await next).toBe(true)
  })

  it('wakes those who wait for the condition that it held', async () => {
    const condition = new Condition()
    const calls = [1, 2, 3].map(() =>
      condition.withLock(async (hold) => {
        await condition.wait()
        return hold.abandoned
      }),
    )
    const cells = newCells()
    const worker = start(cells, { do: 'hold', lock: condition, then: 'wait' })
    await reached(cells, READY, 1)
    await worker.terminate()
    expect(await Promise.all(calls)).toEqual([true, false, false])
  })
})

describe('threads that end at any moment', () => {
  it('do not lose a change that a condition protects', async () => {
    const { cells, lock, full, free } = newStock()
    const deedOf = (place: number, seed: number): Deed => ({
      do: 'trade',
      full,
      free,
      puts: place < 2,
      seed,
      wild: true,
    })
    const { living } = await endAtRandom(cells, { places: 4, most: times(8, 60) }, deedOf, () => hasAbandoned(cells))
    await stopTrade(cells, [full, free], living)
    expect([cells[WRONG], lock.locked]).toEqual([0, false])
  })

  it('do not leave a call waiting for a condition in vain', async () => {
    const random = randomOf(7)
    for (let n = 0; n < times(1, 10); n++) {
      const { cells, lock, full, free } = newStock()
      const workers = [0, 1, 2, 3, 4, 5].map((seed) =>
        start(cells, { do: 'trade', full, free, puts: seed < 3, seed, wild: false }),
      )
      const ends = workers.map(ended)
      await reached(cells, READY, workers.length)
      // One worker that puts and one that takes are left. Each must be woken by the other.
      for (const victim of [0, 3, 1, 4]) {
        await reached(cells, ROUNDS, Atomics.load(cells, ROUNDS) + 1 + Math.floor(random() * 100))
        void workers[victim]?.terminate()
      }
      await Promise.all([0, 1, 3, 4].map((victim) => ends[victim]))
      await reached(cells, ROUNDS, Atomics.load(cells, ROUNDS) + 200)
      await stopTrade(cells, [full, free], ends)
      expect([cells[WRONG], lock.locked]).toEqual([0, false])
    }
  })

  it('count in no later round of a barrier', async () => {
    const barrier = crowded(new Barrier(3))
    const cells = newCells()
    const deedOf = (_: number, seed: number): Deed => ({ do: 'meet', barrier, seed })
    const { deaths, living } = await endAtRandom(cells, { places: 3, most: times(8, 60) }, deedOf)
    Atomics.store(cells, STOP, 1)
    barrier.abort()
    await Promise.all(living)
    // In each round, each of the three arrival indexes came once, except for threads that ended before they could
    // count.
    const counts = [...cells.slice(ORDER, ORDER + 3)]
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(deaths + 3)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(3 * deaths)
    barrier.reset()
    expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2])
  })
})

it('gives no call the ticket of one that is still there', async () => {
  const lock = new Lock()
  const first = await lock.acquire()
  const second = lock.acquire()
  first.release()
  await second
  // As if 2^30 calls had tried in vain since.
  memoryOf(lock)[COUNT - 1] = 2 ** 29 + 2
  expect(await lock.acquire(0)).toBeUndefined()
  memoryOf(lock)[COUNT - 1] = 2
  expect(await lock.acquire(0)).toBeUndefined()
})

it('keeps no place for calls that have ended', async () => {
  const lock = new Lock()
  const cells = newCells()
  const workers = [1, 2].map((seed) => start(cells, { do: 'churn', lock, seed, deadly: false }))
  await reached(cells, ROUNDS, 1000)
  Atomics.store(cells, STOP, 1)
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect(memoryOf(lock)[COUNT]).toBeLessThan(8)
})
