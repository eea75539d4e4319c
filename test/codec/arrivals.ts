/** Chunks of all kinds for the tests of the codec, and the values that must arrive. */
import fc from 'fast-check'
import { pack, unpack, type Data } from '#dist/codec/codec.js'
import type { Shapes } from '#dist/codec/shapes.js'
import { copyOf } from '../support/copy.js'
import { difference } from './difference.js'

/** A chunk, by default long enough for columns. */
export function rows<T>(make: (row: number) => T, length = 64): T[] {
  return Array.from({ length }, (_, row) => make(row))
}

/** The values of a chunk as they arrive on another thread. */
export function sent(values: readonly unknown[], shapes?: Shapes): unknown[] {
  const { data, transfer } = pack(values, shapes)
  return unpack(structuredClone(data, { transfer: [...transfer] as ArrayBuffer[] }), shapes)
}

/** Where values differ from the values that arrive if each is sent alone; and whether packing changed them. */
export function deviation(values: readonly unknown[], shapes?: Shapes): string | undefined {
  const alone = values.map(copyOf)
  const arrived = sent(values, shapes)
  const after = values.map(copyOf)
  return difference(arrived, alone) ?? difference(after, alone)
}

/** The kinds of a chunk's columns, as `records(text,numbers)`; `clone` when it is cloned. */
export function form(values: readonly unknown[]): string {
  const { data } = pack(values)
  return isColumn(data) ? describeColumn(data) : 'clone'
}

type Column = Exclude<Data, readonly unknown[]>

function isColumn(data: Data): data is Column {
  return !Array.isArray(data)
}

function describeColumn(column: Column): string {
  if ('elements' in column) return `${column.kind}(${describeColumn(column.elements)})`
  return 'columns' in column ? `${column.kind}(${column.columns.map(describeColumn).join()})` : column.kind
}

const LONG = [1000, 1024, 1025, 2500].map((length) => 'x'.repeat(length))
const ODD_UNITS = ['a', 'é', '\0', '€', '😀', '\ud800', '\udc00', '\u2028', '"', '\\', '${', '\n']

const strings = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...ODD_UNITS) }) },
  { weight: 1, arbitrary: fc.constantFrom(...LONG) },
)

const integers = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -0, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53),
)

const keys = fc.oneof(
  fc.constantFrom('id', 'name', '__proto__', 'constructor', 'toString', 'toJSON', 'length', '', '0', '1', '-1'),
  fc.string({ unit: fc.constantFrom(...ODD_UNITS), maxLength: 5 }),
)

/** Anything that can be cloned. */
export const anything: fc.Arbitrary<unknown> = fc.anything({
  key: keys,
  maxDepth: 3,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
})

const leaves = fc.constantFrom<fc.Arbitrary<unknown>>(
  fc.double(),
  integers,
  strings,
  fc.boolean(),
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(null, undefined),
  fc.oneof(strings, fc.constantFrom(null, undefined)),
  fc.oneof(integers, fc.constant('-')),
  fc.array(integers, { maxLength: 4 }),
  fc.array(fc.record({ id: integers, at: fc.date() }), { maxLength: 2 }),
  anything,
)

/** Makers of values of one kind: of the items of a chunk, or of a field of its records. */
function sorts(levels: number): fc.Arbitrary<fc.Arbitrary<unknown>> {
  return levels === 0 ? leaves : fc.oneof(leaves, records(levels), records(levels), tuples(levels), lists(levels))
}

function tuples(levels: number): fc.Arbitrary<fc.Arbitrary<unknown>> {
  const places = fc.array(sorts(levels - 1), { minLength: 1, maxLength: 4 })
  return fc.tuple(places, oddity).map(([some, change]) => fc.tuple(...some, fc.nat(9)).map((all) => change(all)))
}

function lists(levels: number): fc.Arbitrary<fc.Arbitrary<unknown>> {
  const elements = fc.oneof(sorts(levels - 1), fc.constantFrom<fc.Arbitrary<unknown>>(integers, fc.double()))
  // Short arrays and long ones are told apart from arrays with named fields in different ways.
  const longest = fc.constantFrom(4, 14)
  return fc.tuple(elements, longest, oddity).map(([some, maxLength, change]) => {
    const sizes = { maxLength, size: 'max' } as const
    return fc.tuple(fc.array(some, sizes), fc.nat(9)).map(([list, chance]) => change([...list, chance]))
  })
}

