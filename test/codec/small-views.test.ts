/** Small views of large buffers are sent with the bytes that they cover, not with their whole buffer. */
import { Pool } from 'millrace'
import { cloned, cloneEach, unpack, pack } from '#dist/codec/codec.js'
import { fromBytes, toBytes } from '#dist/multiprocessing/sync/item-bytes.js'
import { bufferSizes, kept, makeViews } from '../fixtures/views.js'
import { rows, sent } from './arrivals.js'

const BLOCK = 65_536

const block = new ArrayBuffer(BLOCK)
const bytes = Uint8Array.from({ length: BLOCK }, (_, at) => at % 251)
new Uint8Array(block).set(bytes)

function arrived(value: unknown): unknown {
  return sent([value])[0]
}

function sizeOf(view: unknown): number {
  return (view as Uint8Array).buffer.byteLength
}

describe('a small view', () => {
  it.each([
    ['Uint8Array', new Uint8Array(block, 3, 10)],
    ['Uint8ClampedArray', new Uint8ClampedArray(block, 5, 10)],
    ['Int16Array', new Int16Array(block, 6, 5)],
    ['Float32Array', new Float32Array(block, 4, 5)],
    ['BigInt64Array', new BigInt64Array(block, 16, 2)],
    ['Float64Array', new Float64Array(block, 8, 3)],
    ['DataView', new DataView(block, 7, 9)],
    ['Buffer', Buffer.from(block, 9, 11)],
  ])('is sent as what it covers: a %s', (_, view) => {
    const way = (value: unknown): void => {
      expect(value).toStrictEqual(view)
      expect(Object.getPrototypeOf(value)).toBe(Object.getPrototypeOf(view))
      expect(sizeOf(value)).toBe(view.byteLength)
    }
    way(arrived(view))
    way(
      (arrived({ in: [new Map([[1, new Set([view])]])] }) as { in: Map<number, Set<unknown>>[] }).in[0]
        .get(1)
        ?.values()
        .next().value,
    )
    for (const [at, row] of sent(rows((row) => ({ row, view }))).entries()) {
      expect(row).toStrictEqual({ row: at, view })
    }
    way(cloned(view))
    way(unpack(structuredClone(pack([{ view }]).data)).map((value) => (value as { view: unknown }).view)[0])
    way(cloneEach('item', [view], (at) => at).values[0])
    way(fromBytes(toBytes('test', view)))
  })

  it('is what it was on this side', () => {
    const view = new Uint8Array(block, 3, 10)
    const value = { view, list: [view] }
    arrived(value)
    expect([value.view, value.list[0], view.buffer, view.byteOffset]).toStrictEqual([view, view, block, 3])
    expect(value.list[0]).toBe(view)
  })

  it('of an empty range has an empty buffer', () => {
    expect(sizeOf(arrived(new Uint8Array(block, 100, 0)))).toBe(0)
  })

  it("of Node's pool does not bring other bytes of the pool", () => {
    const name = Buffer.from('a name')
    expect(sizeOf(name)).toBeGreaterThan(name.length)
    expect(sizeOf(arrived(name))).toBe(name.length)
  })

  it('stands in a copy that is as the clone would be', () => {
    class Point {
      x = 1
      readonly at = new Uint8Array(block, 1, 2)
    }
    const list: unknown[] = [new Uint8Array(block, 1, 2)]
    list[3] = new Date(5)
    const value: Record<string, unknown> = { list, point: new Point(), bare: Object.create(null) as object, re: /x/g }
    value.self = value
    Object.defineProperty(value, '__proto__', { value: { a: 1 }, enumerable: true })
    Object.defineProperty(value, 'got', { get: () => new Uint8Array(block, 4, 1), enumerable: true })
    const clone = arrived(value) as typeof value
    expect(Object.keys(clone)).toEqual(Object.keys(value))
    expect(clone.self).toBe(clone)
    expect(clone.list).toStrictEqual(list)
    expect(1 in (clone.list as unknown[])).toBe(false)
    expect(clone.point).toStrictEqual({ x: 1, at: new Uint8Array(block, 1, 2) })
    expect(Object.getPrototypeOf(clone.bare)).toBeNull()
    expect(Object.getOwnPropertyDescriptor(clone, '__proto__')?.value).toEqual({ a: 1 })
    expect(clone.got).toEqual(new Uint8Array([4]))
  })
})

