/** The contract of a stream, clauses 17 to 21: early ends, and their clean-up. */
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import type { Worker } from 'node:worker_threads'
import { imap, imapUnordered, lines, type Source, type Stream } from 'millrace'
import { count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { ABORTED, act, GATE, item, STARTED } from '../fixtures/contract-b-tasks.js'
import {
  boardPool,
  collect,
  numbers,
  Probe,
  rejection,
  until,
  WAYS,
  WAYS_AND_KINDS,
  type Kind,
  type Way,
} from '../fixtures/contract-b-ways.js'
import { eachValue } from '../support/volume.js'

const pool = boardPool({ workers: 2 })
const single = boardPool({ workers: 1 })
afterAll(async () => {
  await Promise.all([pool.terminate(), single.terminate()])
})

/** Ends a stream from outside once it has given a result and `ready` has settled. */
type End = (stream: Stream<number>, controller: AbortController, ready?: () => Promise<void>) => Promise<void>

const ENDS: readonly (readonly [title: string, end: End])[] = [
  [
    'break',
    async (stream, _, ready) => {
      for await (const result of stream) {
        expect(typeof result).toBe('number')
        await ready?.()
        break
      }
    },
  ],
  [
    'return()',
    async (stream, _, ready) => {
      await stream.next()
      await ready?.()
      expect(await stream.return()).toEqual({ done: true, value: undefined })
    },
  ],
  [
    'an abort',
    async (stream, controller, ready) => {
      await stream.next()
      await ready?.()
      controller.abort()
      expect(await rejection(stream.next())).toBe(controller.signal.reason)
    },
  ],
]

/** The pool, or this thread, still works. */
async function expectUsable(way: Way, kind: Kind): Promise<void> {
  const test = row()
  const results = await collect(
    way.open(
      pool,
      new Probe().texts(kind, (n) => (n < 9 ? item(test, n) : undefined)),
    ),
  )
  expect(results.sort()).toEqual(numbers(9))
}

describe('clause 17: an early end closes the source exactly once and leaves the pool usable', () => {
  for (const [title, way, kind] of WAYS_AND_KINDS) {
    for (const [how, end] of ENDS) {
      it(`after ${how} (${title})`, async () => {
        const test = row()
        const probe = new Probe()
        const controller = new AbortController()
        const source = probe.texts(kind, (n) => item(test, n))
        const stream = way.open(pool, source, { window: 20, signal: controller.signal })
        await end(stream, controller)
        await probe.closed
        const { reads } = probe
        await expectUsable(way, kind)
        expect(await stream.next()).toEqual({ done: true, value: undefined })
        await stream.return()
        expect([probe.opened, probe.reads, probe.returns]).toEqual([1, reads, 1])
      })
    }

    it(`after an error of a task (${title})`, async () => {
      const test = row()
      const probe = new Probe()
      const source = probe.texts(kind, (n) => item(test, n, n === 3 ? 'fail' : 'go'))
      const stream = way.open(pool, source, { window: 20 })
      expect(await rejection(collect(stream))).toEqual(new RangeError('item 3 fails'))
      await probe.closed
      const { reads } = probe
      await expectUsable(way, kind)
      expect(await stream.next()).toEqual({ done: true, value: undefined })
      await stream.return()
      expect([probe.opened, probe.reads, probe.returns]).toEqual([1, reads, 1])
    })

    it(`but does not close a source that has ended by itself (${title})`, async () => {
      const test = row()
      const probe = new Probe()
      const stream = way.open(
        pool,
        probe.texts(kind, (n) => (n < 5 ? item(test, n) : undefined)),
      )
      expect((await collect(stream)).sort()).toEqual(numbers(5))
      await stream.return()
      expect([probe.reads, probe.returns]).toEqual([6, 0])
    })
  }

  for (const way of WAYS.filter(({ ordered, chunksize }) => ordered && chunksize === 1)) {
    it(`nor one that ended while a failed item was held back for order (${way.title})`, async () => {
      const test = row()
      let end = (): void => undefined
      let returns = 0
      const given = [item(test, 0, 'hold'), item(test, 1, 'fail')].values()
      const source: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            const { value } = given.next()
            if (value !== undefined) return Promise.resolve({ done: false, value })
            return new Promise((resolve) => {
              end = () => {
                resolve({ done: true, value: undefined })
              }
            })
          },
          return: () => {
            returns++
            return Promise.resolve({ done: true, value: undefined })
          },
        }),
      }
      const stream = way.open(pool, source, { concurrency: 2, window: 7 })
      const failure = rejection(collect(stream))
      await until(() => stream.stats().failed === 1)
      end()
      await new Promise(setImmediate)
      raise(test + GATE)
      expect(await failure).toEqual(new RangeError('item 1 fails'))
      expect(returns).toBe(0)
    })
  }

  for (const way of WAYS) {
    it(`throws a task's error, not the one that closing the source throws then (${way.title})`, async () => {
      const test = row()
      const source = {
        *[Symbol.iterator]() {
          try {
            for (let n = 0; ; n++) yield item(test, n, n === 3 ? 'fail' : 'go')
          } finally {
            throw new Error('no close')
          }
        },
      }
      expect(await rejection(collect(way.open(pool, source, { window: 20 })))).toEqual(new RangeError('item 3 fails'))
    })

    it(`throws the error of closing the source from return() (${way.title})`, async () => {
      const test = row()
      async function* source(): AsyncGenerator<string> {
        try {
          for (let n = 0; ; n++) yield item(test, n)
        } finally {
          throw new Error('no close')
        }
      }
      const stream = way.open(pool, source(), { window: 20 })
      await stream.next()
      expect(await rejection(stream.return())).toEqual(new Error('no close'))
      expect(await stream.return()).toEqual({ done: true, value: undefined })
    })
  }
})

