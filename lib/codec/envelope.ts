/**
 * The error envelope: what a task threw, as plain data that crosses to another thread and is rebuilt there.
 * Not for values: structured clone carries those. It alone would not do for errors, as it drops `code` and fields,
 * makes `{}` of a `DOMException`, and fails when a `cause` is a function.
 */
import { types } from 'node:util'
import * as own from '../errors.js'
import { nestsDeeperThan, shortened } from './clonable.js'

/** What was thrown, and every error it leads to; `errors[0]` is the thrown one, if it is an error. */
export interface Envelope {
  readonly thrown: Sealed
  readonly errors: readonly SealedError[]
}

/** A clone, the number of an error, or a list in which there are errors. */
export type Sealed = { readonly value: unknown } | { readonly error: number } | { readonly list: readonly Sealed[] }

/** One error of an envelope. What it refers to has a number, so that depth and cycles are no matter. */
export interface SealedError {
  readonly kind: string
  readonly name: string | undefined
  readonly message: string | undefined
  stack: string | undefined
  readonly fields: readonly SealedField[]
}

/** A property of an error; hidden means not enumerable. */
export interface SealedField {
  readonly key: string
  readonly hidden: boolean
  readonly content: Sealed
}

/** The most errors in one envelope: a getter can make a new `cause` each time it is asked, without end. */
const MOST_ERRORS = 1 << 17
/** The deepest a value may nest. The main thread reads about 1,600 levels, a worker writes four times that. */
const DEEPEST = 1000
const LONGEST_TEXT = 200

type ErrorClass = (abstract new (...args: never[]) => Error) & { readonly prototype: Error }

// The classes that an error can arrive as. By key: a bundler may rename the classes themselves.
const BUILT_IN: Readonly<Record<string, ErrorClass>> = {
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
const CLASSES: Readonly<Record<string, ErrorClass>> = {
  ...BUILT_IN,
  NotSerializableError: own.NotSerializableError,
  WorkerCrashError: own.WorkerCrashError,
  WorkerStartError: own.WorkerStartError,
  TaskLoadError: own.TaskLoadError,
  TaskTimeoutError: own.TaskTimeoutError,
  PoolClosedError: own.PoolClosedError,
  MainThreadGuardError: own.MainThreadGuardError,
  LineError: own.LineError,
}
const KINDS = new Map<object, string>(Object.entries(CLASSES).map(([kind, { prototype }]) => [prototype, kind]))

/** Properties with a place of their own in a sealed error. */
const APART = new Set(['name', 'message', 'stack'])
/** Properties that are carried even where they are not enumerable. */
const HIDDEN = new Set(['cause', 'errors', 'error', 'suppressed', 'code', 'errno', 'syscall', 'path'])
/** Properties that are carried even where only the class has them: the class stays behind. */
const INHERITED = ['cause', 'errors', 'code']

/**
 * Makes plain data of what was thrown; structured clone can always clone it. Never throws.
 * @param note Names task, item and worker; becomes the last line of the thrown error's stack.
 */
export function sealError(thrown: unknown, note?: string): Envelope {
  return new Sealing().seal(thrown, note)
}

/** Rebuilds what was thrown from a clone of its envelope. */
export function openError({ thrown, errors }: Envelope): unknown {
  const opened = errors.map(rebuilt)
  errors.forEach(({ fields }, number) => {
    for (const { key, hidden, content } of fields) define(opened[number], key, unsealed(content, opened), !hidden)
  })
  return unsealed(thrown, opened)
}

class Sealing {
  readonly #numbers = new Map<object, number>()
  // Errors wait in line to be sealed, instead of in calls: a chain of causes can be longer than the stack is deep.
  readonly #line: object[] = []

  seal(thrown: unknown, note: string | undefined): Envelope {
    const content = this.#seal(thrown) ?? this.#standIn('what was thrown', thrown)
    const errors: SealedError[] = []
    for (const error of this.#line) errors.push(this.#sealError(error))
    if ('error' in content && errors[0].stack !== undefined && note !== undefined) errors[0].stack += `\n    at ${note}`
    return { thrown: content, errors }
  }

  /** Undefined when the value cannot be carried. */
  #seal(value: unknown): Sealed | undefined {
    if (isError(value)) return this.#lineUp(value)
    switch (typeof value) {
      case 'object':
        return value === null ? { value } : cloned(value)
      case 'function':
      case 'symbol':
        return undefined
      default:
        return { value }
    }
  }

  #lineUp(error: object): Sealed {
    let number = this.#numbers.get(error)
    if (number === undefined) {
      if (this.#line.length >= MOST_ERRORS) return { value: undefined }
      number = this.#line.push(error) - 1
      this.#numbers.set(error, number)
    }
    return { error: number }
  }

  #standIn(what: string, value: unknown): Sealed {
    const error = new Error(`Cannot return ${what} as it cannot be cloned: received ${shown(value)}`)
    // Where it was made says nothing about where the value came from.
    error.stack = String(error)
    return this.#lineUp(error)
  }

  #sealError(error: object): SealedError {
    const kind = kindOf(error)
    const name = read(error, 'name')?.value
    const stack = read(error, 'stack')?.value
    const defaultName = kind === 'DOMException' ? undefined : CLASSES[kind].prototype.name
    return {
      kind,
      name: typeof name === 'string' && name !== defaultName ? name : undefined,
      message: messageOf(error),
      stack: typeof stack === 'string' ? stack : undefined,
      fields: this.#sealFields(error, kind),
    }
  }

  #sealFields(error: object, kind: string): SealedField[] {
    const fields: SealedField[] = []
    for (const [key, hidden] of keysOf(error, kind)) {
      const field = read(error, key)
      const content = field && this.#sealField(key, field.value)
      if (content !== undefined) fields.push({ key, hidden, content })
    }
    return fields
  }

  #sealField(key: string, value: unknown): Sealed | undefined {
    if (key === 'cause') return this.#seal(value) ?? this.#standIn('the cause of an error', value)
    if (key !== 'errors' || !isDense(value)) return this.#seal(value)
    const list = Object.keys(value).map((index) => {
      const error = read(value, index)?.value
      return this.#seal(error) ?? this.#standIn('one of several errors', error)
    })
    return { list }
  }
}

