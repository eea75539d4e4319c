import fc from 'fast-check'
import { runInNewContext } from 'node:vm'
import { ByteReader } from '#dist/wire/byte-reader.js'
import { ByteWriter } from '#dist/wire/byte-writer.js'
import { ValueReader } from '#dist/wire/value-reader.js'
import { ValueWriter } from '#dist/wire/value-writer.js'
import { Lock } from 'millrace/multiprocessing'
import { anything } from '../codec/arrivals.js'
import { difference } from '../codec/difference.js'
import { odd, unclonable } from '../codec/odd-values.js'
import { copyOf } from '../support/copy.js'
import { times } from '../support/volume.js'

/** The value as another machine gets it. */
function sent<T>(value: T): T {
  const out = new ByteWriter()
  new ValueWriter(out).write(value, 'value')
  const input = new ByteReader(out.written)
  const arrived = new ValueReader(input).read() as T
  input.assertEnd()
  return arrived
}

function refusal(value: unknown): string {
  try {
    sent(value)
  } catch (error) {
    expect(error).toMatchObject({ name: 'NotSerializableError', code: 'ERR_NOT_SERIALIZABLE' })
    return (error as Error).message.replace('Cannot send a value to another machine as ', '')
  }
  return 'sent'
}

const buffer = new ArrayBuffer(24)
const shared = { a: [1] }
const ring: unknown[] = [shared]
ring.push({ ring, shared })
const cause = Object.assign(new RangeError('inner'), { code: 'LOST' })
const hollow = [1, , 3, undefined, ,]
const mapRing = new Map<unknown, unknown>()
mapRing.set(mapRing, new Set([mapRing]))
const failure = new TypeError('told')
failure.cause = { failure }

const values: [string, unknown][] = [
  ['primitives', [undefined, null, true, false, 0, -0, 1, -1, NaN, Infinity, -Infinity, 0.1, 5e-324]],
  ['edges of integers', [2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, 63, 64, -64, -65]],
  ['bigints', [0n, 1n, -1n, 255n, 256n, -(2n ** 63n), 2n ** 64n, 10n ** 100n, -(10n ** 99n)]],
  [
    'texts',
    ['', 'a', 'é', '€', '😀', '\ud800', 'x\udc00', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(40), '€'.repeat(900)],
  ],
  ['a lone surrogate as a key', { '\ud800': 1 }],
  ['dates', [new Date(0), new Date(-1.5), new Date(NaN), new Date(8.64e15)]],
  [
    'expressions',
    [/a/, /[/]\/\n/dgimsuy, new RegExp(''), new RegExp('[a--b]', 'v'), Object.assign(/x/g, { lastIndex: 5 })],
  ],
  ['boxes', [Object(1), Object(-0), Object('a'), Object(true), Object(5n)]],
  [
    'a map, a set, and what is in them',
    new Map<unknown, unknown>([
      [{ a: 1 }, new Set([1, [2]])],
      [NaN, undefined],
    ]),
  ],
  ['holes', hollow],
  ['an array that is all holes', new Array<unknown>(5)],
  ['an array that is nearly all holes', Object.assign([], { 4294967290: 1, 7: { deep: [] } })],
  ['an array of the greatest length', Object.assign([], { length: 2 ** 32 - 1 })],
  ['an array with names', Object.assign([1, { a: 2 }], { name: 'n', '-1': [], '01': 0, 4294967295: 1 })],
  ['an array with holes and names', Object.assign([1, , 3], { name: hollow })],
  [
    '20,000 elements, and one hole',
    Object.assign(
      Array.from({ length: 20_000 }, (_, at) => at),
      { 20_010: 1 },
    ),
  ],
  ['an own __proto__', JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')],
  ['a shared part', [shared, [shared, shared.a]]],
  ['a cycle', ring],
  ['a map that holds itself', mapRing],
  ['errors', [new Error('told', { cause }), new RangeError('', { cause: undefined }), new SyntaxError(), cause]],
  ['an error of several', new AggregateError([new Error('one')], 'all')],
  ['an error of another name', Object.assign(new Error('told'), { name: 'TypeError', message: 7 })],
  ['an error without a stack', Object.assign(new Error('told'), { stack: undefined })],
  ['an error of a class', new (class Own extends URIError {})('told')],
  ['an error with a getter', Object.defineProperty(new Error('told'), 'message', { get: () => 'got' })],
  ['65 keys, twice', [1, 2].map((n) => Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, at * n])))],
  ['objects of another realm', runInNewContext('({ list: [{}], at: new Date(5), set: new Set([/x/]) })')],
]

