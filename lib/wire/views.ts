/** The kinds of views of a buffer. Their places in the list are part of the format. */

interface ViewKind {
  readonly name: string
  /** The bytes of an element. */
  readonly size: number
  readonly make: (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView
}

interface TypedArrayClass {
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
  readonly prototype: object
  new (buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView
}

const CLASSES: readonly TypedArrayClass[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]

/** Node 24 and later have it. */
const { Float16Array: HalfFloats } = globalThis as { readonly Float16Array?: TypedArrayClass }

export const VIEWS: readonly ViewKind[] = [
  ...CLASSES.map(kindOf),
  { name: 'DataView', size: 1, make: (buffer, offset, length) => new DataView(buffer, offset, length) },
  { name: 'Buffer', size: 1, make: (buffer, offset, length) => Buffer.from(buffer, offset, length) },
  ...(HalfFloats === undefined ? [] : [kindOf(HalfFloats)]),
]

const BUFFER = VIEWS.findIndex(({ name }) => name === 'Buffer')
const PLACES = new Map(VIEWS.map(({ name }, place) => [name, place]))

function kindOf(Class: TypedArrayClass): ViewKind {
  return {
    name: Class.name,
    size: Class.BYTES_PER_ELEMENT,
    make: (buffer, offset, length) => new Class(buffer, offset, length),
  }
}

/** Tells the class of a typed array, even of an instance of another class. */
const TAG = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)

/** Its place in `VIEWS`. As on threads, instances of other classes arrive as what these extend. */
export function viewPlace(view: ArrayBufferView): number {
  if (Object.getPrototypeOf(view) === Buffer.prototype) return BUFFER
  const place = PLACES.get((TAG?.get?.call(view) as string | undefined) ?? 'DataView')
  if (place === undefined) throw new TypeError(`There is no view like ${Object.prototype.toString.call(view)}`)
  return place
}