function isError(value: unknown): value is object {
  try {
    return types.isNativeError(value) || value instanceof Error
  } catch {
    return false
  }
}

/** An array without holes or properties besides its elements; others are left to structured clone. */
function isDense(value: unknown): value is object {
  try {
    return Array.isArray(value) && !types.isProxy(value) && Object.keys(value).length === value.length
  } catch {
    return false
  }
}

function cloned(value: object): Sealed | undefined {
  try {
    const clone: unknown = structuredClone(value)
    return nestsDeeperThan(DEEPEST, clone) ? undefined : { value: clone }
  } catch {
    return undefined
  }
}

/** The nearest class that the other thread has too. */
function kindOf(error: object): string {
  try {
    const chain: object[] = []
    for (let at = prototypeOf(error); at !== null; at = prototypeOf(at)) {
      const kind = KINDS.get(at)
      if (kind !== undefined) return kind
      chain.push(at)
    }
    // An error of another realm has none of this realm's classes, but theirs have the same names.
    for (const at of chain) {
      const name: unknown = Object.getOwnPropertyDescriptor(at, 'name')?.value
      if (typeof name === 'string' && Object.hasOwn(BUILT_IN, name)) return name
    }
  } catch {
    // A proxy that does not show its prototype.
  }
  return 'Error'
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null
}

function messageOf(error: object): string | undefined {
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

function shown(value: unknown): string {
  return shortened(own.received(value), LONGEST_TEXT)
}

/** The properties to carry, and whether they are hidden. */
function keysOf(error: object, kind: string): Map<string, boolean> {
  const keys = new Map<string, boolean>()
  for (const key of ownKeysOf(error)) {
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

function ownKeysOf(error: object): string[] {
  try {
    return Object.getOwnPropertyNames(error)
  } catch {
    return []
  }
}

function descriptorOf(error: object, key: string): PropertyDescriptor | undefined {
  try {
    return Object.getOwnPropertyDescriptor(error, key)
  } catch {
    return undefined
  }
}

/** Undefined when reading throws. */
function read(from: object, key: string): { value: unknown } | undefined {
  try {
    return { value: Reflect.get(from, key) }
  } catch {
    return undefined
  }
}

function rebuilt({ kind, name, message, stack }: SealedError): Error {
  const error =
    kind === 'DOMException'
      ? new DOMException(message, name)
      : // A native error, whatever its class: the constructors of the others want arguments that are set as fields later.
        (Reflect.construct(Error, message === undefined ? [] : [message], CLASSES[kind]) as Error)
  if (name !== undefined && name !== error.name) define(error, 'name', name, false)
  define(error, 'stack', stack ?? String(error), false)
  return error
}

function unsealed(sealed: Sealed, opened: readonly Error[]): unknown {
  if ('error' in sealed) return opened[sealed.error]
  if ('list' in sealed) return sealed.list.map((each) => unsealed(each, opened))
  return sealed.value
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
}
