/** Clauses 7 to 10 of the contract. */
import fc from 'fast-check'
import { serialize, setFlagsFromString } from 'node:v8'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { imap, imapUnordered, lines, Pool, type Stream } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { box, echo, make, type Maker } from '../fixtures/contract-a-values.js'
import { copyOf } from '../support/copy.js'
import { Gates, turns } from '../support/gates.js'
import { ascending, drain, inEveryWay, inTime, Probe, sorted, take, ways } from '../support/matrix.js'

const pool = new Pool({ workers: 2, name: 'values' })
const all = ways(pool)
const parallel = all.filter(({ workers }) => workers > 1)

afterEach(() => {
  Gates.openAll()
})
afterAll(() => pool.terminate())

describe('memory (clause 7)', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  /** The number of values that are still alive after garbage collection. Garbage is collected until few enough are. */
  async function alive(refs: readonly WeakRef<object>[], most: () => number = () => 0): Promise<number> {
    let left = refs.length
    for (let round = 0; round < 20 && left > most(); round++) {
      await turns(2)
      collect()
      left = refs.filter((ref) => ref.deref() !== undefined).length
    }
    return left
  }

  /** Takes results in a separate frame, so that no variable keeps one. */
  async function takeRefs(stream: Stream<object>, count: number): Promise<WeakRef<object>[]> {
    const refs: WeakRef<object>[] = []
    for (let i = 0; i < count; i++) {
      const { value, done } = await stream.next()
      if (done !== true) refs.push(new WeakRef(value))
    }
    return refs
  }

  const runs = {
    'imap() on a pool': pool.imap,
    'imapUnordered() on a pool': pool.imapUnordered,
    'imap() on this thread': undefined,
    'imapUnordered() on this thread': undefined,
  }
  for (const [name, verb] of Object.entries(runs)) {
    for (const chunksize of [1, 7, 'auto'] as const) {
      for (const errors of ['throw', 'settle'] as const) {
        it(`${name} with chunksize ${chunksize} keeps no delivered result and no consumed item (${errors})`, async () => {
          const items: WeakRef<object>[] = []
          function* source() {
            for (let i = 0; i < 200; i++) {
              const item = { i, data: new Float64Array(100) }
              items.push(new WeakRef(item))
              yield item
            }
          }
          const options = { chunksize, window: 20, errors }
          const inline = name.startsWith('imapU') ? imapUnordered : imap
          const stream = verb
            ? verb(box, source(), options)
            : inline((item: object) => ({ box: item }), source(), { ...options, workers: 0 })
          const results = await takeRefs(stream, 60)
          expect(results).toHaveLength(60)
          expect(await alive(results)).toBe(0)
          // The consumer or the engine can still have one more in a register.
          const undelivered = (): number => stream.stats().read - stream.stats().delivered + 1
          expect(await alive(items, undelivered)).toBeLessThanOrEqual(undelivered())
          expect(stream.stats()).toMatchObject({ read: items.length, delivered: 60 })
          await stream.return()
        })
      }
    }
  }

  it('an ended stream that is still referenced keeps nothing', async () => {
    const items: WeakRef<object>[] = []
    function* source() {
      for (let i = 0; i < 50; i++) {
        const item = { i }
        items.push(new WeakRef(item))
        yield item
      }
    }
    const drained = pool.imap(box, source(), { chunksize: 7 })
    const refs = await takeRefs(drained, 51)
    expect(await alive([...items, ...refs])).toBe(0)
    const broken = pool.imap(box, source(), { window: 20 })
    refs.push(...(await takeRefs(broken, 5)))
    await broken.return()
    expect(await alive([...items, ...refs])).toBe(0)
    expect(drained.stats().delivered + broken.stats().delivered).toBe(55)
  })
})

