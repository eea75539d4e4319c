/**
 * Writes values by the grammar of `format.ts`: all that `structuredClone()` takes, except what other machines cannot
 * have. Unlike a clone, a Buffer stays a Buffer, and an object without a prototype stays one, as between threads.
 */
import { types } from 'node:util'
import { unclonablePart } from '../codec/clonable.js'
import { elementsOf } from '../codec/elements.js'
import { kindOf, nameOf } from '../codec/kinds.js'
import { MAX_DEPTH } from '../codec/limits.js'
import { isRecord } from '../codec/shapes.js'
import { attempt, NotSerializableError, received } from '../errors.js'
import { TooLargeError, type ByteWriter } from './byte-writer.js'
import { CollisionCheck } from './collisions.js'
import { ERRORS, HAS, MAX_HOLES, TAG } from './format.js'
import { bytesOf, expressionOf, unboxed } from './odd-objects.js'
import { pathOf, type Part } from './path.js'
import { ShapeList } from './shape-list.js'
import { UnfitError } from './unfit.js'
import { viewPlace, VIEWS } from './views.js'

const MAX_INDEX = 2 ** 32 - 2

/** One scope: its objects are numbered together. */
export class ValueWriter {
  readonly #out: ByteWriter
  readonly #numbers = new Map<object, number>()
  readonly #shapes = new ShapeList()
  /** The way from the value to what is being written. */
  readonly #parts: Part[] = []
  #depth = 0

  constructor(out: ByteWriter) {
    this.#out = out
  }

  /**
   * @param name What to call the value in an error.
   * @param depth How deep it stands in what holds it.
   * @throws NotSerializableError for a part that cannot be written: it names its path. TooLargeError.
   */
  write(value: unknown, name: string, depth = 0): void {
    this.#depth = depth
    this.#parts.length = 0
    try {
      this.#value(value)
    } catch (cause) {
      if (cause instanceof TooLargeError) throw cause
      throw new NotSerializableError(`Cannot send a value to another machine as ${this.#faultText(name, cause)}`, {
        cause,
      })
    }
  }

  #faultText(name: string, cause: unknown): string {
    const path = pathOf(name, this.#parts)
    if (!(cause instanceof UnfitError)) return `${path} cannot be read: it threw ${received(cause)}`
    // Such as a function inside it.
    const part = cause.object === undefined ? undefined : unclonablePart(cause.object, path)
    return part ?? `${path} ${cause.message}`
  }

