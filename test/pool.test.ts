/** The pool: its options, the ends of its workers, and `stats()`. */
import { Session } from 'node:inspector'
import { availableParallelism } from 'node:os'
import { SHARE_ENV, type Worker } from 'node:worker_threads'
import { imap, imapUnordered, Pool } from 'millrace'
import { raise, reaches, row } from './fixtures/contract-b-board.js'
import { setEnv, tell } from './fixtures/contract-b-faults.js'
import { act, double, GATE, item, STARTED } from './fixtures/contract-b-tasks.js'
import { boardPool, collect, numbers, until } from './fixtures/contract-b-ways.js'

/** The workers that this process starts while the test runs, and those that have exited. */
class Watch {
  readonly started: Worker[] = []
  readonly exited: Worker[] = []
  readonly #waiting: { readonly exits: number; readonly resolve: () => void }[] = []
  readonly #note = (worker: Worker): void => {
    this.started.push(worker)
    worker.once('exit', () => {
      this.exited.push(worker)
      for (const { exits, resolve } of this.#waiting) if (this.exited.length >= exits) resolve()
    })
  }

  constructor() {
    process.on('worker', this.#note)
  }

  /** Settles when this many workers have exited. */
  exits(exits: number): Promise<void> {
    if (this.exited.length >= exits) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push({ exits, resolve })
    })
  }

  [Symbol.dispose](): void {
    process.off('worker', this.#note)
  }
}

const IDLE = { starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0, crashes: 0, timeouts: 0, recycled: 0 }

describe('a pool', () => {
  it('has a name and a number of workers; by default "pool", and one per core', async () => {
    const pool = new Pool()
    expect([pool.name, pool.workers]).toEqual(['pool', availableParallelism()])
    const named = new Pool({ name: 'mill', workers: 3 })
    expect([named.name, named.workers]).toEqual(['mill', 3])
    await Promise.all([pool.close(), named.close()])
  })

  it('starts this number of workers, once, and numbers them from 1', async () => {
    using watch = new Watch()
    await using pool = new Pool({ workers: 3 })
    expect(watch.started).toHaveLength(0)
    const told = await collect(pool.imap(tell, numbers(200), { chunksize: 1 }))
    await until(() => pool.stats().ready === 3)
    expect(watch.started).toHaveLength(3)
    const workers = new Set(told.map(({ worker }) => worker))
    expect([...workers].every((worker) => [1, 2, 3].includes(worker))).toBe(true)
    const threads = new Map(told.map(({ worker, threadId }) => [worker, threadId]))
    for (const { worker, threadId } of told) expect(threads.get(worker)).toBe(threadId)

    // The same threads serve the next stream.
    const again = await collect(pool.imapUnordered(tell, numbers(200), { chunksize: 1 }))
    for (const { worker, threadId } of again) expect(threads.get(worker) ?? threadId).toBe(threadId)
    expect(watch.started).toHaveLength(3)
  })

  it('may have more workers than there are cores, or items', async () => {
    await using pool = new Pool({ workers: 12 })
    expect(await collect(pool.imap(double, [1, 2, 3]))).toEqual([2, 4, 6])
  })

  it('uses all its workers at once', async () => {
    await using pool = boardPool({ workers: 3 })
    const test = row()
    const results = collect(
      pool.imap(
        act,
        numbers(3).map((n) => item(test, n, 'block')),
        { chunksize: 1 },
      ),
    )
    await reaches(test + STARTED, 3)
    expect(pool.stats()).toEqual({ ...IDLE, ready: 3, busy: 3, streams: 1 })
    raise(test + GATE)
    expect(await results).toEqual([0, 1, 2])
    expect(pool.stats()).toEqual({ ...IDLE, ready: 3 })
  })

  it('counts waiting chunks in stats()', async () => {
    await using pool = boardPool({ workers: 1 })
    const test = row()
    const held = pool.imap(act, [item(test, 0, 'hold'), item(test, 1)], { chunksize: 1 })
    const first = held.next()
    expect(pool.stats()).toEqual({ ...IDLE, starting: 1, waiting: 1, streams: 1 })
    await reaches(test + STARTED, 1)
    const others = numbers(3).map((n) => pool.imap(double, [n]).next())
    const { waiting, ...stats } = pool.stats()
    raise(test + GATE)
    expect(stats).toEqual({ starting: 0, ready: 1, busy: 1, streams: 4, crashes: 0, timeouts: 0, recycled: 0 })
    // The second chunk of the first stream may wait behind the first one, at the worker.
    expect([3, 4]).toContain(waiting)
    expect(await first).toEqual({ done: false, value: 0 })
    expect((await Promise.all(others)).map(({ value }) => value)).toEqual([0, 2, 4])
    await held.return()
  })
})

