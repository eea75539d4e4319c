/** Rebuilds a thrown value from the plain data that `encode.ts` has made of it. */
import { attempt, withoutStack } from '../../errors.js'
import { revive } from '../shared-objects.js'
import { BUILT_IN, errorClass } from '../error-classes.js'
import type { EncodedError, EncodedValue, OneError } from './types.js'
import { read } from './inspect.js'

/**
 * @param revived Makes the objects in a value again that threads share. It looks at every place of an array, filled or
 *   not. Values from another machine hold no such objects, and are left as they are.
 */
export function decodeError({ thrown, errors }: EncodedError, revived: Revived = reviveValue): unknown {
  const decoded = errors.map(createError)
  errors.forEach(({ fields }, number) => {
    for (const { key, hidden, content } of fields) {
      define(decoded[number], key, decodeValue(content, decoded, revived), !hidden)
    }
  })
  return decodeValue(thrown, decoded, revived)
}

type Revived = (value: unknown) => unknown

function reviveValue(value: unknown): unknown {
  return revive(value).value
}

/**
 * An instance of the nearest class that this thread also has. It calls no code of the user, because the constructor of
 * a user's class may want other arguments.
 */
function createError({ kinds, name, message, stack }: OneError): Error {
  const kind = kinds[kinds.length - 1]
  const Class = kinds.map(errorClass).find((known) => known !== undefined) ?? BUILT_IN[kind]
  const error = withoutStack(
    () =>
      (kind === 'DOMException'
        ? Reflect.construct(DOMException, [message, name], Class)
        : // A native error, whatever its class: other constructors want arguments that are set as fields later.
          Reflect.construct(Error, message === undefined ? [] : [message], Class)) as Error,
  )
  if (name !== undefined && read(error, 'name')?.value !== name) define(error, 'name', name, false)
  define(error, 'stack', stack ?? attempt(() => String(error)) ?? plainTextOf(error), false)
  return error
}

/** As an `Error` without a class has it. */
function plainTextOf(error: Error): string {
  return Error.prototype.toString.call({ name: 'Error', message: read(error, 'message')?.value })
}

function decodeValue(encoded: EncodedValue, decoded: readonly Error[], revived: Revived): unknown {
  if ('error' in encoded) return decoded[encoded.error]
  if ('list' in encoded) return encoded.list.map((each) => decodeValue(each, decoded, revived))
  return revived(encoded.value)
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
}
