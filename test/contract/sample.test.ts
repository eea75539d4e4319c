/** `sample()`: some of the items of any source, under the contract of streams. */
import { csv, imap, lines, ndjson, pipe, Pool, sample, task, write } from 'millrace'
import { Choice } from '#dist/verbs/choice.js'
import { same } from '../fixtures/contract-a-values.js'
import { turns } from '../support/gates.js'
import { ascending, asyncSource, drain, hanging, Probe, rejection } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'

const pool = new Pool({ workers: 2, name: 'samples' })
const done = { done: true, value: undefined }

watchRejections()
afterAll(() => pool.terminate())

function chosen(count: number, share: number, seed = 0): number[] {
  const choice = new Choice(share, seed)
  return ascending(count).filter(() => choice.next())
}

const textOf = (count: number): string =>
  ascending(count)
    .map((n) => `${n}\n`)
    .join('')

describe('the choice', () => {
  it('has about the share that is asked for, for every seed', () => {
    const count = 20_000
    for (const share of [0.001, 0.01, 0.3, 0.5, 0.99]) {
      const deviation = Math.sqrt(count * share * (1 - share))
      const far = ascending(100).filter(
        (seed) => Math.abs(chosen(count, share, seed).length - count * share) > 3 * deviation,
      )
      // Of a normal distribution it is 0.3 of a hundred.
      expect(far.length).toBeLessThan(4)
    }
  })

  it('does not depend on the items before', () => {
    const all = chosen(100_000, 0.5)
    const isChosen = new Set(all)
    for (const distance of [1, 2, 3, 64, 1_024, 4_096]) {
      const both = all.filter((n) => isChosen.has(n + distance)).length
      expect(both / all.length).toBeGreaterThan(0.48)
      expect(both / all.length).toBeLessThan(0.52)
    }
  })

  it('is another one for another seed', () => {
    for (const [one, other] of [
      [0, 1],
      [1, 2],
      [7, 2 ** 32 + 7],
    ] as const) {
      const first = new Set(chosen(10_000, 0.5, one))
      const common = chosen(10_000, 0.5, other).filter((n) => first.has(n)).length
      expect(common).toBeGreaterThan(2_300)
      expect(common).toBeLessThan(2_700)
    }
  })

  it('has no items for 0, and all for 1', () => {
    expect(chosen(1_000, 0)).toEqual([])
    expect(chosen(1_000, 1)).toEqual(ascending(1_000))
  })

  it('gives runs of the same items', () => {
    for (const share of [0, 0.1, 0.7, 1]) {
      const choice = new Choice(share, 5)
      const found: number[] = []
      for (let first = 0; first < 1_000; first += 100)
        for (const [start, end] of choice.runs(100)) for (let at = start; at < end; at++) found.push(first + at)
      expect(found).toEqual(chosen(1_000, share, 5))
    }
  })
})