/** A copy of an array that is changed in one case of ten: the last element, which is left out, decides. */
const oddity: fc.Arbitrary<(given: readonly unknown[]) => unknown[]> = fc
  .constantFrom<((array: unknown[]) => void)[]>([], [pierce], [name], [pierce, name], [name, lengthen])
  .map((changes) => (given) => {
    const array = given.slice(0, -1)
    if (given.at(-1) === 0) for (const change of changes) change(array)
    return array
  })

/** Makes a hole. */
function pierce(array: unknown[]): void {
  Reflect.deleteProperty(array, Math.floor(array.length / 2))
}

/** The named field of arrays. It holds no object: the codec does not look into it. */
const NAME = 'more'

function name(array: unknown[]): void {
  Object.assign(array, { [NAME]: array.length })
}

function lengthen(array: unknown[]): void {
  array.length++
}

function records(levels: number): fc.Arbitrary<fc.Arbitrary<unknown>> {
  const fields = fc.dictionary(keys, sorts(levels - 1), { maxKeys: 6 })
  return fc.tuple(fields, fc.boolean(), fc.boolean()).map(([model, isOptional, isBare]) => {
    const entries = Object.entries(model).map(([key, value]) => fc.tuple(fc.constant(key), value, fc.nat(9)))
    return fc.tuple(...entries).map((all) => {
      const present = all
        .filter(([, , chance]) => !isOptional || chance > 0)
        .map(([key, value]): [string, unknown] => [key, value])
      return Object.setPrototypeOf(Object.fromEntries(present), isBare ? null : Object.prototype) as object
    })
  })
}

/** Chunks of a few kinds of values. Each value can come more than once. It can contain parts of others, or itself. */
export const chunks: fc.Arbitrary<unknown[]> = fc
  .array(sorts(3), { minLength: 1, maxLength: 2 })
  .chain((some) => fc.array(fc.oneof(...some), { minLength: 1, maxLength: 10 }))
  .chain((values) =>
    fc.record({
      values: fc.constant(values),
      // Fewer values than 48 are cloned.
      length: fc.integer({ min: 46, max: 66 }),
      fresh: fc.integer({ min: 0, max: 3 }),
      grafts: fc.array(fc.record({ row: fc.nat(), from: fc.nat(), to: fc.nat(), near: fc.boolean() }), {
        maxLength: 2,
      }),
    }),
  )
  .map(({ values, length, fresh, grafts }) => {
    const chunk = Array.from({ length }, (_, at) => {
      const value = values[at % values.length]
      return fresh > 0 ? structuredClone(value) : value
    })
    for (const { row, from, to, near } of grafts) {
      const own = [chunk[row % length]]
      graft(partsOf(near ? own : chunk), from, partsOf(own[0]), to)
    }
    return chunk
  })

interface PartOfChunk {
  readonly value: unknown
  put(value: unknown): void
}

/** Puts an object from anywhere in the place of another part. */
function graft(sources: readonly PartOfChunk[], from: number, places: readonly PartOfChunk[], to: number): void {
  const objects = sources.filter(({ value }) => typeof value === 'object' && value !== null)
  const object = objects[from % objects.length]
  const place = places[to % places.length]
  if (object !== undefined && place !== undefined) place.put(object.value)
}

/** The parts of records and arrays, except named fields of arrays. */
function partsOf(whole: unknown, parts: PartOfChunk[] = [], seen = new Set<unknown>()): PartOfChunk[] {
  if (typeof whole !== 'object' || whole === null || seen.has(whole)) return parts
  seen.add(whole)
  if (!Array.isArray(whole) && Object.prototype.toString.call(whole) !== '[object Object]') return parts
  for (const key of Object.keys(whole)) {
    if (Array.isArray(whole) && key === NAME) continue
    const value = (whole as Record<string, unknown>)[key]
    const put = (other: unknown): void => {
      Object.defineProperty(whole, key, { value: other, enumerable: true, writable: true, configurable: true })
    }
    parts.push({ value, put })
    partsOf(value, parts, seen)
  }
  return parts
}
