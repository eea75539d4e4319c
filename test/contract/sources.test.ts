/** Clause 14 of the contract, and sources that end early or give wrong answers. */
import { Readable } from 'node:stream'
import { imap, imapUnordered, lines, Pool } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { passes } from '../fixtures/contract-a-errors.js'
import { Gates, turns } from '../support/gates.js'
import { watchRejections } from '../support/rejections.js'
import { ascending, drain, inEveryWay, inTime, Probe, rejection, sorted, ways } from '../support/matrix.js'

const pool = new Pool({ workers: 2, name: 'sources' })
const all = ways(pool)
const done = { done: true, value: undefined }
const broke = Object.assign(new Error('the source broke'), { code: 'E_SOURCE' })

watchRejections()

afterAll(async () => {
  await pool.terminate()
})

/** The four ways on workers and on this thread, for sources that do not depend on chunks. */
const verbs = {
  'imap() on a pool': pool.imap,
  'imapUnordered() on a pool': pool.imapUnordered,
  'imap() on this thread': (task: typeof passes, source: Iterable<unknown>) => imap(task, source, { workers: 0 }),
  'imapUnordered() on this thread': (task: typeof passes, source: Iterable<unknown>) =>
    imapUnordered(task, source, { workers: 0 }),
}

/** The first items of a list, then an error. */
function* breaking<T>(items: readonly T[]): Generator<T, void, void> {
  yield* items
  throw broke
}