describe('order (clause 8)', () => {
  inEveryWay('imap() gives results in item order when the first is slowest', ways(pool), async (way) => {
    if (!way.ordered || way.workers === 1) return
    const gates = new Gates(30)
    gates.hold(0)
    const probe = new Probe()
    const drained = drain(way.run(way.source(gates.items), { window: 30 }), probe)
    // At least one whole other chunk has its results before the first item.
    await gates.left(way.chunk)
    await turns(20)
    expect(probe.delivered).toBe(0)
    gates.release(0)
    expect(gates.indexes(await drained)).toEqual(ascending(30))
  })

  inEveryWay('imap() gives results in item order when every item is slower than the next', parallel, async (way) => {
    if (!way.ordered) return
    const gates = new Gates(24)
    for (let i = 0; i < 24; i++) gates.turns(i, 24 - i)
    const concurrency = 4
    const drained = drain(way.run(way.source(gates.items), { window: 24, concurrency }))
    expect(gates.indexes(await drained)).toEqual(ascending(24))
  })

  inEveryWay('imapUnordered() gives each result once, the slowest last', parallel, async (way) => {
    if (way.ordered || way.chunksize === 7) return
    const gates = new Gates(30)
    gates.hold(0)
    const probe = new Probe()
    const stream = way.run(way.source(gates.items), { window: 30 })
    const fast: unknown[] = []
    // With an automatic chunksize, a few others can be in its chunk.
    const behind = way.chunksize === 1 || way.executor === 'this thread' ? 0 : 8
    while (fast.length < 29 - behind) fast.push((await take(stream, probe)).value)
    expect(gates.indexes(fast)).not.toContain(0)
    gates.release(0)
    const rest = await drain(stream)
    expect(sorted(gates.indexes([...fast, ...rest]))).toEqual(ascending(30))
    if (behind === 0) expect(gates.indexes(rest)).toEqual([0])
  })

  for (const executor of ['one worker', 'this thread'] as const) {
    for (const chunksize of [1, 7, 'auto'] as const) {
      it(`imapUnordered() with chunksize ${chunksize} on ${executor} gives results by completion`, async () => {
        await using single = new Pool({ workers: 1 })
        const gates = new Gates(7)
        gates.hold(...ascending(7))
        const options = { chunksize, concurrency: 7, window: 14 }
        const stream =
          executor === 'one worker'
            ? single.imapUnordered(gated, gates.items, options)
            : imapUnordered(gated, gates.items, { ...options, workers: 0 })
        const order = chunksize === 1 && executor === 'one worker' ? ascending(7) : [3, 6, 0, 5, 1, 2, 4]
        for (const i of order) {
          const result = stream.next()
          gates.release(i)
          expect(gates.index((await result).value)).toBe(i)
        }
        expect((await stream.next()).done).toBe(true)
      })
    }
  }

  it('imapUnordered() gives all other results while one item is held', async () => {
    for (const verb of [pool.imapUnordered, imapUnordered]) {
      if (verb === imapUnordered && parallel.length < all.length) continue
      const gates = new Gates(40)
      gates.hold(0)
      const probe = new Probe()
      const stream = verb(gated, gates.items, { chunksize: 1, window: 10 })
      while (probe.delivered < 39) await inTime(take(stream, probe))
      gates.release(0)
      expect(gates.indexes(await drain(stream))).toEqual([0])
    }
  })

  it('each result comes exactly once, in order if the verb is ordered, with any timing', async () => {
    await using one = new Pool({ workers: 1 })
    await using three = new Pool({ workers: 3 })
    const configuration = fc.record({
      executor: fc.constantFrom(undefined, one, pool, three),
      chunksize: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 20 })),
      concurrency: fc.integer({ min: 1, max: 5 }),
      ordered: fc.boolean(),
      turns: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 80 }),
      failing: fc.array(fc.integer({ min: 0, max: 79 }), { maxLength: 5 }),
      unclonable: fc.array(fc.integer({ min: 0, max: 79 }), { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(configuration, async ({ executor, ordered, chunksize, concurrency, ...plan }) => {
        const gates = new Gates(plan.turns.length)
        plan.turns.forEach((count, i) => {
          gates.turns(i, count)
        })
        const failing = plan.failing.filter((i) => i < gates.count)
        // A function is a valid result on this thread.
        const unclonable = executor ? plan.unclonable.filter((i) => i < gates.count && !failing.includes(i)) : []
        for (const i of failing) gates.fail(i)
        for (const i of unclonable) gates.returnFunction(i)
        const options = { chunksize, concurrency, errors: 'settle', window: 100 } as const
        const verb = ordered ? 'imap' : 'imapUnordered'
        const stream = executor
          ? executor[verb](gated, gates.items, options)
          : { imap, imapUnordered }[verb](gated, gates.items, { ...options, workers: 0 })
        const outcomes = await drain(stream)
        const indexes = outcomes.map(({ index }) => index)
        expect(ordered ? indexes : sorted(indexes)).toEqual(ascending(gates.count))
        for (const outcome of outcomes) {
          const { index } = outcome
          const failed = failing.includes(index) || unclonable.includes(index)
          expect(outcome.status).toBe(failed ? 'rejected' : 'fulfilled')
          if (outcome.status === 'fulfilled') expect(outcome.value).toBe(gates.items[index])
          else expect(outcome.item).toBe(gates.items[index])
        }
      }),
      { numRuns: 200, interruptAfterTimeLimit: 15_000 },
    )
  })
})

