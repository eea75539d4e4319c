/** A result that ends or blocks its worker while it is encoded fails only its own item. */
import { Pool, TaskTimeoutError, WorkerCrashError, type Outcome } from 'millrace'
import { collect, numbers, rejection } from '../fixtures/contract-b-ways.js'
import { give, giveLater, giveMuchLater, giveTwo, sum, type Order } from '../fixtures/deadly-results.js'
import { isFullOnProcesses, eachValue } from '../support/volume.js'

const COUNT = 21
const BAD = 9
const TIMEOUT_MS = 400

const pool = new Pool({ workers: 2 })
afterAll(async () => {
  await pool.terminate()
})

function orders(how: Order['how']): Order[] {
  return numbers(COUNT).map((n) => ({ n, how: n === BAD ? how : undefined }))
}

const processes = new Pool({ workers: 2, isolation: 'process' })
afterAll(async () => {
  await processes.terminate()
})

const WAYS = (['exit', 'loop'] as const).flatMap((how) =>
  (['give', 'giveLater', 'giveMuchLater'] as const).flatMap((name) =>
    ([1, 7, 'auto'] as const).flatMap((chunksize) =>
      [true, false].map((ordered) => ({ how, name, chunksize, ordered })),
    ),
  ),
)

describe('a result that ends or blocks its worker', () => {
  const chosen = eachValue(WAYS, 'how', 'name', 'chunksize', 'ordered').map((way) => ({ ...way, on: pool, where: '' }))
  const onProcesses = WAYS.filter(
    ({ how, name, chunksize, ordered }) =>
      isFullOnProcesses || (how === 'exit' && name === 'give' && chunksize === 7 && ordered),
  ).map((way) => ({ ...way, on: processes, where: 'on processes, ' }))
  for (const { how, name, chunksize, ordered, on, where } of [...chosen, ...onProcesses]) {
    it(`${where}by a getter (${how}) fails its own item alone: ${name}, chunksize ${chunksize}, ${ordered ? 'ordered' : 'unordered'}`, async () => {
      const task = { give, giveLater, giveMuchLater }[name]
      const verb = ordered ? on.imap : on.imapUnordered
      const timeout = how === 'loop' ? { timeout: TIMEOUT_MS } : {}
      const stream = verb(task, orders(how), { chunksize, window: COUNT, errors: 'settle', ...timeout })
      const outcomes = (await collect<Outcome<Order, object>>(stream)).toSorted((a, b) => a.index - b.index)
      expect(outcomes.filter(({ status }) => status === 'rejected').map(({ index }) => index)).toEqual([BAD])
      expect(outcomes.map(({ index }) => index)).toEqual(numbers(COUNT))
      const { reason } = outcomes[BAD] as { reason: Error }
      if (how === 'loop') expect(reason).toBeInstanceOf(TaskTimeoutError)
      else {
        expect(reason).toBeInstanceOf(WorkerCrashError)
        expect(reason.message).toMatch(`with exit code 3 while it sent the result of item ${BAD} of task '${name}'`)
      }
    })
  }

  for (const ordered of [true, false]) {
    it(`fails it alone among items that run at once (${ordered ? 'ordered' : 'unordered'})`, async () => {
      const verb = ordered ? pool.imap : pool.imapUnordered
      const stream = verb(giveMuchLater, orders('exit'), {
        chunksize: 7,
        concurrency: 3,
        window: COUNT,
        errors: 'settle',
      })
      const outcomes = await collect<Outcome<Order, object>>(stream)
      expect(outcomes.filter(({ status }) => status === 'rejected').map(({ index }) => index)).toEqual([BAD])
      expect(outcomes).toHaveLength(COUNT)
    })
  }

  it('fails it alone in flatMap and filter', async () => {
    const elements = await collect(
      pool.flatMap(giveTwo, orders('exit'), { chunksize: 7, window: COUNT, errors: 'skip' }),
    )
    expect(elements.filter((element) => typeof element === 'number')).toEqual(numbers(COUNT).filter((n) => n !== BAD))
    // The result of a filter's task is not sent.
    expect(await collect(pool.filter(give, orders('exit'), { chunksize: 7, window: COUNT }))).toHaveLength(COUNT)
  })

  it('fails the fold whose result it is', async () => {
    const merge = (a: object): object => a
    const error = await rejection(
      pool.reduce(
        sum,
        numbers(7).map((n) => ({ n, how: n === 6 ? ('exit' as const) : undefined })),
        {
          initial: {},
          merge,
          chunksize: 7,
          window: 7,
        },
      ),
    )
    expect(error).toBeInstanceOf(WorkerCrashError)
  })
})
