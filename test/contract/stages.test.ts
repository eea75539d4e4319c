/** Stages one after another: the contract holds for each, and whole chunks pass from one to the next. */
import fc from 'fast-check'
import * as millrace from 'millrace'
import { filter, flatMap, imap, imapUnordered, pipe, Pool, reduce, type Outcome, type Stream } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { box, same } from '../fixtures/contract-a-values.js'
import {
  behaviour,
  hideSevens,
  KINDS,
  notSeven,
  numberOf,
  stageTasks,
  triple,
  upTo,
  type Stuff,
} from '../fixtures/contract-pipeline.js'
import { append, isText, keepsNone } from '../fixtures/contract-verbs.js'
import { collectGarbage } from '../support/garbage.js'
import { Gates, turns } from '../support/gates.js'
import { ascending, drain, hanging, Probe, rejection, sorted, sourceOf } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'
import { eachValue } from '../support/volume.js'

const pool = new Pool({ workers: 2, name: 'first' })
const other = new Pool({ workers: 2, name: 'second' })
const done = { done: true, value: undefined }

watchRejections()
afterAll(async () => {
  await Promise.all([pool.terminate(), other.terminate()])
})

/** The places where a stage can run. */
const places = { 'a pool': pool, 'another pool': other, 'the default pool': millrace, 'this thread': undefined }
type Place = keyof typeof places
type Options = Readonly<Record<string, unknown>>

/** Opens a verb by name. */
function open(place: Place, verb: string, task: unknown, source: unknown, options: Options = {}): Stream<unknown> {
  const on = places[place]
  const run = (on ?? millrace)[verb as 'imap'] as (...args: unknown[]) => Stream<unknown>
  return run(task, source, on === undefined ? { concurrency: 2, ...options, workers: 0 } : options)
}

/** Chunksizes of two stages, with windows that hold them. 7 is an example of one that does not divide the other. */
const SIZES: readonly (readonly [first: Options, second: Options])[] = [
  [{ chunksize: 1 }, { chunksize: 1 }],
  [{ chunksize: 7 }, { chunksize: 'auto' }],
  [{ chunksize: 'auto' }, { chunksize: 1 }],
  [{ chunksize: 'auto' }, { chunksize: 'auto' }],
  [{ chunksize: 1000 }, { chunksize: 7 }],
  [{ chunksize: 7 }, { chunksize: 1000 }],
  [{ chunksize: 20 }, { chunksize: 21 }],
  [
    { chunksize: 7, window: 7 },
    { chunksize: 5, window: 5 },
  ],
  [
    { chunksize: 3, window: 4 },
    { chunksize: 100, window: 200 },
  ],
]
function* endless(): Generator<number> {
  for (let n = 0; ; n++) yield n
}
const shown = (options: Options): string => JSON.stringify(options)

