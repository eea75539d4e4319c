/**
 * Workers that cannot start because handles are missing. The pool continues with the workers that do start, and tries
 * one at a time.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SHARE_ENV } from 'node:worker_threads'
import { Pool, TaskLoadError, WorkerStartError } from 'millrace'
import { board, count, raise, row } from '../fixtures/contract-b-board.js'
import { double } from '../fixtures/contract-b-tasks.js'
import { collect, numbers, rejection } from '../fixtures/contract-b-ways.js'
import { CLOSED, openAfter, openOnce, TRIES } from '../fixtures/scarce.js'
import { triple } from '../fixtures/scarce-module.js'
import { isFull } from '../support/volume.js'

let started = 0
const note = (): void => {
  started++
}
beforeEach(() => {
  started = 0
  process.on('worker', note)
})
afterEach(() => {
  process.off('worker', note)
})

describe('a pool of which no worker has handles left', () => {
  it('starts one alone where all of several have failed', async () => {
    await using pool = new Pool({ workers: 4, initializer: openAfter, initargs: [board(), row(), 4] as const })
    expect(await pool.map(double, numbers(50), { chunksize: 1 })).toEqual(numbers(50).map((n) => 2 * n))
    expect(started).toBe(5)
  })

  it('takes the failure of several at once for one, and is broken when it has failed three times in a row', async () => {
    for (const [workers, attempts] of [
      [1, 3],
      [4, 6],
    ] as const) {
      started = 0
      const initargs: [SharedArrayBuffer, number, number] = [board(), row(), Infinity]
      const pool = new Pool({ workers, name: 'mill', initializer: openAfter, initargs })
      const error = await rejection(collect(pool.imap(double, numbers(50), { chunksize: 1 })))
      expect(error).toBeInstanceOf(WorkerStartError)
      expect(error).toMatchObject({
        cause: { code: 'EMFILE' },
        message:
          "Cannot start the workers of pool 'mill' (3 attempts failed): EMFILE: too many open files, open it. " +
          'Too many files are open: close some, or raise the limit (ulimit -n)',
      })
      expect(started).toBe(attempts)
      await pool.terminate()
    }
  })

  it('goes on with the one that has started, and tries one more now and then', async () => {
    const test = row()
    await using pool = new Pool({ workers: 4, initializer: openOnce, initargs: [board(), test] as const })
    const stream = pool.imap(double, numbers(1_000_000).values(), { chunksize: 1 })
    for (let n = 0; n < 2_000; n++) expect((await stream.next()).value).toBe(2 * n)
    expect(count(test + TRIES)).toBe(4)
    expect(pool.stats()).toMatchObject({ starting: 0, ready: 1, crashes: 0 })
    raise(test + CLOSED)
    // The next one is tried after five seconds.
    if (isFull) {
      while (pool.stats().ready === 1) await stream.next()
      expect(count(test + TRIES)).toBe(5)
    }
    await stream.return()
  })
})

describe('a worker that cannot get a handle for the module of its first task', () => {
  afterEach(() => {
    delete process.env.SCARCE
  })

  it('is replaced: its items run elsewhere', async () => {
    process.env.SCARCE = '2'
    await using pool = new Pool({ workers: 1, env: SHARE_ENV })
    expect(await pool.map(triple, numbers(20))).toEqual(numbers(20).map((n) => 3 * n))
    expect(started).toBe(3)
    expect(pool.stats()).toMatchObject({ ready: 1, crashes: 0, busy: 0, waiting: 0 })
  })

  it('leaves a broken pool if that happens three times in a row', async () => {
    process.env.SCARCE = '100'
    const pool = new Pool({ workers: 1, env: SHARE_ENV })
    const error = await rejection(collect(pool.imap(triple, numbers(20), { errors: 'skip' })))
    expect(error).toBeInstanceOf(WorkerStartError)
    expect(error).toMatchObject({ cause: { name: 'TaskLoadError', cause: { code: 'EMFILE' } } })
    expect(started).toBe(3)
    await pool.terminate()
  })

  it('is kept if it has run other items: these fail with a TaskLoadError', async () => {
    process.env.SCARCE = '100'
    await using pool = new Pool({ workers: 1, env: SHARE_ENV })
    expect(await pool.apply(double, [1])).toBe(2)
    const error = await rejection(pool.apply(triple, [1]))
    expect(error).toBeInstanceOf(TaskLoadError)
    expect(error).toMatchObject({ cause: { code: 'EMFILE' } })
    expect(await pool.apply(double, [2])).toBe(4)
    expect(started).toBe(1)
  })
})

describe('a program that may open few files', () => {
  /** @param free The number of files that it can still open. */
  const run = (free: number) => {
    const program = fileURLToPath(new URL('../fixtures/programs/scarce-handles.js', import.meta.url))
    const command = `ulimit -n 100; exec "${process.execPath}" "${program}" ${free}`
    return promisify(execFile)('sh', ['-c', command], { timeout: 20_000 })
  }

  it('gets all results from a pool of eight, however many of its workers have room', async () => {
    for (const free of [10, 12, 14, 17, 26]) {
      expect([free, await run(free)]).toEqual([free, { stdout: 'begins\n200\n', stderr: '' }])
    }
  })

  it('gets an error that says so where not a single one has', async () => {
    const { stdout } = await run(0)
    expect(stdout).toMatch(/^begins\nWorkerStartError: Cannot start the workers of pool 'mill' \(3 attempts failed\): /)
    expect(stdout).toMatch(/EMFILE.*\. Too many files are open: close some, or raise the limit \(ulimit -n\) 10\n$/)
  })
})
