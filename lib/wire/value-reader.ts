/** Reads values by the grammar of `format.ts`. It makes objects of classes of the language alone, and calls no others. */
import { MAX_DEPTH } from '../codec/limits.js'
import { attempt, withoutStack } from '../errors.js'
import type { ByteReader } from './byte-reader.js'
import { CollisionCheck } from './collisions.js'
import { ERRORS, FLAGS, HAS, MAX_HOLES, TAG } from './format.js'
import { VIEWS } from './views.js'

const MAX_LENGTH = 2 ** 32 - 1
const MAX_INT32 = 2 ** 31 - 1

/** Objects of more keys get them one by one. A template makes room for all, before their values are read. */
const MAX_TEMPLATE = 64

interface Shape {
  readonly keys: readonly string[]
  /** Has all the keys. In a copy of it, a key such as '__proto__' is data. Made for the second object. */
  template: Readonly<Record<string, unknown>> | undefined
  isUsed: boolean
}

/** One scope: its objects are numbered together. */
export class ValueReader {
  readonly #in: ByteReader
  readonly #objects: object[] = []
  readonly #shapes: Shape[] = []

  constructor(input: ByteReader) {
    this.#in = input
  }

  /** @param depth How deep the value stands in what holds it. */
  read(depth = 0): unknown {
    const tag = this.#in.u8()
    return tag === TAG.integer ? this.#integer() : this.#tagged(tag, depth)
  }

