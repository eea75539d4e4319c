/** Shared numbers by index: making, reading and writing them, and errors. */
import { inspect } from 'node:util'
import { SharedArray } from 'millrace/multiprocessing'

/** The error of a call: the parts that are documented. */
function thrown(call: () => unknown): { name: string; code: unknown; message: string } {
  try {
    call()
  } catch (error) {
    const { name, code, message } = error as Error & { code?: unknown }
    return { name, code, message }
  }
  throw new Error('nothing was thrown')
}

/** A call from JavaScript without types. */
const make = SharedArray as new (...args: unknown[]) => SharedArray<'int32'>
const set = (array: object, key: string | number, value: unknown): unknown =>
  ((array as Record<string, unknown>)[key] = value)

describe('a SharedArray is made', () => {
  it('of a size, with zeros', () => {
    expect(new SharedArray('i', 3).slice()).toEqual([0, 0, 0])
    expect(new SharedArray('q', 2).slice()).toEqual([0n, 0n])
    expect([...new SharedArray('d', 0)]).toEqual([])
  })

  const sources: [string, () => Iterable<number> | ArrayLike<number>][] = [
    ['an array', () => [1, 2, 3]],
    ['a typed array', () => new Uint8Array([1, 2, 3])],
    ['an array of another type', () => new SharedArray('d', [1, 2, 3])],
    ['a Set', () => new Set([1, 2, 3])],
    [
      'a generator',
      function* () {
        yield* [1, 2, 3]
      },
    ],
    ['something like an array', () => ({ length: 3, 0: 1, 1: 2, 2: 3 })],
  ]
  it.each(sources)('of %s', (_, source) => {
    for (const type of ['b', 'H', 'int32', 'float32', 'd'] as const) {
      expect(new SharedArray(type, source()).slice()).toEqual([1, 2, 3])
    }
    const array = new SharedArray('i', 5)
    array.set(source(), 1)
    expect(array.slice()).toEqual([0, 1, 2, 3, 0])
  })

  it('of values that are copied', () => {
    const values = new Int32Array(new SharedArrayBuffer(8))
    const array = new SharedArray('i', values)
    values[0] = 1
    expect(array[0]).toBe(0)
  })

  it('of nothing else: the error says what to write', () => {
    const cases: [unknown[], string, string][] = [
      [[[1, 2, 3]], 'TypeError', "the type comes first, as in new SharedArray('int32', [ 1, 2, 3 ])"],
      [[[1.5]], 'TypeError', "the type comes first, as in new SharedArray('float64', [ 1.5 ])"],
      [[5], 'TypeError', "the type comes first, as in new SharedArray('int32', 5)"],
      [[['a']], 'TypeError', "'int32' ('i')"],
      [['int', 5], 'RangeError', "'int32' ('i')"],
      [['i'], 'TypeError', 'a size, or the numbers in an array: received undefined'],
      [['i', '5'], 'TypeError', "a size, or the numbers in an array: received '5'"],
      [['i', {}], 'TypeError', 'a size, or the numbers in an array: received {}'],
      [['i', 5n], 'TypeError', 'a size, or the numbers in an array: received 5n'],
      [['i', new DataView(new ArrayBuffer(8))], 'TypeError', 'a size, or the numbers in an array'],
      [['i', -1], 'RangeError', 'an integer from 0 to 2147483647: received -1'],
      [['i', 1.5], 'RangeError', 'an integer from 0 to 2147483647: received 1.5'],
      [['i', 2 ** 31], 'RangeError', 'an integer from 0 to 2147483647'],
      [['i', [1, 2.5]], 'RangeError', 'takes an integer from -2147483648 to 2147483647: received 2.5'],
      [['i', ['1']], 'TypeError', "takes an integer from -2147483648 to 2147483647: received '1'"],
      [['i', [[1]]], 'TypeError', 'received [ 1 ]'],
      [['q', [1]], 'TypeError', 'takes a bigint (such as 5n)'],
    ]
    for (const [args, error, part] of cases) {
      expect(thrown(() => new make(...args))).toEqual({
        name: error,
        code: 'ERR_INVALID_VALUE',
        message: expect.stringContaining(part) as string,
      })
    }
  })
})