describe('clause 17: an early end cancels what is in flight', () => {
  for (const way of WAYS) {
    for (const [how, end] of ENDS) {
      it(`fires the signal of an async task after ${how} (${way.title})`, async () => {
        const test = row()
        const controller = new AbortController()
        const { signal } = controller
        const items = [item(test, 0), item(test, 1, 'signal'), item(test, 2, 'signal'), item(test, 3, 'signal')]
        const stream = way.open(pool, items, { window: 7, concurrency: 3, signal })
        await end(stream, controller, () => reaches(test + STARTED, 3))
        await reaches(test + ABORTED, 2)
      })

      it(`stops at the next item boundary after ${how} (${way.title})`, async () => {
        const test = row()
        const controller = new AbortController()
        const { signal } = controller
        const probe = new Probe()
        const source = probe.sync((n) => item(test, n, n === 1 ? 'hold' : 'go'))
        const stream = way.open(single, source, { window: 14, signal })
        await end(stream, controller, () => reaches(test + STARTED, 2))
        raise(test + GATE)
        // The only worker takes this chunk after all earlier ones.
        expect(await collect(way.open(single, [item(row(), 0)]))).toEqual([0])
        expect(count(test + STARTED)).toBe(2)
      })
    }

    it(`fires the signal of an async task after an error of another one (${way.title})`, async () => {
      const test = row()
      const items = [item(test, 0, 'failLater'), item(test, 1, 'signal')]
      const stream = way.open(pool, items, { window: 7, concurrency: 2 })
      const failure = rejection(collect(stream))
      await reaches(test + STARTED, 2)
      raise(test + GATE)
      expect(await failure).toEqual(new RangeError('item 0 fails'))
      await reaches(test + ABORTED, 1)
    })

    it(`stops at the next item boundary after an error (${way.title})`, async () => {
      const test = row()
      const source = new Probe().sync((n) => item(test, n, n === 0 ? 'fail' : n === 1 ? 'hold' : 'go'))
      expect(await rejection(collect(way.open(single, source, { window: 14 })))).toEqual(new RangeError('item 0 fails'))
      raise(test + GATE)
      expect(await collect(way.open(single, [item(row(), 0)]))).toEqual([0])
      expect(count(test + STARTED)).toBeLessThanOrEqual(2)
    })
  }

  for (const way of WAYS.filter(({ executor }) => executor === 'threads')) {
    for (const [how, end] of ENDS) {
      it(`turns ctx.signal.aborted true inside a loop that never gives way, after ${how} (${way.title})`, async () => {
        const test = row()
        const controller = new AbortController()
        const { signal } = controller
        const items = [item(test, 0), item(test, 1, 'poll'), item(test, 2)]
        const stream = way.open(single, items, { window: 7, signal })
        await end(stream, controller, () => reaches(test + STARTED, 2))
        await reaches(test + ABORTED, 1)
        expect(await collect(way.open(single, [item(row(), 0)]))).toEqual([0])
        expect(count(test + STARTED)).toBe(2)
      })

      it(`stops behind an item that blocks its thread after ${how} (${way.title})`, async () => {
        const test = row()
        const controller = new AbortController()
        const { signal } = controller
        const source = new Probe().sync((n) => item(test, n, n === 1 ? 'block' : 'go'))
        const stream = way.open(single, source, { window: 14, signal })
        await end(stream, controller, () => reaches(test + STARTED, 2))
        raise(test + GATE)
        expect(await collect(way.open(single, [item(row(), 0)]))).toEqual([0])
        expect(count(test + STARTED)).toBe(2)
      })
    }
  }
})

