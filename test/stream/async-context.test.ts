/**
 * User code that a stream calls runs in the async context that started the stream. Other contexts are not kept alive.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { imap, Pool, reduce, type ReduceOptions, type Stream } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { add, same } from '../fixtures/contract-a-values.js'
import { collected } from '../support/collect.js'
import { Gates, turns } from '../support/gates.js'

const storage = new AsyncLocalStorage<string | object>()
const pool = new Pool({ workers: 2, name: 'contexts' })

afterEach(() => {
  Gates.openAll()
})
afterAll(async () => {
  // Otherwise promises of later test files show ids.
  storage.disable()
  await pool.terminate()
})

/** Notes the context of its call. */
class Notes {
  readonly #seen = new Map<string, Set<unknown>>()

  note(what: string): void {
    const seen = this.#seen.get(what) ?? new Set()
    this.#seen.set(what, seen.add(storage.getStore()))
  }

  get seen(): Record<string, unknown[]> {
    return Object.fromEntries([...this.#seen].map(([what, seen]) => [what, [...seen]]))
  }
}

function* syncSource(notes: Notes, count = Infinity): Generator<number, void> {
  try {
    for (let i = 0; i < count; i++) {
      notes.note('next')
      yield i
    }
  } finally {
    notes.note('finally')
  }
}

async function* asyncSource(notes: Notes, count = Infinity): AsyncGenerator<number, void> {
  try {
    for (let i = 0; i < count; i++) {
      notes.note('next')
      if (i % 5 === 0) await turns(1)
      notes.note('next')
      yield i
    }
  } finally {
    notes.note('finally')
  }
}

/** Reads a stream, or `count` of its results, in the context `name`. */
async function read(name: string, open: () => Stream<unknown>, count = Infinity): Promise<number> {
  return await storage.run(name, async () => {
    let seen = 0
    for await (const _ of open()) {
      expect(storage.getStore()).toBe(name)
      if (++seen === count) break
    }
    return seen
  })
}

const verbs = {
  'imap() on a pool': pool.imap,
  'imapUnordered() on a pool': pool.imapUnordered,
  'imap() on this thread': (_: unknown, source: AsyncIterable<number> | Iterable<number>, options: object = {}) =>
    imap((x: number) => x, source, { ...options, workers: 0 }),
}
const sources = { 'an iterable': syncSource, 'an async iterable': asyncSource }

describe('a source is read and closed in the context that started the stream', () => {
  for (const [verb, open] of Object.entries(verbs)) {
    for (const [kind, source] of Object.entries(sources)) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        const options = chunksize === 'auto' ? {} : { chunksize, window: 8 * chunksize }
        it(`${verb}, ${kind}, chunksize ${chunksize}: four streams at once, to the end or left`, async () => {
          const names = ['a', 'b', 'c', 'd']
          const all = names.map(() => new Notes())
          await Promise.all(
            names.map((name, i) => {
              const notes = all[i] ?? new Notes()
              return read(name, () => open(same, source(notes, i % 2 ? 100 : Infinity), options), i % 2 ? Infinity : 40)
            }),
          )
          expect(all.map(({ seen }) => seen)).toEqual(names.map((name) => ({ next: [name], finally: [name] })))
        })
      }
    }
  }

  it('in any context of its reads, its end and its abort', async () => {
    for (const open of Object.values(verbs)) {
      const notes = new Notes()
      const stream = open(same, syncSource(notes), { window: 4 }) as Stream<unknown>
      await storage.run('first', () => stream.next())
      for (let i = 0; i < 10; i++) await storage.run('other', () => stream.next())
      await storage.run('last', () => stream.return())
      const aborted = new Notes()
      const controller = new AbortController()
      const { signal } = controller
      const second = open(same, syncSource(aborted), { window: 4, signal }) as Stream<unknown>
      await storage.run('first', () => second.next())
      storage.run('aborter', () => {
        controller.abort()
      })
      const expected = { next: ['first'], finally: ['first'] }
      expect([notes.seen, aborted.seen]).toEqual([expected, expected])
    }
  })

  it('also when the stream is dropped', async () => {
    const notes = new Notes()
    async function use(): Promise<void> {
      await storage.run('dropper', () => pool.imap(same, syncSource(notes)).next())
    }
    await use()
    expect(await collected(() => 'finally' in notes.seen)).toBe(true)
    expect(notes.seen).toEqual({ next: ['dropper'], finally: ['dropper'] })
  })

  it('also when its pool is terminated', async () => {
    const own = new Pool({ workers: 1, name: 'terminated' })
    const notes = new Notes()
    const stream = own.imap(same, syncSource(notes))
    await storage.run('starter', () => stream.next())
    await storage.run('ender', () => own.terminate())
    expect(notes.seen).toEqual({ next: ['starter'], finally: ['starter'] })
  })

  it('through stages', async () => {
    const notes = new Notes()
    await read('a', () => pool.imap(same, syncSource(new Notes(), 5)))
    await read('b', () =>
      pool.imap(
        same,
        imap((x: unknown) => x, pool.imap(same, asyncSource(notes, 50)), { workers: 0 }),
      ),
    )
    expect(notes.seen).toEqual({ next: ['b'], finally: ['b'] })
  })
})

