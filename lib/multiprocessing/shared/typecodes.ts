/**
 * The types of numbers in shared memory: their plain names, Python's typecodes, and the numbers that each can hold.
 * Numbers are not rounded or wrapped to fit, except to the precision of a float32.
 */
import { rangeError, received, typeError } from '../../errors.js'

interface Codes {
  readonly b: 'int8'
  readonly B: 'uint8'
  readonly h: 'int16'
  readonly H: 'uint16'
  readonly i: 'int32'
  readonly I: 'uint32'
  readonly l: 'int64'
  readonly L: 'uint64'
  readonly q: 'int64'
  readonly Q: 'uint64'
  readonly f: 'float32'
  readonly d: 'float64'
}

interface TypedArrays {
  readonly int8: Int8Array<SharedArrayBuffer>
  readonly uint8: Uint8Array<SharedArrayBuffer>
  readonly int16: Int16Array<SharedArrayBuffer>
  readonly uint16: Uint16Array<SharedArrayBuffer>
  readonly int32: Int32Array<SharedArrayBuffer>
  readonly uint32: Uint32Array<SharedArrayBuffer>
  readonly int64: BigInt64Array<SharedArrayBuffer>
  readonly uint64: BigUint64Array<SharedArrayBuffer>
  readonly float32: Float32Array<SharedArrayBuffer>
  readonly float64: Float64Array<SharedArrayBuffer>
}

/**
 * A type of numbers, by name or by Python's typecode. Integers: `'int8'` (`'b'`), `'uint8'` (`'B'`), `'int16'` (`'h'`),
 * `'uint16'` (`'H'`), `'int32'` (`'i'`), `'uint32'` (`'I'`), `'int64'` (`'q'`, `'l'`), `'uint64'` (`'Q'`, `'L'`).
 * Floats: `'float32'` (`'f'`), `'float64'` (`'d'`). Integers of 64 bits are a `bigint`, all others are a `number`.
 * `'l'` has 64 bits, as a C long on Linux and macOS. Python's characters `'c'` and `'u'` do not exist here.
 */
export type NumberType = keyof Codes | keyof TypedArrays

/** The plain name of a type. */
export type NameOf<T extends NumberType> = T extends keyof Codes ? Codes[T] : T

/** The JavaScript type of a number: `bigint` for integers of 64 bits, else `number`. */
export type NumberOf<T extends NumberType> = NameOf<T> extends 'int64' | 'uint64' ? bigint : number

/** `V`, but only for types of integers: only these have atomic operations. */
export type IfInteger<T extends NumberType, V> = NameOf<T> extends 'float32' | 'float64' ? never : V

/** The typed array on shared memory that holds numbers of a type. */
export type TypedArrayOf<T extends NumberType> = TypedArrays[NameOf<T> & keyof TypedArrays]

type Name = keyof TypedArrays
type Maker = new (buffer: SharedArrayBuffer, offset: number, length: number) => TypedArrays[Name]

export interface Type {
  readonly name: Name
  /** Python's names of it. */
  readonly codes: readonly string[]
  /** In bytes. */
  readonly size: number
  readonly Typed: Maker
  readonly zero: 0 | 0n
  /** The numbers that it holds, in words for error texts. */
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

/** Shared memory names a type by its index in this list, so the order must never change. */
export const TYPES: readonly Type[] = [
  integers('int8', ['b'], Int8Array, -(2 ** 7), 2 ** 7 - 1),
  integers('uint8', ['B'], Uint8Array, 0, 2 ** 8 - 1),
  integers('int16', ['h'], Int16Array, -(2 ** 15), 2 ** 15 - 1),
  integers('uint16', ['H'], Uint16Array, 0, 2 ** 16 - 1),
  integers('int32', ['i'], Int32Array, -(2 ** 31), 2 ** 31 - 1),
  integers('uint32', ['I'], Uint32Array, 0, 2 ** 32 - 1),
  bigints('int64', ['q', 'l'], BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  bigints('uint64', ['Q', 'L'], BigUint64Array, 0n, 2n ** 64n - 1n),
  floats('float32', ['f'], Float32Array, (value) => !Number.isFinite(value) || Number.isFinite(Math.fround(value))),
  floats('float64', ['d'], Float64Array, () => true),
]

function integers(name: Name, codes: string[], Typed: Maker & Sized, min: number, max: number): Type {
  const holds = (value: unknown): boolean =>
    typeof value === 'number' && value >= min && value <= max && Number.isInteger(value)
  const expected = `an integer from ${min} to ${max}`
  return { name, codes, size: Typed.BYTES_PER_ELEMENT, Typed, zero: 0, expected, holds }
}

function bigints(name: Name, codes: string[], Typed: Maker & Sized, min: bigint, max: bigint): Type {
  const holds = (value: unknown): boolean => typeof value === 'bigint' && value >= min && value <= max
  const expected = `a bigint (such as 5n) from ${String(min)} to ${String(max)}`
  return { name, codes, size: Typed.BYTES_PER_ELEMENT, Typed, zero: 0n, expected, holds }
}

function floats(name: Name, codes: string[], Typed: Maker & Sized, fits: (value: number) => boolean): Type {
  const holds = (value: unknown): boolean => typeof value === 'number' && fits(value)
  const expected = name === 'float32' ? 'a number of at most 3.4e38' : 'a number'
  return { name, codes, size: Typed.BYTES_PER_ELEMENT, Typed, zero: 0, expected, holds }
}

interface Sized {
  readonly BYTES_PER_ELEMENT: number
}

/** The index of a type in `TYPES`. Throws an error that lists all types. `what`: the class of the new object. */
export function numberOfType(what: 'Value' | 'SharedArray', type: unknown): number {
  const number = TYPES.findIndex(({ name, codes }) => name === type || codes.includes(type as string))
  if (number >= 0) return number
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' or ')
  const all = TYPES.map(({ name, codes }) => `'${name}' (${quoted(codes)})`).join(', ')
  const text = `Cannot make a ${what} as its type must be one of ${all}: received ${received(type)}`
  if (typeof type === 'string') throw rangeError('ERR_INVALID_VALUE', text)
  const first: unknown = Array.isArray(type) ? type[0] : type
  if (typeof first !== 'number' && typeof first !== 'bigint') throw typeError('ERR_INVALID_VALUE', text)
  const fitting = typeof first === 'bigint' ? 'int64' : Number.isInteger(first) ? 'int32' : 'float64'
  const cure = `the type comes first, as in new ${what}('${fitting}', ${received(type)})`
  throw typeError('ERR_INVALID_VALUE', `${text}; ${cure}`)
}

/** Throws unless the type can hold this value: a `RangeError` if it is only too large, or not an integer. */
export function check({ name, zero, expected, holds }: Type, value: unknown, action: string): void {
  if (holds(value)) return
  const error = typeof value === typeof zero ? rangeError : typeError
  throw error(
    'ERR_INVALID_VALUE',
    `Cannot ${action} as its type ${name} takes ${expected}: received ${received(value)}`,
  )
}
