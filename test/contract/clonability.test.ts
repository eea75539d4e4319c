/** Clause 15 of the contract: items, results and errors that cannot be cloned. */
import { createServer } from 'node:net'
import { imap, imapUnordered, NotSerializableError, Pool, type Outcome } from 'millrace'
import { nests, passes, returnsUnclonable, throwsUnclonable, unclonableErrors } from '../fixtures/contract-a-errors.js'
import { ascending, drain, inTime, rejection, sorted } from '../support/matrix.js'

const pool = new Pool({ workers: 2, name: 'clones' })
const done = { done: true, value: undefined }

afterAll(() => pool.terminate())

const chunksizes = [1, 7, 'auto'] as const
const runs = [pool.imap, pool.imapUnordered, imap, imapUnordered].flatMap((verb) =>
  chunksizes.flatMap((chunksize) => [1, 3].map((concurrency) => ({ verb, chunksize, concurrency }))),
)

/** The outcomes in the order of the items. */
async function settle<T extends { index: number }>(stream: AsyncIterable<T>): Promise<T[]> {
  const outcomes = await inTime(drain(stream))
  expect(sorted(outcomes.map(({ index }) => index))).toEqual(ascending(outcomes.length))
  return outcomes.sort((a, b) => a.index - b.index)
}

function expectRefused(outcome: Outcome<unknown, unknown> | undefined, ...parts: readonly (string | RegExp)[]): void {
  expect(outcome?.status).toBe('rejected')
  if (outcome?.status !== 'rejected') return
  expect(outcome.reason).toBeInstanceOf(NotSerializableError)
  expect(outcome.reason).toMatchObject({ code: 'ERR_NOT_SERIALIZABLE', name: 'NotSerializableError' })
  const { message } = outcome.reason as Error
  expect(message).toMatch(new RegExp(`\\b${outcome.index}\\b`))
  for (const part of parts) expect(message).toMatch(part)
}

describe('an item that cannot be cloned (clause 15)', () => {
  const bad: readonly (readonly [make: () => unknown, ...parts: readonly (string | RegExp)[]])[] = [
    [() => () => 1, /item is a function/],
    [() => Symbol('sign'), /item is a symbol/],
    [() => ({ handlers: [1, { run: () => 1 }] }), /item\.handlers\[1\]\.run is a function/],
    [() => new Map([['key', { go: () => 1 }]]), /item\.get\("key"\)\.go is a function/],
    [() => ({ deep: { sign: Symbol('sign') } }), /item\.deep\.sign is a symbol/],
    [() => createServer(() => {}), /item is an instance of Server/],
    [() => ({ cache: new WeakMap() }), /item\.cache .*WeakMap/],
    [() => ({ later: Promise.resolve(1) }), /item\.later .*Promise/],
    [() => ({ wrapped: new Proxy({}, {}) }), /item\.wrapped is a Proxy/],
    [
      () => ({
        get bad(): never {
          throw new RangeError('in the getter')
        },
      }),
      /item\.bad has a getter that threw 'in the getter'/,
    ],
  ]

  it('is an error of that item alone, and names its index and the part; its chunk mates are unharmed', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      const items = bad.flatMap(([make], i) => [i, make(), { i }])
      const options = { chunksize, concurrency, errors: 'settle', window: 50 } as const
      const outcomes = await settle(verb(passes, items, options))
      expect(outcomes).toHaveLength(items.length)
      bad.forEach(([, ...parts], i) => {
        expect(outcomes[3 * i]).toEqual({ status: 'fulfilled', value: i, index: 3 * i })
        expectRefused(outcomes[3 * i + 1], ...parts)
        expect((outcomes[3 * i + 1] as { item?: unknown }).item).toBe(items[3 * i + 1])
        expect(outcomes[3 * i + 2]).toEqual({ status: 'fulfilled', value: { i }, index: 3 * i + 2 })
      })
    }
  })

  it('is one item of many, wherever it stands in its chunk', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      for (const at of [0, 3, 6, 7, 13]) {
        const items = ascending(14).map((i) => (i === at ? () => i : i))
        const options = { chunksize, concurrency, errors: 'skip', window: 28 } as const
        const results = await inTime(drain(verb(passes, items, options)))
        expect(sorted(results as number[])).toEqual(ascending(14).filter((i) => i !== at))
      }
    }
  })

  it("ends an ordered stream after the results before it, with errors: 'throw'", async () => {
    for (const chunksize of chunksizes) {
      const results: unknown[] = []
      const stream = pool.imap(passes, [0, 1, () => 2, 3], { chunksize, window: 20 })
      const error = await rejection(
        inTime(
          (async () => {
            for await (const result of stream) results.push(result)
          })(),
        ),
      )
      expect(error).toBeInstanceOf(NotSerializableError)
      expect((error as Error).message).toMatch(/item 2 .*item is a function/)
      expect(results).toEqual([0, 1])
      expect(await stream.next()).toEqual(done)
    }
  })

  it('may be every item', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      const items = ascending(20).map((i) => () => i)
      const options = { chunksize, concurrency, errors: 'settle', window: 28 } as const
      for (const outcome of await settle(verb(passes, items, options))) expectRefused(outcome, /item is a function/)
    }
  })

  it('may be refused once and cloned the next time: a getter that changes its mind', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      const items = ascending(10).map((i) => {
        let reads = 0
        return {
          get fickle() {
            if (reads++ === 0 && i === 5) throw new Error('not yet')
            return i
          },
        }
      })
      const options = { chunksize, concurrency, errors: 'settle', window: 28 } as const
      const outcomes = await settle(verb(passes, items, options))
      outcomes.forEach((outcome, i) => {
        if (outcome.status === 'fulfilled') expect(outcome.value).toEqual({ fickle: i })
        else expect(i).toBe(5)
      })
      expect(outcomes).toHaveLength(10)
    }
  })

  it('does not matter on this thread, because values are not cloned', async () => {
    const fn = (): number => 1
    expect(await drain(imap((item: unknown) => item, [fn], { workers: 0 }))).toEqual([fn])
  })
})

