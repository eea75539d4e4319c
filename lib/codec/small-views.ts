/**
 * Small views of large buffers. A clone of a view takes its whole buffer along: 8 KiB for three bytes in Node's pool.
 * Such views are made again over copies of what they cover. Views that share a buffer go on sharing one.
 */
import { types } from 'node:util'
import { attempt } from '../errors.js'
import { faultOf, isObject, kindOf } from './kinds.js'

/** Views that cover a smaller share of their buffer are made again. */
const MIN_SHARE = 1 / 2

/** Whether a view covers so little of its buffer that a copy of what it covers should be sent. */
export function isSmallView(view: ArrayBufferView): boolean {
  const { buffer } = view
  return view.byteLength < MIN_SHARE * buffer.byteLength && isFixed(buffer)
}

/** Shared memory is never copied; and a view of a buffer that can grow may follow its length. */
function isFixed(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return types.isArrayBuffer(buffer) && (buffer as { readonly resizable?: boolean }).resizable !== true
}

/**
 * The values, in which views of large buffers are replaced: where all the values together need less than half of a
 * buffer. A replaced value keeps what a clone would keep of it. Its other parts are not copied.
 *
 * The needed parts of a buffer go into one new buffer: a thousand slices of a block do not become a thousand blocks.
 *
 * @param moved Buffers that are moved as they are. Their views stay.
 */
export function withoutSmallViews(values: readonly unknown[], moved: readonly ArrayBuffer[] = []): readonly unknown[] {
  const held = values.map(viewsIn)
  // A buffer that stands by itself is left alone, too.
  const places = placesOf([...held.flat(), ...moved])
  if (places.size === 0) return values
  return values.map((value, at) => {
    if (!held[at]?.some((view) => places.has(view as ArrayBufferView))) return value
    // It fails with a getter that throws, or a value that nests too deeply: packing finds that out and says so.
    return attempt(() => new Copying(places).copy(value)) ?? value
  })
}

/** Where a view is made again. */
type Place = readonly [buffer: ArrayBuffer, offset: number]

/** New places for the views whose buffers are not needed as a whole. @param parts Views, and buffers that are. */
function placesOf(parts: readonly (ArrayBufferView | ArrayBufferLike)[]): ReadonlyMap<ArrayBufferView, Place> {
  const byBuffer = new Map<ArrayBufferLike, ArrayBufferView[]>()
  for (const part of parts) {
    if (!ArrayBuffer.isView(part)) continue
    const views = byBuffer.get(part.buffer)
    if (views === undefined) byBuffer.set(part.buffer, [part])
    else views.push(part)
  }
  for (const part of parts) if (!ArrayBuffer.isView(part)) byBuffer.delete(part)
  const places = new Map<ArrayBufferView, Place>()
  for (const [buffer, views] of byBuffer) {
    if (totalOf(views) >= MIN_SHARE * buffer.byteLength || !isFixed(buffer)) continue
    const { length, runs, offsets } = layOut(views)
    const bytes = new Uint8Array(length)
    for (const { start, end, shift } of runs) bytes.set(new Uint8Array(buffer, start, end - start), start + shift)
    for (const [view, offset] of offsets) places.set(view, [bytes.buffer, offset])
  }
  return places
}

function totalOf(views: readonly ArrayBufferView[]): number {
  return views.reduce((total, { byteLength }) => total + byteLength, 0)
}

interface Layout {
  /** Of the new buffer, in bytes. */
  readonly length: number
  /** Ranges of the buffer, and by how much they move. */
  readonly runs: readonly Run[]
  readonly offsets: ReadonlyMap<ArrayBufferView, number>
}

interface Run {
  readonly start: number
  end: number
  readonly shift: number
}

function layOut(views: readonly ArrayBufferView[]): Layout {
  const step = Math.max(...new Set(views.map(elementSize)))
  const offsets = new Map<ArrayBufferView, number>()
  const runs: Run[] = []
  let length = 0
  for (const view of [...views].sort((a, b) => a.byteOffset - b.byteOffset)) {
    const { byteOffset: start, byteLength } = view
    let run = runs.at(-1)
    if (run === undefined || start > run.end) {
      // Elements of several bytes must stay at multiples of their size.
      run = { start, end: start, shift: length - start + ((((start - length) % step) + step) % step) }
      runs.push(run)
    }
    run.end = Math.max(run.end, start + byteLength)
    length = run.end + run.shift
    offsets.set(view, start + run.shift)
  }
  return { length, runs, offsets }
}

