/** The contract of a stream, clause 26: other libraries that work with stages and streams. */
import { on, EventEmitter } from 'node:events'
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import * as streams from 'node:stream'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream, TransformStream } from 'node:stream/web'
import { fileURLToPath } from 'node:url'
import { pipe as itPipe } from 'it-pipe'
import { imap, imapUnordered, lines, pipe, Pool, type Source, type Stage, type Stream } from 'millrace'
import { count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { act, bytes, double, GATE, item, length, STARTED, successor } from '../fixtures/contract-b-tasks.js'
import { boardPool, CHUNKSIZES, collect, EXECUTORS, numbers, Probe, rejection } from '../fixtures/contract-b-ways.js'

const pool = boardPool({ workers: 2 })
const single = boardPool({ workers: 1 })
afterAll(async () => {
  await Promise.all([pool.terminate(), single.terminate()])
})

interface Make {
  readonly title: string
  /** A stage for numbers that doubles them. */
  readonly doubled: Stage<number, number>
  /** A stage that adds one. */
  readonly succeeded: Stage<number, number>
  /** A stage for texts of the board. */
  readonly acted: Stage<string, number>
  readonly sized: Stage<Uint8Array, number>
  readonly measured: Stage<unknown, number>
}

const MAKES: readonly Make[] = EXECUTORS.flatMap((executor) =>
  [true, false].flatMap((ordered) =>
    CHUNKSIZES.map((chunksize): Make => {
      const title = `${executor}, ${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize}`
      const options = { chunksize, window: 14 }
      if (executor === 'threads') {
        const verb = ordered ? pool.imap : pool.imapUnordered
        return {
          title,
          doubled: verb(double, options),
          succeeded: verb(successor, options),
          acted: verb(act, options),
          sized: verb(bytes, options),
          measured: verb(length, options),
        }
      }
      const verb = ordered ? imap : imapUnordered
      const inline = { ...options, workers: 0 } as const
      return {
        title,
        doubled: verb(double, inline),
        succeeded: verb(successor, inline),
        acted: verb(act, inline),
        sized: verb(bytes, inline),
        measured: verb(length, inline),
      }
    }),
  ),
)

const ITEMS = numbers(30)
const DOUBLED = ITEMS.map((x) => 2 * x)

function sorted(results: readonly number[]): number[] {
  return results.toSorted((a, b) => a - b)
}

// Every supported Node has it. The types of Node 20 do not.
const { compose } = streams as unknown as { compose: (...parts: unknown[]) => streams.Duplex }

describe('clause 26: a stage works', () => {
  for (const { title, doubled, succeeded, acted } of MAKES) {
    it(`by plain call (${title})`, async () => {
      expect(sorted(await collect(doubled(ITEMS)))).toEqual(DOUBLED)
    })

    it(`again and again: each call makes a new stream (${title})`, async () => {
      const [first, second] = [doubled(ITEMS), doubled(ITEMS)]
      expect(first).not.toBe(second)
      const both = await Promise.all([collect(first), collect(second)])
      expect(both.map(sorted)).toEqual([DOUBLED, DOUBLED])
    })

    it(`in it-pipe's pipe, between other transforms (${title})`, async () => {
      const results = await pipe(
        ITEMS,
        doubled,
        async function* (source: AsyncIterable<number>) {
          for await (const x of source) yield x + 1
        },
        succeeded,
        (source: AsyncIterable<number>) => collect(source),
      )
      expect(sorted(results)).toEqual(DOUBLED.map((x) => x + 2))
      expect(sorted(await collect(itPipe(ITEMS, doubled)))).toEqual(DOUBLED)
    })

    it(`in it-pipe's pipe with a function or a duplex in front (${title})`, async () => {
      const results = await itPipe(
        () => ITEMS,
        doubled,
        {
          source: [1, 2, 3],
          sink: async (source: AsyncIterable<number>) => {
            await collect(source)
          },
        },
        doubled,
        (source: AsyncIterable<number>) => collect(source),
      )
      expect(sorted(results)).toEqual([2, 4, 6])
    })

    it(`in stream.pipeline, in front of a function (${title})`, async () => {
      const results = await pipeline(Readable.from(ITEMS), doubled, succeeded, (source: AsyncIterable<number>) =>
        collect(source),
      )
      expect(sorted(results)).toEqual(DOUBLED.map((x) => x + 1))
    })

    it(`in stream.pipeline, into a Writable (${title})`, async () => {
      const written: number[] = []
      const sink = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write: (chunk: number, _, done) => {
          written.push(chunk)
          setImmediate(done)
        },
      })
      await pipeline(ITEMS, doubled, sink)
      expect(sorted(written)).toEqual(DOUBLED)
    })

    it(`in stream.pipeline, which passes on a task's error (${title})`, async () => {
      const test = row()
      const probe = new Probe()
      const source = probe.async((n) => item(test, n, n === 5 ? 'fail' : 'go'))
      const sink = new Writable({
        objectMode: true,
        write: (_chunk, _encoding, done) => {
          done()
        },
      })
      const error = await rejection(pipeline(source, acted, sink))
      expect(error).toEqual(new RangeError('item 5 fails'))
      await probe.closed
      expect([sink.destroyed, probe.returns]).toEqual([true, 1])
    })

    it(`in stream.pipeline, which ends it when its sink fails (${title})`, async () => {
      const test = row()
      const probe = new Probe()
      const source = probe.async((n) => item(test, n))
      const sink = new Writable({
        objectMode: true,
        write: (_chunk, _encoding, done) => {
          done(new Error('disk full'))
        },
      })
      const error = await rejection(pipeline(source, acted, sink))
      expect(error).toEqual(new Error('disk full'))
      await probe.closed
      expect(probe.returns).toBe(1)
    })

    it(`in stream.compose (${title})`, async () => {
      const duplex = compose(doubled)
      expect(sorted(await collect(Readable.from(ITEMS).pipe(duplex) as AsyncIterable<number>))).toEqual(DOUBLED)
      const composed = compose(Readable.from(ITEMS), doubled, succeeded)
      expect(sorted(await collect(composed as AsyncIterable<number>))).toEqual(DOUBLED.map((x) => x + 1))
    })
  }

  it('on the stream of another stage of the same pool, which has one worker only', async () => {
    const options = { window: 5, chunksize: 2 }
    const nested = pipe(
      ITEMS,
      single.imap(double, options),
      single.imapUnordered(successor, options),
      single.imap(double),
    )
    expect(sorted(await collect(nested))).toEqual(ITEMS.map((x) => (2 * x + 1) * 2))
  })

  it('when the last of three stages is ended: all of them end, and the source is closed once', async () => {
    const probe = new Probe()
    const stages: Stream<number>[] = []
    const keep = (stream: Stream<number>): Stream<number> => {
      stages.push(stream)
      return stream
    }
    const first = keep(
      pool.imap(
        double,
        probe.async((n) => n),
      ),
    )
    const second = keep(imap(successor, first, { workers: 0 }))
    for await (const x of keep(pool.imapUnordered(double, second))) {
      expect(x % 2).toBe(0)
      break
    }
    for (const stage of stages) expect(await stage.next()).toEqual({ done: true, value: undefined })
    expect(probe.returns).toBe(1)
  })

  it('when the first of three stages fails: the error comes out of the last', async () => {
    const test = row()
    const source = numbers(20).map((n) => item(test, n, n === 7 ? 'fail' : 'go'))
    const failing = pool.imap(double, imap(successor, pool.imap(act, source), { workers: 0 }))
    const seen: number[] = []
    const error = await rejection(
      (async () => {
        for await (const x of failing) seen.push(x)
      })(),
    )
    expect(error).toEqual(new RangeError('item 7 fails'))
    expect(seen).toEqual(numbers(7).map((n) => 2 * (n + 1)))
  })
})

