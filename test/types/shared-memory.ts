/** The types that the compiler infers and refuses for shared numbers. This file is compiled, and not run. */
import { imap, task } from 'millrace'
import { RLock, SharedArray, Value, type Lock, type NumberOf, type NumberType } from 'millrace/multiprocessing'
import type { Equal, Expect } from './equal.js'

export const count = new Value('i')
export type Count = Expect<Equal<typeof count.value, number>>
export const large = new Value('int64', 5n)
export type Large = Expect<Equal<typeof large.value, bigint>>
export type LongIsLarge = Expect<Equal<NumberOf<'l' | 'L' | 'q' | 'Q'>, bigint>>
export type OthersAreNumbers = Expect<Equal<NumberOf<'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'f' | 'd'>, number>>
export type Name = Expect<Equal<typeof large.type, 'int64'>>
// A typecode and its plain name are one type.
export const named: Value<'int32'> = count
export const coded: Value<'q'> = large
export const floats = new SharedArray('float64', 2)
export const codedArray: SharedArray<'d'> = floats

// @ts-expect-error -- no such type
new Value('int')
// @ts-expect-error -- the type comes first
new Value(0)
// @ts-expect-error -- 64 bits hold a bigint
new Value('q', 5)
// @ts-expect-error -- and nothing else does
new Value('i', 5n)
// @ts-expect-error -- the same when it is set
count.value = 5n
// @ts-expect-error -- another type
export const other: Value<'uint32'> = count

export const old = count.atomicAdd(1)
export type Old = Expect<Equal<typeof old, number>>
export const oldLarge = large.atomicCompareExchange(1n, 2n)
export type OldLarge = Expect<Equal<typeof oldLarge, bigint>>
// @ts-expect-error -- a number for a bigint
large.atomicAdd(1)
// @ts-expect-error -- floats have no atomic operations
new Value('d').atomicAdd(1)
// @ts-expect-error -- not even to read
new Value('float32').atomicLoad()

export const lock = count.getLock()
export type ItsLock = Expect<Equal<typeof lock, Lock | RLock>>
new Value('i', 0, { lock: false })
new Value('i', 0, { lock: new RLock() })
// @ts-expect-error -- no lock
new Value('i', 0, { lock: 1 })

export const array = new SharedArray('i', [1, 2, 3])
export const element = array[0]
export type Element = Expect<Equal<typeof element, number>>
export const end = array.at(-1)
export type End = Expect<Equal<typeof end, number | undefined>>
export type Typed = Expect<Equal<typeof array.typed, Int32Array<SharedArrayBuffer>>>
export const large64 = new SharedArray('Q', 3)
export type Typed64 = Expect<Equal<typeof large64.typed, BigUint64Array<SharedArrayBuffer>>>
export const part = large64.slice(1)
export type Part = Expect<Equal<typeof part, bigint[]>>
export const all = [...large64]
export type All = Expect<Equal<typeof all, bigint[]>>

// @ts-expect-error -- the type comes first
new SharedArray([1, 2, 3])
// @ts-expect-error -- a plain array of other numbers
new SharedArray('q', [1, 2, 3])
// @ts-expect-error -- what a string holds
new SharedArray('i', '123')
// @ts-expect-error -- a number for a bigint
large64[0] = 1
// @ts-expect-error -- the length is fixed
array.length = 5
// @ts-expect-error -- floats have no atomic operations
floats.atomicAdd(0, 1)

// As items.
const sum = task(import.meta.url, 'sum', (item: { array: SharedArray<'i'>; total: Value<'float64'> }) => {
  for (const number of item.array) item.total.value += number
})
imap(sum, [{ array, total: new Value('d') }])
// @ts-expect-error -- a plain array is none that threads share
imap(sum, [{ array: [1, 2, 3], total: new Value('d') }]) // eslint-disable-line @typescript-eslint/no-unsafe-class-instance-assignment -- the compiler is to say so

// Of any type.
export function shown<T extends NumberType>(value: Value<T>): NumberOf<T> {
  return value.value
}