/** The views and the buffers in a value. None if it may hold objects that `Copying` does not copy. */
function viewsIn(value: unknown): readonly (ArrayBufferView | ArrayBufferLike)[] {
  if (!isObject(value)) return []
  if (Object.getPrototypeOf(value) === Buffer.prototype && ArrayBuffer.isView(value)) return [value]
  const found: (ArrayBufferView | ArrayBufferLike)[] = []
  const seen = new Set<object>([value])
  try {
    for (const part of seen) {
      if (types.isProxy(part) || faultOf(part) !== undefined) return []
      if (ArrayBuffer.isView(part) || types.isAnyArrayBuffer(part)) found.push(part)
      else if (types.isNativeError(part)) {
        if (Object.hasOwn(part, 'cause') && isObject(part.cause)) return []
      } else for (const inner of partsOf(part)) if (isObject(inner)) seen.add(inner)
    }
  } catch {
    return []
  }
  return found
}

/** How `Copying` copies an object; undefined if it does not. */
function formOf(object: object): 'array' | 'map' | 'set' | 'fields' | 'bare' | undefined {
  if (Array.isArray(object)) return 'array'
  const prototype = Object.getPrototypeOf(object) as object | null
  if (prototype === null) return 'bare'
  if (prototype === Object.prototype) return 'fields'
  const { is } = kindOf(object, prototype)
  return is === 'plain' ? 'fields' : is === 'array' || is === 'map' || is === 'set' || is === 'fields' ? is : undefined
}

function partsOf(object: object): Iterable<unknown> {
  switch (formOf(object)) {
    case 'map':
      return entriesOf(object).flat()
    case 'set':
      return elementsOf(object)
    case undefined:
      return []
    default:
      return Object.values(object) as unknown[]
  }
}

function entriesOf(map: object): (readonly [unknown, unknown])[] {
  return [...Map.prototype.entries.call(map)] as [unknown, unknown][]
}

function elementsOf(set: object): unknown[] {
  return [...Set.prototype.values.call(set)] as unknown[]
}

/** Copies a value, except parts that have no parts themselves, and makes its views again. */
class Copying {
  readonly #places: ReadonlyMap<ArrayBufferView, Place>
  readonly #copies = new Map<object, object>()

  constructor(places: ReadonlyMap<ArrayBufferView, Place>) {
    this.#places = places
  }

  copy(value: unknown): unknown {
    if (!isObject(value)) return value
    const copy = this.#copies.get(value)
    if (copy !== undefined) return copy
    if (!ArrayBuffer.isView(value)) return this.#copyParts(value)
    const place = this.#places.get(value)
    if (place === undefined) return value
    const view = viewLike(value, ...place)
    this.#copies.set(value, view)
    return view
  }

  #copyParts(whole: object): object {
    const form = formOf(whole)
    switch (form) {
      case undefined:
        return whole
      case 'map': {
        const map = this.#keep(whole, new Map<unknown, unknown>())
        for (const [key, value] of entriesOf(whole)) map.set(this.copy(key), this.copy(value))
        return map
      }
      case 'set': {
        const set = this.#keep(whole, new Set<unknown>())
        for (const value of elementsOf(whole)) set.add(this.copy(value))
        return set
      }
    }
    const copy = this.#keep(whole, emptyLike(whole, form))
    for (const key of Object.keys(whole)) {
      const value = this.copy((whole as Record<string, unknown>)[key])
      // Not set: the key may be `__proto__`.
      Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true })
    }
    return copy
  }

  #keep<T extends object>(whole: object, copy: T): T {
    this.#copies.set(whole, copy)
    return copy
  }
}

function emptyLike(whole: object, form: 'array' | 'fields' | 'bare'): object {
  if (form === 'bare') return Object.create(null) as object
  if (form === 'fields') return {}
  const array: unknown[] = []
  array.length = (whole as readonly unknown[]).length
  return array
}

type ViewClass = (new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView) & {
  readonly BYTES_PER_ELEMENT?: number
}

function viewLike(view: ArrayBufferView, buffer: ArrayBuffer, offset: number): ArrayBufferView {
  const length = view.byteLength / elementSize(view)
  if (Object.getPrototypeOf(view) === Buffer.prototype) return Buffer.from(buffer, offset, length)
  return new (classOf(view))(buffer, offset, length)
}

function elementSize(view: ArrayBufferView): number {
  return classOf(view).BYTES_PER_ELEMENT ?? 1
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with a view.
const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined

/** The class of the language that a view is of, or that its class extends. */
function classOf(view: ArrayBufferView): ViewClass {
  const name = typedArrayName.call(view) ?? 'DataView'
  return (globalThis as unknown as Record<string, ViewClass>)[name]
}
