/**
 * The option `startTimeout`: a worker that hangs before its first item, or after its last one, is ended. The error
 * names the reason.
 */
import type { Worker } from 'node:worker_threads'
import { failure, Pool, TaskLoadError, TaskTimeoutError, WorkerStartError } from 'millrace'
import { Process } from 'millrace/multiprocessing'
import { collect, numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { neverLoaded as hangs } from '../fixtures/hanging-module.js'
import { neverLoaded as loops } from '../fixtures/looping-module.js'
import { countItem, counted, hang, loop, same } from '../fixtures/start-limits.js'
import { isFull } from '../support/volume.js'

let started = 0
const living = new Set<Worker>()
const note = (worker: Worker): void => {
  started++
  living.add(worker)
  worker.once('exit', () => living.delete(worker))
}
beforeEach(() => {
  started = 0
  process.on('worker', note)
})
afterEach(async () => {
  process.off('worker', note)
  await until(() => living.size === 0)
})

describe('startTimeout', () => {
  for (const [how, initializer] of [
    ['waits', hang],
    ['loops', loop],
  ] as const) {
    it(`bounds an initializer that ${how}: a WorkerStartError that names it, at the first attempt`, async () => {
      const pool = new Pool({ workers: 2, name: 'slow', initializer, startTimeout: 1_000 })
      const error = await rejection(collect(pool.imap(same, numbers(10), { errors: 'skip' })))
      expect(error).toBeInstanceOf(WorkerStartError)
      expect((error as Error).message).toMatch(
        new RegExp(
          `^Cannot start the workers of pool 'slow': initializer '${initializer.name || (how === 'waits' ? 'hang' : 'loop')}' of file:.*/start-limits.js did not end within 1000 ms: .*startTimeout`,
        ),
      )
      expect(() => pool.imap(same, [1])).toThrow(WorkerStartError)
      expect(started).toBeLessThanOrEqual(2)
      await pool.terminate()
    })
  }

  it('bounds the start itself', async () => {
    const source = `data:text/javascript,await new Promise(() => setInterval(() => {}, 1000))`
    const pool = new Pool({ workers: 1, name: 'slow', execArgv: ['--import', source], startTimeout: 1_000 })
    const error = await rejection(pool.apply(same, [1]))
    expect(error).toBeInstanceOf(WorkerStartError)
    expect((error as Error).message).toMatch(/pool 'slow': a worker did not start within 1000 ms: .*execArgv/)
    await pool.terminate()
  })

  for (const [how, task] of [
    ['waits', hangs],
    ['loops', loops],
  ] as const) {
    // Each of them takes the whole time limit.
    for (const concurrency of isFull ? [1, 3] : [how === 'waits' ? 3 : 1]) {
      it(`bounds a module that ${how} while it loads: a TaskLoadError for each item (concurrency ${concurrency})`, async () => {
        const pool = new Pool({ workers: 1, startTimeout: 1_000 })
        const stream = pool.imap(task, numbers(20), { errors: 'settle', chunksize: 5, window: 20, concurrency })
        const outcomes = await collect(stream)
        expect(outcomes.map(({ status, index }) => [status, index])).toEqual(numbers(20).map((n) => ['rejected', n]))
        for (const outcome of outcomes) {
          const { reason } = outcome as { reason: Error }
          expect(reason).toBeInstanceOf(TaskLoadError)
          expect(reason.message).toMatch(
            /^Cannot run task 'neverLoaded' as its module file:.*-module.js did not load within 1000 ms .*startTimeout/,
          )
        }
        expect(pool.stats()).toMatchObject({ timeouts: 1, crashes: 0 })
        // It was replaced once, and the pool works.
        expect(await pool.apply(same, [5])).toBe(5)
        expect(started).toBe(2)
        await pool.terminate()
      })
    }
  }

  it('leaves other streams unharmed, and items that take longer', async () => {
    const pool = new Pool({ workers: 2, startTimeout: 1_000 })
    const steady = collect(pool.imap(countItem, numbers(2_000), { chunksize: 1 }))
    const error = await rejection(pool.apply(hangs, [1], { retries: 2 }))
    expect(error).toBeInstanceOf(TaskLoadError)
    expect(failure(error)).toMatchObject({ task: 'neverLoaded', attempts: 1 })
    expect(await steady).toEqual(numbers(2_000))
    const spent = await pool.apply({ module: new URL('node:timers/promises'), export: 'setTimeout' }, [1_300])
    expect(spent).toBeUndefined()
    await pool.terminate()
  })

  it('does not count as time of an item: `timeout` begins with the item', async () => {
    const pool = new Pool({ workers: 1, startTimeout: 1_000 })
    const error = await rejection(pool.apply(hangs, [1], { timeout: 20 }))
    expect(error).toBeInstanceOf(TaskLoadError)
    await pool.terminate()
  })

  for (const [how, finalizer] of [
    ['waits', hang],
    ['loops', loop],
  ] as const) {
    it(`bounds a finalizer that ${how}: close() rejects with a TaskTimeoutError`, async () => {
      const pool = new Pool({ workers: 1, name: 'slow', finalizer, startTimeout: 1_000 })
      expect(await pool.apply(same, [1])).toBe(1)
      const error = await rejection(pool.close())
      expect(error).toBeInstanceOf(TaskTimeoutError)
      expect((error as Error).message).toMatch(/^Finalizer '(hang|loop)' of file:.* did not end within 1000 ms/)
    })
  }

  it('may be Infinity', async () => {
    const pool = new Pool({ workers: 1, startTimeout: Infinity, initializer: same, initargs: [1], finalizer: counted })
    expect(await pool.apply(same, [1])).toBe(1)
    expect(await pool.close()).toEqual([0])
  })
})

describe('close()', () => {
  it('resolves with the results of the finalizers of all workers, also of replaced ones', async () => {
    const pool = new Pool({ workers: 1, maxTasksPerWorker: 10, finalizer: counted })
    await pool.map(countItem, numbers(35), { chunksize: 5 })
    expect(await pool.close()).toEqual([10, 10, 10, 5])
  })
})

describe('a Process', () => {
  it('whose module awaits a promise that never settles ends with an error that says so', async () => {
    const one = new Process({ target: hangs, args: [1] })
    one.start()
    await one.join()
    expect(one.exitCode).toBe(1)
    expect(one.error).toBeInstanceOf(TaskLoadError)
    expect((one.error as Error).message).toMatch(
      /'neverLoaded' as its module file:.* awaits something at its top level/,
    )
  })
})