/** Sources that never give an item: a maker for each, and a check that it was closed. */
interface Silent {
  readonly source: Source<string>
  /** How often it was closed, if it can tell. */
  closes(): number
}

const SILENT: readonly (readonly [title: string, make: () => Silent, bounded: boolean])[] = [
  [
    'an async generator that awaits for ever',
    () => {
      async function* source(): AsyncGenerator<string> {
        await new Promise(() => {})
        yield ''
      }
      const generator = source()
      const original = generator.return.bind(generator)
      let closes = 0
      generator.return = (value) => {
        closes++
        return original(value)
      }
      return { source: generator, closes: () => closes }
    },
    true,
  ],
  [
    'an iterator whose next() and return() never settle',
    () => {
      let closes = 0
      const iterator: AsyncIterator<string> = {
        next: () => new Promise(() => {}),
        return: () => {
          closes++
          return new Promise(() => {})
        },
      }
      return { source: { [Symbol.asyncIterator]: () => iterator }, closes: () => closes }
    },
    true,
  ],
  [
    'an iterator whose next() alone never settles',
    () => {
      let closes = 0
      const iterator: AsyncIterator<string> = {
        next: () => new Promise(() => {}),
        return: () => {
          closes++
          return Promise.resolve({ done: true, value: undefined })
        },
      }
      return { source: { [Symbol.asyncIterator]: () => iterator }, closes: () => closes }
    },
    false,
  ],
  [
    'an iterator without return()',
    () => ({ source: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }, closes: () => 1 }),
    false,
  ],
  [
    'a Readable that never pushes',
    () => {
      let closes = 0
      const source = new Readable({
        objectMode: true,
        read: () => {},
        destroy: (error, done) => {
          closes++
          done(error)
        },
      })
      return { source, closes: () => closes }
    },
    false,
  ],
  [
    'a web stream that never enqueues',
    () => {
      let closes = 0
      const source = new ReadableStream<string>({
        cancel: () => {
          closes++
        },
      })
      return { source, closes: () => closes }
    },
    false,
  ],
  [
    'lines() of a Readable that never pushes',
    () => {
      let closes = 0
      const source = new Readable({
        read: () => {},
        destroy: (error, done) => {
          closes++
          done(error)
        },
      })
      return { source: lines(source), closes: () => closes }
    },
    false,
  ],
]

