/** A thread that has sent an object to a worker keeps it while the worker has it, or while it is on its way. */
import { Pool } from 'millrace'
import { Lock, Semaphore } from 'millrace/multiprocessing'
import { SentObjects } from '#dist/executor/threads/sent-objects.js'
import { findKnown } from '#dist/shared/registry.js'
import { idOf } from '#dist/shared/memory.js'
import { given } from '../fixtures/given.js'
import { collected } from '../support/collect.js'
import { memoryOf } from '../support/internals.js'

/** The object is still there after a garbage collection. */
async function isKept(id: string): Promise<boolean> {
  return !(await collected(() => findKnown(id) === undefined, 5))
}

function isForgotten(id: string): Promise<boolean> {
  return collected(() => findKnown(id) === undefined)
}

describe('an object that this thread has sent to a worker and dropped', () => {
  let pool: Pool
  beforeEach(() => {
    pool = new Pool({ workers: 1 })
  })
  afterEach(() => pool.terminate())

  /** Sends a new lock. This thread does not keep it. */
  async function send(task: (lock: Lock) => unknown): Promise<string> {
    const lock = new Lock()
    await pool.apply(task as typeof given.keep, [lock])
    return idOf(memoryOf(lock))
  }

  it('is kept while the worker has it, and forgotten when it was collected there', async () => {
    const id = await send(given.keep)
    await pool.apply(given.collect)
    expect(await isKept(id)).toBe(true)
    await pool.apply(given.keep, [undefined])
    await pool.apply(given.collect)
    expect(await isForgotten(id)).toBe(true)
  })

  it('is kept while the worker holds it, even if nothing there refers to it', async () => {
    const id = await send(given.hold)
    await pool.apply(given.collect)
    expect(await isKept(id)).toBe(true)
    await pool.apply(given.release, [findKnown(id) as unknown as Lock])
    await pool.apply(given.collect)
    expect(await isForgotten(id)).toBe(true)
  })

  it('is kept when it was sent again while the report that it was collected was on its way', async () => {
    const before = await pool.apply(given.collect)
    const cell = new Int32Array(new SharedArrayBuffer(4))
    async function sendAgain(): Promise<string> {
      const lock = new Lock()
      await pool.apply(given.use, [lock])
      await pool.apply(given.collectLater, [cell, before])
      // This thread does not receive a message meanwhile.
      expect(Atomics.wait(cell, 0, 0, 30_000)).not.toBe('timed-out')
      const id = idOf(memoryOf(lock))
      const again = pool.apply(given.keep, [lock])
      await again
      return id
    }
    const id = await sendAgain()
    expect(await isKept(id)).toBe(true)
    await pool.apply(given.keep, [undefined])
    await pool.apply(given.collect)
    expect(await isForgotten(id)).toBe(true)
  })

  it('is released when a worker that holds it ends: another worker that has it gets it', async () => {
    await using other = new Pool({ workers: 1 })
    async function sendToBoth(): Promise<string> {
      const lock = new Lock()
      await other.apply(given.keep, [lock])
      await pool.apply(given.hold, [lock])
      return idOf(memoryOf(lock))
    }
    const id = await sendToBoth()
    await pool.apply(given.collect)
    await other.apply(given.collect)
    expect(await isKept(id)).toBe(true)
    const [, acquired] = await Promise.all([
      expect(pool.apply(given.exit)).rejects.toMatchObject({ code: 'ERR_WORKER_CRASHED' }),
      other.apply(given.acquireKept),
    ])
    expect(acquired).toBe(true)
  })

  it('is not kept by a fold that began with it', async () => {
    const begin = async (): Promise<string> => {
      const lock = new Lock()
      interface Folded {
        readonly lock: Lock
        readonly sum: number
      }
      const merge = (into: Folded, { sum }: Folded): Folded => ({ ...into, sum: into.sum + sum })
      const folded = await pool.reduce(given.fold, [1, 2, 3, 4], { initial: { lock, sum: 0 }, merge, chunksize: 1 })
      expect([folded.lock === lock, folded.sum]).toEqual([true, 10])
      return idOf(memoryOf(lock))
    }
    const id = await begin()
    await pool.apply(given.collect)
    expect(await isForgotten(id)).toBe(true)
  })

  it('is not kept when the task was not loaded, so that the worker never had it', async () => {
    const missing = { module: 'node:zlib', export: 'nope' } as const
    const fail = async (): Promise<string> => {
      const lock = new Lock()
      await expect(pool.apply(missing as unknown as typeof given.keep, [lock])).rejects.toMatchObject({
        code: 'ERR_TASK_LOAD',
      })
      return idOf(memoryOf(lock))
    }
    expect(await isForgotten(await fail())).toBe(true)
  })

  it('is forgotten with the worker', async () => {
    const id = await send(given.keep)
    await pool.terminate()
    expect(await isForgotten(id)).toBe(true)
  })
})

describe('what is kept for a worker', () => {
  const [a, b] = [new Lock(), new Semaphore()]
  const [idA, idB] = [idOf(memoryOf(a)), idOf(memoryOf(b))]
  const steps: [string, (kept: SentObjects) => void, number][] = [
    [
      'a chunk is under way',
      (kept) => {
        kept.add([a, b])
      },
      2,
    ],
    [
      'a chunk has ended',
      (kept) => {
        kept.add([a, b])
        kept.settle([a, b], 1)
      },
      2,
    ],
    [
      'the only chunk was withdrawn',
      (kept) => {
        kept.add([a, b])
        kept.settle([a, b], 0)
      },
      0,
    ],
    [
      'one was collected',
      (kept) => {
        kept.add([a, b])
        kept.settle([a, b], 1)
        kept.collected([idB], 1)
      },
      1,
    ],
    [
      'it was collected after the end of another chunk',
      (kept) => {
        kept.add([a])
        kept.settle([a], 1)
        kept.collected([idA], 7)
      },
      0,
    ],
    [
      'it was collected, and a later chunk has brought it again',
      (kept) => {
        kept.add([a])
        kept.settle([a], 1)
        kept.add([a])
        kept.collected([idA], 1)
        kept.settle([a], 2)
      },
      1,
    ],
    [
      'it was collected, and a later chunk was withdrawn',
      (kept) => {
        kept.add([a])
        kept.settle([a], 1)
        kept.add([a])
        kept.collected([idA], 1)
        kept.settle([a], 0)
      },
      0,
    ],
    [
      'it was collected after both chunks, and the end of the second comes late',
      (kept) => {
        kept.add([a])
        kept.add([a])
        kept.settle([a], 1)
        kept.collected([idA], 2)
        kept.settle([a], 2)
      },
      0,
    ],
    [
      'the worker tells of an object that it has made itself',
      (kept) => {
        kept.add([a])
        kept.collected([idB, '7.7'], 1)
      },
      1,
    ],
  ]
  it.each(steps)('when %s', (_, run, size) => {
    const kept = new SentObjects()
    run(kept)
    expect(kept.size).toBe(size)
  })
})