describe('the option', () => {
  it('env gives the workers a separate environment, a copy', async () => {
    await using pool = new Pool({ workers: 1, env: { MILL: 'own', GONE: undefined } })
    const [told] = await collect(pool.imap(tell, [0]))
    expect(told?.env).toEqual({ MILL: 'own' })
    await collect(pool.imap(setEnv, [['MILLRACE_TEST', 'leaked'] as const]))
    expect(process.env.MILLRACE_TEST).toBeUndefined()
  })

  it('env is by default a copy of the environment of this thread', async () => {
    process.env.MILLRACE_TEST_DEFAULT = 'given'
    try {
      await using pool = new Pool({ workers: 1 })
      const [told] = await collect(pool.imap(tell, [0]))
      expect(told?.env).toMatchObject({ MILLRACE_TEST_DEFAULT: 'given' })
      await collect(pool.imap(setEnv, [['MILLRACE_TEST_DEFAULT', 'changed'] as const]))
      expect(process.env.MILLRACE_TEST_DEFAULT).toBe('given')
    } finally {
      delete process.env.MILLRACE_TEST_DEFAULT
    }
  })

  it('env: SHARE_ENV lets workers change the environment of this process', async () => {
    await using pool = new Pool({ workers: 1, env: SHARE_ENV })
    await collect(pool.imap(setEnv, [['MILLRACE_TEST_SHARED', 'here'] as const]))
    expect(process.env.MILLRACE_TEST_SHARED).toBe('here')
    delete process.env.MILLRACE_TEST_SHARED
  })

  it('execArgv reaches the workers', async () => {
    const execArgv = ['--no-warnings', '--import', 'data:text/javascript,process.env.MILLRACE_IMPORTED="yes"']
    await using pool = new Pool({ workers: 1, execArgv })
    const [told] = await collect(pool.imap(tell, [0]))
    expect(told?.execArgv).toEqual(execArgv)
    expect(told?.env).toMatchObject({ MILLRACE_IMPORTED: 'yes' })
    expect(process.env.MILLRACE_IMPORTED).toBeUndefined()
  })

  it('resourceLimits reaches the workers', async () => {
    const resourceLimits = {
      maxOldGenerationSizeMb: 96,
      maxYoungGenerationSizeMb: 8,
      codeRangeSizeMb: 32,
      stackSizeMb: 2,
    }
    await using pool = new Pool({ workers: 1, resourceLimits })
    const [told] = await collect(pool.imap(tell, [0]))
    expect(told?.resourceLimits).toEqual(resourceLimits)
  })

  it('name is seen in the names of the threads', async () => {
    const session = new Session()
    session.connect()
    const names: string[] = []
    // Threads of other pools of this process are reported, too.
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      const name = params.workerInfo.title.replace(/^\[worker \d+\] /, '')
      if (name.startsWith('mill-')) names.push(name)
    })
    try {
      session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
      await using pool = new Pool({ workers: 2, name: 'mill' })
      // A stream of one item would start one of them.
      await collect(pool.imap(double, [1, 2, 3]))
      await until(() => names.length === 2)
      expect(names.sort()).toEqual(['mill-1', 'mill-2'])
    } finally {
      session.disconnect()
    }
  })
})

describe('idleTimeout', () => {
  for (const idleTimeout of [0, 20]) {
    it(`${idleTimeout} ends the threads after the last stream, and the next stream starts new ones`, async () => {
      using watch = new Watch()
      const pool = boardPool({ workers: 2, idleTimeout })
      for (let round = 1; round <= 3; round++) {
        expect(await collect(pool.imap(double, [1, 2, 3]))).toEqual([2, 4, 6])
        await watch.exits(2 * round)
        expect(pool.stats()).toEqual(IDLE)
        expect(watch.started).toHaveLength(2 * round)
      }
      await pool.close()
    })
  }

  it('does not begin while a stream is open, however long that takes', async () => {
    using watch = new Watch()
    const pool = boardPool({ workers: 2, idleTimeout: 0 })
    const test = row()
    const open = pool.imap(act, [item(test, 0), item(test, 1, 'hold')], { chunksize: 1 })
    expect(await open.next()).toEqual({ done: false, value: 0 })
    expect(await collect(pool.imap(double, [1]))).toEqual([2])
    raise(test + GATE)
    expect(await open.next()).toEqual({ done: false, value: 1 })
    expect(watch.started).toHaveLength(2)
    expect(watch.exited).toHaveLength(0)
    expect((await open.next()).done).toBe(true)
    await watch.exits(2)
    await pool.close()
  })

  it('a stream that is opened while the idle threads are being ended gets all its results', async () => {
    const pool = boardPool({ workers: 2, idleTimeout: 0 })
    for (let round = 0; round < 15; round++) {
      for (let turns = 0; turns < round; turns++) await new Promise(setImmediate)
      expect(await collect(pool.imap(double, [1, 2, 3]))).toEqual([2, 4, 6])
    }
    await pool.close()
    expect(pool.stats()).toEqual(IDLE)
  })

  it('ends a worker that an abandoned task still occupies', async () => {
    using watch = new Watch()
    const pool = boardPool({ workers: 1, idleTimeout: 0 })
    const test = row()
    const stream = pool.imap(act, [item(test, 0, 'spin')])
    void stream.next()
    await reaches(test + STARTED, 1)
    await stream.return()
    await watch.exits(1)
    expect(pool.stats()).toEqual(IDLE)
    await pool.close()
  })
})

describe('the default pool', () => {
  it('is shared by every stream of the module-level verbs', async () => {
    using watch = new Watch()
    const told = await Promise.all(
      [imap(tell, numbers(20)), imapUnordered(tell, numbers(20)), imap(tell, numbers(20), { window: 3 })].map(
        (stream) => collect(stream),
      ),
    )
    const threads = new Set(told.flat().map(({ threadId }) => threadId))
    expect(threads.size).toBeLessThanOrEqual(availableParallelism())
    expect(watch.started.length).toBeLessThanOrEqual(availableParallelism())
  })
})