describe('a result that cannot be cloned (clause 15)', () => {
  const bad: Record<string, RegExp> = {
    'a function': /result is a function|item is a function|is a function/,
    'a symbol': /is a symbol/,
    'a nested function': /\.list\[1\]\.run is a function/,
    'a method in a map': /\.get\("run"\)\.go is a function/,
    'a socket': /is an instance of Server/,
    'a weak map': /\.cache .*WeakMap/,
    'a proxy': /\.wrapped is a Proxy/,
    'a getter that throws': /\.bad has a getter that threw 'in the getter'/,
    'a generator': /result is an instance of Generator.* give them one by one with flatMap\(\)$/,
    'an async generator': /result is an instance of AsyncGenerator.* flatMap\(\)$/,
    'an async generator within': /result\.found\[0\]\.get\("all"\) is an instance of AsyncGenerator.* flatMap\(\)$/,
    'a Node stream': /result is an instance of Readable.* flatMap\(\)$/,
    'a web stream': /result is an instance of ReadableStream.* flatMap\(\)$/,
    'a stream of this library': /result is an instance of Stream.* flatMap\(\)$/,
    'the lines of a file': /result is an instance of LineReader.* flatMap\(\)$/,
    'an iterator of an array': /result is an instance of Array Iterator.* flatMap\(\)$/,
    'an async function result': /\.fn is a function/,
  }

  it('is an error of that item alone, and names its index and the part; its chunk mates are unharmed', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      const names = Object.keys(bad)
      const items = names.flatMap((name, i) => [`before ${i}`, name, `after ${i}`])
      const options = { chunksize, concurrency, errors: 'settle', window: 60 } as const
      const outcomes = await settle(verb(returnsUnclonable, items, options))
      expect(outcomes).toHaveLength(items.length)
      names.forEach((name, i) => {
        const [before, at, after] = outcomes.slice(3 * i)
        expect(before).toEqual({ status: 'fulfilled', value: `before ${i}`, index: 3 * i })
        expectRefused(at, bad[name], /result/)
        expect((at as { item?: unknown }).item).toBe(name)
        expect(after).toEqual({ status: 'fulfilled', value: `after ${i}`, index: 3 * i + 2 })
      })
    }
  })

  it("ends an ordered stream after the results before it, with errors: 'throw'", async () => {
    for (const chunksize of chunksizes) {
      const results: unknown[] = []
      const stream = pool.imap(returnsUnclonable, ['a', 'b', 'a function', 'c'], { chunksize, window: 20 })
      const error = await rejection(
        inTime(
          (async () => {
            for await (const result of stream) results.push(result)
          })(),
        ),
      )
      expect(error).toBeInstanceOf(NotSerializableError)
      expect((error as Error).message).toMatch(/item 2\b/)
      expect(results).toEqual(['a', 'b'])
      expect(await stream.next()).toEqual(done)
    }
  })

  it('may stand among failing items, each with its own error', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      // Item and result fail in one chunk. Errors of the task differ from both.
      const items = ['a', 'a function', () => 1, 'a symbol itself', 'b', 'a nested function', 'c'] as string[]
      const options = { chunksize, concurrency, errors: 'settle', window: 28 } as const
      const outcomes = await settle(verb(returnsUnclonable, items, options))
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ])
      expectRefused(outcomes[1], /result of item 1/)
      expectRefused(outcomes[2], /item 2/, /item is a function/)
      expectRefused(outcomes[5], /result of item 5/)
      expect(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))).toEqual([
        'a',
        'a symbol itself',
        'b',
        'c',
      ])
    }
  })

  it('is an error of that item even when it is only too deep to be read back', async () => {
    for (const chunksize of [1, 7] as const) {
      const items = [1, 20_000, 2, 4_000, 3, 6_000, 4]
      const outcomes = await settle(pool.imap(nests, items, { chunksize, errors: 'settle', window: 20 }))
      for (const i of [0, 2, 4, 6]) expect(outcomes[i]).toMatchObject({ status: 'fulfilled', index: i })
      for (const i of [1, 3, 5]) {
        const outcome = outcomes[i]
        // The depth that a thread can read may vary. A value that it cannot read is an error of that item.
        if (outcome?.status === 'rejected') expectRefused(outcome)
      }
      expect(outcomes[1]?.status).toBe('rejected')
    }
    expect(pool.stats().crashes).toBe(0)
  })

  it('is an error of that item even when an item is too deep to be sent', async () => {
    const deep = (depth: number): unknown => {
      let value: unknown = depth
      for (let level = 0; level < depth; level++) value = [value]
      return value
    }
    for (const chunksize of [1, 7] as const) {
      const items = [1, deep(100_000), 2, deep(10), 3]
      const outcomes = await settle(pool.imap(passes, items, { chunksize, errors: 'settle', window: 20 }))
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
        'fulfilled',
      ])
      expectRefused(outcomes[1])
    }
  })
})

