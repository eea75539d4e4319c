/** Sending shared objects: anywhere in items, results, arguments and errors. */
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { imap, NotSerializableError, pipe, Pool, reduce } from 'millrace'
import { Condition, Lock, Queue, SharedArray, Value } from 'millrace/multiprocessing'
import { revive } from '#dist/codec/shared-objects.js'
import {
  adopt,
  bump,
  bumpAndSpoil,
  bumpAndThrow,
  bumpGiven,
  foldInto,
  giveBack,
  isFirst,
  own,
  Pair,
  sharedIn,
} from '../../fixtures/values.js'

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const results: T[] = []
  for await (const result of source) results.push(result)
  return results
}

/** As many as a chunk needs to be sent as columns. */
const MANY = 64

const nests: [string, (shared: unknown, row: number) => unknown][] = [
  ['alone', (shared) => shared],
  ['in a field', (shared, row) => ({ row, text: `row ${row}`, shared })],
  ['in a field of a field', (shared, row) => ({ row, inner: { shared, row } })],
  ['in a field of one of ten', (shared, row) => (row % 10 === 0 ? { row, shared, rest: [shared] } : { row })],
  ['in an array', (shared, row) => [row, [shared]]],
  ['as a value of a Map', (shared, row) => new Map([[row, { shared }]])],
  ['as a key of a Map', (shared, row) => ({ map: new Map([[shared, row]]) })],
  ['in a Set', (shared, row) => [new Set([row, shared])]],
  ['as the cause of an error', (shared) => new Error('an item', { cause: shared })],
  ['twice', (shared) => ({ shared, again: { shared } })],
  ['in an object without a prototype', (shared) => Object.assign(Object.create(null) as object, { shared })],
]
const kinds: [string, () => { shared: object; count: () => number }][] = [
  [
    'a Value',
    () => {
      const shared = new Value('int32')
      return { shared, count: () => shared.value }
    },
  ],
  [
    'a SharedArray',
    () => {
      const shared = new SharedArray('int32', 3)
      return { shared, count: () => shared.typed[0] ?? NaN }
    },
  ],
  [
    'an object with another one as a part',
    () => {
      const part = new Value('int32')
      return { shared: new Pair(part), count: () => part.value }
    },
  ],
]

describe.each(kinds)('%s', (_, make) => {
  for (const items of [3, MANY]) {
    it.each(nests)(`is the same in the worker and in the result, ${items} items, %s`, async (_, nest) => {
      const { shared, count } = make()
      const sent = Array.from({ length: items }, (_, row) => nest(shared, row))
      const results = await all(imap(bump, sent, { chunksize: items }))
      const places = sent.flatMap(sharedIn)
      expect(places.length).toBeGreaterThan(0)
      expect(count()).toBe(places.length)
      const back = results.flatMap(sharedIn)
      expect(back.length).toBe(places.length)
      expect(back.every((each) => each === shared)).toBe(true)
      expect(results.map((result) => sharedIn(result).length)).toEqual(sent.map((item) => sharedIn(item).length))
    })
  }

  it('is the same when items have an object in common that holds it', async () => {
    const { shared, count } = make()
    const common = { shared }
    const items = Array.from({ length: MANY }, (_, row) => ({ row, common }))
    const results = await all(imap(bump, items, { chunksize: MANY }))
    expect(count()).toBe(MANY)
    expect(results.flatMap(sharedIn).every((each) => each === shared)).toBe(true)
  })

  it('is the same behind two stages, whose workers hand chunks on', async () => {
    const { shared, count } = make()
    const items = Array.from({ length: 2 * MANY }, (_, row) => ({ row, shared }))
    const options = { chunksize: MANY, window: 4 * MANY }
    const results = await all(pipe(items, imap(bump, options), imap(bump, options)))
    expect(count()).toBe(4 * MANY)
    expect(results).toHaveLength(2 * MANY)
    expect(results.flatMap(sharedIn).every((each) => each === shared)).toBe(true)
  })

  it('is the same in arguments of an initializer, and in the result of a finalizer', async () => {
    const { shared, count } = make()
    const pool = new Pool({
      workers: 1,
      initializer: adopt,
      initargs: [shared, { deep: [shared] }],
      finalizer: giveBack,
    })
    await all(pool.imap(bumpGiven, [0, 1]))
    expect(count()).toBe(6)
    const finalized = await pool.close()
    expect(sharedIn(finalized)).toHaveLength(2)
    expect(sharedIn(finalized).every((each) => each === shared)).toBe(true)
  })

  it('is the same in the field of an error that a task throws', async () => {
    const { shared, count } = make()
    const outcomes = await all(imap(bumpAndThrow, [{ shared }], { errors: 'settle' }))
    expect(count()).toBe(1)
    const thrown = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as object) : {}))
    expect(thrown).toMatchObject([{ message: 'thrown' }])
    expect(sharedIn((thrown[0] as { item?: unknown }).item)[0]).toBe(shared)
  })

  it('arrives beside an item that cannot be cloned, which fails alone', async () => {
    const { shared, count } = make()
    const items: object[] = Array.from({ length: MANY }, (_, row) => ({ row, shared }))
    items[5] = { row: 5, shared, fn: () => 5 }
    const outcomes = await all(imap(bump, items, { chunksize: MANY, errors: 'settle' }))
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(failed.map(({ index, reason }) => [index, reason instanceof NotSerializableError])).toEqual([[5, true]])
    expect(count()).toBe(MANY - 1)
    const values = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? sharedIn(outcome.value) : []))
    expect(values).toHaveLength(MANY - 1)
    expect(values.every((each) => each === shared)).toBe(true)
  })
})

