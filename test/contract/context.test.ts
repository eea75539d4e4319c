/** Which tasks get a `TaskContext`: those that declare a parameter for it, without a default. */
import { filter, flatMap, imap, map, Pool, reduce, type Stream } from 'millrace'
import {
  folds,
  greater,
  greaterTask,
  isAlone,
  isTold,
  same,
  sameTask,
  tasks,
  toNumber,
  toNumberTask,
  type Got,
} from '../fixtures/contract-context.js'

const pool = new Pool({ workers: 1, name: 'context' })
afterAll(() => pool.terminate())

const items = ['a', 'b', 'c', 'd', 'e']
const inline = { workers: 0 } as const
const two = { concurrency: 2, chunksize: 5 }

/** The context that a task gets for all items, by the verb that calls it. */
const runs: Record<string, (task: never) => Promise<unknown[]>> = {
  'imap() on a thread': (task) => all(pool.imap(task, items)),
  'imap() on a thread, two at once': (task) => all(pool.imap(task, items, two)),
  'imapUnordered() on a thread, two at once': (task) => all(pool.imapUnordered(task, items, two)),
  'imap() on this thread': (task) => all(imap(task, items, inline)),
  'flatMap() on a thread': (task) => all(pool.flatMap(task, items)),
  'flatMap() on this thread': (task) => all(flatMap(task, items, inline)),
  'map() on a thread': (task) => pool.map(task, items),
  'map() on this thread': (task) => map(task, items, inline),
}

async function all(stream: Stream<unknown>): Promise<unknown[]> {
  const results: unknown[] = []
  for await (const result of stream) results.push(result)
  return results
}

describe.each(Object.entries(runs))('%s', (_, run) => {
  it.each(Object.entries(tasks))('tells a task of %s its context only if it declares it', async (_, { task, told }) => {
    const results = (await run(task as never)).flat() as Got[]
    const indices = results.map(({ index }) => index)
    expect(results.map(({ args }) => args)).toEqual(items.map(() => (told ? 2 : 1)))
    expect(indices.sort()).toEqual(items.map((_, index) => (told ? index : undefined)))
  })
})

describe('functions of the language', () => {
  it('get the item alone', async () => {
    const digits = ['10', '11', '12']
    expect(await pool.map(toNumberTask, digits)).toEqual([10, 11, 12])
    expect(await map(toNumberTask, digits, inline)).toEqual([10, 11, 12])
    expect(await map(toNumber.bind(undefined), digits, inline)).toEqual([10, 11, 12])
    expect(await pool.map(sameTask, [10, 11])).toEqual([10, 11])
    expect(await map(same, [10, 11], inline)).toEqual([10, 11])
    const options = { initial: -Infinity, merge: greater }
    expect(await pool.reduce(greaterTask, [3, 7, 5], options)).toBe(7)
    expect(await reduce(greater, [3, 7, 5], { ...options, ...inline })).toBe(7)
  })
})

describe('filter()', () => {
  it('gives its task the context only if it declares it', async () => {
    for (const task of [isTold, isAlone]) {
      expect(await all(pool.filter(task, items))).toEqual(items)
      expect(await all(filter(task, items, inline))).toEqual(items)
    }
  })
})

describe('reduce()', () => {
  it.each(Object.entries(folds))('tells a fold of %s the context only if it declares it', async (_, { fold, told }) => {
    const options = { initial: [] as Got[], merge: (into: Got[], more: Got[]) => [...into, ...more] }
    const expected = items.map((_, index) => ({ args: told ? 3 : 2, index: told ? index : undefined }))
    expect(await pool.reduce(fold, items, options)).toEqual(expected)
    expect(await reduce(fold, items, { ...options, ...inline })).toEqual(expected)
  })
})
