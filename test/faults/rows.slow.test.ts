/** Rows of the table of faults that are not about one item in one chunk: loading, idling, time limits, recycling, ends. */
import { Pool, TaskTimeoutError, WorkerCrashError, type Outcome } from 'millrace'
import { board, count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { fault, HOLD, RUNS, type Fault } from '../fixtures/contract-b-faults.js'
import { share } from '../fixtures/contract-b-tasks.js'
import { boardPool, numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { deadly } from '../fixtures/faults-deadly-module.js'
import {
  deed,
  hold,
  leave,
  leaveAndExit,
  leaveAndThrow,
  leaveNever,
  map,
  twice,
  type Deed,
} from '../fixtures/faults.js'
import { drain, expectNothingLeft, expectWhole, isIdle, resources, startedDuring } from '../support/faults.js'
import { isFull, times } from '../support/volume.js'

function statuses(outcomes: readonly Outcome<unknown, unknown>[]): string[] {
  return outcomes.map(({ status }) => status)
}

function items(length: number, faults: Readonly<Record<number, Deed>> = {}, others: Deed = 'go'): string[] {
  return numbers(length).map((n) => deed(n, faults[n] ?? others))
}

describe('a task module that ends its worker when it loads', () => {
  for (const workers of isFull ? [1, 2, 8] : [1, 4]) {
    it(`fails every item with one clear error, after a bounded number of starts (workers: ${workers})`, async () => {
      await using pool = new Pool({ workers })
      const started = await startedDuring(async () => {
        const outcomes = await drain(pool.imap(deadly, numbers(30), { chunksize: 7, errors: 'settle' }))
        expect(outcomes.map(({ index }) => index)).toEqual(numbers(30))
        const errors = new Set(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined)))
        expect(errors.size).toBe(1)
        const [error] = [...errors]
        expect(error).toBeInstanceOf(WorkerCrashError)
        expect(error).toMatchObject({ exitCode: 9, message: expect.stringContaining('loaded task') as string })
      })
      expect(started).toBeLessThanOrEqual(2 * workers + 3)
      await until(() => isIdle(pool))
      await expectWhole(pool, { verb: 'imap', ordered: true }, items(20))
    })
  }
})

describe('a worker that dies of what an earlier stream left there', () => {
  it('does not fail the stream whose task it loads: nothing is lost', async () => {
    for (let attempt = 0; attempt < times(4, 10); attempt++) {
      await using pool = boardPool({ workers: 1 })
      await drain(pool.imap(fault, [{ row: row(), n: 1, how: 'return, then throw' }] as Fault[]))
      expect(await drain(pool.imap(map, items(10), { chunksize: 7 }))).toEqual(numbers(10))
      await until(() => pool.stats().crashes === 1)
    }
  })

  it('while it is idle, again and again, costs nothing', async () => {
    await using pool = boardPool({ workers: 1 })
    for (const n of numbers(5)) {
      expect(await drain(pool.imap(fault, [{ row: row(), n, how: 'return, then throw' }] as Fault[]))).toEqual([n])
      await until(() => pool.stats().crashes === n + 1)
      expect(pool.stats()).toMatchObject({ ready: 0, busy: 0 })
    }
  })
})

describe('a stream beside one whose items end workers', () => {
  it('loses nothing, if either is ordered', async () => {
    await using pool = new Pool({ workers: 2 })
    await Promise.all([
      expectWhole(
        pool,
        { verb: 'imap', ordered: true, chunksize: 3 },
        items(60, { 5: 'exit', 6: 'uncaught', 40: 'exit' }),
      ),
      expectWhole(pool, { verb: 'imap', ordered: false, chunksize: 7 }, items(200)),
      expectWhole(pool, { verb: 'flatMap', ordered: true, chunksize: 16 }, items(200, {}, 'work')),
      expectWhole(pool, { verb: 'reduce', ordered: true, chunksize: 16 }, items(100, { 17: 'exit' }, 'wait')),
    ])
  })

  it('loses nothing when that one ends at its first error', async () => {
    await using pool = new Pool({ workers: 2 })
    const steady = expectWhole(pool, { verb: 'imap', ordered: true, chunksize: 5 }, items(400, {}, 'work'))
    for (let attempt = 0; attempt < times(4, 10); attempt++) {
      const stream = pool.imapUnordered(map, items(30, { 9: 'exit' }, 'work'), { chunksize: 4 })
      expect(await rejection(drain(stream))).toBeInstanceOf(WorkerCrashError)
    }
    await steady
  })
})

