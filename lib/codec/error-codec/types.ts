/**
 * The form in which errors cross to another thread: plain data, with the names of classes that both threads may have.
 * Structured clone alone would drop `code` and other fields, make `{}` of a `DOMException`, and fail where a `cause` is
 * a function.
 */

/** A thrown value, and every error it leads to. If it is an error itself, it is `errors[0]`. */
export interface EncodedError {
  readonly thrown: EncodedValue
  readonly errors: readonly OneError[]
}

/** A clone, the number of an error, or a list in which there are errors. */
export type EncodedValue =
  { readonly value: unknown } | { readonly error: number } | { readonly list: readonly EncodedValue[] }

/** One error. It refers to others by number, so depth and cycles do not matter. */
export interface OneError {
  /** The names of its classes, the nearest first. Every realm has the last one. */
  readonly kinds: readonly string[]
  readonly name: string | undefined
  readonly message: string | undefined
  stack: string | undefined
  readonly fields: readonly ErrorField[]
}

export interface ErrorField {
  readonly key: string
  /** Whether it is not enumerable. */
  readonly hidden: boolean
  readonly content: EncodedValue
}