  #value(value: unknown): void {
    const out = this.#out
    switch (typeof value) {
      case 'undefined':
        out.u8(TAG.undefined)
        return
      case 'boolean':
        out.u8(value ? TAG.true : TAG.false)
        return
      case 'number':
        this.#number(value)
        return
      case 'string':
        out.u8(TAG.string)
        out.string(value)
        return
      case 'bigint':
        this.#bigint(value)
        return
      case 'object':
        if (value === null) out.u8(TAG.null)
        else this.#object(value)
        return
      default:
        throw new UnfitError(`is a ${typeof value}`)
    }
  }

  #number(value: number): void {
    const out = this.#out
    if ((value | 0) === value && !Object.is(value, -0)) {
      out.u8(TAG.integer)
      out.varint(value < 0 ? -2 * value - 1 : 2 * value)
    } else {
      out.u8(TAG.number)
      out.f64(value)
    }
  }

  #bigint(value: bigint): void {
    const out = this.#out
    out.u8(TAG.bigint)
    out.u8(value < 0n ? 1 : 0)
    const digits = value === 0n ? '' : (value < 0n ? -value : value).toString(16)
    out.bytes(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex').reverse())
  }

  #object(object: object): void {
    const number = this.#numbers.get(object)
    if (number !== undefined) {
      this.#out.u8(TAG.reference)
      this.#out.varint(number)
      return
    }
    if (types.isProxy(object)) throw new UnfitError('is a Proxy')
    if (this.#depth >= MAX_DEPTH) throw new UnfitError(`stands more than ${MAX_DEPTH} levels deep`)
    this.#depth++
    const level = this.#parts.length
    this.#contents(object, level)
    this.#parts.length = level
    this.#depth--
  }

  /** @param level Where in `#parts` the part stands that is being written. */
  #contents(object: object, level: number): void {
    if (Object.getPrototypeOf(object) === null) this.#out.u8(TAG.bare)
    if (Array.isArray(object)) this.#array(object, level)
    else if (isRecord(object)) this.#fields(object, level)
    else if (ArrayBuffer.isView(object)) this.#view(object, level)
    else if (types.isDate(object)) {
      this.#enter(object, TAG.date)
      this.#out.f64(Date.prototype.getTime.call(object))
    } else if (types.isMap(object)) this.#map(object, level)
    else if (types.isSet(object)) this.#set(object, level)
    else if (types.isNativeError(object)) this.#error(object, level)
    else if (types.isRegExp(object)) this.#expression(object)
    else if (types.isAnyArrayBuffer(object)) this.#buffer(object)
    else if (types.isBoxedPrimitive(object)) {
      const value = unboxed(object)
      this.#enter(object, TAG.box)
      this.#value(value)
    } else if (arrivesAsFields(object)) this.#fields(object, level)
    else throw new UnfitError(`is an instance of ${nameOf(object)}`, object)
  }

  /** Numbers an object, and writes its tag. */
  #enter(object: object, tag: number): void {
    this.#out.countObjects(1)
    this.#numbers.set(object, this.#numbers.size)
    this.#out.u8(tag)
  }

  #fields(object: object, level: number): void {
    this.#enter(object, TAG.object)
    this.#named(object, Object.keys(object), level)
  }

  /** The keys, and then the values. */
  #named(object: object, keys: readonly string[], level: number): void {
    const shape = this.#shapes.find(keys)
    this.#out.varint(shape)
    if (shape === 0) {
      this.#out.varint(keys.length)
      for (const key of keys) this.#out.string(key)
    }
    for (const key of keys) {
      this.#parts[level] = key
      this.#value(Reflect.get(object, key))
    }
  }

  #array(array: readonly unknown[], level: number): void {
    const { length } = array
    if (elementsOf(array, Infinity) !== undefined) {
      this.#enter(array, TAG.array)
      this.#out.varint(length)
      for (let at = 0; at < length; at++) this.#element(array, at, level)
      return
    }
    const keys = Object.keys(array)
    // The indices come first, in their order.
    const count = keys.findIndex((key) => !isIndex(key))
    const filled = count < 0 ? keys.length : count
    if (filled === keys.length && length - filled <= Math.max(filled, MAX_HOLES)) {
      this.#enter(array, TAG.array)
      this.#out.varint(length)
      for (let at = 0; at < length; at++) {
        if (Object.prototype.propertyIsEnumerable.call(array, at)) this.#element(array, at, level)
        else this.#out.u8(TAG.hole)
      }
      return
    }
    this.#enter(array, TAG.sparse)
    this.#out.varint(length)
    this.#out.varint(filled)
    for (const key of keys.slice(0, filled)) {
      this.#out.varint(Number(key))
      this.#element(array, Number(key), level)
    }
    this.#named(array, keys.slice(filled), level)
  }

  #element(array: readonly unknown[], at: number, level: number): void {
    this.#parts[level] = at
    this.#value(array[at])
  }

  /** A copy of the entries first: reading one may call code of the user, which changes the map. */
  #map(map: ReadonlyMap<unknown, unknown>, level: number): void {
    const entries = [...Map.prototype.entries.call(map)]
    assertSpread(entries.map(([key]): unknown => key))
    this.#enter(map, TAG.map)
    this.#out.u32(entries.length)
    for (const [at, [key, value]] of entries.entries()) {
      this.#parts[level] = { kind: 'map key', key: at }
      this.#value(key)
      this.#parts[level] = { kind: 'map value', key }
      this.#value(value)
    }
  }

  #set(set: ReadonlySet<unknown>, level: number): void {
    const elements = [...Set.prototype.values.call(set)]
    assertSpread(elements)
    this.#enter(set, TAG.set)
    this.#out.u32(elements.length)
    for (const [at, element] of elements.entries()) {
      this.#parts[level] = { kind: 'element', key: at }
      this.#value(element)
    }
  }

  #expression(expression: RegExp): void {
    const { source, flags } = expressionOf(expression)
    if (!this.#out.expressions.take(source, flags.text)) throw new UnfitError('is too costly a regular expression')
    this.#enter(expression, TAG.expression)
    this.#out.string(source)
    this.#out.u8(flags.bits)
  }

  #buffer(buffer: ArrayBufferLike): void {
    const bytes = bytesOf(buffer)
    this.#enter(buffer, TAG.buffer)
    this.#out.varint(bytes.length)
    this.#out.pad(8)
    this.#out.raw(bytes)
  }

  /** The view is numbered behind its buffer. */
  #view(view: ArrayBufferView, level: number): void {
    const { buffer, byteOffset, byteLength } = view
    bytesOf(buffer)
    const place = viewPlace(view)
    this.#out.u8(TAG.view)
    this.#out.u8(place)
    this.#parts[level] = 'buffer'
    // It does not count as a level.
    this.#depth--
    this.#object(buffer)
    this.#depth++
    this.#out.countObjects(1)
    this.#numbers.set(view, this.#numbers.size)
    this.#out.varint(byteOffset)
    this.#out.varint(byteLength / (VIEWS[place]?.size ?? 1))
  }

  /** What a clone keeps: its class, if it is of the language, message, stack and cause. */
  #error(error: Error, level: number): void {
    // Unlike String(), this refuses a symbol, as a clone does.
    const name = ''.concat(error.name)
    const message = dataOf(error, 'message')
    const stack: unknown = Reflect.get(error, 'stack')
    const cause = dataOf(error, 'cause')
    const messageText = message === undefined ? '' : ''.concat(message.value as string)
    const place = ERRORS.findIndex(({ name: known }) => known === name)
    this.#enter(error, TAG.error)
    this.#out.u8(Math.max(0, place))
    this.#out.u8(
      (message === undefined ? 0 : HAS.message) |
        (typeof stack === 'string' ? HAS.stack : 0) |
        (cause === undefined ? 0 : HAS.cause),
    )
    if (message !== undefined) this.#out.string(messageText)
    if (typeof stack === 'string') this.#out.string(stack)
    if (cause === undefined) return
    this.#parts[level] = 'cause'
    this.#value(cause.value)
  }
}