describe('sample()', () => {
  it('gives the same items of every kind of source, in order', async () => {
    const items = ascending(2_000)
    for (const share of [0, 0.02, 0.6, 1]) {
      const expected = chosen(2_000, share, 3)
      const sources = [
        items,
        new Set(items),
        asyncSource(items, new Probe()),
        items.map((item) => Promise.resolve(item)),
        pool.imap(same, items),
        imap((x: number) => x, items, { workers: 0 }).drop(0),
        ndjson<number>([Buffer.from(textOf(2_000))]),
      ]
      for (const source of sources) {
        expect(await drain(sample(share, source as number[], { seed: 3 }))).toEqual(expected)
      }
      const read = lines([Buffer.from(textOf(2_000))])
      expect(await pipe(read, sample(share, { seed: 3 }), pool.imap(same), sample(1)).toArray()).toEqual(
        expected.map(String),
      )
      expect(await pipe(items, sample(share, { seed: 3 }), pool.imap(same, { chunksize: 7 })).toArray()).toEqual(
        expected,
      )
    }
  })

  it('keeps the places of records, and does not decode those that are left out', async () => {
    const expected = chosen(500, 0.1)
    const isIn = new Set(expected)
    const text = ascending(500)
      .map((n) => (isIn.has(n) ? `${n},x\n` : 'bad\n'))
      .join('')
    const place = task(import.meta.url, 'place', ({ n }: { n: string }, { record, offset, index }) => [
      Number(n),
      Number(record) - 1,
      offset,
      index,
    ])
    const rows = csv<{ n: string }>([Buffer.from(`n,x\n${text}`)])
    const offsets = expected.map((n) => 4 + text.split('\n').slice(0, n).join('\n').length + (n === 0 ? 0 : 1))
    expect(await pipe(rows, sample(0.1), imap(place, { workers: 0 })).toArray()).toEqual(
      expected.map((n, at) => [n, n, offsets[at], at]),
    )
  })

  it('gives the error of a record that was chosen', async () => {
    const [first = 0] = chosen(100, 0.1)
    const reading = sample(0.1, ndjson([Buffer.from(`${'1\n'.repeat(first)}{\n1\n`)]))
    expect(await rejection(reading.next())).toMatchObject({ name: 'RecordError', code: 'ERR_JSON' })
    expect(await reading.next()).toEqual(done)
  })

  it('can be written, and its source is counted', async () => {
    const chunks: Uint8Array[] = []
    const target = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) })
    const result = await pipe(ndjson([Buffer.from(textOf(1_000))]), sample(0.05), write(target))
    const expected = chosen(1_000, 0.05)
    expect(Buffer.concat(chunks).toString()).toBe(expected.map((n) => `${n}\n`).join(''))
    expect(result).toMatchObject({ written: expected.length, bytesRead: textOf(1_000).length })
  })

  it('is lazy, and closes its source on break, by return() and when take() has enough', async () => {
    const probe = new Probe()
    const stream = sample(1, asyncSource(ascending(9), probe))
    await turns()
    expect(probe.opened).toBe(0)
    for await (const _ of stream) break
    expect(probe).toMatchObject({ calls: 1, returns: 1 })
    expect(
      await sample(1, asyncSource(ascending(9), probe))
        .take(2)
        .toArray(),
    ).toEqual([0, 1])
    expect(probe.returns).toBe(2)
    expect(() => stream[Symbol.asyncIterator]()).toThrow(/call sample\(\) again/)
    const read = lines([Buffer.from('a\nb\n')])
    for await (const _ of sample(1, read)) break
    expect(await read.next()).toEqual(done)
  })

  it('return() settles a next() that waits, and so does the signal of a pipeline', async () => {
    const stuck = (): AsyncIterable<number> => hanging('an async iterable', [1], new Probe()) as AsyncIterable<number>
    const left = sample(1, stuck())
    expect(await left.next()).toEqual({ done: false, value: 1 })
    const reads = [left.next(), left.next()]
    await turns()
    await left.return()
    expect(await Promise.all(reads)).toEqual([done, done])
    const controller = new AbortController()
    const aborted = sample(1)(stuck(), { signal: controller.signal })
    await aborted.next()
    const read = rejection(aborted.next())
    await turns()
    controller.abort('enough')
    expect(await read).toBe('enough')
    expect(await aborted.next()).toEqual(done)
  })

  it('gives the items before an error of the source, then the error', async () => {
    const broken = new RangeError('broken')
    const source = function* (): Generator<number> {
      yield* [0, 1]
      throw broken
    }
    const stream = sample(1, source())
    expect([await stream.next(), await stream.next()]).toEqual([
      { done: false, value: 0 },
      { done: false, value: 1 },
    ])
    expect(await rejection(stream.next())).toBe(broken)
    expect(await stream.next()).toEqual(done)
  })

  it('refuses a share, a seed and a source that are none, at the call', () => {
    for (const share of [-0.1, 1.1, NaN, Infinity]) expect(() => sample(share)).toThrow(RangeError)
    expect(() => sample(5)).toThrow(
      'Cannot sample items as their share must be a number from 0 to 1: received 5 (for 5 percent: 0.05)',
    )
    expect(() => sample('1%' as never)).toThrow(TypeError)
    expect(() => sample(0.1, { seed: -1 })).toThrow("'seed' must be an integer of at least 0: received -1")
    expect(() => sample(0.1, { sead: 1 } as never)).toThrow("no option 'sead'")
    expect(() => sample(0.1)(5 as never)).toThrow('Cannot sample items as its source must be')
    expect(() => sample(0.1, 5 as never, {})).toThrow('Cannot sample items as its source must be')
  })
})
