/**
 * One dimension at a time, far beyond common use. A cost that grows faster than the input would exceed the time limit
 * of the test.
 */
import { imap, Pool } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { same } from '../fixtures/contract-a-values.js'
import { collected } from '../support/collect.js'
import { Gates, turns } from '../support/gates.js'
import { times } from '../support/volume.js'

const MANY = times(20_000, 100_000)

const pool = new Pool({ workers: 2, name: 'scale' })

afterEach(() => {
  Gates.openAll()
})
afterAll(() => pool.terminate())

it('a chunk of 1,000,000 items that all fail, as their task does not load', async () => {
  const missing = { module: 'node:zlib', export: 'nope' } as const
  const options = { chunksize: 1_000_000, window: 1_000_000 }
  const items = new Array<number>(1_000_000).fill(0)
  await expect(pool.imap(missing, items, options).next()).rejects.toMatchObject({ code: 'ERR_TASK_LOAD' })
  await expect(pool.imapUnordered(missing, items, options).next()).rejects.toMatchObject({ code: 'ERR_TASK_LOAD' })
  const skipping = pool.imap(missing, items, { ...options, errors: 'skip' })
  expect((await skipping.next()).done).toBe(true)
  expect(skipping.stats().skipped).toBe(1_000_000)
})

it(`${MANY} outstanding calls, given up at once`, async () => {
  const gates = new Gates(2)
  gates.hold(0, 1)
  const busy = pool.map(gated, gates.items, { chunksize: 1 })
  await Promise.all([gates.entered(0), gates.entered(1)])
  const controller = new AbortController()
  const { signal } = controller
  let rejected = 0
  const calls = Array.from({ length: MANY }, (_, i) => pool.apply(same, [i], { signal }).catch(() => rejected++))
  await turns(1)
  expect(pool.stats().streams).toBe(MANY + 1)
  controller.abort()
  await Promise.all(calls)
  expect([rejected, pool.stats().streams, pool.stats().waiting]).toEqual([MANY, 1, 0])
  gates.releaseAll()
  expect(await busy).toEqual(gates.items)
})

it('5,000 outstanding calls, answered in turn', async () => {
  const calls = Array.from({ length: 5_000 }, (_, i) => pool.apply(same, [i]))
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 5_000 }, (_, i) => i))
  expect(pool.stats()).toMatchObject({ streams: 0, waiting: 0, busy: 0 })
})

it('1,000 streams that are dropped', async () => {
  let closed = 0
  function* endless(): Generator<number, void> {
    try {
      for (let i = 0; ; i++) yield i
    } finally {
      closed++
    }
  }
  async function use(): Promise<void> {
    await pool.imap(same, endless(), { window: 4 }).next()
  }
  await Promise.all(Array.from({ length: 1_000 }, use))
  expect(await collected(() => pool.stats().streams === 0 && closed === 1_000)).toBe(true)
})

it(`${MANY} tiny streams`, async () => {
  let sum = 0
  for (let i = 0; i < MANY; i++) {
    for await (const x of imap((n: number) => n, [1], { workers: 0 })) sum += x
  }
  expect(sum).toBe(MANY)
})