describe('the elements of a SharedArray', () => {
  it('are read and set by index', () => {
    const array = new SharedArray('h', [1, 2, 3])
    array[1] = -7
    array[2]++
    expect([array[0], array[1], array[2]]).toEqual([1, -7, 4])
    expect([array.at(0), array.at(-1), array.at(3), array.at(-4)]).toEqual([1, 4, undefined, undefined])
    expect([array.length, array.type]).toEqual([3, 'int16'])
  })

  it('are not there outside: reading gives undefined, setting throws', () => {
    const array = new make('i', 3)
    for (const index of [3, -1, 1.5, NaN, Infinity, 2 ** 32]) {
      expect(array[index]).toBeUndefined()
      expect(thrown(() => set(array, index, 1))).toMatchObject({
        name: 'RangeError',
        code: 'ERR_INVALID_VALUE',
        message: `Cannot use this index of a SharedArray as its indexes are integers from 0 to 2: received ${index}`,
      })
    }
    expect(thrown(() => set(new make('i', 0), 0, 1)).message).toContain('it is empty: received 0')
    expect(thrown(() => set(array, 'lenght', 1)).name).toBe('TypeError')
    expect(array.slice()).toEqual([0, 0, 0])
    expect(array).not.toHaveProperty('lenght')
  })

  it('refuse a number that does not fit their type, and do not change', () => {
    const array = new make('B', [1, 2])
    for (const value of [256, -1, 0.5]) expect(thrown(() => set(array, 0, value)).name).toBe('RangeError')
    for (const value of ['1', 1n, undefined]) expect(thrown(() => set(array, 0, value)).name).toBe('TypeError')
    expect(thrown(() => array.fill(256)).name).toBe('RangeError')
    expect(
      thrown(() => {
        array.set([3, 256])
      }).name,
    ).toBe('RangeError')
    expect(array.slice()).toEqual([1, 2])
  })

  it('are shared with the typed array, of its own class', () => {
    const array = new SharedArray('d', 2)
    const { typed } = array
    expect(typed).toBeInstanceOf(Float64Array)
    expect(array.typed).toBe(typed)
    typed[1] = 0.5
    expect(array[1]).toBe(0.5)
    array[0] = -0.5
    expect(typed[0]).toBe(-0.5)
  })

  it('are copied by slice(), from either end', () => {
    const array = new SharedArray('i', [1, 2, 3, 4])
    const part = array.slice(1, -1)
    array[1] = 9
    expect(part).toEqual([2, 3])
    expect(Array.isArray(part)).toBe(true)
    expect([array.slice(-2), array.slice(3, 1), array.slice(1)]).toEqual([[3, 4], [], [9, 3, 4]])
  })

  it('are set by set(), where they fit in', () => {
    const array = new SharedArray('i', 4)
    array.set([1, 2])
    array.set([3, 4], 2)
    array.set([], 4)
    expect(array.slice()).toEqual([1, 2, 3, 4])
    for (const offset of [3, 5, -1, 0.5, NaN]) {
      expect(
        thrown(() => {
          array.set([7, 8], offset)
        }),
      ).toMatchObject({ name: 'RangeError', code: 'ERR_INVALID_VALUE' })
    }
    expect(
      thrown(() => {
        array.set(5 as never)
      }).message,
    ).toContain('as it takes numbers in an array: received 5')
    expect(array.slice()).toEqual([1, 2, 3, 4])
  })

  it('are set to one number by fill()', () => {
    const array = new SharedArray('Q', 4).fill(5n)
    array.fill(1n, 1, -1)
    expect(array.slice()).toEqual([5n, 1n, 1n, 5n])
  })

  it('are iterated in turn, as they are by then', () => {
    const array = new SharedArray('i', [1, 2, 3])
    const seen = []
    for (const number of array) {
      if (seen.push(number) === 1) array[2] = 9
    }
    expect(seen).toEqual([1, 2, 9])
    expect(Math.max(...array)).toBe(9)
  })

  it('change atomically, and give the number that was there before', () => {
    const array = new SharedArray('I', [1, 12, 1])
    expect(array.atomicAdd(1, 3)).toBe(12)
    expect(array.atomicSub(1, 5)).toBe(15)
    expect(array.atomicAnd(1, 6)).toBe(10)
    expect(array.atomicOr(1, 9)).toBe(2)
    expect(array.atomicXor(1, 3)).toBe(11)
    expect(array.atomicStore(1, 20)).toBe(8)
    expect(array.atomicExchange(1, 30)).toBe(20)
    expect(array.atomicCompareExchange(1, 29, 40)).toBe(30)
    expect(array.atomicCompareExchange(1, 30, 40)).toBe(30)
    expect(array.atomicLoad(1)).toBe(40)
    expect(array.slice()).toEqual([1, 40, 1])
  })

  it('change atomically where there are any, and integers alone', () => {
    const array = new make('i', 2)
    for (const index of [2, -1, 0.5]) expect(thrown(() => array.atomicAdd(index, 1)).name).toBe('RangeError')
    expect(thrown(() => array.atomicLoad('0' as never)).name).toBe('TypeError')
    expect(thrown(() => new make('f', 2).atomicAdd(0, 1)).message).toContain("received one of type 'float32'")
    expect(array.slice()).toEqual([0, 0])
  })

  it('are shown as those of a typed array are', () => {
    expect(inspect(new SharedArray('i', [1, 2]))).toBe("SharedArray<'int32'>(2) [ 1, 2 ]")
    expect(inspect({ in: [new SharedArray('q', 2)] })).toBe("{ in: [ SharedArray<'int64'>(2) [ 0n, 0n ] ] }")
    expect(inspect(new SharedArray('b', 1000))).toMatch(/^SharedArray<'int8'>\(1000\) \[\n[^]*900 more items\n\]$/)
  })
})