describe('two stages', () => {
  const ALL = Object.keys(places) as Place[]
  const ways = ALL.flatMap((from) =>
    ALL.flatMap((to) =>
      ['imap', 'imapUnordered'].flatMap((verb) =>
        (['an iterable', 'an async iterable'] as const).map((kind) => ({ from, to, verb, kind })),
      ),
    ),
  )
  const some = eachValue(ways, 'from', 'to', 'verb', 'kind')
  for (const [first, second] of SIZES) {
    it(`give what one stage would, in every place and order (${shown(first)} into ${shown(second)})`, async () => {
      for (const { from, to, verb, kind } of some) {
        const probe = new Probe()
        const source = sourceOf(kind, ascending(120), probe)
        const tripled = open(from, verb, triple, source, first)
        const results = (await drain(open(to, verb, triple, tripled, second))) as number[]
        const wanted = ascending(120).map((x) => 9 * x)
        expect(verb === 'imap' ? results : sorted(results)).toEqual(wanted)
        expect(probe).toMatchObject({ calls: 121, overlapped: false, readAfterEnd: false, returns: 0 })
      }
    })
  }

  it('hand over whole chunks: the stage behind asks the stream for no single result', async () => {
    for (const chunksize of [1, 7, 'auto'] as const) {
      const first = pool.imap(triple, ascending(500), { chunksize })
      first.next = () => Promise.reject(new Error('a single result was asked for'))
      const second = other.imap(triple, first, { chunksize })
      expect(await drain(second)).toEqual(ascending(500).map((x) => 9 * x))
      expect(second.stats()).toMatchObject({ read: 500, delivered: 500 })
      expect(first.stats()).toMatchObject({ read: 500, delivered: 500 })
    }
  })

  it('pass on chunks as they are, where they have the size that is wanted', async () => {
    const first = pool.imap(triple, ascending(700), { chunksize: 70, window: 1000 })
    const second = other.imap(triple, first, { chunksize: 70, window: 1000 })
    expect(await drain(second)).toHaveLength(700)
    // The first result comes alone. The rest of its chunk can also come alone.
    expect(first.stats().chunks).toBe(10)
    expect(second.stats().chunks).toBeLessThanOrEqual(13)
  })

  it('give the first result while all other items wait, in either stage', async () => {
    for (const [first, second] of SIZES) {
      for (const verb of ['imap', 'imapUnordered']) {
        for (const inFirst of [true, false]) {
          const gates = new Gates(30)
          gates.hold(...ascending(30).slice(1))
          // In another order, items before this one could hold the only workers.
          const before = open('a pool', inFirst ? verb : 'imap', inFirst ? gated : same, gates.items, first)
          const stream = open('another pool', verb, inFirst ? same : gated, before, second)
          expect(gates.index((await stream.next()).value)).toBe(0)
          gates.releaseAll()
          expect(await drain(stream)).toHaveLength(29)
        }
      }
    }
  })

  it('give the results that are there although the source is silent', async () => {
    for (const [first, second] of SIZES) {
      const gates = new Gates(9)
      const probe = new Probe()
      const before = open('a pool', 'imap', gated, hanging('an async iterable', gates.items, probe), first)
      const stream = open('another pool', 'imap', same, before, second)
      for (const i of ascending(9)) expect(gates.index((await stream.next()).value)).toBe(i)
      const pending = [stream.next(), stream.chunks().next()]
      await turns()
      expect([stream.stats().read, before.stats().read]).toEqual([9, 9])
      await stream.return()
      expect(await Promise.all(pending)).toEqual([done, done])
      expect([stream.stats().read, before.stats().read]).toEqual([9, 9])
      expect(probe).toMatchObject({ returns: 1, overlapped: false, calls: 10 })
      expect(await before.next()).toEqual(done)
    }
  })
})

