/**
 * The model of `support/model.ts` finds faults. Each of these is planted next to a correct stream, and must be
 * reported.
 */
import { fileURLToPath } from 'node:url'
import { TaskTimeoutError, type Outcome } from 'millrace'
import { numbers } from '../fixtures/contract-b-ways.js'
import { deed, map } from '../fixtures/faults.js'
import { turns } from '../support/gates.js'
import { findFault, runCase, type Case, type Plant } from '../support/model.js'
import { runNode } from '../support/programs.js'

type Values = AsyncIterable<unknown>
type Items = AsyncIterable<string>

/** Faults happen here: a result behind an item that fails, and one that ends its worker. */
const PLACE = 14
const SETTLED: Case = {
  seed: 0,
  verb: 'imap',
  ordered: true,
  errors: 'settle',
  chunksize: 4,
  window: 8,
  concurrency: 1,
  timeout: undefined,
  workers: 2,
  maxTasksPerWorker: undefined,
  source: 'generator',
  throwsAt: undefined,
  deeds: numbers(30).map((n) => (n === 5 || n === PLACE ? 'throw' : n === 9 ? 'exit' : 'go')),
  consumer: 'drain',
  leavesAt: 1,
  neighbour: false,
}
const UNORDERED: Case = { ...SETTLED, ordered: false, errors: 'skip' }
const THROWN: Case = { ...SETTLED, errors: 'throw' }
const LEFT: Case = { ...SETTLED, consumer: 'break', leavesAt: 12 }

/** Changes one result. It gets each result with its place, and gives none, one or several. */
function each(change: (value: unknown, n: number) => unknown[]): Plant {
  return {
    stream: async function* (stream: Values) {
      let n = 0
      for await (const value of stream) yield* change(value, n++)
    },
  }
}

function outcome(change: (outcome: Outcome<string, unknown>, n: number) => object): Plant {
  return each((value, n) => [change(value as Outcome<string, unknown>, n)])
}

const drops = each((value, n) => (n === PLACE ? [] : [value]))
const doubles = each((value, n) => (n === PLACE ? [value, value] : [value]))
let kept: unknown
const swaps = each((value, n) => {
  if (n !== PLACE) return n === PLACE + 1 ? [value, kept] : [value]
  kept = value
  return []
})

/** A source whose `next` and `close` are replaced. */
function reading(read: (next: () => Promise<IteratorResult<string>>, close: () => Promise<void>) => object): Plant {
  return {
    source: (source: Items) => ({
      [Symbol.asyncIterator]: () => {
        const iterator = source[Symbol.asyncIterator]()
        const close = async (): Promise<void> => {
          await iterator.return?.()
        }
        return read(() => iterator.next(), close) as AsyncIterator<string>
      },
    }),
  }
}

const DONE = { done: true, value: undefined } as const

