/** Values that are cloned in a special way, or cannot be cloned. As records they have the keys `id` and `name`. */
import * as timers from 'node:timers/promises'
import { createContext, runInContext } from 'node:vm'
import { rows } from './arrivals.js'

export const record = (row: number): object => ({ id: row, name: `name ${row}` })

class Point {
  x = 1
  get double(): number {
    return this.#times(2)
  }
  #times(factor: number): number {
    return this.x * factor
  }
}
class Secret extends Point {
  readonly #secret = 2
  get sum(): number {
    return this.x + this.#secret
  }
}
const shared = { a: 1 }
const list = [1]
const date = new Date(7)
const match = /(?<year>\d+)/.exec('in 2024')
const ring: Record<string, unknown> = { id: 1, list: [] }
;(ring.list as unknown[]).push(ring)
const circle: unknown[] = [1]
circle.push(circle)
const named = Object.assign([1, 2], { of: {} })
named.of = { named }

/** To make a realm takes a millisecond, and values of it are made thousands of times. */
const realm = createContext()
function inOtherRealm(code: string): unknown {
  return runInContext(code, realm)
}

function nested(levels: number, end: unknown): unknown {
  return levels === 0 ? end : { next: nested(levels - 1, end) }
}

/** An object that is reached from itself in this many steps. */
function circleOf(steps: number): unknown {
  const circle: Record<string, unknown> = { id: 1 }
  circle.name = nested(steps - 1, circle)
  return circle
}

function argumentsOf(): unknown {
  // eslint-disable-next-line prefer-rest-params
  return arguments
}

// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- to be refused
class Nothing {}

function namedList(elements: unknown[]): unknown[] {
  return Object.assign(elements, { index: 1 })
}

function bare(): Record<string, unknown> {
  return Object.assign(Object.create(null) as Record<string, unknown>, { id: 1 })
}

function wide(keys: number): object {
  return Object.fromEntries(rows((key): [string, unknown] => [`key${key}`, key], keys))
}

