/** A shared number: its types, their ranges, and errors. Sending it: `shared/shared.test.ts`. */
import { inspect } from 'node:util'
import { imap, Pool } from 'millrace'
import { SharedArray, Value, type NumberType } from 'millrace/multiprocessing'
import { addMany } from '../../fixtures/values.js'

const integers: [name: NumberType, codes: NumberType[], min: number | bigint, max: number | bigint][] = [
  ['int8', ['b'], -128, 127],
  ['uint8', ['B'], 0, 255],
  ['int16', ['h'], -32_768, 32_767],
  ['uint16', ['H'], 0, 65_535],
  ['int32', ['i'], -2_147_483_648, 2_147_483_647],
  ['uint32', ['I'], 0, 4_294_967_295],
  ['int64', ['q', 'l'], -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
  ['uint64', ['Q', 'L'], 0n, 18_446_744_073_709_551_615n],
]

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
const make = Value as new (...args: unknown[]) => Value<'int32'>
type Any = Omit<Value<'int32'>, 'value'> & { value: unknown }

describe('a Value of integers', () => {
  it.each(integers)('of type %s has other names, and holds what that type holds', (name, codes, min, max) => {
    for (const type of [name, ...codes]) {
      const value = new make(type) as Any
      expect([value.type, value.value]).toEqual([name, typeof min === 'bigint' ? 0n : 0])
      for (const good of [min, max]) {
        value.value = good
        expect(value.value).toBe(good)
        expect(new make(type, good).value).toBe(good)
      }
    }
  })

  it.each(integers)(
    'of type %s refuses what does not fit, with the range, and keeps what it was',
    (name, _, min, max) => {
      const one = typeof min === 'bigint' ? 1n : 1
      const value = new make(name, one) as Any
      const tooSmall = typeof min === 'bigint' ? min - 1n : min - 1
      const tooLarge = typeof max === 'bigint' ? max + 1n : max + 1
      for (const bad of [tooSmall, tooLarge, ...(typeof min === 'bigint' ? [] : [1.5, NaN, Infinity])]) {
        const { name: error, code, message } = thrown(() => (value.value = bad))
        expect([error, code]).toEqual(['RangeError', 'ERR_INVALID_VALUE'])
        expect(message).toContain(`from ${String(min)} to ${String(max)}: received ${inspect(bad)}`)
        expect(thrown(() => new make(name, bad)).message).toBe(message)
      }
      for (const bad of ['1', null, true, {}, typeof min === 'bigint' ? 1 : 1n]) {
        expect(thrown(() => (value.value = bad)).name).toBe('TypeError')
      }
      expect(value.value).toBe(one)
    },
  )
})

describe('a Value of floats', () => {
  it('of type float64 holds any number', () => {
    for (const type of ['float64', 'd'] as const) {
      const value = new Value(type)
      for (const number of [0.1, -0, NaN, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE]) {
        value.value = number
        expect(value.value).toBe(number)
      }
    }
  })

  it('of type float32 rounds, and refuses a number that would become infinite', () => {
    for (const type of ['float32', 'f'] as const) {
      const value = new Value(type, 0.1)
      expect(value.value).toBe(Math.fround(0.1))
      expect(thrown(() => (value.value = 1e39)).name).toBe('RangeError')
      value.value = Infinity
      expect(value.value).toBe(Infinity)
    }
  })

  it('refuses atomic operations', () => {
    const value = new make('d', 1)
    const calls = [
      () => value.atomicLoad(),
      () => value.atomicAdd(1),
      () => value.atomicStore(1),
      () => value.atomicCompareExchange(1, 2),
    ]
    for (const call of calls) {
      const { name, message } = thrown(call)
      expect([name, message]).toEqual([
        'TypeError',
        expect.stringContaining("integers: received one of type 'float64'"),
      ])
    }
    expect(value.value).toBe(1)
  })
})

describe('atomic operations of a Value', () => {
  it('give the number that was there before', () => {
    const value = new Value('int32', 12)
    expect(value.atomicAdd(3)).toBe(12)
    expect(value.atomicSub(5)).toBe(15)
    expect(value.atomicAnd(6)).toBe(10)
    expect(value.atomicOr(9)).toBe(2)
    expect(value.atomicXor(3)).toBe(11)
    expect(value.atomicStore(20)).toBe(8)
    expect(value.atomicExchange(30)).toBe(20)
    expect(value.atomicCompareExchange(29, 40)).toBe(30)
    expect(value.atomicLoad()).toBe(30)
    expect(value.atomicCompareExchange(30, 40)).toBe(30)
    expect(value.atomicLoad()).toBe(40)
  })

  it('take bigints of 64 bits', () => {
    const value = new Value('q', 2n ** 62n)
    expect(value.atomicAdd(1n)).toBe(2n ** 62n)
    expect(value.atomicCompareExchange(2n ** 62n + 1n, -1n)).toBe(2n ** 62n + 1n)
    expect(value.atomicLoad()).toBe(-1n)
  })

  it('wrap around', () => {
    const byte = new Value('B', 255)
    byte.atomicAdd(1)
    expect(byte.value).toBe(0)
    byte.atomicSub(1)
    expect(byte.value).toBe(255)
  })

  it('refuse an operand that does not fit', () => {
    const byte = new Value('B', 5)
    const calls = [() => byte.atomicAdd(256), () => byte.atomicAdd(-1), () => byte.atomicCompareExchange(5, 0.5)]
    for (const call of calls) expect(thrown(call).name).toBe('RangeError')
    expect(byte.value).toBe(5)
  })

  it('do not lose a change when threads work on one number at once', async () => {
    await using pool = new Pool({ workers: 4 })
    const value = new Value('uint32')
    const array = new SharedArray('int64', 3)
    const items = Array.from({ length: 8 }, () => ({ array, value, times: 20_000 }))
    for await (const _ of pool.imap(addMany, items, { chunksize: 1 }));
    expect([value.value, array.slice()]).toEqual([160_000, [0n, 160_000n, 0n]])
  })
})

describe('a Value', () => {
  it('refuses a type that there is not, and lists those that there are', () => {
    for (const type of ['int', 'c', 'u', '?', '', 'toString', 'Int32']) {
      const { name, code, message } = thrown(() => new make(type))
      expect([name, code]).toEqual(['RangeError', 'ERR_INVALID_VALUE'])
      expect(message).toContain(`received '${type}'`)
      for (const [known, codes] of integers) {
        for (const word of [known, ...codes, 'd', 'float64']) expect(message).toContain(`'${word}'`)
      }
    }
  })

  it('says what to write when the type is missing', () => {
    const cases: [unknown[], string][] = [
      [[0], "new Value('int32', 0)"],
      [[0.5], "new Value('float64', 0.5)"],
      [[5n], "new Value('int64', 5n)"],
    ]
    for (const [args, cure] of cases) {
      const { name, message } = thrown(() => new make(...args))
      expect([name, message]).toEqual(['TypeError', expect.stringContaining(`the type comes first, as in ${cure}`)])
    }
    for (const args of [[], [null], [{}]]) expect(thrown(() => new make(...args)).name).toBe('TypeError')
  })

  it('refuses a field that it has not', () => {
    const value = new Value('i') as unknown as { valeu: number }
    expect(thrown(() => (value.valeu = 1)).name).toBe('TypeError')
  })

  it('shows its type and its number', () => {
    expect(inspect(new Value('i', 5))).toBe("Value<'int32'>(5)")
    expect(inspect({ in: [new Value('q', -5n)] })).toBe("{ in: [ Value<'int64'>(-5n) ] }")
  })

  it('keeps 8 bytes apart from those of others', async () => {
    const values = [new Value('b', 1), new Value('d', 0.5), new Value('q', -1n)]
    values[0].value = 7
    expect(values.map(({ value }) => value)).toEqual([7, 0.5, -1n])
    const results: unknown[] = []
    for await (const each of imap(addMany, [{ array: new SharedArray('q', 2), value: new Value('I', 5), times: 1 }])) {
      results.push(each)
    }
    expect(results).toEqual([undefined])
  })
})