describe('an error of the source (clause 14)', () => {
  for (const count of [0, 1, 13]) {
    inEveryWay(`is thrown as it is, after the results of all ${count} items before it`, all, async (way) => {
      const gates = new Gates(count)
      for (let i = 0; i < count; i++) gates.turns(i, (i * 5) % 4)
      const probe = new Probe()
      const results: unknown[] = []
      const stream = way.run(way.source(breaking(gates.items), probe), { window: 10 })
      const error = await rejection(
        (async () => {
          for await (const result of stream) results.push(result)
        })(),
      )
      expect(error).toBe(broke)
      const indexes = gates.indexes(results)
      expect(way.ordered ? indexes : sorted(indexes)).toEqual(ascending(count))
      expect(await stream.next()).toEqual(done)
      expect(probe).toMatchObject({ returns: 0, readAfterEnd: false })
    })
  }

  inEveryWay('waits for items that are still running', all, async (way) => {
    const gates = new Gates(10)
    gates.hold(...ascending(10))
    const stream = way.run(way.source(breaking(gates.items)), { window: 20 })
    const answers = Array.from({ length: 11 }, () => stream.next())
    let settled = 0
    for (const answer of answers) {
      answer.then(
        () => settled++,
        () => settled++,
      )
    }
    await gates.entered(0)
    await turns(20)
    expect(settled).toBe(0)
    gates.releaseAll()
    const results = await Promise.all(answers.slice(0, 10))
    expect(sorted(gates.indexes(results.map(({ value }) => value)))).toEqual(ascending(10))
    expect(await rejection(answers[10] as Promise<unknown>)).toBe(broke)
  })

  inEveryWay("comes after the outcomes, too, with errors: 'settle' and 'skip'", all, async (way) => {
    for (const errors of ['settle', 'skip'] as const) {
      const gates = new Gates(12)
      for (let i = 0; i < 12; i += 3) gates.fail(i)
      const probe = new Probe()
      const stream = way.run(way.source(breaking(gates.items)), { window: 12, errors })
      expect(await rejection(drain(stream, probe))).toBe(broke)
      expect(probe.delivered).toBe(errors === 'settle' ? 12 : 8)
      expect(stream.stats()).toMatchObject({ read: 12, failed: 4, skipped: errors === 'skip' ? 4 : 0 })
    }
  })

  inEveryWay("gives way to a task's error, which is thrown instead", all, async (way) => {
    const gates = new Gates(5)
    gates.fail(4)
    const stream = way.run(way.source(breaking(gates.items)), { window: 10 })
    expect(await rejection(drain(stream))).toMatchObject({ message: expect.stringMatching(/^slot /) as string })
    expect(await stream.next()).toEqual(done)
  })

  inEveryWay('may be anything at all', all, async (way) => {
    for (const thrown of [undefined, null, false, 0, '', 'text', { code: 1 }, Symbol('odd')]) {
      function* source() {
        yield 1
        throw thrown
      }
      // The bytes of lines() end the same way.
      const stream = way.run(way.source(source()), {}, passes)
      expect(Number((await stream.next()).value)).toBe(1)
      expect(await rejection(stream.next())).toBe(thrown)
      expect(await stream.next()).toEqual(done)
    }
  })

  for (const [name, verb] of Object.entries(verbs)) {
    it(`is thrown as it is when its iterator cannot be made: ${name}`, async () => {
      const fail = (): never => {
        throw broke
      }
      for (const source of [{ [Symbol.iterator]: fail }, { [Symbol.asyncIterator]: fail }]) {
        const stream = verb(passes, source as Iterable<unknown>)
        expect(await rejection(stream.next())).toBe(broke)
        expect(await stream.next()).toEqual(done)
      }
    })

    it(`is thrown as it is when its iterator throws, rejects or ends a Readable: ${name}`, async () => {
      const sources: Record<string, () => Iterable<unknown> | AsyncIterable<unknown>> = {
        'a generator': () => breaking([1, 2]),
        'an async generator': async function* () {
          yield 1
          yield 2
          await turns(1)
          throw broke
        },
        'an async iterator whose next() throws at once': () => iteratorOf([1, 2], fail, Symbol.asyncIterator),
        'an async iterator whose next() rejects': () => iteratorOf([1, 2], reject, Symbol.asyncIterator),
        'a result whose value throws': () =>
          iteratorOf(
            [1, 2],
            () =>
              Object.defineProperty({ done: false }, 'value', {
                get: () => {
                  throw broke
                },
              }) as IteratorResult<unknown>,
            Symbol.iterator,
          ),
        'a Readable': () =>
          Readable.from(
            (async function* () {
              yield* [1, 2]
              await turns(1)
              throw broke
            })(),
          ),
        'a ReadableStream': () => {
          let n = 0
          return new ReadableStream({
            pull(controller) {
              if (++n > 2) throw broke
              controller.enqueue(n)
            },
          })
        },
        'lines() of a broken stream': () => lines(breaking([Buffer.from('1\n2\n')])),
      }
      for (const [kind, source] of Object.entries(sources)) {
        const results: unknown[] = []
        const stream = verb(passes, source() as Iterable<unknown>)
        const error = await rejection(
          (async () => {
            for await (const result of stream) results.push(Number(result))
          })(),
        )
        expect({ kind, same: error === broke, error, results: results.sort() }).toEqual({
          kind,
          same: true,
          error: broke,
          results: [1, 2],
        })
        expect(await stream.next()).toEqual(done)
      }
    })

    it(`is a TypeError that shows a wrong answer of next(): ${name}`, async () => {
      for (const [garbage, shown] of [
        [undefined, 'undefined'],
        [null, 'null'],
        [42, '42'],
        ['text', "'text'"],
        [true, 'true'],
      ] as const) {
        for (const kind of [Symbol.iterator, Symbol.asyncIterator] as const) {
          const asynchronous = kind === Symbol.asyncIterator
          const give = asynchronous ? () => Promise.resolve(garbage) : () => garbage
          const results: unknown[] = []
          const stream = verb(passes, iteratorOf([1, 2], give as never, kind) as Iterable<unknown>)
          const error = await rejection(
            (async () => {
              for await (const result of stream) results.push(result)
            })(),
          )
          expect(error).toBeInstanceOf(TypeError)
          expect(error).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
          expect((error as Error).message).toContain(`received ${shown}`)
          expect(results.sort()).toEqual([1, 2])
          expect(await stream.next()).toEqual(done)
        }
      }
    })

    it(`is a TypeError when there is not an iterator to read: ${name}`, async () => {
      for (const garbage of [undefined, null, 5, {}, { next: 1 }]) {
        for (const kind of [Symbol.iterator, Symbol.asyncIterator]) {
          const stream = verb(passes, { [kind]: () => garbage } as unknown as Iterable<unknown>)
          const error = await rejection(stream.next())
          expect(error).toBeInstanceOf(TypeError)
          expect(error).toMatchObject({ code: 'ERR_INVALID_SOURCE' })
          expect(await stream.next()).toEqual(done)
        }
      }
    })

    it(`is not seen in results that are odd but legal: ${name}`, async () => {
      // The language only tests whether `done` is truthy. A missing `done` is false.
      for (const kind of [Symbol.iterator, Symbol.asyncIterator] as const) {
        for (const end of [1, 'yes', {}]) {
          const odd = iteratorOf([1, 2], () => ({ done: end, value: 3 }) as never, kind, 'missing')
          expect((await drain(limited(verb(passes, odd as Iterable<unknown>), 10))).sort()).toEqual([1, 2])
        }
      }
    })
  }

  it('of an iterable inside another stream is thrown by both, unwrapped', async () => {
    const gates = new Gates(9)
    const inner = pool.imapUnordered(gated, breaking(gates.items), { chunksize: 2 })
    const outer = pool.imap(passes, inner, { chunksize: 4 })
    const probe = new Probe()
    expect(await inTime(rejection(drain(outer, probe)))).toBe(broke)
    expect(probe.delivered).toBe(9)
  })
})

