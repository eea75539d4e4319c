/** Makes plain data of what was thrown, and of all errors it leads to. */
import { nestsDeeperThan } from './clonable.js'
import { BUILT_IN } from './error-classes.js'
import type { Envelope, Sealed, SealedError, SealedField } from './sealed.js'
import { isDense, isError, keysOf, kindsOf, messageOf, read, shown } from './thrown.js'

/** The most errors in one envelope: a getter can make a new `cause` each time it is asked, without end. */
const MOST_ERRORS = 1 << 17
/** The deepest a value may nest. The main thread reads about 1,600 levels, a worker writes four times that. */
const DEEPEST = 1000

export class Sealing {
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

function cloned(value: object): Sealed | undefined {
  try {
    const clone: unknown = structuredClone(value)
    return nestsDeeperThan(DEEPEST, clone) ? undefined : { value: clone }
  } catch {
    return undefined
  }
}