describe('timeout', () => {
  it('ends exactly the items that take longer, and counts them', async () => {
    await using pool = new Pool({ workers: 2, name: 'mill' })
    const stream = pool.imap(map, items(40, { 3: 'hang', 4: 'spin', 39: 'hang' }), {
      chunksize: 7,
      timeout: 300,
      errors: 'settle',
    })
    const outcomes = await drain(stream)
    for (const [index, outcome] of outcomes.entries()) {
      if (![3, 4, 39].includes(index)) expect(outcome).toEqual({ status: 'fulfilled', index, value: index })
      else {
        const { reason } = outcome as { reason: TaskTimeoutError }
        expect(reason).toBeInstanceOf(TaskTimeoutError)
        expect(reason.code).toBe('ERR_TASK_TIMEOUT')
        expect(reason.message).toMatch(`Task 'map' did not end within 300 ms on item ${index} (Worker `)
      }
    }
    expect(pool.stats()).toMatchObject({ timeouts: 3, crashes: 0 })
    expect(stream.stats()).toMatchObject({ failed: 3 })
  })

  it('of a stream holds beside a longer one of another stream on the same worker, and after it', async () => {
    await using pool = new Pool({ workers: 1 })
    const long = { timeout: 2 ** 31 - 1 }
    expect(await drain(pool.imap(map, items(3), long))).toEqual([0, 1, 2])
    const slow = pool.imap(map, items(2_000, {}, 'wait'), { ...long, chunksize: 1 })
    await slow.next()
    const error = await rejection(drain(pool.imap(map, items(1, { 0: 'hang' }), { timeout: 100 })))
    expect(error).toBeInstanceOf(TaskTimeoutError)
    await slow.return()
    expect(pool.stats()).toMatchObject({ timeouts: 1 })
  })

  it('does not count the time that an item waits for its turn, nor the loading of its module', async () => {
    await using pool = new Pool({ workers: 1 })
    const outcomes = await drain(
      pool.imap(map, items(300, {}, 'work'), { chunksize: 300, window: 300, timeout: 300, errors: 'settle' }),
    )
    expect(new Set(statuses(outcomes))).toEqual(new Set(['fulfilled']))
    expect(pool.stats().timeouts).toBe(0)
  })

  it('ends the stream by default, in its order', async () => {
    await using pool = new Pool({ workers: 2 })
    const seen: unknown[] = []
    const error = await rejection(
      (async () => {
        for await (const n of pool.imap(map, items(40, { 12: 'spin' }), { chunksize: 5, timeout: 200 })) seen.push(n)
      })(),
    )
    expect(error).toBeInstanceOf(TaskTimeoutError)
    expect(seen).toEqual(numbers(12))
    await until(() => isIdle(pool))
  })
})

describe('recycling', () => {
  for (const [title, options] of [
    ['maxTasksPerWorker: 1', { maxTasksPerWorker: 1 }],
    ['maxTasksPerWorker: 10', { maxTasksPerWorker: 10 }],
    ['maxHeapUsed: 1', { maxHeapUsed: 1 }],
  ] as const) {
    it(`by ${title} while busy loses no item and runs none twice`, async () => {
      await using pool = boardPool({ workers: 2, ...options })
      const length = times(12, 30)
      for (const chunksize of [1, 7, 'auto'] as const) {
        const test = row()
        const given = numbers(length).map((n): Fault => ({ row: test, n }))
        expect(await drain(pool.imap(fault, given, { chunksize }))).toEqual(numbers(length))
        const unordered = await drain(pool.imapUnordered(fault, given, { chunksize }))
        expect(unordered.sort((a, b) => a - b)).toEqual(numbers(length))
        expect(count(test + RUNS)).toBe(2 * length)
      }
      expect(pool.stats()).toMatchObject({ crashes: 0, timeouts: 0 })
      expect(pool.stats().recycled).toBeGreaterThan(1)
    })
  }

  it('beside workers that die and streams that are left, loses nothing', async () => {
    await using pool = new Pool({ workers: 2, maxTasksPerWorker: 20, maxHeapUsed: 2 ** 20 })
    for (let attempt = 0; attempt < times(2, 5); attempt++) {
      const left = pool.imap(map, items(100, {}, 'work'), { chunksize: 2 })
      await left.next()
      const whole = expectWhole(
        pool,
        { verb: 'imap', ordered: true, chunksize: 7 },
        items(60, { 8: 'exit', 30: 'uncaught' }),
      )
      await left.return()
      await whole
    }
    await until(() => isIdle(pool))
  })
})

