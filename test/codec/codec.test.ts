import fc from 'fast-check'
import { MessageChannel } from 'node:worker_threads'
import { pack, cloneEach } from '#dist/codec/codec.js'
import { Shapes } from '#dist/codec/shapes.js'
import { runProgram } from '../support/programs.js'
import { chunks, deviation, rows, sent } from './arrivals.js'
import { LARGE, odd, record, unclonable } from './odd-values.js'
import { isFull, times } from '../support/volume.js'

const ways: [string, Shapes][] = [
  ['with generated code', new Shapes(0)],
  ['without generated code', new Shapes(Infinity)],
]

/** Posts a chunk, for the error if it cannot be cloned. */
function post(values: readonly unknown[], shapes?: Shapes): void {
  const { port1 } = new MessageChannel()
  try {
    const { data, transfer } = pack(values, shapes)
    port1.postMessage(data, transfer)
  } finally {
    port1.close()
  }
}

describe('pack() and unpack()', () => {
  it.each(ways)('let each value arrive as if it had been sent alone, %s', (_, shapes) => {
    const property = fc.property(chunks, (values) => {
      expect(deviation(values, shapes)).toBeUndefined()
    })
    fc.assert(property, { numRuns: times(50, 600) })
  })

  it('work where code must not be generated', async () => {
    const flag = '--disallow-code-generation-from-strings'
    const { code, stdout, stderr } = await runProgram('no-codegen.js', [], { execArgv: [flag] })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'records(numbers,text,records(text))\n', stderr: '' })
  })

  const mixes: [string, (make: () => unknown) => unknown[]][] = [
    ['the last of the items', (make) => [...rows(record), make()]],
    ['all items', (make) => rows(make)],
    ['every other item', (make) => rows((row) => (row % 2 === 0 ? record(row) : make()))],
    ['one in ten items', (make) => rows((row) => (row % 10 === 3 ? make() : row))],
    ['a field', (make) => rows((row) => ({ id: row, odd: row === 7 ? make() : null }))],
    ['a field of each', (make) => rows((row) => ({ id: row, odd: make() }))],
    ['a field of a field', (make) => rows((row) => ({ id: row, in: row % 3 === 0 ? undefined : { odd: make() } }))],
    ['an element of each tuple', (make) => rows((row) => ['a', row, make()])],
    ['two elements', (make) => rows(() => [make(), make()])],
    ['lists of numbers', (make) => rows((row) => (row === 40 ? [1, make()] : rows((n) => n, row % 5)))],
    ['lists', (make) => rows((row) => rows(make, row % 3))],
    ['lists of lists', (make) => rows((row) => ({ in: rows((n) => [n, make()], row % 3) }))],
    ['two fields', (make) => rows(() => ({ odd: make(), again: make() }))],
  ]
  /** `npm test` puts large values into three places only: they take long. */
  const large = mixes.filter(([where]) => /^(the last of the items|all items|a field)$/.test(where))

  it.each(odd)('let %s arrive, wherever it stands', (what, make) => {
    const some = !isFull && LARGE.includes(what) ? large : mixes
    for (const [, shapes] of ways) {
      for (const [where, mix] of some) {
        expect([where, deviation(mix(make), shapes)]).toEqual([where, undefined])
        // The same object everywhere.
        const value = make()
        expect([
          where,
          deviation(
            mix(() => value),
            shapes,
          ),
        ]).toEqual([where, undefined])
      }
    }
  })

  it.each(unclonable)('refuse %s, wherever it stands', (_, make) => {
    for (const [, shapes] of ways) {
      for (const [where, mix] of mixes) {
        let thrown: unknown
        try {
          post(mix(make), shapes)
        } catch (error) {
          thrown = error
        }
        expect([where, thrown]).toEqual([where, expect.anything()])
      }
    }
    const values = [...rows(record), make(), record(1)]
    const cloned = cloneEach('item', values, (position) => position)
    expect(cloned.refused.map(([position]) => position)).toEqual([64])
    expect(cloned.values).toEqual(values.map((value, at) => (at === 64 ? undefined : value)))
  })

  it('do not treat inherited properties of all objects as fields, and do not call their setters', () => {
    const set = (): never => {
      throw new Error('set')
    }
    const prototype = Object.prototype as Record<string, unknown>
    try {
      Object.defineProperty(prototype, 'name', { set, get: () => 'inherited', configurable: true })
      for (const [, shapes] of ways) expect(deviation(rows(record), shapes)).toBeUndefined()
      Object.defineProperty(prototype, 'more', { value: 1, enumerable: true, configurable: true })
      const mixed = rows((row) => (row % 2 === 0 ? { id: row } : { id: row, more: row }))
      for (const [, shapes] of ways) expect(deviation(mixed, shapes)).toBeUndefined()
    } finally {
      delete prototype.name
      delete prototype.more
    }
  })

  it('read each field of records once', () => {
    let reads = 0
    const values = rows((row) => ({
      id: row,
      get name() {
        return `read ${++reads}`
      },
    }))
    expect(sent(values, new Shapes(0))).toEqual(rows((row) => ({ id: row, name: `read ${row + 1}` })))
    expect(reads).toBe(values.length)
  })

  it('do not go through objects again and again that hold each other many times', () => {
    let tuple: unknown = [1, 'x']
    let list: unknown = [1, 'x']
    for (let level = 0; level < 8; level++) {
      tuple = rows(() => tuple, 16)
      list = rows(() => list, 17)
    }
    for (const [, shapes] of ways) {
      expect(
        deviation(
          rows(() => tuple),
          shapes,
        ),
      ).toBeUndefined()
      expect(
        deviation(
          rows(() => list),
          shapes,
        ),
      ).toBeUndefined()
    }
  })

  it.each([10_000, 10_001, 70_000])('let lists of %d elements arrive', (length) => {
    const lists = [rows((n) => n, length), rows((n) => n / 2, length), rows((n) => (n === 3 ? undefined : n), length)]
    for (const list of lists) {
      const values = rows((row) => (row === 20 ? list : [row]), 48)
      expect(deviation(values, new Shapes(0))).toBeUndefined()
      Reflect.deleteProperty(list, length - 1)
      expect(deviation(values, new Shapes(0))).toBeUndefined()
    }
  })

  it('let arrays arrive that a getter changes while they are read', () => {
    const changes: ((array: unknown[]) => unknown)[] = [
      (array) => (array.length = 2),
      (array) => array.push('more'),
      (array) => Object.assign(array, { more: 1 }),
      (array) => (array[1] = 'other'),
    ]
    for (const change of changes) {
      const make = (row: number): unknown[] => {
        const array = [row, row, row]
        const get = (): number => {
          change(array)
          return row
        }
        return Object.defineProperty(array, 0, { get, configurable: true, enumerable: true })
      }
      for (const [, shapes] of ways) {
        const arrived = sent(rows(make), shapes) as unknown[][]
        expect(arrived.map(([first]) => first)).toEqual(rows((row) => row))
      }
    }
  })

  it('do not look into named fields of arrays', () => {
    const bare: unknown = Object.create(null)
    const values = rows((row) => Object.assign([row], { bytes: Buffer.from('x'), bare }))
    const arrived = sent(values, new Shapes(0)) as typeof values
    for (const { bytes, bare } of arrived) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
      expect(Object.getPrototypeOf(bare)).toBe(Object.prototype)
    }
    expect(arrived[1]?.bare).toBe(arrived[0]?.bare)
  })

  it('keep every number, and take a getter for its value', () => {
    expect(
      sent(
        rows((row) => [row, 'a', -0, NaN]),
        new Shapes(0),
      ),
    ).toEqual(rows((row) => [row, 'a', -0, NaN]))
    const getters = rows((row) => Object.defineProperty([row, 'a'], 0, { get: () => row, enumerable: true }))
    expect(sent(getters, new Shapes(0))).toEqual(rows((row) => [row, 'a']))
  })

  it('take holes for undefined', () => {
    expect(sent([...rows(record), ...new Array<unknown>(50)])[70]).toBeUndefined()
    expect(sent(new Array(50))).toHaveLength(50)
  })

  it('let large slices of one block share it, however many there are', () => {
    const block = new Uint8Array(10_000)
    const slices = sent(rows((row) => block.subarray(row, row + 6_000))) as Uint8Array[]
    expect(new Set(slices.map(({ buffer }) => buffer)).size).toBe(1)
  })

  it('work for more shapes than are kept', () => {
    const shapes = new Shapes(0)
    for (let round = 0; round < 2; round++) {
      for (let shape = 0; shape < 300; shape++) {
        expect(
          deviation(
            rows((row) => ({ [`key${shape}`]: row, b: 1 }), 50),
            shapes,
          ),
        ).toBeUndefined()
      }
    }
  })
})