describe('objects that threads share', () => {
  it('arrive in results beside those that cannot be cloned', async () => {
    const counter = new Value('int32')
    const items = Array.from({ length: 8 }, () => counter)
    const outcomes = await all(imap(bumpAndSpoil, items, { chunksize: 8, errors: 'settle' }))
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      ...[true, false, true, true],
      ...[true, false, true, true],
    ])
    expect(counter.value).toBe(8)
    const values = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.counter] : []))
    expect(values.every((value) => value === counter)).toBe(true)
  })

  it('have one instance on each thread, in all items and chunks', async () => {
    const counter = new Value('int32')
    await using pool = new Pool({ workers: 1 })
    const items = Array.from({ length: 2 * MANY }, () => ({ counter }))
    expect(new Set(await all(pool.imap(isFirst, items, { chunksize: MANY })))).toEqual(new Set([true]))
    // Another one is another.
    expect(await all(pool.imap(isFirst, [{ counter: new Value('int32') }, { counter }]))).toEqual([false, true])
  })

  it('of a worker arrive as one object, on which its changes show', async () => {
    await using pool = new Pool({ workers: 1 })
    const results = await all(pool.imap(own, [1, 2, 3], { chunksize: 1 }))
    const [made] = sharedIn(results[0])
    expect(new Set(sharedIn(results))).toEqual(new Set([made]))
    expect((made as Value<'int32'>).value).toBe(3)
  })

  it.each([undefined, 0] as const)('are what a fold begins with, and what it gives (workers: %s)', async (workers) => {
    const counter = new Value('int32')
    const options = {
      initial: { counter, items: 0 },
      merge: (a: { counter: Value<'int32'>; items: number }, b: { items: number }) => ({
        ...a,
        items: a.items + b.items,
      }),
      chunksize: 2,
    }
    const source = [1, 2, 3, 4]
    const folded = await (workers === 0
      ? reduce(foldInto, source, { ...options, workers })
      : reduce(foldInto, source, options))
    expect(folded.items).toBe(4)
    expect(counter.value).toBe(10)
    expect(folded.counter).toBe(counter)
  })

  it('are nothing but themselves: other memory of that name arrives as it is', async () => {
    const memory = new Int32Array(new SharedArrayBuffer(64))
    const [result] = await all(imap(bump, [{ memory, counter: new Value('int32') }]))
    expect(Object.keys(result as object)).toEqual(['memory', 'counter'])
    const other = (result as { memory: Int32Array }).memory
    Atomics.store(memory, 3, 7)
    expect(other[3]).toBe(7)
  })

  it('are looked for in arrays by index, and in sparse ones by key: a list of all keys costs more than all else', () => {
    const counter = new Value('int32')
    const dense = new Proxy([1, structuredClone(counter), [structuredClone({ counter })]] as unknown[], {
      ownKeys: () => {
        throw new Error('listed')
      },
    })
    expect(sharedIn([...(revive(dense).value as unknown[])])).toEqual([counter, counter])
    const sparse: unknown[] = []
    sparse[2 ** 32 - 2] = structuredClone(counter)
    expect((revive(sparse).value as unknown[])[2 ** 32 - 2]).toBe(counter)
  })

  it('are not kept by the pool they were sent through, when no thread can hold them', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await using pool = new Pool({ workers: 1 })
    const sent: WeakRef<object>[] = []
    function* arrays(): Generator<SharedArray<'int32'>> {
      for (let i = 0; i < 8; i++) {
        const array = new SharedArray('int32', 8)
        sent.push(new WeakRef(array))
        yield array
      }
    }
    for await (const _ of pool.imap(bump, arrays(), { chunksize: 1 }));
    await all(pool.imap(bump, [1, 2, 3, 4], { chunksize: 1 }))
    const held = (): number => sent.filter((each) => each.deref() !== undefined).length
    for (let turns = 0; turns < 50 && held() > 1; turns++) {
      await turn()
      collect()
    }
    // A lane may still hold the last one.
    expect(held()).toBeLessThanOrEqual(1)
  })
})

describe('console.log()', () => {
  it.each([
    [new Lock(), 'Lock { locked: false }'],
    [new Queue(1), 'Queue { size: 0, isEmpty: true, isFull: false, closed: false }'],
    [new Condition(), 'Condition {}'],
    [new Value('i', 3), "Value<'int32'>(3)"],
  ])('shows its state, not its memory (%#)', (shared, shown) => {
    expect(inspect(shared)).toBe(shown)
    expect(inspect([shared], { breakLength: Infinity })).toBe(`[ ${shown} ]`)
  })
})