describe('values (clause 9)', () => {
  function circular(): object {
    const value: Record<string, unknown> = { list: [1, { two: 2 }] }
    value.self = value
    value.map = new Map<unknown, unknown>([['me', value]])
    return value
  }
  const shared = { shared: true }
  const values: Record<string, unknown> = {
    undefined: undefined,
    null: null,
    NaN: NaN,
    '-0': -0,
    Infinity: -Infinity,
    false: false,
    'an empty string': '',
    'a lone surrogate': 'a\ud800b',
    'a bigint': -(2n ** 70n),
    'a boxed number': Object(4) as unknown,
    'a date': new Date(86_400_000),
    'an invalid date': new Date(NaN),
    'a regular expression': /a+(b)/giu,
    'a map': new Map<unknown, unknown>([
      [NaN, -0],
      [{ key: 1 }, new Set([undefined])],
    ]),
    'a set': new Set([1, 'one', null]),
    'an array buffer': new Uint8Array([1, 2, 3]).buffer,
    'a typed array': new Float32Array([0.5, -0, NaN]),
    'a part of a typed array': new Uint16Array([1, 2, 3, 4]).subarray(1, 3),
    'an empty typed array': new BigInt64Array(0),
    'a buffer': Buffer.from('bytes'),
    'a data view': new DataView(new ArrayBuffer(4), 1, 2),
    'nested values': { a: [{ b: { c: [undefined, null, [[]]] } }], 'odd key': '\0' },
    'a sparse array': Object.assign([1, , 3], { extra: 'field' }),
    'a circular value': circular(),
    'one object twice': [shared, { again: shared }],
    'an object without prototype': Object.assign(Object.create(null) as object, { a: 1 }),
    'an instance of a class': new (class Point {
      x = 1
      get y() {
        return this.x + 1
      }
    })(),
    'an object with a getter': {
      get computed() {
        return 7
      },
    },
    'an error': new RangeError('a value', { cause: new TypeError('its cause') }),
    'an object named like an outcome': { status: 'rejected', reason: 1, index: 0, done: true, value: 2 },
    'an object named like a message': { type: 'part', last: true, errors: [[0, {}]], values: [], error: 0 },
    'a long string': 'long '.repeat(100_000),
  }

  for (const ordered of [true, false]) {
    for (const chunksize of [1, 7, 'auto'] as const) {
      const name = `${ordered ? 'imap' : 'imapUnordered'}() with chunksize ${chunksize}`
      const verb = ordered ? 'imap' : 'imapUnordered'
      const entries = Object.entries(values)

      for (const [label, on] of Object.entries({ 'the default pool': { imap, imapUnordered }, 'a pool': pool })) {
        it(`${name} on ${label} brings every value as a faithful copy, there and back`, async () => {
          const stream = on[verb](echo, Object.values(values), { chunksize, window: 50, errors: 'settle' })
          const outcomes = await drain(stream)
          expect(sorted(outcomes.map(({ index }) => index))).toEqual(ascending(entries.length))
          for (const outcome of outcomes) {
            const [title, value] = entries[outcome.index] ?? []
            expect(`${title}: ${outcome.status}`).toBe(`${title}: fulfilled`)
            if (outcome.status !== 'fulfilled') continue
            const { received, seen } = outcome.value
            const expected = copyOf(value)
            expectSame(title, received, expected)
            expect(Object.is(received, expected)).toBe(typeof expected !== 'object' || expected === null)
            // The task, too, must have got a clone, not a value that only becomes one on the way back.
            expect(`${title}: ${seen}`).toBe(`${title}: ${tag(expected)}`)
          }
        })
      }

      it(`${name} brings every value that is made in a worker as a faithful copy`, async () => {
        const makers = Object.keys(make) as Maker[]
        const task = (await import('../fixtures/contract-a-values.js')).made
        const outcomes = await drain(pool[verb](task, makers, { chunksize, window: 50, errors: 'settle' }))
        expect(outcomes).toHaveLength(makers.length)
        for (const outcome of outcomes) {
          const maker = makers[outcome.index]
          const expected = copyOf(await make[maker]())
          expect({ maker, ...outcome }).toStrictEqual({
            maker,
            status: 'fulfilled',
            value: expected,
            index: outcome.index,
          })
        }
      })
    }
  }

  it('keeps the identity of parts within one value', async () => {
    const value = values['one object twice'] as unknown[]
    for await (const { received } of pool.imap(echo, [value, value], { chunksize: 2 })) {
      const [first, second] = received as [object, { again: object }]
      expect(second.again).toBe(first)
    }
    for await (const { received } of pool.imap(echo, [circular()])) {
      const got = received as { self: unknown; map: Map<string, unknown> }
      expect(got.self).toBe(got)
      expect(got.map.get('me')).toBe(got)
    }
  })

  it('shares a SharedArrayBuffer, and copies other buffers, leaving the item as it was', async () => {
    const bytes = new Uint8Array([1, 2, 3])
    const cells = new Uint8Array(new SharedArrayBuffer(4))
    for await (const { received } of pool.imap(echo, [{ bytes, cells }])) {
      const got = received as { bytes: Uint8Array; cells: Uint8Array }
      cells[2] = 9
      bytes[0] = 9
      expect([...got.cells]).toEqual([0, 0, 9, 0])
      expect([...got.bytes]).toEqual([1, 2, 3])
    }
    expect(bytes).toHaveLength(3)
  })

  it('delivers an Error that a task returns as a value', async () => {
    const task = (await import('../fixtures/contract-a-values.js')).made
    for (const errors of ['throw', 'skip'] as const) {
      const results = await drain(pool.imap(task, ['an error', 'a number'] as Maker[], { errors }))
      expect(results[0]).toBeInstanceOf(RangeError)
      expect(results[0]).toMatchObject({ message: 'returned' })
      expect(results[1]).toBe(7)
    }
    const error = new RangeError('returned')
    const results = await drain(imap(() => error, [1, 2], { workers: 0 }))
    expect(results[0]).toBe(error)
    expect(results[1]).toBe(error)
  })

  it('gives undefined as a value, and not as an end', async () => {
    for (const errors of ['throw', 'skip'] as const) {
      const items = [undefined, undefined, undefined]
      for (const chunksize of [1, 2] as const) {
        const task = (await import('../fixtures/contract-a-values.js')).same
        expect(await drain(pool.imap(task, items, { chunksize, errors }))).toEqual(items)
        expect(await drain(imapUnordered(task, items, { chunksize, errors, workers: 0 }))).toEqual(items)
      }
    }
  })

  it('on this thread gives the very values', async () => {
    for (const verb of [imap, imapUnordered]) {
      const items = Object.values(values)
      const seen: unknown[] = []
      const results = await drain(
        verb(
          (item: unknown) => {
            seen.push(item)
            return item
          },
          items,
          { workers: 0, window: 5 },
        ),
      )
      expect(seen).toHaveLength(items.length)
      results.forEach((result, i) => {
        expect(Object.is(result, items[i])).toBe(true)
        expect(Object.is(seen[i], items[i])).toBe(true)
      })
    }
  })

  it('brings any value that fast-check can think of as a faithful copy', async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 12 }), fc.boolean(), async (items, whole) => {
        const chunksize = whole ? 12 : 1
        const results = await drain(pool.imap(echo, items, { chunksize, window: 24 }))
        expect(results).toHaveLength(items.length)
        results.forEach(({ received }, i) => {
          expectSame(`item ${i}`, received, copyOf(items[i]))
        })
      }),
      { numRuns: 300, interruptAfterTimeLimit: 10_000 },
    )
  })
})

