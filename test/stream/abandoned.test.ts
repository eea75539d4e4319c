/** A stream that cannot be read any more is collected. It gives back its place in the pool, and closes its source. */
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { imap, Pool } from 'millrace'
import { gated } from '../fixtures/contract-a-gated.js'
import { same } from '../fixtures/contract-a-values.js'
import { collected } from '../support/collect.js'
import { Gates } from '../support/gates.js'
import { times } from '../support/volume.js'

const pool = new Pool({ workers: 2, name: 'abandoned' })

afterEach(() => {
  Gates.openAll()
})
afterAll(() => pool.terminate())

/** Endless sources that count how many of them were closed. */
class Sources {
  closed = 0;

  *endless(): Generator<number, void> {
    try {
      for (let i = 0; ; i++) yield i
    } finally {
      this.closed++
    }
  }

  *upTo(count: number): Generator<number, void> {
    try {
      for (let i = 0; i < count; i++) yield i
    } finally {
      this.closed++
    }
  }
}

/** Garbage is collected before the first one of this many results. */
const PAUSE = times(100, 25)

/** Collects garbage a few times, so that everything that this can close is closed. */
async function collectAll(): Promise<void> {
  await collected(() => false, 5)
}

describe('a stream that is dropped', () => {
  it('gives its place in the pool back, closes its source and takes its listener from the signal', async () => {
    const own = new Pool({ workers: 2, name: 'dropped' })
    const sources = new Sources()
    const { signal } = new AbortController()
    async function use(): Promise<void> {
      await own.imap(same, sources.endless(), { signal }).next()
    }
    await Promise.all(Array.from({ length: 100 }, use))
    expect(await collected(() => own.stats().streams === 0 && sources.closed === 100)).toBe(true)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    await own.close()
  })

  it('lets its pool close', async () => {
    const own = new Pool({ workers: 1, name: 'closing' })
    const sources = new Sources()
    async function use(): Promise<void> {
      await own.imap(same, sources.endless()).next()
    }
    await use()
    let closed = false
    const closing = own.close().then(() => (closed = true))
    expect(await collected(() => closed)).toBe(true)
    await closing
  })

  it('closes its source on this thread, too', async () => {
    const sources = new Sources()
    async function use(): Promise<void> {
      await imap((x: number) => x, sources.endless(), { workers: 0 }).next()
    }
    await use()
    expect(await collected(() => sources.closed === 1)).toBe(true)
  })

  it('is closed with all stages before it', async () => {
    const sources = new Sources()
    async function use(): Promise<void> {
      const first = pool.imap(same, sources.endless())
      const second = imap((x: unknown) => x, first, { workers: 0 })
      await pool.imapUnordered(same, second).next()
    }
    await use()
    expect(await collected(() => sources.closed === 1 && pool.stats().streams === 0)).toBe(true)
  })

  it('costs nothing when it was never read', async () => {
    const sources = new Sources()
    const source = sources.endless()
    pool.imap(same, source)
    await collectAll()
    expect(sources.closed).toBe(0)
    expect(source.next()).toEqual({ value: 0, done: false })
  })

  it('is collected while a call waits for an item that never comes', async () => {
    const refs: WeakRef<object>[] = []
    function use(): void {
      const stream = imap(
        (x: number) => x,
        { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) },
        { workers: 0 },
      )
      refs.push(new WeakRef(stream))
      // Like the frame of a loop, the reaction refers to the stream.
      void stream.next().then(() => stream)
    }
    use()
    expect(await collected(() => refs[0]?.deref() === undefined)).toBe(true)
  })
})

describe('a stream that is in use is not collected', () => {
  it('while a call of next() waits; then it is', async () => {
    const sources = new Sources()
    const gates = new Gates(1)
    gates.hold(0)
    function* source(): Generator<number, void> {
      yield* gates.items
      yield* sources.endless()
    }
    function use(): Promise<IteratorResult<unknown>> {
      return pool.imap(gated, source(), { chunksize: 1, window: 1 }).next()
    }
    const pending = use()
    await gates.entered(0)
    await collectAll()
    gates.release(0)
    expect(await pending).toEqual({ value: gates.items[0], done: false })
    expect(await collected(() => pool.stats().streams === 0)).toBe(true)
  })

  it('while its chunks() are read', async () => {
    const sources = new Sources()
    const chunks = pool.imap(same, sources.upTo(500), { window: 4 }).chunks()
    let count = 0
    for await (const chunk of chunks) {
      if (count === 0) await collectAll()
      count += chunk.length
    }
    expect(count).toBe(500)
  })

  it('while a loop is in its body', async () => {
    const sources = new Sources()
    const seen: unknown[] = []
    for await (const x of pool.imap(same, sources.upTo(100), { window: 2 })) {
      if (seen.push(x) % PAUSE === 1) await collectAll()
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  const readers = {
    'a stage that takes batches': (stream: AsyncIterable<unknown>) => pool.imap(same, stream, { window: 2 }),
    'a stage that takes items': (stream: AsyncIterable<unknown>) =>
      imap((x: unknown) => x, stream, { workers: 0, window: 2 }),
    'Readable.from': (stream: AsyncIterable<unknown>) => Readable.from(stream),
    'a generator': async function* (stream: AsyncIterable<unknown>) {
      for await (const x of stream) yield x
    },
  }
  for (const [name, read] of Object.entries(readers)) {
    it(`while ${name} reads it`, async () => {
      const sources = new Sources()
      const reader = read(pool.imap(same, sources.upTo(100), { window: 2 }))
      const seen: unknown[] = []
      for await (const x of reader) {
        if (seen.push(x) % PAUSE === 1) await collectAll()
      }
      expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
    })
  }

  it('by map() and apply() whose promises are awaited', async () => {
    const gates = new Gates(2)
    gates.hold(0, 1)
    const mapped = pool.map(gated, gates.items.slice(0, 1))
    const applied = pool.apply(gated as never, [gates.items[1], { worker: 0 }] as never)
    await Promise.all([gates.entered(0), gates.entered(1)])
    await collectAll()
    gates.releaseAll()
    expect(await Promise.all([mapped, applied])).toEqual([[gates.items[0]], gates.items[1]])
  })
})
