/** A worker that dies: the outcome for the items that it held, and for the pool. */
import type { Worker } from 'node:worker_threads'
import { imap, Pool, WorkerCrashError, type Outcome } from 'millrace'
import { board, count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { fault, HOLD, RUNS, type Fault } from '../fixtures/contract-b-faults.js'
import { double, share } from '../fixtures/contract-b-tasks.js'
import { boardPool, collect, numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { times } from '../support/volume.js'

const pool = boardPool({ workers: 2, name: 'mill' })
const single = boardPool({ workers: 1 })
afterAll(async () => {
  await Promise.all([pool.terminate(), single.terminate()])
})

type Verb = typeof imap
const ORDERS: readonly (readonly [title: string, verb: (of: typeof pool) => Verb])[] = [
  ['ordered', (of) => of.imap],
  ['unordered', (of) => of.imapUnordered],
]

/** The workers started while `run` runs, and their exit codes. */
async function workersOf(run: () => Promise<void>): Promise<{ started: number; exits: number[] }> {
  const exits: number[] = []
  let started = 0
  const note = (worker: Worker): void => {
    started++
    worker.once('exit', (code) => exits.push(code))
  }
  process.on('worker', note)
  try {
    await run()
  } finally {
    process.off('worker', note)
  }
  return { started, exits }
}

const CRASHES: readonly (readonly [
  title: string,
  fault: Omit<Fault, 'row' | 'n'>,
  exitCode: number,
  cause?: object | string | number,
])[] = [
  [
    'an uncaught error',
    { how: 'throw in a timer', value: 'own error' },
    1,
    { name: 'RangeError', message: 'own', code: 'E_OWN', cause: { message: 'cause' } },
  ],
  ['an uncaught text', { how: 'throw in a timer', value: 'just text' }, 1, 'just text'],
  ['an uncaught null', { how: 'throw in a timer', value: null }, 1],
  ['an uncaught undefined', { how: 'throw undefined in a timer' }, 1],
  ['an uncaught 0', { how: 'throw in a timer', value: 0 }, 1, 0],
  ['an uncaught symbol', { how: 'throw in a timer', value: 'symbol' }, 1],
  ['an uncaught function', { how: 'throw in a timer', value: 'function' }, 1],
  ['an uncaught object whose getter throws', { how: 'throw in a timer', value: 'throwing getter' }, 1],
  ['a stack overflow in a timer', { how: 'overflow the stack in a timer' }, 1, { name: 'RangeError' }],
  [
    'an unhandled rejection with an error',
    { how: 'reject', value: 'own error' },
    1,
    { name: 'RangeError', message: 'own', code: 'E_OWN' },
  ],
  ['an unhandled rejection with a text', { how: 'reject', value: 'just text' }, 1, { code: 'ERR_UNHANDLED_REJECTION' }],
  ['an unhandled rejection with undefined', { how: 'reject' }, 1, { code: 'ERR_UNHANDLED_REJECTION' }],
  ['an unhandled rejection with null', { how: 'reject', value: null }, 1, { code: 'ERR_UNHANDLED_REJECTION' }],
  ['an unhandled rejection with 0', { how: 'reject', value: 0 }, 1, { code: 'ERR_UNHANDLED_REJECTION' }],
  ['an unhandled rejection with a symbol', { how: 'reject', value: 'symbol' }, 1, { code: 'ERR_UNHANDLED_REJECTION' }],
  ['an unhandled rejection with a function', { how: 'reject', value: 'function' }, 1],
  ['an unhandled rejection with an object whose getter throws', { how: 'reject', value: 'throwing getter' }, 1],
  ['process.exit()', { how: 'exit' }, 0],
  ['process.exit(3)', { how: 'exit', code: 3 }, 3],
  ['process.exit(1)', { how: 'exit', code: 1 }, 1],
]

describe('a worker that dies', () => {
  for (const [what, how, exitCode, cause] of CRASHES) {
    for (const [order, verb] of ORDERS) {
      it(`of ${what} fails only its item, with a WorkerCrashError (${order})`, async () => {
        const test = row()
        const before = pool.stats().crashes
        const items = numbers(12).map((n): Fault => ({ row: test, n, ...(n === 5 ? how : {}) }))
        const stream = verb(pool)(fault, items, { chunksize: 1, errors: 'settle' })
        const outcomes = (await collect(stream)).toSorted((a, b) => a.index - b.index)
        expect(outcomes.map(({ index, status }) => [index, status])).toEqual(
          numbers(12).map((n) => [n, n === 5 ? 'rejected' : 'fulfilled']),
        )
        const crashed = outcomes[5] as Outcome<Fault, number> & { status: 'rejected' }
        expect(crashed.item).toEqual(items[5])
        expect(crashed.reason).toBeInstanceOf(WorkerCrashError)
        const reason = crashed.reason as WorkerCrashError
        expect(reason).toMatchObject({ name: 'WorkerCrashError', code: 'ERR_WORKER_CRASHED', exitCode })
        expect(reason.message).toMatch(
          new RegExp(
            `^Worker [12] of pool 'mill' ended with exit code ${exitCode} while it ran task 'fault' on item 5`,
          ),
        )
        if (typeof cause === 'object') expect(reason.cause).toMatchObject(cause)
        else if (cause !== undefined) expect(reason.cause).toBe(cause)
        // No item was lost, and none ran twice.
        expect(count(test + RUNS)).toBe(12)
        expect(pool.stats().crashes).toBe(before + 1)
      })
    }
  }

  for (const [order, verb] of ORDERS) {
    for (const chunksize of [1, 7, 'auto'] as const) {
      const title = `${order}, chunksize ${chunksize}`

      it(`ends a stream with its error by default, and leaves the pool usable (${title})`, async () => {
        const test = row()
        const items = numbers(40).map((n): Fault => ({ row: test, n, how: n === 9 ? 'exit' : undefined, code: 4 }))
        const stream = verb(pool)(fault, items, { chunksize, window: 40 })
        const seen: number[] = []
        const error = await rejection(
          (async () => {
            for await (const n of stream) seen.push(n)
          })(),
        )
        expect(error).toBeInstanceOf(WorkerCrashError)
        expect(error).toMatchObject({ exitCode: 4 })
        if (order === 'ordered') expect(seen).toEqual(numbers(seen.length))
        expect(seen).not.toContain(9)
        expect(await stream.next()).toEqual({ done: true, value: undefined })
        expect(await collect(verb(pool)(double, numbers(20), { chunksize, window: 20 }))).toHaveLength(20)
      })

      it(`is counted by errors: 'skip', and every other item of other chunks has its result (${title})`, async () => {
        const test = row()
        const items = numbers(40).map((n): Fault => ({ row: test, n, how: n === 9 ? 'exit' : undefined }))
        const stream = verb(pool)(fault, items, { chunksize, window: 40, errors: 'skip' })
        const seen = await collect(stream)
        const { failed, skipped, delivered } = stream.stats()
        expect(new Set(seen).size).toBe(seen.length)
        expect(seen).not.toContain(9)
        expect([failed, delivered]).toEqual([skipped, 40 - skipped])
        // At most its own chunk. Item 9 may be in a chunk of 'auto' that has grown to ten items by then.
        expect(skipped).toBeGreaterThanOrEqual(1)
        expect(skipped).toBeLessThanOrEqual(chunksize === 'auto' ? 10 : chunksize)
        if (order === 'ordered') expect(seen).toEqual(seen.toSorted((a, b) => a - b))
      })
    }

    it(`gives back the chunks that waited behind the one it ran: they run elsewhere, once (${order})`, async () => {
      // Chunks wait at the thread behind one that is expected to be short. On a busy machine it may have been long.
      let waitedThere = false
      for (let attempt = 0; attempt < 20 && !waitedThere; attempt++) {
        const test = row()
        const items = numbers(40).map((n): Fault => ({ row: test, n, how: n === 10 ? 'hold, then exit' : undefined }))
        const stream = verb(single)(fault, items, { chunksize: 1, window: 40, errors: 'settle' })
        const outcomes = collect(stream)
        await reaches(test + RUNS, 11)
        await until(() => single.stats().waiting === 1)
        // Eleven have begun, one is in the queue; the others are at the thread.
        waitedThere = stream.stats().chunks >= 13
        raise(test + HOLD)
        const settled = (await outcomes).toSorted((a, b) => a.index - b.index)
        expect(settled.map(({ status }) => status)).toEqual(
          numbers(40).map((n) => (n === 10 ? 'rejected' : 'fulfilled')),
        )
        expect(count(test + RUNS)).toBe(40)
      }
      expect(waitedThere).toBe(true)
    })

    it(`keeps the results it had posted before (${order})`, async () => {
      const test = row()
      const items = numbers(7).map((n): Fault => ({ row: test, n, how: n === 6 ? 'hold, then exit' : undefined }))
      const stream = verb(single)(fault, items, { chunksize: 7, window: 7, errors: 'settle' })
      // The first result of a stream is posted at once.
      const first = await stream.next()
      expect(first.value).toMatchObject({ status: 'fulfilled', index: 0 })
      raise(test + HOLD)
      const rest = await collect(stream)
      expect(rest.map(({ index }) => index).sort()).toEqual([1, 2, 3, 4, 5, 6])
      expect(rest.find(({ index }) => index === 6)).toMatchObject({ status: 'rejected' })
    })
  }

  it('while it was idle costs nothing, and is replaced when it is needed', async () => {
    const own = boardPool({ workers: 1 })
    const test = row()
    const { started, exits } = await workersOf(async () => {
      expect(await collect(own.imap(fault, [{ row: test, n: 1, how: 'return, then throw' }]))).toEqual([1])
      await until(() => own.stats().crashes === 1)
      expect(own.stats()).toMatchObject({ starting: 0, ready: 0 })
      expect(await collect(own.imap(fault, [{ row: test, n: 2 }]))).toEqual([2])
      await own.close()
    })
    expect(started).toBe(2)
    expect(exits[0]).toBe(1)
    expect(count(test + RUNS)).toBe(2)
  })

  it('of its heap limit costs its item alone, with the code of Node as cause; this process lives', async () => {
    const small = boardPool({ workers: 1, resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } })
    const test = row()
    const items = numbers(5).map((n): Fault => ({ row: test, n, how: n === 2 ? 'fill the heap' : undefined }))
    const outcomes = await collect(small.imap(fault, items, { chunksize: 1, errors: 'settle' }))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    const { reason } = outcomes[2] as { reason: WorkerCrashError }
    expect(reason).toBeInstanceOf(WorkerCrashError)
    expect(reason.cause).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' })
    await small.terminate()
  })

  const many = times(4, 30)
  it(`${many} times in a row is replaced each time: each death costs one item`, async () => {
    const own = boardPool({ workers: 2 })
    const test = row()
    const items = numbers(2 * many).map((n): Fault => ({ row: test, n, how: n < many ? 'exit' : undefined, code: n }))
    const { started, exits } = await workersOf(async () => {
      const outcomes = await collect(own.imap(fault, items, { chunksize: 1, errors: 'settle' }))
      expect(outcomes.map(({ status }) => status)).toEqual(
        numbers(2 * many).map((n) => (n < many ? 'rejected' : 'fulfilled')),
      )
      const codes = outcomes.slice(0, many).map((outcome) => outcome.status === 'rejected' && outcome.reason)
      expect(codes).toMatchObject(numbers(many).map((exitCode) => ({ exitCode })))
      expect(count(test + RUNS)).toBe(2 * many)
      expect(own.stats()).toMatchObject({ crashes: many, busy: 0, waiting: 0, streams: 0 })
      await own.close()
    })
    expect(started).toBeLessThanOrEqual(many + 2)
    expect(exits).toHaveLength(started)
  })

  it('under one stream does no harm to another one', async () => {
    const test = row()
    const crashing = pool.imap(
      fault,
      numbers(10).map((n): Fault => ({ row: test, n, how: n % 3 === 0 ? 'exit' : undefined })),
      { chunksize: 1, errors: 'settle' },
    )
    const other = row()
    const steady = pool.imap(
      fault,
      numbers(60).map((n): Fault => ({ row: other, n })),
      { chunksize: 1, window: 3, errors: 'settle' },
    )
    const [crashed, done] = await Promise.all([collect(crashing), collect(steady)])
    expect(crashed.map(({ status }) => status)).toEqual(
      numbers(10).map((n) => (n % 3 === 0 ? 'rejected' : 'fulfilled')),
    )
    expect(done.map(({ status }) => status)).toEqual(numbers(60).map(() => 'fulfilled'))
  })

  it('after its stream was ended leaves no error behind', async () => {
    const test = row()
    const before = single.stats().crashes
    const stream = single.imap(fault, [{ row: test, n: 0, how: 'hold, then exit' }])
    const pending = stream.next()
    await reaches(test + RUNS, 1)
    await stream.return()
    expect(await pending).toEqual({ done: true, value: undefined })
    raise(test + HOLD)
    await until(() => single.stats().crashes === before + 1)
    expect(await collect(single.imap(double, [1]))).toEqual([2])
  })

  it('and a pool that is closed meanwhile: close() still resolves', async () => {
    const own = new Pool({ workers: 1, initializer: share, initargs: [board()] })
    const test = row()
    const stream = own.imap(
      fault,
      [
        { row: test, n: 0, how: 'hold, then exit' },
        { row: test, n: 1 },
      ],
      {
        chunksize: 1,
        errors: 'settle',
      },
    )
    const outcomes = collect(stream)
    await reaches(test + RUNS, 1)
    const closing = own.close()
    raise(test + HOLD)
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    await closing
  })
})