/** Values that can be cloned, and how to make them. */
export const odd: readonly (readonly [string, make: () => unknown])[] = [
  ['a class instance', () => new Point()],
  ['a class instance with the same keys', () => Object.assign(new Point(), record(1))],
  ['an object that inherits fields', () => Object.assign(Object.create({ id: 1, name: 'n' }) as object, { id: 2 })],
  ['plain objects of another realm', () => inOtherRealm('({ id: 1, name: {}, list: [{}] })')],
  ['an object without a prototype', () => Object.assign(Object.create(null) as object, record(2))],
  ['a frozen object', () => Object.freeze(record(3))],
  ['a sealed object', () => Object.seal(record(4))],
  ['hidden and symbol keys', () => Object.defineProperty({ ...record(5), [Symbol('s')]: 1 }, 'hidden', { value: 1 })],
  ['a hidden key of the others', () => Object.defineProperty({ id: 1 }, 'name', { value: 'n' })],
  ['a getter', () => Object.defineProperty({ id: 1 }, 'name', { get: () => 'got', enumerable: true })],
  ['the same keys in another order', () => ({ name: 'n', id: 1 })],
  ['one key more', () => ({ ...record(6), more: undefined })],
  ['one key less', () => ({ id: 1 })],
  ['no keys', () => ({})],
  ['an own __proto__', () => JSON.parse('{"id": 1, "__proto__": {"x": 1}, "name": "n"}') as unknown],
  ['keys like indices', () => ({ b: 1, 2: 'two', 1: 'one', a: 2, '-1': 3, 1.5: 4 })],
  ['64 and 65 keys', () => [wide(64), wide(65)]],
  ['1,000 keys', () => wide(1000)],
  ['a tag', () => ({ id: 1, name: 'n', [Symbol.toStringTag]: 'Map' })],
  ['toJSON and then', () => ({ toJSON: 1, then: 2, constructor: 3, valueOf: 4 })],
  ['a Date', () => new Date(1e12)],
  ['an invalid Date', () => new Date(NaN)],
  ['a Date with fields', () => Object.assign(new Date(5), { zone: 'UTC' })],
  ['a Date of a class', () => new (class Day extends Date {})(5)],
  ['a boxed string, number and boolean', () => [Object('s'), Object(1), Object(false)] as unknown[]],
  ['an Error with a cause', () => Object.assign(new TypeError('told', { cause: { a: 1 } }), { code: 'E' })],
  [
    'Buffers',
    () => [Buffer.from('pooled'), Buffer.alloc(3), [Buffer.from('')], new Map([[1, Buffer.from('in a map')]])],
  ],
  ['a Map of a class', () => new (class Bag extends Map<unknown, unknown> {})([[1, 2]])],
  ['a list of a class', () => Object.assign(new (class List extends Array<unknown> {})(), [1, 2])],
  [
    'objects in one another without a prototype',
    () => Object.assign(bare(), { in: bare(), of: [bare()], map: new Map([[bare(), bare()]]) }),
  ],
  ['a Map and a Set', () => new Map<unknown, unknown>([[{ a: 1 }, new Set([1, { b: 2 }])]])],
  ['an expression', () => /x+/giu],
  ['an array with holes', () => [1, , 3]],
  ['an array that is nearly all holes', () => Object.assign([], { 4294967290: 1 })],
  ['an array with named properties', () => Object.assign([1, 2], { index: 1, groups: { a: 1 } })],
  [
    'a list and a fraction list with named properties',
    () => [namedList(rows((row) => row)), namedList(rows(Math.sqrt))],
  ],
  ['a list with as many holes as named properties', () => namedList([1, , 3])],
  ['a list with a hidden element', () => Object.defineProperty([1, 2], 1, { value: 2, enumerable: false })],
  ['a list with a getter', () => Object.defineProperty([1, 2], 0, { get: () => 'got', enumerable: true })],
  ['a frozen list', () => Object.freeze([1, 0.5])],
  ['a sealed list', () => Object.seal(['a', 1])],
  ['empty lists', () => [[], [[]], [[], []]]],
  ['-0 and NaN in lists', () => [[-0], [0, -0], [0.5, -0, NaN]]],
  ['a list of another realm', () => inOtherRealm('[1, [2]]')],
  ['a list without a prototype', () => Object.setPrototypeOf([1, 2], null) as unknown],
  ['a list with the prototype of objects', () => Object.setPrototypeOf([1, 2], Object.prototype) as unknown],
  ['a list that holds itself', () => circle],
  ['the same list in two lists', () => [[list], [list]]],
  ['the same list twice in a list', () => [list, list, list]],
  ['lists of mixed kinds', () => [1, 'a', null, undefined, [1], { a: [1] }, new Date(5), 2n, true]],
  ['typed arrays in lists', () => [[new Float64Array([1])], [new Uint8Array(3), 1]]],
  [
    'a list of a class that iterates over something else',
    () => {
      class Odd extends Array<unknown> {
        override [Symbol.iterator](): ArrayIterator<unknown> {
          return [{}].values()
        }
      }
      return Odd.of<unknown>(shared, 1)
    },
  ],
  ['binary data', () => [new Uint8Array([1, 2]), new DataView(new ArrayBuffer(3)), Buffer.from('text')]],
  ['a big integer', () => 2n ** 70n],
  ['edges of integers', () => [2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 0.5]],
  ['odd strings', () => ['', '\0', 'é', '€', '\ud800', '\udc00\ud800', '\u2028', 'x'.repeat(5000)]],
  ['the same object twice', () => ({ id: 1, name: shared, again: shared })],
  ['the same object at two depths', () => ({ id: 1, name: shared, deep: { er: shared } })],
  ['the same object in a record and in a list', () => ({ id: shared, name: [shared] })],
  ['the same list twice', () => ({ id: list, name: list })],
  ['the same date twice', () => ({ id: date, name: date })],
  ['the same date in a list', () => ({ id: date, name: [date] })],
  ['a match and its groups', () => ({ id: match, name: match?.groups })],
  ['an object that holds itself', () => circleOf(1)],
  ['an object in a list of its own', () => ring],
  ['a list that holds itself by name', () => ({ id: 1, name: named })],
  ['7 to 12 levels', () => rows((row) => nested(7 + row, [row]), 6)],
  ['12 levels that end at the first', () => circleOf(12)],
  ['990 levels', () => nested(990, 1)],
]

/** Of these, the large ones. */
export const LARGE: readonly string[] = ['1,000 keys', '990 levels', '7 to 12 levels']

/** Values that cannot be cloned. */
export const unclonable: readonly (readonly [string, make: () => unknown])[] = [
  ['an object with nothing but inherited fields', () => Object.create({ id: 1, name: 'n' }) as unknown],
  ['an instance with private fields', () => new Secret()],
  ['an instance with private fields and the same keys', () => Object.assign(new Secret(), record(1))],
  ['an instance of an empty class', () => new Nothing()],
  ['what looks like a Date', () => Object.create(Date.prototype) as unknown],
  ['what looks like a Map', () => Object.create(Map.prototype) as unknown],
  ['a URL', () => new URL('http://localhost/')],
  ['a Map of a class with fields', () => Object.assign(new (class Bag extends Map {})(), { size2: 1 })],
  ['a function', () => () => 1],
  ['a symbol', () => Symbol('s')],
  ['a proxy of a record', () => new Proxy(record(1), {})],
  ['a proxy of a date', () => new Proxy(new Date(), {})],
  ['a proxy of a list', () => new Proxy([1], {})],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
  ['arguments', argumentsOf],
  ['arguments with the same keys', () => Object.assign(argumentsOf() as object, record(1))],
  ['a module', () => timers],
  ['a promise', () => Promise.resolve(1)],
  ['an iterator', () => [1].values()],
  [
    'a getter that throws',
    () => ({
      id: 1,
      get name(): string {
        throw new Error('boom')
      },
    }),
  ],
  ['1,001 levels', () => nested(1001, 1)],
]