/** Sources that give three items of a row, then no more, and do not end. */
const FALLING_SILENT: readonly (readonly [title: string, make: (row: number) => Source<string>])[] = [
  [
    'an async generator awaits for ever after its third item',
    async function* (row) {
      for (let n = 0; n < 3; n++) yield item(row, n)
      await new Promise(() => {})
    },
  ],
  [
    'a Readable pushes three items and no more',
    (row) => {
      const source = new Readable({ objectMode: true, read: () => {} })
      for (let n = 0; n < 3; n++) source.push(item(row, n))
      return source
    },
  ],
  [
    'lines() has given the three lines there are so far',
    (row) => {
      const source = new Readable({ read: () => {} })
      for (let n = 0; n < 3; n++) source.push(`${item(row, n)}\n`)
      return lines(source)
    },
  ],
]

/** A stream waits one second for a source that does not answer. The rest is for a busy machine. */
const BOUND = 2_500
/** An end without that wait comes well before that second. */
const AT_ONCE = 900

describe('clause 18: return() and an abort settle', () => {
  for (const [what, make, bounded] of SILENT) {
    it(`by return(), within the bound, while next() waits on ${what} (every way at once)`, async () => {
      await Promise.all(
        WAYS.map(async (way) => {
          const silent = make()
          const stream = way.open(pool, silent.source)
          const pending = stream.next()
          await new Promise(setImmediate)
          const started = performance.now()
          const returned = stream.return()
          expect(await pending).toEqual({ done: true, value: undefined })
          expect(performance.now() - started).toBeLessThan(AT_ONCE)
          expect(await returned).toEqual({ done: true, value: undefined })
          expect(performance.now() - started).toBeLessThan(bounded ? BOUND : AT_ONCE)
          expect(silent.closes()).toBe(1)
        }),
      )
    })

    it(`by an abort, at once, while next() waits on ${what} (every way at once)`, async () => {
      await Promise.all(
        WAYS.map(async (way) => {
          const silent = make()
          const controller = new AbortController()
          const stream = way.open(pool, silent.source, { signal: controller.signal })
          const pending = rejection(stream.next())
          await new Promise(setImmediate)
          const started = performance.now()
          controller.abort()
          expect(await pending).toBe(controller.signal.reason)
          expect(await stream.return()).toEqual({ done: true, value: undefined })
          expect(performance.now() - started).toBeLessThan(AT_ONCE)
          await until(() => silent.closes() === 1)
        }),
      )
    })
  }

  for (const [what, make] of FALLING_SILENT) {
    it(`by a break, within the bound, when ${what} (every way at once)`, async () => {
      await Promise.all(
        WAYS.map(async (way) => {
          const test = row()
          const seen: number[] = []
          const started = performance.now()
          const stream = way.open(pool, make(test), { window: 14 })
          for await (const result of stream) {
            if (seen.push(result) === 3) break
          }
          expect(seen.sort()).toEqual([0, 1, 2])
          expect(performance.now() - started).toBeLessThan(BOUND)
          // The fourth item was requested, and has not come.
          expect(stream.stats()).toMatchObject({ read: 3, delivered: 3 })
        }),
      )
    })
  }

  for (const act of ['hang', 'spin'] as const) {
    // A worker is replaced after its grace time.
    for (const way of eachValue(WAYS, 'executor', 'ordered', 'chunksize')) {
      if (way.executor !== 'threads' && act === 'spin') continue
      const threads = boardPool({ workers: 1 })
      afterAll(() => threads.terminate())

      it(`while a task ${act === 'hang' ? 'never settles' : 'loops for ever'}, and its worker is replaced (${way.title})`, async () => {
        const test = row()
        const probe = new Probe()
        const source = probe.async((n) => item(test, n, n === 0 ? act : 'go'))
        const stream = way.open(threads, source, { window: 7 })
        const pending = stream.next()
        await reaches(test + STARTED, 1)
        const started = performance.now()
        await stream.return()
        expect(await pending).toEqual({ done: true, value: undefined })
        const controller = new AbortController()
        const aborted = way.open(threads, [item(test, 0)], { signal: controller.signal })
        const failure = rejection(aborted.next())
        controller.abort('enough')
        expect(await failure).toBe('enough')
        expect(performance.now() - started).toBeLessThan(AT_ONCE)
        expect(probe.returns).toBe(1)
        expect(await collect(way.open(threads, [item(row(), 8)]))).toEqual([8])
      })
    }
  }
})