describe('clause 26: a stream works', () => {
  for (const { title, doubled, acted } of MAKES) {
    it(`in for await, once (${title})`, async () => {
      const stream = doubled(ITEMS)
      expect(stream[Symbol.asyncIterator]()).toBe(stream)
      expect(sorted(await collect(stream))).toEqual(DOUBLED)
      await expect(collect(stream)).rejects.toMatchObject({ code: 'ERR_INVALID_SOURCE' })
    })

    it(`in Readable.from, also when that is destroyed early (${title})`, async () => {
      expect(sorted(await collect(Readable.from(doubled(ITEMS)) as AsyncIterable<number>))).toEqual(DOUBLED)
      const test = row()
      const probe = new Probe()
      const readable = Readable.from(acted(probe.async((n) => item(test, n))))
      for await (const first of readable) {
        expect(typeof first).toBe('number')
        break
      }
      await probe.closed
      expect([readable.destroyed, probe.returns]).toEqual([true, 1])
    })

    it(`in ReadableStream.from, also when that is cancelled early (${title})`, async () => {
      expect(sorted(await collect(ReadableStream.from(doubled(ITEMS))))).toEqual(DOUBLED)
      const test = row()
      const probe = new Probe()
      const reader = ReadableStream.from(acted(probe.async((n) => item(test, n)))).getReader()
      expect(typeof (await reader.read()).value).toBe('number')
      await reader.cancel()
      expect(probe.returns).toBe(1)
    })

    it(`through a web TransformStream and back (${title})`, async () => {
      const through = ReadableStream.from(doubled(ITEMS)).pipeThrough(
        new TransformStream<number, number>({
          transform: (x, controller) => {
            controller.enqueue(x / 2)
          },
        }),
      )
      expect(sorted(await collect(doubled(through)))).toEqual(DOUBLED)
    })

    it(`in await using, which ends it (${title})`, async () => {
      const test = row()
      const probe = new Probe()
      {
        await using stream = acted(probe.sync((n) => item(test, n)))
        await stream.next()
      }
      expect(probe.returns).toBe(1)
    })
  }
})