describe('the windows of two stages', () => {
  /** Opens two stages, and checks both windows whenever the source is read. */
  function watched(
    from: Place,
    to: Place,
    gates: Gates,
    tasks: readonly [unknown, unknown],
    windows: readonly [Options, Options],
  ) {
    const faults: string[] = []
    let read = 0
    let given = 0
    const check = (): void => {
      const between = second.stats().read
      if (read - between > Number(windows[0].window)) faults.push(`first: ${read} - ${between}`)
      if (between - given > Number(windows[1].window)) faults.push(`second: ${between} - ${given}`)
    }
    const first = open(from, 'imap', tasks[0], sourceOf('an iterable', items()), windows[0])
    const second = open(to, 'imap', tasks[1], first, windows[1])
    function* items(): Generator<number> {
      for (const item of gates.items) {
        read++
        check()
        yield item
      }
    }
    return {
      first,
      second,
      faults,
      read: () => read,
      give: () => {
        given++
        check()
      },
    }
  }
  const windows: readonly (readonly [Options, Options])[] = [
    [
      { chunksize: 1, window: 1 },
      { chunksize: 1, window: 1 },
    ],
    [
      { chunksize: 7, window: 10 },
      { chunksize: 'auto', window: 9 },
    ],
    [
      { chunksize: 'auto', window: 30 },
      { chunksize: 1, window: 5 },
    ],
    [
      { chunksize: 40, window: 40 },
      { chunksize: 7, window: 7 },
    ],
    [
      { chunksize: 3, window: 5 },
      { chunksize: 20, window: 40 },
    ],
  ]

  for (const [first, second] of windows) {
    for (const [from, to] of [
      ['a pool', 'another pool'],
      ['a pool', 'a pool'],
      ['this thread', 'a pool'],
      ['a pool', 'this thread'],
    ] as const) {
      it(`are never exceeded (${shown(first)} on ${from} into ${shown(second)} on ${to})`, async () => {
        const gates = new Gates(150)
        for (const i of ascending(150)) gates.turns(i, (i * 7) % 3)
        for (const tasks of [
          [gated, same],
          [same, gated],
        ] as const) {
          const run = watched(from, to, gates, tasks, [first, second])
          const results: unknown[] = []
          for await (const result of run.second) {
            run.give()
            results.push(result)
            if (results.length % 20 === 0) await turns(10)
          }
          expect(gates.indexes(results)).toEqual(ascending(150))
          expect(run.faults).toEqual([])
        }
      })

      it(`fill up behind an item that waits (${shown(first)} on ${from} into ${shown(second)} on ${to})`, async () => {
        for (const held of [0, 1] as const) {
          const gates = new Gates(150)
          gates.hold(0)
          const tasks = held === 0 ? ([gated, same] as const) : ([same, gated] as const)
          const run = watched(from, to, gates, tasks, [first, second])
          const drained = (async () => {
            const results: unknown[] = []
            for await (const result of run.second) {
              run.give()
              results.push(result)
            }
            return results
          })()
          await gates.entered(0)
          // The second stage keeps its whole window full. The first one has the items that the second has taken, and
          // not yet acknowledged.
          const window = Number((held === 0 ? first : second).window)
          while (run.read() < window) await turns(1)
          await turns(20)
          expect(run.read()).toBeLessThanOrEqual(held === 0 ? window : window + Number(first.window))
          gates.release(0)
          expect(gates.indexes(await drained)).toEqual(ascending(150))
          expect(run.faults).toEqual([])
        }
      })
    }
  }

  it('are freed by items without results, in either stage', async () => {
    const gates = new Gates(300)
    for (const [first, second] of SIZES) {
      const kept = pool.filter(keepsNone, gates.items, first)
      expect(await drain(open('another pool', 'imap', same, kept, second))).toEqual([])
      const before = pool.imap(same, gates.items, first)
      const none = other.filter(keepsNone, before as Stream<number>, second)
      expect(await drain(none)).toEqual([])
      expect([before.stats().delivered, none.stats().read, none.stats().delivered]).toEqual([300, 300, 0])
    }
  })
})