describe('a value on the wire', () => {
  it.each(values)('arrives as structuredClone() gives it: %s', (_, value) => {
    expect(difference(sent(value), structuredClone(value))).toBeUndefined()
  })

  it.each(odd)('arrives as on another thread: %s', (_, make) => {
    const value = make()
    expect(difference(sent(value), copyOf(value))).toBeUndefined()
  })

  it('arrives as on another thread, whatever it is', () => {
    const property = fc.property(fc.array(anything, { maxLength: 4 }), fc.nat(), fc.nat(), (parts, from, to) => {
      graft(parts, from, to)
      expect(difference(sent(parts), copyOf(parts))).toBeUndefined()
    })
    fc.assert(property, { numRuns: times(400, 50_000) })
  })

  it('keeps views of one buffer together', () => {
    const views = [
      new Uint8Array(buffer, 1, 3),
      new DataView(buffer, 2, 4),
      buffer,
      new Float64Array(buffer, 8, 2),
      new BigInt64Array(buffer),
      Buffer.from(buffer, 5, 2),
      new Int16Array(buffer, 24, 0),
    ] as const
    new Uint8Array(buffer).set([1, 2, 3], 1)
    const [bytes, view, all, floats, bigints, node, none] = sent(views)
    expect(new Set([bytes, view, floats, bigints, node, none].map((one) => one.buffer))).toEqual(new Set([all]))
    expect(all.byteLength).toBe(24)
    expect([bytes, view, floats, bigints, node, none].map((one) => [one.byteOffset, one.byteLength])).toEqual(
      [views[0], views[1], views[3], views[4], views[5], views[6]].map((one) => [one.byteOffset, one.byteLength]),
    )
    bytes[0] = 77
    expect(new Uint8Array(all)[1]).toBe(77)
    expect(new Uint8Array(buffer)[1]).toBe(1)
    expect(Buffer.isBuffer(node)).toBe(true)
    expect([bytes, view, floats, bigints, none].map((one) => one.constructor)).toEqual([
      Uint8Array,
      DataView,
      Float64Array,
      BigInt64Array,
      Int16Array,
    ])
  })

  it('keeps every kind of view, and the bits of its elements', () => {
    const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array] as const
    const views = [...kinds, Float32Array, Float64Array].map((Kind) => Kind.of(1, 0, 200))
    const all = [
      ...views,
      BigUint64Array.of(2n ** 63n),
      new Float64Array(new BigUint64Array([0x7ff8dead00000001n]).buffer),
    ]
    expect(difference(sent(all), structuredClone(all))).toBeUndefined()
  })

  it('keeps an error that is its own cause, which structuredClone() cannot', () => {
    const arrived = sent(failure) as { cause?: { failure: unknown } }
    expect(arrived.cause?.failure).toBe(arrived)
  })

  it('forgets where an expression has searched', () => {
    expect(sent(Object.assign(/x/g, { lastIndex: 5 })).lastIndex).toBe(0)
  })

  it.each(unclonable.filter(([what]) => !/private fields|empty class|looks like|URL|of a class|inherited/.test(what)))(
    'is refused where it cannot be cloned: %s',
    (_, make) => {
      expect(refusal([{ odd: make() }])).toMatch(/^value\[0\]\.odd[. ]/)
    },
  )

  it.each<[string, unknown, string]>(
    [
      ['a function', { handlers: [1, () => 1] }, 'value.handlers[1] is a function'],
      ['a symbol', new Map([['key', Symbol('s')]]), 'value.get("key") is a symbol'],
      ['a key of a map', new Map([[() => 1, 1]]), '[...value.keys()][0] is a function'],
      ['an element of a set', new Set([1, [() => 1]]), '[...value][1][0] is a function'],
      ['a boxed symbol', [Object(Symbol('s'))], 'value[0] is a boxed symbol'],
      ['a proxy', { a: { b: new Proxy({}, {}) } }, 'value.a.b is a Proxy'],
      ['a promise', { 'no name': Promise.resolve() }, 'value["no name"] is an instance of Promise'],
      ['a function in a cause', new Error('told', { cause: { log: () => 1 } }), 'value.cause.log is a function'],
      [
        'a function in an instance',
        {
          it: new (class Own {
            log = (): number => 1
          })(),
        },
        'value.it.log is a function',
      ],
      ['a lock', [{ lock: new Lock() }], 'value[0].lock is a Lock, which other machines cannot share'],
      ['shared memory', [new SharedArrayBuffer(1)], 'value[0] is shared memory, which other machines cannot share'],
      [
        'its view',
        [new Uint8Array(new SharedArrayBuffer(1))],
        'value[0] is shared memory, which other machines cannot share',
      ],
      ['a Blob', { file: new Blob([]) }, 'value.file is an instance of Blob'],
      [
        'a resizable buffer',
        [new (ArrayBuffer as never as new (n: number, o: object) => ArrayBuffer)(1, { maxByteLength: 2 })],
        'value[0] is a resizable buffer',
      ],
      ['a costly expression', [[new RegExp('a'.repeat(20_000))]], 'value[0][0] is too costly a regular expression'],
      ['a costly class', [new RegExp('\\p{RGI_Emoji}'.repeat(3), 'v')], 'value[0] is too costly a regular expression'],
    ].map((row) => row as [string, unknown, string]),
  )('names the part that cannot leave the machine: %s', (_, value, text) => {
    expect(refusal(value)).toBe(text)
  })

  it('names a detached buffer, and its view', () => {
    const detached = new ArrayBuffer(8)
    const view = new Uint8Array(detached)
    structuredClone(detached, { transfer: [detached] })
    expect(refusal([detached])).toBe('value[0] is a detached buffer')
    expect(refusal([view])).toBe('value[0] is a detached buffer')
  })

  it('names the getter that throws, and keeps what it threw', () => {
    const thrown = new Error('boom')
    const value = {
      list: [
        {
          get at(): number {
            throw thrown
          },
        },
      ],
    }
    expect(refusal(value)).toMatch(/^value\.list\[0\]\.at cannot be read: it threw Error: boom/)
    try {
      sent(value)
    } catch (error) {
      expect((error as Error).cause).toBe(thrown)
    }
  })

  it('nests 1,000 levels, and no more', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'end' : [nested(levels - 1)])
    expect(difference(sent(nested(1_000)), nested(1_000))).toBeUndefined()
    expect(refusal(nested(1_001))).toMatch(/stands more than 1000 levels deep$/)
  })

  it('may change while it is read', () => {
    const map = new Map<unknown, unknown>([
      [1, 1],
      [2, 2],
    ])
    const list: unknown[] = [
      {
        get a(): number {
          list.length = 0
          map.clear()
          return 1
        },
      },
      map,
      3,
    ]
    expect(sent(list)).toEqual([{ a: 1 }, undefined, undefined])
  })
})

/** Puts a part of one object into another one, so that parts are shared, and cycles arise. */
function graft(parts: unknown[], from: number, to: number): void {
  const objects = parts.filter(
    (part): part is Record<string, unknown> => Object.prototype.toString.call(part) === '[object Object]',
  )
  const [source, target] = [parts[from % parts.length], objects[to % objects.length]]
  if (source !== undefined && target !== undefined) {
    Object.defineProperty(target, 'graft', { value: source, enumerable: true, writable: true, configurable: true })
  }
  if (from % 3 === 0) parts.push(parts)
}