describe('an error that cannot be cloned (clause 15)', () => {
  it('arrives as the nearest plain error, and harms no other item', async () => {
    for (const { verb, chunksize, concurrency } of runs) {
      const names = [...Object.keys(unclonableErrors), 'a function itself', 'a symbol itself', 'a promise itself']
      const items = names.flatMap((name, i) => [name, `fine ${i}`])
      const options = { chunksize, concurrency, errors: 'settle', window: 50 } as const
      const outcomes = await settle(verb(throwsUnclonable, items, options))
      expect(outcomes).toHaveLength(items.length)
      names.forEach((name, i) => {
        expect(outcomes[2 * i + 1]).toEqual({ status: 'fulfilled', value: `fine ${i}`, index: 2 * i + 1 })
        const outcome = outcomes[2 * i]
        if (outcome?.status !== 'rejected') throw new Error(`${name} was no error`)
        expect(outcome.reason).toBeInstanceOf(Error)
        const reason = outcome.reason as Error & { code?: unknown; errors?: unknown[] }
        if (name.endsWith('itself')) {
          expect(Object.getPrototypeOf(reason)).toBe(Error.prototype)
          expect(reason.message).toMatch(/function|Symbol\(thrown\)|Promise/i)
          return
        }
        // The error says everything that is known.
        expect(reason.message).toBe('told')
        expect(reason).toBeInstanceOf(name.startsWith('errors') ? AggregateError : TypeError)
        if (name === 'a field that is a function') expect(reason.code).toBe('E_FIELD')
        if (name.startsWith('a cause')) expect(reason.cause).toBeInstanceOf(Error)
        if (name.startsWith('errors')) expect(reason.errors?.[0]).toMatchObject({ message: 'fine' })
        expect(reason.stack?.split('\n').at(-1)).toMatch(new RegExp(`throwsUnclonable.*\\b${2 * i}\\b.*worker \\d`))
      })
    }
  })

  it("is thrown by the stream, with errors: 'throw'", async () => {
    for (const verb of [pool.imap, pool.imapUnordered]) {
      for (const name of Object.keys(unclonableErrors)) {
        const stream = verb(throwsUnclonable, [name])
        expect(await inTime(rejection(stream.next()))).toMatchObject({ message: 'told' })
        expect(await stream.next()).toEqual(done)
      }
    }
  })
})
