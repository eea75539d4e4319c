/** `batch(n)`: items in arrays, under the contract of streams. */
import { batch, imap, lines, pipe, Pool } from 'millrace'
import { failsAtThrees } from '../fixtures/contract-a-errors.js'
import { same } from '../fixtures/contract-a-values.js'
import { turns } from '../support/gates.js'
import { ascending, asyncSource, drain, hanging, Probe, rejection } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'

const pool = new Pool({ workers: 2, name: 'batches' })
const done = { done: true, value: undefined }

watchRejections()
afterAll(() => pool.terminate())

function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

describe('batch(n)', () => {
  it('gives arrays of n, and a shorter last one, of any source', async () => {
    for (const count of [0, 1, 9, 10]) {
      const items = ascending(count)
      for (const size of [1, 3, 5, 100]) {
        const sources = [
          items,
          new Set(items),
          asyncSource(items, new Probe()),
          items.map((item) => Promise.resolve(item)),
          pool.imap(same, items, { chunksize: 4 }),
          imap((x: number) => x, items, { workers: 0 }).drop(0),
          pipe(items, batch(2), (source) => pool.flatMap(same as never, source as never)),
        ]
        for (const source of sources) expect(await drain(batch(size, source as number[]))).toEqual(batches(items, size))
        const texts = items.map(String)
        const read = lines([Buffer.from(texts.map((text) => `${text}\n`).join(''))])
        expect(await pipe(read, batch(size)).toArray()).toEqual(batches(texts, size))
      }
    }
  })

  it('is lazy: it only reads the items of the next array', async () => {
    const probe = new Probe()
    const stream = batch(3, asyncSource(ascending(9), probe))
    await turns()
    expect(probe.opened).toBe(0)
    expect(await stream.next()).toEqual({ done: false, value: [0, 1, 2] })
    await turns()
    expect(probe).toMatchObject({ reads: 3, overlapped: false })
    expect(await Promise.all([stream.next(), stream.next(), stream.next()])).toEqual([
      { done: false, value: [3, 4, 5] },
      { done: false, value: [6, 7, 8] },
      done,
    ])
    expect(probe).toMatchObject({ calls: 10, overlapped: false, readAfterEnd: false, returns: 0 })
    expect(() => stream[Symbol.asyncIterator]()).toThrow(/read once/)
  })

  it('closes its source on break, by return() and when take() has enough', async () => {
    for (const on of [
      (s: AsyncIterable<number>) => s,
      (s: AsyncIterable<number>) => pool.imap(same, s, { window: 4 }),
    ]) {
      const probe = new Probe()
      const source = (): AsyncIterable<number> => on(asyncSource(ascending(99), probe)) as AsyncIterable<number>
      for await (const _ of batch(2, source())) break
      expect(probe.returns).toBe(1)
      expect(await batch(2, source()).take(2).toArray()).toEqual([
        [0, 1],
        [2, 3],
      ])
      expect(probe.returns).toBe(2)
    }
    const generator = (function* () {
      yield 1
    })()
    await batch(2, generator).return()
    expect(generator.next()).toEqual(done)
  })

  it('return() settles a next() that waits, and so does the signal of a pipeline', async () => {
    const stuck = (): AsyncIterable<number> => hanging('an async iterable', [1], new Probe()) as AsyncIterable<number>
    const left = batch(1, stuck())
    expect(await left.next()).toEqual({ done: false, value: [1] })
    const reads = [left.next(), left.next()]
    await turns()
    await left.return()
    expect(await Promise.all(reads)).toEqual([done, done])
    const controller = new AbortController()
    const aborted = batch(1)(stuck(), { signal: controller.signal })
    await aborted.next()
    const read = rejection(aborted.next())
    await turns()
    controller.abort('enough')
    expect(await read).toBe('enough')
    expect(await aborted.next()).toEqual(done)
    expect(await rejection(batch(1)([1], { signal: controller.signal }).next())).toBe('enough')
  })

  it('gives the items before an error, then the error', async () => {
    const broken = new RangeError('broken')
    const sources: readonly [source: () => Iterable<unknown> | AsyncIterable<unknown>, error: unknown][] = [
      [
        function* () {
          yield* [0, 1, 2]
          throw broken
        },
        broken,
      ],
      [() => [0, 1, 2, Promise.reject(broken), 4], broken],
      [() => pool.imap(failsAtThrees, ascending(9)), expect.any(Error)],
      [() => imap(failsAtThrees, ascending(9), { workers: 0 }).take(8), expect.any(Error)],
    ]
    for (const [source, error] of sources) {
      const stream = batch(2, source())
      const reads = []
      for (let i = 0; i < 2; i++) reads.push((await stream.next()).value?.length)
      expect(reads).toEqual([2, 1])
      expect(await rejection(stream.next())).toEqual(error)
      expect(await stream.next()).toEqual(done)
    }
  })

  it('refuses a size that is none, and a source that is none, at the call', () => {
    for (const size of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => batch(size)).toThrow(RangeError)
      expect(() => batch(size)).toThrow(
        'Cannot give items in batches as their number must be an integer of at least 1: received',
      )
    }
    expect(() => batch([1, 2] as never, 2 as never)).toThrow(TypeError)
    for (const source of [5, undefined, Promise.resolve([])]) {
      expect(() => batch(2, source as never)).toThrow('Cannot give items in batches as its source must be')
      expect(() => batch(2)(source as never)).toThrow('Cannot give items in batches as its source must be')
    }
  })
})
