/**
 * The classes that an error can arrive as. They are those of the language, of this library, and of the user, registered
 * on each thread. An error crosses with names of classes. Each thread looks them up in its own list.
 */
import * as own from '../errors.js'
import { loadMultiprocessing } from '../load-multiprocessing.js'

export type ErrorClass = (abstract new (...args: never[]) => Error) & { readonly prototype: Error }

/** The classes that every realm has under the same names. */
export const BUILT_IN: Readonly<Record<string, ErrorClass>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
  DOMException,
  ...(typeof SuppressedError === 'function' && { SuppressedError }),
}

/** By the names of the exports: a bundler may rename the classes themselves. */
const OWN = Object.fromEntries(Object.entries(own).filter(([, { prototype }]) => prototype instanceof Error)) as Record<
  string,
  ErrorClass
>

interface Classes {
  readonly byName: Map<string, ErrorClass>
  readonly names: Map<object, string>
}

/** The user cannot change these. `millrace/multiprocessing` and `millrace/nats` add theirs when they are loaded. */
const fixed = listOf({ ...BUILT_IN, ...OWN })

/**
 * The prefix of the names of classes of `millrace/multiprocessing`. A thread that gets such a name loads them first.
 */
const MULTIPROCESSING = 'millrace/multiprocessing.'

/** @param entry The one that exports them. */
export function addOwnErrorClasses(
  entry: 'millrace/multiprocessing' | 'millrace/nats',
  classes: Readonly<Record<string, ErrorClass>>,
): void {
  for (const [name, Class] of Object.entries(classes)) add(fixed, `${entry}.${name}`, Class)
}

/** On `globalThis`, so that two copies of this library on one thread know the same classes of the user. */
function registered(): Classes {
  const holder = globalThis as { [REGISTRY]?: Classes }
  return (holder[REGISTRY] ??= listOf({}))
}
const REGISTRY: unique symbol = Symbol.for('millrace.error-classes')

function listOf(classes: Readonly<Record<string, ErrorClass>>): Classes {
  const list: Classes = { byName: new Map(), names: new Map() }
  for (const [name, Class] of Object.entries(classes)) add(list, name, Class)
  return list
}

function add({ byName, names }: Classes, name: string, Class: ErrorClass): void {
  byName.set(name, Class)
  names.set(Class.prototype, name)
}

export function errorClass(name: string): ErrorClass | undefined {
  if (name.startsWith(MULTIPROCESSING) && !fixed.byName.has(name)) loadMultiprocessing()
  return fixed.byName.get(name) ?? registered().byName.get(name)
}

export function errorClassName(prototype: object): string | undefined {
  return fixed.names.get(prototype) ?? registered().names.get(prototype)
}

/**
 * Adds a class of the user. A class that is evaluated again replaces the former one. @returns Why it cannot be added,
 * if so.
 */
export function addErrorClass(name: string, Class: ErrorClass): string | undefined {
  const list = registered()
  if (fixed.byName.has(name) || fixed.names.has(Class.prototype))
    return `'${name}' is a built-in class or a class of millrace: pass another { name }`
  const known = list.names.get(Class.prototype)
  if (known !== undefined && known !== name) return `it is registered as '${known}' already: register it once`
  const other = list.byName.get(name)
  if (other !== undefined && other !== Class && String(other) !== String(Class)) {
    return `another class is registered as '${name}': pass another { name }, the same on all threads`
  }
  add(list, name, Class)
  return undefined
}