describe('other user code runs there, too', () => {
  beforeEach(() => read('the first user', () => pool.imap(same, [1, 2, 3])))

  for (const [name, start] of Object.entries({
    'imap() on a pool': (when: () => boolean) =>
      pool.imap(gated, gatedItems(), { retries: { attempts: 3, minDelay: 1, when } }),
    'imap() on this thread': (when: () => boolean) =>
      imap(() => Promise.reject(new Error('always')), [1], { workers: 0, retries: { attempts: 3, minDelay: 1, when } }),
  })) {
    it(`retries.when of ${name}`, async () => {
      const notes = new Notes()
      const when = (): boolean => {
        notes.note('when')
        return true
      }
      await expect(read('mine', () => start(when))).rejects.toThrow()
      expect(notes.seen).toEqual({ when: ['mine'] })
    })
  }

  function gatedItems(): number[] {
    const gates = new Gates(1)
    gates.fail(0)
    return gates.items
  }

  for (const [name, run] of Object.entries({ 'a pool': pool.reduce, 'this thread': onThisThread })) {
    it(`merge of reduce() on ${name}`, async () => {
      const notes = new Notes()
      const options = {
        initial: 0,
        chunksize: 3,
        window: 30,
        merge: async (into: number, partial: number) => {
          notes.note('merge')
          await turns(1)
          return into + partial
        },
      }
      const total = await storage.run('mine', () => run(add, syncSource(notes, 400), options))
      expect(total).toBe((399 * 400) / 2)
      expect(notes.seen).toEqual({ next: ['mine'], finally: ['mine'], merge: ['mine'] })
    })
  }

  function onThisThread(fold: typeof add, source: Iterable<number>, options: ReduceOptions<number>): Promise<number> {
    return reduce(fold, source, { ...options, workers: 0 })
  }

  it('functions that run on this thread', async () => {
    const notes = new Notes()
    const fn = async (x: number): Promise<number> => {
      notes.note('task')
      await turns(1)
      notes.note('task')
      return x
    }
    const stream = imap(fn, [1, 2, 3, 4, 5, 6], { workers: 0, concurrency: 2, window: 2 })
    await storage.run('mine', () => stream.next())
    await storage.run('other', async () => {
      for await (const _ of stream);
    })
    expect(notes.seen).toEqual({ task: ['mine'] })
  })

  it('getters of items, and who listens to failures', async () => {
    const notes = new Notes()
    const item = {
      get value() {
        notes.note('getter')
        return 1
      },
    }
    const onFailed = (): void => {
      notes.note('listener')
    }
    subscribe('millrace:task:failure', onFailed)
    try {
      await read('mine', () =>
        pool.imap(
          same,
          Array.from({ length: 50 }, () => item),
          { chunksize: 1 },
        ),
      )
      await read('mine', () => pool.imap(gated, gatedItems(), { errors: 'skip' }))
    } finally {
      unsubscribe('millrace:task:failure', onFailed)
    }
    expect(notes.seen).toEqual({ getter: ['mine'], listener: ['mine'] })
  })
})

describe('no context is kept alive', () => {
  /** Runs it in a new context. @returns A reference that shows whether that context is alive. */
  async function inContext(run: () => Promise<unknown>): Promise<WeakRef<object>> {
    const store = {}
    await storage.run(store, run)
    return new WeakRef(store)
  }

  it('by a pool, of its first user', async () => {
    const own = new Pool({ workers: 2, name: 'kept', maxTasksPerWorker: 50 })
    const ref = await inContext(async () => {
      await own.map(
        same,
        Array.from({ length: 200 }, (_, i) => i),
        { timeout: 10_000, retries: 1 },
      )
      for await (const _ of own.imapUnordered(same, [1, 2, 3])) break
      await own.apply(same, [1])
    })
    expect(await collected(() => ref.deref() === undefined)).toBe(true)
    await own.terminate()
  })

  it('by the default pool', async () => {
    const ref = await inContext(async () => {
      for await (const _ of imap(same, [1, 2, 3]));
    })
    expect(await collected(() => ref.deref() === undefined)).toBe(true)
  })

  it('by a stream that has ended and that somebody keeps', async () => {
    const kept: unknown[] = []
    const ref = await inContext(async () => {
      const stream = pool.imap(same, [1, 2, 3], { signal: new AbortController().signal })
      kept.push(stream)
      for await (const _ of stream);
    })
    expect(await collected(() => ref.deref() === undefined)).toBe(true)
    expect(kept).toHaveLength(1)
  })
})