  #tagged(tag: number, depth: number): unknown {
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.null:
        return null
      case TAG.false:
        return false
      case TAG.true:
        return true
      case TAG.number:
        return this.#in.f64()
      case TAG.string:
        return this.#in.string()
      case TAG.bigint:
        return this.#bigint()
      case TAG.reference:
        return this.#reference()
      case TAG.hole:
        throw this.#in.fault('a hole is not in an array')
      default:
        if (depth >= MAX_DEPTH) throw this.#in.fault(`a value stands more than ${MAX_DEPTH} levels deep`)
        return this.#object(tag, depth + 1)
    }
  }

  #integer(): number {
    const code = this.#in.varint()
    const value = code % 2 === 0 ? code / 2 : -(code + 1) / 2
    if (value > MAX_INT32 || value < -MAX_INT32 - 1) throw this.#in.fault('an integer has more than 32 bits')
    return value
  }

  #bigint(): bigint {
    const isNegative = this.#in.choice('sign', 1) === 1
    const bytes = new Uint8Array(this.#in.bytes()).reverse()
    if (bytes[0] === 0 || (bytes.length === 0 && isNegative)) throw this.#in.fault('a bigint is longer than needed')
    const value = bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes.buffer).toString('hex')}`)
    return isNegative ? -value : value
  }

  #reference(): object {
    const object = this.#objects[this.#in.varint()]
    if (object === undefined) throw this.#in.fault('a reference is to no object before it')
    return object
  }

  #object(tag: number, depth: number): object {
    const input = this.#in
    input.countObjects(1)
    switch (tag) {
      case TAG.object:
        return this.#fields(depth)
      case TAG.bare:
        return this.#bare(depth)
      case TAG.array:
        return this.#array(depth)
      case TAG.sparse:
        return this.#sparse(depth)
      case TAG.date:
        return this.#enter(new Date(input.f64()))
      case TAG.expression:
        return this.#enter(this.#expression())
      case TAG.map:
        return this.#map(depth)
      case TAG.set:
        return this.#set(depth)
      case TAG.buffer:
        return this.#enter(this.#buffer())
      case TAG.view:
        return this.#enter(this.#view())
      case TAG.box:
        return this.#box()
      case TAG.error:
        return this.#error(depth)
      default:
        throw input.fault(`there is no value with tag ${tag}`)
    }
  }

  /** Numbers an object. */
  #enter<T extends object>(object: T): T {
    this.#objects.push(object)
    return object
  }

  #bare(depth: number): object {
    const tag = this.#in.u8()
    if (tag !== TAG.object && tag !== TAG.array && tag !== TAG.sparse) throw this.#in.fault('it has a prototype')
    return Object.setPrototypeOf(this.#object(tag, depth), null) as object
  }

  #fields(depth: number): object {
    const shape = this.#shape()
    const { keys } = shape
    this.#in.assertLeft(keys.length)
    if (shape.isUsed && keys.length <= MAX_TEMPLATE) {
      shape.template ??= Object.fromEntries(keys.map((key) => [key, undefined]))
    }
    shape.isUsed = true
    const { template } = shape
    const object: Record<string, unknown> = this.#enter({ ...template })
    for (const key of keys) {
      const value = this.read(depth)
      if (template === undefined && key === '__proto__') define(object, key, value, true)
      else object[key] = value
    }
    return object
  }

  #shape(): Shape {
    const number = this.#in.varint()
    if (number > 0) {
      const known = this.#shapes[number - 1]
      if (known === undefined) throw this.#in.fault('a shape is not defined before it is used')
      return known
    }
    const keys = this.#in.distinctStrings(this.#in.varint())
    const shape = { keys, template: undefined, isUsed: false }
    this.#shapes.push(shape)
    return shape
  }

  #array(depth: number): unknown[] {
    const length = this.#in.count()
    const array = this.#enter<unknown[]>([])
    for (let at = 0; at < length; at++) {
      const tag = this.#in.u8()
      if (tag === TAG.integer) array.push(this.#integer())
      else if (tag === TAG.hole) array.length = at + 1
      else array.push(this.#tagged(tag, depth))
    }
    return array
  }

  #sparse(depth: number): unknown[] {
    const input = this.#in
    const length = input.varint()
    if (length > MAX_LENGTH) throw input.fault('an array is too long')
    const array = this.#enter<unknown[]>([])
    // V8 makes room for all elements of an array, unless it has been far longer once.
    if (length > MAX_HOLES) array.length = MAX_LENGTH
    array.length = length
    const count = input.count()
    let last = -1
    for (let at = 0; at < count; at++) {
      const index = input.varint()
      if (index <= last || index >= length) throw input.fault('an index is not in its place')
      last = index
      array[index] = this.read(depth)
    }
    const { keys } = this.#shape()
    input.assertLeft(keys.length)
    for (const key of keys) {
      if (Object.hasOwn(array, key) || isIndex(key)) throw input.fault('an index is a named property')
      define(array, key, this.read(depth), true)
    }
    return array
  }

  #expression(): RegExp {
    const source = this.#in.string()
    const bits = this.#in.u8()
    const flags = FLAGS.map(([flag], place) => ((bits >> place) & 1 ? flag : '')).join('')
    if (!this.#in.expressions.take(source, flags)) throw this.#in.fault('its regular expressions are too costly')
    const expression = attempt(() => new RegExp(source, flags))
    if (expression === undefined) throw this.#in.fault('a regular expression is not valid')
    return expression
  }

  #map(depth: number): Map<unknown, unknown> {
    const count = this.#in.u32()
    this.#in.assertLeft(2 * count)
    const map = this.#enter(new Map<unknown, unknown>())
    const collisions = new CollisionCheck(count)
    for (let at = 0; at < count; at++) {
      const key = this.read(depth)
      if (!collisions.accepts(key)) throw this.#in.fault('keys of a map were chosen to collide')
      map.set(key, this.read(depth))
    }
    return map
  }

  #set(depth: number): Set<unknown> {
    const count = this.#in.u32()
    this.#in.assertLeft(count)
    const set = this.#enter(new Set())
    const collisions = new CollisionCheck(count)
    for (let at = 0; at < count; at++) {
      const element = this.read(depth)
      if (!collisions.accepts(element)) throw this.#in.fault('elements of a set were chosen to collide')
      set.add(element)
    }
    return set
  }

  #buffer(): ArrayBuffer {
    const length = this.#in.varint()
    this.#in.pad(8)
    return new Uint8Array(this.#in.raw(length)).buffer
  }

  #view(): ArrayBufferView {
    const kind = VIEWS[this.#in.u8()]
    if (kind === undefined) throw this.#in.fault('a view is of no kind that this version of Node has')
    const buffer = this.#bufferOfView()
    const offset = this.#in.varint()
    const length = this.#in.varint()
    if (offset % kind.size !== 0 || offset + length * kind.size > buffer.byteLength) {
      throw this.#in.fault('a view leaves its buffer')
    }
    return kind.make(buffer, offset, length)
  }

  #bufferOfView(): ArrayBuffer {
    const tag = this.#in.u8()
    if (tag === TAG.buffer) {
      this.#in.countObjects(1)
      return this.#enter(this.#buffer())
    }
    const buffer = tag === TAG.reference ? this.#reference() : undefined
    if (!(buffer instanceof ArrayBuffer)) throw this.#in.fault('a view has no buffer')
    return buffer
  }

  #box(): object {
    const number = this.#objects.length
    this.#objects.push(NOTHING)
    const value = this.read(MAX_DEPTH)
    if (value === undefined || value === null || typeof value === 'object')
      throw this.#in.fault('a box holds no primitive')
    return (this.#objects[number] = Object(value) as object)
  }

  #error(depth: number): Error {
    const input = this.#in
    const Class = ERRORS[input.choice('class of errors', ERRORS.length - 1)] ?? Error
    const parts = input.choice('part of an error', HAS.message | HAS.stack | HAS.cause)
    const message = parts & HAS.message ? input.string() : undefined
    const error = this.#enter(withoutStack(() => new Class(message)))
    define(error, 'stack', parts & HAS.stack ? input.string() : undefined, false)
    if (parts & HAS.cause) define(error, 'cause', this.read(depth), false)
    return error
  }
}

/** In the place of an object that is not read yet. */
const NOTHING = {}

function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true })
}

function isIndex(key: string): boolean {
  const index = Number(key)
  return index >>> 0 === index && index < MAX_LENGTH && String(index) === key
}