describe('clause 19', () => {
  for (const [title, way, kind] of WAYS_AND_KINDS) {
    it(`pending next() calls resolve as done when return() is called (${title})`, async () => {
      const test = row()
      const probe = new Probe()
      const stream = way.open(
        pool,
        probe.texts(kind, (n) => item(test, n, 'hold')),
        { window: 7 },
      )
      const pending = [stream.next(), stream.next(), stream.next()]
      await reaches(test + STARTED, 1)
      const returned = await Promise.all([stream.return(), stream.return(), stream[Symbol.asyncDispose]()])
      expect(returned.slice(0, 2)).toEqual([
        { done: true, value: undefined },
        { done: true, value: undefined },
      ])
      for (const result of await Promise.all(pending)) expect(result).toEqual({ done: true, value: undefined })
      expect(await stream.return()).toEqual({ done: true, value: undefined })
      expect(probe.returns).toBe(1)
      raise(test + GATE)
    })
  }

  for (const way of WAYS) {
    it(`return() before the first next() reads nothing, and next() is then done (${way.title})`, async () => {
      const probe = new Probe()
      const stream = way.open(
        pool,
        probe.sync(() => item(row(), 0)),
      )
      expect(await stream.return()).toEqual({ done: true, value: undefined })
      expect(await stream.next()).toEqual({ done: true, value: undefined })
      expect([probe.opened, probe.reads, probe.returns]).toEqual([0, 0, 0])
    })

    it(`a second return() waits for the closing that the first one began (${way.title})`, async () => {
      const test = row()
      let close = (): void => undefined
      const source: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: false, value: item(test, 0) }),
          return: () =>
            new Promise((resolve) => {
              close = () => {
                resolve({ done: true, value: undefined })
              }
            }),
        }),
      }
      const stream = way.open(pool, source, { window: 7 })
      await stream.next()
      const settled: string[] = []
      const first = stream.return().then(() => settled.push('first'))
      const second = stream.return().then(() => settled.push('second'))
      await new Promise(setImmediate)
      expect(settled).toEqual([])
      close()
      await Promise.all([first, second])
      expect(settled.sort()).toEqual(['first', 'second'])
    })
  }
})