describe('errors of the first stage', () => {
  const passed = ascending(40).filter((x) => x % 10 !== 7)
  for (const [first, second] of SIZES) {
    const title = `${shown(first)} into ${shown(second)}`
    it(`'throw': its results before the failing item come out first, in order (${title})`, async () => {
      for (const to of Object.keys(places) as Place[]) {
        const probe = new Probe()
        const before = open('a pool', 'imap', notSeven, sourceOf('an iterable', endless(), probe), first)
        const stream = open(to, 'imap', triple, before, second)
        const results: unknown[] = []
        const error = await rejection(
          (async () => {
            for await (const result of stream) results.push(result)
          })(),
        )
        expect(error).toMatchObject({ name: 'RangeError', message: 'no good: 7' })
        expect(results).toEqual([0, 3, 6, 9, 12, 15, 18])
        expect([await stream.next(), await before.next()]).toEqual([done, done])
        await turns()
        expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
      }
    })

    it(`'skip': the next stage never sees them (${title})`, async () => {
      for (const to of Object.keys(places) as Place[]) {
        const before = pool.imap(notSeven, ascending(40), { ...first, errors: 'skip' })
        const stream = open(to, 'imap', triple, before, second)
        expect(await drain(stream)).toEqual(passed.map((x) => 3 * x))
        expect(before.stats()).toMatchObject({ read: 40, delivered: 36, skipped: 4 })
        expect(stream.stats()).toMatchObject({ read: 36, delivered: 36, failed: 0 })
      }
    })

    it(`'settle': the next stage gets the outcomes (${title})`, async () => {
      for (const to of Object.keys(places) as Place[]) {
        const before = pool.imap(notSeven, ascending(40), { ...first, errors: 'settle' })
        const outcomes = (await drain(open(to, 'imap', same, before, second))) as Outcome<number, number>[]
        expect(outcomes).toHaveLength(40)
        outcomes.forEach((outcome, x) => {
          if (x % 10 !== 7) expect(outcome).toEqual({ status: 'fulfilled', value: x, index: x })
          else {
            expect(outcome).toMatchObject({ status: 'rejected', index: x, item: x })
            expect((outcome as { reason: unknown }).reason).toBeInstanceOf(RangeError)
          }
        })
      }
    })

    it(`an error of the source comes after the results of both stages (${title})`, async () => {
      function* breaking(): Generator<number> {
        yield* ascending(23)
        throw new Error('the source broke')
      }
      for (const to of Object.keys(places) as Place[]) {
        const stream = open(to, 'imap', triple, pool.imap(triple, breaking(), first), second)
        const results: unknown[] = []
        const failure = (async () => {
          for await (const result of stream) results.push(result)
        })()
        await expect(failure).rejects.toThrow('the source broke')
        expect(results).toEqual(ascending(23).map((x) => 9 * x))
      }
    })

    it(`the first stage fails for a result that it cannot send back, and for an item that cannot be sent to it (${title})`, async () => {
      const before = pool.imap(hideSevens, ascending(40), { ...first, errors: 'skip' })
      expect(await drain(other.imap(same, before, second))).toEqual(passed)
      // From this thread any value comes. The next stage refuses values that it cannot send.
      const here = imap(hideSevens, ascending(40), { workers: 0 })
      const stream = other.imap(same, here, { ...second, errors: 'skip' })
      expect(await drain(stream)).toEqual(passed)
      expect(stream.stats()).toMatchObject({ read: 40, failed: 4, skipped: 4 })
    })
  }

  it('index their items as their own stage read them', async () => {
    const before = pool.imap(notSeven, ascending(40), { errors: 'skip' })
    const outcomes = await drain(other.imap(notSeven, pool.imap(triple, before), { errors: 'settle' }))
    const rejected = outcomes.filter(({ status }) => status === 'rejected')
    // 27 and 57 of 3 × 9 and 3 × 19: one and two items before them were left out.
    expect(rejected.map(({ index }) => index)).toEqual([8, 17, 26, 35])
    for (const { reason } of rejected as { reason: Error }[]) expect(reason.stack).toMatch(/item (8|17|26|35), worker/)
  })

  it('end the first stage when they are of the second', async () => {
    for (const [first, second] of SIZES) {
      const probe = new Probe()
      const before = open(
        'a pool',
        'imap',
        triple,
        sourceOf('an async iterable', endless(), probe),
        first,
      ) as Stream<number>
      const stream = other.imap(notSeven, before, second)
      await expect(drain(stream)).rejects.toThrow('no good: 27')
      expect([await stream.next(), await before.next()]).toEqual([done, done])
      await turns()
      expect(probe).toMatchObject({ returns: 1, overlapped: false, readAfterEnd: false })
    }
    expect([pool.stats().streams, other.stats().streams]).toEqual([0, 0])
  })
})

describe('a first stage that has been read from', () => {
  it('gives the next stage the remaining items', async () => {
    for (const [first, second] of SIZES) {
      for (const to of Object.keys(places) as Place[]) {
        const before = pool.imap(triple, ascending(60), first)
        // All sixty if they are one chunk: the next stage finds the stream at its end, but not ended.
        const early = [(await before.next()).value, ...((await before.chunks().next()).value ?? [])]
        const rest = await drain(open(to, 'imap', same, before, second))
        expect([...early, ...rest]).toEqual(ascending(60).map((x) => 3 * x))
      }
    }
  })

  it('gives each of two stages, or of a stage and a loop, other results', async () => {
    for (const [first, second] of SIZES) {
      const before = pool.imap(triple, ascending(90), first)
      const shares = await Promise.all([
        drain(other.imap(same, before, second)),
        drain(imapUnordered(same, before, second)),
        drain(imap((x: unknown) => x, before, { workers: 0 })),
      ])
      expect(sorted(shares.flat() as number[])).toEqual(ascending(90).map((x) => 3 * x))
    }
  })

  it('and has ended is an error of the stage behind it', async () => {
    const before = pool.imap(triple, [1])
    await drain(before)
    expect(await rejection(drain(other.imap(same, before)))).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
    const failed = pool.imap(notSeven, [7])
    await rejection(failed.next())
    expect(await rejection(drain(other.imap(same, failed)))).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
  })
})

