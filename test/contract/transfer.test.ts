/** `transfer()`: buffers of results are moved to this thread. Everything else is the same as with copies. */
import { imap, NotSerializableError, Pool, reduce, transfer, type Outcome } from 'millrace'
import {
  bare,
  copied,
  folded,
  kept,
  LENGTH,
  lengths,
  mixed,
  moved,
  movedLater,
  nested,
  ofPool,
  pixelsOf,
  same,
  several,
  sharing,
  smallViews,
  unreachable,
  untouchable,
  whole,
  wrong,
  type Pixels,
} from '../fixtures/transfers.js'
import { ascending } from '../support/matrix.js'

/** One worker, so that a later task can look at its buffers. */
const pool = new Pool({ workers: 1, name: 'transfers' })
const two = new Pool({ workers: 2, name: 'transfers' })
afterAll(() => Promise.all([pool.terminate(), two.terminate()]))

function expectPixels(results: readonly Pixels[], numbers: readonly number[]): void {
  expect(results.map(({ n, pixels }) => [n, pixels.length, pixels[0], pixels.at(-1)])).toEqual(
    numbers.map((n) => [n, LENGTH, n, n]),
  )
}

/** Lengths of the buffers in the worker that its tasks have noted. */
async function left(): Promise<number[]> {
  return await pool.apply(lengths)
}

const sizes = [1, 7, 'auto'] as const
type Size = (typeof sizes)[number]

beforeEach(left)

describe('buffers of results are moved', () => {
  it.each(sizes)('and arrive with what was in them, chunksize %p', async (chunksize) => {
    for (const task of [moved, movedLater as unknown as typeof moved]) {
      expectPixels(await pool.map(task, ascending(20), { chunksize }), ascending(20))
      expect(await left()).toEqual(new Array(20).fill(0))
      expectPixels(await pool.map(task, ascending(20), { chunksize, concurrency: 5 }), ascending(20))
      expect(await left()).toEqual(new Array(20).fill(0))
    }
  })

  it('and not where a task does not say so', async () => {
    expectPixels(await pool.map(copied, [1, 2]), [1, 2])
    expect(await left()).toEqual([LENGTH, LENGTH])
  })

  it('of a single call', async () => {
    expectPixels([await pool.apply(moved, [3])], [3])
    expect(await left()).toEqual([0])
  })

  it('of a view that is the result itself', async () => {
    const [view] = await pool.map(bare, [9])
    expect(view).toBeInstanceOf(Uint8Array)
    expect([view?.length, view?.[5]]).toEqual([LENGTH, 9])
    expect(await left()).toEqual([0])
  })

  it('of elements of flatMap', async () => {
    const parts = await pool.flatMap(several, [3, 0, 2]).toArray()
    expectPixels(parts, [0, 1, 2, 0, 1])
    expect(await left()).toEqual([0, 0, 0, 0, 0])
  })

  it('of items that filter keeps', async () => {
    expectPixels(
      await pool
        .filter(
          kept,
          ascending(5).map((n) => pixelsOf(n)),
        )
        .toArray(),
      [0, 2, 4],
    )
    expect(await left()).toEqual([0, LENGTH, 0, LENGTH, 0])
  })

  it('of accumulators', async () => {
    const merge = (into: Pixels, { pixels }: Pixels): Pixels => {
      for (const [at, value] of pixels.entries()) into.pixels[at] = (into.pixels[at] ?? 0) + value
      return into
    }
    const sum = await two.reduce(folded, ascending(20), { initial: pixelsOf(0, 10), merge, chunksize: 3 })
    expect(sum).toEqual({ n: 0, pixels: new Uint8Array(10).fill(190) })
  })

  it('that go on to the next stage', async () => {
    const stream = two.imap(same, two.imap(moved, ascending(12)))
    expectPixels(await stream.toArray(), ascending(12))
    const encoded = two.imap(same, two.imap(moved, ascending(120), { chunksize: 60 }), { chunksize: 60 })
    expectPixels(await encoded.toArray(), ascending(120))
  })

  it('with all views of them, wherever these stand', async () => {
    const [value] = await pool.map(nested, [0])
    const { all, list, text, map } = value
    const [doubles, { view }] = list as [Float64Array, { view: DataView }]
    expect(text).toEqual(Buffer.from('hello'))
    expect(Buffer.isBuffer(text)).toBe(true)
    expect([doubles.byteOffset, view.byteOffset, text.byteOffset, map.get('ints')?.byteOffset]).toEqual([8, 24, 100, 2])
    expect(new Set([doubles.buffer, view.buffer, text.buffer, map.get('ints')?.buffer, all]).size).toBe(1)
    expect(all.byteLength).toBe(1_000)
  })

  it('whole, also where there are only small views of them', async () => {
    const [small, whole] = await pool.map(smallViews, [0, 1])
    expect(small?.first.buffer.byteLength).toBeLessThan(100)
    expect(whole?.first.buffer.byteLength).toBe(LENGTH)
    expect(whole?.second.buffer).toBe(whole?.first.buffer)
    expect([Buffer.isBuffer(whole?.first), whole?.second.byteOffset]).toEqual([true, 50])
  })

  it('that are not in the value, as structuredClone does', async () => {
    expect(await pool.map(unreachable, [0, 1])).toEqual([{ n: 0 }, { n: 1 }])
    expect(await left()).toEqual([0, 0])
  })
})