describe('clause 20', () => {
  for (const way of WAYS) {
    it(`a signal that has fired already rejects the first next(), and nothing is read (${way.title})`, async () => {
      for (const reason of [new Error('mine'), 'text', 0, false, null, { own: 1 }]) {
        const probe = new Probe()
        const signal = AbortSignal.abort(reason)
        const stream = way.open(
          pool,
          probe.sync(() => item(row(), 0)),
          { signal },
        )
        expect(await rejection(stream.next())).toBe(reason)
        expect(await stream.next()).toEqual({ done: true, value: undefined })
        expect([probe.opened, probe.reads, probe.returns]).toEqual([0, 0, 0])
        expect(getEventListeners(signal, 'abort')).toEqual([])
      }
      const signal = AbortSignal.abort()
      expect(await rejection(way.open(pool, [item(row(), 0)], { signal }).next())).toBe(signal.reason)
    })

    it(`a signal that fires between the call and the first next() does so too (${way.title})`, async () => {
      const probe = new Probe()
      const controller = new AbortController()
      const stream = way.open(
        pool,
        probe.sync(() => item(row(), 0)),
        { signal: controller.signal },
      )
      controller.abort(undefined)
      expect(await rejection(stream.next())).toBe(controller.signal.reason)
      expect(probe.opened).toBe(0)
    })

    it(`the reason is thrown unchanged, to one next() alone (${way.title})`, async () => {
      for (const reason of [new Error('mine'), 'text', 0, false, null, { own: 1 }]) {
        const test = row()
        const controller = new AbortController()
        const items = [item(test, 0, 'hold'), item(test, 1, 'hold')]
        const stream = way.open(pool, items, { signal: controller.signal, window: 7 })
        const [first, second] = [rejection(stream.next()), stream.next()]
        await reaches(test + STARTED, 1)
        controller.abort(reason)
        expect(await first).toBe(reason)
        expect(await second).toEqual({ done: true, value: undefined })
        expect(await stream.next()).toEqual({ done: true, value: undefined })
        raise(test + GATE)
      }
    })

    it(`the listener is there while the stream is open, and removed at every kind of end (${way.title})`, async () => {
      const test = row()
      const controller = new AbortController()
      const { signal } = controller
      const listeners = (): number => getEventListeners(signal, 'abort').length
      const open = (source: Source<string>): Stream<number> => {
        const stream = way.open(pool, source, { signal, window: 7 })
        expect(listeners()).toBe(0)
        return stream
      }
      const items = numbers(20).map((n) => item(test, n))

      const complete = open(items)
      await complete.next()
      expect(listeners()).toBe(1)
      await collect(complete)
      expect(listeners()).toBe(0)

      for await (const _ of open(items)) {
        expect(listeners()).toBe(1)
        break
      }
      expect(listeners()).toBe(0)

      const returned = open(items)
      void returned.next()
      expect(listeners()).toBe(1)
      await returned.return()
      expect(listeners()).toBe(0)

      await rejection(collect(open([item(test, 0, 'fail')])))
      expect(listeners()).toBe(0)

      await rejection(
        collect(
          open(
            (function* () {
              yield item(test, 0)
              throw new Error('source')
            })(),
          ),
        ),
      )
      expect(listeners()).toBe(0)

      await collect(open([]))
      expect(listeners()).toBe(0)

      if (way.executor === 'threads') {
        const closed = boardPool({ workers: 1 })
        const stream = way.open(closed, items, { signal })
        await stream.next()
        expect(listeners()).toBe(1)
        await closed.terminate()
        expect(listeners()).toBe(0)
        await rejection(stream.next())
      }

      const aborted = open(items)
      const failure = rejection(collect(aborted))
      expect(listeners()).toBe(1)
      controller.abort()
      expect(await failure).toBe(signal.reason)
      expect(listeners()).toBe(0)
    })
  }
})

describe('clause 21: a stream that was made and never iterated', () => {
  for (const way of WAYS) {
    it(`touches neither source nor signal, and starts no worker (${way.title})`, async () => {
      const started: Worker[] = []
      const note = (worker: Worker): void => {
        started.push(worker)
      }
      process.on('worker', note)
      try {
        const idle = boardPool({ workers: 2 })
        const probe = new Probe()
        const { signal } = new AbortController()
        const streams = numbers(10).map(() =>
          way.open(
            idle,
            probe.sync(() => item(row(), 0)),
            { signal },
          ),
        )
        await new Promise(setImmediate)
        expect(streams[0]?.[Symbol.asyncIterator]()).toBe(streams[0])
        expect(started).toEqual([])
        expect([probe.opened, probe.reads, probe.returns]).toEqual([0, 0, 0])
        expect(getEventListeners(signal, 'abort')).toEqual([])
        expect(idle.stats()).toEqual({
          starting: 0,
          ready: 0,
          busy: 0,
          waiting: 0,
          streams: 0,
          crashes: 0,
          timeouts: 0,
          recycled: 0,
        })
        // Its pool can still close.
        await idle.close()
      } finally {
        process.off('worker', note)
      }
    })
  }

  it('does not stand in the way of the stages before it', () => {
    const probe = new Probe()
    const stage = imapUnordered(act, { workers: 0 })
    stage(imap(act, { workers: 0 })(probe.sync(() => item(row(), 0))) as unknown as Source<string>)
    expect([probe.opened, probe.reads]).toEqual([0, 0])
  })
})