describe('ending two stages early', () => {
  const ends: Record<string, (stream: Stream<unknown>, controller: AbortController) => Promise<void>> = {
    'a break': async (stream) => {
      for await (const _ of stream) break
    },
    'return() at once': async (stream) => {
      const first = stream.next()
      expect(await stream.return()).toEqual(done)
      expect(await first).toEqual(done)
    },
    'the return() of chunks': async (stream) => {
      const chunks = stream.chunks()
      await chunks.next()
      await chunks.return?.()
    },
    'an abort': async (stream, controller) => {
      await stream.next()
      controller.abort('enough')
      expect(await rejection(stream.next())).toBe('enough')
    },
  }
  for (const [how, end] of Object.entries(ends)) {
    it(`by ${how} closes the source once, and both stages`, async () => {
      for (const [first, second] of SIZES) {
        for (const from of Object.keys(places) as Place[]) {
          for (const to of Object.keys(places) as Place[]) {
            for (const kind of ['an iterable', 'an async iterable'] as const) {
              const probe = new Probe()
              const controller = new AbortController()
              const before = open(from, 'imap', triple, sourceOf(kind, endless(), probe), first)
              const options = { ...second, signal: controller.signal }
              const stream = open(to, 'imap', triple, before, options)
              await end(stream, controller)
              await turns(2)
              expect([await stream.next(), await before.next()]).toEqual([done, done])
              expect(probe).toMatchObject({ opened: 1, returns: 1, readAfterEnd: false, overlapped: false })
            }
          }
        }
      }
      expect([pool.stats().streams, other.stats().streams]).toEqual([0, 0])
    })
  }

  it('by an abort of the first stage alone is an error of the source for the second', async () => {
    for (const [first, second] of SIZES) {
      const controller = new AbortController()
      const probe = new Probe()
      const gates = new Gates(40)
      gates.hold(...ascending(40).slice(3))
      const source = sourceOf('an async iterable', gates.items, probe)
      const before = open('a pool', 'imap', gated, source, { ...first, signal: controller.signal })
      const stream = other.imap(same, before, second)
      for (const i of ascending(3)) expect(gates.index((await stream.next()).value)).toBe(i)
      controller.abort('enough')
      expect(await rejection(stream.next())).toBe('enough')
      expect(await stream.next()).toEqual(done)
      gates.releaseAll()
    }
  })

  it('by the end of the pool of either, with its error', async () => {
    for (const doomedFirst of [true, false]) {
      const doomed = new Pool({ workers: 1, name: 'doomed' })
      const gates = new Gates(20)
      gates.hold(...ascending(20).slice(2))
      const before = (doomedFirst ? doomed : pool).imap(gated, gates.items)
      const stream = (doomedFirst ? other : doomed).imap(gated, before as Stream<number>)
      for (const i of ascending(2)) expect(gates.index((await stream.next()).value)).toBe(i)
      await doomed.terminate()
      expect(await rejection(stream.next())).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
      expect([await stream.next(), await before.next()]).toEqual([done, done])
      gates.releaseAll()
    }
  })
})