/** Sources of the numbers 0 to 29, by their kind. */
const SOURCES: readonly (readonly [title: string, make: () => Source<number>])[] = [
  ['an array', () => ITEMS],
  ['a frozen array', () => Object.freeze([...ITEMS])],
  ['a typed array', () => Float64Array.from(ITEMS)],
  ['a Set', () => new Set(ITEMS)],
  ['the values of a Map', () => new Map(ITEMS.map((x) => [`${x}`, x])).values()],
  ['the iterator of an array', () => ITEMS[Symbol.iterator]()],
  [
    'a generator',
    function* () {
      yield* ITEMS
    },
  ],
  [
    'an async generator',
    async function* () {
      yield* ITEMS
    },
  ],
  [
    'an async generator that gives way each time',
    async function* () {
      for (const x of ITEMS) {
        await new Promise(setImmediate)
        yield x
      }
    },
  ],
  ['an iterable whose iterator has next() alone', () => ({ [Symbol.iterator]: () => bareIterator() })],
  [
    'an async iterable whose next() gives no promise',
    () => ({ [Symbol.asyncIterator]: () => bareIterator() as unknown as AsyncIterator<number> }),
  ],
  [
    'an object that is both: the async side is read',
    () => ({
      [Symbol.asyncIterator]: async function* () {
        yield* ITEMS
      },
      [Symbol.iterator]: () => {
        throw new Error('the sync side')
      },
    }),
  ],
  ['a Readable', () => Readable.from(ITEMS)],
  [
    'a Readable of another stream',
    () => {
      const through = new PassThrough({ objectMode: true })
      void pipeline(Readable.from(ITEMS), through)
      return through as AsyncIterable<number>
    },
  ],
  ['a web stream', () => ReadableStream.from(ITEMS)],
  [
    'a web stream that is fed from outside',
    () =>
      new ReadableStream<number>({
        start: (controller) => {
          for (const x of ITEMS) controller.enqueue(x)
          controller.close()
        },
      }),
  ],
  [
    'a web stream without an iterator, as in older browsers',
    () => {
      const stream = ReadableStream.from(ITEMS)
      return { getReader: () => stream.getReader() } as unknown as Source<number>
    },
  ],
]

