/** The start of a pool's workers: initializers, and failures that must end. */
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { Pool, WorkerStartError, type MadeByTask, type TaskReference } from 'millrace'
import { SpawnableWorker } from '#dist/threads-package.js'
import { unreachable } from '../fixtures/contract-b-broken.js'
import { board, count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import {
  begin,
  beginAndExit,
  beginAndFail,
  beginAndHang,
  beginAndReject,
  beginOnce,
  failAtFirst,
  fault,
  HOLD,
  RUNS,
  tell,
} from '../fixtures/contract-b-faults.js'
import { double } from '../fixtures/contract-b-tasks.js'
import { collect, numbers, Probe, rejection, until } from '../fixtures/contract-b-ways.js'
import { isFull } from '../support/volume.js'

/** The workers started since, which have not exited yet, and their number. */
class Watch {
  readonly living = new Set<Worker>()
  started = 0
  readonly #note = (worker: Worker): void => {
    this.started++
    this.living.add(worker)
    worker.once('exit', () => this.living.delete(worker))
  }

  constructor() {
    process.on('worker', this.#note)
  }

  [Symbol.dispose](): void {
    process.off('worker', this.#note)
  }
}

type BoardTask = ((buffer: SharedArrayBuffer, row: number) => unknown) & MadeByTask
type Cause = Readonly<Record<string, unknown>>

const FAILURES: readonly (readonly [title: string, initializer: BoardTask, cause: Cause, says: RegExp])[] = [
  ['throws', beginAndFail, { name: 'RangeError', message: 'no licence', code: 'E_LICENCE' }, /no licence/],
  ['ends its worker', beginAndExit, {}, /exit code 5/],
  ['leaves a rejection unhandled', beginAndReject, { message: 'unseen' }, /unseen/],
]

describe('a pool whose initializer', () => {
  for (const [title, initializer, cause, says] of FAILURES) {
    for (const workers of [1, 2, 4]) {
      it(`${title} is broken with a WorkerStartError after a bounded number of attempts (${workers} workers)`, async () => {
        using watch = new Watch()
        const test = row()
        const pool = new Pool({ workers, name: 'mill', initializer, initargs: [board(), test] as const })
        const probe = new Probe()
        const streams = [
          pool.imap(
            double,
            probe.async((n) => n),
          ),
          pool.imapUnordered(double, [1, 2, 3], { errors: 'settle' }),
        ]
        const errors = await Promise.all(streams.map((stream) => rejection(stream.next())))
        for (const error of errors) {
          expect(error).toBeInstanceOf(WorkerStartError)
          expect(error).toMatchObject({ name: 'WorkerStartError', code: 'ERR_WORKER_START', cause })
          expect((error as Error).message).toMatch(/pool 'mill'/)
          expect((error as Error).message).toMatch(says)
        }
        for (const stream of streams) expect(await stream.next()).toEqual({ done: true, value: undefined })
        expect(probe.returns).toBe(1)

        // It stays broken, and does not start a worker any more.
        await until(() => watch.living.size === 0)
        const { started } = watch
        expect(started).toBeLessThanOrEqual(workers + 3)
        expect(() => pool.imap(double)).toThrow(WorkerStartError)
        await new Promise(setImmediate)
        expect(watch.started).toBe(started)
        expect(count(test + RUNS)).toBeLessThanOrEqual(started)
        expect(pool.stats()).toMatchObject({ starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0 })
        await pool.close()
        await pool.terminate()
      })
    }
  }

  it('cannot be loaded is broken with the reason as cause', async () => {
    for (const [initializer, says] of [
      [unreachable, /no database here/],
      [{ module: new URL('none.js', import.meta.url), export: 'start' }, /none\.js/],
    ] as const) {
      const pool = new Pool({
        workers: 2,
        initializer: initializer as TaskReference<{ start: (n: number) => unknown }, 'start'>,
        initargs: [5],
      })
      const error = await rejection(pool.imap(double, [1]).next())
      expect(error).toBeInstanceOf(WorkerStartError)
      expect(error).toMatchObject({ cause: { name: 'TaskLoadError', code: 'ERR_TASK_LOAD' } })
      expect((error as Error).message).toMatch(says)
      await pool.terminate()
    }
  })

  it('has arguments that cannot be cloned is broken with the reason', async () => {
    const pool = new Pool({
      workers: 2,
      initializer: begin as ((...args: never[]) => unknown) & MadeByTask,
      initargs: [() => 5] as never,
    })
    const error = await rejection(pool.imap(double, [1]).next())
    expect(error).toBeInstanceOf(WorkerStartError)
    expect((error as Error).message).toMatch(/could not be cloned/)
    await pool.terminate()
  })

  it('fails twice and then succeeds gives all results', async () => {
    using watch = new Watch()
    const test = row()
    const pool = new Pool({ workers: 1, initializer: failAtFirst, initargs: [board(), test] as const })
    expect(await collect(pool.imap(double, [1, 2, 3]))).toEqual([2, 4, 6])
    expect([watch.started, count(test + RUNS)]).toEqual([3, 3])
    await pool.terminate()
  })

  it('fails in all workers but one leaves that one at work; the others are tried again now and then', async () => {
    const test = row()
    await using pool = new Pool({ workers: 3, initializer: beginOnce, initargs: [board(), test] as const })
    const stream = pool.imap(
      double,
      new Probe().sync((n) => n),
      { chunksize: 1 },
    )
    for (let n = 0; n < 5_000; n++) expect((await stream.next()).value).toBe(2 * n)
    const tried = count(test + RUNS)
    expect(tried).toBeLessThan(10)
    const begun = performance.now()
    for (let n = 5_000; n < 10_000; n++) await stream.next()
    // After each pause of five seconds, which a busy machine may take for these items, both are tried.
    const pauses = Math.ceil((performance.now() - begun) / 5_000)
    expect(count(test + RUNS)).toBeLessThanOrEqual(tried + 2 * pauses)
    expect(pool.stats()).toMatchObject({ ready: 1, crashes: 0 })
    raise(test + HOLD)
    // That takes up to five seconds.
    if (isFull) while (pool.stats().ready < 3) await stream.next()
    await stream.return()
  })

  it('never settles can be left: its stream, and the pool', async () => {
    using watch = new Watch()
    const test = row()
    const pool = new Pool({ workers: 2, initializer: beginAndHang, initargs: [board(), test] as const })
    const probe = new Probe()
    const stream = pool.imap(
      double,
      probe.sync((n) => n),
    )
    const pending = stream.next()
    await reaches(test + RUNS, 2)
    await stream.return()
    expect(await pending).toEqual({ done: true, value: undefined })
    expect(probe.returns).toBe(1)
    await pool.terminate()
    expect(watch.living.size).toBe(0)
  })

  it('runs once in each worker, with its arguments, before the first item', async () => {
    const test = row()
    const given = [new Map([['a', 1]]), 2n, undefined, 'text']
    const pool = new Pool({ workers: 2, initializer: begin, initargs: [board(), test, ...given] })
    const told = await collect(pool.imap(tell, numbers(30), { chunksize: 1 }))
    for (const { initialized } of told) expect(initialized).toEqual(given)
    // Again, now with all threads running.
    await until(() => pool.stats().ready === 2)
    await collect(pool.imap(tell, numbers(30), { chunksize: 1 }))
    expect(count(test + RUNS)).toBe(2)
    await pool.terminate()
  })

  it('runs once more in a worker that replaces a dead one', async () => {
    const test = row()
    const pool = new Pool({ workers: 1, initializer: begin, initargs: [board(), test] })
    const runs = row()
    const items = [
      { row: runs, n: 0 },
      { row: runs, n: 1, how: 'exit' },
      { row: runs, n: 2 },
    ] as const
    const outcomes = await collect(pool.imap(fault, items, { chunksize: 1, errors: 'settle' }))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(count(test + RUNS)).toBe(2)
    await pool.terminate()
  })
})

describe('the workers of a pool', () => {
  it('start at the first item, all at once, and the first that is ready gets the first chunk', async () => {
    using watch = new Watch()
    const test = row()
    const pool = new Pool({
      workers: 3,
      initializer: begin,
      initargs: [board(), test, 'all but the first wait'],
    })
    const stream = pool.imap(double, numbers(10), { chunksize: 1 })
    await new Promise(setImmediate)
    expect([watch.started, pool.stats().starting]).toEqual([0, 0])
    const first = stream.next()
    expect(pool.stats().starting).toBe(3)
    // Two of them wait in their initializers for the test. All three have begun before any other has ended.
    expect(await first).toEqual({ done: false, value: 0 })
    await reaches(test + RUNS, 3)
    expect(pool.stats()).toMatchObject({ starting: 2, ready: 1 })
    expect(watch.started).toBe(3)
    expect(await collect(stream)).toEqual(
      numbers(10)
        .slice(1)
        .map((x) => 2 * x),
    )
    raise(test + HOLD)
    await until(() => pool.stats().ready === 3)
    await pool.terminate()
    expect(watch.living.size).toBe(0)
  })

  it('start side by side: every initializer has begun before one has ended', async () => {
    const test = row()
    const pool = new Pool({ workers: 4, initializer: begin, initargs: [board(), test, 'all wait'] })
    const results = collect(pool.imap(double, numbers(10)))
    await reaches(test + RUNS, 4)
    expect(pool.stats()).toMatchObject({ starting: 4, ready: 0, waiting: 1 })
    raise(test + HOLD)
    expect(await results).toEqual(numbers(10).map((x) => 2 * x))
    await pool.terminate()
  })

  it('load the package threads only for a finalizer, which is called by it', async () => {
    const loaded = { module: new URL('../fixtures/contract-b-plain.js', import.meta.url), export: 'hasThreads' }
    const initialized = new Pool({ workers: 1, initializer: begin, initargs: [board(), row()] })
    expect(await collect(initialized.imap(loaded, numbers(3), { chunksize: 1 }))).toEqual([false, false, false])
    await initialized.terminate()
    const finalized = new Pool({ workers: 1, finalizer: loaded })
    expect(await collect(finalized.imap(loaded, numbers(3), { chunksize: 1 }))).toEqual([true, true, true])
    expect(await finalized.close()).toEqual([true])
  })

  it('count as exposed by the message of threads, and not by one that a task posts', async () => {
    const source = `import { parentPort } from 'node:worker_threads'
      parentPort.on('message', (message) => parentPort.postMessage(message))`
    const worker = new SpawnableWorker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
    let exposed = false
    void worker.exposed.then(() => (exposed = true))
    for (const message of [null, 'init', { type: 'other' }]) {
      worker.postMessage(message)
      await once(worker, 'message')
    }
    await new Promise(setImmediate)
    expect(exposed).toBe(false)
    worker.postMessage({ type: 'init' })
    await worker.exposed
    await worker.terminate()
  })

  it('do not start, with options that Node refuses: one clear error, and no worker is left', async () => {
    using watch = new Watch()
    for (const [execArgv, code] of [
      [['--no-such-option'], 'ERR_WORKER_INVALID_EXEC_ARGV'],
      [['--expose-gc'], 'ERR_WORKER_INVALID_EXEC_ARGV'],
      [['--import', new URL('none.mjs', import.meta.url).href], 'ERR_MODULE_NOT_FOUND'],
      [['--require', '/none/at/all.cjs'], 'MODULE_NOT_FOUND'],
    ] as const) {
      const pool = new Pool({ workers: 2, name: 'flags', execArgv: [...execArgv] })
      const error = await rejection(collect(pool.imap(double, numbers(5), { errors: 'skip' })))
      expect(error).toBeInstanceOf(WorkerStartError)
      expect(error).toMatchObject({ cause: { code } })
      expect((error as Error).message).toMatch(/pool 'flags'/)
      expect(() => pool.imap(double, [1])).toThrow(WorkerStartError)
      await pool.terminate()
    }
    await until(() => watch.living.size === 0)
    expect(watch.started).toBeLessThanOrEqual(4 * 5)
  })

  it('that die while they start, before anything of ours runs, are not started without end', async () => {
    using watch = new Watch()
    const source = 'data:text/javascript,process.exit(9)'
    const pool = new Pool({ workers: 2, execArgv: ['--import', source] })
    const error = await rejection(pool.imap(double, [1]).next())
    expect(error).toBeInstanceOf(WorkerStartError)
    expect((error as Error).message).toMatch(/exit code 9/)
    await until(() => watch.living.size === 0)
    expect(watch.started).toBeLessThanOrEqual(5)
    await pool.terminate()
  })
})