describe('memory (clause 7)', () => {
  /** The results so far, in a separate frame, so that no variable keeps one. */
  async function takeRefs(stream: Stream<object>, count: number, chunked: boolean): Promise<WeakRef<object>[]> {
    const refs: WeakRef<object>[] = []
    const chunks = stream.chunks()
    while (refs.length < count) {
      const { value } = await (chunked ? chunks.next() : stream.next())
      for (const result of [value ?? []].flat()) refs.push(new WeakRef(result))
    }
    return refs
  }

  for (const chunked of [true, false]) {
    for (const [first, second] of [SIZES[1], SIZES[3], SIZES[7]] as const) {
      it(`two stages keep no consumed item and no delivered result (${shown(first)} into ${shown(second)}, ${chunked ? 'as arrays' : 'one by one'})`, async () => {
        const items: WeakRef<object>[] = []
        function* source(): Generator<object> {
          for (let i = 0; i < 400; i++) {
            const item = { i, data: new Float64Array(50) }
            items.push(new WeakRef(item))
            yield item
          }
        }
        const options = { window: 20 }
        const before = pool.imap(box, source(), { ...options, ...first })
        const stream = other.imap(box, before, { ...options, ...second })
        const results = await takeRefs(stream, 60, chunked)
        const left = (): number => before.stats().read - stream.stats().delivered + 1
        expect(await collectGarbage(results)).toBe(0)
        expect(await collectGarbage(items, left)).toBeLessThanOrEqual(left())
        await stream.return()
        expect(await collectGarbage([...items, ...results])).toBe(0)
        expect(stream.stats().delivered).toBe(results.length)
      })
    }
  }
})

