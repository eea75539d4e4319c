/** Makes plain data of a thrown value, and of all errors that it refers to. */
import { attempt } from '../../errors.js'
import { nestsDeeperThan } from '../clonable.js'
import { BUILT_IN } from '../error-classes.js'
import { MAX_DEPTH } from '../limits.js'
import { isDense, isError, keysOf, kindsOf, messageOf, read, shown } from './inspect.js'
import type { EncodedError, EncodedValue, ErrorField, OneError } from './types.js'

/** Errors that cross together: a getter can make a new `cause` each time it is read, without end. */
export const MAX_ERRORS: number = 1 << 17

/**
 * Makes data that structured clone can always clone. Never throws.
 *
 * @param note Names task, item and worker. It becomes the last line of the stack of the thrown error.
 */
export function encodeError(thrown: unknown, note?: string): EncodedError {
  return new ErrorEncoder().encode(thrown, note)
}

class ErrorEncoder {
  readonly #numbers = new Map<object, number>()
  /** A queue, not recursion: a chain of causes can be longer than the stack is deep. */
  readonly #queue: object[] = []

  encode(thrown: unknown, note: string | undefined): EncodedError {
    const content = this.#encodeValue(thrown) ?? this.#placeholder('what was thrown', thrown)
    const errors: OneError[] = []
    for (const error of this.#queue) errors.push(this.#encodeError(error))
    if ('error' in content && errors[0].stack !== undefined && note !== undefined) errors[0].stack += `\n    at ${note}`
    return { thrown: content, errors }
  }

  #encodeValue(value: unknown): EncodedValue | undefined {
    if (isError(value)) return this.#enqueue(value)
    switch (typeof value) {
      case 'object':
        return value === null ? { value } : encodeObject(value)
      case 'function':
      case 'symbol':
        return undefined
      default:
        return { value }
    }
  }

  #enqueue(error: object): EncodedValue {
    let number = this.#numbers.get(error)
    if (number === undefined) {
      if (this.#queue.length >= MAX_ERRORS) return { value: undefined }
      number = this.#queue.push(error) - 1
      this.#numbers.set(error, number)
    }
    return { error: number }
  }

  #placeholder(what: string, value: unknown): EncodedValue {
    const error = new Error(`Cannot return ${what} as it cannot be cloned: received ${shown(value)}`)
    // Its own stack says nothing about the origin of the value.
    error.stack = String(error)
    return this.#enqueue(error)
  }

  #encodeError(error: object): OneError {
    const kinds = kindsOf(error)
    const kind = kinds[kinds.length - 1]
    const name = read(error, 'name')?.value
    const stack = read(error, 'stack')?.value
    const defaultName = kind === 'DOMException' ? undefined : BUILT_IN[kind].prototype.name
    return {
      kinds,
      name: typeof name === 'string' && name !== defaultName ? name : undefined,
      message: messageOf(error),
      stack: typeof stack === 'string' ? stack : undefined,
      fields: this.#encodeFields(error, kind),
    }
  }

  #encodeFields(error: object, kind: string): ErrorField[] {
    const fields: ErrorField[] = []
    for (const [key, hidden] of keysOf(error, kind)) {
      const field = read(error, key)
      const content = field && this.#encodeField(key, field.value)
      if (content !== undefined) fields.push({ key, hidden, content })
    }
    return fields
  }

  #encodeField(key: string, value: unknown): EncodedValue | undefined {
    if (key === 'cause') return this.#encodeValue(value) ?? this.#placeholder('the cause of an error', value)
    if (key !== 'errors' || !isDense(value)) return this.#encodeValue(value)
    const list = Object.keys(value).map((index) => {
      const error = read(value, index)?.value
      return this.#encodeValue(error) ?? this.#placeholder('one of several errors', error)
    })
    return { list }
  }
}

function encodeObject(value: object): EncodedValue | undefined {
  const clone = attempt(() => structuredClone(value))
  return clone === undefined || nestsDeeperThan(MAX_DEPTH, clone) ? undefined : { value: clone }
}
