/** The option `traceparent`: which trace an item belongs to, from the program that reads it to the task. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { imap as imapHere, Pool } from 'millrace'
import * as tasks from '../fixtures/cluster-tasks.js'
import { CalmCluster, verbsOn } from '../support/cluster/calm.js'
import { rejection } from '../support/matrix.js'

const url = new URL('../fixtures/cluster-tasks.js', import.meta.url).href
const cluster = new CalmCluster()
const trace = new AsyncLocalStorage<unknown>()
const { imap, reduce } = verbsOn(cluster.executor({ traceparent: () => trace.getStore() }))
const numbers = Array.from({ length: 40 }, (_, n) => n)

beforeAll(async () => {
  await cluster.host('one', url)
})
afterAll(async () => {
  // Otherwise promises of later test files show ids.
  trace.disable()
  await cluster.close()
})

function traceOf(n: number): string {
  return `00-${String(n).padStart(32, '1')}-00f067aa0ba902b7-01`
}

it('goes with each chunk, from the context in which the stream was started', async () => {
  const traces = [1, 2].map((n) =>
    trace.run(traceOf(n), async () => await imap(tasks.trace, numbers, { chunksize: 1, window: 3 }).toArray()),
  )
  const [first, second] = await Promise.all(traces)
  expect(new Set(first)).toEqual(new Set([traceOf(1)]))
  expect(new Set(second)).toEqual(new Set([traceOf(2)]))
})

it('is asked for again for each chunk', async () => {
  let asked = 0
  const counted = verbsOn(cluster.executor({ traceparent: () => traceOf(++asked) }))
  const traces = await counted.imap(tasks.trace, numbers.slice(0, 4), { chunksize: 2 }).toArray()
  expect(traces).toEqual([traceOf(1), traceOf(1), traceOf(2), traceOf(2)])
})

it('is undefined without a trace, and without a cluster', async () => {
  const nothing = [undefined]
  expect(await imap(tasks.trace, [1]).toArray()).toEqual(nothing)
  expect(await verbsOn(cluster.executor()).imap(tasks.trace, [1]).toArray()).toEqual(nothing)
  expect(await imapHere(tasks.trace, [1], { workers: 0 }).toArray()).toEqual(nothing)
  await using pool = new Pool({ workers: 1 })
  expect(await pool.imap(tasks.trace, [1]).toArray()).toEqual(nothing)
})

it.each([
  7,
  null,
  '',
  'trace',
  traceOf(1).toUpperCase().replace('00F', 'ABC'),
  `${traceOf(1)}\n`,
  `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  traceOf(1).replace('00f067aa0ba902b7', '0'.repeat(16)),
  traceOf(1).replace('00-', 'ff-'),
])('ends the stream with an error that names it, if it gives %j', async (given) => {
  await trace.run(given, async () => {
    const expected = {
      name: 'TypeError',
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining(
        "Cannot send a chunk as the option 'traceparent' must return undefined or",
      ) as string,
    }
    expect(await rejection(imap(tasks.double, numbers, { chunksize: 1 }).toArray())).toMatchObject(expected)
    const merge = (one: number, other: number): number => one + other
    expect(await rejection(reduce(tasks.add, numbers, { initial: 0, merge }))).toMatchObject(expected)
  })
})

it('ends the stream with the error that it throws', async () => {
  const error = new Error('no tracer')
  const throwing = cluster.executor({
    traceparent: () => {
      throw error
    },
  })
  expect(await rejection(verbsOn(throwing).imap(tasks.double, numbers).toArray())).toBe(error)
  expect(throwing.producer.out).toBe(0)
})
