/**
 * Faults while a chunk is sent: items that are too large for a worker, and items that end their stream when they are
 * read.
 */
import { Pool, WorkerCrashError } from 'millrace'
import { addUp, heavy, resourceLimits, weigh, weighLater, type Load } from '../fixtures/heavy.js'
import { numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { deed, map } from '../fixtures/faults.js'
import { drain, expectNothingLeft, isIdle, resources } from '../support/faults.js'
import { isFull, times } from '../support/volume.js'

function loads(length: number, ...heavyOnes: readonly number[]): Load[] {
  return numbers(length).map((n) => (heavyOnes.includes(n) ? heavy() : n))
}

describe('an item that is too large for a worker', () => {
  const ways = [
    ['chunksize: 7, several at once', 2, 7, 3],
    ['chunksize: 1, one worker', 1, 1, 1],
    ['chunksize: 1', 2, 1, 1],
    ['chunksize: 7', 2, 7, 1],
    ["chunksize: 'auto'", 2, 'auto', 1],
  ] as const
  for (const [title, workers, chunksize, concurrency] of isFull ? ways : ways.slice(0, 1)) {
    it(`costs itself alone (${title})`, async () => {
      await using pool = new Pool({ workers, resourceLimits })
      const stream = pool.imap(weighLater, loads(30, 10), { chunksize, concurrency, errors: 'settle' })
      const outcomes = await drain(stream)
      expect(outcomes.map(({ index }) => index)).toEqual(numbers(30))
      for (const [index, outcome] of outcomes.entries()) {
        if (index !== 10) expect(outcome).toEqual({ status: 'fulfilled', index, value: index })
        else {
          const { reason } = outcome as { reason: unknown }
          expect(reason).toBeInstanceOf(WorkerCrashError)
          expect(reason).toMatchObject({
            message: expect.stringContaining("received item 10 of task 'weighLater': Worker terminated") as string,
            cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' },
          })
        }
      }
      await until(() => isIdle(pool))
    })
  }

  it('costs itself alone when it comes first, and unordered', async () => {
    await using pool = new Pool({ workers: 2, resourceLimits })
    const bad = isFull ? [0, 13] : [0]
    const given = await drain(pool.imapUnordered(weigh, loads(20, ...bad), { chunksize: 4, errors: 'skip' }))
    expect(given.sort((a, b) => a - b)).toEqual(numbers(20).filter((n) => !bad.includes(n)))
  })

  it('harms no other stream, not even one whose items are awaited in the worker that received it', async () => {
    await using pool = new Pool({ workers: 1, resourceLimits })
    const [good, bad] = await Promise.all([
      drain(pool.imap(weighLater, numbers(300), { chunksize: 1 })),
      drain(pool.imap(weigh, loads(20, 10), { chunksize: 1, errors: 'skip' })),
    ])
    expect(good).toEqual(numbers(300))
    expect(bad).toEqual(numbers(20).filter((n) => n !== 10))
  })

  it('is the error of a fold, whose pool lives on', async () => {
    await using pool = new Pool({ workers: 2, resourceLimits })
    const merge = (a: number, b: number): number => a + b
    const folded = pool.reduce(addUp, loads(20, 10), { initial: 0, merge, chunksize: 5 })
    expect(await rejection(folded)).toBeInstanceOf(WorkerCrashError)
    expect(await pool.reduce(addUp, numbers(20), { initial: 0, merge })).toBe(190)
  })
})

describe('an item whose getter ends its stream while it is sent', () => {
  it('leaves nothing behind: neither a chunk that is waited for, nor a worker that dies', async () => {
    await using pool = new Pool({ workers: 1, idleTimeout: Infinity })
    await drain(pool.imap(map, [deed(0)]))
    for (const looks of [1, 2]) {
      const before = resources()
      const controller = new AbortController()
      let looked = 0
      const trap = {
        get id() {
          if (++looked === looks) controller.abort('over')
          return 1
        },
      }
      const stream = pool.imap(map, [deed(0), trap as never, deed(2)], { chunksize: 3, signal: controller.signal })
      expect(await rejection(drain(stream))).toBe('over')
      await until(() => isIdle(pool))
      expect(await drain(pool.imap(map, [deed(0), deed(1)]))).toEqual([0, 1])
      expect(pool.stats()).toMatchObject({ crashes: 0 })
      await expectNothingLeft(before)
    }
  })

  it('holds up no other stream when it was sent apart and is withdrawn', async () => {
    await using pool = new Pool({ workers: 1 })
    for (let attempt = 0; attempt < times(5, 20); attempt++) {
      let looked = 0
      const trap = {
        get id() {
          // Each time it is sent, it is read twice. The second time it is sent alone, because it may have ended the
          // worker.
          if (++looked === 3) queueMicrotask(leave)
          return 1
        },
      }
      const given = [deed(0, 'wait'), trap as never, deed(2, 'exit')]
      const left = pool.imap(map, given, { chunksize: 3, concurrency: 3, errors: 'settle' })
      const leave = (): void => void left.return()
      const drained = drain(left)
      expect(
        await drain(
          pool.imap(
            map,
            numbers(20).map((n) => deed(n)),
            { chunksize: 1 },
          ),
        ),
      ).toEqual(numbers(20))
      expect(await drained).toEqual([{ status: 'fulfilled', index: 0, value: 0 }])
    }
  })
})