describe('a finalizer', () => {
  it('runs in every worker at close(), which gives what it returned', async () => {
    const pool = new Pool({ workers: 2, finalizer: leave })
    await drain(pool.imap(map, items(50, {}, 'wait'), { chunksize: 1 }))
    await until(() => pool.stats().ready === 2)
    expect(await pool.close()).toEqual(['left', 'left'])
    expect(await pool.close()).toEqual(['left', 'left'])
  })

  it('runs when workers are recycled, and not after a death', async () => {
    const pool = new Pool({ workers: 1, finalizer: leave, maxTasksPerWorker: 5 })
    await drain(pool.imap(map, items(22), { chunksize: 5 }))
    expect(pool.stats().recycled).toBe(4)
    expect(await pool.close()).toEqual(['left', 'left', 'left', 'left', 'left'])
    const dead = new Pool({ workers: 1, finalizer: leave })
    await rejection(drain(dead.imap(map, items(1, { 0: 'exit' }))))
    await until(() => dead.stats().crashes === 1)
    expect(await dead.close()).toEqual([])
  })

  it('that throws or ends its worker makes close() reject, with the workers ended', async () => {
    for (const [finalizer, error] of [
      [leaveAndThrow, { name: 'RangeError', message: 'no way out' }],
      [leaveAndExit, { message: 'its worker ended meanwhile' }],
    ] as const) {
      const pool = new Pool({ workers: 1, finalizer })
      await drain(pool.imap(map, items(2)))
      expect(await rejection(pool.close())).toMatchObject(error)
      expect(pool.stats()).toMatchObject({ starting: 0, ready: 0 })
    }
  })

  it('that never ends is ended by terminate()', async () => {
    const pool = new Pool({ workers: 2, finalizer: leaveNever })
    await drain(pool.imap(map, items(4)))
    const closing = pool.close()
    closing.catch(() => undefined)
    await pool.terminate()
    await Promise.allSettled([closing])
    expect(pool.stats()).toMatchObject({ starting: 0, ready: 0 })
  })
})

describe('close() and terminate() while workers die', () => {
  it('close() lets the streams have every result', async () => {
    for (let attempt = 0; attempt < times(3, 5); attempt++) {
      const pool = new Pool({ workers: 2 })
      const faults = { 2: 'exit', 7: 'uncaught', 8: 'exit', 29: 'unhandled' } as const
      const whole = expectWhole(pool, { verb: 'imap', ordered: attempt % 2 === 0, chunksize: 4 }, items(30, faults))
      const closed = until(() => pool.stats().crashes >= attempt % 4).then(() => pool.close())
      await Promise.all([whole, closed])
      expect(pool.stats()).toMatchObject({ starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0 })
    }
  })

  it('terminate() at any time ends streams with its error, and leaves nothing', async () => {
    const before = resources()
    for (let attempt = 0; attempt < times(4, 8); attempt++) {
      const pool = new Pool({ workers: 2 })
      const streams = [true, false].map((ordered) => {
        const verb = ordered ? pool.imap : pool.imapUnordered
        return drain(verb(map, items(60, {}, 'exit'), { chunksize: 4, errors: 'settle' }))
      })
      const ends = Promise.allSettled(streams)
      await until(() => pool.stats().crashes >= attempt)
      await pool.terminate()
      for (const end of await ends) {
        expect(end).toMatchObject({ status: 'rejected', reason: { code: 'ERR_POOL_TERMINATED' } })
      }
      expect(pool.stats()).toMatchObject({ starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0 })
    }
    await expectNothingLeft(before)
  })
})

describe('chunks that move from one worker to another', () => {
  it('run once when the worker they waited at dies, is ended, or is slow', async () => {
    for (const how of ['exit', 'spin', 'work'] as const) {
      await using pool = new Pool({ workers: 3 })
      const faults = Object.fromEntries(numbers(times(8, 20)).map((n) => [17 * n, how]))
      const run = { chunksize: 1, timeout: 300 } as const
      await Promise.all([
        expectWhole(pool, { verb: 'imap', ordered: true, ...run }, items(340, how === 'spin' ? { 17: how } : faults)),
        expectWhole(pool, { verb: 'imap', ordered: false, ...run }, items(340, how === 'spin' ? { 34: how } : faults)),
      ])
    }
  })

  it('do not wait longer for a blocked worker whose stream was left', async () => {
    await using pool = new Pool({ workers: 1, initializer: share, initargs: [board()] })
    const test = row()
    const held = pool.imap(hold, [[test + RUNS, test + HOLD]] as const)
    const pending = held.next()
    await reaches(test + RUNS, 1)
    const left = pool.imap(map, items(50), { chunksize: 1 })
    const first = left.next()
    await left.return()
    expect(await first).toEqual({ done: true, value: undefined })
    raise(test + HOLD)
    expect(await pending).toEqual({ done: false, value: test + HOLD })
    expect(await drain(held)).toEqual([])
    expect(await drain(pool.flatMap(twice, items(9)))).toEqual([1, 2, 2, 4, 5, 5, 7, 8, 8])
    await until(() => isIdle(pool))
  })
})

const many = times(16, 64)
it(`${many} workers on this machine: items and deaths are as with two`, async () => {
  await using pool = new Pool({ workers: many })
  const faults = { 0: 'exit', 100: 'uncaught', 199: 'exit' } as const
  await expectWhole(pool, { verb: 'imap', ordered: true, chunksize: 1 }, items(200, faults))
  await expectWhole(pool, { verb: 'imap', ordered: false, chunksize: 3 }, items(200, faults))
})
