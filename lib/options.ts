/**
 * Validates options, so that every error has the same form. An example: "Cannot open a stream as 'window' must be an
 * integer of at least 1: received 0". Nothing is coerced.
 */
import { rangeError, received, typeError } from './errors.js'

/** The longest wait of Node's timers, in milliseconds. A timer with a longer wait would fire at once. */
export const MAX_TIMEOUT: number = 2 ** 31 - 1

/** Ends the text about an unknown option of a source. */
export const VERBS_HINT = ". What is to happen with items is an option of a verb, as in imap(task, { errors: 'skip' })"

/**
 * Reads and validates one options object. `action` begins each error text ("open a stream"). `hint` ends the text about
 * an unknown option.
 */
export class OptionReader<O extends object> {
  readonly #action: string
  readonly #options: Partial<O>

  constructor(action: string, options: unknown, known: readonly (keyof O & string)[], hint = '') {
    this.#action = action
    if (options !== undefined && !isPlainObject(options)) {
      throw typeError(
        'ERR_INVALID_OPTION',
        `Cannot ${action} as its options must be an object: received ${received(options)}${optionsHint(options)}`,
      )
    }
    this.#options = options ?? {}
    for (const name of Object.keys(this.#options)) {
      if ((known as readonly string[]).includes(name)) continue
      throw typeError(
        'ERR_INVALID_OPTION',
        `Cannot ${action} as it has no option '${name}': the options are ${known.join(', ')}${hint}`,
      )
    }
  }

  /** An integer of at least `min`. */
  integer(name: keyof O & string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    return this.#number(name, `an integer ${bounds}`, (value) => isInteger(value, min, max))
  }

  /** An integer of at least `min`, or a word. */
  integerOr<const W extends string>(name: keyof O & string, word: W, min: number): number | W | undefined {
    const value: unknown = this.#options[name]
    if (value === word) return word
    const expected = `an integer of at least ${min} or '${word}'`
    if (typeof value === 'string') this.fail(rangeError, name, expected, value)
    return this.#number(name, expected, (value) => isInteger(value, min, Number.MAX_SAFE_INTEGER))
  }

  /** A time of at least `min` that a timer of Node can wait, or `Infinity`. */
  milliseconds(name: keyof O & string, min = 0): number | undefined {
    const expected = `an integer from ${min} to ${MAX_TIMEOUT}, in milliseconds, or Infinity`
    return this.#number(name, expected, (value) => value === Infinity || isInteger(value, min, MAX_TIMEOUT))
  }

  /** A time that a timer of Node can wait. */
  delay(name: keyof O & string): number | undefined {
    const expected = `an integer from 0 to ${MAX_TIMEOUT}, in milliseconds`
    return this.#number(name, expected, (value) => isInteger(value, 0, MAX_TIMEOUT))
  }

  /** The value as it was given. */
  any(name: keyof O & string): unknown {
    return this.#options[name]
  }

  /** One of a few values. @param hint What else is possible. */
  oneOf<const V>(name: keyof O & string, values: readonly V[], hint = ''): V | undefined {
    const value: unknown = this.#options[name]
    if (value === undefined || values.includes(value as V)) return value as V | undefined
    this.fail(
      typeof value === typeof values[0] ? rangeError : typeError,
      name,
      values.map(received).join(' or ') + hint,
      value,
    )
  }

  boolean(name: keyof O & string): boolean | undefined {
    return this.value(name, 'true or false', (value) => typeof value === 'boolean') as boolean | undefined
  }

  /** Any value that `accepts` accepts. `expected` describes it. `hint` says what to pass instead of a wrong value. */
  value<K extends keyof O & string>(
    name: K,
    expected: string,
    accepts: (value: unknown) => boolean,
    hint: (value: unknown) => string = () => '',
  ): O[K] | undefined {
    const value: unknown = this.#options[name]
    if (value === undefined || accepts(value)) return value as O[K] | undefined
    this.fail(typeError, name, expected, value, hint(value))
  }

  #number(name: keyof O & string, expected: string, accepts: (value: number) => boolean): number | undefined {
    const value: unknown = this.#options[name]
    if (value === undefined) return undefined
    if (typeof value !== 'number') this.fail(typeError, name, expected, value)
    if (!accepts(value)) this.fail(rangeError, name, expected, value)
    return value
  }

  /** Throws the error of an option with a wrong value. `expected` says what it must be. */
  fail(error: typeof typeError | typeof rangeError, name: string, expected: string, value: unknown, hint = ''): never {
    throw error(
      'ERR_INVALID_OPTION',
      `Cannot ${this.#action} as '${name}' must be ${expected}: received ${received(value)}${hint}`,
    )
  }
}

/** Checks a number of results: an integer of at least `min`, or `Infinity` where there is no upper bound. */
export function assertCount(action: string, value: unknown, min: number, isBounded = false): asserts value is number {
  if (isInteger(value as number, min, Infinity) || (value === Infinity && !isBounded)) return
  const expected = `an integer of at least ${min}${isBounded ? '' : ' or Infinity'}`
  throw (typeof value === 'number' ? rangeError : typeError)(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${action} as their number must be ${expected}: received ${received(value)}`,
  )
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max
}

/** Also of another realm. A `Map` or a promise is not an options object. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Checks the shape: a signal of another realm, or of a polyfill, is accepted. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = Object(value) as Partial<AbortSignal>
  return [typeof aborted, typeof addEventListener, typeof removeEventListener].join() === 'boolean,function,function'
}

/** The end of an error text: the option `signal` is an object that has a signal, such as a controller. */
export function signalHint(value: unknown): string {
  return isAbortSignal(signalIn(value)) ? ' (pass its .signal)' : ''
}

/** The end of an error text: a signal or a controller was passed as options. */
export function optionsHint(value: unknown): string {
  if (isAbortSignal(value)) return ' (a signal: pass { signal })'
  return isAbortSignal(signalIn(value)) ? ' (pass { signal: controller.signal })' : ''
}

function signalIn(value: unknown): unknown {
  return (Object(value) as { signal?: unknown }).signal
}