describe('an empty source (clause 10)', () => {
  for (const ordered of [true, false]) {
    for (const chunksize of [1, 7, 'auto'] as const) {
      const verb = ordered ? 'imap' : 'imapUnordered'
      it(`gives an empty stream and starts no worker: ${verb}() with chunksize ${chunksize}`, async () => {
        await using lazy = new Pool({ workers: 2 })
        const sources: (Iterable<string> | AsyncIterable<string>)[] = [
          [],
          (function* () {})(),
          (async function* () {})(),
          lines([]),
          lines([Buffer.alloc(0)]),
          new ReadableStream<string>({
            start(controller) {
              controller.close()
            },
          }),
        ]
        for (const source of sources) {
          const stream = lazy[verb](gated, source, { chunksize })
          expect(await drain(stream)).toEqual([])
          expect(await stream.next()).toEqual({ done: true, value: undefined })
          expect(stream.stats()).toMatchObject({ read: 0, delivered: 0, failed: 0, chunks: 0 })
        }
        expect(await drain(lazy[verb](gated, { chunksize })([]))).toEqual([])
        expect(lazy.stats()).toEqual({
          starting: 0,
          ready: 0,
          busy: 0,
          waiting: 0,
          streams: 0,
          crashes: 0,
          timeouts: 0,
          recycled: 0,
        })
      })
    }
  }

  it('on this thread gives an empty stream and never calls the function', async () => {
    for (const verb of [imap, imapUnordered]) {
      let calls = 0
      expect(await drain(verb(() => calls++, [], { workers: 0 }))).toEqual([])
      expect(calls).toBe(0)
    }
  })
})

/**
 * Compares the structured clones of two values, bit by bit: holes, identities and invalid dates count, too. They are
 * cloned first, since V8 writes an array in two ways, and a clone in one.
 */
function expectSame(title: unknown, received: unknown, expected: unknown): void {
  if (serialize(structuredClone(received)).equals(serialize(structuredClone(expected)))) return
  throw new Error(`${String(title)}: received ${inspect(received)}, expected ${inspect(expected)}`)
}

function tag(value: unknown): string {
  return Object.is(value, -0) ? '-0' : Object.prototype.toString.call(value)
}