/** Whether an object arrives as its fields. What a class of Node or the user is shows when one of them is cloned. */
function arrivesAsFields(object: object): boolean {
  const prototype = Object.getPrototypeOf(object) as object | null
  const is = prototype === null ? 'plain' : kindOf(object, prototype).is
  if (is === 'shared') throw new UnfitError(`is a ${nameOf(object)}, which other machines cannot share`)
  if (is === 'whole') return false
  if (is === 'fields' || (is === 'plain' && !isTagged(object))) return true
  // Arguments, a module, or an object that has the prototype of another kind.
  return attempt(() => structuredClone(object)) !== undefined
}

function isTagged(object: object): boolean {
  return Reflect.get(object, Symbol.iterator) !== undefined || Reflect.get(object, Symbol.toStringTag) !== undefined
}

function isIndex(key: string): boolean {
  const index = Number(key)
  return index >>> 0 === index && index <= MAX_INDEX && String(index) === key
}

/** A field that is no getter. */
function dataOf(object: object, key: string): PropertyDescriptor | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  return descriptor !== undefined && 'value' in descriptor ? descriptor : undefined
}

/** A reader takes keys that collide for an attack. */
function assertSpread(keys: readonly unknown[]): void {
  const collisions = new CollisionCheck(keys.length)
  if (!keys.every((key) => collisions.accepts(key))) throw new UnfitError('holds numbers of which too many collide')
}