describe('a result whose buffers cannot be moved fails alone', () => {
  const numbers = [0, 1, 2]

  it.each([
    ['a view', /^Cannot move .*0 of the buffers .* must be an ArrayBuffer: received Uint8Array.*list its buffer/],
    ['a port', /^Cannot move .* must be an ArrayBuffer: received MessagePort.*open ports and streams inside the task$/],
    ['shared memory', /^Cannot move .* is a SharedArrayBuffer: leave it out/],
    ['no list', /^Cannot move .* must be an array: received ArrayBuffer.*as in \[pixels\.buffer\]/],
    ['a buffer listed twice', /^Cannot move .* number 1 of the buffers to move is listed twice/],
    ['detached', /^Cannot move .* number 0 of the buffers to move is detached: it was moved before/],
    ['a number', /^Cannot move .* its value must be an object that holds them: received 5$/],
    ['a promise', /^Cannot move .* its value is a promise: await it first$/],
    ['detached later', /^Cannot return the result of item 1 as number 0 .* is detached: it was moved before/],
  ])('for %s', async (how, message) => {
    for (const chunksize of sizes) {
      const items = numbers.map((n) => ({ n, how }))
      const outcomes = await pool.map(wrong, items, { errors: 'settle', chunksize })
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const { reason } = outcomes[1] as Outcome<unknown, unknown> & { readonly status: 'rejected' }
      expect((reason as Error).message).toMatch(message)
      const code = message.source.startsWith('^Cannot move') ? 'ERR_INVALID_ARGUMENTS' : 'ERR_NOT_SERIALIZABLE'
      expect((reason as { code?: unknown }).code).toBe(code)
      expect(reason).toBeInstanceOf(code === 'ERR_INVALID_ARGUMENTS' ? TypeError : NotSerializableError)
      if (code === 'ERR_INVALID_ARGUMENTS') expect((reason as Error).stack?.split('\n')[1]).toMatch(/transfers\.[jt]s/)
    }
  })

  it.each([
    ["Node's pool", (chunksize: Size) => pool.map(ofPool, numbers, { errors: 'settle', chunksize })],
    ['a marked buffer', (chunksize: Size) => pool.map(untouchable, numbers, { errors: 'settle', chunksize })],
    [
      'the memory of WebAssembly',
      (chunksize: Size) => {
        const items = numbers.map((n) => ({ n, how: 'memory of WebAssembly' }))
        return pool.map(wrong, items, { errors: 'settle', chunksize })
      },
    ],
  ])('for %s', async (_, run: (chunksize: Size) => Promise<readonly Outcome<unknown, unknown>[]>) => {
    for (const chunksize of sizes) {
      const settled = await run(chunksize)
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const { reason } = settled[1] as Outcome<unknown, unknown> & { readonly status: 'rejected' }
      expect(reason).toBeInstanceOf(NotSerializableError)
      expect((reason as Error).message).toMatch(
        /^Cannot return the result of item 1 as number 0 of the buffers to move cannot be moved: .*: copy the bytes/,
      )
    }
  })

  it.each(sizes)('where another part of it cannot be sent, chunksize %p', async (chunksize) => {
    const outcomes = await pool.map(mixed, ascending(12), { errors: 'settle', chunksize })
    expect(outcomes.map(({ status }) => status)).toEqual(
      ascending(12).map((n) => (n % 2 === 1 ? 'rejected' : 'fulfilled')),
    )
    expectPixels(
      outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
      [0, 2, 4, 6, 8, 10],
    )
    // A result that could not be sent was not moved.
    expect(await left()).toEqual(ascending(12).map((n) => (n % 2 === 1 || n % 3 === 0 ? LENGTH : 0)))
  })

  it.each(sizes)('where it shares a buffer with a result that was moved before, chunksize %p', async (chunksize) => {
    const own = new Pool({ workers: 1 })
    try {
      const outcomes = await own.map(sharing, [0, 1, 2], { errors: 'settle', chunksize })
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
      const { reason } = outcomes[2] as Outcome<unknown, unknown> & { readonly status: 'rejected' }
      expect((reason as Error).message).toMatch(/detached/)
    } finally {
      await own.terminate()
    }
  })

  it('where it was returned before', async () => {
    for (const chunksize of sizes) {
      const own = new Pool({ workers: 1 })
      try {
        const items = [0, 1, 2].map((n) => ({ n, how: 'returned before' }))
        const outcomes = await own.map(wrong, items, { errors: 'settle', chunksize })
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      } finally {
        await own.terminate()
      }
    }
  })

  it('where flatMap takes it apart', async () => {
    for (const workers of [0, 1]) {
      await expect(pool.flatMap(whole, [1], { workers }).toArray()).rejects.toMatchObject({
        code: 'ERR_INVALID_RESULT',
        message: expect.stringMatching(/mark the elements/) as unknown,
      })
    }
  })
})

describe('on this thread', () => {
  it('buffers are not moved, and not copied', async () => {
    const result = pixelsOf(4)
    const [same] = await imap(() => transfer(result, [result.pixels.buffer]), [0], { workers: 0 }).toArray()
    expect(same).toBe(result)
    expect(result.pixels.length).toBe(LENGTH)
    const fold = (sum: Pixels) => transfer(sum, [sum.pixels.buffer])
    const options = { initial: pixelsOf(0), merge: (into: Pixels) => into, workers: 0 } as const
    expect((await reduce(fold, [1, 2], options)).pixels.length).toBe(LENGTH)
  })

  it('a wrong call throws at the line of the call', () => {
    const wrong = (): unknown => transfer({}, [new Uint8Array(1) as never])
    expect(wrong).toThrow(TypeError)
    try {
      wrong()
    } catch (error) {
      expect((error as Error).stack?.split('\n')[1]).toMatch(/transfer\.test\.[jt]s/)
    }
  })
})
