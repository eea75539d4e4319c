/**
 * Looks at what a task threw. It may be anything: a proxy, a getter or a prototype that throws when it is touched.
 * Nothing here throws.
 */
import { types } from 'node:util'
import { attempt, isErrorObject, received } from '../../errors.js'
import { shortened } from '../clonable.js'
import { BUILT_IN, errorClassName } from '../error-classes.js'

/** Properties that have a separate place in an encoded error. */
const APART = new Set(['name', 'message', 'stack'])
/** Properties that are carried although they are not enumerable. */
const HIDDEN = new Set(['cause', 'errors', 'error', 'suppressed', 'code', 'errno', 'syscall', 'path'])
/** Properties that are carried although only the class has them: the class stays behind. */
const INHERITED = ['cause', 'errors', 'code']
const MAX_TEXT_LENGTH = 200

export function isError(value: unknown): value is object {
  return attempt(() => isErrorObject(value)) === true
}

/** An array without holes or properties besides its elements; others are left to structured clone. */
export function isDense(value: unknown): value is object {
  return !types.isProxy(value) && Array.isArray(value) && Object.keys(value).length === value.length
}

/** The names of its classes, the nearest first. Every realm has the last one. */
export function kindsOf(error: object): string[] {
  const kinds: string[] = []
  try {
    const chain: object[] = []
    for (let at = prototypeOf(error); at !== null; at = prototypeOf(at)) {
      const kind = errorClassName(at)
      if (kind !== undefined) kinds.push(kind)
      if (kind !== undefined && Object.hasOwn(BUILT_IN, kind)) return kinds
      chain.push(at)
    }
    // The classes of another realm are others, with the same names.
    for (const at of chain) {
      const name: unknown = Object.getOwnPropertyDescriptor(at, 'name')?.value
      if (typeof name === 'string' && Object.hasOwn(BUILT_IN, name)) return [...kinds, name]
    }
  } catch {
    // A proxy that does not show its prototype.
  }
  return [...kinds, 'Error']
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null
}

export function messageOf(error: object): string | undefined {
  const message = read(error, 'message')?.value
  switch (typeof message) {
    case 'string':
      return message === '' && descriptorOf(error, 'message') === undefined ? undefined : message
    case 'undefined':
      return undefined
    case 'object':
    case 'function':
      return shown(message)
    default:
      return String(message)
  }
}

export function shown(value: unknown): string {
  return shortened(received(value), MAX_TEXT_LENGTH)
}

export function keysOf(error: object, kind: string): Map<string, boolean> {
  const keys = new Map<string, boolean>()
  for (const key of attempt(() => Object.getOwnPropertyNames(error)) ?? []) {
    const descriptor = APART.has(key) ? undefined : descriptorOf(error, key)
    // As in a native error, a cause is hidden, however it was set.
    if (descriptor?.enumerable === true) keys.set(key, key === 'cause')
    else if (descriptor !== undefined && HIDDEN.has(key)) keys.set(key, true)
  }
  for (const key of INHERITED) {
    // A DOMException has its code from its name.
    if (keys.has(key) || (kind === 'DOMException' && key === 'code')) continue
    const value = read(error, key)?.value
    if (value !== undefined && typeof value !== 'function') keys.set(key, true)
  }
  return keys
}

function descriptorOf(error: object, key: string): PropertyDescriptor | undefined {
  return attempt(() => Object.getOwnPropertyDescriptor(error, key))
}

/** Undefined when reading throws. */
export function read(from: object, key: string): { value: unknown } | undefined {
  return attempt(() => ({ value: Reflect.get(from, key) as unknown }))
}