describe('a source that ends early (clause 14)', () => {
  inEveryWay('gives the results of what it gave', all, async (way) => {
    for (const count of [1, 6, 7, 8]) {
      const gates = new Gates(count)
      const stream = way.run(way.source(gates.items), { window: 1_000 })
      expect(sorted(gates.indexes(await drain(stream)))).toEqual(ascending(count))
      expect(stream.stats()).toMatchObject({ read: count, delivered: count })
    }
  })

  it('does not lose an item when a Readable is destroyed, and throws', async () => {
    for (const verb of [pool.imap, pool.imapUnordered]) {
      const readable = new Readable({ objectMode: true, read: () => undefined })
      for (const item of [1, 2, 3]) readable.push(item)
      const stream = verb(passes, readable)
      const results = [await stream.next(), await stream.next(), await stream.next()]
      expect(results.map(({ value }) => value).sort()).toEqual([1, 2, 3])
      const waiting = rejection(stream.next())
      readable.destroy()
      expect(await inTime(waiting)).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
      expect(await stream.next()).toEqual(done)
    }
  })

  it('closes no source that ended by itself', async () => {
    for (const [name, verb] of Object.entries(verbs)) {
      let returns = 0
      const source = {
        [Symbol.iterator]: () => ({
          ...iteratorOf([1], () => ({ done: true }) as never, Symbol.iterator)[Symbol.iterator](),
          return: () => {
            returns++
            return { done: true as const, value: undefined }
          },
        }),
      }
      const results = await drain(verb(passes, source))
      expect({ name, results, returns }).toEqual({ name, results: [1], returns: 0 })
    }
  })
})

function fail(): never {
  throw broke
}

function reject(): Promise<never> {
  return Promise.reject(broke)
}

interface Made {
  [Symbol.iterator](): { next(): IteratorResult<unknown> }
}

/** Gives the items, then the result of `after`. */
function iteratorOf(
  items: readonly unknown[],
  after: () => IteratorResult<unknown> | Promise<IteratorResult<unknown>>,
  kind: typeof Symbol.iterator | typeof Symbol.asyncIterator,
  doneField: 'false' | 'missing' = 'false',
): Made {
  const result = (value: unknown): unknown => (doneField === 'missing' ? { value } : { value, done: false })
  return {
    [kind]: () => {
      let i = 0
      return {
        next: () => {
          if (i === items.length) return after()
          const next = result(items[i++])
          return kind === Symbol.asyncIterator ? Promise.resolve(next) : next
        },
      }
    },
  } as unknown as Made
}

/** At most this many results, so that a stream that does not end fails instead of hanging. */
async function* limited<T>(stream: AsyncIterable<T>, most: number): AsyncGenerator<T, void, void> {
  let count = 0
  for await (const result of stream) {
    yield result
    if (++count === most) return
  }
}
