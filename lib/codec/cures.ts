/** What to do about an object that cannot be copied to another thread, as the end of an error text. */
import { types } from 'node:util'
import { nameOf } from './kinds.js'

export interface Cure {
  readonly item: string
  readonly result: string
}

/** By the names of their classes. */
const CURES: Readonly<Record<string, Cure | undefined>> = {
  URL: both('its href'),
  URLSearchParams: both('its text: String(params)'),
  Headers: both('its entries: [...headers]'),
  FormData: both('its entries: [...form]'),
  Request: both('its url, method, entries of headers, and body (await request.arrayBuffer())'),
  Response: both('its status, entries of headers, and body (await response.arrayBuffer())'),
  File: both('its name, and its content as a Blob (new Blob([file]))'),
  DOMException: both('its name and message'),
  AbortSignal: { item: 'leave it out: a task gets a signal in its context', result: 'return signal.aborted' },
  AbortController: { item: 'leave it out: a task gets a signal in its context', result: 'return signal.aborted' },
  WeakMap: both('a Map'),
  WeakSet: both('a Set'),
  WeakRef: both('what it refers to'),
}

const ELEMENTS: Cure = {
  item: 'send an array of its elements, or open it inside the task',
  result: 'return an array of its elements, or give them one by one with flatMap()',
}
const PROMISE: Cure = { item: 'await it, and send its value', result: 'await it, and return its value' }
const INSTANCE: Cure = {
  item: 'send plain data, and make the instance inside the task',
  result: 'return plain data, and make the instance on the thread that receives it',
}

/** Undefined where there is nothing special to do. */
export function cureOf(value: object): Cure | undefined {
  const known = Object.hasOwn(CURES, nameOf(value)) ? CURES[nameOf(value)] : undefined
  if (known !== undefined) return known
  if (types.isPromise(value)) return PROMISE
  if (types.isNativeError(value) || types.isBoxedPrimitive(value)) return undefined
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return undefined
  return isIterable(value) ? ELEMENTS : INSTANCE
}

function isIterable(value: object): boolean {
  if (Array.isArray(value) || types.isMap(value) || types.isSet(value)) return false
  return (
    typeof Reflect.get(value, Symbol.iterator) === 'function' ||
    typeof Reflect.get(value, Symbol.asyncIterator) === 'function'
  )
}

function both(what: string): Cure {
  return { item: `send ${what}`, result: `return ${what}` }
}