describe('any pipeline', () => {
  it('of filter, flatMap and reduce gives the same as arrays', async () => {
    for (const [first, second] of SIZES) {
      const items = ascending(60)
      const wanted = items
        .filter((x) => x % 3 !== 1)
        .flatMap((x) => ascending(x % 5))
        .map((x) => `${3 * x},`)
        .join('')
      const result = await pipe(
        items,
        filter((x: number) => x % 3 !== 1, { workers: 0 }),
        imap((x: number) => x % 5, { workers: 0 }),
        pool.flatMap(upTo, first),
        other.imap(triple, second),
        reduce(append, { initial: '', merge: (a: string, b: string) => a + b, ...first }),
      )
      expect(result).toBe(wanted)
    }
    const texts = pipe(
      ['a', 1, 'b', 2] as unknown[],
      pool.filter(isText),
      flatMap((text: string) => [text, text], { workers: 0 }),
    )
    expect(await drain(texts)).toEqual(['a', 'a', 'b', 'b'])
  })

  /** The outcome of a pipeline: all results or some of them, and the error, or one of several. */
  interface Model {
    readonly results: readonly Stuff[]
    readonly errors: readonly string[]
    /** Whether the order of the results is fixed, and whether all must come. */
    readonly ordered: boolean
    readonly complete: boolean
  }
  interface StagePlan {
    readonly kind: (typeof KINDS)[number]
    readonly place: Place
    readonly ordered: boolean
    readonly errors: 'throw' | 'settle' | 'skip'
  }

  /** The whole pipeline, stage by stage, on arrays. */
  function model(items: readonly number[], sourceFails: boolean, stages: readonly StagePlan[]): Model {
    let results: Stuff[] = [...items]
    let errors = sourceFails ? ['the source broke'] : []
    let [ordered, complete] = [true, true]
    stages.forEach(({ kind, ordered: inOrder, errors: mode }, depth) => {
      const given: Stuff[] = []
      const failures: string[] = []
      for (const item of results) {
        const { fails, results: made } = behaviour(kind, depth, item)
        if (fails && mode === 'throw') {
          failures.push(`no good: ${numberOf(item)}`)
          if (inOrder && ordered && complete) break
        } else if (fails) {
          if (mode === 'settle') given.push({ status: 'rejected', item })
        } else if (mode === 'settle') {
          for (const value of made) given.push({ status: 'fulfilled', value: numberOf(value) })
        } else given.push(...made)
      }
      if (failures.length > 0 && inOrder && ordered && complete) errors = failures
      else if (failures.length > 0) {
        errors = [...errors, ...failures]
        complete = false
      }
      ordered &&= inOrder
      results = given
    })
    return { results, errors, ordered, complete }
  }

  /** A result as text, without the parts that depend on the order of completion. */
  function text(stuff: Stuff): string {
    if (typeof stuff === 'number') return String(stuff)
    return stuff.status === 'fulfilled' ? `value ${stuff.value}` : `failed ${text(stuff.item)}`
  }

  it('gives the same as arrays, in every way to run its stages and to consume it', async () => {
    const stage = fc
      .record({
        kind: fc.constantFrom(...KINDS),
        place: fc.constantFrom(...(Object.keys(places) as Place[])),
        ordered: fc.integer({ min: 0, max: 2 }).map((n) => n > 0),
        errors: fc.constantFrom('throw' as const, 'skip' as const, 'settle' as const),
        chunksize: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 30 }), fc.constant(1000)),
        window: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 60 })),
        concurrency: fc.integer({ min: 1, max: 3 }),
      })
      .map(({ chunksize, window, errors, ...plan }) => ({
        ...plan,
        errors: plan.kind === 'imap' ? errors : errors === 'settle' ? ('skip' as const) : errors,
        chunksize,
        window: window === undefined || chunksize === 'auto' ? window : Math.max(window, chunksize),
      }))
    const configuration = fc.record({
      items: fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 150 }),
      sourceFails: fc.boolean(),
      kind: fc.constantFrom('an iterable' as const, 'an async iterable' as const),
      stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
      calls: fc.array(fc.constantFrom('next', 'chunks', 'both'), { minLength: 1, maxLength: 4 }),
      stopAfter: fc.oneof(fc.constant(Infinity), fc.constant(Infinity), fc.integer({ min: 1, max: 40 })),
    })
    await fc.assert(
      fc.asyncProperty(configuration, async ({ items, sourceFails, kind, stages, calls, stopAfter }) => {
        const probe = new Probe()
        function* source(): Generator<number> {
          yield* items
          if (sourceFails) throw new Error('the source broke')
        }
        let stream = sourceOf(kind, source(), probe) as Stream<unknown>
        stages.forEach(({ place, kind, ordered, window, ...options }, depth) => {
          const verb = ordered ? kind : `${kind}Unordered`
          const task = stageTasks[`${kind}${depth}`]
          stream = open(place, verb, task, stream, { ...options, ...(window !== undefined && { window }) })
        })
        const results: Stuff[] = []
        let failure: string | undefined
        let over = false
        const chunks = stream.chunks()
        try {
          for (let call = 0; !over && results.length < stopAfter; call++) {
            const how = calls[call % calls.length]
            const asked: Promise<IteratorResult<unknown, undefined>>[] = []
            if (how !== 'chunks') asked.push(stream.next())
            if (how !== 'next') asked.push(chunks.next())
            for (const answer of await Promise.all(asked)) {
              over ||= answer.done === true
              results.push(...([answer.done === true ? [] : answer.value].flat() as Stuff[]))
            }
          }
          if (!over) await stream.return()
        } catch (error) {
          failure = (error as Error).message
        }
        const { results: wanted, errors, ordered, complete } = model(items, sourceFails, stages)
        const [given, all] = [results.map(text), wanted.map(text)]
        if (over) expect(errors).toEqual([])
        if (failure !== undefined) expect(errors).toContain(failure)
        if (ordered && complete) {
          // A failed call does not lose a result, but a call that was made at the same time can.
          expect(given).toEqual(all.slice(0, given.length))
          if (over) expect(given).toHaveLength(all.length)
        } else if (over) expect(given.sort()).toEqual(all.sort())
        else expect(withoutEach(all, given)).toHaveLength(all.length - given.length)
        expect(await Promise.all([stream.next(), chunks.next()])).toEqual([done, done])
        await turns(1)
        const closed = probe.opened === 0 || over ? 0 : 1
        if (failure === undefined) expect(probe.returns).toBeLessThanOrEqual(closed)
        expect(probe).toMatchObject({ overlapped: false, readAfterEnd: false })
      }),
      { numRuns: 250, interruptAfterTimeLimit: 8_000 },
    )
  })

  /** The rest of a list after each of some values is removed once. */
  function withoutEach(from: readonly string[], values: readonly string[]): string[] {
    const left = [...from].sort()
    for (const value of values) {
      const at = left.indexOf(value)
      if (at >= 0) left.splice(at, 1)
    }
    return left
  }
})
