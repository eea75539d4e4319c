/** Compares values as strictly as possible: prototypes, order of keys, `-0`, and parts that are the same object. */
import { types } from 'node:util'

/** Where and how `actual` differs from `expected`, or `undefined`. Buffers may be shared in only one of them. */
export function difference(actual: unknown, expected: unknown): string | undefined {
  return new Comparison().compare(actual, expected)
}

const HIDDEN = [
  Array.isArray,
  types.isDate,
  types.isRegExp,
  types.isMap,
  types.isSet,
  types.isNativeError,
  types.isBoxedPrimitive,
]

class Comparison {
  readonly #expected = new Map<object, object>()
  readonly #actual = new Map<object, object>()

  compare(actual: unknown, expected: unknown): string | undefined {
    if (!isObject(actual) || !isObject(expected)) {
      return Object.is(actual, expected) ? undefined : ` is ${String(actual)}, not ${String(expected)}`
    }
    if (ArrayBuffer.isView(expected) || types.isAnyArrayBuffer(expected)) return compareBytes(actual, expected)
    const expectedBefore = this.#expected.get(actual)
    const actualBefore = this.#actual.get(expected)
    if (expectedBefore !== undefined || actualBefore !== undefined) {
      return expectedBefore === expected && actualBefore === actual ? undefined : ' is shared in one of the two'
    }
    this.#expected.set(actual, expected)
    this.#actual.set(expected, actual)
    if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return ' has another prototype'
    return this.#compareHidden(actual, expected) ?? this.#compareFields(actual, expected)
  }

  /** State that fields do not show. */
  #compareHidden(actual: object, expected: object): string | undefined {
    if (Object.getPrototypeOf(expected) === Object.prototype) return undefined
    if (HIDDEN.some((is) => is(actual) !== is(expected))) return ' is of another kind'
    if (types.isMap(actual) && types.isMap(expected)) return this.compare([...actual], [...expected])
    if (types.isSet(actual) && types.isSet(expected)) return this.compare([...actual], [...expected])
    if (types.isDate(actual) && types.isDate(expected)) return this.compare(actual.getTime(), expected.getTime())
    if (types.isRegExp(expected) || types.isBoxedPrimitive(expected)) {
      return this.compare(valueOf(actual), valueOf(expected))
    }
    return undefined
  }

  #compareFields(actual: object, expected: object): string | undefined {
    const keys = Reflect.ownKeys(expected)
    const own = Reflect.ownKeys(actual)
    if (own.length !== keys.length || own.some((key, index) => key !== keys[index])) {
      return ` has the keys ${own.map(String).join()}, not ${keys.map(String).join()}`
    }
    for (const key of keys) {
      const field = Object.getOwnPropertyDescriptor(actual, key)
      const expectedField = Object.getOwnPropertyDescriptor(expected, key)
      const found = isSameKind(field, expectedField)
        ? this.compare(field?.value, expectedField?.value)
        : ' is another kind of property'
      if (found !== undefined) return `[${typeof key === 'symbol' ? String(key) : JSON.stringify(key)}]${found}`
    }
    return undefined
  }
}

/** The text of a regular expression, or the primitive in a box. */
function valueOf(value: object): unknown {
  return types.isRegExp(value) ? `${value}` : value.valueOf()
}

function isSameKind(field: PropertyDescriptor | undefined, expected: PropertyDescriptor | undefined): boolean {
  return (
    field?.enumerable === expected?.enumerable &&
    field?.writable === expected?.writable &&
    field?.configurable === expected?.configurable &&
    field?.get === expected?.get
  )
}

function compareBytes(actual: object, expected: object): string | undefined {
  const same =
    Object.getPrototypeOf(actual) === Object.getPrototypeOf(expected) &&
    Buffer.compare(bytesOf(actual), bytesOf(expected)) === 0
  return same ? undefined : ' has other bytes'
}

function bytesOf(value: object): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value as ArrayBuffer)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