function bareIterator(): Iterator<number> {
  let n = 0
  return { next: () => (n < ITEMS.length ? { done: false, value: n++ } : { done: true, value: undefined }) }
}

describe('clause 26: sources', () => {
  for (const { title, doubled, measured, sized, acted } of MAKES) {
    for (const [what, make] of SOURCES) {
      it(`${what} works as a source (${title})`, async () => {
        expect(sorted(await collect(doubled(make())))).toEqual(DOUBLED)
      })
    }

    it(`a Map gives its entries, an event emitter its arguments, a readline interface its lines (${title})`, async () => {
      const map = new Map([
        ['a', 1],
        ['b', 2],
      ])
      expect(await collect(measured(map))).toEqual([2, 2])

      const emitter = new EventEmitter()
      const controller = new AbortController()
      const events = measured(on(emitter, 'data', { signal: controller.signal }))
      const first = events.next()
      emitter.emit('data', 1, 2, 3)
      expect(await first).toEqual({ done: false, value: 3 })
      await events.return()
      expect(emitter.listenerCount('data')).toBe(0)

      const path = fileURLToPath(import.meta.url)
      const text = readFileSync(path, 'utf8')
      const lengths = text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => line.length)
      expect(sorted(await collect(measured(createInterface(createReadStream(path)))))).toEqual(sorted(lengths))
      expect(sorted(await collect(measured(lines(path))))).toEqual(sorted(lengths))
    })

    it(`the byte chunks of a file arrive whole (${title})`, async () => {
      const path = fileURLToPath(import.meta.url)
      const sizes = await collect(sized(createReadStream(path, { highWaterMark: 1_000 })))
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(readFileSync(path).byteLength)
    })

    it(`an early end destroys a Readable, and cancels and unlocks a web stream (${title})`, async () => {
      const test = row()
      const readable = Readable.from(
        (function* () {
          for (let n = 0; ; n++) yield item(test, n)
        })(),
      )
      for await (const x of acted(readable)) {
        expect(typeof x).toBe('number')
        break
      }
      expect(readable.destroyed).toBe(true)

      const reasons: unknown[] = []
      let n = 0
      const web = new ReadableStream<string>({
        pull: (controller) => {
          controller.enqueue(item(test, n++))
        },
        cancel: (reason) => {
          reasons.push(reason)
        },
      })
      for await (const x of acted(web)) {
        expect(typeof x).toBe('number')
        break
      }
      expect(reasons).toHaveLength(1)
      expect(web.locked).toBe(false)
    })

    it(`a web stream that has been read to its end is unlocked (${title})`, async () => {
      const web = ReadableStream.from(ITEMS)
      await collect(doubled(web))
      expect(web.locked).toBe(false)
    })
  }

  it('the abort of a pipeline ends a stream that waits for its task', async () => {
    const test = row()
    const controller = new AbortController()
    // Settles even if the stream does not, so that a failure is reported at once.
    const release = setTimeout(() => raise(test + GATE), 5_000)
    const running = pipeline(
      Readable.from([item(test, 0, 'hold')]),
      pool.imap(act),
      (source: AsyncIterable<number>) => collect(source),
      { signal: controller.signal },
    )
    const failure = rejection(running)
    await reaches(test + STARTED, 1)
    controller.abort()
    expect(await failure).toMatchObject({ name: 'AbortError' })
    expect(count(test + GATE)).toBe(0)
    clearTimeout(release)
    raise(test + GATE)
  })

  it('a task may open streams, on this thread and on threads', async () => {
    await using own = new Pool({ workers: 1 })
    const module = new URL('../fixtures/contract-b-nested.js', import.meta.url)
    const sums = await collect(own.imap<number, Promise<number>>({ module, export: 'sumOfDoubles' }, [1, 2, 3]))
    expect(sums).toEqual([2, 6, 12])
  })
})
