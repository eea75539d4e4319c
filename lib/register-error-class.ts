/** `registerErrorClass`: instances of the user's error classes arrive from other threads as instances. */
import { addErrorClass, type ErrorClass } from './codec/error-classes.js'
import { received, typeError } from './errors.js'
import { OptionReader } from './options.js'

/** Options of `registerErrorClass()`. */
export interface ErrorClassOptions {
  /**
   * The name under which threads know the class. Set it if a minifier changes the names of classes, or if two classes
   * have the same name. Default: the name of the class.
   */
  readonly name?: string | undefined
}

/**
 * Makes instances of an error class arrive from other threads as instances of that class. Otherwise they arrive as the
 * nearest class that both threads know: a built-in class, a class of this library, or a registered one.
 *
 * Call it beside the class, at the top level of its module. The thread that throws and the thread that receives both
 * need the call. Both import a module of tasks. Message, stack, `cause`, `code` and own fields arrive as for all
 * errors. The constructor is not called: the error gets the prototype of the class. So private fields (`#field`) of the
 * class are missing.
 *
 * @param Class The class; it extends `Error`.
 * @param options `name`: the name for all threads, of 1 to 1,000 characters.
 * @throws {TypeError} `ERR_INVALID_ARGUMENTS`: the class does not extend `Error`, has no name, or has a name that
 * another class has. A class with the same name and the same source text counts as the same class, evaluated again by
 * hot reload. `ERR_INVALID_OPTION`: an unknown option, or a name that is not a string of this length.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, registerErrorClass, task } from 'millrace'
 *
 * class HttpError extends Error {
 *   constructor(readonly status: number) {
 *     super(`The server answered ${status}`)
 *   }
 *   get isTemporary(): boolean {
 *     return this.status >= 500
 *   }
 * }
 * registerErrorClass(HttpError)
 *
 * const load = task(import.meta.url, 'load', (path: string): string => {
 *   throw new HttpError(path === '/old' ? 404 : 503)
 * })
 *
 * if (isMainThread) {
 *   for await (const outcome of imap(load, ['/old', '/new'], { errors: 'settle' })) {
 *     if (outcome.status === 'rejected' && outcome.reason instanceof HttpError)
 *       console.log(outcome.reason.message, outcome.reason.isTemporary)
 *     // → The server answered 404 false
 *     // → The server answered 503 true
 *   }
 * }
 * ```
 */
export function registerErrorClass(Class: abstract new (...args: never[]) => Error, options?: ErrorClassOptions): void {
  const given = new OptionReader<ErrorClassOptions>('register an error class', options, ['name'])
  const expected = `a string of 1 to ${MAX_NAME_LENGTH} characters`
  const name = given.value('name', expected, isName)
  if (!isErrorClass(Class)) throw wrong(`it must be a class that extends Error: received ${received(Class)}`)
  const registered = name ?? Class.name
  if (!isName(registered)) throw wrong(`it has no name: pass { name }, ${expected}`)
  const fault = addErrorClass(registered, Class)
  if (fault !== undefined) throw wrong(fault)
}

/** The longest name of a class, in characters. Each of its errors carries the name. */
const MAX_NAME_LENGTH = 1000

function isName(name: unknown): name is string {
  return typeof name === 'string' && name.length > 0 && name.length <= MAX_NAME_LENGTH
}

/** The names of `Error` and the other built-in classes are refused later, as names that are taken. */
function isErrorClass(value: unknown): value is ErrorClass {
  if (typeof value !== 'function') return false
  const prototype: unknown = value.prototype
  return prototype === Error.prototype || prototype instanceof Error
}

function wrong(reason: string): TypeError {
  return typeError('ERR_INVALID_ARGUMENTS', `Cannot register an error class as ${reason}`)
}
