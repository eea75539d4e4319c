/** A pool starts only as many workers as there is work for. */
import type { Worker } from 'node:worker_threads'
import { Pool, type MadeByTask } from 'millrace'
import { collect, numbers, until } from '../fixtures/contract-b-ways.js'
import { same } from '../fixtures/start-limits.js'

const living = new Set<Worker>()
let started = 0
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

describe('a pool of 64 workers', () => {
  it('starts one for a call, and for any number of calls one after the other', async () => {
    await using pool = new Pool({ workers: 64 })
    for (const n of numbers(20)) expect(await pool.apply(same, [n])).toBe(n)
    expect(started).toBe(1)
  })

  it('starts as many as there are calls at once, or items of an array, or as the window lets in', async () => {
    for (const [wanted, run] of [
      [3, (pool: Pool) => Promise.all(numbers(3).map((n) => pool.apply(same, [n])))],
      [4, (pool: Pool) => pool.map(same, numbers(4), { chunksize: 1 })],
      [2, (pool: Pool) => pool.map(same, numbers(4), { chunksize: 2 })],
      [5, (pool: Pool) => collect(pool.imap(same, numbers(100).values(), { window: 5, chunksize: 1 }))],
    ] as const) {
      started = 0
      await using pool = new Pool({ workers: 64 })
      await run(pool)
      expect(started).toBe(wanted)
    }
  })

  it('starts all at once for a stream that can use them; all run, all end, and nothing is left behind', async () => {
    const pool = new Pool({ workers: 64, finalizer: same as unknown as (() => unknown) & MadeByTask })
    const stream = pool.imap(same, numbers(2_000), { chunksize: 1 })
    const first = stream.next()
    expect(pool.stats().starting).toBe(64)
    expect(await first).toEqual({ done: false, value: 0 })
    expect(await collect(stream)).toEqual(numbers(2_000).slice(1))
    await until(() => pool.stats().ready === 64)
    expect(pool.stats()).toMatchObject({ busy: 0, waiting: 0, streams: 0, crashes: 0 })
    expect(await pool.close()).toHaveLength(64)
    expect([started, living.size]).toEqual([64, 0])
  })
})