const PLANTS: readonly (readonly [title: string, it: Case, plant: Plant, report: RegExp])[] = [
  ['drops a result', SETTLED, drops, /^result 14 is .*"index":15.* instead of .*"index":14/],
  ['drops a result, unordered', UNORDERED, drops, /^\d+ is missing/],
  ['drops the last result', SETTLED, each((value, n) => (n === 29 ? [] : [value])), /^29 results instead of 30/],
  ['gives a result twice', SETTLED, doubles, /^result 15 is .*"index":14.* instead of .*"index":15/],
  ['gives a result twice, unordered', UNORDERED, doubles, /^\d+ is there once too often/],
  ['swaps two results', SETTLED, swaps, /^result 14 is .*"index":15.* instead of .*"index":14/],
  [
    'changes a result',
    SETTLED,
    outcome((given, n) => (n === 7 ? { ...given, value: 8 } : given)),
    /^result 7 is .*"value":8.* instead of .*"value":7/,
  ],
  [
    'gives an item the wrong error',
    SETTLED,
    outcome((given, n) => (n === 9 ? { ...given, reason: new TaskTimeoutError('late') } : given)),
    /^result 9 is .*TaskTimeoutError.* instead of .*WorkerCrashError/,
  ],
  [
    'blames the wrong index',
    SETTLED,
    outcome((given, n) => (n === 9 ? { ...given, index: 8 } : given)),
    /^result 9 is .*"index":8.* instead of .*"index":9/,
  ],
  [
    'blames the wrong item',
    SETTLED,
    outcome((given, n) => (n === 9 ? { ...given, item: deed(8) } : given)),
    /^result 9 is .*"item":"8 go.* instead of .*"item":"9 exit/,
  ],
  [
    'fails an item that is good, beside one that ended its worker',
    SETTLED,
    outcome((given, n) => (n === 10 ? { status: 'rejected', index: n, item: deed(n), reason: new Error() } : given)),
    /^result 10 is .*"error":"Error".* instead of .*"value":10/,
  ],
  [
    'forgives an item that fails',
    SETTLED,
    outcome((given, n) => (n === 9 ? { status: 'fulfilled', index: n, value: n } : given)),
    /^result 9 is .*"value":9.* instead of .*WorkerCrashError/,
  ],
  [
    'ends without its error',
    THROWN,
    {
      stream: async function* (stream) {
        try {
          yield* stream
        } catch {
          // Lost.
        }
      },
    },
    /^it ended with none instead of RangeError/,
  ],
  [
    'ends with an error of its own',
    SETTLED,
    {
      stream: async function* (stream) {
        yield* stream
        throw new TypeError('no reason')
      },
    },
    /^it ended with TypeError instead of none: TypeError: no reason/,
  ],
  [
    'throws before the results that come first',
    THROWN,
    each((value, n) => {
      if (n === 3) throw new RangeError('too soon')
      return [value]
    }),
    /^3 results instead of 5/,
  ],
  [
    'goes on after an abort',
    { ...SETTLED, consumer: 'abort', leavesAt: 12 },
    {
      stream: async function* (stream) {
        const rest = stream[Symbol.asyncIterator]()
        for (let n = 0; n < 12; n++) yield (await rest.next()).value
        await rest.return?.()
        yield 'more'
      },
    },
    /^13 results after it left at 12/,
  ],
  [
    'hangs',
    SETTLED,
    {
      stream: async function* (stream) {
        let n = 0
        for await (const value of stream) {
          if (n++ === PLACE) await new Promise(() => {})
          yield value
        }
      },
    },
    /^it hangs: \{"starting"/,
  ],
  [
    'leaves a chunk at work',
    SETTLED,
    {
      stream: (stream, pool) => {
        void pool
          .imap(map, [deed(0, 'hang')])
          .next()
          .catch(() => undefined)
        return stream
      },
    },
    /^it leaves the pool at work: \{"starting"/,
  ],
  [
    'leaves a listener on the signal',
    SETTLED,
    {
      stream: (stream, _, signal) => {
        signal.addEventListener('abort', () => undefined)
        return stream
      },
    },
    /^it leaves a listener on the signal$/,
  ],
  ['does not close its source', LEFT, reading((next) => ({ next })), /^it does not close its source$/],
  [
    'closes its source twice',
    LEFT,
    reading((next, close) => ({
      next,
      return: () =>
        close()
          .then(close)
          .then(() => DONE),
    })),
    /^it closes its source twice$/,
  ],
  [
    'closes a source that has ended',
    SETTLED,
    reading((next, close) => ({
      next: async () => {
        const result = await next()
        if (result.done === true) await turns(2).then(close)
        return result
      },
    })),
    /^it closes a source that has ended$/,
  ],
  [
    'reads beyond its window',
    SETTLED,
    reading((next, close) => {
      const read: Promise<IteratorResult<string>>[] = []
      const readOn = async (): Promise<void> => {
        for (let n = 0; n < 10; n++) {
          read.push(next())
          await read.at(-1)
        }
      }
      let begun: Promise<void> | undefined
      return {
        next: async () => {
          await (begun ??= readOn())
          return await (read.shift() ?? next())
        },
        return: () => close().then(() => DONE),
      }
    }),
    /^it has read 9 items where it may read 8$/,
  ],
  [
    'reads twice at a time',
    { ...SETTLED, source: 'slow' },
    reading((next, close) => {
      let ahead: Promise<IteratorResult<string>> | undefined
      return {
        next: () => {
          const result = ahead ?? next()
          ahead = next()
          return result
        },
        return: () => close().then(() => DONE),
      }
    }),
    /^it reads its source twice at a time$/,
  ],
  [
    'reads on after the end',
    SETTLED,
    reading((next) => ({
      next: async () => {
        const result = await next()
        if (result.done === true) await turns(2).then(next)
        return result
      },
    })),
    /^it reads a source that has ended or is closed$/,
  ],
]

/** In milliseconds. A case that takes longer counts as a hang. */
const LIMIT = 5_000

describe('the model reports a stream that', () => {
  for (const [title, it_, plant, report] of PLANTS) {
    it(title, async () => {
      expect(await runCase(it_)).toBeUndefined()
      expect(await runCase(it_, { plant, limit: LIMIT })).toMatch(report)
    })
  }
})

describe('the seeds that the tests run report a stream that', () => {
  const GENERAL: Readonly<Record<string, Plant>> = {
    'drops a result': each((value, n) => (n === 3 ? [] : [value])),
    'gives a result twice': each((value, n) => (n === 3 ? [value, value] : [value])),
    'does not close its source': reading((next) => ({ next })),
    'loses the errors': {
      stream: async function* (stream) {
        try {
          yield* stream
        } catch {
          // Lost.
        }
      },
    },
  }
  for (const [title, plant] of Object.entries(GENERAL)) {
    it(title, async () => {
      const said: string[] = []
      const options = { plant, limit: LIMIT, milliseconds: 0 }
      for (let seed = 1; said.length === 0; seed++) {
        expect(seed).toBeLessThanOrEqual(40)
        await findFault(seed, (line) => said.push(line), options)
        if (said.length > 0) expect(said[0]).toMatch(new RegExp(`^seed ${seed}: `))
      }
    })
  }
})

/** Its case has a hundred items. */
const SEED = 5

describe('what is wrong is said with its seed and a smallest case', () => {
  it('that fails in the same way, and only has necessary parts', async () => {
    const said: string[] = []
    const options = { plant: each((value, n) => (n === 2 ? [] : [value])), limit: LIMIT }
    expect(await findFault(SEED, (line) => said.push(line), options)).toBe(true)
    expect(said).toHaveLength(4)
    const [first = '', whole = '', last = '', smallest = ''] = said
    expect(first).toMatch(new RegExp(`^seed ${SEED}: .`))
    const before = JSON.parse(whole) as Case
    const after = JSON.parse(smallest) as Case
    expect(before).toMatchObject({ seed: SEED, deeds: { length: 100 } })
    expect(after.deeds.length).toBeLessThanOrEqual(4)
    expect(new Set(after.deeds)).toEqual(new Set(['go']))
    expect(after).toMatchObject({ seed: SEED, source: 'array', concurrency: 1, neighbour: false })
    expect(last).toMatch(/^smallest: ./)
    expect(`smallest: ${await runCase(after, options)}`).toBe(last)
  })

  it('by npm run stress -- fuzz, which then ends with status 1', async () => {
    const [fuzz, planted] = ['../support/fuzz.js', '../fixtures/faults-planted.js'].map(
      (path) => new URL(path, import.meta.url),
    ) as [URL, URL]
    const args = ['--seconds', '60', '--seed', String(SEED)]
    const ending = await runNode(['--import', planted.href, fileURLToPath(fuzz), ...args], { limit: 50_000 })
    expect(ending).toMatchObject({ code: 1, signal: null, stdout: '' })
    const [first = '', , last = '', smallest = ''] = ending.stderr.split('\n')
    expect(first).toMatch(new RegExp(`^seed ${SEED}: .`))
    expect(last).toMatch(/^smallest: ./)
    expect((JSON.parse(smallest) as Case).deeds.length).toBeLessThanOrEqual(4)
  })

  it('or that nothing is, with status 0', async () => {
    const fuzz = fileURLToPath(new URL('../support/fuzz.js', import.meta.url))
    const ending = await runNode([fuzz, '--seconds', '0', '--seed', '3'])
    expect(ending).toMatchObject({ code: 0, stdout: '1 seeds from 3 on: nothing is wrong\n', stderr: '' })
  })
})