describe('views of one buffer', () => {
  it('share one within a value, with what overlaps', () => {
    const far = new Float64Array(block, 8_000, 2)
    const [a, b, c, same] = arrived([
      new Uint8Array(block, 3, 10),
      new Uint8Array(block, 8, 10),
      far,
      far,
    ]) as Uint8Array[]
    expect(b.buffer).toBe(a.buffer)
    expect(c.buffer).toBe(a.buffer)
    expect(same).toBe(c)
    expect(sizeOf(a)).toBeLessThanOrEqual(15 + 16 + 2 * 8)
    expect(c).toStrictEqual(new Float64Array(block, 8_000, 2))
    a[5] = 99
    expect(b[0]).toBe(99)
  })

  it('keep it whole where they cover half of it, or where it stands in the value itself', () => {
    const [half, small] = arrived([new Uint8Array(block, 0, BLOCK / 2), new Uint8Array(block, 0, 2)]) as Uint8Array[]
    expect([sizeOf(half), small.buffer]).toEqual([BLOCK, half.buffer])
    const [whole, part] = arrived([block, new Uint8Array(block, 7, 2)]) as [ArrayBuffer, Uint8Array]
    expect(part.buffer).toBe(whole)
    expect(part.byteOffset).toBe(7)
  })

  it('bring one block with the needed bytes, for any number of values', () => {
    const slices = sent(rows((row) => new Uint8Array(block, 20 * row, 10), 1_000)) as Uint8Array[]
    expect(slices.map((slice) => [...slice])).toEqual(
      rows((row) => [...bytes.subarray(20 * row, 20 * row + 10)], 1_000),
    )
    expect(new Set(slices.map(({ buffer }) => buffer)).size).toBe(1)
    expect(sizeOf(slices[0])).toBe(10_000)
  })

  it('bring the block itself, where the values together need half of it', () => {
    const slices = sent(rows((row) => ({ at: new Uint8Array(block, 50 * row, 40) }), 1_000)) as { at: Uint8Array }[]
    expect(slices.map(({ at }) => [...at])).toEqual(rows((row) => [...bytes.subarray(50 * row, 50 * row + 40)], 1_000))
    expect(new Set(slices.map(({ at }) => at.buffer)).size).toBe(1)
    expect(sizeOf(slices[0].at)).toBe(BLOCK)
  })

  it('stay views of shared memory, at every size', () => {
    const shared = new SharedArrayBuffer(BLOCK)
    const views = sent([new Uint8Array(shared, 8, 1), { in: Buffer.from(shared, 8, 1) }]) as [
      Uint8Array,
      { in: Buffer },
    ]
    views[0][0] = 7
    expect([new Uint8Array(shared)[8], views[1].in[0]]).toEqual([7, 7])
    expect(sizeOf(views[0])).toBe(BLOCK)
  })
})

describe('between threads', () => {
  const pool = new Pool({ workers: 1, name: 'small views' })
  afterAll(() => pool.terminate())

  it('small views in items bring only the bytes that they cover', async () => {
    const items = [Buffer.from(block, 3, 10), { deep: [new DataView(block, 1, 4)] }, new Uint8Array(block, 0, 1)]
    expect(await pool.map(bufferSizes, items)).toEqual([[10], [4], [1]])
  })

  it('small views in results and filtered items bring only the bytes that they cover', async () => {
    const results = await pool.map(makeViews, [10, 20])
    expect(results.map(({ top, deep }) => [sizeOf(top), sizeOf(deep[0])])).toEqual([
      [30, 30],
      [60, 60],
    ])
    const item = (await pool.filter(kept, [Buffer.from(block, 3, 10)]).next()).value as Buffer
    expect([sizeOf(item), Buffer.isBuffer(item)]).toEqual([10, true])
  })
})
