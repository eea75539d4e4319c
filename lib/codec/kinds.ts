/**
 * How objects are cloned that are neither plain objects nor plain arrays. The first object of each prototype shows it.
 * Objects that would arrive empty, or without their private state, are refused.
 */
import { EventEmitter } from 'node:events'
import { types } from 'node:util'
import { attempt } from '../errors.js'
import { decodeFrame, encodeFrame } from './frame.js'
import { isShared } from './shared-objects.js'
import { privateFieldOf } from './private-fields.js'

export interface Kind {
  /**
   * How to go through it. `'fields'`: by its own enumerable fields, which is all that arrives. `'block'`: an
   * ArrayBuffer. `'plain'`: a plain object of another realm. `'whole'`: no parts that matter. `'shared'`: an object
   * that threads share.
   */
  readonly is:
    'array' | 'block' | 'buffer' | 'date' | 'error' | 'fields' | 'map' | 'plain' | 'set' | 'shared' | 'view' | 'whole'
  /** Whether its class is another one, which extends that class. */
  readonly isExtended: boolean
  /** Why it must not be sent, such as "which would arrive empty". */
  readonly fault: string | undefined
  /** Whether only threads can send it to each other: on a pipe to a process it would lose its class, as a `Blob` does. */
  readonly isForThreads?: boolean
}

const WHOLE: Kind = { is: 'whole', isExtended: false, fault: undefined }
const FOR_THREADS: Kind = { ...WHOLE, isForThreads: true }
const EMPTY = 'which would arrive empty'

/** By prototype. */
const known = new WeakMap<object, Kind>()

export function kindOf(value: object, prototype: object): Kind {
  return known.get(prototype) ?? find(value, prototype)
}

/** Why an object must not be sent: undefined if it may be, as far as itself is concerned. */
export function faultOf(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return undefined
  return faultOfKind(value, kindOf(value, prototype))
}

export function faultOfKind(value: object, kind: Kind): string | undefined {
  switch (kind.is) {
    case 'fields':
      return hasFields(value) ? kind.fault : EMPTY
    case 'date':
      return types.isDate(value) ? faultOfExtended(value, kind) : EMPTY
    case 'map':
      return types.isMap(value) ? faultOfExtended(value, kind) : EMPTY
    case 'set':
      return types.isSet(value) ? faultOfExtended(value, kind) : EMPTY
    default:
      return faultOfExtended(value, kind)
  }
}

/** A clone of a built-in object lacks its other fields. That matters if a class keeps its state in them. */
function faultOfExtended(value: object, { is, isExtended, fault }: Kind): string | undefined {
  if (fault !== undefined || !isExtended || is === 'array' || is === 'error') return fault
  const own = Object.keys(value).find((key) => !/^\d+$/.test(key))
  return own === undefined ? undefined : `whose field '${own}' would be lost`
}

function hasFields(value: object): boolean {
  for (const key in value) if (Object.hasOwn(value, key)) return true
  return false
}

function find(value: object, prototype: object): Kind {
  const kind = judge(value, prototype)
  // It cannot be cloned, which shows when it is sent. Another object of its class may be fine.
  if (kind === undefined) return WHOLE
  known.set(prototype, kind)
  return kind
}

function judge(value: object, prototype: object): Kind | undefined {
  if (isShared(value)) return { is: 'shared', isExtended: false, fault: undefined }
  const is = builtIn(value, prototype)
  if (is !== undefined) {
    const isExtended = is !== 'buffer' && !isNative(prototype)
    const field = isExtended && is !== 'error' ? privateFieldOf(prototype) : undefined
    return { is, isExtended, fault: lost(field) }
  }
  if (isNative(prototype) && Object.getPrototypeOf(prototype) === null) return { ...WHOLE, is: 'plain' }
  const clone = attempt(() => structuredClone(value))
  return clone && judgeClone(value, prototype, clone)
}

/** Judges an object of a class of Node or the user by its clone. */
function judgeClone(value: object, prototype: object, clone: object): Kind {
  if (Object.prototype.isPrototypeOf.call(prototype, clone)) return keepsClass(clone, prototype) ? WHOLE : FOR_THREADS
  let fault = lost(privateFieldOf(prototype))
  if (isEmitter(value)) fault = 'whose listeners would be lost'
  const name = nameOf(clone)
  return name === 'Object'
    ? { is: 'fields', isExtended: false, fault }
    : { ...WHOLE, fault: `which would arrive as a ${name}` }
}

/** Whether its class survives a frame. Node 20 refuses objects that Node 22 makes plain ones of. */
function keepsClass(value: object, prototype: object): boolean {
  const copy = attempt(() => decodeFrame(encodeFrame(value)))
  return isObject(copy) && Object.prototype.isPrototypeOf.call(prototype, copy)
}

/** Whether only threads can send an object to each other, as far as its class tells. */
export function isForThreads(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return false
  return kindOf(value, prototype).isForThreads === true
}

/** Sockets, streams, ports and the like. */
export function isEmitter(value: object): boolean {
  return value instanceof EventEmitter || value instanceof EventTarget
}

function lost(field: string | undefined): string | undefined {
  return field === undefined ? undefined : `whose private field ${field} would be lost`
}

function builtIn(value: object, prototype: object): Kind['is'] | undefined {
  if (Array.isArray(value)) return 'array'
  if (ArrayBuffer.isView(value)) return prototype === Buffer.prototype ? 'buffer' : 'view'
  if (types.isArrayBuffer(value)) return 'block'
  if (types.isMap(value)) return 'map'
  if (types.isSet(value)) return 'set'
  if (types.isDate(value)) return 'date'
  if (types.isNativeError(value)) return 'error'
  if (types.isSharedArrayBuffer(value) || types.isRegExp(value) || types.isBoxedPrimitive(value)) return 'whole'
  return undefined
}

/** Whether it is the prototype of a class of the language, in whichever realm. */
function isNative(prototype: object): boolean {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof constructor === 'function' && isNativeFunction(constructor)
}

/** Whether a function is not written in JavaScript, or is bound. */
export function isNativeFunction(fn: object): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn))
}

/** The name of an object's class, as an error text gives it. */
export function nameOf(value: object): string {
  const prototype = Object.getPrototypeOf(value) as object | null
  // Iterators inherit the constructor of Object.
  const constructor: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof constructor === 'function' && constructor.name !== ''
    ? constructor.name
    : Object.prototype.toString.call(value).slice('[object '.length, -1)
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
